"""Policies of GKE, AWS and Envoy Gateway (the documents are named in controllers/gateway_api/policies)."""

from __future__ import annotations

import pytest

from ingress_lint.load.positions import Locator
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Sourced
from tests.controllers.gateway_api.conftest import SERVICES, TO_BLUE, Load, World, gateway, route

GKE = "gke-l7-global-external-managed"
HEALTH_CHECK_POLICY = """
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata: {name: blue, namespace: shop}
spec:
  default:
    timeoutSec: 4
    config:
      type: HTTP
      httpHealthCheck:
        requestPath: /healthz
        port: 9090
  targetRef: {group: "", kind: Service, name: blue}
"""
BACKEND_POLICY = """
apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata: {name: blue, namespace: shop}
spec:
  default:
    timeoutSec: 90
    connectionDraining: {drainingTimeoutSec: 70}
  targetRef: {group: "", kind: Service, name: blue}
"""
TARGET_GROUP = """
apiVersion: gateway.k8s.aws/v1beta1
kind: TargetGroupConfiguration
metadata: {name: blue, namespace: shop}
spec:
  targetReference: {name: blue}
  defaultConfiguration:
    healthCheckConfig:
      healthCheckPath: /healthz
  routeConfigurations:
    - routeIdentifier: {kind: HTTPRoute, namespace: shop, name: admin}
      targetGroupProps:
        healthCheckConfig: {healthCheckPath: /admin}
"""
LOAD_BALANCER = """
apiVersion: gateway.k8s.aws/v1beta1
kind: LoadBalancerConfiguration
metadata: {name: front, namespace: shop}
spec:
  defaultTargetGroupConfiguration: {name: defaults}
  loadBalancerAttributes:
    - key: idle_timeout.timeout_seconds
      value: "120"
---
apiVersion: gateway.k8s.aws/v1beta1
kind: TargetGroupConfiguration
metadata: {name: defaults, namespace: shop}
spec:
  defaultConfiguration:
    targetType: ip
    targetGroupAttributes: [{key: deregistration_delay.timeout_seconds, value: "25"}]
    healthCheckConfig: {healthCheckInterval: 7}
"""
TRAFFIC = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: NAME, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: KIND, name: TARGET}]
  MORE
"""


def of_class(name: str, controller: str) -> str:
    made = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: {name}}}
spec: {{controllerName: {controller}}}
---
"""
    return made + gateway("{name: web, port: 80, protocol: HTTP}").replace("edge", name)


ON_GKE = of_class(GKE, "networking.gke.io/gateway")
ON_AWS = of_class("alb", "gateway.k8s.aws/alb")
CONFIGURED_AWS = ON_AWS.replace(
    "  gatewayClassName: alb",
    "  gatewayClassName: alb\n  infrastructure:\n"
    "    parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: front}",
)
ON_ENVOY = of_class("eg", "gateway.envoyproxy.io/gatewayclass-controller")


def traffic(name: str, kind: str, target: str, more: str) -> str:
    return TRAFFIC.replace("NAME", name).replace("KIND", kind).replace("TARGET", target).replace("MORE", more)


def backend(world: World, owner: str = "web") -> BackendRef:
    return next(item for item in world.routes if item.owner.name == owner).backends[0]


def said(value: Sourced[object] | None) -> tuple[object, str, int]:
    """A value, its origin, and the line of its place."""
    assert value is not None
    return value.value, value.origin.value, Locator().locate(value.place).line


def line_of(world: World, text: str) -> int:
    """The line of the only occurrence of some text."""
    lines = world.routes[0].place.document.file.text.splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


def test_gke_without_policies(load: Load) -> None:
    world = load(ON_GKE, SERVICES, route(TO_BLUE))
    found = backend(world)
    check = found.health_check
    assert check is not None
    here = line_of(world, "name: blue, port: 80}]")
    assert said(check.path) == ("/", "default", here)
    assert said(found.timeouts.request)[:2] == (30.0, "default")
    assert said(found.keep_alive.upstream_idle) == (600.0, "default", here)


def test_gke_policies(load: Load) -> None:
    world = load(ON_GKE, SERVICES, route(TO_BLUE), HEALTH_CHECK_POLICY, BACKEND_POLICY)
    found = backend(world)
    check = found.health_check
    assert check is not None
    assert said(check.path) == ("/healthz", "explicit", line_of(world, "requestPath"))
    assert said(check.port) == (9090, "explicit", line_of(world, "port: 9090"))
    assert check.resolved_port == 9090
    assert said(check.timeout) == (4.0, "explicit", line_of(world, "timeoutSec: 4"))
    assert said(check.interval)[:2] == (5.0, "default")
    assert said(found.timeouts.request) == (90.0, "explicit", line_of(world, "timeoutSec: 90"))
    assert said(found.timeouts.drain) == (70.0, "explicit", line_of(world, "drainingTimeoutSec: 70"))
    assert all(item.from_outside for item in world.routes)


def test_aws_configurations(load: Load) -> None:
    world = load(
        CONFIGURED_AWS, SERVICES, route(TO_BLUE), route(TO_BLUE, "admin"), route("backendRefs: [{name: green, port: 80}]", "other"),
        TARGET_GROUP, LOAD_BALANCER,
    )  # fmt: skip
    check, admin, other = (backend(world, name).health_check for name in ("web", "admin", "other"))
    assert check is not None
    assert admin is not None
    assert other is not None
    assert said(check.path) == ("/healthz", "explicit", line_of(world, "healthCheckPath: /healthz"))
    assert said(check.codes)[:2] == ("200-399", "default")
    assert said(check.interval)[:2] == (15.0, "default")
    assert said(admin.path) == ("/admin", "explicit", line_of(world, "/admin}"))
    assert said(other.interval) == (7.0, "explicit", line_of(world, "healthCheckInterval: 7"))
    assert said(backend(world).target) == ("pod", "explicit", line_of(world, "targetType: ip"))
    assert said(backend(world).timeouts.read) == (120.0, "explicit", line_of(world, 'value: "120"'))
    assert said(backend(world).timeouts.drain) == (25.0, "explicit", line_of(world, 'value: "25"'))


def test_aws_without_configurations(load: Load) -> None:
    found = backend(load(ON_AWS, SERVICES, route(TO_BLUE)))
    assert said(found.target)[:2] == ("node", "default")
    assert said(found.keep_alive.upstream_idle)[:2] == (60.0, "default")
    unseen = backend(load(CONFIGURED_AWS, SERVICES, route(TO_BLUE)))
    assert said(unseen.target)[:2] == ("node-or-pod", "default")
    assert unseen.health_check is None
    assert unseen.keep_alive.upstream_idle is None


def on_network_load_balancer(load: Load, kind: str, *more: str, services: str = SERVICES) -> BackendRef:
    made = ON_AWS.replace("alb", "nlb").replace("protocol: HTTP}", f"protocol: {kind.removesuffix('Route')}}}")
    written = route(TO_BLUE).replace("kind: HTTPRoute", f"kind: {kind}").replace("/v1\n", "/v1alpha2\n")
    return backend(load(made, services, written, *more))


def test_aws_network_load_balancer(load: Load) -> None:
    found = on_network_load_balancer(load, "TCPRoute")
    assert found.health_check is not None
    assert (found.health_check.by, found.health_check.protocol.value, found.health_check.path) == ("NLB", "TCP", None)
    assert said(found.health_check.interval)[:2] == (15.0, "default")
    assert said(found.target)[:2] == ("node", "default")
    assert found.keep_alive.upstream_idle is None


def test_aws_network_load_balancer_asks_kube_proxy(load: Load) -> None:
    local = SERVICES.replace(
        "{ports", "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31000, ports"
    )
    check = on_network_load_balancer(load, "TCPRoute", services=local).health_check
    assert check is not None
    assert check.path is not None
    assert (check.protocol.value, check.path.value, check.resolved_port) == ("HTTP", "/healthz", 31000)


def test_aws_network_load_balancer_speaks_tls(load: Load) -> None:
    group = TARGET_GROUP.replace("    healthCheckConfig:\n      healthCheckPath: /healthz", "    protocol: TLS")
    found = on_network_load_balancer(load, "TCPRoute", group)
    assert said(found.protocol)[:2] == ("TLS", "explicit")


def test_envoy_gateway_policies(load: Load) -> None:
    check = "healthCheck: {active: {type: HTTP, interval: 4s, http: {path: /ping, expectedStatuses: [200, 204]}}}"
    of_gateway = traffic("all", "Gateway", "front", "timeout: {http: {requestTimeout: 40s}}")
    own = traffic("own", "HTTPRoute", "web", f"mergeType: StrategicMerge\n  {check}")
    world = load(ON_ENVOY, SERVICES, route(TO_BLUE), of_gateway, own)
    found = backend(world)
    assert found.health_check is not None
    assert said(found.health_check.path) == ("/ping", "explicit", line_of(world, "/ping"))
    assert said(found.health_check.codes) == ("200,204", "explicit", line_of(world, "/ping"))
    assert said(found.health_check.timeout)[:2] == (1.0, "default")
    assert said(found.timeouts.request) == (40.0, "explicit", line_of(world, "40s"))
    alone = backend(load(ON_ENVOY, SERVICES, route(TO_BLUE), of_gateway, own.replace("mergeType: StrategicMerge", "")))
    assert said(alone.timeouts.request)[:2] == (15.0, "default")


@pytest.mark.parametrize("triggers", ["[reset]", "[connect-failure]"])
def test_envoy_gateway_retries_and_clients(load: Load, triggers: str) -> None:
    client = traffic("clients", "Gateway", "front", "timeout: {http: {idleTimeout: 5m}}")
    world = load(
        ON_ENVOY,
        SERVICES,
        route(TO_BLUE),
        traffic("own", "HTTPRoute", "web", f"retry: {{retryOn: {{triggers: {triggers}}}}}"),
        client.replace("BackendTrafficPolicy", "ClientTrafficPolicy"),
    )
    keep_alive = backend(world).keep_alive
    assert keep_alive.retries_resets is (triggers == "[reset]")
    assert said(keep_alive.upstream_idle)[:2] == (3600.0, "default")
    assert said(keep_alive.client_idle) == (300.0, "explicit", line_of(world, "5m"))


@pytest.mark.parametrize(
    ("before", "policy", "text"),
    [
        (ON_GKE, HEALTH_CHECK_POLICY.replace("Service, name: blue", "Service, name: bleu"), "bleu}"),
        (ON_AWS, TARGET_GROUP.replace("{name: blue}", "{name: bleu}"), "bleu}"),
        (ON_ENVOY, traffic("own", "HTTPRoute", "wbe", "retry: {}"), "wbe}]"),
        (ON_ENVOY, traffic("own", "Gateway", "front, sectionName: wbe", "retry: {}"), "wbe}]"),
    ],
)
def test_policy_for_nothing(load: Load, before: str, policy: str, text: str) -> None:
    world = load(before, SERVICES, route(TO_BLUE), policy)
    assert world.text_at("TargetNotFound") == text
    assert world.verdict("TargetNotFound").certainty.value == "known"
