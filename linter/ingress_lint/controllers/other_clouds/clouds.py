"""What a Service's annotations tell the load balancers of smaller clouds, and what these do where nobody tells them.

Each row names where it was read. What a source does not say is unknown here, and empty in the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

_TRUE: Final = frozenset({"true", "t", "1"})
"""Go's strconv.ParseBool, in lower case."""
_PROTOCOLS: Final[Mapping[str, str]] = {"tcp": "TCP", "http": "HTTP", "https": "HTTPS"}


class Check(Struct, frozen=True):
    """The keys of a health check, without the stem of the cloud's own; empty where there is none."""

    protocol: str = ""
    protocols: Mapping[str, str] = field(default_factory=lambda: _PROTOCOLS)
    """What it makes of the protocol that is written; others ask for no path and no connection that is known."""
    path: str = ""
    port: str = ""
    """A port of the nodes."""
    codes: str = ""
    interval: str = ""
    timeout: str = ""
    healthy: str = ""
    unhealthy: str = ""
    off: Mapping[str, str] = {}
    """Keys with the value that turns it off."""
    off_by_default: bool = False
    """Whether nobody asks unless the cluster's installation says so."""


class Cloud(Struct, frozen=True):
    """A cloud's load balancers. Keys are written without prefix and stem."""

    gateway: str
    prefix: str
    stem: str = ""
    proxy_protocol: tuple[str, ...] = ()
    """The keys that make it send PROXY protocol headers; none where it never does."""
    on: frozenset[str] = _TRUE
    """The words, in lower case, that turn it on; one of a list with commas is enough."""
    by_port: bool = False
    """Whether a list of the Service's ports may stand there instead."""
    proxy_ports: str = ""
    """The key that restricts it to a list of the Service's ports."""
    proxy_protocol_default: str = ""
    """The variable of its cloud controller manager that decides where none of the keys is written."""
    sends_unknown: bool = False
    """Whether something else than annotations decides it."""
    protocol: str = ""
    """The key of what it speaks for all ports: tcp, http or https, which ends TLS and goes on in plain HTTP."""
    opaque: tuple[str, ...] = ()
    """How the keys start that make it speak otherwise, in a way not told here."""
    check: Check | None = None
    local_by_kube_proxy: bool | None = None
    """Whether it asks kube-proxy for a Service that is local to nodes; None is unknown."""
    idle: str = ""
    """The key of how long a connection may be silent."""
    idle_unit: float = 1
    """The seconds of a bare number there."""
    idle_default: float | None = None
    udp: bool = True
    own_address: bool = False
    """Whether it opens connections of its own, so that packets come from its address."""
    hostname: str = ""
    """The key that takes its address out of the Service's status."""
    pods: tuple[str, str] | None = None
    """The key and value that make pods its targets, where anything does."""
    pods_known: bool = True
    """Whether it sends to nodes where that is not written."""


CLOUDS: Final[Mapping[str, Cloud]] = {
    # hetznercloud/hcloud-cloud-controller-manager:internal/annotation/load_balancer.go, internal/hcops/load_balancer.go,
    # docs/reference/load_balancer_envs.md
    "hetzner": Cloud(
        "Hetzner load balancer",
        "load-balancer.hetzner.cloud",
        proxy_protocol=("uses-proxyprotocol",),
        proxy_protocol_default="HCLOUD_LOAD_BALANCERS_USES_PROXYPROTOCOL",
        protocol="protocol",
        check=Check(
            protocol="health-check-protocol",
            path="health-check-http-path",
            port="health-check-port",
            interval="health-check-interval",
            timeout="health-check-timeout",
            unhealthy="health-check-retries",
        ),
        local_by_kube_proxy=False,
        udp=False,
        own_address=True,
        hostname="hostname",
    ),
    # scaleway/scaleway-cloud-controller-manager:docs/loadbalancer-annotations.md
    "scaleway": Cloud(
        "Scaleway load balancer",
        "service.beta.kubernetes.io",
        "scw-loadbalancer-",
        proxy_protocol=("proxy-protocol-v1", "proxy-protocol-v2"),
        on=_TRUE | {"*"},
        by_port=True,
        opaque=("protocol-http", "certificate-ids"),
        check=Check(
            protocol="health-check-type",
            path="health-check-http-uri",
            codes="health-check-http-code",
            interval="health-check-delay",
            timeout="health-check-timeout",
            unhealthy="health-check-max-retries",
        ),
        idle="timeout-client",
        idle_default=600,
        own_address=True,
        hostname="use-hostname",
    ),
    # linode/linode-cloud-controller-manager:README.md, docs/configuration/annotations.md
    "linode": Cloud(
        "Linode NodeBalancer",
        "service.beta.kubernetes.io",
        "linode-loadbalancer-",
        proxy_protocol=("proxy-protocol", "default-proxy-protocol"),
        on=frozenset({"v1", "v2"}),
        protocol="default-protocol",
        opaque=("port-", "protocol", "tls"),
        check=Check(
            protocol="check-type",
            protocols={"connection": "TCP", "http": "HTTP", "http_body": "HTTP"},
            path="check-path",
            interval="check-interval",
            timeout="check-timeout",
            unhealthy="check-attempts",
            off={"check-type": "none"},
        ),
        own_address=True,
        hostname="hostname-only-ingress",
    ),
    # kubernetes/cloud-provider-openstack:docs/openstack-cloud-controller-manager/
    # expose-applications-using-loadbalancer-type-service.md; OVHcloud runs it too
    "openstack": Cloud(
        "Octavia load balancer",
        "loadbalancer.openstack.org",
        proxy_protocol=("proxy-protocol",),
        on=_TRUE | {"v1", "v2"},
        opaque=("default-tls-container-ref", "x-forwarded-for"),
        check=Check(off_by_default=True),
        idle="timeout-client-data",
        idle_unit=0.001,
        idle_default=50,
        own_address=True,
    ),
    # help.ovhcloud.com: Expose your applications using OVHcloud Public Cloud Load Balancer (before Kubernetes 1.31)
    "ovh": Cloud(
        "OVHcloud load balancer",
        "service.beta.kubernetes.io",
        "ovh-loadbalancer-",
        proxy_protocol=("proxy-protocol",),
        on=frozenset({"v1", "v2", "v2-ssl", "v2-ssl-cn"}),
        own_address=True,
    ),
    # vultr/vultr-cloud-controller-manager:docs/load-balancers.md
    "vultr": Cloud(
        "Vultr load balancer",
        "service.beta.kubernetes.io",
        "vultr-loadbalancer-",
        proxy_protocol=("proxy-protocol",),
        protocol="protocol",
        opaque=("https-ports", "ssl", "backend-protocol"),
        check=Check(
            protocol="healthcheck-protocol",
            path="healthcheck-path",
            port="healthcheck-port",
            interval="healthcheck-check-interval",
            timeout="healthcheck-response-timeout",
            healthy="healthcheck-healthy-threshold",
            unhealthy="healthcheck-unhealthy-threshold",
        ),
        idle="timeout",
        idle_default=600,
        own_address=True,
        hostname="hostname",
    ),
    # exoscale/exoscale-cloud-controller-manager:docs/service-loadbalancer.md
    "exoscale": Cloud(
        "Exoscale load balancer",
        "service.beta.kubernetes.io",
        "exoscale-loadbalancer-",
        check=Check(
            protocol="service-healthcheck-mode",
            path="service-healthcheck-uri",
            interval="service-healthcheck-interval",
            timeout="service-healthcheck-timeout",
            unhealthy="service-healthcheck-retries",
        ),
        udp=False,
    ),
    # cloud.ibm.com/docs/containers: vpclb_manage, vpclb-advanced-health-checks; with
    # externalTrafficPolicy Local the check asks kube-proxy
    "ibm": Cloud(
        "IBM Cloud load balancer",
        "service.kubernetes.io",
        "ibm-load-balancer-cloud-provider-",
        proxy_protocol=("enable-features",),
        on=frozenset({"proxy-protocol"}),
        check=Check(
            protocol="vpc-health-check-protocol",
            path="vpc-health-check-path",
            port="vpc-health-check-port",
            interval="vpc-health-check-delay",
            timeout="vpc-health-check-timeout",
            unhealthy="vpc-health-check-retries",
        ),
        local_by_kube_proxy=True,
        idle="vpc-idle-connection-timeout",
        idle_default=50,
    ),
    # alibabacloud.com/help, Container Service for Kubernetes: Add annotations to the YAML file of a Service
    "alibaba": Cloud(
        "Alibaba Cloud load balancer",
        "service.beta.kubernetes.io",
        "alibaba-cloud-loadbalancer-",
        proxy_protocol=("proxy-protocol",),
        on=frozenset({"on"}),
        opaque=("protocol-port", "cert-id"),
        check=Check(
            protocol="health-check-type",
            path="health-check-uri",
            port="health-check-connect-port",
            interval="health-check-interval",
            timeout="health-check-timeout",
            healthy="healthy-threshold",
            unhealthy="unhealthy-threshold",
            off={"health-check-flag": "off", "health-check-switch": "off"},
        ),
        idle="idle-timeout",
        pods_known=False,
    ),
    # cloud.tencent.com/document/product/457: annotations of Services; a TkeServiceConfig decides of the rest
    "tencent": Cloud(
        "Tencent Cloud load balancer",
        "service.cloud.tencent.com",
        sends_unknown=True,
        pods=("direct-access", "true"),
    ),
    # civo/civo-cloud-controller-manager:README.md; with the PROXY protocol its status has a name and no address
    "civo": Cloud(
        "Civo load balancer",
        "kubernetes.civo.com",
        "loadbalancer-",
        proxy_protocol=("enable-proxy-protocol",),
        on=frozenset({"send-proxy", "send-proxy-v2"}),
        own_address=True,
    ),
    # stackitcloud/cloud-provider-stackit:docs/load-balancer.md
    "stackit": Cloud(
        "STACKIT load balancer",
        "lb.stackit.cloud",
        proxy_protocol=("tcp-proxy-protocol",),
        proxy_ports="tcp-proxy-protocol-ports-filter",
        idle="tcp-idle-timeout",
        idle_default=3600,
    ),
}
"""The clouds by the name of their evidence."""
CLASSES: Final[Mapping[str, str]] = {"alibabacloud.com/nlb": "alibaba"}
"""Which `loadBalancerClass` means which cloud."""
