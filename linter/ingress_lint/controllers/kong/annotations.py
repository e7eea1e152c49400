"""The annotations of Kong, each for the kind of object where it is read.

Kong/kubernetes-ingress-controller:internal/annotations/annotations.go; which object is asked: internal/dataplane/
kongstate/route.go for Ingresses, service.go and upstream.go for Services. Two keys, of Kubernetes' own prefix, are
beside the table: `ingress.kubernetes.io/service-upstream` and `ingress.kubernetes.io/force-ssl-redirect`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

PREFIX: Final = "konghq.com"
FORCE_SSL_REDIRECT: Final = "ingress.kubernetes.io/force-ssl-redirect"
SERVICE_UPSTREAM: Final = "ingress.kubernetes.io/service-upstream"
PROTOCOLS: Final = ("http", "https", "grpc", "grpcs", "ws", "wss", "tls", "tcp", "tls_passthrough", "udp")
"""internal/util/protocol.go, ValidateProtocol."""

_INGRESS: Final = frozenset({Scope.INGRESS})
_SERVICE: Final = frozenset({Scope.SERVICE})
_BOTH: Final = _INGRESS | _SERVICE
_KEYS: Final = {
    (ValueType.TEXT, _INGRESS): "headers.* headers-separator regex-prefix rewrite path-handling",
    (ValueType.LIST, _INGRESS): "protocols methods snis host-aliases",
    (ValueType.BOOLEAN, _INGRESS): "strip-path preserve-host request-buffering response-buffering",
    (ValueType.INTEGER, _INGRESS): "regex-priority",
    (ValueType.TEXT, _SERVICE): "path host-header client-cert upstream-policy tls-verify tls-verify-depth",
    (ValueType.LIST, _SERVICE): "ca-certificates-secrets ca-certificates-configmaps ca-certificates",
    (ValueType.INTEGER, _SERVICE): "connect-timeout read-timeout write-timeout retries",
    (ValueType.TEXT, _BOTH): "override",
    (ValueType.LIST, _BOTH): "plugins tags",
}


def _specs() -> Iterator[AnnotationSpec]:
    for (value_type, scopes), keys in _KEYS.items():
        yield from (AnnotationSpec(key, value_type, scopes) for key in keys.split())
    codes = ("301", "302", "307", "308", "426")
    yield AnnotationSpec("https-redirect-status-code", ValueType.ENUM, _INGRESS, legal=codes)
    yield AnnotationSpec("protocol", ValueType.ENUM, _SERVICE, legal=PROTOCOLS)


ANNOTATIONS: Final = AnnotationTable((PREFIX,), _specs(), as_of="2026-08")
