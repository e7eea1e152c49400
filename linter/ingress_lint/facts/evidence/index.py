"""The index that rules ask: evidence by pod and port, gathered when first asked for and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingress_lint.facts.evidence.binding import Binding, bindings
from ingress_lint.facts.evidence.container import ContainerEvidence, named
from ingress_lint.facts.evidence.logins import LargeHeader, large_header
from ingress_lint.facts.evidence.model import (
    APPLICATIONS,
    TRANSPORTS,
    Certainty,
    Evidence,
    Listening,
    Source,
    Speech,
    Verdict,
    judge,
)
from ingress_lint.facts.evidence.uploads import AcceptedBody, accepted_body
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject

_CUSTOM: Final = {
    80: Speech.PLAIN,
    8080: Speech.PLAIN,
    443: Speech.TLS,
    6443: Speech.TLS,
    8443: Speech.TLS,
    9443: Speech.TLS,
}
"""Ports that almost everybody uses for the same thing."""
_APP_PROTOCOLS: Final = {
    "https": (Speech.TLS, Speech.HTTP),
    "wss": (Speech.TLS, Speech.HTTP),
    "tls": (Speech.TLS,),
    "grpcs": (Speech.TLS, Speech.GRPC),
    "http": (Speech.PLAIN,),
    "ws": (Speech.PLAIN, Speech.HTTP),
    "h2c": (Speech.PLAIN,),
    "grpc": (Speech.GRPC,),
}


class EvidenceIndex:
    """Answers what a pod listens on and what a port speaks."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._containers: dict[WorkloadContainer, ContainerEvidence] = {}
        self._bindings: dict[WorkloadContainer, tuple[Binding, ...]] = {}
        self._bodies: dict[WorkloadContainer, AcceptedBody | None] = {}
        self._about: dict[tuple[Workload, int], tuple[Evidence, ...]] = {}
        self._verdicts: dict[
            tuple[Workload, int, KubernetesObject[Service] | None, int], tuple[Verdict | None, Verdict | None]
        ] = {}

    def of(self, container: WorkloadContainer) -> ContainerEvidence:
        """What one container says."""
        found = self._containers.get(container)
        if found is None:
            found = self._containers[container] = ContainerEvidence(container, self._graph)
        return found

    def listenings(self, workload: Workload) -> tuple[tuple[WorkloadContainer, Listening], ...]:
        """The ports that the containers of a pod are told to open, whether they declare them or not."""
        return tuple(
            (container, listening) for container in workload.containers for listening in self.of(container).listenings
        )

    def bindings(self, container: WorkloadContainer) -> tuple[Binding, ...]:
        """The ports that a container is known to open, each at its address."""
        if container not in self._bindings:
            self._bindings[container] = tuple(bindings(self.of(container)))
        return self._bindings[container]

    def large_header(self, container: WorkloadContainer) -> LargeHeader | None:
        """What makes the headers of its responses large, None where they are small or their size is unknown."""
        return large_header(self.of(container))

    def accepted_body(self, container: WorkloadContainer) -> AcceptedBody | None:
        """The largest request body that it is set to take, None where nothing says so."""
        if container not in self._bodies:
            self._bodies[container] = accepted_body(self.of(container))
        return self._bodies[container]

    def mention(self, workload: Workload, number: int) -> Place | None:
        """Where anything in a pod names a port number: a probe, a command line, the environment, a mounted file.

        Declared ports are not looked at. Whoever names a number most likely serves it, though it may be a client's.
        """
        places = (self.of(container).mention(number) for container in workload.containers)
        return next((place for place in places if place is not None), None)

    def publishes(self, workloads: Iterable[Workload], number: int, protocol: str) -> bool:
        """Whether an image of pods, which nothing tells otherwise, is known to serve a port; UDP carries no HTTP."""
        return any(
            (known := evidence.image) is not None
            and not (evidence.openings or evidence.configured)
            and any(port == number and (protocol == "TCP" or spoken is Speech.OTHER) for port, spoken in known.ports)
            for workload in workloads
            for evidence in map(self.of, workload.containers)
        )

    def about(
        self, workload: Workload, number: int, service: KubernetesObject[Service] | None = None, index: int = 0
    ) -> tuple[Evidence, ...]:
        """Every piece of evidence on a port of a pod, with what port `index` of a Service that leads there says."""
        key = workload, number
        if key not in self._about:
            pieces = [piece for container in workload.containers for piece in self.of(container).about(number)]
            custom = _CUSTOM.get(number)
            if custom is not None and workload.containers:
                place = next((piece.place for piece in pieces), workload.object.name_place)
                why = f"{number} is a port for {custom.value} by custom"
                pieces.append(Evidence(custom, Certainty.HINT, Source.PORT_NUMBER, why, place))
            self._about[key] = tuple(pieces)
        return self._about[key] if service is None else (*self._about[key], *_service_says(service, index))

    def transport(
        self, workload: Workload, number: int, service: KubernetesObject[Service] | None = None, index: int = 0
    ) -> Verdict | None:
        """Whether a port opens TLS or speaks plain text; None where that is open, or where it takes both."""
        return self._judge(workload, number, service, index)[0]

    def application(
        self, workload: Workload, number: int, service: KubernetesObject[Service] | None = None, index: int = 0
    ) -> Verdict | None:
        """Whether a port speaks HTTP, gRPC or FastCGI, inside of TLS or not; None where that is open."""
        return self._judge(workload, number, service, index)[1]

    def _judge(
        self, workload: Workload, number: int, service: KubernetesObject[Service] | None, index: int
    ) -> tuple[Verdict | None, Verdict | None]:
        """The verdicts on transport and application."""
        key = workload, number, service, index
        found = self._verdicts.get(key)
        if found is None:
            pieces = self.about(workload, number, service, index)
            transport = None if self._speaks_both(workload, number) else judge(pieces, TRANSPORTS)
            found = self._verdicts[key] = transport, judge(pieces, APPLICATIONS)
        return found

    def _speaks_both(self, workload: Workload, number: int) -> bool:
        for container in workload.containers:
            known = self.of(container).image
            if (
                known is not None
                and known.speaks_both
                and (len(workload.containers) == 1 or container.port_numbered(number) is not None)
            ):
                return True
        return False


def _service_says(service: KubernetesObject[Service], index: int) -> Iterator[Evidence]:
    port = service.body.spec.ports[index]
    if port.app_protocol:
        why = f"Service `{service.name}` says appProtocol `{port.app_protocol}`"
        for speech in _APP_PROTOCOLS.get(port.app_protocol.lower().rpartition("/")[2], ()):
            yield Evidence(
                speech, Certainty.LIKELY, Source.SERVICE, why, service.at("spec", "ports", index, "appProtocol")
            )
    for speech in named(port.name):
        why = f"Service `{service.name}` names the port `{port.name}`"
        yield Evidence(speech, Certainty.HINT, Source.SERVICE, why, service.at("spec", "ports", index, "name"))


@once_per_graph
def listening_evidence(graph: ObjectGraph) -> EvidenceIndex:
    """What the pods listen on and which protocol each of their ports speaks."""
    return EvidenceIndex(graph)
