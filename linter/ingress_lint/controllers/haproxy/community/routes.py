"""The routes that HAProxy Ingress makes of the Ingresses it serves."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from ingress_lint.controllers.haproxy.annotations import HAPROXY_INGRESS_ANNOTATIONS
from ingress_lint.controllers.haproxy.community import GATEWAY
from ingress_lint.controllers.haproxy.settings import (
    CHECK_FALL,
    CHECK_INTERVAL,
    CHECK_RISE,
    HEALTHY,
    Installation,
    Settings,
    plain_listener,
    secure_listener,
)
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext, certificates
from ingress_lint.controllers.shared.external_auth import asked_service
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap, Service
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Attachment, ExternalAuth, Filter, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind, Timeouts
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.sizes import nginx_size
from ingress_lint.values.urls import port_of, split_url

_REMEDIES: Final = Remedies(
    check_path="set `haproxy-ingress.github.io/health-check-uri: {}`",
    check_port="set `haproxy-ingress.github.io/health-check-port: '{}'`",
    protocols={
        AppProtocol.HTTPS: "set `haproxy-ingress.github.io/backend-protocol: https`",
        AppProtocol.GRPC: "set `haproxy-ingress.github.io/backend-protocol: grpc`",
        AppProtocol.FASTCGI: "set `haproxy-ingress.github.io/backend-protocol: fcgi`",
    },
    read_timeout="set `haproxy-ingress.github.io/timeout-server: {}s`",
    body_limit="set `haproxy-ingress.github.io/proxy-body-size: '{}'`",
)
_ACME: Final = "/.well-known/acme-challenge"
_SERVICE_URL: Final = deferred(r"^(?:svc|service)://(?:([^/:]+)/)?([^/:]+):([^/]+)")
_CLOSES: Final = deferred(r"^[ \t]*option[ \t]+(http-server-close|httpclose)\b", re.MULTILINE)
_PROTOCOLS: Final = {
    "h1": (AppProtocol.HTTP, AppProtocol.HTTPS),
    "http": (AppProtocol.HTTP, AppProtocol.HTTPS),
    "h1-ssl": (AppProtocol.HTTPS, AppProtocol.HTTPS),
    "https": (AppProtocol.HTTPS, AppProtocol.HTTPS),
    "h2": (AppProtocol.H2C, AppProtocol.HTTP2),
    "grpc": (AppProtocol.GRPC, AppProtocol.GRPCS),
    "h2-ssl": (AppProtocol.HTTP2, AppProtocol.HTTP2),
    "grpcs": (AppProtocol.GRPCS, AppProtocol.GRPCS),
    "fcgi": (AppProtocol.FASTCGI, AppProtocol.UNKNOWN),
    "fcgi-ssl": (AppProtocol.UNKNOWN, AppProtocol.UNKNOWN),
}
"""What `backend-protocol` means without `secure-backends`, and with it."""
_PATH_TYPES: Final = {
    "begin": PathMatchType.STRING_PREFIX,
    "exact": PathMatchType.EXACT,
    "prefix": PathMatchType.PREFIX,
    "regex": PathMatchType.REGULAR_EXPRESSION,
}


class _Host(Struct):
    """What all paths of a host share, whichever Ingress says it."""

    tls: Place | None = None
    certificates: list[CertificateRef] = field(default_factory=list)
    passthrough: Sourced[bool] | None = None
    serves_root: bool = False


class HAProxyIngressRoutes(IngressController):
    """The Ingresses of one graph."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, installed: Installation, claims: Sequence[Claim]) -> None:
        self._installation = installed
        self._settings: dict[tuple[IngressObject, KubernetesObject[Service] | None], Settings] = {}
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        for claim in claims:
            self._gather(claim.ingress)

    def _gather(self, ingress: IngressObject) -> None:
        passthrough = self._read(ingress, None).on("ssl-passthrough")
        found = certificates(ingress)
        for rule in ingress.body.spec.rules:
            host = self._hosts[rule.host or ""]
            host.passthrough = host.passthrough or passthrough
            host.serves_root |= any((path.path or "/") == "/" for path in (rule.http.paths if rule.http else ()))
            for index, block in enumerate(ingress.body.spec.tls):
                if not block.hosts or any(hostnames.matches(name, rule.host or "") for name in block.hosts):
                    host.tls = host.tls or ingress.at("spec", "tls", index)
                    host.certificates += [
                        item for item in found if item.place == ingress.at("spec", "tls", index, "secretName")
                    ]

    def _read(self, ingress: IngressObject, service: KubernetesObject[Service] | None) -> Settings:
        key = ingress, service
        if key not in self._settings:
            self._settings[key] = Settings(HAPROXY_INGRESS_ANNOTATIONS, *key, self._installation.config, GATEWAY)
        return self._settings[key]

    def _of(self, context: PathContext) -> Settings:
        return self._read(context.ingress, context.service)

    def _host(self, context: PathContext) -> _Host:
        return self._hosts[context.host.value if context.host else ""]

    # -- routes -------------------------------------------------------------------------------------------------------

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Plain requests are redirected where `ssl-redirect` says so; `app-root` answers for /."""
        rooted: set[tuple[IngressObject, str]] = set()
        for claim in claims:
            for context in self.paths(graph, claim, backends):
                route = self._with_auth(graph, self.route(graph, context), context, backends)
                host = context.host.value if context.host else ""
                if (context.ingress, host) not in rooted:
                    rooted.add((context.ingress, host))
                    yield from self._app_root(context, route)
                yield route
                redirect = self._https_redirect(context)
                if redirect is not None:
                    plain = plain_listener(
                        GATEWAY, context.default_place(), takes_proxy_protocol(self._installation.config)
                    )
                    yield replace(route, listeners=(plain,), filters=(redirect,), backends=())

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path, for its host and every alias."""
        route = super().route(graph, context)
        settings = self._of(context)
        redirect = self._own_redirect(context)
        aliases = tuple(
            Sourced(item, alias.origin, alias.place)
            for alias in settings.items("server-alias")
            for item in alias.value.split()
        )
        return replace(
            route,
            hostnames=(*route.hostnames, *aliases) if context.host is not None else route.hostnames,
            filters=(redirect,) if redirect else route.filters,
            backends=() if redirect else route.backends,
            allowed_sources=settings.items("allowlist-source-range") or settings.items("whitelist-source-range"),
            passthrough_refused=self._passthrough_refused(context),
            attached=tuple(self._attached(graph, context)),
        )

    def _with_auth(self, graph: ObjectGraph, route: Route, context: PathContext, backends: BackendResolver) -> Route:
        """The route with its `auth-url`, which names a Service as `svc://NAMESPACE/NAME:PORT/PATH` or any other host.

        Every answer but 2xx turns the request away, to `auth-signin` where that is set (annotations/backend.go,
        setAuthExternal).
        """
        settings = self._of(context)
        url, login = settings.text("auth-url"), settings.text("auth-signin")
        if url is None or self._passes_through(context) or not route.backends:
            return route
        asked = _SERVICE_URL.sub(
            lambda found: f"http://{found[2]}.{found[1] or context.ingress.namespace}.svc:{found[3]}", url.value.strip()
        )
        step = ExternalAuth(
            url.place,
            asked_service(graph, backends, asked, context.ingress.namespace, url.place),
            asked,
            "every request is turned away",
            login.value.strip() if login else "",
            login.place if login else None,
        )
        return replace(route, filters=(step, *route.filters))

    def _app_root(self, context: PathContext, route: Route) -> Iterator[Route]:
        root = self._of(context).text("app-root")
        if root is not None and root.value.startswith("/"):
            match = Match(Sourced(PathMatch(PathMatchType.EXACT, "/"), Origin.DERIVED, root.place, "app-root"))
            yield replace(
                route, matches=(match,), filters=(RequestRedirect(root.place, 302, path=root.value),), backends=()
            )

    def _own_redirect(self, context: PathContext) -> RequestRedirect | None:
        settings = self._of(context)
        target = settings.text("redirect-to")
        url = split_url(target.value.strip()) if target else None
        if target is None or url is None or not url.scheme:
            return None
        path = url.path + (f"?{url.query}" if url.query else "")
        code = settings.integer("redirect-to-code", 302).value
        return RequestRedirect(target.place, code, url.scheme, url.hostname, port_of(url), path or None)

    def _attached(self, graph: ObjectGraph, context: PathContext) -> Iterator[Attachment]:
        for key, consequence in (
            ("auth-secret", "nobody is asked for a password"),
            ("auth-tls-secret", "certificates of clients are not checked"),
        ):
            secret = self._of(context).text(key)
            if secret is not None and "://" not in secret.value:
                namespace, _, name = secret.value.strip().rpartition("/")
                namespace = namespace or context.ingress.namespace
                found = graph.resolve(SECRET, namespace, name)
                yield Attachment(secret.place, SECRET, namespace, name, found, consequence)

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """`proxy-protocol`, off by default."""
        settings = self._of(context)
        asked = settings.text("proxy-protocol")
        return (
            Sourced(True, asked.origin, asked.place)
            if asked is not None and asked.value.strip() != "no"
            else settings.default(False, "no proxy-protocol")
        )

    # -- the client's side --------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, and 443 for a host with a TLS block; only 443 where plain requests are redirected."""
        host, proxied = self._host(context), takes_proxy_protocol(self._installation.config)
        if self._passes_through(context) and host.passthrough is not None:
            asked = host.passthrough
            tls = ListenerTLS(Sourced("Passthrough", asked.origin, asked.place, "ssl-passthrough"))
            return (secure_listener(GATEWAY, tls, "TLS", proxied),)
        plain = plain_listener(GATEWAY, context.default_place(), proxied)
        if host.tls is None:
            always = self._of(context).on("ssl-always-add-https")
            if always is None:
                return (plain,)
            mode = ListenerTLS(Sourced("Terminate", Origin.DERIVED, always.place, "ssl-always-add-https"))
            return (plain, secure_listener(GATEWAY, mode, "HTTPS", proxied))
        mode = ListenerTLS(
            Sourced("Terminate", Origin.DERIVED, host.tls, "a TLS block names the host"), tuple(host.certificates)
        )
        secure = secure_listener(GATEWAY, mode, "HTTPS", proxied)
        return (secure,) if self._https_redirect(context) is not None else (plain, secure)

    def _https_redirect(self, context: PathContext) -> RequestRedirect | None:
        """On for hosts with TLS, except below `no-tls-redirect-locations`; 302."""
        settings, host = self._of(context), self._host(context)
        if host.tls is None or self._passes_through(context):
            return None
        asked = settings.switch("ssl-redirect")
        if asked is not None and not asked.value:
            return None
        exempt = settings.items("no-tls-redirect-locations")
        prefixes = tuple(item.value for item in exempt) or (_ACME,)
        if (context.path_value or "/").startswith(prefixes):
            return None
        code = settings.integer("ssl-redirect-code", 302).value
        return RequestRedirect(asked.place if asked else host.tls, code, scheme="https")

    def _passes_through(self, context: PathContext) -> bool:
        return self._host(context).passthrough is not None and self._passthrough_refused(context) is None

    def _passthrough_refused(self, context: PathContext) -> Sourced[str] | None:
        """It works for the host's path / alone (annotations/host.go, buildHostSSLPassthrough)."""
        host = self._host(context)
        asked = host.passthrough
        if asked is None:
            return None
        if context.host is None:
            return Sourced("without a host there is no server name to recognise it by", asked.origin, asked.place)
        if not host.serves_root:
            return Sourced("it works for path `/`, which this host does not have", asked.origin, asked.place)
        if (context.path_value or "/") != "/":
            return Sourced(f"{GATEWAY} passes TLS through to the backend of path `/` alone", asked.origin, asked.place)
        return None

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """`path-type` decides what ImplementationSpecific means: by default a prefix by characters, whatever the case."""
        value = context.path_value or "/"
        place = context.place if context.is_default else context.place.at("path")
        if context.path_type == "Exact":
            return Sourced(PathMatch(PathMatchType.EXACT, value), Origin.EXPLICIT, place)
        if context.path_type == "Prefix" or context.is_default:
            return Sourced(PathMatch(PathMatchType.PREFIX, value), Origin.EXPLICIT, place)
        asked = self._of(context).text("path-type")
        name = asked.value.strip().lower() if asked else "begin"
        kind = _PATH_TYPES.get(name, PathMatchType.STRING_PREFIX)
        match = PathMatch(kind, value, ignore_case=kind is PathMatchType.STRING_PREFIX)
        if asked is not None:
            return Sourced(match, Origin.DERIVED, asked.place, f"path-type `{name}`")
        return Sourced(match, Origin.DERIVED, place, "path-type `begin`, the default")

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """`rewrite-target`, headers, CORS and logins, unless TLS passes through."""
        return () if self._passes_through(context) else tuple(_filters(self._of(context)))

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`backend-protocol` and `secure-backends`; an invalid protocol is ignored (buildBackendProtocol)."""
        settings = self._of(context)
        passed = self._host(context).passthrough
        if passed is not None and self._passes_through(context):
            return Sourced(AppProtocol.TLS, Origin.DERIVED, passed.place, "ssl-passthrough")
        asked, secure = settings.text("backend-protocol"), settings.on("secure-backends")
        known = _PROTOCOLS.get(asked.value.strip().lower()) if asked else _PROTOCOLS["h1"]
        if asked is not None and known is None:
            why = f"`{asked.value}` is no backend-protocol, so it is ignored"
            return Sourced(AppProtocol.HTTP, Origin.DERIVED, asked.place, why)
        plain, encrypted = known or _PROTOCOLS["h1"]
        if secure is not None and plain is not encrypted:
            return Sourced(encrypted, secure.origin, secure.place)
        if asked is not None:
            return Sourced(plain, asked.origin, asked.place)
        return settings.default(plain, "no backend-protocol")

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods; the cluster IP with `service-upstream`."""
        wanted = self._of(context).on("service-upstream")
        if wanted is not None:
            return Sourced(TargetKind.CLUSTER_IP, wanted.origin, wanted.place)
        return self._of(context).default(TargetKind.POD)

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """A TCP connection, or a request with `health-check-uri`; none of the pods' where it asks another address."""
        settings = self._of(context)
        if settings.text("health-check-addr") is not None:
            return None
        uri = None if self._passes_through(context) else settings.text("health-check-uri")
        spoken = settings.default("TCP", "no health-check-uri")
        if uri is not None:
            name = "HTTPS" if protocol.value.over_tls else "HTTP"
            spoken = Sourced(name, Origin.DERIVED, uri.place, "health-check-uri")
        port = settings.text("health-check-port")
        number = whole(port.value.strip()) if port is not None else None
        return HealthCheck(
            by=f"{GATEWAY} controller",
            protocol=spoken,
            path=Sourced(uri.value.split()[-1], uri.origin, uri.place) if uri else None,
            port=Sourced(number, port.origin, port.place) if port is not None and number is not None else None,
            codes=settings.default(HEALTHY) if uri else None,
            interval=settings.seconds_set("health-check-interval")
            or settings.seconds("backend-check-interval", CHECK_INTERVAL),
            healthy_threshold=settings.integer("health-check-rise-count", CHECK_RISE),
            unhealthy_threshold=settings.integer("health-check-fall-count", CHECK_FALL),
            target=target.value,
            resolved_port=number,
        )

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations of Ingress or Service (docs/content/en/docs/configuration/keys.md)."""
        return _REMEDIES

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """`timeout-connect` and `timeout-server`, which is the longest silence."""
        settings = self._of(context)
        return Timeouts(connect=settings.seconds("timeout-connect", 5), read=settings.seconds("timeout-server", 50))

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """Kept on both sides unless a snippet says otherwise."""
        settings = self._of(context)
        if self._passes_through(context):
            return KeepAlive()
        closed = None
        for key in ("config-backend", "config-defaults"):
            snippet = settings.text(key)
            found = _CLOSES.search(snippet.value) if snippet else None
            if snippet is not None and found is not None and closed is None:
                closed = Sourced(f"`option {found[1]}` in {key}", snippet.origin, snippet.place)
        return KeepAlive(upstream_disabled=closed, client_idle=settings.seconds("timeout-keep-alive", 60))

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """`proxy-body-size`; none without it."""
        found = self._of(context).text("proxy-body-size")
        size = nginx_size(found.value) if found else None
        return Sourced(size, found.origin, found.place) if found and size else None


def _filters(settings: Settings) -> Iterator[Filter]:
    target = settings.text("rewrite-target")
    if target is not None:
        yield URLRewrite(target.place, path=target.value.strip(), replace_prefix=True)
    pairs = tuple((line.value.partition(":"), line.place) for line in settings.lines("headers"))
    if pairs:
        yield HeaderModifier(pairs[0][1], set=tuple((name.strip(), value.strip()) for (name, _, value), _ in pairs))
    cors = settings.on("cors-enable")
    if cors is not None:
        origins = settings.items("cors-allow-origin")
        yield CORS(
            cors.place,
            tuple(item.value for item in origins) or ("*",),
            tuple(item.value for item in settings.items("cors-allow-methods")),
            tuple(item.value for item in settings.items("cors-allow-headers")),
            tuple(item.value for item in settings.items("cors-expose-headers")),
            settings.on("cors-allow-credentials") is not None,
            settings.integer("cors-max-age", 86400).value,
        )
    for key in ("oauth", "auth-secret"):
        login = settings.text(key)
        if login is not None:
            yield ExtensionFilter(login.place, "haproxy-ingress.github.io", key, login.value.strip())


def takes_proxy_protocol(config: KubernetesObject[ConfigMap] | None) -> Sourced[bool] | None:
    """`use-proxy-protocol`, off by default; None where the ConfigMap is not in the set."""
    if config is None:
        return None
    value = str(config.body.data.get("use-proxy-protocol", "")).lower()
    if value:
        return Sourced(value == "true", Origin.EXPLICIT, config.at("data", "use-proxy-protocol"))
    return Sourced(False, Origin.DEFAULT, config.at("data"), f"{GATEWAY}'s default")
