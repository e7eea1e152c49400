"""The object that tunes the AWS Load Balancer Controller for a whole class: IngressClassParams (elbv2.k8s.aws)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ingress_lint.objects.model import Many, Model


class IngressGroup(Model):
    """The group that all Ingresses of the class belong to, which share one load balancer."""

    name: str = ""


class Attribute(Model):
    """A load balancer attribute, as AWS names it."""

    key: str = ""
    value: str = ""


class IngressClassParamsSpec(Model):
    """What all Ingresses of the class get; each field beats the annotation of the same meaning."""

    group: IngressGroup | None = None
    scheme: Literal["internal", "internet-facing"] | None = None
    target_type: Literal["instance", "ip"] | None = None
    certificate_arn: Many[str] = ()
    inbound_cidrs: Any = field(default=None, name="inboundCIDRs")
    load_balancer_attributes: Many[Attribute] = ()
    manage_backend_security_group_rules: bool | None = None


class IngressClassParams(Model):
    """The parameters of an IngressClass."""

    spec: IngressClassParamsSpec = IngressClassParamsSpec()
