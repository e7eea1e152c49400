"""Backends, grants and policies (gateway-api.sigs.k8s.io/reference/spec, BackendRef, ReferenceGrant, BackendTLSPolicy)."""

from __future__ import annotations

import pytest

from ingress_lint.routes.model import RequestMirror
from ingress_lint.routes.traffic import AppProtocol
from tests.controllers.gateway_api.conftest import GATEWAY, SERVICES, Load, route

TO_LEDGER = "backendRefs: [{name: ledger, namespace: bank, port: 80}]"


def grant(source: str, target: str, namespace: str = "bank", kind: str = "ReferenceGrant") -> str:
    version = "v1alpha2" if kind == "ReferencePolicy" else "v1beta1"
    return f"""
apiVersion: gateway.networking.k8s.io/{version}
kind: {kind}
metadata: {{name: shop, namespace: {namespace}}}
spec:
  from: [{source}]
  to: [{target}]
"""


SHOP_ROUTES = "{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}"
SERVICE = "{group: '', kind: Service}"


@pytest.mark.parametrize(
    ("granted", "permitted"),
    [
        ("", False),
        (grant(SHOP_ROUTES, SERVICE), True),
        (grant(SHOP_ROUTES, SERVICE, kind="ReferencePolicy"), True),
        (grant(SHOP_ROUTES, "{group: '', kind: Service, name: ledger}"), True),
        (grant(SHOP_ROUTES, "{group: '', kind: Service, name: other}"), False),
        (grant(SHOP_ROUTES, "{group: '', kind: Secret}"), False),
        (grant(SHOP_ROUTES, SERVICE, namespace="shop"), False),
        (grant(SHOP_ROUTES.replace("HTTPRoute", "GRPCRoute"), SERVICE), False),
        (grant(SHOP_ROUTES.replace("shop", "other"), SERVICE), False),
    ],
)
def test_reference_to_another_namespace_needs_a_grant(load: Load, granted: str, permitted: bool) -> None:
    world = load(GATEWAY, SERVICES, granted, route(TO_LEDGER))
    assert world.verdicts == ([] if permitted else [("RefNotPermitted", "web", "known")])
    assert world.backend("http://shop.example/") == ("ledger" if permitted else 500)


def test_grant_may_be_applied_from_elsewhere(load: Load) -> None:
    world = load(GATEWAY, SERVICES, route("backendRefs: [{name: mint, namespace: vault, port: 80}]"))
    assert world.verdicts == [("RefNotPermitted", "web", "unknown")]
    assert world.backend("http://shop.example/") == "mint"


@pytest.mark.parametrize(
    ("backend", "reason", "certainty"),
    [
        ("{name: red, port: 80}", "BackendNotFound", "known"),
        ("{group: apps, kind: Deployment, name: blue}", "InvalidKind", "known"),
        ("{kind: ConfigMap, name: blue}", "InvalidKind", "known"),
    ],
)
def test_backend_that_cannot_be(load: Load, backend: str, reason: str, certainty: str) -> None:
    world = load(GATEWAY, SERVICES, route(f"backendRefs: [{backend}]"))
    assert world.verdicts == [(reason, "web", certainty)]
    assert world.backend("http://shop.example/") == 500


def test_backend_of_a_group_that_only_the_implementation_knows(load: Load) -> None:
    bucket = "backendRefs: [{group: example.net, kind: Bucket, name: blue}]"
    assert load(GATEWAY, SERVICES, route(bucket)).verdicts == [("InvalidKind", "web", "likely")]
    used = "apiVersion: example.net/v1\nkind: Bucket\nmetadata: {name: blue}\n"
    assert load(GATEWAY, SERVICES, used, route(bucket)).verdicts == []
    known = GATEWAY.replace("example.net/gateways", "istio.io/gateway-controller")
    assert load(known, SERVICES, route(bucket)).verdicts == [("InvalidKind", "web", "likely")]


def test_backend_of_an_implementation_is_unknown(load: Load) -> None:
    backend = "{group: gateway.envoyproxy.io, kind: Backend, name: outside}"
    world = load(GATEWAY, SERVICES, route(f"backendRefs: [{backend}]"))
    assert world.backend("http://shop.example/") == "outside"
    assert [certainty for *_, certainty in world.verdicts] == ["unknown"]


@pytest.mark.parametrize("backends", ["[]", "[{name: blue, port: 80, weight: 0}]", "[{name: blue, port: 81}]"])
def test_rule_that_leads_nowhere(load: Load, backends: str) -> None:
    assert load(GATEWAY, SERVICES, route(f"backendRefs: {backends}")).backend("http://shop.example/") == 500


def test_weights(load: Load) -> None:
    backends = "[{name: blue, port: 80, weight: 3}, {name: green, port: 80}, {name: blue, port: 80, weight: 0}]"
    shares = load(GATEWAY, SERVICES, route(f"backendRefs: {backends}")).ask("http://shop.example/").backends
    assert [share.share for share in shares] == [0.75, 0.25, 0]


@pytest.mark.parametrize(
    ("asked", "status"),
    [("{name: green, port: 80}", 200), ("{name: guard, port: 80}", 500), ("{name: green, port: 9000}", 500)],
)
def test_nothing_passes_without_who_authorises_it(load: Load, asked: str, status: int) -> None:
    auth = f"{{type: ExternalAuth, externalAuth: {{protocol: HTTP, backendRef: {asked}}}}}"
    world = load(GATEWAY, SERVICES, route(f"{{filters: [{auth}], backendRefs: [{{name: blue, port: 80}}]}}"))
    assert world.ask("http://shop.example/").status == status


def test_mirror_to_a_service_that_is_not_there(load: Load) -> None:
    mirror = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: red, port: 80}, percent: 20}}]"
    world = load(GATEWAY, SERVICES, route(f"{{{mirror}, backendRefs: [{{name: blue, port: 80}}]}}"))
    assert world.verdicts == [("BackendNotFound", "web", "known")]
    (found,) = world.routes[0].filters
    assert isinstance(found, RequestMirror)
    assert found.share == pytest.approx(0.2)


# -- what is spoken to the backend ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("app_protocol", "protocol"),
    [
        ("kubernetes.io/h2c", AppProtocol.H2C),
        ("kubernetes.io/ws", AppProtocol.HTTP),
        ("kubernetes.io/wss", AppProtocol.HTTPS),
        ("http", AppProtocol.HTTP),
        ("https", AppProtocol.UNKNOWN),
    ],
)
def test_app_protocol(load: Load, app_protocol: str, protocol: AppProtocol) -> None:
    services = SERVICES.replace("port: 80}], selector: {app: blue}", f"port: 80, appProtocol: {app_protocol}}}]")
    world = load(GATEWAY, services, route("backendRefs: [{name: blue, port: 80}]"))
    assert world.routes[0].backends[0].protocol.value is protocol


def test_envoy_gateway_opens_no_tls_for_https(load: Load) -> None:
    services = SERVICES.replace("port: 80}], selector: {app: blue}", "port: 80, appProtocol: https}]")
    envoy = GATEWAY.replace("example.net/gateways", "gateway.envoyproxy.io/gatewayclass-controller")
    world = load(envoy, services, route("backendRefs: [{name: blue, port: 80}]"))
    assert world.routes[0].backends[0].protocol.value is AppProtocol.HTTP
    assert world.routes[0].controller.value == "envoy-gateway"


def policy(name: str, host: str, section: str = "", created: str = "", target: str = "blue", ca: str = "ca") -> str:
    port = f", sectionName: {section}" if section else ""
    timestamp = f", creationTimestamp: '{created}'" if created else ""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: {name}, namespace: shop{timestamp}}}
spec:
  targetRefs: [{{group: '', kind: Service, name: {target}{port}}}]
  validation:
    caCertificateRefs: [{{group: '', kind: ConfigMap, name: {ca}}}]
    hostname: {host}
"""


CA = """
apiVersion: v1
kind: ConfigMap
metadata: {name: ca, namespace: shop}
data: {ca.crt: pem}
"""
TO_BLUE = route("backendRefs: [{name: blue, port: 80}]")


def test_policy_opens_tls(load: Load) -> None:
    (backend,) = load(GATEWAY, SERVICES, CA, policy("tls", "blue.example"), TO_BLUE).routes[0].backends
    assert backend.protocol.value is AppProtocol.HTTPS
    assert backend.tls is not None
    assert backend.tls.hostname.value == "blue.example"


def test_policy_of_v1alpha2(load: Load) -> None:
    written = """
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: BackendTLSPolicy
metadata: {name: tls, namespace: shop}
spec:
  targetRef: {group: '', kind: Service, name: blue}
  tls: {wellKnownCACerts: System, hostname: blue.example}
"""
    (backend,) = load(GATEWAY, SERVICES, written, TO_BLUE).routes[0].backends
    assert backend.tls is not None


@pytest.mark.parametrize(
    ("policies", "host", "conflicted"),
    [
        ((policy("b", "b.example"), policy("a", "a.example")), "a.example", ["b"]),
        (
            (policy("a", "a.example", created="2026-02-01"), policy("b", "b.example", created="2026-01-01")),
            "b.example",
            ["a"],
        ),
        ((policy("a", "a.example"), policy("b", "b.example", section="http")), "b.example", []),
        ((policy("a", "a.example", section="other"), policy("b", "b.example")), "b.example", []),
    ],
)
def test_policies_for_one_service(load: Load, policies: tuple[str, ...], host: str, conflicted: list[str]) -> None:
    world = load(GATEWAY, SERVICES, CA, *policies, TO_BLUE)
    (backend,) = world.routes[0].backends
    assert backend.tls is not None
    assert backend.tls.hostname.value == host
    assert [name for reason, name, _ in world.verdicts if reason == "TLSConflicted"] == conflicted


def test_policy_for_a_port_that_the_service_lacks(load: Load) -> None:
    world = load(GATEWAY, SERVICES, CA, policy("tls", "blue.example", section="'80'"), TO_BLUE)
    assert world.verdicts == [("TargetNotFound", "tls", "known")]


def test_policy_without_authorities(load: Load) -> None:
    world = load(GATEWAY, SERVICES, CA, policy("tls", "blue.example", ca="other"), TO_BLUE)
    assert world.verdicts == [("InvalidCACertificateRef", "tls", "known")]
    assert world.ask("http://shop.example/").outcome == "error"


@pytest.mark.parametrize(
    ("kind", "verdicts", "outcome"),
    [
        ("group: certificates.k8s.io, kind: ClusterTrustBundle", [], "backend"),
        ("group: '', kind: Service", [("InvalidKind", "known"), ("NoValidCACertificate", "known")], "error"),
        ("group: trust.example, kind: Store", [("InvalidKind", "likely"), ("NoValidCACertificate", "likely")], "error"),
    ],
)
def test_authorities_of_another_kind(load: Load, kind: str, verdicts: list[tuple[str, str]], outcome: str) -> None:
    written = policy("tls", "blue.example").replace("group: '', kind: ConfigMap", kind)
    world = load(GATEWAY, SERVICES, written, TO_BLUE)
    assert [(reason, certainty) for reason, _, certainty in world.verdicts] == verdicts
    assert world.ask("http://shop.example/").outcome == outcome
