"""Who serves a class where the configuration says so, and where nobody does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main
from ingress_lint.commands.options import Given
from ingress_lint.commands.reading import reading
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.controllers.shared.implementations import IMPLEMENTATIONS
from ingress_lint.engine import read
from ingress_lint.manifests import ManifestSet
from ingress_lint.routes.verdicts import Reason

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop, annotations: {{{annotations}}}}}
spec:
  ingressClassName: {class_name}
  tls: [{{hosts: [shop.example.com], secretName: shop}}]
  rules:
    - host: shop.example.com
      http:
        paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]
"""
CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: {name}}}
spec: {{controller: {controller}}}
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: front, namespace: shop}}
spec:
  gatewayClassName: {class_name}
  {more}
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
"""
NGINX = "nginx.ingress.kubernetes.io"
Lower = Callable[..., ManifestSet]


def ingress(class_name: str, annotations: str = "", name: str = "web") -> str:
    return INGRESS.format(class_name=class_name, annotations=annotations, name=name)


@pytest.fixture
def lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lower:
    """Lowers documents under a configuration, given as its text."""

    def lowered(configuration: str, *documents: str) -> ManifestSet:
        monkeypatch.chdir(tmp_path)
        (tmp_path / ".ingress-lint.yaml").write_text(configuration)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents))
        _, options = reading(Given(paths=("manifest.yaml",)))
        (found,) = read(options).sets
        return found

    return lowered


def serving(found: ManifestSet) -> tuple[str, str, str]:
    by = found.routes[0].controller
    return by.value, by.origin.value, by.why


@pytest.mark.parametrize("controller", ["kong", "{name: kong}", "kong-gateway"])
def test_the_configuration_wins_over_every_inference(lower: Lower, controller: str) -> None:
    said = f"controllers: {{public: {controller}}}\n"
    expected = "kong", "explicit", "class public, as the configuration says"
    assert serving(lower(said, ingress("public", f"{NGINX}/rewrite-target: /"))) == expected
    defined = CLASS.format(name="public", controller="k8s.io/ingress-nginx")
    assert serving(lower(said, ingress("public"), defined)) == expected


def test_the_annotation_names_a_class_as_the_field_does(lower: Lower) -> None:
    by_annotation = ingress("x", "kubernetes.io/ingress.class: public").replace("  ingressClassName: x\n", "")
    assert serving(lower("controllers: {public: traefik}\n", by_annotation))[0] == "traefik"


def test_the_default_class_may_be_said_to_be_anyones(lower: Lower) -> None:
    default = CLASS.format(name="public", controller="example.com/ours").replace(
        "{name: public}", '{name: public, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}'
    )
    classless = ingress("x").replace("  ingressClassName: x\n", "")
    assert serving(lower("controllers: {public: haproxy}\n", classless, default))[0] == "haproxy"


def test_a_class_that_is_said_to_be_served_is_not_missing(lower: Lower) -> None:
    other = CLASS.format(name="internal", controller="k8s.io/ingress-nginx")
    reasons = [item.reason for item in lower("{}", ingress("edge"), other).verdicts]
    assert Reason.NO_INGRESS_CLASS in reasons
    found = lower("controllers: {edge: ingress-nginx}\n", ingress("edge"), other)
    assert Reason.NO_INGRESS_CLASS not in [item.reason for item in found.verdicts]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("envoy-gateway", "envoy-gateway"),
        ("traefik", "traefik-gateway"),
        ("gke", "gke-gateway"),
        ("aws-load-balancer-controller", "aws-gateway"),
        ("gateway-api", "gateway-api"),
    ],
)
def test_a_gateways_class_too(lower: Lower, name: str, expected: str) -> None:
    found = lower(f"controllers: {{public: {name}}}\n", GATEWAY.format(class_name="public", more=""), ROUTE)
    assert serving(found) == (expected, "explicit", "class public, as the configuration says")
    assert Reason.NO_GATEWAY_CLASS not in [item.reason for item in found.verdicts]


def test_what_serves_no_gateways_says_nothing_of_a_gateways_class(lower: Lower) -> None:
    said = "controllers: {eg: ingress-nginx}\n"
    assert serving(lower(said, GATEWAY.format(class_name="eg", more=""), ROUTE))[0] == "envoy-gateway"
    assert serving(lower("controllers: {nginx: envoy-gateway}\n", ingress("nginx")))[0] == "ingress-nginx"


@pytest.mark.parametrize("cluster", ["east", "west"])
def test_a_cluster_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".ingress-lint.yaml").write_text(
        "controllers: {public: kong, internal: traefik}\nclusters: {east: {controllers: {public: {name: contour}}}}\n"
    )
    _, options = reading(Given())
    declared = options.declared_in(cluster)
    assert declared["internal"].installed.name == "traefik"
    assert declared["public"].installed.name == ("contour" if cluster == "east" else "kong")


def test_implementations_name_controllers_that_there_are() -> None:
    assert {found.controller for found in IMPLEMENTATIONS} - {""} <= REGISTRY.keys()


# -- what an installation sets ------------------------------------------------------------------------------------------

SNIPPET = f'{NGINX}/configuration-snippet: "more_set_headers a"'


def refused(found: ManifestSet) -> list[tuple[str, str]]:
    return [(item.certainty.value, item.message) for item in found.verdicts if item.reason is Reason.UNKNOWN_ANNOTATION]


@pytest.mark.parametrize(
    ("setting", "certainties"),
    [
        ("ingress-nginx", ["likely"]),
        ("{name: ingress-nginx, version: 1.8.1}", []),
        ("{name: ingress-nginx, version: v1.10.0}", ["likely"]),
        ("{name: ingress-nginx, version: 1.10.0, config-map: {allow-snippet-annotations: true}}", []),
        ("{name: ingress-nginx, config-map: {allow-snippet-annotations: 'false'}}", ["known"]),
    ],
)
def test_version_and_config_map_decide_what_is_refused(lower: Lower, setting: str, certainties: list[str]) -> None:
    found = lower(f"controllers:\n  public: {setting}\n", ingress("public", SNIPPET))
    assert [certainty for certainty, _ in refused(found)] == certainties


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("[--enable-ssl-passthrough]", True), ("[--http-port=80]", False), ("[]", None)],
)
def test_flags_that_are_told_are_all_that_there_are(lower: Lower, flags: str, expected: bool | None) -> None:
    from ingress_lint.controllers.ingress_nginx.installation import installations, serving

    found = lower(
        f"controllers:\n  public: {{name: ingress-nginx, version: 1.12.1, flags: {flags}}}\n", ingress("public")
    )
    installation = serving(installations(found.graph), next(iter(found.graph.ingresses)), found.graph)
    assert installation.version == (1, 12, 1)
    assert (installation.passthrough.value if installation.passthrough else None) == expected


def test_settings_of_haproxy_come_from_its_config_map(lower: Lower) -> None:
    found = lower(
        "controllers:\n  edge:\n    name: haproxy\n    config-map:\n      timeout-server: 5s\n", ingress("edge")
    )
    read_timeout = found.routes[0].backends[0].timeouts.read
    assert read_timeout is not None
    assert read_timeout.value == 5


def test_a_fault_may_stand_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".ingress-lint.yaml").write_text(
        "controllers:\n  public:\n    name: ingress-nginx\n    config-map:\n      proxy-body-size: 100m\n"
    )
    app = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: nextcloud:29-apache, env: [{name: PHP_UPLOAD_LIMIT, value: 512M}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
    Path("manifest.yaml").write_text(f"{ingress('public')}\n---\n{app}")
    shown = CliRunner().invoke(main, ["check", "--select", "IL211", "--format", "json", "."])
    assert shown.exit_code == 0, shown.output
    (found,) = json.loads(shown.stdout)["findings"]
    assert (found["location"]["file"], found["location"]["line"]) == (".ingress-lint.yaml", 4)


# -- what nobody says ---------------------------------------------------------------------------------------------------


def test_a_class_is_judged_by_the_annotations_of_all_its_objects(lower: Lower) -> None:
    found = lower("{}", ingress("default"), ingress("default", f"{NGINX}/rewrite-target: /", name="other"))
    assert {route.controller.value for route in found.routes} == {"ingress-nginx"}
    assert serving(lower("{}", ingress("default")))[0] == "ingress"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: x}}",
            "envoy-gateway",
        ),
        ("addresses: [{type: networking.gke.io/named-address-with-region, value: x}]", "gke-gateway"),
        ("addresses: [{type: Hostname, value: gw.istio-system.svc.cluster.local}]", "istio"),
        ("", "gateway-api"),
    ],
)
def test_a_gateways_class_is_judged_by_what_its_gateways_say(lower: Lower, more: str, expected: str) -> None:
    assert serving(lower("{}", GATEWAY.format(class_name="default", more=more), ROUTE))[0] == expected
