"""Kong's own objects, as far as a request's way touches them (group configuration.konghq.com).

Kong/kubernetes-ingress-controller:pkg/apis/configuration/v1/kongingress_types.go and kongplugin_types.go, v1alpha1/
ingressclassparameters_types.go, v1beta1/kongupstreampolicy_types.go and tcpingress_types.go.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import Many, Model, Port


class HealthyTarget(Model):
    """When a target counts as healthy; an interval or a count of 0 is off."""

    http_statuses: Many[int] | None = field(default=None, name="httpStatuses")
    interval: int = 0
    successes: int = 0


class UnhealthyTarget(Model):
    """When a target counts as unhealthy; a count of 0 is off."""

    http_statuses: Many[int] | None = field(default=None, name="httpStatuses")
    http_failures: int = 0
    tcp_failures: int = 0
    timeouts: int = 0
    interval: int = 0


class ActiveHealthCheck(Model):
    """What Kong asks targets; times in seconds."""

    type: str | None = None
    http_path: str | None = None
    timeout: float | None = None
    healthy: HealthyTarget = HealthyTarget()
    unhealthy: UnhealthyTarget = UnhealthyTarget()


class HealthChecks(Model):
    """The health checks of a Kong upstream; only the active ones ask."""

    active: ActiveHealthCheck | None = None


class KongUpstreamPolicySpec(Model):
    """Settings of the Kong upstreams that are made for a Service."""

    health_checks: HealthChecks | None = field(default=None, name="healthchecks")


class KongUpstreamPolicy(Model):
    """A KongUpstreamPolicy, which a Service names in an annotation."""

    spec: KongUpstreamPolicySpec = KongUpstreamPolicySpec()


class LegacyHealthyTarget(HealthyTarget):
    """When a target counts as healthy, as a KongIngress writes it."""

    http_statuses: Many[int] | None = field(default=None, name="http_statuses")


class LegacyUnhealthyTarget(UnhealthyTarget):
    """When a target counts as unhealthy, as a KongIngress writes it."""

    http_statuses: Many[int] | None = field(default=None, name="http_statuses")
    http_failures: int = field(default=0, name="http_failures")
    tcp_failures: int = field(default=0, name="tcp_failures")


class LegacyActiveHealthCheck(ActiveHealthCheck):
    """What Kong asks targets, as a KongIngress writes it."""

    http_path: str | None = field(default=None, name="http_path")
    healthy: LegacyHealthyTarget = LegacyHealthyTarget()
    unhealthy: LegacyUnhealthyTarget = LegacyUnhealthyTarget()


class LegacyHealthChecks(HealthChecks):
    """The health checks of a Kong upstream, as a KongIngress writes them."""

    active: LegacyActiveHealthCheck | None = None


class KongIngressUpstream(Model):
    """Settings of a Kong upstream."""

    health_checks: LegacyHealthChecks | None = field(default=None, name="healthchecks")


class KongIngressProxy(Model):
    """Settings of a Kong service; times in milliseconds. Controllers before 3.0 only."""

    protocol: str | None = None
    path: str | None = None
    retries: int | None = None
    connect_timeout: int | None = field(default=None, name="connect_timeout")
    read_timeout: int | None = field(default=None, name="read_timeout")


class KongIngressRoute(Model):
    """Settings of a Kong route. Controllers before 3.0 only."""

    methods: Many[str] = ()
    protocols: Many[str] = ()
    strip_path: bool | None = field(default=None, name="strip_path")
    preserve_host: bool | None = field(default=None, name="preserve_host")
    https_redirect_status_code: int | None = field(default=None, name="https_redirect_status_code")


class KongIngress(Model):
    """A KongIngress, which an Ingress or a Service names in an annotation; it has no spec."""

    upstream: KongIngressUpstream | None = None
    proxy: KongIngressProxy | None = None
    route: KongIngressRoute | None = None


class KongPlugin(Model):
    """A KongPlugin or KongClusterPlugin, which routes and Services name in an annotation."""

    plugin: str = ""
    disabled: bool = False
    config: Any = None


class IngressClassParametersSpec(Model):
    """Settings for all Ingresses of a class."""

    service_upstream: bool = False
    enable_legacy_regex_detection: bool = False


class IngressClassParameters(Model):
    """What an IngressClass of Kong may refer to."""

    spec: IngressClassParametersSpec = IngressClassParametersSpec()


class StreamBackend(Model):
    """A Service behind connections or packets."""

    service_name: str
    service_port: Port


class StreamRule(Model, kw_only=True):
    """Where a port of Kong leads; `host` is the server name of TLS connections."""

    host: str | None = None
    port: Port
    backend: StreamBackend


class StreamTLS(Model):
    """The certificate that some server names get."""

    hosts: Many[str] = ()
    secret_name: str = ""


class StreamIngressSpec(Model):
    """The rules of a TCPIngress or UDPIngress."""

    rules: Many[StreamRule] = ()
    tls: Many[StreamTLS] = ()


class TCPIngress(Model):
    """A TCPIngress."""

    spec: StreamIngressSpec = StreamIngressSpec()


class UDPIngress(Model):
    """A UDPIngress."""

    spec: StreamIngressSpec = StreamIngressSpec()
