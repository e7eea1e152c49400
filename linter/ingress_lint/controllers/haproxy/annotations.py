"""Every annotation and ConfigMap key of the two HAProxy controllers.

haproxytech/kubernetes-ingress:documentation/annotations.md; jcmoraisjr/haproxy-ingress:docs/content/en/docs/
configuration/keys.md and pkg/converters/ingress/types/{annotations,global}.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

SHARED_PREFIX: Final = "ingress.kubernetes.io"
"""The prefix that both read, and that ingress-nginx and Traefik read long ago."""

_GLOBAL: Final = frozenset({Scope.CONFIG_MAP})
_INGRESS: Final = frozenset({Scope.CONFIG_MAP, Scope.INGRESS})
_SERVICE: Final = frozenset({Scope.CONFIG_MAP, Scope.INGRESS, Scope.SERVICE})
_SERVICE_ALONE: Final = frozenset({Scope.CONFIG_MAP, Scope.SERVICE})

_Keys = Mapping[frozenset[Scope], Mapping[ValueType, str]]

_HAPROXY: Final[_Keys] = {
    _GLOBAL: {
        ValueType.TEXT: """
            client-ca frontend-config-snippet generate-certificates-signer global-config-snippet log-format
            log-format-tcp ssl-certificate stats-config-snippet syslog-server tls-alpn
        """,
        ValueType.BOOLEAN: """
            clean-certs client-crt-optional client-strict-sni dontlognull http-keep-alive http-server-close logasap
        """,
        ValueType.INTEGER: "maxconn nbthread quic-alt-svc-max-age",
        ValueType.DURATION: """
            hard-stop-after timeout-client timeout-client-fin timeout-connect timeout-http-keep-alive
            timeout-http-request timeout-queue timeout-server-fin timeout-tunnel
        """,
        ValueType.LIST: "proxy-protocol",
    },
    _INGRESS: {
        ValueType.TEXT: """
            auth-realm auth-secret auth-type cors-allow-headers cors-allow-methods cors-allow-origin path-rewrite
            rate-limit-size rate-limit-status-code request-capture request-redirect request-set-header
            response-set-header set-host src-ip-header
        """,
        ValueType.BOOLEAN: "cors-allow-credentials cors-enable ssl-redirect",
        ValueType.INTEGER: """
            rate-limit-requests request-capture-len request-redirect-code ssl-redirect-code ssl-redirect-port
        """,
        ValueType.DURATION: "cors-max-age rate-limit-period",
        ValueType.LIST: "allow-list blacklist deny-list rate-limit-whitelist whitelist",
    },
    _SERVICE: {
        ValueType.TEXT: """
            backend-config-snippet check-http cr-backend load-balance server-ca server-crt server-proto
        """,
        ValueType.BOOLEAN: "abortonclose check forwarded-for server-ssl ssl-passthrough standalone-backend",
        ValueType.INTEGER: "pod-maxconn scale-server-slots server-slots servers-increment",
        ValueType.DURATION: "check-interval timeout-check timeout-server",
    },
    _SERVICE_ALONE: {ValueType.TEXT: "cookie-persistence cookie-persistence-no-dynamic"},
    frozenset({Scope.SERVICE}): {ValueType.TEXT: "route-acl"},
    frozenset({Scope.INGRESS}): {ValueType.TEXT: "ingress.class"},
}
_WORDS: Final = {ValueType.BOOLEAN: ("on", "off", "enabled", "disabled"), ValueType.SIZE: ("unlimited",)}
"""Switches as haproxytech's still takes them, deprecated (pkg/utils/types.go, GetBoolValue); a size without limit."""
_HAPROXY_LEGAL: Final = {
    "http-connection-mode": (_GLOBAL, ("http-keep-alive", "http-server-close", "httpclose")),
    "send-proxy-protocol": (_SERVICE, ("proxy", "proxy-v1", "proxy-v2", "proxy-v2-ssl", "proxy-v2-ssl-cn")),
}

_HAPROXY_INGRESS: Final[_Keys] = {
    _GLOBAL: {
        ValueType.TEXT: """
            acme-emails acme-endpoint auth-log-format auth-proxy bind-fronting-proxy bind-http bind-https
            bind-ip-addr-healthz bind-ip-addr-http bind-ip-addr-prometheus bind-ip-addr-stats bind-ip-addr-tcp
            config-defaults config-frontend config-frontend-early config-frontend-late config-global config-proxy
            config-sections config-tcp cookie-key cpu-map cross-namespace-secrets-ca cross-namespace-secrets-crt
            cross-namespace-secrets-passwd cross-namespace-services default-backend-redirect dns-cluster-domain
            dns-resolvers fcgi-enabled-apps forwardfor groupname http-log-format https-log-format modsecurity-args
            modsecurity-endpoints original-forwarded-for-hdr path-type-order real-ip-hdr ssl-dh-param ssl-engine
            ssl-headers-prefix ssl-options stats-auth stats-ssl-cert syslog-endpoint syslog-format syslog-tag
            tcp-log-format username
        """,
        ValueType.BOOLEAN: """
            acme-shared acme-terms-agreed drain-support drain-support-redispatch external-has-lua
            load-server-state master-exit-on-failure modsecurity-use-coraza ssl-mode-async stats-proxy-protocol
            strict-host use-chroot use-cpu-map use-forwarded-proto use-haproxy-user use-htx use-proxy-protocol
        """,
        ValueType.INTEGER: """
            acme-expiring default-backend-redirect-code dns-accepted-payload-size fronting-proxy-port healthz-port
            http-port https-port https-to-http-port max-connections nbproc-balance nbproc-ssl nbthread
            prometheus-port redirect-from-code redirect-to-code ssl-dh-default-max-size ssl-redirect-code stats-port
            syslog-length worker-max-reloads
        """,
        ValueType.DURATION: """
            close-sessions-duration dns-hold-obsolete dns-hold-valid dns-timeout-retry
            modsecurity-timeout-connect modsecurity-timeout-hello modsecurity-timeout-idle
            modsecurity-timeout-processing modsecurity-timeout-server timeout-client timeout-client-fin timeout-stop
        """,
        ValueType.LIST: "no-redirect-locations no-tls-redirect-locations",
    },
    _INGRESS: {
        ValueType.TEXT: """
            app-root auth-tls-error-page auth-tls-secret auth-tls-verify-client cert-signer config-tcp-service
            redirect-from redirect-from-regex server-alias server-alias-regex ssl-cipher-suites ssl-ciphers
            ssl-options-host tcp-service-log-format tls-alpn
        """,
        ValueType.BOOLEAN: """
            auth-tls-strict ssl-always-add-https ssl-always-follow-redirect ssl-passthrough tcp-service-proxy-protocol
            var-namespace
        """,
        ValueType.INTEGER: "ssl-passthrough-http-port tcp-service-port",
    },
    _SERVICE: {
        ValueType.TEXT: """
            affinity agent-check-addr agent-check-port agent-check-send auth-external-placement auth-headers
            auth-headers-fail auth-headers-request auth-headers-succeed auth-method auth-realm auth-secret
            auth-signin auth-type auth-url backend-server-naming balance-algorithm blue-green-balance blue-green-cookie
            blue-green-deploy blue-green-header blue-green-mode config-backend cors-allow-headers cors-allow-methods
            cors-allow-origin cors-allow-origin-regex cors-expose-headers fcgi-app headers health-check-addr
            health-check-uri limit-whitelist oauth oauth-headers oauth-uri-prefix peers-table proxy-protocol
            redirect-to rewrite-target secure-crt-secret secure-sni secure-verify-ca-secret secure-verify-hostname
            session-cookie-domain session-cookie-keywords session-cookie-name session-cookie-same-site
            session-cookie-strategy session-cookie-value-strategy source-address-intf ssl-cipher-suites-backend
            ssl-ciphers-backend ssl-options-backend use-resolver waf waf-mode
        """,
        ValueType.BOOLEAN: """
            assign-backend-server-id auth-tls-cert-header cors-allow-credentials cors-enable dynamic-scaling hsts
            hsts-include-subdomains hsts-preload secure-backends service-upstream session-cookie-dynamic
            session-cookie-preserve session-cookie-shared ssl-fingerprint-lower ssl-redirect
        """,
        ValueType.INTEGER: """
            backend-server-slots-increment cors-max-age health-check-fall-count health-check-port
            health-check-rise-count hsts-max-age initial-weight limit-connections limit-rps maxconn-server
            maxqueue-server slots-min-free ssl-fingerprint-sha2-bits
        """,
        ValueType.DURATION: """
            agent-check-interval backend-check-interval health-check-interval timeout-connect timeout-http-request
            timeout-keep-alive timeout-queue timeout-server timeout-server-fin timeout-tunnel
        """,
        ValueType.SIZE: "proxy-body-size",
        ValueType.LIST: "allowlist-source-range denylist-source-range whitelist-source-range",
    },
}
_HAPROXY_INGRESS_LEGAL: Final = {
    "backend-protocol": (
        _SERVICE,
        ("h1", "http", "h1-ssl", "https", "h2", "grpc", "h2-ssl", "grpcs", "fcgi", "fcgi-ssl"),
    ),
    "path-type": (_SERVICE, ("begin", "exact", "prefix", "regex")),
}


def _specs(keys: _Keys, legal: Mapping[str, tuple[frozenset[Scope], tuple[str, ...]]]) -> Iterator[AnnotationSpec]:
    for scopes, by_type in keys.items():
        for value_type, names in by_type.items():
            words = _WORDS.get(value_type, ())
            yield from (AnnotationSpec(name, value_type, scopes, words) for name in names.split())
    for name, (scopes, values) in legal.items():
        yield AnnotationSpec(name, ValueType.ENUM, scopes, values, any_case=True)


HAPROXY_ANNOTATIONS: Final = AnnotationTable(
    ("haproxy.org", "haproxy.com", SHARED_PREFIX),
    _specs(_HAPROXY, _HAPROXY_LEGAL),
    shared=frozenset({SHARED_PREFIX}),
    as_of="2026-08",
)
HAPROXY_INGRESS_ANNOTATIONS: Final = AnnotationTable(
    ("haproxy-ingress.github.io", SHARED_PREFIX),
    _specs(_HAPROXY_INGRESS, _HAPROXY_INGRESS_LEGAL),
    shared=frozenset({SHARED_PREFIX}),
    as_of="2026-08",
)
