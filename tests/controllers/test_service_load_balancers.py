"""What Azure, DigitalOcean, Google and Oracle make of Services of type LoadBalancer."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.azure.load_balancer import AZURE_ANNOTATIONS
from ingress_lint.controllers.digitalocean.controller import DIGITALOCEAN_ANNOTATIONS
from ingress_lint.controllers.oracle.controller import ORACLE_ANNOTATIONS
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind
from tests.controllers.conftest import Routes, said

BETA = "service.beta.kubernetes.io"
AZURE = f"{BETA}/azure-load-balancer-internal: 'true'"
DIGITALOCEAN = f"{BETA}/do-loadbalancer-name: web"
GOOGLE = "cloud.google.com/l4-rbs: enabled"
ORACLE = "oci.oraclecloud.com/load-balancer-type: lb"
HTTP = "{name: http, port: 80, targetPort: 8080, nodePort: 30080}"
HTTPS = "{name: https, port: 443, targetPort: 8443, nodePort: 30443}"
LOCAL = "externalTrafficPolicy: Local"


def service(annotations: str, *spec: str, ports: str = HTTP, type_: str = "LoadBalancer") -> str:
    lines = "".join(f"    {line}\n" for line in annotations.splitlines())
    written = f"  annotations:\n{lines}" if lines else ""
    more = "".join(f"  {line}\n" for line in spec)
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n{written}spec:\n  type: {type_}\n{more}"
        f"  selector: {{app: web}}\n  ports: [{ports}]\n"
    )


def check_of(found: list[Route]) -> HealthCheck:
    check = found[0].backends[0].health_check
    assert check is not None
    return check


# -- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "local"),
    [
        (AZURE, "client"),
        (GOOGLE, "client"),
        (DIGITALOCEAN, "load-balancer"),
        (f"{BETA}/do-loadbalancer-type: REGIONAL_NETWORK", "client"),
        (ORACLE, "load-balancer"),
        ("oci.oraclecloud.com/load-balancer-type: nlb", None),
        (
            "oci.oraclecloud.com/load-balancer-type: nlb\noci-network-load-balancer.oraclecloud.com/is-preserve-source: 'true'",
            "client",
        ),
    ],
)
def test_whose_address_arrives(routes: Routes, annotations: str, local: str | None) -> None:
    (route,) = routes(service(annotations, LOCAL))
    found = route.backends[0].arrives_from
    assert (found.value if found else None) == local
    (route,) = routes(service(annotations))
    assert said(route.backends[0].arrives_from)[:2] == ("node", "derived")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (AZURE, None),
        (GOOGLE, None),
        (DIGITALOCEAN, None),
        (f"{BETA}/do-loadbalancer-enable-proxy-protocol: 'true'", "'true'"),
        (
            f"{BETA}/do-loadbalancer-enable-proxy-protocol: 'true'\n{BETA}/do-loadbalancer-hostname: lb.example.com",
            None,
        ),
        (ORACLE, None),
        (f"{ORACLE}\n{BETA}/oci-load-balancer-connection-proxy-protocol-version: '2'", "'2'"),
    ],
)
def test_hairpin(routes: Routes, annotations: str, expected: str | None) -> None:
    (route,) = routes(service(annotations, LOCAL))
    found = route.backends[0].hairpin
    assert (said(found)[2] if found else None) == expected


# -- claims ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (AZURE, "azure-load-balancer"),
        (f"{BETA}/port_80_health-probe_protocol: tcp", "azure-load-balancer"),
        (DIGITALOCEAN, "digitalocean-load-balancer"),
        ("kubernetes.digitalocean.com/load-balancer-id: 1234", "digitalocean-load-balancer"),
        (GOOGLE, "google-network-load-balancer"),
        ("networking.gke.io/load-balancer-type: Internal", "google-network-load-balancer"),
        (ORACLE, "oracle-load-balancer"),
        (f"{BETA}/oci-load-balancer-shape: flexible", "oracle-load-balancer"),
    ],
)
def test_annotations_tell_the_cloud(routes: Routes, annotation: str, name: str) -> None:
    (route,) = routes(service(annotation))
    value, origin, text = said(route.controller)
    assert (value, origin) == (name, "derived")
    assert annotation.endswith(text)


@pytest.mark.parametrize(
    "text",
    [
        service(""),
        service("example.com/team: shop"),
        service("cloud.google.com/neg: '{}'"),
        service("metallb.universe.tf/address-pool: web"),
        service(AZURE, type_="NodePort"),
        service(f"{AZURE}\n{GOOGLE}"),
        service(AZURE, "loadBalancerClass: example.com/other"),
        service(GOOGLE, "loadBalancerClass: tailscale"),
    ],
)
def test_claims_nothing_without_evidence_of_one_cloud(routes: Routes, text: str) -> None:
    assert routes(text) == []


def test_claims_by_load_balancer_class(routes: Routes) -> None:
    (route,) = routes(service("", "loadBalancerClass: networking.gke.io/l4-regional-external"))
    assert said(route.controller)[:2] == ("google-network-load-balancer", "explicit")


def test_several_clouds_leave_the_aws_routes_alone(routes: Routes) -> None:
    found = routes(service(f"{AZURE}\n{BETA}/aws-load-balancer-internal: 'true'"))
    assert [route.controller.value for route in found] == ["aws-load-balancer-controller"]


def test_service_annotations_claim_no_ingress(routes: Routes) -> None:
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n"
        f"    {AZURE}\nspec:\n  defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}\n"
    )
    found = routes(ingress, service(AZURE))
    assert {route.owner.kind: route.controller.value for route in found} == {
        "Ingress": "ingress-nginx",
        "Service": "azure-load-balancer",
    }


def test_a_route_for_each_port(routes: Routes) -> None:
    first, second = routes(service(AZURE, ports=f"{HTTP}, {{name: dns, port: 53, protocol: UDP}}"))
    assert [(item.port.value, item.protocol.value, item.instance) for item in first.listeners] == [
        (80, "TCP", "default/web")
    ]
    assert said(first.backends[0].port)[:2] == (80, "explicit")
    assert first.backends[0].protocol.value is AppProtocol.TCP
    assert (first.rule, second.rule) == (0, 1)
    assert second.backends[0].protocol.value is AppProtocol.UDP
    assert second.backends[0].health_check is None


def test_known_annotations() -> None:
    assert AZURE_ANNOTATIONS.spec(f"{BETA}/azure-load-balancer-tcp-idle-timeout") is not None
    assert not AZURE_ANNOTATIONS.covers(f"{BETA}/aws-load-balancer-type")
    assert DIGITALOCEAN_ANNOTATIONS.spec("service.kubernetes.io/do-loadbalancer-disown") is not None
    assert ORACLE_ANNOTATIONS.spec("oci.oraclecloud.com/load-balancer-type") is not None
    assert ORACLE_ANNOTATIONS.spec("oci.oraclecloud.com/health-check-retries") is None
    assert ORACLE_ANNOTATIONS.spec("oci-network-load-balancer.oraclecloud.com/health-check-retries") is not None


# -- Azure ----------------------------------------------------------------------------------------------------------


def azure(*lines: str) -> str:
    return "\n".join((AZURE, *(f"{BETA}/{line}" for line in lines)))


def with_protocol(name: str) -> str:
    return HTTP.replace("port: 80", f"appProtocol: {name}, port: 80", 1)


def test_azure_connects_by_default(routes: Routes) -> None:
    found = routes(service(AZURE))
    check = check_of(found)
    assert said(check.protocol)[:2] == ("TCP", "default")
    assert (check.path, check.codes, check.port, check.resolved_port) == (None, None, None, 30080)
    assert [said(v)[:2] for v in (check.interval, check.unhealthy_threshold)] == [(5, "default"), (2, "default")]
    assert check.target is TargetKind.NODE
    assert said(found[0].backends[0].timeouts.read)[:2] == (240, "default")
    assert said(found[0].backends[0].keep_alive.upstream_idle)[:2] == (240, "default")
    assert said(found[0].backends[0].proxy_protocol)[:2] == (False, "default")


@pytest.mark.parametrize(
    ("name", "annotations", "expected"),
    [
        ("http", (), ("HTTP", "derived")),
        ("HTTPS", (), ("HTTPS", "derived")),
        ("grpc", (), ("TCP", "derived")),
        ("kubernetes.io/h2c", (), ("TCP", "derived")),
        ("http", ("azure-load-balancer-health-probe-protocol: tcp",), ("HTTP", "derived")),
        ("http", ("port_80_health-probe_protocol: tcp",), ("TCP", "explicit")),
        ("null", ("azure-load-balancer-health-probe-protocol: Http",), ("HTTP", "explicit")),
        ("null", ("azure-load-balancer-health-probe-protocol: udp",), ("TCP", "explicit")),
    ],
)
def test_azure_probe_protocol(
    routes: Routes, name: str, annotations: tuple[str, ...], expected: tuple[str, str]
) -> None:
    check = check_of(routes(service(azure(*annotations), ports=with_protocol(name))))
    assert said(check.protocol)[:2] == expected


def test_azure_app_protocol_makes_it_ask_for_the_root(routes: Routes) -> None:
    check = check_of(routes(service(AZURE, ports=with_protocol("http"))))
    assert said(check.protocol)[2].startswith("http,")
    assert said(check.path) == ("/", "default", "annotations:")
    assert said(check.codes)[0] == "200"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (("azure-load-balancer-health-probe-request-path: /all",), "/all"),
        (
            ("azure-load-balancer-health-probe-request-path: /all", "port_80_health-probe_request-path: /one"),
            "/one",
        ),
    ],
)
def test_azure_probe_path(routes: Routes, annotations: tuple[str, ...], expected: str) -> None:
    check = check_of(routes(service(azure(*annotations), ports=with_protocol("http"))))
    assert said(check.path) == (expected, "explicit", expected)


def test_azure_asks_kube_proxy_with_the_local_policy(routes: Routes) -> None:
    text = azure("azure-load-balancer-health-probe-protocol: tcp")
    check = check_of(routes(service(text, LOCAL, "healthCheckNodePort: 31000")))
    assert said(check.protocol)[:2] == ("HTTP", "derived")
    assert said(check.path) == ("/healthz", "derived", "Local")
    assert said(check.port) == (31000, "derived", "31000")
    check = check_of(routes(service(text, LOCAL)))
    assert (said(check.port)[0], check.resolved_port) == ("healthCheckNodePort", None)


@pytest.mark.parametrize(
    ("annotations", "port", "number"),
    [
        (("port_80_health-probe_port: '443'",), "https", 30443),
        (("port_80_health-probe_port: HTTPS",), "https", 30443),
        (("port_80_health-probe_port: '80'",), None, 30080),
        (("port_80_health-probe_port: '10256'",), 10256, 10256),
        (("azure-pls-create: 'true'", "azure-pls-proxy-protocol: 'true'"), None, 30080),
    ],
)
def test_azure_ports_with_a_probe_of_their_own(
    routes: Routes, annotations: tuple[str, ...], port: str | int | None, number: int
) -> None:
    check = check_of(routes(service(azure(*annotations), LOCAL, ports=f"{HTTP}, {HTTPS}")))
    assert (check.port.value if check.port else None, check.resolved_port) == (port, number)
    assert check.protocol.value == "TCP"


def test_azure_ports_left_out(routes: Routes) -> None:
    assert routes(service(azure("port_80_no_lb_rule: 'true'"))) == []
    (route,) = routes(service(azure("port_80_no_probe_rule: 'true'")))
    assert route.backends[0].health_check is None


def test_azure_times_and_targets(routes: Routes) -> None:
    (route,) = routes(
        service(
            azure(
                "azure-load-balancer-tcp-idle-timeout: '30'",
                "azure-disable-load-balancer-floating-ip: 'true'",
                "azure-load-balancer-health-probe-interval: '9'",
                "port_80_health-probe_num-of-probe: '3'",
            )
        )
    )
    assert said(route.backends[0].timeouts.read)[:2] == (1800, "explicit")
    assert said(route.backends[0].target)[:2] == (TargetKind.NODE, "explicit")
    check = check_of([route])
    assert [said(v)[:2] for v in (check.interval, check.unhealthy_threshold)] == [(9, "explicit"), (3, "explicit")]
    (route,) = routes(service(AZURE))
    assert said(route.backends[0].target)[:2] == (TargetKind.PASSED_THROUGH, "default")


# -- DigitalOcean ---------------------------------------------------------------------------------------------------


def digitalocean(*lines: str) -> str:
    return "\n".join((DIGITALOCEAN, *(f"{BETA}/do-loadbalancer-{line}" for line in lines)))


def test_digitalocean_asks_kube_proxy_whatever_is_written(routes: Routes) -> None:
    text = digitalocean("healthcheck-path: /up", "healthcheck-port: '80'", "healthcheck-protocol: http")
    check = check_of(routes(service(text)))
    assert said(check.path)[:2] == ("/healthz", "default")
    assert (said(check.port)[0], check.resolved_port, check.target) == (10256, 10256, TargetKind.NODE)
    assert check.codes is None
    check = check_of(routes(service(text, LOCAL, "healthCheckNodePort: 31000")))
    assert said(check.port)[:2] == (31000, "derived")


@pytest.mark.parametrize(
    ("written", "protocol", "path"),
    [
        ((), "TCP", None),
        (("healthcheck-path: /up",), "HTTP", "/up"),
        (("healthcheck-protocol: http",), "HTTP", "/"),
        (("healthcheck-protocol: https", "healthcheck-path: /up"), "HTTPS", "/up"),
        (("healthcheck-protocol: tcp", "healthcheck-path: /up"), "TCP", None),
    ],
)
def test_digitalocean_override(routes: Routes, written: tuple[str, ...], protocol: str, path: str | None) -> None:
    check = check_of(routes(service(digitalocean("override-health-check: 'false'", *written))))
    assert (check.protocol.value, check.path.value if check.path else None) == (protocol, path)
    assert (check.port, check.resolved_port) == (None, 30080)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ((), [(None, 30080), (80, 30080)]),
        (("healthcheck-port: '443'",), [("https", 30443), (None, 30443)]),
        (("healthcheck-port: '30080'",), [(30080, None), (30080, None)]),
    ],
)
def test_digitalocean_check_port_is_one_for_all(
    routes: Routes, written: tuple[str, ...], expected: list[tuple[str | int | None, int | None]]
) -> None:
    text = digitalocean("override-health-check: 'true'", *written)
    checks = [route.backends[0].health_check for route in routes(service(text, ports=f"{HTTP}, {HTTPS}"))]
    assert [(c.port.value if c.port else None, c.resolved_port) for c in checks if c] == expected


def test_digitalocean_health_check_times(routes: Routes) -> None:
    check = check_of(routes(service(digitalocean("healthcheck-check-interval-seconds: '10'"))))
    assert [said(v)[:2] for v in (check.interval, check.timeout)] == [(10, "explicit"), (5, "default")]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [5, 3]


@pytest.mark.parametrize(
    ("written", "listeners", "protocols"),
    [
        ((), ["TCP", "TCP"], ["TCP", "TCP"]),
        (("protocol: http", "certificate-id: c"), ["HTTP", "HTTPS"], ["HTTP", "HTTP"]),
        (("protocol: http", "tls-ports: '443'", "tls-passthrough: 'true'"), ["HTTP", "HTTPS"], ["HTTP", "TLS"]),
        (("certificate-id: c", "tls-ports: '80'"), ["HTTPS", "TCP"], ["HTTP", "TCP"]),
        (("protocol: http", "type: REGIONAL_NETWORK"), ["TCP", "TCP"], ["TCP", "TCP"]),
    ],
)
def test_digitalocean_protocols(
    routes: Routes, written: tuple[str, ...], listeners: list[str], protocols: list[str]
) -> None:
    found = routes(service(digitalocean(*written), ports=f"{HTTP}, {HTTPS}"))
    assert [route.listeners[0].protocol.value for route in found] == listeners
    assert [route.backends[0].protocol.value.value for route in found] == protocols


def test_digitalocean_connections(routes: Routes) -> None:
    (route,) = routes(service(digitalocean("protocol: http", "enable-proxy-protocol: 'true'")))
    assert said(route.backends[0].proxy_protocol)[:2] == (True, "explicit")
    assert route.backends[0].keep_alive.upstream_disabled is None
    (route,) = routes(service(digitalocean("protocol: http", "enable-backend-keepalive: 'false'")))
    assert said(route.backends[0].keep_alive.upstream_disabled)[1:] == ("explicit", "'false'")
    assert said(route.backends[0].target)[:2] == (TargetKind.NODE, "default")
    (route,) = routes(service(digitalocean("type: REGIONAL_NETWORK")))
    assert said(route.backends[0].target)[:2] == (TargetKind.PASSED_THROUGH, "derived")


# -- Oracle ---------------------------------------------------------------------------------------------------------


def oracle(*lines: str) -> str:
    return "\n".join((ORACLE, *(f"{BETA}/oci-load-balancer-{line}" for line in lines)))


def test_oracle_asks_kube_proxy(routes: Routes) -> None:
    check = check_of(routes(service(oracle("health-check-interval: '20000'"))))
    assert said(check.path)[:2] == ("/healthz", "default")
    assert (said(check.port)[0], said(check.codes)[0]) == (10256, "200")
    assert [said(v)[:2] for v in (check.interval, check.timeout)] == [(20, "explicit"), (3, "default")]
    assert said(check.unhealthy_threshold)[:2] == (3, "default")
    check = check_of(routes(service(ORACLE, LOCAL, "healthCheckNodePort: 31000")))
    assert said(check.port)[:2] == (31000, "derived")


def test_oracle_network_load_balancer(routes: Routes) -> None:
    text = (
        "oci.oraclecloud.com/load-balancer-type: nlb\n"
        "oci-network-load-balancer.oraclecloud.com/health-check-retries: '5'\n"
        "oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled: 'true'\n"
        f"{BETA}/oci-load-balancer-backend-protocol: HTTP"
    )
    (route,) = routes(service(text))
    assert said(check_of([route]).unhealthy_threshold)[:2] == (5, "explicit")
    assert route.listeners[0].protocol.value == "TCP"
    assert said(route.backends[0].proxy_protocol)[:2] == (True, "explicit")
    assert route.backends[0].timeouts.read is None


@pytest.mark.parametrize(
    ("written", "listener", "protocol", "read", "idle"),
    [
        ((), "TCP", "TCP", 300, 300),
        (("backend-protocol: http",), "HTTP", "HTTP", 60, 300),
        (("backend-protocol: HTTP", "ssl-ports: '80'", "tls-secret: edge/cert"), "HTTPS", "HTTP", 60, 300),
        (
            ("backend-protocol: HTTP", "ssl-ports: '80'", "tls-secret: cert", "tls-backendset-secret: ca"),
            "HTTPS",
            "HTTPS",
            60,
            300,
        ),
        (("ssl-ports: '80'", "tls-secret: cert", "connection-idle-timeout: '90'"), "TLS", "TCP", 90, 90),
    ],
)
def test_oracle_protocols(
    routes: Routes, written: tuple[str, ...], listener: str, protocol: str, read: int, idle: int
) -> None:
    (route,) = routes(service(oracle(*written)))
    backend = route.backends[0]
    assert (route.listeners[0].protocol.value, backend.protocol.value.value) == (listener, protocol)
    assert said(backend.timeouts.read)[0] == read
    assert said(backend.keep_alive.upstream_idle)[0] == idle


def test_oracle_certificate(routes: Routes) -> None:
    (route,) = routes(service(oracle("ssl-ports: '80'", "tls-secret: edge/cert")))
    tls = route.listeners[0].tls
    assert tls is not None
    assert [(c.kind, c.namespace, c.name) for c in tls.certificates] == [("Secret", "edge", "cert")]
    (route,) = routes(service(oracle("connection-proxy-protocol-version: '2'")))
    assert said(route.backends[0].proxy_protocol)[:2] == (True, "explicit")


# -- Google ---------------------------------------------------------------------------------------------------------


def test_google_asks_kube_proxy(routes: Routes) -> None:
    (route,) = routes(service(GOOGLE))
    check = check_of([route])
    assert said(check.path)[:2] == ("/healthz", "default")
    assert (said(check.port)[0], said(check.codes)[0]) == (10256, "200")
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [8, 1]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [1, 3]
    assert said(route.backends[0].target)[:2] == (TargetKind.PASSED_THROUGH, "default")
    assert said(route.backends[0].proxy_protocol)[:2] == (False, "default")
