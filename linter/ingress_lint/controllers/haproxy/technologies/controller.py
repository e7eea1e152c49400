"""HAProxy Technologies' Kubernetes Ingress Controller (annotations haproxy.org/*).

Not to be taken for HAProxy Ingress (haproxy_ingress.py): neither reads the other's annotations, and both are called
class `haproxy`. Sources are in haproxytech/kubernetes-ingress: documentation/annotations.md, pkg/annotations,
pkg/route/route.go and fs/usr/local/etc/haproxy/haproxy.cfg.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.haproxy.annotations import HAPROXY_ANNOTATIONS
from ingress_lint.controllers.haproxy.settings import (
    CHECK_FALL,
    CHECK_INTERVAL,
    CHECK_RISE,
    HEALTHY,
    Installation,
    Settings,
    installation,
    plain_listener,
    proxy_port,
    secure_listener,
)
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import (
    Claim,
    Controller,
    IngressController,
    IngressObject,
    PathContext,
    certificates,
)
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.objects.core import ConfigMap, Service
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import Listener, ListenerTLS, ProxyPort
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import Attachment, Filter, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind, Timeouts
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

GATEWAY: Final = "HAProxy"
_CONTROLLER: Final = "haproxy"
_CONFIG_NAMES: Final = frozenset({"haproxy-kubernetes-ingress", "kubernetes-ingress", "haproxy-configmap"})
"""The names that the project's chart and its manifests give the ConfigMap."""
_CLOSES: Final = deferred(r"^[ \t]*option[ \t]+(http-server-close|httpclose)\b", re.MULTILINE)
_REMEDIES: Final = Remedies(
    check_path="set `haproxy.org/check-http: {}`",
    protocols={
        AppProtocol.HTTPS: "set `haproxy.org/server-ssl: 'true'`",
        AppProtocol.GRPC: "set `haproxy.org/server-proto: h2`",
    },
    read_timeout="set `haproxy.org/timeout-server: {}s`",
)
_EVERYBODY: Final = frozenset({"0.0.0.0/0", "::/0"})


class HAProxy(Controller):
    """Claims by class, and by IngressClasses whose controller may end in an installation's own name."""

    name: ClassVar[str] = _CONTROLLER
    title: ClassVar[str] = "the HAProxy Kubernetes Ingress Controller"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = HAPROXY_ANNOTATIONS
    serves_classless: ClassVar[bool | None] = True

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """TLS on 443, which newer releases open as 8443."""
        own = installation(graph, _CONTROLLER, self.annotations, _CONFIG_NAMES)
        return proxy_port(GATEWAY, container, port, takes_proxy_protocol(own.config))

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path, and one for its redirect to HTTPS."""
        return _Lowering(graph).lower(graph, claims, backends) if claims else ()


class _Lowering(IngressController):
    """The Ingresses of one graph."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, graph: ObjectGraph) -> None:
        self._installation: Installation = installation(graph, _CONTROLLER, HAPROXY_ANNOTATIONS, _CONFIG_NAMES)
        self._settings: dict[tuple[IngressObject, KubernetesObject[Service] | None], Settings] = {}

    def _of(self, context: PathContext) -> Settings:
        key = context.ingress, context.service
        if key not in self._settings:
            self._settings[key] = Settings(HAPROXY_ANNOTATIONS, *key, self._installation.config, "HAProxy")
        return self._settings[key]

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Plain requests are redirected where `ssl-redirect` says so."""
        for claim in claims:
            for context in self.paths(graph, claim, backends):
                route = self.route(graph, context)
                yield route
                redirect = self._https_redirect(context)
                if redirect is not None and not self._passes_through(context):
                    yield replace(route, listeners=(self._plain(context),), filters=(redirect,), backends=())

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path."""
        route = super().route(graph, context)
        settings = self._of(context)
        redirect = self._own_redirect(context)
        acl = settings.text("route-acl")
        if acl is not None:
            route = replace(route, matches=tuple(replace(item, condition=acl.value) for item in route.matches))
        return replace(
            route,
            filters=(redirect,) if redirect else route.filters,
            backends=() if redirect else route.backends,
            allowed_sources=settings.items("allow-list") or settings.items("whitelist"),
            allowed_by_peer=self._installation.config is not None and settings.text("src-ip-header") is None,
            passthrough_refused=self._passthrough_refused(context),
            attached=tuple(self._attached(graph, context)),
        )

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """`send-proxy-protocol`, off by default."""
        asked = self._of(context).text("send-proxy-protocol")
        return (
            Sourced(True, asked.origin, asked.place)
            if asked
            else self._of(context).default(False, "no send-proxy-protocol")
        )

    # -- the client's side --------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, and 443 with a TLS block or a default certificate; only 443 where plain requests are redirected."""
        proxied = takes_proxy_protocol(self._installation.config)
        if self._passes_through(context):
            asked = self._of(context).on("ssl-passthrough") or self._of(context).default(True)
            tls = ListenerTLS(Sourced("Passthrough", asked.origin, asked.place, "ssl-passthrough"))
            return (secure_listener(GATEWAY, tls, "TLS", proxied),)
        plain = self._plain(context)
        secure = self._secure(context)
        if secure is None:
            return (plain,)
        return (secure,) if self._https_redirect(context) is not None else (plain, secure)

    def _plain(self, context: PathContext) -> Listener:
        """Port 80; a redirect there asks nothing of headers (pkg/haproxy/rules/reqRequestRedirect.go, sslRedirect)."""
        place = context.default_place()
        told = Sourced(False, Origin.DEFAULT, place, "it redirects all that comes to its plain port")
        return plain_listener(GATEWAY, place, takes_proxy_protocol(self._installation.config), told)

    def _secure(self, context: PathContext) -> Listener | None:
        found = certificates(context.ingress)
        settings = self._of(context)
        asked = settings.text("ssl-certificate") or settings.on("ssl-redirect")
        if found:
            place, why = found[0].place, "a TLS block gives a certificate"
        elif asked is not None:
            place, why = asked.place, "there is a default certificate"
        else:
            return None
        tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, place, why), found)
        return secure_listener(GATEWAY, tls, "HTTPS", takes_proxy_protocol(self._installation.config))

    def _https_redirect(self, context: PathContext) -> RequestRedirect | None:
        """On for Ingresses with a TLS block, off for others (pkg/annotations/ingress/httpsRedirect.go)."""
        settings = self._of(context)
        asked = settings.switch("ssl-redirect")
        found = certificates(context.ingress)
        if asked.value if asked is not None else found:
            place = asked.place if asked is not None else found[0].place
            code = settings.integer("ssl-redirect-code", 302).value
            return RequestRedirect(place, code, scheme="https", port=settings.integer("ssl-redirect-port", 8443).value)
        return None

    def _own_redirect(self, context: PathContext) -> RequestRedirect | None:
        """`request-redirect`: a host, maybe with scheme and port (pkg/annotations/ingress/hostRedirect.go)."""
        settings = self._of(context)
        target = settings.text("request-redirect")
        if target is None:
            return None
        scheme, _, rest = target.value.strip().rpartition("://")
        host, _, port = rest.partition(":")
        return RequestRedirect(
            target.place,
            settings.integer("request-redirect-code", 302).value,
            scheme=scheme or None,
            host=host,
            port=whole(port),
        )

    def _passes_through(self, context: PathContext) -> bool:
        return self._of(context).on("ssl-passthrough") is not None and context.host is not None

    def _passthrough_refused(self, context: PathContext) -> Sourced[str] | None:
        asked = self._of(context).on("ssl-passthrough")
        if asked is None or context.host is not None:
            return None
        why = "without a host there is no server name to recognise it by"
        return Sourced(why, asked.origin, asked.place)

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """ImplementationSpecific is a prefix by characters, without the slash at its end; not under a `route-acl`."""
        value = context.path_value or "/"
        place = context.place if context.is_default else context.place.at("path")
        if context.path_type == "Exact":
            return Sourced(PathMatch(PathMatchType.EXACT, value), Origin.EXPLICIT, place)
        specific = context.path_type in (None, "ImplementationSpecific") and value.rstrip("/")
        if specific and not context.is_default and self._of(context).text("route-acl") is None:
            return Sourced(PathMatch(PathMatchType.STRING_PREFIX, value.rstrip("/")), Origin.EXPLICIT, place)
        return Sourced(PathMatch(PathMatchType.PREFIX, value), Origin.EXPLICIT, place)

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """`path-rewrite`, `set-host`, headers, CORS and logins, unless TLS passes through."""
        return () if self._passes_through(context) else tuple(_filters(self._of(context)))

    def _attached(self, graph: ObjectGraph, context: PathContext) -> Iterator[Attachment]:
        secret = self._of(context).text("auth-secret")
        if secret is not None and self._of(context).text("auth-type") is not None:
            namespace, _, name = secret.value.strip().rpartition("/")
            namespace = namespace or context.ingress.namespace
            found = graph.resolve(SECRET, namespace, name)
            yield Attachment(secret.place, SECRET, namespace, name, found, "nobody is asked for a password")

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`server-ssl`, which `server-ca` and `server-crt` only complete; `server-proto: h2` counts without TLS."""
        settings = self._of(context)
        if self._passes_through(context):
            asked = settings.on("ssl-passthrough") or settings.default(True)
            return Sourced(AppProtocol.TLS, Origin.DERIVED, asked.place, "ssl-passthrough")
        secure = settings.on("server-ssl")
        if secure is not None:
            return Sourced(AppProtocol.HTTPS, secure.origin, secure.place)
        version = settings.text("server-proto")
        if version is not None and version.value.strip() == "h2":
            return Sourced(AppProtocol.H2C, version.origin, version.place)
        if settings.text("server-ca") or settings.text("server-crt"):
            return settings.default(AppProtocol.UNKNOWN, "server-ca or server-crt without server-ssl")
        return settings.default(AppProtocol.HTTP, "no server-ssl")

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """A TCP connection unless `check` is false; a request with `check-http`, except for TLS passed through."""
        settings = self._of(context)
        checked = settings.switch("check")
        if checked is not None and not checked.value:
            return None
        asked = None if self._passes_through(context) else settings.text("check-http")
        path = None
        spoken = settings.default("TCP", "no check-http")
        if asked is not None:
            words = asked.value.split()
            path = Sourced(words[0] if len(words) == 1 else words[1], asked.origin, asked.place)
            name = "HTTPS" if protocol.value.over_tls else "HTTP"
            spoken = Sourced(name, Origin.DERIVED, asked.place, "check-http")
        return HealthCheck(
            by=f"{GATEWAY} controller",
            protocol=spoken,
            path=path,
            port=None,
            codes=settings.default(HEALTHY) if path else None,
            interval=settings.seconds("check-interval", CHECK_INTERVAL),
            timeout=settings.seconds_set("timeout-check"),
            healthy_threshold=settings.default(CHECK_RISE),
            unhealthy_threshold=settings.default(CHECK_FALL),
        )

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations of Ingress or Service (documentation/annotations.md)."""
        return _REMEDIES

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """`timeout-connect` and `timeout-server`, which is the longest silence."""
        settings = self._of(context)
        return Timeouts(connect=settings.seconds("timeout-connect", 5), read=settings.seconds("timeout-server", 50))

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """Kept on both sides unless `http-connection-mode`, its older keys or a snippet says otherwise."""
        settings = self._of(context)
        if self._passes_through(context):
            return KeepAlive()
        closed = next(_closing(settings), None)
        ends_clients = closed is not None and "httpclose" in closed.value
        return KeepAlive(
            upstream_disabled=closed,
            client_idle=settings.seconds("timeout-http-keep-alive", 60),
            client_requests=Sourced(1, Origin.DERIVED, closed.place, closed.value)
            if closed is not None and ends_clients
            else None,
        )


def _closing(settings: Settings) -> Iterator[Sourced[str]]:
    """Whatever closes the connection to the pod after each request."""
    mode = settings.text("http-connection-mode")
    if mode is not None and mode.value.strip() in ("http-server-close", "httpclose"):
        yield Sourced(f"`http-connection-mode: {mode.value.strip()}`", mode.origin, mode.place)
    close = settings.on("http-server-close") if mode is None else None
    if close is not None:
        yield Sourced("`http-server-close`", close.origin, close.place)
    snippet = settings.text("backend-config-snippet")
    found = _CLOSES.search(snippet.value) if snippet else None
    if snippet is not None and found is not None:
        yield Sourced(f"`option {found[1]}` in backend-config-snippet", snippet.origin, snippet.place)


def _filters(settings: Settings) -> Iterator[Filter]:
    for line in settings.lines("path-rewrite"):
        words = line.value.split()
        if len(words) == 1:
            yield URLRewrite(line.place, path=words[0])
        elif len(words) == 2:
            yield URLRewrite(line.place, path=re.sub(r"\\(\d)", r"$\1", words[1]), regex=words[0])
    host = settings.text("set-host")
    if host is not None:
        yield URLRewrite(host.place, host=host.value.strip())
    for key, of_response in (("request-set-header", False), ("response-set-header", True)):
        pairs = tuple((line.value.partition(" "), line.place) for line in settings.lines(key))
        if pairs:
            written = tuple((name, value.strip().strip('"')) for (name, _, value), _ in pairs)
            yield HeaderModifier(pairs[0][1], set=written, of_response=of_response)
    cors = settings.on("cors-enable")
    if cors is not None:
        origin, methods = settings.text("cors-allow-origin"), settings.items("cors-allow-methods")
        headers, age = settings.items("cors-allow-headers"), settings.seconds("cors-max-age", 5)
        yield CORS(
            cors.place,
            (origin.value if origin else "*",),
            tuple(item.value for item in methods) or ("*",),
            tuple(item.value for item in headers) or ("*",),
            credentials=settings.on("cors-allow-credentials") is not None,
            max_age=math.floor(age.value),
        )
    login = settings.text("auth-type")
    if login is not None:
        yield ExtensionFilter(login.place, "haproxy.org", login.value.strip(), "auth-type")


def takes_proxy_protocol(config: KubernetesObject[ConfigMap] | None) -> Sourced[bool] | None:
    """`proxy-protocol` lists who must send it; who is not listed must not."""
    if config is None:
        return None
    ranges = [item.strip() for item in str(config.body.data.get("proxy-protocol", "")).split(",") if item.strip()]
    if not ranges:
        return Sourced(False, Origin.DEFAULT, config.at("data"), "no proxy-protocol")
    return Sourced(True, Origin.EXPLICIT, config.at("data", "proxy-protocol")) if _EVERYBODY & set(ranges) else None
