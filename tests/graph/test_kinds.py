"""Objects are looked up by group and kind: kinds of one name in two groups are two kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.engine import check, read
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.manifests import Options
from ingress_lint.objects.group_kind import GATEWAY, INGRESS, SERVICE, GroupKind, group_kind
from ingress_lint.packs import load_rules

INGRESS_TO_CART = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: cart, port: {number: 80}}}}
"""
KNATIVE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: cart}
spec: {template: {spec: {containers: [{image: example.com/cart:1}]}}}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: cart, port: 80}]}]}
"""
FOREIGN_KINDS = (
    *("Service", "Secret", "ConfigMap", "Namespace", "Deployment", "Pod", "Ingress", "IngressClass", "NetworkPolicy"),
    *("Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTLSPolicy", "EndpointSlice"),
    *("VirtualService", "DestinationRule", "Middleware", "IngressRoute", "TraefikService", "HTTPProxy", "Policy"),
    *("KongPlugin", "TCPIngress", "BackendConfig", "IngressClassParams", "Certificate", "Issuer", "PeerAuthentication"),
)


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectGraph:
    return _graph(tmp_path, KNATIVE, INGRESS_TO_CART)


def _graph(folder: Path, *documents: str) -> ObjectGraph:
    (folder / "all.yaml").write_text("---\n".join(documents))
    (found,) = read(Options([str(folder)])).sets
    return found.graph


def _codes(folder: Path, *documents: str) -> list[str]:
    (folder / "all.yaml").write_text("---\n".join(documents))
    report = check(Options([str(folder)]), load_rules())
    assert report.failures == ()
    return [found.code for found in report.findings]


def test_a_knative_service_is_no_service(graph: ObjectGraph) -> None:
    assert graph.service("default", "cart") is None
    assert graph.get(SERVICE, "default", "cart") is None
    assert graph.get(GroupKind("serving.knative.dev", "Service"), "default", "cart") is not None
    assert graph.resolve(SERVICE, "default", "cart").existence is Existence.EXTERNAL, "Knative makes one of that name"


@pytest.mark.parametrize("route", [INGRESS_TO_CART, ROUTE])
def test_a_knative_service_as_backend_is_unknown(route: str, tmp_path: Path) -> None:
    assert not {"IL401", "IL402", "IL405", "IL406"} & set(_codes(tmp_path, KNATIVE, route))


@pytest.mark.parametrize("kind", FOREIGN_KINDS)
def test_foreign_kinds_of_a_known_name_are_other_kinds(kind: str, tmp_path: Path) -> None:
    foreign = (
        f"apiVersion: foreign.example.com/v1\nkind: {kind}\nmetadata: {{name: cart}}\n"
        "spec: {rules: text, listeners: 5, selector: [1], ports: {}, gatewayClassName: [], template: 1, routes: 0}\n"
    )
    gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec: {gatewayClassName: eg, listeners: [{name: http, protocol: HTTP, port: 80}]}\n"
    assert "IL002" not in _codes(tmp_path, foreign, gateway, ROUTE, INGRESS_TO_CART)
    assert _graph(tmp_path, foreign).get(GroupKind("foreign.example.com", kind), "default", "cart") is not None


def test_gateways_of_two_projects_are_two_kinds(tmp_path: Path) -> None:
    istio = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec: {selector: {istio: ingressgateway}, servers: []}\n"
    found = _graph(tmp_path, istio)
    assert found.get(GATEWAY, "default", "gw") is None
    assert not found.holds(GATEWAY, "default")
    assert list(found.namespaces_of(GroupKind("networking.istio.io", "Gateway"))) == ["default"]


def test_a_kind_that_moved_is_one_kind(tmp_path: Path) -> None:
    assert group_kind("extensions/v1beta1", "Ingress") == INGRESS == group_kind("networking.k8s.io/v1", "Ingress")
    old = "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: old}\nspec: {backend: {serviceName: cart, servicePort: 80}}\n"
    assert _graph(tmp_path, old).get(INGRESS, "default", "old") is not None


@pytest.mark.parametrize("length", [1, 2, 11, 30])
def test_traefik_services_that_lead_to_themselves(length: int, tmp_path: Path) -> None:
    def service(name: str, target: str) -> str:
        return (
            f"apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {{name: {name}}}\n"
            f"spec: {{weighted: {{services: [{{name: {target}, kind: TraefikService}}]}}}}\n"
        )

    chain = [service(f"s{number}", f"s{(number + 1) % length}") for number in range(length)]
    route = (
        "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: shop}\n"
        "spec: {routes: [{match: Host(`shop.example.com`), kind: Rule, services: [{name: s0, kind: TraefikService}]}]}\n"
    )
    assert not {"IL401", "IL402", "IL406"} & set(_codes(tmp_path, *chain, route))


def test_a_long_chain_of_traefik_services(tmp_path: Path) -> None:
    chain = [
        f"apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {{name: s{number}}}\n"
        f"spec: {{weighted: {{services: [{{name: s{number + 1}, kind: TraefikService}}]}}}}\n"
        for number in range(11)
    ]
    last = "apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {name: s11}\nspec: {weighted: {services: [{name: web, port: 80}]}}\n"
    web = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
    route = (
        "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: shop}\n"
        "spec: {routes: [{match: Host(`shop.example.com`), kind: Rule, services: [{name: s0, kind: TraefikService}]}]}\n"
    )
    assert not {"IL401", "IL402", "IL406"} & set(_codes(tmp_path, *chain, last, web, route))
