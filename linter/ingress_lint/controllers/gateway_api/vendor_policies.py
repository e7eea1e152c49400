"""What an implementation's defaults and its vendor's policies make of a backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import KeepAlive, Timeouts
from ingress_lint.routes.verdicts import Verdict

_VENDORS: Final[Mapping[str, tuple[str, str]]] = {
    "gke-gateway": ("networking.gke.io", "google"),
    "agc": ("alb.networking.azure.io", "azure"),
    "aws-gateway": ("gateway.k8s.aws", "aws"),
    "cilium": ("cilium.io", "cilium"),
    "envoy-gateway": ("gateway.envoyproxy.io", "envoy_gateway"),
    "kong-gateway": ("configuration.konghq.com", "kong"),
    "nginx-gateway-fabric": ("gateway.nginx.org", "nginx_gateway_fabric"),
    "kgateway": ("gateway.kgateway.dev", "kgateway"),
}
"""By implementation, the API group of its policies and the folder of the controller whose `gateway_policies` reads them."""


class VendorPolicies:
    """The policies of all vendors in one graph; a vendor's are read where something of it is in the set."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._treatments: dict[str, Treatment] = {}

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The backend with what its implementation does by default, then with what policies say."""
        backend = _by_default(backend, facts)
        if facts.implementation.name not in _VENDORS:
            return backend
        return self._treatment(facts.implementation.name).treat(backend, facts)

    def extended(self, route: Route, facts: RouteFacts) -> Route:
        """A rule with what its filters come to, among them those that name objects of its vendor's own."""
        if not route.filters or facts.implementation.name not in _VENDORS:
            return route
        return self._treatment(facts.implementation.name).extended(route)

    def refusals(self, facts: RouteFacts) -> Iterable[Verdict]:
        """What its implementation refuses of a rule and of the policies for it."""
        if facts.implementation.name not in _VENDORS:
            return ()
        return self._treatment(facts.implementation.name).refusals(facts)

    def verdicts(self) -> list[Verdict]:
        """What is wrong with the policies of every vendor, asked when every rule has been treated."""
        return [
            verdict
            for name, (group, _) in _VENDORS.items()
            if name in self._treatments or group in self._graph.groups
            for verdict in self._treatment(name).verdicts()
        ]

    def _treatment(self, name: str) -> Treatment:
        if name not in self._treatments:
            module = import_module(f"ingress_lint.controllers.{_VENDORS[name][1]}.gateway_policies")
            made: Callable[[ObjectGraph], Treatment] = module.Policies
            self._treatments[name] = made(self._graph)
        return self._treatments[name]


def _by_default(backend: BackendRef, facts: RouteFacts) -> BackendRef:
    implementation = facts.implementation
    if not facts.of_requests:
        return backend
    timeouts = facts.timeouts if implementation.timeouts else Timeouts()
    if timeouts.request is None and implementation.request_timeout is not None:
        why = f"the default of {implementation.title}"
        if facts.timeouts.request is not None:
            why += ", which does not read `timeouts` of a route"
        default = Sourced(float(implementation.request_timeout), Origin.DEFAULT, facts.rule_place, why)
        timeouts = replace(timeouts, request=default)
    keep_alive = KeepAlive()
    if implementation.upstream_idle is not None:
        why = f"the default of {implementation.title}"
        idle = Sourced(float(implementation.upstream_idle), Origin.DEFAULT, backend.place, why)
        keep_alive = KeepAlive(upstream_idle=idle, retries_idempotent=implementation.retries_idempotent)
    return replace(backend, timeouts=timeouts, keep_alive=keep_alive)
