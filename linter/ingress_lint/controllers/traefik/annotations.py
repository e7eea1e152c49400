"""The annotations that Traefik reads on Ingresses (`router.*`) and on Services (`service.*`).

traefik/traefik:pkg/provider/kubernetes/ingress/annotations.go; keys are compared without case (paerser). What Traefik 1
read, and no later release: doc.traefik.io/traefik/v1.7/configuration/backends/kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

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
_OF_TRAEFIK_1: Final = """
    affinity app-root auth-forward-trust-headers auth-forward-url auth-header-field auth-realm auth-secret auth-tls-secret
    auth-type buffering circuit-breaker-expression error-pages frontend-entry-points load-balancer-method max-conn-amount
    max-conn-extractor-func pass-client-tls-cert pass-tls-cert preserve-host priority protocol rate-limit
    redirect-entry-point redirect-permanent redirect-regex redirect-replacement request-modifier
    responseforwarding-flushinterval rewrite-target rule-type service-weights session-cookie-name whitelist-source-range
    whitelist-x-forwarded-for
"""
_SUCCESSORS: Final = {
    "affinity": "service.sticky.cookie",
    "frontend-entry-points": "router.entrypoints",
    "pass-tls-cert": "router.middlewares",
    "preserve-host": "service.passhostheader",
    "priority": "router.priority",
    "protocol": "service.serversscheme",
    "redirect-entry-point": "router.middlewares",
    "rewrite-target": "router.middlewares",
    "rule-type": "router.pathmatcher",
    "session-cookie-name": "service.sticky.cookie.name",
    "whitelist-source-range": "router.middlewares",
}


def _specs() -> Iterator[AnnotationSpec]:
    for value_type, keys in _ROUTER_KEYS.items():
        yield from (AnnotationSpec(key, value_type) for key in keys.split())
    yield AnnotationSpec("router.pathmatcher", ValueType.ENUM, legal=("Path", "PathPrefix", "PathRegexp"))
    yield AnnotationSpec("router.observability.traceverbosity", ValueType.ENUM, legal=("minimal", "detailed"))
    yield AnnotationSpec("router.rulesyntax", ValueType.ENUM, legal=("v2", "v3"))
    for value_type, keys in _SERVICE_KEYS.items():
        yield from (AnnotationSpec(key, value_type, _SERVICE) for key in keys.split())
    yield AnnotationSpec("service.serversscheme", ValueType.ENUM, _SERVICE, legal=("http", "https", "h2c"))
    yield AnnotationSpec(
        "service.sticky.cookie.samesite", ValueType.ENUM, _SERVICE, legal=("none", "lax", "strict"), any_case=True
    )
    for key in _OF_TRAEFIK_1.split():
        yield AnnotationSpec(key, dropped="2.0", successor=_SUCCESSORS.get(key, "router.middlewares"))


ANNOTATIONS: Final = AnnotationTable((PREFIX,), _specs(), any_case=True, as_of="fd5a576df (2026-07-24)")
