"""Every annotation and ConfigMap key of F5 NGINX Ingress Controller.

nginx/kubernetes-ingress:internal/configs/annotations.go and configmaps.go, and docs.nginx.com/nginx-ingress-controller/
configuration (advanced-configuration-with-annotations, configmap-resource). Keys that releases have
dropped are still listed: nobody can tell from a manifest which release runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

ORG: Final = "nginx.org"
COM: Final = "nginx.com"
MERGEABLE: Final = f"{ORG}/mergeable-ingress-type"
OLD_SSL_REDIRECT: Final = "ingress.kubernetes.io/ssl-redirect"

_INGRESS: Final = frozenset({Scope.INGRESS})
_CONFIG: Final = frozenset({Scope.CONFIG_MAP})
_BOTH: Final = _INGRESS | _CONFIG
_SHARED: Final = {
    ValueType.TEXT: """
        lb-method server-snippets location-snippets proxy-next-upstream ssl-ciphers limit-req-key limit-req-rate
        proxy-buffers app-root server-tokens
    """,
    ValueType.BOOLEAN: """
        redirect-to-https ssl-redirect ssl-prefer-server-ciphers proxy-buffering hsts hsts-include-subdomains
        hsts-behind-proxy
    """,
    ValueType.INTEGER: "keepalive max-fails max-conns hsts-max-age proxy-next-upstream-tries",
    ValueType.SIZE: """
        client-max-body-size client-body-buffer-size proxy-buffer-size proxy-busy-buffers-size upstream-zone-size
        proxy-max-temp-file-size limit-req-zone-size
    """,
    ValueType.DURATION: """
        proxy-connect-timeout proxy-read-timeout proxy-send-timeout proxy-next-upstream-timeout fail-timeout
    """,
    ValueType.LIST: "proxy-hide-headers proxy-pass-headers proxy-set-headers",
}
_OF_INGRESSES: Final = {
    ValueType.TEXT: """
        rewrites rewrite-target basic-auth-secret basic-auth-realm add-header add-header-inherit proxy-redirect-from
        proxy-redirect-to
    """,
    ValueType.BOOLEAN: "use-cluster-ip limit-req-no-delay limit-req-dry-run limit-req-scale",
    ValueType.INTEGER: "limit-req-delay limit-req-burst limit-req-reject-code",
    ValueType.LIST: "websocket-services ssl-services grpc-services listen-ports listen-ports-ssl custom-http-errors",
}
_UNDER_EITHER: Final = {ValueType.TEXT: "policies sticky-cookie-services"}
"""What releases read under both prefixes."""
_OF_PLUS: Final = {
    ValueType.TEXT: "jwt-realm jwt-key jwt-token jwt-login-url",
    ValueType.BOOLEAN: "health-checks health-checks-mandatory",
    ValueType.INTEGER: "health-checks-mandatory-queue",
    ValueType.DURATION: "slow-start",
}
_OF_CONFIG_MAPS: Final = {
    ValueType.TEXT: """
        access-log error-log-level log-format log-format-escaping stream-log-format stream-log-format-escaping
        main-snippets http-snippets stream-snippets main-template ingress-template virtualserver-template
        transportserver-template ssl-protocols ssl-dhparam-file default-server-return real-ip-header external-status-address
        worker-cpu-affinity worker-processes resolver-addresses
    """,
    ValueType.BOOLEAN: """
        http2 proxy-protocol real-ip-recursive access-log-off default-server-access-log-off resolver-ipv6 zone-sync
        otel-trace-in-http
    """,
    ValueType.INTEGER: """
        keepalive-requests worker-connections worker-rlimit-nofile server-names-hash-bucket-size
        server-names-hash-max-size map-hash-bucket-size map-hash-max-size variables-hash-bucket-size
        variables-hash-max-size zone-sync-port
    """,
    ValueType.DURATION: "keepalive-timeout worker-shutdown-timeout resolver-timeout resolver-valid",
    ValueType.LIST: "set-real-ip-from",
}


def _specs() -> Iterator[AnnotationSpec]:
    for tables, scopes, prefix in (
        (_SHARED, _BOTH, ORG),
        (_OF_INGRESSES, _INGRESS, ORG),
        (_UNDER_EITHER, _INGRESS, ""),
        (_OF_PLUS, _INGRESS, COM),
        (_OF_CONFIG_MAPS, _CONFIG, ORG),
    ):
        for value_type, keys in tables.items():
            yield from (AnnotationSpec(key, value_type, scopes, prefix=prefix) for key in keys.split())
    yield AnnotationSpec("mergeable-ingress-type", ValueType.ENUM, legal=("master", "minion"), prefix=ORG)
    regexes = ("case_sensitive", "case_insensitive", "exact")
    yield AnnotationSpec("path-regex", ValueType.ENUM, legal=regexes, prefix=ORG)
    codes = ("301", "302", "307", "308")
    yield AnnotationSpec("http-redirect-code", ValueType.ENUM, _BOTH, legal=codes, prefix=ORG)
    levels = ("info", "notice", "warn", "error")
    yield AnnotationSpec("limit-req-log-level", ValueType.ENUM, legal=levels, prefix=ORG)


ANNOTATIONS: Final = AnnotationTable((ORG, COM), _specs(), as_of="2026-09")

OF_THE_SERVER: Final = frozenset(
    {
        "proxy-hide-headers",
        "proxy-pass-headers",
        "redirect-to-https",
        "ssl-redirect",
        "http-redirect-code",
        "hsts",
        "hsts-max-age",
        "hsts-include-subdomains",
        "server-tokens",
        "listen-ports",
        "listen-ports-ssl",
        "server-snippets",
        "ssl-ciphers",
        "ssl-prefer-server-ciphers",
        "app-root",
        "keepalive",
    }
)
"""What holds for the whole host, so that only a master may say it (annotations.go, minionDenylist; ingress.go for the
number of kept connections)."""
INHERITED: Final = frozenset(
    {
        "proxy-connect-timeout",
        "proxy-read-timeout",
        "proxy-send-timeout",
        "client-max-body-size",
        "proxy-buffering",
        "proxy-buffers",
        "proxy-buffer-size",
        "proxy-busy-buffers-size",
        "proxy-max-temp-file-size",
        "upstream-zone-size",
        "location-snippets",
        "lb-method",
        "max-fails",
        "max-conns",
        "fail-timeout",
    }
)
"""What a minion has from its master unless it says otherwise (annotations.go, minionInheritanceList)."""
