"""What holds for an Ingress that ingress-nginx serves: its annotation, else the controller's ConfigMap, else a default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

from ingress_lint.controllers.ingress_nginx.annotations import ANNOTATIONS
from ingress_lint.controllers.ingress_nginx.installation import TRUE, Installation, counts
from ingress_lint.controllers.shared.annotations import Scope
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Timeouts
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.sizes import nginx_size

Value = TypeVar("Value")

_COMMENT: Final = deferred(r"(^|\s)#[^\n]*")
_CLOSES: Final = deferred(r"""\bproxy_set_header\s+["']?Connection["']?\s+["']?close["']?\s*;""", re.IGNORECASE)
_HTTP_1_0: Final = deferred(r"\bproxy_http_version\s+1\.0\s*;")
_BY_NGINX: Final = "ingress-nginx's default"
_FALSE: Final = frozenset({"false", "f", "0"})
_PROXIED_AS_HTTP: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS, AppProtocol.AUTO})


class Settings:
    """The settings in force for one Ingress, read once. Values of a wrong form count as absent, as they do there.

    Defaults are those of kubernetes/ingress-nginx:internal/ingress/controller/config/config.go.
    """

    def __init__(
        self, graph: ObjectGraph, installation: Installation, ingress: KubernetesObject[Ingress | LegacyIngress]
    ) -> None:
        self.installation = installation
        self.ingress = ingress
        self._graph = graph
        self._switches: dict[str, Sourced[bool]] = {}
        start = f"{installation.prefix}/"
        self._annotated: Mapping[str, Sourced[str]] = {
            key: Sourced(value, Origin.EXPLICIT, ingress.annotation_place(full))
            for full, value in ingress.annotations.items()
            if full.startswith(start) and counts(key := full.removeprefix(start), Scope.INGRESS)
        }
        self._configured = installation.configured
        self._absent = ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place

    # -- reading ------------------------------------------------------------------------------------------------------

    def _texts(self, key: str) -> Sequence[Sourced[str]]:
        """What is written for a key, what counts first."""
        annotated, configured = self._annotated.get(key), self._configured.get(key)
        if annotated is None:
            return () if configured is None else (configured,)
        return (annotated,) if configured is None else (annotated, configured)

    def text(self, key: str) -> Sourced[str] | None:
        """The text of a setting, None where it is not set or empty."""
        annotated = self._annotated.get(key)
        if annotated is not None and annotated.value.strip():
            return annotated
        configured = self._configured.get(key)
        return configured if configured is not None and configured.value.strip() else None

    def boolean(self, key: str, default: bool) -> Sourced[bool]:
        """A switch."""
        if key not in self._switches:
            self._switches[key] = self._switch(key) or self._default(key, default)
        return self._switches[key]

    def _switch(self, key: str) -> Sourced[bool] | None:
        for found in self._texts(key):
            if found.value in TRUE or found.value.lower() in _FALSE:
                return Sourced(found.value in TRUE, found.origin, found.place)
        return None

    def integer(self, key: str, default: int) -> Sourced[int]:
        """A whole number."""
        for found in self._texts(key):
            number = whole(found.value.strip())
            if number is not None:
                return Sourced(number, found.origin, found.place)
        return self._default(key, default)

    def list(self, key: str) -> tuple[Sourced[str], ...]:
        """The items of a comma-separated list."""
        found = self.text(key)
        if found is None:
            return ()
        items = (item.strip() for item in found.value.split(","))
        return tuple(Sourced(item, found.origin, found.place) for item in items if item)

    def seconds(self, key: str, default: int) -> Sourced[float]:
        """A whole number of seconds."""
        return as_seconds(self.integer(key, default))

    def _size(self, key: str, default: int) -> Sourced[int]:
        for found in self._texts(key):
            size = nginx_size(found.value)
            if size is not None:
                return Sourced(size, found.origin, found.place)
        return self._default(key, default)

    def _default(self, key: str, value: Value) -> Sourced[Value]:
        config = self.installation.config
        by_config = config is not None and Scope.INGRESS not in ANNOTATIONS.specs[key].scopes
        place = config.at("data") if config is not None and by_config else self._absent
        return Sourced(value, Origin.DEFAULT, place, _BY_NGINX)

    # -- what it speaks -----------------------------------------------------------------------------------------------

    @cached_property
    def protocol(self) -> Sourced[AppProtocol]:
        """`backend-protocol`; an invalid value falls back to HTTP, and ports and appProtocol are never looked at.

        internal/ingress/annotations/backendprotocol/main.go
        """
        found = self.text("backend-protocol")
        if found is None:
            return Sourced(AppProtocol.HTTP, Origin.DEFAULT, self._absent, "no backend-protocol annotation")
        value = found.value.strip().upper()
        if value == "AUTO_HTTP":
            return Sourced(AppProtocol.AUTO, found.origin, found.place)
        if value in ANNOTATIONS.specs["backend-protocol"].legal:
            return Sourced(AppProtocol(value), found.origin, found.place)
        why = f"`{found.value}` is no backend-protocol, so it falls back to HTTP"
        return Sourced(AppProtocol.HTTP, Origin.DERIVED, found.place, why)

    @cached_property
    def timeouts(self) -> Timeouts:
        """`proxy-connect-timeout` and `proxy-read-timeout`; there is no total deadline."""
        return Timeouts(connect=self.seconds("proxy-connect-timeout", 5), read=self.seconds("proxy-read-timeout", 60))

    @cached_property
    def body_limit(self) -> Sourced[int] | None:
        """`proxy-body-size`; 0 means no limit."""
        limit = self._size("proxy-body-size", 1 << 20)
        return limit if limit.value else None

    @cached_property
    def header_limit(self) -> Sourced[int] | None:
        """`proxy-buffer-size`, which a response's header must fit into; FastCGI and gRPC have buffers of their own."""
        return self._size("proxy-buffer-size", 4 << 10) if self.protocol.value in _PROXIED_AS_HTTP else None

    # -- connections --------------------------------------------------------------------------------------------------

    @cached_property
    def keep_alive(self) -> KeepAlive:
        """Both sides' keep-alive, of which the ConfigMap decides all but `Connection` and the HTTP version.

        nginx sends a request again when a kept connection turns out closed, if `proxy-next-upstream` names `error`; a
        POST only with `retry-non-idempotent` (nginx/nginx:src/http/ngx_http_upstream.c, ngx_http_upstream_next). To
        FastCGI it opens a connection for each request, and how long it is idle has no meaning.
        """
        retried = self.text("proxy-next-upstream")
        conditions = (retried.value if retried else "error timeout").split()
        repeats = "error" in conditions and "off" not in conditions
        posts = "non_idempotent" in conditions or self.boolean("retry-non-idempotent", False).value
        pooled = self.protocol.value is not AppProtocol.FASTCGI
        return KeepAlive(
            upstream_idle=self.seconds("upstream-keepalive-timeout", 60) if pooled else None,
            upstream_connections=self.integer("upstream-keepalive-connections", 320) if pooled else None,
            upstream_requests=self.integer("upstream-keepalive-requests", 10000) if pooled else None,
            upstream_disabled=next(self._one_request_each(), None),
            client_idle=self.seconds("keep-alive", 75),
            client_requests=self.integer("keep-alive-requests", 1000),
            retries_resets=repeats and posts,
            retries_idempotent=repeats,
        )

    def _one_request_each(self) -> Iterator[Sourced[str]]:
        """Whatever closes the connection to the pod after each request.

        Headers and versions set by a server-snippet never reach a location: each sets its own (rootfs/etc/nginx/
        template/nginx.tmpl), which is also why `proxy_set_header` counts only there and in location-snippet.
        """
        if self.protocol.value not in _PROXIED_AS_HTTP:
            return
        version = self.text("proxy-http-version")
        if version is not None and version.value.strip() == "1.0":
            yield Sourced("HTTP/1.0 in proxy-http-version", version.origin, version.place)
        header = self.text("connection-proxy-header")
        if header is not None and header.value.strip().lower() == "close":
            yield Sourced("`Connection: close` in connection-proxy-header", header.origin, header.place)
        for key in ("configuration-snippet", "location-snippet"):
            snippet = self.text(key)
            if snippet is None or (key == "configuration-snippet" and not self.snippets_allowed):
                continue
            directives = _COMMENT.sub(" ", snippet.value)
            if _CLOSES.search(directives):
                yield Sourced(f"`Connection: close` in {key}", snippet.origin, snippet.place)
            if _HTTP_1_0.search(directives):
                yield Sourced(f"`proxy_http_version 1.0` in {key}", snippet.origin, snippet.place)
        for name, value, place in self.added_headers:
            if name.lower() == "connection" and value.strip().lower() == "close":
                yield Sourced("`Connection: close` in proxy-set-headers", Origin.EXPLICIT, place)

    @property
    def preserves_slash(self) -> bool:
        """Whether a redirect to HTTPS keeps the slash at the end of the URL."""
        return self.boolean("preserve-trailing-slash", False).value

    @property
    def goes_by_peer(self) -> bool:
        """Whether a client's address is that of its connection; False where a header tells it, or may.

        rootfs/etc/nginx/template/nginx.tmpl: `real_ip_header` with use-forwarded-headers and enable-real-ip
        """
        config = self.installation.config
        if config is None:
            return self.installation.told
        headers = self.boolean("use-forwarded-headers", False).value or self.boolean("enable-real-ip", False).value
        return not headers and not any("real_ip" in str(value) for value in config.body.data.values())

    @property
    def snippets_allowed(self) -> bool:
        """False where the ConfigMap says so; without a word the release decides, and old ones allow them."""
        return self.boolean("allow-snippet-annotations", True).value

    @cached_property
    def added_headers(self) -> tuple[tuple[str, str, Place], ...]:
        """The headers that the ConfigMap named by `proxy-set-headers` adds to every request."""
        named = self.text("proxy-set-headers")
        if named is None:
            return ()
        namespace, _, name = named.value.strip().rpartition("/")
        found = self._graph.config_map(namespace, name)
        if found is None:
            return ()
        return tuple((key, str(value), found.at("data", key)) for key, value in found.body.data.items())
