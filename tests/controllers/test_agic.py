"""What the Application Gateway Ingress Controller makes of Ingresses, and where it finds its health probes."""

from __future__ import annotations

from textwrap import indent

import pytest

from ingress_lint.controllers.azure.controller import AGIC_ANNOTATIONS
from ingress_lint.routes.filters import ExtensionFilter, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind
from tests.controllers.conftest import Routes, said

APPGW = "appgw.ingress.kubernetes.io"
PROBE = "httpGet: {path: /ready, port: 8080}"
TLS = "tls: [{secretName: web-tls, hosts: [a.example.com]}]"


def ingress(
    annotations: str = "", *, spec: str = "", path: str = "/shop", kind: str = "Prefix", port: str = "80"
) -> str:
    lines = "".join(f"    {APPGW}/{line}\n" for line in annotations.splitlines() if line)
    more = f"{indent(spec, '  ')}\n" if spec else ""
    written = f"path: {path}, " if path else ""
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n"
        f"    kubernetes.io/ingress.class: azure/application-gateway\n{lines}spec:\n{more}  rules:\n"
        "    - host: a.example.com\n      http:\n        paths:\n"
        f"          - {{{written}pathType: {kind}, backend: {{service: {{name: web, port: {{number: {port}}}}}}}}}\n"
    )


def service(port: str = "80", target: str = "8080") -> str:
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n"
        f"  ports:\n    - {{name: http, port: {port}, targetPort: {target}}}\n"
    )


def deployment(probes: str = f"readinessProbe: {{{PROBE}}}", ports: str = "{name: main, containerPort: 8080}") -> str:
    more = f"          {probes}\n" if probes else ""
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n"
        "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n"
        f"          image: example/web\n          ports: [{ports}]\n{more}"
    )


def check_of(found: list[Route]) -> HealthCheck:
    check = found[0].backends[0].health_check
    assert check is not None
    return check


# -- claims ---------------------------------------------------------------------------------------------------------


def test_claims_by_class_annotation(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.controller) == ("agic", "explicit", "azure/application-gateway")


def test_claims_by_class(routes: Routes) -> None:
    field = ingress(spec="ingressClassName: gateway").replace(
        "    kubernetes.io/ingress.class", "    example.com/class"
    )
    named = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: gateway}\nspec:\n  controller: "
    (route,) = routes(field, service(), f"{named}azure/application-gateway\n")
    assert said(route.controller) == ("agic", "explicit", "azure/application-gateway")
    (route,) = routes(field, service(), f"{named}example.com/other\n")
    assert route.controller.value == "ingress"


def test_claims_the_class_of_the_aks_add_on(routes: Routes) -> None:
    field = ingress(spec="ingressClassName: azure-application-gateway").replace(
        "kubernetes.io/ingress", "example.com/x"
    )
    assert routes(field, service())[0].controller.value == "agic"


def test_annotations_tell_where_there_is_no_class(routes: Routes) -> None:
    hinted = ingress("request-timeout: '20'").replace("kubernetes.io/ingress.class", "example.com/class")
    (route,) = routes(hinted, service())
    assert said(route.controller)[:2] == ("agic", "derived")


def test_knows_its_annotations() -> None:
    spec = AGIC_ANNOTATIONS.spec(f"{APPGW}/backend-protocol")
    assert spec is not None
    assert (spec.legal, spec.any_case) == (("http", "https"), True)
    assert AGIC_ANNOTATIONS.spec(f"{APPGW}/health-probe-status-codes") is not None
    assert AGIC_ANNOTATIONS.spec(f"{APPGW}/health-probe-status-code") is None


# -- front side -----------------------------------------------------------------------------------------------------


def test_listens_for_plain_requests_without_a_certificate(routes: Routes) -> None:
    (route,) = routes(ingress("ssl-redirect: 'true'"), service())
    assert [(item.port.value, item.protocol.value, item.instance) for item in route.listeners] == [(80, "HTTP", "")]
    assert said(route.listeners[0].port)[1] == "default"


def test_listens_for_tls_alone_with_a_certificate(routes: Routes) -> None:
    (route,) = routes(ingress(spec=TLS), service())
    (listener,) = route.listeners
    assert said(listener.port) == (443, "derived", "web-tls, hosts: [a.example.com]}]")
    assert listener.tls is not None
    (certificate,) = listener.tls.certificates
    assert (certificate.kind, certificate.namespace, certificate.name) == ("Secret", "default", "web-tls")


@pytest.mark.parametrize(
    ("hosts", "secure"),
    [
        ("hosts: [a.example.com]", True),
        ("hosts: []", True),
        ("hosts: ['*.example.com']", False),
        ("hosts: [b.example.com]", False),
    ],
)
def test_certificates_go_by_the_host_as_it_is_written(routes: Routes, hosts: str, secure: bool) -> None:
    (route,) = routes(ingress(spec=f"tls: [{{secretName: web-tls, {hosts}}}]"), service())
    assert [item.protocol.value for item in route.listeners] == ["HTTPS" if secure else "HTTP"]


def test_a_certificate_of_the_gateway_counts_where_no_tls_block_does(routes: Routes) -> None:
    (route,) = routes(ingress("appgw-ssl-certificate: installed"), service())
    assert route.listeners[0].tls is not None
    assert said(route.listeners[0].tls.mode)[2] == "installed"
    (route,) = routes(ingress("appgw-ssl-certificate: installed", spec=TLS), service())
    assert route.listeners[0].tls is not None
    assert route.listeners[0].tls.certificates[0].name == "web-tls"


def test_ssl_redirect(routes: Routes) -> None:
    route, redirect = routes(ingress("ssl-redirect: 'true'", spec=TLS), service())
    assert [item.port.value for item in route.listeners] == [443]
    assert [item.port.value for item in redirect.listeners] == [80]
    assert [name.value for name in redirect.hostnames] == ["a.example.com"]
    (step,) = redirect.filters
    assert isinstance(step, RequestRedirect)
    assert (step.status, step.scheme, step.port) == (301, "https", 443)


def test_private_address_and_port(routes: Routes) -> None:
    (route,) = routes(ingress("use-private-ip: 'true'\noverride-frontend-port: '8081'"), service())
    assert route.listeners[0].instance == "private"
    assert said(route.listeners[0].port) == (8081, "explicit", "'8081'")
    (route,) = routes(ingress("override-frontend-port: '70000'"), service())
    assert route.listeners[0].port.value == 80


def test_further_hosts(routes: Routes) -> None:
    (route,) = routes(ingress("hostname-extension: b.example.com, '*.example.org'".replace("'", "")), service())
    assert [name.value for name in route.hostnames] == ["a.example.com", "b.example.com", "*.example.org"]


def test_the_default_backend_answers_for_the_hosts_of_the_rules(routes: Routes) -> None:
    spec = "defaultBackend: {service: {name: web, port: {number: 80}}}"
    _, default = routes(ingress(spec=spec), service(), deployment())
    assert default.is_default
    assert said(default.hostnames[0])[:2] == ("a.example.com", "derived")
    check = default.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/", "default")
    assert said(check.host)[:2] == ("localhost", "default")


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/shop", "Prefix", PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        ("/shop/*", "Prefix", PathMatch(PathMatchType.STRING_PREFIX, "/shop/")),
        ("/shop", "Exact", PathMatch(PathMatchType.EXACT, "/shop")),
        ("/shop*", "Exact", PathMatch(PathMatchType.EXACT, "/shop")),
        ("/shop", "ImplementationSpecific", PathMatch(PathMatchType.EXACT, "/shop")),
        ("/shop*", "ImplementationSpecific", PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        ("/", "Exact", PathMatch(PathMatchType.PREFIX, "/")),
        ("/*", "ImplementationSpecific", PathMatch(PathMatchType.PREFIX, "/")),
        ("", "ImplementationSpecific", PathMatch(PathMatchType.PREFIX, "/")),
    ],
)
def test_paths(routes: Routes, path: str, kind: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(path=path, kind=kind), service())
    assert route.matches[0].path.value == expected


def test_filters(routes: Routes) -> None:
    wished = "backend-path-prefix: /v2\nbackend-hostname: inner.example.com\nrewrite-rule-set: rules"
    (route,) = routes(ingress(wished), service())
    path, host, rules = route.filters
    assert isinstance(path, URLRewrite)
    assert (path.path, path.replace_prefix) == ("/v2", True)
    assert isinstance(host, URLRewrite)
    assert host.host == "inner.example.com"
    assert isinstance(rules, ExtensionFilter)
    (route,) = routes(ingress(wished, kind="Exact"), service())
    assert isinstance(route.filters[0], URLRewrite)
    assert not route.filters[0].replace_prefix


# -- backends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "port", "target", "expected"),
    [
        ("", "80", "8080", (AppProtocol.HTTP, "default")),
        ("", "443", "8443", (AppProtocol.HTTP, "default")),
        ("", "80", "443", (AppProtocol.HTTPS, "derived")),
        ("", "80", "unknown", (AppProtocol.UNKNOWN, "default")),
        ("backend-protocol: HTTPS", "80", "8080", (AppProtocol.HTTPS, "explicit")),
        ("backend-protocol: http", "443", "443", (AppProtocol.HTTP, "explicit")),
        ("backend-protocol: grpc", "80", "8080", (AppProtocol.HTTP, "default")),
    ],
)
def test_protocol(routes: Routes, annotations: str, port: str, target: str, expected: tuple[AppProtocol, str]) -> None:
    (route,) = routes(ingress(annotations, port=port), service(port, target))
    assert said(route.backends[0].protocol)[:2] == expected


def test_https_comes_from_the_target_port(routes: Routes) -> None:
    (route,) = routes(ingress(), service(target="443"))
    assert said(route.backends[0].protocol)[2] == "443}"


def test_takes_the_target_port_for_the_port(routes: Routes) -> None:
    (route,) = routes(ingress(port="8080"), service())
    assert route.backends[0].service_port is not None
    assert route.backends[0].target.value is TargetKind.POD


@pytest.mark.parametrize(
    ("written", "expected"), [("", (30.0, "default")), ("request-timeout: '90'", (90.0, "explicit"))]
)
def test_timeout(routes: Routes, written: str, expected: tuple[float, str]) -> None:
    (route,) = routes(ingress(written), service())
    assert said(route.backends[0].timeouts.read)[:2] == expected
    assert route.backends[0].keep_alive.upstream_idle is None


def test_draining(routes: Routes) -> None:
    (plain,) = routes(ingress(), service())
    assert plain.backends[0].timeouts.drain is None
    (route,) = routes(ingress("connection-draining: 'true'"), service())
    assert said(route.backends[0].timeouts.drain)[:2] == (30.0, "default")
    (route,) = routes(ingress("connection-draining: 'true'\nconnection-draining-timeout: '45'"), service())
    assert said(route.backends[0].timeouts.drain)[:2] == (45.0, "explicit")


# -- health probes --------------------------------------------------------------------------------------------------


def test_health_check_without_a_probe_asks_for_the_path_of_the_ingress(routes: Routes) -> None:
    check = check_of(routes(ingress(path="/shop/*", kind="ImplementationSpecific"), service(), deployment("")))
    assert said(check.path)[:2] == ("/shop/", "derived")
    assert check.path is not None
    assert check.path.place.pointer[-1] == "path"
    assert said(check.protocol)[:2] == ("HTTP", "default")
    assert said(check.host) == ("a.example.com", "derived", "a.example.com")
    assert said(check.codes)[:2] == ("200-399", "default")
    assert [said(v)[0] for v in (check.interval, check.timeout, check.unhealthy_threshold)] == [30, 30, 3]
    assert (check.port, check.resolved_port, check.target) == (None, 8080, TargetKind.POD)


def test_path_prefix_comes_before_the_path_of_the_ingress(routes: Routes) -> None:
    check = check_of(routes(ingress("backend-path-prefix: /v2/*"), service(), deployment("")))
    assert said(check.path) == ("/v2/", "derived", "/v2/*")


def test_readiness_probe_is_taken_over(routes: Routes) -> None:
    probe = (
        "readinessProbe: {httpGet: {path: /ready, port: admin, scheme: HTTPS, host: inner.example.com}, "
        "periodSeconds: 7, timeoutSeconds: 3, failureThreshold: 90}"
    )
    ports = "{name: main, containerPort: 8080}, {name: admin, containerPort: 9000}"
    check = check_of(routes(ingress("backend-path-prefix: /v2"), service(), deployment(probe, ports)))
    assert said(check.path)[:2] == ("/ready", "derived")
    assert check.path is not None
    assert check.path.place.pointer[-3:] == ("readinessProbe", "httpGet", "path")
    assert said(check.protocol)[:2] == ("HTTPS", "derived")
    assert said(check.host)[:2] == ("inner.example.com", "derived")
    assert said(check.port)[:2] == (9000, "derived")
    assert check.resolved_port == 9000
    assert said(check.interval)[:2] == (7, "derived")
    assert said(check.timeout)[:2] == (3, "derived")
    assert said(check.unhealthy_threshold)[:2] == (20, "derived")


def test_liveness_probe_stands_in_for_one_that_only_connects(routes: Routes) -> None:
    probes = "readinessProbe: {tcpSocket: {port: 8080}}\n          livenessProbe: {httpGet: {path: /live, port: 8080}}"
    check = check_of(routes(ingress(), service(), deployment(probes)))
    assert said(check.path)[:2] == ("/live", "derived")
    assert check.port is None


@pytest.mark.parametrize(
    ("probes", "ports", "why"),
    [
        (
            f"readinessProbe: {{{PROBE}}}",
            "{containerPort: 9000}",
            "no container of Deployment default/web declares port 8080, so no probe is taken over",
        ),
        (
            f"startupProbe: {{{PROBE}}}",
            "{containerPort: 8080}",
            "container `web` has neither a readiness nor a liveness probe that is an httpGet",
        ),
    ],
)
def test_says_why_no_probe_is_taken_over(routes: Routes, probes: str, ports: str, why: str) -> None:
    path = check_of(routes(ingress(), service(), deployment(probes, ports))).path
    assert path is not None
    assert path.why == f"the path of the Ingress; nothing sets health-probe-path, and {why}"


def test_annotations_come_first(routes: Routes) -> None:
    wished = (
        "backend-protocol: https\nhealth-probe-path: /up*\nhealth-probe-port: '9000'\nhealth-probe-hostname: b.example.com\n"
        "health-probe-status-codes: 200, 401\nhealth-probe-interval: '9'\nhealth-probe-timeout: '8'\n"
        "health-probe-unhealthy-threshold: '7'"
    )
    check = check_of(routes(ingress(wished), service(), deployment()))
    assert said(check.protocol) == ("HTTPS", "derived", "https")
    assert said(check.path) == ("/up", "explicit", "/up*")
    assert said(check.port) == (9000, "explicit", "'9000'")
    assert said(check.host) == ("b.example.com", "explicit", "b.example.com")
    assert said(check.codes) == ("200, 401", "explicit", "200, 401")
    assert [said(v)[:2] for v in (check.interval, check.timeout)] == [(9, "explicit"), (8, "explicit")]
    assert said(check.unhealthy_threshold)[:2] == (7, "explicit")


@pytest.mark.parametrize(
    ("port", "target", "probes", "expected"),
    [
        ("443", "8080", "", ("HTTPS", "derived")),
        ("80", "443", "", ("HTTPS", "derived")),
        ("443", "8080", f"readinessProbe: {{{PROBE}}}", ("HTTP", "derived")),
        ("80", "8080", "readinessProbe: {httpGet: {path: /, port: 443}}", ("HTTPS", "derived")),
    ],
)
def test_health_check_protocol(routes: Routes, port: str, target: str, probes: str, expected: tuple[str, str]) -> None:
    check = check_of(routes(ingress(port=port), service(port, target), deployment(probes)))
    assert said(check.protocol)[:2] == expected
