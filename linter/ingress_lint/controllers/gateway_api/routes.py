"""Routes of the Gateway API in the route model: one `Route` a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingress_lint.controllers.gateway_api.attachment import Attachment, RouteObject
from ingress_lint.controllers.gateway_api.backends import Backends
from ingress_lint.controllers.gateway_api.filters import ResolveBackend, filters, unsupported
from ingress_lint.controllers.shared.implementations import SPECIFICATION
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.gateway_routes import (
    BackendRef,
    ConnectionRule,
    GRPCBackendRef,
    GRPCMethodMatch,
    GRPCRouteMatch,
    GRPCRouteRule,
    HTTPBackendRef,
    HTTPRouteMatch,
    HTTPRouteRetry,
    HTTPRouteRule,
    HTTPRouteTimeouts,
    ValueMatch,
)
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import matches, model
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.matches import GRPCMethod, Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import Retries, Timeouts
from ingress_lint.values.durations import go_duration

Rule = HTTPRouteRule | GRPCRouteRule | ConnectionRule


def lower_route(route: RouteObject, attachment: Attachment, backends: Backends) -> Iterator[Route]:
    """The routes of one object."""
    spec = route.body.spec
    hosts: Sequence[str] = getattr(spec, "hostnames", ())
    hostnames = tuple(
        Sourced(host, Origin.EXPLICIT, route.at("spec", "hostnames", index)) for index, host in enumerate(hosts)
    )
    usable = [listener for _, listener in attachment.listeners if listener.model.usable]
    listeners = tuple(listener.model for listener in usable)
    view = attachment.listeners[0][0] if attachment.listeners else None
    implementation = view.implementation if view else SPECIFICATION
    controller = view.class_source if view else _unknown_controller(route)
    modes = {listener.tls.mode.value for listener in listeners if listener.tls}
    gateways = dict.fromkeys(view.gateway for view, _ in attachment.listeners) if implementation.makes_accounts else {}
    made = [_account(gateway) for gateway in gateways]
    accounts = () if None in made else tuple(account for account in made if account is not None)
    rules: Sequence[Rule] = spec.rules
    for index, rule in enumerate(rules):
        place = route.at("spec", "rules", index)
        timeouts = _timeouts(rule.timeouts, place.at("timeouts")) if isinstance(rule, HTTPRouteRule) else Timeouts()
        facts = RouteFacts(
            route,
            implementation,
            next(iter(modes)) if len(modes) == 1 else None,
            timeouts,
            place,
            rule.name,
            view.gateway if view else None,
            tuple((listener.declarer, listener.model.name) for listener in usable),
        )
        unread = () if isinstance(rule, ConnectionRule) else rule.filters
        refused = tuple(unsupported(unread, place.at("filters"), route, implementation))
        backends.verdicts += refused
        steps = _filters(rule, place, facts, backends)
        empty = not rule.backend_refs and not any(isinstance(step, RequestRedirect) for step in steps)
        lowered = Route(
            controller=controller,
            owner=route,
            rule=index,
            place=place,
            listeners=listeners,
            hostnames=hostnames,
            matches=tuple(_matches(rule, place)),
            backends=_backends(rule.backend_refs, place.at("backendRefs"), facts, backends),
            filters=steps,
            unmade=empty and not implementation.makes_empty_rules,
            retries=_retries(rule.retry, place.at("retry")) if isinstance(rule, HTTPRouteRule) and rule.retry else None,
            from_outside=facts.implementation.outside,
            broken=facts.implementation.broken,
            refusals=(*backends.refusals(facts), *refused),
            external_names_refused=facts.implementation.external_names_refused,
            mesh=implementation.mesh,
            service_accounts=accounts,
        )
        yield backends.extended(lowered, facts)


def _account(gateway: KubernetesObject[Gateway]) -> tuple[str, str] | None:
    """Namespace and name of the service account of the proxy that a mesh makes for a Gateway; None where it makes none.

    istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api: one whose address is a Service's has its own.
    """
    if any(address.type == "Hostname" for address in gateway.body.spec.addresses):
        return None
    made = gateway.annotations.get("gateway.istio.io/name-override") or (
        f"{gateway.name}-{gateway.body.spec.gateway_class_name}"
    )
    return gateway.namespace, gateway.annotations.get("gateway.istio.io/service-account") or made


def _unknown_controller(route: RouteObject) -> Sourced[str]:
    place = route.at("spec", "parentRefs")
    return Sourced(SPECIFICATION.name, Origin.DERIVED, place, f"a {route.kind}, whose Gateway is elsewhere")


def _backends(
    references: Sequence[BackendRef], place: Place, facts: RouteFacts, backends: Backends
) -> tuple[model.BackendRef, ...]:
    found = []
    for index, reference in enumerate(references):
        where = place.at(index)
        own: tuple[Filter, ...] = ()
        if isinstance(reference, HTTPBackendRef | GRPCBackendRef):
            own = filters(reference.filters, where.at("filters"), _resolver(facts, backends), facts.implementation)
        found.append(backends.resolve(reference, where, facts, reference.weight, own))
    return tuple(found)


def _filters(rule: Rule, place: Place, facts: RouteFacts, backends: Backends) -> tuple[Filter, ...]:
    if isinstance(rule, ConnectionRule):
        return ()
    return filters(rule.filters, place.at("filters"), _resolver(facts, backends), facts.implementation)


def _resolver(facts: RouteFacts, backends: Backends) -> ResolveBackend:
    """Resolves the backends that filters name."""
    return lambda reference, place, seen: backends.resolve(reference, place, facts, seen=seen)


def _timeouts(written: HTTPRouteTimeouts | None, place: Place) -> Timeouts:
    if written is None:
        return Timeouts()
    return Timeouts(
        request=_deadline(written.request, place.at("request")),
        attempt=_deadline(written.backend_request, place.at("backendRequest")),
    )


def _deadline(duration: str | None, place: Place) -> Sourced[float] | None:
    """A deadline; zero is none (kubernetes-sigs/gateway-api:geps/gep-1742)."""
    return None if duration is None else Sourced(go_duration(duration) or float("inf"), Origin.EXPLICIT, place)


def _retries(written: HTTPRouteRetry, place: Place) -> Retries:
    backoff = go_duration(written.backoff) if written.backoff else None
    return Retries(place, written.codes, written.attempts, backoff)


# -- matches --------------------------------------------------------------------------------------------------------


def _matches(rule: Rule, place: Place) -> Iterator[Match]:
    if isinstance(rule, ConnectionRule):
        return
    if not rule.matches:
        yield Match(_any_path(place))
    matches: Sequence[HTTPRouteMatch | GRPCRouteMatch] = rule.matches
    for index, match in enumerate(matches):
        where = place.at("matches", index)
        yield _http_match(match, where) if isinstance(match, HTTPRouteMatch) else _grpc_match(match, where)


def _any_path(place: Place) -> Sourced[PathMatch]:
    return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DEFAULT, place, "no path matches every path")


def _http_match(match: HTTPRouteMatch, place: Place) -> Match:
    path = match.path
    return Match(
        path=Sourced(PathMatch(PathMatchType(path.type), path.value), Origin.EXPLICIT, place.at("path", "value"))
        if path
        else _any_path(place),
        headers=_values(match.headers),
        query=_values(match.query_params),
        method=match.method,
    )


def _grpc_match(match: GRPCRouteMatch, place: Place) -> Match:
    method = match.method
    return Match(
        path=Sourced(_grpc_path(method), Origin.DERIVED, place.at("method"), "the path of a gRPC call")
        if method and (method.service or method.method)
        else _any_path(place),
        headers=_values(match.headers),
        grpc=GRPCMethod(method.service, method.method) if method else None,
    )


def _grpc_path(method: GRPCMethodMatch) -> PathMatch:
    """The path of the calls that a match takes: /SERVICE/METHOD."""
    service, name = method.service, method.method
    if method.type == "Exact" and service and name:
        return PathMatch(PathMatchType.EXACT, f"/{service}/{name}")
    if method.type == "Exact" and service:
        return PathMatch(PathMatchType.PREFIX, f"/{service}")
    one = "[^/]+"
    parts = [
        one if not part else f"(?:{part})" if method.type == "RegularExpression" else re.escape(part)
        for part in (service, name)
    ]
    return PathMatch(PathMatchType.REGULAR_EXPRESSION, "/" + "/".join(parts))


def _values(written: Sequence[ValueMatch]) -> tuple[matches.ValueMatch, ...]:
    """The values to compare; of several with one name only the first counts."""
    found: dict[str, matches.ValueMatch] = {}
    for item in written:
        found.setdefault(item.name.lower(), matches.ValueMatch(item.name, item.value, item.type))
    return tuple(found.values())
