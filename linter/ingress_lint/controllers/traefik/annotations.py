"""The annotations that Traefik reads on Ingresses (`router.*`) and on Services (`service.*`).

traefik/traefik:pkg/provider/kubernetes/ingress/annotations.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

PREFIX: Final = "traefik.ingress.kubernetes.io"

_SERVICE: Final = frozenset({Scope.SERVICE})
_ROUTER_KEYS: Final = {
    ValueType.TEXT: "router.tls.certresolver router.tls.options router.tls.domains.*",
    ValueType.BOOLEAN: """
        router.tls router.observability.accesslogs router.observability.metrics router.observability.tracing
    """,
    ValueType.INTEGER: "router.priority",
    ValueType.LIST: "router.entrypoints router.middlewares",
}
_SERVICE_KEYS: Final = {
    ValueType.TEXT: """
        service.serverstransport service.sticky.cookie.name service.sticky.cookie.path service.sticky.cookie.domain
    """,
    ValueType.BOOLEAN: """
        service.nativelb service.nodeportlb service.passhostheader service.sticky.cookie service.sticky.cookie.secure
        service.sticky.cookie.httponly service.sticky service.sticky.cookie.partitioned
    """,
    ValueType.INTEGER: "service.sticky.cookie.maxage",
}


def _specs() -> Iterator[AnnotationSpec]:
    for value_type, keys in _ROUTER_KEYS.items():
        yield from (AnnotationSpec(key, value_type) for key in keys.split())
    yield AnnotationSpec("router.pathmatcher", ValueType.ENUM, legal=("Path", "PathPrefix", "PathRegexp"))
    yield AnnotationSpec("router.rulesyntax", ValueType.ENUM, legal=("v2", "v3"))
    for value_type, keys in _SERVICE_KEYS.items():
        yield from (AnnotationSpec(key, value_type, _SERVICE) for key in keys.split())
    yield AnnotationSpec("service.serversscheme", ValueType.ENUM, _SERVICE, legal=("http", "https", "h2c"))
    yield AnnotationSpec(
        "service.sticky.cookie.samesite", ValueType.ENUM, _SERVICE, legal=("none", "lax", "strict"), any_case=True
    )


ANNOTATIONS: Final = AnnotationTable((PREFIX,), _specs())
