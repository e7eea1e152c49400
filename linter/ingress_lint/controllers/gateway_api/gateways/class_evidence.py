"""Whose a GatewayClass is that no manifest defines: what its Gateways and their policies say that one implementation
alone reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from ingress_lint.controllers.shared.implementations import Implementation, by_domain
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.kinds import EXPERIMENTAL_GROUP, GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject, KubernetesObject

_STANDARD: Final = frozenset({"", GATEWAY_GROUP, EXPERIMENTAL_GROUP})
_IN_CLUSTER: Final = ".svc.cluster.local"


class Told(NamedTuple):
    """An implementation, with where and by what it is told of."""

    implementation: Implementation
    place: Place
    why: str


class ClassEvidence:
    """What is told of the classes of one graph's Gateways; worked out when first asked for."""

    def __init__(self, gateways: Iterable[KubernetesObject[Gateway]], graph: ObjectGraph) -> None:
        self._gateways = gateways
        self._graph = graph

    def of(self, class_name: str) -> Told | None:
        """The one implementation that all Gateways of a class together tell of, None for none or several."""
        told = self._told.get(class_name, {})
        return next(iter(told.values())) if len(told) == 1 else None

    @cached_property
    def _told(self) -> Mapping[str, dict[str, Told]]:
        told: defaultdict[str, dict[str, Told]] = defaultdict(dict)
        for gateway in self._gateways:
            found = told[gateway.body.spec.gateway_class_name]
            for domain, place, why in (*_own(gateway), *self._policies[gateway.namespace, gateway.name]):
                implementation = by_domain(domain)
                if implementation is not None:
                    found.setdefault(implementation.name, Told(implementation, place, why))
        return told

    @cached_property
    def _policies(self) -> Mapping[tuple[str, str], list[tuple[str, Place, str]]]:
        """The API groups of the policies that target each Gateway, by its namespace and name."""
        found: defaultdict[tuple[str, str], list[tuple[str, Place, str]]] = defaultdict(list)
        for item in self._graph.objects:
            if item.group not in _STANDARD:
                for target in _targets(item):
                    if target.get("kind") == "Gateway":
                        policy = item.group, item.name_place, f"{item} is for it"
                        found[item.namespace, str(target.get("name"))].append(policy)
        return found


def _own(gateway: KubernetesObject[Gateway]) -> Iterator[tuple[str, Place, str]]:
    """The domains in a Gateway's parameters, addresses and annotations.

    What its infrastructure has as labels and annotations is for the cloud's load balancer as well. Hostnames of Services are how Istio is told of proxies that are there already (istio/istio.io:content/en/docs/tasks/
    traffic-management/ingress/gateway-api, manual deployment).
    """
    spec = gateway.body.spec
    infrastructure = spec.infrastructure
    if infrastructure is not None and (reference := infrastructure.parameters_ref) is not None:
        place = gateway.at("spec", "infrastructure", "parametersRef")
        yield reference.group, place, f"its parameters are of kind {reference.kind}"
    for index, address in enumerate(spec.addresses):
        place = gateway.at("spec", "addresses", index)
        if address.type == "Hostname" and (address.value or "").endswith(_IN_CLUSTER):
            yield "networking.istio.io", place, "its address is a Service's"
        elif "/" in address.type:
            yield address.type.partition("/")[0], place, f"its address is of type {address.type}"
    for key in gateway.annotations:
        yield key.partition("/")[0], gateway.annotation_place(key), f"annotation {key}"


def _targets(item: AnyObject) -> Iterator[dict[str, object]]:
    spec = item.mapping("spec")
    several = spec.get("targetRefs")
    for target in (spec.get("targetRef"), *(several if isinstance(several, list) else ())):
        if isinstance(target, dict):
            yield target
