"""What the table of smaller clouds makes of Services of type LoadBalancer."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.other_clouds.clouds import CLOUDS
from ingress_lint.routes.traffic import TargetKind
from tests.controllers.conftest import Routes, said
from tests.controllers.test_service_load_balancers import HTTP, LOCAL, check_of, service

BETA = "service.beta.kubernetes.io"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_row_has_its_evidence(routes: Routes, cloud: str) -> None:
    row = CLOUDS[cloud]
    (route,) = routes(service(f"{row.prefix}/{row.stem}{row.idle or 'name'}: '60'"))
    assert route.gateway == row.gateway


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        ("load-balancer.hetzner.cloud/uses-proxyprotocol: 'true'", True),
        ("load-balancer.hetzner.cloud/uses-proxyprotocol: 'false'", False),
        (f"{BETA}/scw-loadbalancer-proxy-protocol-v1: '*'", True),
        (f"{BETA}/scw-loadbalancer-proxy-protocol-v2: 443,80", True),
        (f"{BETA}/scw-loadbalancer-proxy-protocol-v2: '443'", False),
        (f"{BETA}/linode-loadbalancer-proxy-protocol: v1", True),
        (f"{BETA}/linode-loadbalancer-proxy-protocol: none", False),
        (f'{BETA}/linode-loadbalancer-port-80: \'{{"proxy-protocol": "v2"}}\'', None),
        ("loadbalancer.openstack.org/proxy-protocol: 'true'", True),
        (f"{BETA}/ovh-loadbalancer-proxy-protocol: v2", True),
        (f"{BETA}/vultr-loadbalancer-proxy-protocol: 'true'", True),
        (f"{BETA}/exoscale-loadbalancer-name: web", False),
        ("service.kubernetes.io/ibm-load-balancer-cloud-provider-enable-features: proxy-protocol", True),
        (f"{BETA}/alibaba-cloud-loadbalancer-proxy-protocol: 'on'", True),
        ("service.cloud.tencent.com/direct-access: 'true'", None),
        ("kubernetes.civo.com/loadbalancer-enable-proxy-protocol: send-proxy-v2", True),
        ("lb.stackit.cloud/tcp-proxy-protocol: 'true'", True),
        ("lb.stackit.cloud/tcp-proxy-protocol: 'true'\nlb.stackit.cloud/tcp-proxy-protocol-ports-filter: '443'", False),
    ],
)
def test_proxy_protocol(routes: Routes, annotation: str, sent: bool | None) -> None:
    (route,) = routes(service(annotation))
    found = route.backends[0].proxy_protocol
    assert (found.value if found else None) is sent


def test_check_by_the_keys_of_the_row(routes: Routes) -> None:
    stem = f"{BETA}/vultr-loadbalancer-healthcheck"
    check = check_of(routes(service(f"{stem}-protocol: http\n{stem}-path: /up\n{stem}-port: '30080'")))
    assert (check.protocol.value, check.path and check.path.value, check.resolved_port) == ("HTTP", "/up", 30080)
    check = check_of(routes(service(f"{stem}-check-interval: '15'")))
    assert (check.protocol.value, check.path, check.port) == ("TCP", None, None)
    assert said(check.interval)[0] == 15


def test_check_of_one_port(routes: Routes) -> None:
    stem = f"{BETA}/scw-loadbalancer-health-check"
    written = f"{stem}-type: 80:http;443:https\n{stem}-http-uri: 80:shop.example.com/up\n{stem}-delay: 1m30s"
    check = check_of(routes(service(written)))
    assert (check.protocol.value, check.path and check.path.value, said(check.interval)[0]) == ("HTTP", "/up", 90)


@pytest.mark.parametrize(
    ("annotation", "protocol"),
    [
        (f"{BETA}/linode-loadbalancer-check-type: none", None),
        (f"{BETA}/scw-loadbalancer-health-check-type: mysql", None),
        (f"{BETA}/alibaba-cloud-loadbalancer-health-check-flag: 'off'", None),
        ("loadbalancer.openstack.org/class: internal", None),
        ("load-balancer.hetzner.cloud/protocol: http", None),
        ("load-balancer.hetzner.cloud/name: web", "TCP"),
    ],
)
def test_checks_that_are_not_known(routes: Routes, annotation: str, protocol: str | None) -> None:
    check = routes(service(annotation))[0].backends[0].health_check
    assert (check.protocol.value if check else None) == protocol


def test_local_to_nodes(routes: Routes) -> None:
    ibm = "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: public"
    assert said(check_of(routes(service(ibm, LOCAL))).path)[0] == "/healthz"
    assert check_of(routes(service("load-balancer.hetzner.cloud/name: web", LOCAL))).protocol.value == "TCP"
    assert routes(service(f"{BETA}/vultr-loadbalancer-label: web", LOCAL))[0].backends[0].health_check is None


def test_targets_and_transports(routes: Routes) -> None:
    tencent = "service.cloud.tencent.com/direct-access: 'true'"
    assert routes(service(tencent))[0].backends[0].target.value is TargetKind.POD
    alibaba = "alibabacloud.com/nlb"
    (route,) = routes(service("", f"loadBalancerClass: {alibaba}"))
    assert (route.gateway, route.backends[0].target.value) == ("Alibaba Cloud load balancer", TargetKind.NODE_OR_POD)
    udp = HTTP.replace("port: 80", "protocol: UDP, port: 80")
    assert not routes(service("load-balancer.hetzner.cloud/name: web", ports=udp))


def test_what_is_kept_open(routes: Routes) -> None:
    (route,) = routes(service("loadbalancer.openstack.org/timeout-client-data: '120000'"))
    assert said(route.backends[0].timeouts.read)[0] == 120
    (route,) = routes(service("lb.stackit.cloud/tcp-idle-timeout: 5m"))
    assert said(route.backends[0].keep_alive.client_idle)[0] == 300


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (f"{BETA}/vultr-loadbalancer-proxy-protocol: 'true'", True),
        (
            f"{BETA}/vultr-loadbalancer-proxy-protocol: 'true'\n{BETA}/vultr-loadbalancer-hostname: lb.example.com",
            False,
        ),
        ("loadbalancer.openstack.org/proxy-protocol: 'true'", False),
    ],
)
def test_way_back_through_the_load_balancer(routes: Routes, annotation: str, told: bool) -> None:
    assert (routes(service(annotation))[0].backends[0].hairpin is not None) is told
