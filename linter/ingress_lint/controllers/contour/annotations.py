"""The annotations of Contour.

projectcontour/contour:internal/annotation/annotations.go (annotationsByKind) and site/content/docs/main/config/
annotations.md. Keys of Kubernetes' own prefixes are beside the table: `ingress.kubernetes.io/force-ssl-redirect` and
`kubernetes.io/ingress.allow-http`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

PREFIX: Final = "projectcontour.io"
_OLD_PREFIX: Final = "contour.heptio.com"
FORCE_SSL_REDIRECT: Final = "ingress.kubernetes.io/force-ssl-redirect"
ALLOW_HTTP: Final = "kubernetes.io/ingress.allow-http"

_INGRESS: Final = frozenset({Scope.INGRESS})
_SERVICE: Final = frozenset({Scope.SERVICE})
_KEYS: Final = {
    (ValueType.TEXT, _INGRESS): """
        ingress.class retry-on tls-cert-namespace response-timeout request-timeout per-try-timeout
    """,
    (ValueType.INTEGER, _INGRESS): "num-retries",
    (ValueType.LIST, _INGRESS): "websocket-routes",
    (ValueType.LIST, _SERVICE): "upstream-protocol.*",
    (ValueType.INTEGER, _SERVICE): """
        max-connections max-pending-requests max-requests max-retries per-host-max-connections
    """,
}


def _specs() -> Iterator[AnnotationSpec]:
    for (value_type, scopes), keys in _KEYS.items():
        yield from (AnnotationSpec(key, value_type, scopes) for key in keys.split())
    yield AnnotationSpec("tls-minimum-protocol-version", ValueType.ENUM, _INGRESS, legal=("1.1", "1.2", "1.3"))
    yield AnnotationSpec("tls-maximum-protocol-version", ValueType.ENUM, _INGRESS, legal=("1.2", "1.3"))


ANNOTATIONS: Final = AnnotationTable((PREFIX, _OLD_PREFIX), _specs(), as_of="2026-08")
