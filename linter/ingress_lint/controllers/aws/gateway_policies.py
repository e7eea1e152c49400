"""TargetGroupConfiguration and LoadBalancerConfiguration of the AWS Load Balancer Controller.

Sources: kubernetes-sigs/aws-load-balancer-controller:pkg/gateway/model/model_build_target_group.go,
docs/guide/gateway/targetgroupconfig.md. A Service's configuration goes before the defaults of its Gateway's and class's
LoadBalancerConfiguration, each property as a whole: a `healthCheckConfig` replaces another entirely. Of several for one
Service any may count, so that nothing is known of its target groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.aws.access import ungated, unopened
from ingress_lint.controllers.aws.health import (
    OF_KUBE_PROXY,
    CheckDefaults,
    checked_port,
    kube_proxy_port,
    written_port,
)
from ingress_lint.controllers.aws.settings import target_flag
from ingress_lint.controllers.aws.target_groups import DEREGISTRATION_DELAY
from ingress_lint.controllers.shared.policies.fields import Block
from ingress_lint.controllers.shared.policies.targets import Claim, Claims, Terms, no_such_target
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import GatewayClass
from ingress_lint.objects.gateway_policies import (
    LoadBalancerConfiguration,
    TargetGroupAttribute,
    TargetGroupConfiguration,
)
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind
from ingress_lint.routes.verdicts import Verdict
from ingress_lint.values.numbers import whole

_IDLE: Final = "idle_timeout.timeout_seconds"
_NETWORK: Final = "gateway.k8s.aws/nlb"
_NETWORK_CLASSES: Final = frozenset({"aws-nlb", "nlb"})
_OF_ALB: Final = CheckDefaults("", "/", False, 15, 5, 3, 3)
_OF_NLB: Final = CheckDefaults("TCP", "/", False, 15, 5, 3, 3)
_TARGETS: Final = {"ip": TargetKind.POD, "instance": TargetKind.NODE}
_PROTOCOLS: Final = {
    "HTTPRoute": {"HTTP": AppProtocol.HTTP, "HTTPS": AppProtocol.HTTPS},
    "TLSRoute": {"TCP": AppProtocol.TCP, "TLS": AppProtocol.TLS},
    "TCPRoute": {"TCP": AppProtocol.TCP, "TLS": AppProtocol.TLS},
}
"""By kind of route, the protocols of a target group that change what is spoken to pods."""
_GROUPS: Final = "TargetGroupConfiguration"
_TERMS: Final = Terms(
    "the AWS Load Balancer Controller",
    lambda _: "the target group has the health check and target type of either",
    undecided=True,
)
"""It takes the first that a list without order has (pkg/gateway/routeutils/backend.go, LookUpTargetGroupConfiguration)."""

_MANAGED: Final = "manageBackendSecurityGroupRules"


class Policies(Treatment):
    """The configurations of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._flag = target_flag(graph)
        self._groups = {(item.namespace, item.name): item for item in graph.of(TargetGroupConfiguration)}
        self._balancers = {(item.namespace, item.name): item for item in graph.of(LoadBalancerConfiguration)}
        self._classes = {item.name: item for item in graph.of(GatewayClass)}
        self._claims = Claims(self._written())

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """Target type, protocol, health check and, behind an ALB, idle timeout."""
        if backend.kind != "Service":
            return backend
        balancers, all_known = self._load_balancers(facts)
        own = self._claims.of(_GROUPS, backend.namespace, ("Service", backend.name))
        all_known = all_known and len(own) < 2
        groups = list(self._properties(own, facts, balancers)) if len(own) < 2 else []
        backend = replace(
            backend,
            target=self._target(backend, groups, all_known),
            protocol=_protocol(backend, facts, _first(groups, "protocol")),
        )
        block = next((found for group in groups if (found := group.block("health_check_config"))), None)
        defaults = self._check_defaults(backend, facts)
        check = _health_check(backend, block, defaults) if defaults and (block or all_known) else None
        backend = replace(
            backend, health_check=check, unopened=self._unopened(balancers), ungated=self._ungated(backend)
        )
        if not facts.of_requests:
            return backend
        idle = _idle(balancers, all_known, backend)
        return replace(
            backend,
            timeouts=replace(backend.timeouts, read=idle or backend.timeouts.read, drain=_drain(groups)),
            keep_alive=KeepAlive(upstream_idle=idle, client_idle=idle),
        )

    def _unopened(self, balancers: list[KubernetesObject[LoadBalancerConfiguration]]) -> Sourced[str] | None:
        written = next((item for item in balancers if item.body.spec.security_groups), None)
        if written is None:
            return None
        groups = Sourced(
            " ".join(written.body.spec.security_groups), Origin.EXPLICIT, written.at("spec", "securityGroups")
        )
        managed = next(
            (item for item in balancers if item.body.spec.manage_backend_security_group_rules is not None), None
        )
        told = None
        if managed is not None:
            place = managed.at("spec", _MANAGED)
            told = Sourced(bool(managed.body.spec.manage_backend_security_group_rules), Origin.EXPLICIT, place)
        return unopened(self._graph, groups, told, f"set `{_MANAGED}: true` in {written}")

    def _ungated(self, backend: BackendRef) -> Sourced[str] | None:
        return ungated(self._graph, backend.namespace, backend.target, backend.endpoints)

    def _check_defaults(self, backend: BackendRef, facts: RouteFacts) -> CheckDefaults | None:
        """What a target group checks where nobody writes it; None where it is not known whether nodes are its targets."""
        if not self._by_network(facts):
            return _OF_ALB
        service = backend.service.object
        if service is None or service.body.spec.external_traffic_policy != "Local":
            return _OF_NLB
        return {TargetKind.NODE: OF_KUBE_PROXY, TargetKind.POD: _OF_NLB}.get(backend.target.value)

    def _by_network(self, facts: RouteFacts) -> bool:
        """Whether an NLB serves the route: by the Gateway's class, else by the kind of the route."""
        name = facts.gateway.body.spec.gateway_class_name if facts.gateway else ""
        gateway_class = self._classes.get(name)
        if gateway_class is not None:
            return gateway_class.body.spec.controller_name == _NETWORK
        return name in _NETWORK_CLASSES or not facts.of_requests

    def verdicts(self) -> list[Verdict]:
        """Configurations for Services that do not exist, and several for one Service."""
        consequence = "the target group keeps its defaults, so that a check for `/` may fail and clients get 502 or 503"
        missing = (
            no_such_target(self._graph, claim, consequence)
            for claim in self._written()
            if claim.target.kind == "Service"
        )
        return [*(verdict for verdict in missing if verdict), *self._claims.conflicts(_TERMS)]

    def _written(self) -> Iterator[Claim]:
        for item in self._groups.values():
            target = item.body.spec.target_reference
            if target is not None:
                yield Claim(item, target, item.at("spec", "targetReference"))

    def _load_balancers(self, facts: RouteFacts) -> tuple[list[KubernetesObject[LoadBalancerConfiguration]], bool]:
        """The configurations of the Gateway and its class, the one that wins first; and whether no other can be."""
        gateway = facts.gateway
        if gateway is None:
            return [], False
        spec = gateway.body.spec
        infrastructure = spec.infrastructure.parameters_ref if spec.infrastructure else None
        gateway_class = self._classes.get(spec.gateway_class_name)
        of_class = gateway_class.body.spec.parameters_ref if gateway_class else None
        own = self._balancers.get((gateway.namespace, infrastructure.name)) if infrastructure else None
        shared = self._balancers.get((of_class.namespace or "", of_class.name)) if of_class else None
        found = [item for item in (shared, own) if item is not None]
        if shared is not None and shared.body.spec.merging_mode == "prefer-gateway":
            found.reverse()
        all_known = bool(own or not infrastructure) and gateway_class is not None and bool(shared or not of_class)
        return found, all_known

    def _properties(
        self, own: Sequence[Claim], facts: RouteFacts, balancers: list[KubernetesObject[LoadBalancerConfiguration]]
    ) -> Iterator[Block]:
        """Every target group's properties that count for a backend, the one that wins first."""
        defaults = (
            self._groups.get((item.namespace, reference.name))
            for item in balancers
            if (reference := item.body.spec.default_target_group_configuration)
        )
        for configuration in (*(claim.policy for claim in own), *defaults):
            if configuration is not None and (found := _of_route(configuration, facts.owner)):
                yield found

    def _target(self, backend: BackendRef, groups: list[Block], all_known: bool) -> Sourced[TargetKind]:
        written = _first(groups, "target_type")
        if written is not None and written.value in _TARGETS:
            return Sourced(_TARGETS[written.value], Origin.EXPLICIT, written.place)
        if self._flag is not None:
            return self._flag
        if not all_known:
            why = "nothing in sight sets targetType"
            return Sourced(TargetKind.NODE_OR_POD, Origin.DEFAULT, backend.place, why)
        why = "nothing sets targetType, which is `instance` then"
        return Sourced(TargetKind.NODE, Origin.DEFAULT, backend.place, why)


def _protocol(backend: BackendRef, facts: RouteFacts, written: Sourced[str] | None) -> Sourced[AppProtocol]:
    """What the target group's protocol makes of what the route would speak; a TLSRoute's own is TLS."""
    known = _PROTOCOLS.get(facts.owner.kind, {})
    if written is not None and written.value in known:
        return Sourced(known[written.value], Origin.EXPLICIT, written.place)
    if facts.owner.kind == "TLSRoute" and written is None:
        return Sourced(AppProtocol.TLS, Origin.DERIVED, backend.place, "a TLSRoute's target group speaks TLS")
    return backend.protocol


def _first(groups: list[Block], field: str) -> Sourced[str] | None:
    return next((found for group in groups if (found := group.value(field, str))), None)


def _drain(groups: list[Block]) -> Sourced[float] | None:
    """How long requests to a deregistered target may go on, where the attributes in force say so."""
    for group in groups:
        attributes: tuple[TargetGroupAttribute, ...] = getattr(group.body, "target_group_attributes", ())
        for index, attribute in enumerate(attributes):
            if attribute.key == DEREGISTRATION_DELAY and (seconds := whole(attribute.value)) is not None:
                place = group.place.at("targetGroupAttributes", index, "value")
                return as_seconds(Sourced(seconds, Origin.EXPLICIT, place))
        if attributes:
            return None
    return None


def _of_route(configuration: KubernetesObject[TargetGroupConfiguration], route: AnyObject) -> Block | None:
    """What a configuration says for a route: under the identifier that fits it best, else by default."""
    best, rank = Block.spec(configuration).block("default_configuration"), -1
    for index, item in enumerate(configuration.body.spec.route_configurations):
        identifier = item.route_identifier
        fits = (
            identifier.kind in ("", route.kind)
            and identifier.namespace in ("", route.namespace)
            and identifier.name in ("", route.name)
        )
        exactness = sum(map(bool, (identifier.kind, identifier.namespace, identifier.name)))
        if fits and exactness > rank and exactness:
            place = configuration.at("spec", "routeConfigurations", index, "targetGroupProps")
            best, rank = Block(item.target_group_props, place), exactness
    return best


def _idle(
    balancers: list[KubernetesObject[LoadBalancerConfiguration]], all_known: bool, backend: BackendRef
) -> Sourced[float] | None:
    """The idle timeout, which counts towards clients and pods alike (docs.aws.amazon.com: load balancer attributes)."""
    for item in balancers:
        for index, attribute in enumerate(item.body.spec.load_balancer_attributes):
            if attribute.key == _IDLE and (seconds := whole(attribute.value)) is not None:
                place = item.at("spec", "loadBalancerAttributes", index, "value")
                return as_seconds(Sourced(seconds, Origin.EXPLICIT, place))
    if not all_known:
        return None
    place = balancers[0].at("spec") if balancers else backend.place
    return Sourced(60.0, Origin.DEFAULT, place, f"no LoadBalancerConfiguration sets {_IDLE}")


def _health_check(backend: BackendRef, block: Block | None, defaults: CheckDefaults) -> HealthCheck:
    """The check of a target group, each field that nobody writes with its default."""
    grpc = backend.protocol.value in (AppProtocol.GRPC, AppProtocol.GRPCS)
    absent, why = (block.place if block else backend.place), "no TargetGroupConfiguration sets it"

    def text(found: Sourced[str] | None, default: str) -> Sourced[str]:
        return found or Sourced(default, Origin.DEFAULT, absent, why)

    def number(field: str, default: int | None) -> Sourced[int]:
        found = block.value(field, int) if block else None
        return found or Sourced(default or 0, Origin.DEFAULT, absent, why)

    def seconds(field: str, default: int | None) -> Sourced[float]:
        return as_seconds(number(field, default))

    def written(field: str) -> Sourced[str] | None:
        return block.value(field, str) if block else None

    protocol = _check_protocol(backend, written("health_check_protocol"), defaults, absent)
    by_http = protocol.value != "TCP"
    matcher = block.block("matcher") if block else None
    codes = matcher.value("grpc_code" if grpc else "http_code", str) if matcher else None
    asked = written("health_check_port")
    service, target = backend.service.object, backend.target.value
    port, resolved = (
        kube_proxy_port(service)
        if service is not None and asked is None and defaults.of_kube_proxy
        else (written_port(asked), checked_port(asked, service, backend.service_port, target))
    )
    return HealthCheck(
        by="ALB" if defaults is _OF_ALB else "NLB",
        protocol=protocol,
        path=text(written("health_check_path"), "/AWS.ALB/healthcheck" if grpc else defaults.path) if by_http else None,
        port=port,
        codes=text(codes, "12" if grpc else "200-399") if by_http else None,
        interval=seconds("health_check_interval", defaults.interval),
        timeout=seconds("health_check_timeout", defaults.timeout),
        healthy_threshold=number("healthy_threshold_count", defaults.healthy),
        unhealthy_threshold=number("unhealthy_threshold_count", defaults.unhealthy),
        target=target,
        resolved_port=resolved,
        strict_timeout=defaults is _OF_ALB,
    )


def _check_protocol(
    backend: BackendRef, written: Sourced[str] | None, defaults: CheckDefaults, absent: Place
) -> Sourced[str]:
    """What the check speaks: an ALB's what the target group speaks, an NLB's TCP."""
    spoken = backend.protocol
    if spoken.value in (AppProtocol.GRPC, AppProtocol.GRPCS):
        return Sourced("GRPC", Origin.DERIVED, spoken.place, "the protocol version is GRPC")
    if written is not None:
        return written
    if defaults.protocol:
        return Sourced(defaults.protocol, Origin.DEFAULT, absent, "no TargetGroupConfiguration sets it")
    secure = spoken.value.over_tls and spoken.origin is Origin.EXPLICIT
    return Sourced("HTTPS" if secure else "HTTP", Origin.DERIVED, spoken.place, "the target group's protocol")
