"""The annotations of the AWS Load Balancer Controller, for Ingresses (ALB) and for Services (NLB).

Keys: kubernetes-sigs/aws-load-balancer-controller:pkg/annotations/constants.go. Types, scopes and legal values:
docs/guide/ingress/annotations.md and docs/guide/service/annotations.md of the same repository. The Service keys that
only the in-tree AWS provider reads: kubernetes/cloud-provider-aws:docs/service_controller.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

_INGRESS: Final = frozenset({Scope.INGRESS})
_SERVICE: Final = frozenset({Scope.SERVICE})
_BOTH: Final = _INGRESS | _SERVICE

_INGRESS_TEXT: Final = (
    "acm-pca-arn",
    "customer-owned-ipv4-pool",
    "frontend-nlb-healthcheck-path",
    "frontend-nlb-healthcheck-port",
    "frontend-nlb-healthcheck-success-codes",
    "group.name",
    "ipam-ipv4-pool-id",
    "load-balancer-name",
    "minimum-load-balancer-capacity",
    "ssl-policy",
    "waf-acl-id",
    "wafv2-acl-arn",
    "wafv2-acl-name",
    "web-acl-id",
)
_INGRESS_LISTS: Final = (
    "certificate-arn",
    "frontend-nlb-attributes",
    "frontend-nlb-eip-allocations",
    "frontend-nlb-listener-port-mapping",
    "frontend-nlb-security-groups",
    "frontend-nlb-subnets",
    "frontend-nlb-tags",
    "inbound-cidrs",
    "listener-attributes.*",
    "load-balancer-attributes",
    "security-group-prefix-lists",
    "security-groups",
    "subnets",
)
_INGRESS_NUMBERS: Final = (
    "frontend-nlb-healthcheck-healthy-threshold-count",
    "frontend-nlb-healthcheck-interval-seconds",
    "frontend-nlb-healthcheck-timeout-seconds",
    "frontend-nlb-healthcheck-unhealthy-threshold-count",
    "group.order",
    "ssl-redirect",
)
_INGRESS_BOOLEANS: Final = (
    "create-acm-cert",
    "dry-run-plan",
    "enable-frontend-nlb",
    "manage-backend-security-group-rules",
    "shield-advanced-protection",
    "use-regex-path-match",
)
_INGRESS_JSON: Final = (
    "actions.*",
    "conditions.*",
    "jwt-validation",
    "listen-ports",
    "mutual-authentication",
    "transforms.*",
)
_TARGET_GROUP_NUMBERS: Final = (
    "auth-session-timeout",
    "healthcheck-interval-seconds",
    "healthcheck-timeout-seconds",
    "healthy-threshold-count",
    "target-control-port",
    "unhealthy-threshold-count",
)
_TARGET_GROUP_TEXT: Final = (
    "auth-scope",
    "auth-session-cookie",
    "healthcheck-path",
    "healthcheck-port",
    "success-codes",
)


def _alb_specs() -> Iterator[AnnotationSpec]:
    for kind, keys in (
        (ValueType.TEXT, _INGRESS_TEXT),
        (ValueType.LIST, _INGRESS_LISTS),
        (ValueType.INTEGER, _INGRESS_NUMBERS),
        (ValueType.BOOLEAN, _INGRESS_BOOLEANS),
        (ValueType.JSON, _INGRESS_JSON),
    ):
        for key in keys:
            yield AnnotationSpec(key, kind)
    for key in _TARGET_GROUP_NUMBERS:
        yield AnnotationSpec(key, ValueType.INTEGER, _BOTH)
    for key in _TARGET_GROUP_TEXT:
        yield AnnotationSpec(key, ValueType.TEXT, _BOTH)
    for key in ("tags", "target-group-attributes", "target-node-labels"):
        yield AnnotationSpec(key, ValueType.LIST, _BOTH)
    for key in ("auth-idp-cognito", "auth-idp-oidc"):
        yield AnnotationSpec(key, ValueType.JSON, _BOTH)
    yield AnnotationSpec("multi-cluster-target-group", ValueType.BOOLEAN, _BOTH)
    yield AnnotationSpec("scheme", ValueType.ENUM, _INGRESS, ("internal", "internet-facing"))
    yield AnnotationSpec("frontend-nlb-scheme", ValueType.ENUM, _INGRESS, ("internal", "internet-facing"))
    yield AnnotationSpec(
        "frontend-nlb-healthcheck-protocol", ValueType.ENUM, _INGRESS, ("HTTP", "HTTPS", "TCP"), any_case=True
    )
    yield AnnotationSpec(
        "ip-address-type", ValueType.ENUM, _INGRESS, ("ipv4", "dualstack", "dualstack-without-public-ipv4")
    )
    yield AnnotationSpec("target-type", ValueType.ENUM, _BOTH, ("instance", "ip"))
    yield AnnotationSpec("backend-protocol", ValueType.ENUM, _BOTH, ("HTTP", "HTTPS"))
    yield AnnotationSpec("backend-protocol-version", ValueType.ENUM, _BOTH, ("HTTP1", "HTTP2", "GRPC"))
    yield AnnotationSpec("healthcheck-protocol", ValueType.ENUM, _BOTH, ("HTTP", "HTTPS"))
    yield AnnotationSpec("auth-type", ValueType.ENUM, _BOTH, ("none", "oidc", "cognito"))
    yield AnnotationSpec("auth-on-unauthenticated-request", ValueType.ENUM, _BOTH, ("authenticate", "allow", "deny"))


_NAMESAKES: Final = frozenset(
    [
        "backend-keepalive",
        "backend-scheduler",
        "backend-scheduler-uch-value",
        "canary",
        "canary-by-cookie",
        "canary-by-header",
        "canary-by-header-value",
        "canary-weight",
        "cookie-timeout",
        "cors-allow-credentials",
        "cors-allow-headers",
        "cors-allow-methods",
        "cors-allow-origin",
        "cors-expose-headers",
        "cors-max-age",
        "enable-cors",
        "healthcheck-connect-port",
        "healthcheck-enabled",
        "healthcheck-httpcode",
        "healthcheck-method",
        "order",
        "rewrite-target",
        "rule-direction.*",
        "sticky-session",
        "sticky-session-type",
        "traffic-limit-qps",
        "use-regex",
    ]
)
"""What Alibaba Cloud's ALB Ingress Controller reads under the same prefix (its documentation, "ALB Ingress
configuration dictionary")."""

ALB_ANNOTATIONS: Final = AnnotationTable(
    ("alb.ingress.kubernetes.io",), tuple(_alb_specs()), namesakes=_NAMESAKES, as_of="225f44568 (2026-08-17)"
)

_NLB_STEM: Final = "aws-load-balancer-"
_NLB_TEXT: Final = (
    "access-log-s3-bucket-name",
    "access-log-s3-bucket-prefix",
    "healthcheck-path",
    "healthcheck-port",
    "healthcheck-success-codes",
    "internal",
    "minimum-load-balancer-capacity",
    "name",
    "ssl-negotiation-policy",
)
_NLB_LISTS: Final = (
    "additional-resource-tags",
    "attributes",
    "eip-allocations",
    "eip-allocations-discovery-tags",
    "extra-security-groups",
    "ipv6-addresses",
    "listener-attributes.*",
    "private-ipv4-addresses",
    "proxy-protocol-per-target-group",
    "quic-enabled-containers",
    "quic-enabled-ports",
    "security-group-prefix-lists",
    "security-groups",
    "source-nat-ipv6-prefixes",
    "ssl-cert",
    "ssl-ports",
    "subnets",
    "target-group-attributes",
    "target-node-labels",
)
_NLB_NUMBERS: Final = (
    "access-log-emit-interval",
    "connection-draining-timeout",
    "connection-idle-timeout",
    "healthcheck-healthy-threshold",
    "healthcheck-interval",
    "healthcheck-timeout",
    "healthcheck-unhealthy-threshold",
)
_NLB_BOOLEANS: Final = (
    "access-log-enabled",
    "connection-draining-enabled",
    "cross-zone-load-balancing-enabled",
    "disable-nlb-sg",
    "enable-icmp-for-path-mtu-discovery",
    "enable-tcp-udp-listener",
    "manage-backend-security-group-rules",
    "multi-cluster-target-group",
)


def _nlb_specs() -> Iterator[AnnotationSpec]:
    for kind, keys in (
        (ValueType.TEXT, _NLB_TEXT),
        (ValueType.LIST, _NLB_LISTS),
        (ValueType.INTEGER, _NLB_NUMBERS),
        (ValueType.BOOLEAN, _NLB_BOOLEANS),
    ):
        for key in keys:
            yield AnnotationSpec(_NLB_STEM + key, kind, _SERVICE)
    for key, legal in (
        ("alpn-policy", ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")),
        ("enable-prefix-for-ipv6-source-nat", ("on", "off")),
        ("inbound-sg-rules-on-private-link-traffic", ("on", "off")),
        ("ip-address-type", ("ipv4", "dualstack")),
        ("nlb-target-type", ("instance", "ip")),
        ("proxy-protocol", ("*",)),
        ("scheme", ("internal", "internet-facing")),
        ("type", ("nlb", "nlb-ip", "external", "elb", "clb", "classic")),
    ):
        yield AnnotationSpec(_NLB_STEM + key, ValueType.ENUM, _SERVICE, legal)
    protocols = ("http", "https", "ssl", "tcp")
    for key in ("backend-protocol", "healthcheck-protocol"):
        yield AnnotationSpec(_NLB_STEM + key, ValueType.ENUM, _SERVICE, protocols, any_case=True)


NLB_ANNOTATIONS: Final = AnnotationTable(
    ("service.beta.kubernetes.io", "service.kubernetes.io"),
    tuple(_nlb_specs()),
    _NLB_STEM,
    as_of="225f44568 (2026-08-17)",
)
