"""Load balancers that answer every plain request with a redirect to HTTPS."""

from __future__ import annotations

from msgspec.structs import replace

from ingress_lint.controllers.shared.base import Claim
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced


def behind_https(route: Route) -> Route:
    """A route as it is where its plain listeners only redirect: without them, if it has others."""
    left = tuple(listener for listener in route.listeners if listener.protocol.value != "HTTP")
    return replace(route, listeners=left) if left else route


def redirect_route(claim: Claim, listeners: tuple[Listener, ...], redirect: RequestRedirect) -> Route | None:
    """The redirect itself, for any host and path, on the plain ones of `listeners`; None where there are none."""
    plain = tuple(listener for listener in listeners if listener.protocol.value == "HTTP")
    if not plain:
        return None
    everything = Sourced(
        PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, redirect.place, "it redirects every path"
    )
    return Route(
        controller=claim.controller,
        owner=claim.ingress,
        rule=len(claim.ingress.body.spec.rules),
        place=redirect.place,
        listeners=plain,
        hostnames=(),
        matches=(Match(everything),),
        backends=(),
        filters=(redirect,),
        is_default=True,
        first_match=1,
    )
