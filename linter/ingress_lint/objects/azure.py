"""Policies of Azure Application Gateway for Containers (alb.networking.azure.io)."""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.gateway_policies import PolicyTarget
from ingress_lint.objects.model import Many, Model


class StatusCodes(Model):
    """A range of status codes, both ends included."""

    start: int | None = None
    end: int | None = None


class HTTPMatch(Model):
    """Which answers count as healthy."""

    status_codes: Many[StatusCodes] = ()


class HTTPSpecifiers(Model):
    """What a probe asks for over HTTP."""

    host: str | None = None
    path: str | None = None
    match: HTTPMatch | None = None


class HealthCheckPolicyConfig(Model):
    """A probe; times as Go writes them."""

    interval: str | None = None
    timeout: str | None = None
    healthy_threshold: int | None = None
    unhealthy_threshold: int | None = None
    port: int | None = None
    http: HTTPSpecifiers | None = None
    grpc: Any = None
    use_tls: bool | None = field(default=None, name="useTLS")


class HealthCheckPolicySpec(Model):
    """A Service and its probe."""

    target_ref: PolicyTarget
    default: HealthCheckPolicyConfig | None = None


class HealthCheckPolicy(Model):
    """A HealthCheckPolicy."""

    spec: HealthCheckPolicySpec


class RouteTimeouts(Model):
    """The deadline of a request, as Go writes it."""

    route_timeout: str | None = None


class RoutePolicyConfig(Model):
    """How requests of a route are treated."""

    timeouts: RouteTimeouts | None = None


class RoutePolicySpec(Model):
    """A route and how it is treated."""

    target_ref: PolicyTarget
    default: RoutePolicyConfig | None = None


class RoutePolicy(Model):
    """A RoutePolicy."""

    spec: RoutePolicySpec


class FrontendTLSPolicySpec(Model):
    """A Gateway and how its listeners speak TLS."""

    target_ref: PolicyTarget


class FrontendTLSPolicy(Model):
    """A FrontendTLSPolicy."""

    spec: FrontendTLSPolicySpec
