"""What the controller of a route does in its own way, of Ingresses or as an implementation of the Gateway API."""

from __future__ import annotations

from ingress_lint.controllers.registry import controller_named
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.routes.matching import SPECIFIED_CONDUCT, Conduct
from ingress_lint.routes.model import Route


def conduct_of(route: Route) -> Conduct:
    """What the controller of a route does in its own way."""
    name = route.controller.value
    if route.owner.group == GATEWAY_GROUP:
        from ingress_lint.controllers.shared.implementations import by_name

        implementation = by_name(name)
        return implementation.conduct if implementation is not None else SPECIFIED_CONDUCT
    controller = controller_named(name)
    return controller.conduct if controller is not None else SPECIFIED_CONDUCT
