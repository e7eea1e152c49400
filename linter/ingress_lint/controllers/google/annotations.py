"""The annotations of GKE Ingress, for Ingresses and for the Services behind them.

Keys: kubernetes/ingress-gce:pkg/annotations/ingress.go and service.go. Under `cloud.google.com` and `networking.gke.io`
other parts of GKE read annotations of Services as well; the known ones are listed, so that they count as known.
"""

from __future__ import annotations

from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

_INGRESS: Final = frozenset({Scope.INGRESS})
_SERVICE: Final = frozenset({Scope.SERVICE})
_CLOUD: Final = "cloud.google.com"
_NETWORKING: Final = "networking.gke.io"
_GCP: Final = "ingress.gcp.kubernetes.io"

GKE_ANNOTATIONS: Final = AnnotationTable(
    (_CLOUD, _NETWORKING, _GCP, "beta.cloud.google.com"),
    (
        AnnotationSpec("managed-certificates", ValueType.LIST, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("certmap", ValueType.TEXT, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("v1beta1.FrontendConfig", ValueType.TEXT, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("suppress-firewall-xpn-error", ValueType.BOOLEAN, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("static-ip", ValueType.TEXT, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("pre-shared-cert", ValueType.LIST, _INGRESS, prefix=_GCP),
        AnnotationSpec("pre-shared-certs", ValueType.LIST, _INGRESS, prefix=_NETWORKING),
        AnnotationSpec("path-prefix-rewrite", ValueType.TEXT, _INGRESS, prefix=_GCP),
        AnnotationSpec("instance-groups", ValueType.JSON, _INGRESS, prefix=_GCP),
        AnnotationSpec("backend-config", ValueType.JSON, _SERVICE),
        AnnotationSpec("neg", ValueType.JSON, _SERVICE, prefix=_CLOUD),
        AnnotationSpec("neg-status", ValueType.JSON, _SERVICE, prefix=_CLOUD),
        AnnotationSpec("app-protocols", ValueType.JSON, _SERVICE, prefix=_CLOUD),
        AnnotationSpec("transparent-health-checker", ValueType.JSON, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("network-tier", ValueType.ENUM, _SERVICE, ("Premium", "Standard"), prefix=_CLOUD),
        AnnotationSpec("load-balancer-type", ValueType.ENUM, _SERVICE, ("Internal", "External"), any_case=True),
        AnnotationSpec("l4-rbs", ValueType.TEXT, _SERVICE, prefix=_CLOUD),
        AnnotationSpec("load-balancer-ip-addresses", ValueType.LIST, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("load-balancer-subnet", ValueType.TEXT, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("internal-load-balancer-allow-global-access", ValueType.BOOLEAN, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("internal-load-balancer-subnet", ValueType.TEXT, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("l4-strong-session-affinity", ValueType.TEXT, _SERVICE, prefix=_NETWORKING),
        AnnotationSpec("weighted-load-balancing", ValueType.TEXT, _SERVICE, prefix=_NETWORKING),
    ),
    closed=False,
    as_of="acbcf5d66 (2026-08-21)",
)

ALLOW_HTTP: Final = "kubernetes.io/ingress.allow-http"
OLD_APP_PROTOCOLS: Final = "service.alpha.kubernetes.io/app-protocols"
"""Read before `cloud.google.com/app-protocols`."""
