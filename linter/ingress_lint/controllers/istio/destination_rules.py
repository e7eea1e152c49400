"""DestinationRules: what they say of a host, of its subsets and its ports.

A subset's policy replaces the host's, field by field; a port's replaces both as a whole
(istio/istio:pilot/pkg/networking/util/util.go, MergeSubsetTrafficPolicy). Rules of one namespace for one host are merged, the
oldest first: its policy counts, and its subset of each name (pilot/pkg/model/destination_rule.go, mergeDestinationRule).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.istio.hosts import full_host, overlap, service_of
from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.targets import Claim, Claims, Terms
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway_policies import PolicyTarget
from ingress_lint.objects.istio import (
    ClientTLSSettings,
    ConnectionPoolSettings,
    DestinationRule,
    PortTrafficPolicy,
    ProxyProtocol,
    Subset,
    TrafficPolicy,
)
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.matching import age
from ingress_lint.routes.verdicts import Verdict

ROOT_NAMESPACE: Final = "istio-system"
"""Where policies for the whole mesh stand, unless the mesh is told otherwise."""

Rule = KubernetesObject[DestinationRule]


class Policy(Struct, frozen=True):
    """What holds for one port of a host, each part with its place."""

    tls: tuple[ClientTLSSettings, Place] | None = None
    connection_pool: tuple[ConnectionPoolSettings, Place] | None = None
    proxy_protocol: tuple[ProxyProtocol, Place] | None = None


class DestinationRules:
    """The DestinationRules of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._exact: defaultdict[str, list[Rule]] = defaultdict(list)
        self._wildcard: list[Rule] = []
        self._asked: dict[Rule, None] = {}
        for rule in sorted(graph.of(DestinationRule), key=age):
            host = full_host(rule.body.spec.host, rule.namespace)
            if host.startswith("*"):
                self._wildcard.append(rule)
            else:
                self._exact[host].append(rule)

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self._exact or self._wildcard)

    def of_host(self, host: str, clients: frozenset[str]) -> Sequence[Rule]:
        """The rules for a host, the deciding one first.

        A proxy looks in its own namespace, then in the Service's, then in the root namespace, and nowhere else
        (istio/istio:pilot/pkg/model/push_context.go, destinationRule). `clients` are the namespaces of the gateway's
        pods; where they are unknown every namespace counts.
        """
        found = self._exact.get(host) or [
            rule for rule in self._wildcard if overlap(full_host(rule.body.spec.host, rule.namespace), host)
        ]
        self._asked.update(dict.fromkeys(found))
        service = service_of(host)
        order = [*sorted(clients), service.namespace if service else "", ROOT_NAMESPACE]
        if clients:
            found = [rule for rule in found if rule.namespace in order]
        return sorted(found, key=lambda rule: order.index(rule.namespace) if rule.namespace in order else len(order))

    def verdicts(self) -> Iterator[Verdict]:
        """The rules for the hosts asked for that lose their policy, or a subset, to an older one of their namespace."""
        return Claims(claim for rule in self._asked for claim in _claims(rule)).conflicts(_TERMS)


def _claims(rule: Rule) -> Iterator[Claim]:
    """What a rule is for, unless it is for some clients alone."""
    if settings(rule).isdisjoint(("exportTo", "workloadSelector")):
        host = full_host(rule.body.spec.host, rule.namespace)
        yield Claim(rule, PolicyTarget(kind="host", name=host), rule.at("spec"), "host")


def _sets(rule: Rule) -> Mapping[str, object]:
    spec = rule.body.spec
    general = {} if spec.traffic_policy is None else {"trafficPolicy": rule.written("spec", "trafficPolicy")}
    return {**general, **{f"subset {subset.name}": subset for subset in spec.subsets}}


_TERMS: Final = Terms("Istio", lambda _: "requests are sent as the other one says", sets=_sets, merged=True)


def find_subset(rules: Sequence[Rule], name: str) -> tuple[Subset, Place] | None:
    """A subset by name, of several rules' the first."""
    for rule in rules:
        for index, subset in enumerate(rule.body.spec.subsets):
            if subset.name == name:
                return subset, rule.at("spec", "subsets", index)
    return None


def policy(rules: Sequence[Rule], subset: tuple[Subset, Place] | None, port: int | None) -> Policy:
    """What holds for a port of the host that `rules` are for."""
    general = next(
        (
            _layer(rule.body.spec.traffic_policy, rule.at("spec", "trafficPolicy"), port)
            for rule in rules
            if rule.body.spec.traffic_policy is not None
        ),
        None,
    )
    if subset is None or subset[0].traffic_policy is None:
        return general[0] if general else Policy()
    own, replaces = _layer(subset[0].traffic_policy, subset[1].at("trafficPolicy"), port)
    if replaces or general is None:
        return own
    base = general[0]
    return Policy(
        own.tls or base.tls, own.connection_pool or base.connection_pool, own.proxy_protocol or base.proxy_protocol
    )


def _layer(written: TrafficPolicy, place: Place, port: int | None) -> tuple[Policy, bool]:
    """One policy as far as it concerns a port, and whether it speaks of that port by number."""
    for index, level in enumerate(written.port_level_settings):
        if port is not None and level.port is not None and level.port.number == port:
            return _parts(level, place.at("portLevelSettings", index)), True
    proxy_protocol = (written.proxy_protocol, place.at("proxyProtocol")) if written.proxy_protocol else None
    return replace(_parts(written, place), proxy_protocol=proxy_protocol), False


def _parts(written: TrafficPolicy | PortTrafficPolicy, place: Place) -> Policy:
    return Policy(
        (written.tls, place.at("tls")) if written.tls else None,
        (written.connection_pool, place.at("connectionPool")) if written.connection_pool else None,
    )
