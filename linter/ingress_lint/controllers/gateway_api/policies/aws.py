"""TargetGroupConfiguration and LoadBalancerConfiguration of the AWS Load Balancer Controller.

Sources: kubernetes-sigs/aws-load-balancer-controller:pkg/gateway/model/model_build_target_group.go,
docs/guide/gateway/targetgroupconfig.md. A Service's configuration goes before the defaults of its Gateway's and class's
LoadBalancerConfiguration, each property as a whole: a `healthCheckConfig` replaces another entirely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ingress_lint.controllers.aws_check_port import checked_port, written_port
from ingress_lint.controllers.aws_class_params import target_flag
from ingress_lint.controllers.gateway_api.policies.written import Block, no_such_target
from ingress_lint.controllers.gateway_api.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway import GatewayClass
from ingress_lint.objects.gateway_policies import LoadBalancerConfiguration, TargetGroupConfiguration
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind
from ingress_lint.routes.verdicts import Verdict

_BY: Final = "ALB"
_IDLE: Final = "idle_timeout.timeout_seconds"
_TARGETS: Final = {"ip": TargetKind.POD, "instance": TargetKind.NODE}
_PROTOCOLS: Final = {"HTTP": AppProtocol.HTTP, "HTTPS": AppProtocol.HTTPS}


class Policies:
    """The configurations of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._flag = target_flag(graph)
        self._groups = {(item.namespace, item.name): item for item in graph.of(TargetGroupConfiguration)}
        self._balancers = {(item.namespace, item.name): item for item in graph.of(LoadBalancerConfiguration)}
        self._classes = {item.name: item for item in graph.of(GatewayClass)}
        self._of_service: dict[tuple[str, str], KubernetesObject[TargetGroupConfiguration]] = {}
        for item in self._groups.values():
            target = item.body.spec.target_reference
            if target is not None and target.kind == "Service":
                self._of_service.setdefault((item.namespace, target.name), item)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """Target type, protocol, health check and idle timeout behind an ALB; an NLB's routes stay as they are."""
        if backend.kind != "Service" or not facts.of_requests:
            return backend
        balancers, all_known = self._load_balancers(facts)
        groups = list(self._properties(backend, facts, balancers))
        target = self._target(backend, groups, all_known)
        protocol = _first(groups, "protocol")
        spoken = backend.protocol
        if protocol is not None and protocol.value in _PROTOCOLS and facts.owner.kind == "HTTPRoute":
            spoken = Sourced(_PROTOCOLS[protocol.value], Origin.EXPLICIT, protocol.place)
        backend = replace(backend, target=target, protocol=spoken)
        idle = _idle(balancers, all_known, backend)
        check = next((found for group in groups if (found := group.block("health_check_config"))), None)
        return replace(
            backend,
            timeouts=replace(backend.timeouts, read=idle) if idle else backend.timeouts,
            keep_alive=KeepAlive(upstream_idle=idle, client_idle=idle),
            health_check=_health_check(backend, check) if check or all_known else None,
        )

    def verdicts(self) -> list[Verdict]:
        """Configurations for Services that do not exist."""
        consequence = "the target group keeps its defaults, so that a check for `/` may fail and clients get 502 or 503"
        found = []
        for item in self._groups.values():
            target = item.body.spec.target_reference
            if target is not None and target.kind == "Service":
                place = item.at("spec", "targetReference")
                found.append(no_such_target(self._graph, item, target, place, consequence))
        return [verdict for verdict in found if verdict]

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
        self, backend: BackendRef, facts: RouteFacts, balancers: list[KubernetesObject[LoadBalancerConfiguration]]
    ) -> Iterator[Block]:
        """Every target group's properties that count for a backend, the one that wins first."""
        own = self._of_service.get((backend.namespace, backend.name))
        defaults = (
            self._groups.get((item.namespace, reference.name))
            for item in balancers
            if (reference := item.body.spec.default_target_group_configuration)
        )
        for configuration in (own, *defaults):
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


def _first(groups: list[Block], field: str) -> Sourced[str] | None:
    return next((found for group in groups if (found := group.value(field, str))), None)


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
            if attribute.key == _IDLE and attribute.value.isdigit():
                place = item.at("spec", "loadBalancerAttributes", index, "value")
                return Sourced(float(attribute.value), Origin.EXPLICIT, place)
    if not all_known:
        return None
    place = balancers[0].at("spec") if balancers else backend.place
    return Sourced(60.0, Origin.DEFAULT, place, f"no LoadBalancerConfiguration sets {_IDLE}")


def _health_check(backend: BackendRef, block: Block | None) -> HealthCheck:
    """The check of a target group, each field that nobody writes with its default."""
    grpc = backend.protocol.value in (AppProtocol.GRPC, AppProtocol.GRPCS)
    absent, why = (block.place if block else backend.place), "no TargetGroupConfiguration sets it"

    def text(found: Sourced[str] | None, default: str) -> Sourced[str]:
        return found or Sourced(default, Origin.DEFAULT, absent, why)

    def number(field: str, default: int) -> Sourced[int]:
        found = block.value(field, int) if block else None
        return found or Sourced(default, Origin.DEFAULT, absent, why)

    def seconds(field: str, default: int) -> Sourced[float]:
        found = number(field, default)
        return Sourced(float(found.value), found.origin, found.place, found.why)

    def written(field: str) -> Sourced[str] | None:
        return block.value(field, str) if block else None

    spoken = backend.protocol
    protocol = written("health_check_protocol")
    if grpc:
        protocol = Sourced("GRPC", Origin.DERIVED, spoken.place, "the protocol version is GRPC")
    elif protocol is None:
        secure = spoken.value.over_tls and spoken.origin is Origin.EXPLICIT
        protocol = Sourced("HTTPS" if secure else "HTTP", Origin.DERIVED, spoken.place, "the target group's protocol")
    matcher = block.block("matcher") if block else None
    codes = matcher.value("grpc_code" if grpc else "http_code", str) if matcher else None
    port = written("health_check_port")
    service, target = backend.service.object, backend.target.value
    return HealthCheck(
        by=_BY,
        protocol=protocol,
        path=None
        if protocol.value == "TCP"
        else text(written("health_check_path"), "/AWS.ALB/healthcheck" if grpc else "/"),
        port=written_port(port),
        codes=None if protocol.value == "TCP" else text(codes, "12" if grpc else "200-399"),
        interval=seconds("health_check_interval", 15),
        timeout=seconds("health_check_timeout", 5),
        healthy_threshold=number("healthy_threshold_count", 3),
        unhealthy_threshold=number("unhealthy_threshold_count", 3),
        target=target,
        resolved_port=checked_port(port, service, backend.service_port, target),
        strict_timeout=True,
    )
