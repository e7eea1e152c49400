"""What Cilium's releases make of the backends of a Gateway API route.

Sources: cilium/cilium: issue 39484 (up to 1.18 a GRPCRoute says nothing of the protocol, which is the Service port's
appProtocol, and that only where `enable-gateway-api-app-protocol` is on), issue 31212 (up to 1.15 a Service without cluster
IP has no endpoints for it).
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import BackendRef, ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.values.numbers import release
from ingress_lint.values.patterns import deferred

_IMAGE: Final = deferred(r"/(?:cilium|operator|operator-generic|operator-[a-z]+)(?:-ci)?:v([0-9]+\.[0-9]+)")
_PROJECT: Final = "cilium/"
_SETTINGS: Final = "cilium-config"
_READS_PROTOCOL: Final = "enable-gateway-api-app-protocol"
_H2C: Final = "kubernetes.io/h2c"
_LAST_BY_APP_PROTOCOL: Final = (1, 18)
_LAST_WITHOUT_HEADLESS: Final = (1, 15)


class Policies(Treatment):
    """The release and the settings of the Cilium of one graph; unknown where the set does not hold it."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._version = _installed(graph)
        self._off = next(filter(None, map(_switched_off, graph.of(ConfigMap))), None)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The protocol of a GRPCRoute's backend, and the target of a headless Service."""
        port = backend.service_port
        if port is None or not self._version:
            return backend
        name = ".".join(map(str, self._version))
        if self._version <= _LAST_WITHOUT_HEADLESS and port.service.body.spec.headless:
            why, place = f"Cilium {name} does not take the addresses of its pods", port.service.at("spec", "clusterIP")
            backend = replace(backend, target=Sourced(TargetKind.CLUSTER_IP, Origin.DERIVED, place, why))
        if facts.owner.kind != "GRPCRoute" or self._version > _LAST_BY_APP_PROTOCOL:
            return backend
        return self._by_app_protocol(backend, port, name)

    def _by_app_protocol(self, backend: BackendRef, port: ResolvedPort, name: str) -> BackendRef:
        """HTTP/1.1, where nothing that the release reads says HTTP/2."""
        named = port.port.app_protocol == _H2C
        if named and self._off is None:
            return backend
        why, remedy = f"Cilium {name} goes by appProtocol alone", f"set `appProtocol: {_H2C}` at the Service's port"
        place = port.app_protocol_place
        if named and self._off is not None:
            why, place = f"{_SETTINGS} has {_READS_PROTOCOL} off", self._off
            remedy = f'set `{_READS_PROTOCOL}: "true"` in ConfigMap {_SETTINGS}'
        protocol = Sourced(AppProtocol.HTTP, Origin.DERIVED, place, why)
        remedies = replace(backend.remedies, protocols={**backend.remedies.protocols, AppProtocol.GRPC: remedy})
        return replace(backend, protocol=protocol, remedies=remedies)


def _installed(graph: ObjectGraph) -> tuple[int, ...]:
    """The major and minor release of the first container that runs a known one; empty where none does."""
    containers = (container for workload in graph.workloads for container in workload.containers)
    return next(filter(None, map(_release, containers)), ())


def _release(container: WorkloadContainer) -> tuple[int, ...]:
    image = container.container.image
    found = _IMAGE.search(image) if _PROJECT in image else None
    return (release(found[1]) or ()) if found else ()


def _switched_off(item: KubernetesObject[ConfigMap]) -> Place | None:
    off = item.name == _SETTINGS and str(item.body.data.get(_READS_PROTOCOL)).lower() == "false"
    return item.at("data", _READS_PROTOCOL) if off else None
