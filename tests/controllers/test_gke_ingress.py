"""What GKE Ingress makes of Ingresses and the Services behind them."""

from __future__ import annotations

from textwrap import indent

import pytest

from ingress_lint.controllers.google.annotations import GKE_ANNOTATIONS
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from tests.controllers.conftest import Routes, said

GCE = "kubernetes.io/ingress.class: gce"
NEG = """cloud.google.com/neg: '{"ingress": true}'"""
ONE_PATH = "{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"
PROBE = "httpGet: {path: /ready, port: 8080}"


def annotated(annotations: str) -> str:
    lines = "".join(f"{line}\n" for line in annotations.strip().splitlines())
    return f"  annotations:\n{indent(lines, '    ')}" if lines else ""


def ingress(annotations: str = GCE, path: str = ONE_PATH, *, spec: str = "tls: []") -> str:
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n{annotated(annotations)}"
        f"spec:\n{indent(spec, '  ')}\n  rules:\n    - http:\n        paths:\n          - {path}\n"
    )


def service(annotations: str = NEG, *, type_: str = "ClusterIP", target: str = "8080", more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n{annotated(annotations)}spec:\n  type: {type_}\n"
        f"  selector: {{app: web}}\n  ports:\n    - {{name: http, port: 80, targetPort: {target}{more}}}\n"
    )


def deployment(probe: str = PROBE, ports: str = "{name: main, containerPort: 8080}", more: str = "") -> str:
    readiness = f"          readinessProbe: {{{probe}}}\n" if probe else ""
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n"
        "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n"
        f"          image: example/web\n          ports: [{ports}]\n{readiness}{more}"
    )


def backend_config(spec: str, name: str = "web") -> str:
    return f"apiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata: {{name: {name}}}\nspec:\n{indent(spec, '  ')}\n"


# -- claims ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gce", "gce-internal", "gce-regional-external", "gce-multi-cluster"])
def test_claims_by_class_annotation(routes: Routes, name: str) -> None:
    (route,) = routes(ingress(f"kubernetes.io/ingress.class: {name}"), service(""))
    assert said(route.controller) == ("gke", "explicit", name)


def test_ignores_the_class_field(routes: Routes) -> None:
    for hint in ("", "kubernetes.io/ingress.global-static-ip-name: web"):
        (route,) = routes(ingress(hint, spec="ingressClassName: gce"), service())
        assert route.controller.value == "ingress"


@pytest.mark.parametrize(
    "hint",
    [
        "kubernetes.io/ingress.global-static-ip-name: web",
        "networking.gke.io/managed-certificates: web",
        "ingress.gcp.kubernetes.io/pre-shared-cert: web",
        "ingress.kubernetes.io/url-map: k8s-um-web",
    ],
)
def test_annotations_tell_where_there_is_no_class(routes: Routes, hint: str) -> None:
    (route,) = routes(ingress(hint), service(""))
    assert said(route.controller)[:2] == ("gke", "derived")


@pytest.mark.parametrize(
    "hint", [NEG, "cloud.google.com/backend-config: '{}'", "beta.cloud.google.com/backend-config: '{}'"]
)
def test_the_services_tell_where_there_is_no_class(routes: Routes, hint: str) -> None:
    (route,) = routes(ingress(""), service(hint))
    assert said(route.controller)[:2] == ("gke", "derived")
    assert route.controller.place.pointer[-2:] == ("annotations", hint.partition(":")[0])


def test_services_of_other_ingresses_tell_nothing(routes: Routes) -> None:
    other = service().replace("name: web", "name: other")
    (route,) = routes(ingress(""), service(""), other)
    assert (route.controller.value, route.assumed) == ("ingress-nginx", True)


def test_the_option_beats_hints(routes: Routes) -> None:
    (route,) = routes(ingress(""), service(), controller="ingress-nginx")
    assert route.controller.value == "ingress-nginx"


# -- front side -----------------------------------------------------------------------------------------------------


def test_listeners(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert [(item.port.value, item.protocol.value) for item in route.listeners] == [(80, "HTTP")]
    assert said(route.listeners[0].port) == (80, "default", "annotations:")
    assert route.listeners[0].instance == "default/web"


@pytest.mark.parametrize(
    ("annotations", "spec", "kind", "name"),
    [
        ("", "tls: [{secretName: web-tls, hosts: [a.example.com]}]", "Secret", "web-tls"),
        ("ingress.gcp.kubernetes.io/pre-shared-cert: shared", "tls: []", "SslCertificate", "shared"),
        ("networking.gke.io/managed-certificates: managed", "tls: []", "ManagedCertificate", "managed"),
    ],
)
def test_certificates_open_443(routes: Routes, annotations: str, spec: str, kind: str, name: str) -> None:
    (route,) = routes(ingress(f"{GCE}\n{annotations}", spec=spec), service())
    plain, secure = route.listeners
    assert (plain.port.value, secure.port.value) == (80, 443)
    assert said(secure.protocol)[:2] == ("HTTPS", "derived")
    assert secure.tls is not None
    assert [(item.kind, item.name) for item in secure.tls.certificates] == [(kind, name)]


def test_allow_http_false(routes: Routes) -> None:
    text = ingress(f"{GCE}\nkubernetes.io/ingress.allow-http: 'false'", spec="tls: [{secretName: web-tls}]")
    (route,) = routes(text, service())
    assert [item.port.value for item in route.listeners] == [443]


def test_frontend_config_redirects(routes: Routes) -> None:
    frontend = (
        "apiVersion: networking.gke.io/v1beta1\nkind: FrontendConfig\nmetadata: {name: web}\n"
        "spec: {redirectToHttps: {enabled: true, responseCodeName: PERMANENT_REDIRECT}}\n"
    )
    route, redirect = routes(
        ingress(f"{GCE}\nnetworking.gke.io/v1beta1.FrontendConfig: web", spec="tls: [{secretName: web-tls}]"),
        service(),
        frontend,
    )
    assert [item.port.value for item in route.listeners] == [443]
    assert [item.port.value for item in redirect.listeners] == [80]
    (filter_,) = redirect.filters
    assert isinstance(filter_, RequestRedirect)
    assert (filter_.status, filter_.scheme) == (308, "https")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("path: /foo, pathType: Exact", PathMatch(PathMatchType.EXACT, "/foo")),
        ("path: /foo, pathType: Prefix", PathMatch(PathMatchType.PREFIX, "/foo")),
        ("path: /, pathType: ImplementationSpecific", PathMatch(PathMatchType.GLOB, "/")),
        ("path: /foo/*, pathType: ImplementationSpecific", PathMatch(PathMatchType.GLOB, "/foo/*")),
        ("pathType: ImplementationSpecific", PathMatch(PathMatchType.GLOB, "/*")),
    ],
)
def test_paths(routes: Routes, path: str, expected: PathMatch) -> None:
    written = f"{{{path}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"
    (route,) = routes(ingress(GCE, written), service())
    assert route.matches[0].path.value == expected


# -- backends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_name", "annotations", "expected"),
    [
        ("gce", NEG, (TargetKind.POD, "explicit")),
        ("gce", "cloud.google.com/neg: '{\"ingress\": false}'", (TargetKind.NODE, "explicit")),
        ("gce", 'cloud.google.com/neg: \'{"exposed_ports": {"80": {}}}\'', (TargetKind.NODE, "explicit")),
        ("gce", "cloud.google.com/neg: nonsense", (TargetKind.NODE_OR_POD, "default")),
        ("gce", "", (TargetKind.NODE_OR_POD, "default")),
        ("gce-internal", "", (TargetKind.POD, "derived")),
    ],
)
def test_target(routes: Routes, class_name: str, annotations: str, expected: tuple[TargetKind, str]) -> None:
    (route,) = routes(ingress(f"kubernetes.io/ingress.class: {class_name}"), service(annotations))
    assert said(route.backends[0].target)[:2] == expected


@pytest.mark.parametrize(
    ("annotations", "expected", "origin"),
    [
        ("", AppProtocol.HTTP, "default"),
        ('cloud.google.com/app-protocols: \'{"http": "HTTPS"}\'', AppProtocol.HTTPS, "explicit"),
        ('service.alpha.kubernetes.io/app-protocols: \'{"http": "HTTP2"}\'', AppProtocol.HTTP2, "explicit"),
        ('cloud.google.com/app-protocols: \'{"80": "HTTPS"}\'', AppProtocol.HTTP, "derived"),
        ('cloud.google.com/app-protocols: \'{"http": "GRPC"}\'', AppProtocol.UNKNOWN, "explicit"),
        ("cloud.google.com/app-protocols: 'HTTPS'", AppProtocol.HTTP, "default"),
    ],
)
def test_protocol(routes: Routes, annotations: str, expected: AppProtocol, origin: str) -> None:
    (route,) = routes(ingress(), service(f"{NEG}\n{annotations}"))
    assert said(route.backends[0].protocol)[:2] == (expected, origin)


def test_protocol_of_an_unknown_key_says_so(routes: Routes) -> None:
    (route,) = routes(ingress(), service('cloud.google.com/app-protocols: \'{"https": "HTTPS"}\''))
    assert route.backends[0].protocol.why == "app-protocols names no port `http`"


def test_default_health_check_with_network_endpoint_groups(routes: Routes) -> None:
    (route,) = routes(ingress(), service(), deployment(""))
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path) == ("/", "default", "annotations:")
    assert check.path is not None
    assert check.path.why == "no BackendConfig sets it, and container `web` has no readiness probe to take it from"
    assert said(check.protocol)[:2] == ("HTTP", "default")
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [15, 15]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [1, 2]
    assert said(check.codes)[0] == "200"
    assert (check.port, check.resolved_port, check.target) == (None, 8080, TargetKind.POD)
    assert not check.read_once


def test_default_health_check_with_instance_groups(routes: Routes) -> None:
    off = "cloud.google.com/neg: '{\"ingress\": false}'"
    (route,) = routes(ingress(), service(off, type_="NodePort", more=", nodePort: 30080"), deployment(""))
    check = route.backends[0].health_check
    assert check is not None
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [60, 60]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [1, 10]
    assert (check.resolved_port, check.target) == (30080, TargetKind.NODE)


def test_timing_is_open_where_the_target_is(routes: Routes) -> None:
    (route,) = routes(ingress(), service("", type_="NodePort"), deployment(""))
    check = route.backends[0].health_check
    assert check is not None
    assert (check.interval, check.timeout, check.unhealthy_threshold) == (None, None, None)
    assert said(check.path)[:2] == ("/", "default")


def test_readiness_probe_is_taken_over(routes: Routes) -> None:
    probe = (
        "httpGet: {path: ready, port: main, httpHeaders: [{name: Host, value: a.example.com}]}, "
        "periodSeconds: 7, timeoutSeconds: 3, failureThreshold: 9"
    )
    (route,) = routes(ingress(), service(target="main"), deployment(probe))
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/ready", "derived")
    assert check.path is not None
    assert check.path.place.pointer[-3:] == ("readinessProbe", "httpGet", "path")
    assert said(check.interval)[:2] == (7, "derived")
    assert said(check.timeout)[:2] == (3, "derived")
    assert said(check.host)[:2] == ("a.example.com", "derived")
    assert said(check.unhealthy_threshold)[:2] == (2, "default")
    assert check.read_once


def test_readiness_probe_period_counts_on_top_with_instance_groups(routes: Routes) -> None:
    off = "cloud.google.com/neg: '{\"ingress\": false}'"
    (route,) = routes(ingress(), service(off, type_="NodePort"), deployment())
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.interval)[:2] == (70, "derived")


@pytest.mark.parametrize(
    ("probe", "ports", "annotations", "why"),
    [
        ("", "", "", "container `web` declares no containerPort 8080"),
        (PROBE, "{containerPort: 9000}", "", "container `web` declares no containerPort 8080"),
        (
            "tcpSocket: {port: 8080}",
            "{containerPort: 8080}",
            "",
            "the readiness probe of container `web` is no httpGet",
        ),
        ("exec: {command: [a]}", "{containerPort: 8080}", "", "the readiness probe of container `web` is no httpGet"),
        ("httpGet: {path: /, port: 8080, host: x}", "{containerPort: 8080}", "", "the readiness probe sets `host`"),
        (
            "httpGet: {path: /, port: 8080, httpHeaders: [{name: X-A, value: b}]}",
            "{containerPort: 8080}",
            "",
            "the readiness probe sends headers other than one `Host`",
        ),
        (
            "httpGet: {path: /, port: 8080, httpHeaders: [{name: Host, value: a}, {name: Host, value: b}]}",
            "{containerPort: 8080}",
            "",
            "the readiness probe sends headers other than one `Host`",
        ),
        (
            "httpGet: {path: /, port: 8080, scheme: HTTPS}",
            "{containerPort: 8080}",
            "",
            "the readiness probe speaks HTTPS and the backend HTTP",
        ),
        (
            PROBE,
            "{containerPort: 8080}",
            'cloud.google.com/app-protocols: \'{"http": "HTTP2"}\'',
            "the readiness probe speaks HTTP and the backend HTTPS",
        ),
        (
            "httpGet: {path: /, port: 9000}",
            "{containerPort: 8080}, {containerPort: 9000}",
            "",
            "the readiness probe asks port 9000 instead of 8080",
        ),
    ],
)
def test_why_the_readiness_probe_is_not_taken_over(
    routes: Routes, probe: str, ports: str, annotations: str, why: str
) -> None:
    (route,) = routes(ingress(), service(f"{NEG}\n{annotations}"), deployment(probe, ports))
    check = route.backends[0].health_check
    assert check is not None
    assert check.path is not None
    assert (check.path.value, check.path.origin.value) == ("/", "default")
    assert f"and {why}" in check.path.why


def test_no_pod_in_the_manifests(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    check = route.backends[0].health_check
    assert check is not None
    assert check.path is not None
    assert "no pod of these manifests" in check.path.why


def test_a_sidecars_probe_does_not_count(routes: Routes) -> None:
    more = (
        "      initContainers:\n        - name: proxy\n          image: example/proxy\n          restartPolicy: Always\n"
        "          ports: [{containerPort: 8080}]\n          readinessProbe: {httpGet: {path: /proxy, port: 8080}}\n"
    )
    (route,) = routes(ingress(), service(), deployment("", "{containerPort: 9000}", more))
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/", "default")


CONFIG = """\
timeoutSec: 90
healthCheck:
  checkIntervalSec: 12
  timeoutSec: 11
  healthyThreshold: 3
  unhealthyThreshold: 4
  type: HTTPS
  requestPath: /config
  port: 8086
"""


@pytest.mark.parametrize(
    "annotation",
    [
        'cloud.google.com/backend-config: \'{"default": "web"}\'',
        'cloud.google.com/backend-config: \'{"ports": {"80": "web"}}\'',
        'cloud.google.com/backend-config: \'{"ports": {"http": "web"}, "default": "other"}\'',
        'beta.cloud.google.com/backend-config: \'{"default": "web"}\'',
    ],
)
def test_backend_config_beats_the_probe(routes: Routes, annotation: str) -> None:
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment(), backend_config(CONFIG))
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path) == ("/config", "explicit", "/config")
    assert said(check.port) == (8086, "explicit", "8086")
    assert check.resolved_port == 8086
    assert said(check.protocol) == ("HTTPS", "explicit", "HTTPS")
    assert said(check.interval) == (12, "explicit", "12")
    assert said(check.timeout) == (11, "explicit", "11")
    assert said(check.healthy_threshold) == (3, "explicit", "3")
    assert said(check.unhealthy_threshold) == (4, "explicit", "4")
    assert said(route.backends[0].timeouts.request) == (90, "explicit", "90")


def test_draining(routes: Routes) -> None:
    (route,) = routes(ingress(), service(NEG), deployment())
    assert said(route.backends[0].timeouts.drain)[:2] == (0, "default")
    annotation = 'cloud.google.com/backend-config: \'{"default": "web"}\''
    config = backend_config("connectionDraining: {drainingTimeoutSec: 70}\n")
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment(), config)
    assert said(route.backends[0].timeouts.drain) == (70, "explicit", "70}")
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment())
    assert route.backends[0].timeouts.drain is None


def test_backend_config_leaves_the_rest_to_the_probe(routes: Routes) -> None:
    annotation = 'cloud.google.com/backend-config: \'{"default": "web"}\''
    config = backend_config("healthCheck: {checkIntervalSec: 30}")
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment(), config)
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/ready", "derived")
    assert said(check.interval)[:2] == (30, "explicit")


def test_a_backend_config_that_is_not_there_leaves_the_check_unknown(routes: Routes) -> None:
    annotation = 'cloud.google.com/backend-config: \'{"default": "elsewhere"}\''
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment())
    assert route.backends[0].health_check is None
    assert route.backends[0].timeouts.request is None


@pytest.mark.parametrize(
    "annotation",
    [
        "cloud.google.com/backend-config: nonsense",
        "cloud.google.com/backend-config: '[]'",
        "cloud.google.com/backend-config: '{\"ports\": []}'",
        'cloud.google.com/backend-config: \'{"ports": {"443": "web"}}\'',
        "cloud.google.com/backend-config: '{\"default\": 3}'",
    ],
)
def test_unusable_backend_config_annotations_name_none(routes: Routes, annotation: str) -> None:
    (route,) = routes(ingress(), service(f"{NEG}\n{annotation}"), deployment(), backend_config(CONFIG))
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/ready", "derived")


def test_googles_own_checker_is_unknown(routes: Routes) -> None:
    checker = "networking.gke.io/transparent-health-checker: '{\"enabled\": true}'"
    (route,) = routes(ingress(), service(f"{NEG}\n{checker}"), deployment())
    assert route.backends[0].health_check is None


def test_timeouts_and_keep_alive(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    (backend,) = route.backends
    assert said(backend.timeouts.request)[:2] == (30, "default")
    assert said(backend.keep_alive.upstream_idle)[:2] == (600, "default")
    assert said(backend.keep_alive.client_idle)[:2] == (610, "default")


def test_annotation_table() -> None:
    assert GKE_ANNOTATIONS.spec("networking.gke.io/v1beta1.FrontendConfig")
    assert GKE_ANNOTATIONS.spec("cloud.google.com/neg")
    assert GKE_ANNOTATIONS.spec("networking.gke.io/neg") is None
    assert GKE_ANNOTATIONS.spec("beta.cloud.google.com/backend-config")
    assert GKE_ANNOTATIONS.full_key("managed-certificates") == "networking.gke.io/managed-certificates"


def test_what_a_route_hangs_on(routes: Routes) -> None:
    front = f"{GCE}\nnetworking.gke.io/v1beta1.FrontendConfig: front"
    config = 'cloud.google.com/backend-config: \'{"default": "web"}\''
    (route,) = routes(ingress(front), service(config), backend_config("timeoutSec: 40"))
    assert [(item.kind.kind, item.name, item.object.object is not None) for item in route.attached] == [
        ("BackendConfig", "web", True),
        ("FrontendConfig", "front", False),
    ]


def test_last_rule_of_a_host_replaces_the_earlier_ones(routes: Routes) -> None:
    path = "http: {paths: [{path: PATH, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}"
    rules = [f"  - host: a.example.com\n    {path.replace('PATH', value)}\n" for value in ("/old", "/new")]
    metadata = "metadata: {name: web, annotations: {kubernetes.io/ingress.class: gce}}"
    text = f"apiVersion: networking.k8s.io/v1\nkind: Ingress\n{metadata}\nspec:\n  rules:\n{''.join(rules)}"
    old, new = routes(text, service())
    assert (old.dropped, new.dropped) == (True, False)
