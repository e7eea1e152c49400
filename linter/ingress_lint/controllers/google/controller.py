"""GKE Ingress: Google's HTTP(S) load balancers, made by the ingress-gce controller.

Sources, where no other is named: kubernetes/ingress-gce, pkg/annotations, pkg/controller/translator and pkg/utils.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.google.annotations import (
    ALLOW_HTTP,
    GKE_ANNOTATIONS,
    OLD_APP_PROTOCOLS,
)
from ingress_lint.controllers.google.health import HealthCheckSources, inferred_probe
from ingress_lint.controllers.google.ports import unknown_ports
from ingress_lint.controllers.google.refusals import last_rules, replaced_rule
from ingress_lint.controllers.shared.annotations import AnnotationReader, AnnotationTable
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext, certificates
from ingress_lint.controllers.shared.redirects.to_https import behind_https, redirect_route
from ingress_lint.controllers.shared.source_addresses import of_proxy
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.gke import BackendConfig, FrontendConfig
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import UNAVAILABLE, BrokenBackends
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.matching import INGRESS, INGRESS_CONDUCT, Conduct, Criterion
from ingress_lint.routes.model import Attachment, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts
from ingress_lint.routes.verdicts import Verdict

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_NEG_ONLY_CLASSES: Final = frozenset({"gce-internal", "gce-regional-external"})
_PROTOCOLS: Final = {"HTTP": AppProtocol.HTTP, "HTTPS": AppProtocol.HTTPS, "HTTP2": AppProtocol.HTTP2}
_CONFIG: Final = "in a BackendConfig that `cloud.google.com/backend-config` of the Service names"
_REMEDIES: Final = Remedies(
    check_path=f"set `healthCheck.requestPath: {{}}` {_CONFIG}",
    check_port=f"set `healthCheck.port: {{}}` {_CONFIG}",
    check_protocol=f"set `healthCheck.type: {{}}` {_CONFIG}",
    target_pods="set `cloud.google.com/neg: '{\"ingress\": true}'` on the Service",
    read_timeout=f"set `timeoutSec: {{}}` {_CONFIG}",
)
_REDIRECTS: Final = {
    "MOVED_PERMANENTLY_DEFAULT": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_NOT_SYNCED: Final = "GKE does not update the load balancer, and clients get 404 or 502"
_NO_FRONTEND: Final = "the load balancer keeps its default TLS policy and redirects nobody to HTTPS"


_BACKEND_CONFIG: Final = GroupKind("cloud.google.com", "BackendConfig")
_FRONTEND_CONFIG: Final = GroupKind("networking.gke.io", "FrontendConfig")


class GKEIngress(IngressController):
    """Each Ingress gets a load balancer of its own. Claimed by the class annotation only."""

    name: ClassVar[str] = "gke"
    broken: ClassVar[BrokenBackends] = replace(UNAVAILABLE, no_endpoints=502)
    """Without a healthy backend its load balancer answers 502 (verdaccio/charts: issue 62)."""
    title: ClassVar[str] = "GKE Ingress"
    gateway: ClassVar[str] = "Google load balancer"
    annotations: ClassVar[AnnotationTable] = GKE_ANNOTATIONS
    serves_classless: ClassVar[bool | None] = True
    conduct: ClassVar[Conduct] = replace(
        INGRESS_CONDUCT,
        precedence=(*INGRESS[:-1], Criterion(lambda c: c.position, "the later path")),
        hosts_apart=True,
    )
    """Of two equal paths the last counts (kubernetes/ingress-gce:pkg/utils, PutPathRulesForHost)."""
    shared: ClassVar[bool] = False
    outside: ClassVar[bool] = True
    external_names_refused: ClassVar[str] = (
        "the controller refuses the whole Ingress, and clients get 404 or what was configured before"
    )
    """`is type "ExternalName", expected "NodePort" or "LoadBalancer"` (kubernetes/ingress-gce: issue 1169)."""

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path; where a FrontendConfig redirects to HTTPS, the plain listener does nothing else."""
        for claim in claims:
            redirect, last = self._redirect(graph, claim.ingress), last_rules(claim.ingress)
            for context in self.paths(graph, claim, backends):
                route = self.route(graph, context)
                if (replaced := replaced_rule(context, last)) is not None:
                    route = replace(route, refusals=(replaced,))
                yield behind_https(route) if redirect else route
            found = redirect_route(claim, self._listeners(claim.ingress), redirect) if redirect else None
            if found:
                yield found

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """Ports that Services' annotations name for it and that the Services do not have."""
        return unknown_ports(graph.services)

    @staticmethod
    def _redirect(graph: ObjectGraph, ingress: IngressObject) -> RequestRedirect | None:
        named = GKE_ANNOTATIONS.reader(ingress).text("v1beta1.FrontendConfig")
        found = graph.named(FrontendConfig, ingress.namespace, named.value) if named else None
        if found is None:
            return None
        redirect = found.body.spec.redirect_to_https
        if redirect is None or not redirect.enabled:
            return None
        place = found.at("spec", "redirectToHttps")
        return RequestRedirect(place, status=_REDIRECTS.get(redirect.response_code_name, 301), scheme="https", port=443)

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path, with the objects that its settings are in."""
        return replace(super().route(graph, context), attached=tuple(self._attached(graph, context)))

    def _attached(self, graph: ObjectGraph, context: PathContext) -> Iterator[Attachment]:
        """A BackendConfig that is missing stops the whole Ingress (pkg/controller/translator: ErrSvcBackendConfig)."""
        named, _ = self._backend_config(graph, context)
        if named is not None:
            yield self._attachment(graph, _BACKEND_CONFIG, context.ingress.namespace, named, _NOT_SYNCED)
        front = GKE_ANNOTATIONS.reader(context.ingress).text("v1beta1.FrontendConfig")
        if front is not None and front.value:
            yield self._attachment(graph, _FRONTEND_CONFIG, context.ingress.namespace, front, _NO_FRONTEND)

    @staticmethod
    def _attachment(
        graph: ObjectGraph, kind: GroupKind, namespace: str, named: Sourced[str], consequence: str
    ) -> Attachment:
        found = graph.resolve(kind, namespace, named.value)
        return Attachment(named.place, kind, namespace, named.value, found, consequence)

    # -- listeners and paths ------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """80, unless `kubernetes.io/ingress.allow-http` is false; 443 where there is a certificate of any kind."""
        return self._listeners(context.ingress)

    def _listeners(self, ingress: IngressObject) -> tuple[Listener, ...]:
        instance = f"{ingress.namespace}/{ingress.name}"
        place = ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place
        held = self._certificates(ingress)
        found = []
        if ingress.annotations.get(ALLOW_HTTP) not in _FALSE:
            why = f"nothing sets {ALLOW_HTTP} to false"
            port, protocol = Sourced(80, Origin.DEFAULT, place, why), Sourced("HTTP", Origin.DEFAULT, place, why)
            found.append(Listener(self.gateway, port, protocol, instance=instance))
        if held:
            where, why = held[0].place, "it has a certificate"
            found.append(
                Listener(
                    self.gateway,
                    Sourced(443, Origin.DERIVED, where, why),
                    Sourced("HTTPS", Origin.DERIVED, where, why),
                    tls=ListenerTLS(Sourced("Terminate", Origin.DERIVED, where, why), held),
                    instance=instance,
                )
            )
        return tuple(found)

    @staticmethod
    def _certificates(ingress: IngressObject) -> tuple[CertificateRef, ...]:
        reader = GKE_ANNOTATIONS.reader(ingress)
        shared = (*reader.items("pre-shared-cert"), *reader.items("pre-shared-certs"), *reader.items("certmap"))
        managed = reader.items("managed-certificates")
        return (
            *certificates(ingress),
            *(CertificateRef("SslCertificate", "", item.value, item.place) for item in shared),
            *(CertificateRef("ManagedCertificate", ingress.namespace, item.value, item.place) for item in managed),
        )

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """Exact and Prefix as specified; ImplementationSpecific (and no type) as it stands, with a final `/*`.

        So `/` alone matches only the root. Source: pkg/controller/translator/translator.go.
        """
        if context.is_default:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, context.place, "the default backend")
        place, value = context.place.at("path"), context.path_value or ""
        kind = {"Exact": PathMatchType.EXACT, "Prefix": PathMatchType.PREFIX}.get(context.path_type or "")
        if kind is not None:
            return Sourced(PathMatch(kind, value or "/"), Origin.EXPLICIT, place)
        return Sourced(PathMatch(PathMatchType.GLOB, value or "/*"), Origin.EXPLICIT, place)

    # -- backend ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _reader(context: PathContext) -> AnnotationReader:
        """Backend settings are read from the Service alone."""
        return GKE_ANNOTATIONS.reader(*((context.service,) if context.service else ()))

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`app-protocols`, by the port's name; a key that names no port leaves it HTTP. `appProtocol` is not read."""
        service = context.service
        default = Sourced(AppProtocol.HTTP, Origin.DEFAULT, self._service_place(context), "nothing sets app-protocols")
        if service is None or context.service_port is None:
            return default
        old = AnnotationReader((OLD_APP_PROTOCOLS.partition("/")[0],), (service,)).json("app-protocols")
        written = old or self._reader(context).json("app-protocols")
        if written is None or not isinstance(written.value, dict):
            return default
        name = context.service_port.port.name
        value = written.value.get(name)
        if value is None:
            why = (
                f"app-protocols names no port `{name}`"
                if name
                else "app-protocols goes by names, and the port has none"
            )
            return Sourced(AppProtocol.HTTP, Origin.DERIVED, written.place, why)
        return Sourced(_PROTOCOLS.get(str(value), AppProtocol.UNKNOWN), Origin.EXPLICIT, written.place)

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods with a NEG (`cloud.google.com/neg: '{"ingress": true}'`, or a class that has no other), else nodes.

        Without the annotation it is open: VPC-native clusters add it by themselves
        (cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing).
        """
        written = self._reader(context).json("neg")
        enabled = isinstance(written.value, dict) and written.value.get("ingress") is True if written else False
        if written and enabled:
            return Sourced(TargetKind.POD, Origin.EXPLICIT, written.place)
        class_name = context.ingress.annotations.get(CLASS_ANNOTATION, "")
        if class_name in _NEG_ONLY_CLASSES:
            place = context.ingress.annotation_place(CLASS_ANNOTATION)
            return Sourced(
                TargetKind.POD, Origin.DERIVED, place, f"class {class_name} has network endpoint groups only"
            )
        if written:
            return Sourced(TargetKind.NODE, Origin.EXPLICIT, written.place)
        why = "no annotation of the Service says whether it gets a NEG, which VPC-native clusters add by themselves"
        return Sourced(TargetKind.NODE_OR_POD, Origin.DEFAULT, self._service_place(context), why)

    @staticmethod
    def _service_place(context: PathContext) -> Place:
        """Where a setting that nobody wrote would be written: the Service's annotations."""
        service = context.service
        if service is None:
            return context.default_place()
        return service.at("metadata", "annotations") if service.annotations else service.name_place

    @staticmethod
    def _backend_config(
        graph: ObjectGraph, context: PathContext
    ) -> tuple[Sourced[str] | None, KubernetesObject[BackendConfig] | None]:
        """The BackendConfig that the Service names for the port, by its number or name, else for all; and the object.

        Source: pkg/annotations/service.go, pkg/backendconfig.
        """
        service, port = context.service, context.service_port
        written = GKE_ANNOTATIONS.reader(service).json("backend-config") if service else None
        if service is None or port is None or written is None or not isinstance(written.value, dict):
            return None, None
        ports: Any = written.value.get("ports")
        name = None
        if isinstance(ports, dict):
            name = ports.get(port.port.name) if port.port.name else None
            name = name or ports.get(str(port.port.port))
        name = name or written.value.get("default")
        if not isinstance(name, str) or not name:
            return None, None
        return Sourced(name, Origin.EXPLICIT, written.place), graph.named(BackendConfig, service.namespace, name)

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """See `gke_health`; None where it is unknown: a BackendConfig that the manifests lack, GKE's own checker."""
        port = context.service_port
        named, config = self._backend_config(graph, context)
        if port is None or (named and config is None):
            return None
        checker = self._reader(context).json("transparent-health-checker")
        has_own = config is not None and config.body.spec.health_check is not None
        if checker and isinstance(checker.value, dict) and checker.value.get("enabled") is True and not has_own:
            return None
        sources = HealthCheckSources(
            config,
            inferred_probe(graph, port, protocol.value),
            protocol,
            target.value,
            port,
            self._service_place(context),
        )
        return sources.health_check(self.gateway)

    def remedies(self, context: PathContext) -> Remedies:
        """A BackendConfig, and annotations of the Service (docs.cloud.google.com: ingress-configuration)."""
        port = context.service_port
        name = port.port.name if port is not None else ""
        written = {"HTTPS": AppProtocol.HTTPS, "HTTP2": AppProtocol.GRPC} if name else {}
        return replace(
            _REMEDIES,
            protocols={
                protocol: f'set `cloud.google.com/app-protocols: \'{{"{name}":"{value}"}}\'` on the Service'
                for value, protocol in written.items()
            },
        )

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """Never: it is an HTTP proxy, and speaks of clients in X-Forwarded-For."""
        return Sourced(
            False,
            Origin.DEFAULT,
            context.default_place(),
            "a Google application load balancer sends no PROXY protocol header",
        )

    def arrives_from(self, context: PathContext, target: Sourced[TargetKind]) -> Sourced[SourceAddress] | None:
        """Its own address, unless a node puts its in place of it."""
        return of_proxy(context.service, target.value, context.default_place())

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """The backend service's timeout is a deadline for the whole answer: 30 s, or a BackendConfig's `timeoutSec`.

        Requests to a leaving pod go on for `drainingTimeoutSec`, not at all by default.
        """
        named, config = self._backend_config(graph, context)
        if named and config is None:
            return Timeouts()
        place, why = self._service_place(context), "no BackendConfig sets {}"
        request = Sourced(30.0, Origin.DEFAULT, place, why.format("timeoutSec"))
        drain = Sourced(0.0, Origin.DEFAULT, place, why.format("drainingTimeoutSec"))
        spec = config.body.spec if config else None
        if config and spec and spec.timeout_sec is not None:
            request = as_seconds(Sourced(spec.timeout_sec, Origin.EXPLICIT, config.at("spec", "timeoutSec")))
        draining = spec.connection_draining if spec else None
        if config and draining and draining.draining_timeout_sec is not None:
            where = config.at("spec", "connectionDraining", "drainingTimeoutSec")
            drain = as_seconds(Sourced(draining.draining_timeout_sec, Origin.EXPLICIT, where))
        return Timeouts(request=request, drain=drain)

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """Fixed: 600 s towards the backends, 610 s towards clients (cloud.google.com/load-balancing: HTTPS)."""
        place, why = context.default_place(), "fixed by Google's load balancer"
        return KeepAlive(
            upstream_idle=Sourced(600.0, Origin.DEFAULT, place, why),
            client_idle=Sourced(610.0, Origin.DEFAULT, place, why),
        )
