"""Ingresses as the AWS Load Balancer Controller makes ALBs of them.

Sources, where no other is named: kubernetes-sigs/aws-load-balancer-controller, docs/guide/ingress/annotations.md and
pkg/ingress/model_build_*.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.aws.access import ungated, unopened
from ingress_lint.controllers.aws.actions import Action, applied_conditions, read_action, rewrites, serves
from ingress_lint.controllers.aws.annotations import ALB_ANNOTATIONS
from ingress_lint.controllers.aws.health import checked_port, written_port
from ingress_lint.controllers.aws.refusals import refused_path
from ingress_lint.controllers.aws.rollouts import rollout_actions
from ingress_lint.controllers.aws.settings import class_params, default_target
from ingress_lint.controllers.aws.target_groups import deregistration_delay
from ingress_lint.controllers.shared.annotations import AnnotationReader, AnnotationTable, or_default
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext
from ingress_lint.controllers.shared.redirects.to_https import behind_https, redirect_route
from ingress_lint.controllers.shared.source_addresses import of_proxy
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.aws import IngressClassParams
from ingress_lint.objects.model import AnyObject, IntOrString, KubernetesObject
from ingress_lint.objects.networking import BackendReference
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts
from ingress_lint.values.numbers import whole

USE_ANNOTATION: Final = "use-annotation"
_IDLE_TIMEOUT: Final = "idle_timeout.timeout_seconds"

_REMEDIES: Final = Remedies(
    check_path="set `alb.ingress.kubernetes.io/healthcheck-path: {}`",
    check_port="set `alb.ingress.kubernetes.io/healthcheck-port: '{}'`",
    check_protocol="set `alb.ingress.kubernetes.io/healthcheck-protocol: {}`",
    check_codes="set `alb.ingress.kubernetes.io/success-codes: '{}'`",
    target_pods="set `alb.ingress.kubernetes.io/target-type: ip`",
    protocols={
        AppProtocol.HTTPS: "set `alb.ingress.kubernetes.io/backend-protocol: HTTPS`",
        AppProtocol.HTTP: "set `alb.ingress.kubernetes.io/backend-protocol: HTTP`",
        AppProtocol.GRPC: "set `alb.ingress.kubernetes.io/backend-protocol-version: GRPC`",
    },
    read_timeout="set `alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds={}`",
)
_PROTOCOLS: Final = {
    ("HTTP", "HTTP1"): AppProtocol.HTTP,
    ("HTTPS", "HTTP1"): AppProtocol.HTTPS,
    ("HTTP", "HTTP2"): AppProtocol.H2C,
    ("HTTPS", "HTTP2"): AppProtocol.HTTP2,
    ("HTTP", "GRPC"): AppProtocol.GRPC,
    ("HTTPS", "GRPC"): AppProtocol.GRPCS,
}

_MANAGED: Final = "manage-backend-security-group-rules"
_OPENED: Final = f'set `alb.ingress.kubernetes.io/{_MANAGED}: "true"`'


class LoadBalancer(Struct, frozen=True):
    """What all Ingresses of one IngressGroup share; an Ingress of no group has a load balancer of its own."""

    instance: str
    ssl_redirect: Sourced[int] | None
    idle_timeout: Sourced[float] | None
    unopened: Sourced[str] | None


class ApplicationLoadBalancers(IngressController):
    """The ALBs of one set."""

    gateway: ClassVar[str] = "ALB"
    annotations: ClassVar[AnnotationTable] = ALB_ANNOTATIONS

    def __init__(self, graph: ObjectGraph, claims: Sequence[Claim]) -> None:
        self._params: dict[IngressObject, KubernetesObject[IngressClassParams] | None] = {
            claim.ingress: class_params(graph, claim.ingress) for claim in claims
        }
        members: dict[str, list[IngressObject]] = {}
        for claim in claims:
            members.setdefault(self._instance(claim.ingress), []).append(claim.ingress)
        self._graph = graph
        self._balancers: dict[IngressObject, LoadBalancer] = {}
        for instance, ingresses in members.items():
            balancer = self._load_balancer(instance, ingresses)
            self._balancers.update(dict.fromkeys(ingresses, balancer))
        self._default_target = default_target(graph)
        self._rollouts = dict(rollout_actions(graph))
        self._opened: dict[IngressObject, tuple[Listener, ...]] = {}
        self._readers: dict[tuple[AnyObject, ...], AnnotationReader] = {}

    def _instance(self, ingress: IngressObject) -> str:
        params = self._params[ingress]
        if params and params.body.spec.group and params.body.spec.group.name:
            return params.body.spec.group.name
        group = ALB_ANNOTATIONS.reader(ingress).text("group.name")
        return group.value if group else f"{ingress.namespace}/{ingress.name}"

    def _load_balancer(self, instance: str, ingresses: Sequence[IngressObject]) -> LoadBalancer:
        """`ssl-redirect` and the attributes are exclusive: one Ingress sets them for its whole group."""
        readers = [ALB_ANNOTATIONS.reader(ingress) for ingress in ingresses]
        redirect = next((found for reader in readers if (found := reader.integer("ssl-redirect"))), None)
        groups = next((named for reader in readers if (named := reader.text("security-groups"))), None)
        managed = next((told for reader in readers if (told := reader.boolean(_MANAGED))), None)
        opened = any(
            params and params.body.spec.manage_backend_security_group_rules
            for params in map(self._params.get, ingresses)
        )
        lacking = None if opened else unopened(self._graph, groups, managed, _OPENED)
        return LoadBalancer(instance, redirect, self._idle_timeout(ingresses, readers), lacking)

    def _idle_timeout(
        self, ingresses: Sequence[IngressObject], readers: Sequence[AnnotationReader]
    ) -> Sourced[float] | None:
        found: Sourced[str] | None = None
        for ingress, reader in zip(ingresses, readers, strict=True):
            found = found or reader.pairs("load-balancer-attributes").get(_IDLE_TIMEOUT)
            params = self._params[ingress]
            for index, attribute in enumerate(params.body.spec.load_balancer_attributes if params else ()):
                if params and attribute.key == _IDLE_TIMEOUT:
                    place = params.at("spec", "loadBalancerAttributes", index, "value")
                    return _seconds(Sourced(attribute.value, Origin.EXPLICIT, place))
        return _seconds(found) if found else None

    def _balancer(self, context: PathContext) -> LoadBalancer:
        return self._balancers[context.ingress]

    def _reader(self, context: PathContext) -> AnnotationReader:
        """Target group settings; the Service's annotation beats the Ingress's."""
        objects = context.annotated
        if objects not in self._readers:
            self._readers[objects] = ALB_ANNOTATIONS.reader(*objects)
        return self._readers[objects]

    # -- routes -------------------------------------------------------------------------------------------------------

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path, in the order of their group."""
        redirecting: set[tuple[str, int]] = set()
        for claim in sorted(claims, key=lambda claim: group_order(claim.ingress)):
            balancer = self._balancers[claim.ingress]
            for context in self.paths(graph, claim, backends):
                route = self._route(graph, context, backends)
                if (refused := refused_path(context, balancer.instance)) is not None:
                    route = replace(route, refusals=(refused,))
                yield behind_https(route) if balancer.ssl_redirect else route
            if balancer.ssl_redirect:
                listeners = self._listeners(claim.ingress)
                new = tuple(item for item in listeners if (balancer.instance, item.port.value) not in redirecting)
                redirecting.update((balancer.instance, item.port.value) for item in new)
                port = balancer.ssl_redirect
                redirect = RequestRedirect(port.place, status=301, scheme="https", port=port.value)
                found = redirect_route(claim, new, redirect)
                if found:
                    yield found

    def _route(self, graph: ObjectGraph, context: PathContext, backends: BackendResolver) -> Route:
        """A path to a Service, or to an action that an annotation describes; then transforms and added conditions."""
        name = context.reference.service
        if context.reference.port == USE_ANNOTATION:
            found = ALB_ANNOTATIONS.reader(context.ingress).json(f"actions.{name}")
            written = (
                self._rollouts.get((context.ingress.namespace, context.ingress.name, name)) if found is None else None
            )
            route = self._action_route(graph, context, written or read_action(found, context.place), backends)
        else:
            route = self.route(graph, context)
        transforms = ALB_ANNOTATIONS.reader(context.ingress).json(f"transforms.{name}")
        if transforms is not None:
            route = replace(route, filters=(*route.filters, *rewrites(transforms)))
        conditions = ALB_ANNOTATIONS.reader(context.ingress).json(f"conditions.{name}")
        return applied_conditions(route, conditions) if conditions and not context.is_default else route

    def _action_route(
        self, graph: ObjectGraph, context: PathContext, action: Action, backends: BackendResolver
    ) -> Route:
        host = context.host.value if context.host else None
        path = self.path_match(graph, context)
        return Route(
            controller=context.claim.controller,
            owner=context.ingress,
            rule=context.rule,
            place=context.place,
            listeners=tuple(
                item for item in self.listeners(graph, context) if serves(action, item, host, path.value.value)
            ),
            hostnames=(context.host,) if context.host else (),
            matches=(Match(path),),
            backends=tuple(
                self._target_group(graph, context, target.service, target.port, target.weight, action.place, backends)
                if target.port is not None
                else _outside(target.service, target.weight, action.place, context)
                for target in action.targets
            ),
            filters=action.filters,
            is_default=context.is_default,
            first_match=context.path,
        )

    def _target_group(
        self,
        graph: ObjectGraph,
        context: PathContext,
        name: str,
        port: IntOrString,
        weight: int,
        place: Place,
        backends: BackendResolver,
    ) -> BackendRef:
        service = graph.service(context.ingress.namespace, name)
        target = replace(
            context,
            reference=BackendReference(name, port, (), ()),
            backend_place=place,
            service=service,
            service_port=backends.port(service, port) if service else None,
        )
        return replace(self.backend(graph, target), weight=weight)

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """`listen-ports`; else 443 with a `certificate-arn` and 80 without."""
        return self._listeners(context.ingress)

    def _listeners(self, ingress: IngressObject) -> tuple[Listener, ...]:
        if ingress not in self._opened:
            self._opened[ingress] = self._open(ingress)
        return self._opened[ingress]

    def _open(self, ingress: IngressObject) -> tuple[Listener, ...]:
        certificates = self._certificates(ingress)
        instance = self._balancers[ingress].instance

        def listener(port: Sourced[int], protocol: Sourced[str]) -> Listener:
            tls = None
            if protocol.value == "HTTPS":
                tls = ListenerTLS(Sourced("Terminate", protocol.origin, protocol.place, protocol.why), certificates)
            return Listener(self.gateway, port, protocol, tls=tls, instance=instance)

        written = ALB_ANNOTATIONS.reader(ingress).json("listen-ports")
        if written:
            found = [
                listener(
                    Sourced(port, Origin.EXPLICIT, written.place), Sourced(protocol, Origin.EXPLICIT, written.place)
                )
                for entry in (written.value if isinstance(written.value, list) else ())
                for protocol, port in (entry.items() if isinstance(entry, dict) else ())
                if protocol in ("HTTP", "HTTPS") and isinstance(port, int)
            ]
            if found:
                return tuple(found)
        if certificates:
            place, why = certificates[0].place, "a certificate without listen-ports makes it listen on 443 only"
            return (listener(Sourced(443, Origin.DERIVED, place, why), Sourced("HTTPS", Origin.DERIVED, place, why)),)
        place, why = _annotations_of(ingress), "nothing sets listen-ports or certificate-arn"
        return (listener(Sourced(80, Origin.DEFAULT, place, why), Sourced("HTTP", Origin.DEFAULT, place, why)),)

    def _certificates(self, ingress: IngressObject) -> tuple[CertificateRef, ...]:
        """Certificates by ARN, the class's before the Ingress's own; without any, ACM is searched for the hosts.

        Secrets of `spec.tls` are never used; only their hosts are (docs/guide/ingress/cert_discovery.md).
        """
        params = self._params[ingress]
        if params and params.body.spec.certificate_arn:
            return tuple(
                CertificateRef("ACM", "", arn, params.at("spec", "certificateArn", index))
                for index, arn in enumerate(params.body.spec.certificate_arn)
            )
        found = ALB_ANNOTATIONS.reader(ingress).items("certificate-arn")
        return tuple(CertificateRef("ACM", "", arn.value, arn.place) for arn in found)

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """Exact and Prefix as specified; ImplementationSpecific (and no type) is an ALB pattern, taken literally.

        So `/` alone matches only the root, and `/*` everything. With `use-regex-path-match` it is a regular expression
        after its first slash. Source: model_build_listener_rules.go.
        """
        place = context.place.at("path")
        value, kind = context.path_value or "", PathMatchType.GLOB
        if context.is_default:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, context.place, "the default backend")
        if context.path_type in ("Exact", "Prefix"):
            kind = PathMatchType.EXACT if context.path_type == "Exact" else PathMatchType.PREFIX
            return Sourced(PathMatch(kind, value or "/"), Origin.EXPLICIT, place)
        regex = ALB_ANNOTATIONS.reader(context.ingress).boolean("use-regex-path-match")
        if regex and regex.value and value:
            return Sourced(PathMatch(PathMatchType.REGULAR_EXPRESSION, value.removeprefix("/")), Origin.EXPLICIT, place)
        return Sourced(PathMatch(kind, value or "/*"), Origin.EXPLICIT, place)

    def backend(self, graph: ObjectGraph, context: PathContext) -> BackendRef:
        """With what opens its targets, and what makes rollouts wait."""
        found, balancer = super().backend(graph, context), self._balancer(context)
        gate = ungated(graph, found.namespace, found.target, found.endpoints)
        return replace(found, unopened=balancer.unopened, ungated=gate)

    # -- target group -------------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """From annotations only; neither port 443 nor a name or appProtocol says anything to it."""
        reader = self._reader(context)
        protocol, version = reader.text("backend-protocol"), reader.text("backend-protocol-version")
        value = _PROTOCOLS.get(
            (protocol.value if protocol else "HTTP", version.value if version else "HTTP1"), AppProtocol.UNKNOWN
        )
        deciding = version if version and (protocol is None or version.value != "HTTP1") else protocol
        if deciding is None:
            return Sourced(value, Origin.DEFAULT, context.default_place(), "nothing sets backend-protocol")
        return Sourced(value, Origin.EXPLICIT, deciding.place)

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """IngressClassParams, then `target-type`, then the controller's `--default-target-type`, which is `instance`."""
        kinds = {"ip": TargetKind.POD, "instance": TargetKind.NODE}
        params = self._params[context.ingress]
        if params and params.body.spec.target_type:
            place = params.at("spec", "targetType")
            return Sourced(kinds[params.body.spec.target_type], Origin.EXPLICIT, place)
        found = self._reader(context).text("target-type")
        if found and found.value in kinds:
            return Sourced(kinds[found.value], Origin.EXPLICIT, found.place)
        return self._default_target(context.ingress, context.default_place())

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck:
        """Annotations, each with its default; readiness probes are never read (model_builder.go)."""
        reader, place = self._reader(context), context.default_place()
        grpc = protocol.value in (AppProtocol.GRPC, AppProtocol.GRPCS)

        def text(key: str, default: str) -> Sourced[str]:
            return or_default(reader.text(key), default, place, f"nothing sets {key}")

        def number(key: str, default: int) -> Sourced[int]:
            return or_default(reader.integer(key), default, place, f"nothing sets {key}")

        def seconds(key: str, default: int) -> Sourced[float]:
            return as_seconds(number(key, default))

        port = reader.text("healthcheck-port")
        return HealthCheck(
            by=self.gateway,
            protocol=self._health_check_protocol(reader, protocol, place),
            path=text("healthcheck-path", "/AWS.ALB/healthcheck" if grpc else "/"),
            port=written_port(port),
            codes=text("success-codes", "12" if grpc else "200"),
            interval=seconds("healthcheck-interval-seconds", 15),
            timeout=seconds("healthcheck-timeout-seconds", 5),
            healthy_threshold=number("healthy-threshold-count", 2),
            unhealthy_threshold=number("unhealthy-threshold-count", 2),
            target=target.value,
            resolved_port=checked_port(port, context.service, context.service_port, target.value),
            strict_timeout=True,
        )

    @staticmethod
    def _health_check_protocol(reader: AnnotationReader, protocol: Sourced[AppProtocol], place: Place) -> Sourced[str]:
        """`healthcheck-protocol`, else the backend protocol; the version GRPC makes it a gRPC call either way."""
        if protocol.value in (AppProtocol.GRPC, AppProtocol.GRPCS):
            return Sourced("GRPC", Origin.DERIVED, protocol.place, "the backend protocol version is GRPC")
        written = reader.text("healthcheck-protocol")
        if written:
            return written
        backend = reader.text("backend-protocol")
        if backend:
            return Sourced(backend.value, Origin.DERIVED, backend.place, "the health check uses the backend protocol")
        return Sourced("HTTP", Origin.DEFAULT, place, "nothing sets healthcheck-protocol or backend-protocol")

    def _idle(self, context: PathContext) -> Sourced[float]:
        return or_default(
            self._balancer(context).idle_timeout, 60.0, context.default_place(), f"no attribute sets {_IDLE_TIMEOUT}"
        )

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations, on the Ingress or, for one backend, on its Service (docs/guide/ingress/annotations.md)."""
        return _REMEDIES

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """Never: it is an HTTP proxy, and speaks of clients in X-Forwarded-For."""
        return Sourced(False, Origin.DEFAULT, context.default_place(), "an ALB sends no PROXY protocol header")

    def arrives_from(self, context: PathContext, target: Sourced[TargetKind]) -> Sourced[SourceAddress] | None:
        """Its own address, unless a node puts its in place of it."""
        return of_proxy(context.service, target.value, context.default_place())

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """A target that stays silent for the idle timeout gets cut off: the client sees 504."""
        attributes = self._reader(context).pairs("target-group-attributes")
        drain = deregistration_delay(attributes, context.default_place())
        return Timeouts(read=self._idle(context), drain=drain)

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """The idle timeout counts for both sides (docs.aws.amazon.com: edit-load-balancer-attributes.html)."""
        idle = self._idle(context)
        return KeepAlive(upstream_idle=idle, client_idle=idle)


def _seconds(found: Sourced[str]) -> Sourced[float] | None:
    seconds = whole(found.value)
    return None if seconds is None else as_seconds(Sourced(seconds, found.origin, found.place))


def _annotations_of(ingress: IngressObject) -> Place:
    return ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place


def group_order(ingress: IngressObject) -> tuple[int, str, str]:
    """Where an Ingress stands in its group: by `group.order`, 0 where none is set, then by namespace and name."""
    order = ALB_ANNOTATIONS.reader(ingress).integer("group.order")
    return (order.value if order else 0), ingress.namespace, ingress.name


def _outside(arn: str, weight: int, place: Place, context: PathContext) -> BackendRef:
    """A target group that was made outside the cluster."""
    return BackendRef(
        place=place,
        kind="TargetGroup",
        group="elbv2.k8s.aws",
        namespace=context.ingress.namespace,
        name=arn,
        port=None,
        service=Resolution(Existence.EXTERNAL, why="it is a target group by its ARN"),
        service_port=None,
        protocol=Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, place),
        target=Sourced(TargetKind.NODE, Origin.DEFAULT, place),
        weight=weight,
    )
