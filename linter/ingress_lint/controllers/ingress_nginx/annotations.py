"""Every annotation and ConfigMap key that ingress-nginx knows.

kubernetes/ingress-nginx:docs/user-guide/nginx-configuration/{annotations,annotations-risk,configmap}.md and
internal/ingress/annotations/*/main.go. Keys that releases since 1.0 have dropped (opentracing, influxdb, global rate
limits, Modsecurity's neighbours) are still listed: nobody can tell from a manifest which release runs. Those dropped
before 1.0, by Changelog.md: no release that serves networking.k8s.io/v1 reads them. The namesakes are of Alibaba Cloud's
build of it (alibabacloud.com/help/en/ack, "NGINX Ingress canary rules").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

PREFIX: Final = "nginx.ingress.kubernetes.io"

_ANNOTATIONS: Final[dict[ValueType, str]] = {
    ValueType.TEXT: """
        app-root auth-cache-key auth-proxy-set-headers auth-realm auth-request-redirect auth-secret auth-signin
        auth-signin-redirect-param auth-snippet auth-tls-error-page auth-tls-match-cn auth-tls-secret auth-url
        canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value configuration-snippet
        connection-proxy-header custom-headers default-backend fastcgi-index fastcgi-params-configmap
        global-rate-limit-key influxdb-host influxdb-measurement influxdb-port influxdb-server-name mirror-host
        mirror-target modsecurity-snippet modsecurity-transaction-id opentelemetry-operation-name permanent-redirect
        proxy-cookie-domain proxy-cookie-path proxy-redirect-from proxy-redirect-to proxy-ssl-ciphers proxy-ssl-name
        proxy-ssl-protocols proxy-ssl-secret rewrite-target server-snippet session-cookie-domain session-cookie-name
        session-cookie-path ssl-ciphers stream-snippet temporal-redirect upstream-hash-by upstream-vhost
        x-forwarded-prefix
    """,
    ValueType.BOOLEAN: """
        auth-always-set-cookie auth-keepalive-share-vars auth-tls-pass-certificate-to-upstream canary
        cors-allow-credentials disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth
        enable-influxdb enable-modsecurity enable-opentelemetry enable-opentracing enable-owasp-core-rules
        enable-rewrite-log force-ssl-redirect from-to-www-redirect http2-push-preload
        opentelemetry-trust-incoming-span opentracing-trust-incoming-span preserve-trailing-slash relative-redirects
        service-upstream session-cookie-change-on-failure session-cookie-conditional-samesite-none
        session-cookie-partitioned session-cookie-secure ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
        upstream-hash-by-subset use-port-in-redirects use-regex
    """,
    ValueType.INTEGER: """
        auth-keepalive auth-keepalive-requests auth-keepalive-timeout auth-tls-verify-depth canary-weight
        canary-weight-total cors-max-age global-rate-limit limit-burst-multiplier limit-connections limit-rate
        limit-rate-after limit-rpm limit-rps permanent-redirect-code proxy-buffers-number proxy-connect-timeout
        proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout proxy-send-timeout
        proxy-ssl-verify-depth session-cookie-expires session-cookie-max-age temporal-redirect-code
        upstream-hash-by-subset-size
    """,
    ValueType.SIZE: """
        client-body-buffer-size proxy-body-size proxy-buffer-size proxy-busy-buffers-size proxy-max-temp-file-size
    """,
    ValueType.DURATION: "auth-cache-duration global-rate-limit-window",
    ValueType.LIST: """
        allowlist-source-range auth-response-headers cors-allow-headers cors-allow-methods cors-allow-origin
        cors-expose-headers custom-http-errors denylist-source-range global-rate-limit-ignored-cidrs limit-allowlist
        limit-whitelist proxy-next-upstream server-alias whitelist-source-range
    """,
}

_ON_OFF: Final = ("on", "off")
_LEGAL: Final[dict[str, tuple[str, ...]]] = {
    "affinity": ("cookie",),
    "affinity-canary-behavior": ("sticky", "legacy"),
    "affinity-mode": ("balanced", "persistent"),
    "auth-method": ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"),
    "auth-secret-type": ("auth-file", "auth-map"),
    "auth-tls-verify-client": ("on", "off", "optional", "optional_no_ca"),
    "auth-type": ("basic", "digest"),
    "backend-protocol": ("HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "FCGI"),
    "load-balance": ("round_robin", "ewma", "chash", "chashsubset", "sticky_balanced", "sticky_persistent"),
    "mirror-request-body": _ON_OFF,
    "proxy-buffering": _ON_OFF,
    "proxy-http-version": ("1.0", "1.1"),
    "proxy-request-buffering": _ON_OFF,
    "proxy-ssl-server-name": _ON_OFF,
    "proxy-ssl-verify": _ON_OFF,
    "satisfy": ("any", "all"),
    "session-cookie-samesite": ("None", "Lax", "Strict"),
}
_ANY_CASE: Final = frozenset({"backend-protocol", "session-cookie-samesite"})

_SETTINGS: Final[dict[ValueType, str]] = {
    ValueType.TEXT: """
        access-log-params access-log-path add-headers annotation-value-word-blocklist annotations-risk-level app-root
        brotli-types datadog-collector-host datadog-environment datadog-operation-name-override datadog-service-name
        default-type error-log-level error-log-path forwarded-for-header geoip2-autoreload-in-minutes
        global-auth-cache-duration global-auth-cache-key global-auth-method global-auth-request-redirect
        global-auth-signin global-auth-signin-redirect-param global-auth-snippet global-auth-url
        global-rate-limit-memcached-host gzip-disable gzip-types http-access-log-path http-snippet
        jaeger-baggage-header jaeger-collector-host jaeger-debug-header jaeger-endpoint jaeger-propagation-format
        jaeger-sampler-host jaeger-sampler-type jaeger-service-name jaeger-trace-baggage-header-prefix
        jaeger-trace-context-header-name large-client-header-buffers limit-conn-zone-variable load-balance
        location-snippet log-format-stream log-format-upstream lua-shared-dicts main-snippet modsecurity-snippet
        no-auth-locations no-tls-redirect-locations opentelemetry-config opentelemetry-operation-name
        opentracing-location-operation-name opentracing-operation-name otel-sampler otel-service-name
        otlp-collector-host otlp-collector-port proxy-cookie-domain proxy-cookie-path proxy-redirect-from
        proxy-redirect-to proxy-set-headers server-snippet ssl-ciphers ssl-dh-param ssl-ecdh-curve ssl-protocols
        ssl-session-ticket-key stream-access-log-path stream-snippet syslog-host upstream-hash-by worker-cpu-affinity
        worker-processes zipkin-collector-host zipkin-service-name
    """,
    ValueType.BOOLEAN: """
        allow-backend-server-header allow-cross-namespace-resources allow-snippet-annotations
        compute-full-forwarded-for datadog-priority-sampling disable-access-log disable-http-access-log disable-ipv6
        disable-ipv6-dns disable-proxy-intercept-errors disable-stream-access-log
        enable-access-log-for-default-backend enable-aio-write enable-auth-access-log enable-brotli
        enable-modsecurity enable-multi-accept enable-ocsp enable-opentelemetry enable-opentracing
        enable-owasp-modsecurity-crs enable-real-ip enable-syslog enable-underscores-in-headers force-ssl-redirect
        generate-request-id global-auth-always-set-cookie hsts hsts-include-subdomains hsts-preload
        ignore-invalid-headers log-format-escape-json log-format-escape-none opentelemetry-trust-incoming-span
        opentracing-trust-incoming-span otel-sampler-parent-based preserve-trailing-slash
        proxy-add-original-uri-header proxy-ssl-location-only proxy-stream-next-upstream relative-redirects
        retry-non-idempotent reuse-port server-tokens service-upstream ssl-early-data ssl-redirect
        ssl-reject-handshake ssl-session-cache ssl-session-tickets strict-validate-path-type upstream-hash-by-subset
        use-forwarded-headers use-geoip use-geoip2 use-gzip use-http2 use-port-in-redirects use-proxy-protocol
    """,
    ValueType.INTEGER: """
        brotli-level brotli-min-length client-body-timeout client-header-timeout datadog-collector-port
        global-rate-limit-memcached-connect-timeout global-rate-limit-memcached-max-idle-timeout
        global-rate-limit-memcached-pool-size global-rate-limit-memcached-port global-rate-limit-status-code
        grpc-buffer-size-kb gzip-level gzip-min-length hsts-max-age http-redirect-code http2-max-concurrent-streams
        http2-max-requests jaeger-collector-port jaeger-sampler-port keep-alive keep-alive-requests
        limit-conn-status-code limit-rate limit-rate-after limit-req-status-code map-hash-bucket-size
        max-worker-connections max-worker-open-files otel-max-export-batch-size otel-max-queuesize
        otel-schedule-delay-millis proxy-buffers-number proxy-connect-timeout proxy-headers-hash-bucket-size
        proxy-headers-hash-max-size proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout
        proxy-send-timeout proxy-stream-next-upstream-tries proxy-stream-responses server-name-hash-bucket-size
        server-name-hash-max-size syslog-port upstream-hash-by-subset-size upstream-keepalive-connections
        upstream-keepalive-requests upstream-keepalive-timeout variables-hash-bucket-size variables-hash-max-size
        zipkin-collector-port
    """,
    ValueType.NUMBER: "datadog-sample-rate jaeger-sampler-param otel-sampler-ratio zipkin-sample-rate",
    ValueType.SIZE: """
        client-body-buffer-size client-header-buffer-size http2-max-field-size http2-max-header-size proxy-body-size
        proxy-buffer-size proxy-busy-buffers-size proxy-max-temp-file-size ssl-buffer-size ssl-session-cache-size
    """,
    ValueType.DURATION: """
        proxy-protocol-header-timeout proxy-stream-next-upstream-timeout proxy-stream-timeout ssl-session-timeout
        upstream-keepalive-time worker-shutdown-timeout
    """,
    ValueType.LIST: """
        bind-address block-cidrs block-referers block-user-agents custom-http-errors debug-connections
        denylist-source-range global-auth-response-headers hide-headers nginx-status-ipv4-whitelist
        nginx-status-ipv6-whitelist plugins proxy-next-upstream proxy-real-ip-cidr skip-access-log-urls
        whitelist-source-range
    """,
    ValueType.ENUM: "proxy-buffering proxy-http-version proxy-request-buffering",
}
_DROPPED: Final = {
    "0.21": {"secure-backends": "backend-protocol", "grpc-backend": "backend-protocol"},
    "0.22": {"add-base-url": "", "base-url-scheme": ""},
    "0.24": {"session-cookie-hash": "", "mirror-uri": "mirror-target"},
}
_NAMESAKES: Final = frozenset({"service-match", "service-weight"})


def _specs() -> Iterator[AnnotationSpec]:
    for release, keys in _DROPPED.items():
        yield from (AnnotationSpec(key, dropped=release, successor=successor) for key, successor in keys.items())
    annotations = {key: kind for kind, keys in _ANNOTATIONS.items() for key in keys.split()}
    annotations |= dict.fromkeys(_LEGAL, ValueType.ENUM)
    settings = {key: kind for kind, keys in _SETTINGS.items() for key in keys.split()}
    for key in sorted(annotations | settings):
        scopes = frozenset(
            scope for scope, known in ((Scope.INGRESS, annotations), (Scope.CONFIG_MAP, settings)) if key in known
        )
        kind = annotations.get(key) or settings[key]
        yield AnnotationSpec(key, kind, scopes, _LEGAL.get(key, ()), key in _ANY_CASE)


ANNOTATIONS: Final = AnnotationTable((PREFIX,), _specs(), namesakes=_NAMESAKES, as_of="dbb11b92d (2026-03-20)")
"""One table for both: a key is legal where its scopes say so."""
