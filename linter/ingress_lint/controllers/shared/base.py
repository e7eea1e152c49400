"""What every controller module provides, and what those that serve Ingress objects share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import ClassVar

from msgspec import Struct

from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import (
    DEFAULT_BACKEND_FIELD,
    BackendReference,
    HTTPIngressPath,
    Ingress,
    IngressRule,
    LegacyHTTPIngressPath,
    LegacyIngress,
    LegacyIngressRule,
)
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import UNAVAILABLE, BrokenBackends
from ingress_lint.routes.listeners import CertificateRef, Frontend, Listener, ProxyPort
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import INGRESS_CONDUCT, Conduct
from ingress_lint.routes.model import BackendRef, Filter, ResolvedPort, Route
from ingress_lint.routes.remedies import UNKNOWN, Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts
from ingress_lint.routes.verdicts import Verdict

IngressObject = KubernetesObject[Ingress | LegacyIngress]


class Claim(Struct, frozen=True, dict=True):
    """An Ingress and how it is known that this controller serves it."""

    ingress: IngressObject
    controller: Sourced[str]
    rivals: frozenset[str] = frozenset()
    """Other controllers that may serve it as well, as far as its class and annotations tell."""

    @cached_property
    def default_place(self) -> Place:
        """Where a setting that nobody wrote would be written: the Ingress's annotations."""
        ingress = self.ingress
        return ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place


class PathContext(Struct, frozen=True):
    """One path of an Ingress on its way to a `Route`: what the hooks of `IngressController` look at."""

    claim: Claim
    rule: int
    path: int
    host: Sourced[str] | None
    path_value: str | None
    path_type: str | None
    place: Place
    """The path's own place; the Ingress's default backend field for the default backend."""
    backend_place: Place
    reference: BackendReference
    service: KubernetesObject[Service] | None
    service_port: ResolvedPort | None
    is_default: bool = False

    @property
    def ingress(self) -> IngressObject:
        """The Ingress."""
        return self.claim.ingress

    @property
    def annotated(self) -> tuple[KubernetesObject[Service] | IngressObject, ...]:
        """The objects whose annotations count for this path, the Service's before the Ingress's."""
        return (self.service, self.ingress) if self.service else (self.ingress,)

    def default_place(self) -> Place:
        """Where a setting that nobody wrote would be written."""
        return self.claim.default_place


class Controller(ABC):
    """A controller: how it claims objects, and what routes it makes of them."""

    name: ClassVar[str]
    """As `--controller` takes it."""
    title: ClassVar[str]
    """As messages call it."""
    gateway: ClassVar[str]
    """What clients connect to, as the packet's way shows it."""
    annotations: ClassVar[AnnotationTable]
    service_annotations: ClassVar[AnnotationTable | None] = None
    """Annotations of Services that are load balancers themselves, where they lie under prefixes of their own."""
    outside: ClassVar[bool] = False
    """Whether what it makes stands outside of the cluster, so that no pod sends its requests."""
    also_reads: ClassVar[frozenset[str]] = frozenset()
    """Annotations of Ingresses that it reads under prefixes which are not its own."""
    retired: ClassVar[str] = ""
    """When its project retired it, empty where it did not."""
    serves_classless: ClassVar[bool | None] = None
    """Whether it takes Ingresses without a class unless told otherwise; None where that is unknown."""
    takes_resources: ClassVar[bool] = True
    """Whether a path of an Ingress may lead to an object that is no Service; unknown counts as yes."""

    conduct: ClassVar[Conduct] = INGRESS_CONDUCT
    """How it chooses among its routes, and what it answers by itself."""
    broken: ClassVar[BrokenBackends] = UNAVAILABLE
    """What it answers where no backend of a route can."""
    external_names_refused: ClassVar[str] = ""
    """What comes of a backend of type ExternalName where it takes none; empty where it does, or may."""
    shared: ClassVar[bool] = True
    """Whether one gateway serves all objects of a class; else each makes a load balancer of its own."""

    def annotation_prefixes(self, graph: ObjectGraph, ingress: IngressObject) -> tuple[str, ...]:
        """The prefixes of annotations that it reads on an Ingress; an option of the installation may change them."""
        return self.annotations.prefixes

    def refused_annotations(self, graph: ObjectGraph, ingress: IngressObject) -> Iterable[Verdict]:
        """The annotations of an Ingress that it knows and, as this installation is told, does not take."""
        return ()

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """What a port of its own pods takes from a load balancer in front of them; `container` is of its image."""
        return ProxyPort(self.gateway)

    def stands_in(self, routes: Iterable[Route], graph: ObjectGraph) -> Iterable[Route]:
        """The routes of a controller in whose place it serves, as it serves them."""
        return routes

    @abstractmethod
    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """The routes it makes of the Ingresses it claims, and of whatever else it serves."""

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """What it refuses of the objects it serves, beyond what its routes show."""
        return ()

    def frontends(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Frontend]:
        """What clients connect to, where that is written in objects of its own."""
        return ()


class IngressController(Controller):
    """A controller of Ingress objects: walks rules and paths, and leaves to its module what is special to it."""

    takes_target_port: ClassVar[bool] = False
    """Whether a backend may name the Service's target port instead of its port."""

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route for each path, and one for each default backend."""
        for claim in claims:
            for context in self.paths(graph, claim, backends):
                yield self.route(graph, context)

    def paths(self, graph: ObjectGraph, claim: Claim, backends: BackendResolver) -> Iterator[PathContext]:
        """Every path of an Ingress whose backend is a Service, the default backend last."""
        ingress = claim.ingress
        spec = ingress.body.spec
        rules: Sequence[IngressRule | LegacyIngressRule] = spec.rules
        for i, rule in enumerate(rules):
            host = Sourced(rule.host, Origin.EXPLICIT, ingress.at("spec", "rules", i, "host")) if rule.host else None
            paths: Sequence[HTTPIngressPath | LegacyHTTPIngressPath] = rule.http.paths if rule.http else ()
            for j, path in enumerate(paths):
                reference = path.backend.reference()
                if reference is None:
                    continue
                place = ingress.at("spec", "rules", i, "http", "paths", j)
                service, port = self._resolve(graph, claim, reference, backends)
                yield PathContext(
                    claim, i, j, host, path.path, path.path_type, place, place.at("backend"), reference, service, port
                )
        default = spec.default_backend
        reference = default.reference() if default else None
        if reference is not None:
            place = ingress.at("spec", DEFAULT_BACKEND_FIELD[type(ingress.body)])
            service, port = self._resolve(graph, claim, reference, backends)
            yield PathContext(
                claim, len(rules), 0, None, None, None, place, place, reference, service, port, is_default=True
            )

    @classmethod
    def _resolve(
        cls, graph: ObjectGraph, claim: Claim, reference: BackendReference, backends: BackendResolver
    ) -> tuple[KubernetesObject[Service] | None, ResolvedPort | None]:
        service = graph.service(claim.ingress.namespace, reference.service)
        if service is None:
            return None, None
        by_target = cls.takes_target_port and claim.controller.origin is not Origin.DEFAULT
        return service, backends.port(service, reference.port, by_target=by_target)

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path."""
        return Route(
            controller=context.claim.controller,
            owner=context.ingress,
            rule=context.rule,
            place=context.place,
            listeners=self.listeners(graph, context),
            hostnames=(context.host,) if context.host else (),
            matches=(Match(self.path_match(graph, context)),),
            backends=(self.backend(graph, context),),
            filters=self.filters(graph, context),
            is_default=context.is_default,
            first_match=context.path,
        )

    def backend(self, graph: ObjectGraph, context: PathContext) -> BackendRef:
        """The backend of one path."""
        reference = context.reference
        port = (
            Sourced(reference.port, Origin.EXPLICIT, context.backend_place.at(*reference.port_pointer))
            if reference.port is not None
            else None
        )
        protocol = self.protocol(graph, context)
        target = self.target(graph, context)
        namespace = context.ingress.namespace
        service: Resolution[Service] = (
            Resolution(Existence.FOUND, context.service)
            if context.service
            else graph.resolve(SERVICE, namespace, reference.service)
        )
        return BackendRef(
            place=context.backend_place.at(*reference.service_pointer),
            kind="Service",
            group="",
            namespace=namespace,
            name=reference.service,
            port=port,
            service=service,
            service_port=context.service_port,
            protocol=protocol,
            target=target,
            health_check=self.health_check(graph, context, protocol, target),
            timeouts=self.timeouts(graph, context),
            keep_alive=self.keep_alive(graph, context),
            body_limit=self.body_limit(graph, context),
            header_limit=self.header_limit(graph, context),
            proxy_protocol=self.proxy_protocol(context),
            remedies=self.remedies(context),
            arrives_from=self.arrives_from(context, target),
        )

    # -- what is special to a controller ------------------------------------------------------------------------------

    @abstractmethod
    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Where clients reach this path."""

    @abstractmethod
    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """What the path means to this controller."""

    @abstractmethod
    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """What it speaks to the pod."""

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """What it sends packets to; pods, for every proxy that runs in the cluster."""
        return Sourced(TargetKind.POD, Origin.DEFAULT, context.default_place())

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """The active check of the backend, None where this controller relies on the pods' readiness."""
        return None

    def remedies(self, context: PathContext) -> Remedies:
        """How somebody tells it to treat the backend otherwise."""
        return UNKNOWN

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """How long it waits for the backend."""
        return Timeouts()

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """How it keeps connections."""
        return KeepAlive()

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """The largest request body it takes, in bytes; None where that is unknown."""
        return None

    def header_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """The largest header of a response it takes, in bytes; None where that is unknown or no matter."""
        return None

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """Whether its connections to the pod start with a PROXY protocol header; None where that is unknown."""
        return None

    def arrives_from(self, context: PathContext, target: Sourced[TargetKind]) -> Sourced[SourceAddress] | None:
        """Whose address its packets carry when they arrive at the pod; None where that is unknown."""
        return None

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """How it changes or answers requests itself."""
        return ()


def specified_path_match(context: PathContext, implementation_specific: PathMatchType) -> Sourced[PathMatch]:
    """A path by the Ingress specification, with what `ImplementationSpecific` (and no type) means here."""
    value = context.path_value or "/"
    kind = {"Exact": PathMatchType.EXACT, "Prefix": PathMatchType.PREFIX}.get(
        context.path_type or "", implementation_specific
    )
    if context.is_default or not context.path_value:
        kind = PathMatchType.PREFIX if kind is not PathMatchType.EXACT else kind
    return Sourced(PathMatch(kind, value), Origin.EXPLICIT, context.place.at("path"))


def certificates(ingress: IngressObject) -> tuple[CertificateRef, ...]:
    """The Secrets of an Ingress's TLS blocks."""
    return tuple(
        CertificateRef(
            "Secret",
            ingress.namespace,
            block.secret_name,
            ingress.at("spec", "tls", index, "secretName"),
            tuple(
                Sourced(host, Origin.EXPLICIT, ingress.at("spec", "tls", index, "hosts", number))
                for number, host in enumerate(block.hosts)
            ),
        )
        for index, block in enumerate(ingress.body.spec.tls)
        if block.secret_name
    )
