"""The objects that tune GKE's load balancers: BackendConfig and FrontendConfig (cloud.google.com, networking.gke.io)."""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import ClosedModel, Model


class HealthCheckConfig(ClosedModel):
    """What replaces the health check that the controller would choose; times in seconds."""

    check_interval_sec: int | None = None
    timeout_sec: int | None = None
    healthy_threshold: int | None = None
    unhealthy_threshold: int | None = None
    type: str | None = None
    request_path: str | None = None
    port: int | None = None


class ConnectionDraining(Model):
    """How long a leaving backend may finish its requests, in seconds."""

    draining_timeout_sec: int | None = None


class BackendConfigSpec(ClosedModel):
    """Settings of the backend services made for a Service (kubernetes/ingress-gce:pkg/apis/backendconfig/v1/types.go)."""

    health_check: HealthCheckConfig | None = None
    timeout_sec: int | None = None
    connection_draining: ConnectionDraining | None = None
    custom_request_headers: Any = None
    custom_response_headers: Any = None
    cdn: Any = None
    iap: Any = None
    logging: Any = None
    security_policy: Any = None
    session_affinity: Any = None


class BackendConfig(Model):
    """A BackendConfig, which a Service names in an annotation."""

    spec: BackendConfigSpec = BackendConfigSpec()


class RedirectToHTTPS(Model):
    """Whether plain requests are sent to HTTPS."""

    enabled: bool = False
    response_code_name: str = "MOVED_PERMANENTLY_DEFAULT"


class FrontendConfigSpec(ClosedModel):
    """Settings of the load balancer's front side (kubernetes/ingress-gce:pkg/apis/frontendconfig/v1beta1/types.go)."""

    redirect_to_https: RedirectToHTTPS | None = field(default=None, name="redirectToHttps")
    ssl_policy: str | None = None


class FrontendConfig(Model):
    """A FrontendConfig, which an Ingress names in an annotation."""

    spec: FrontendConfigSpec = FrontendConfigSpec()
