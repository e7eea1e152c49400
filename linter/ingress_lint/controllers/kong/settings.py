"""What holds for one path that Kong serves: KongIngress first, then annotations, then defaults.

A route's settings are the Ingress's, a Kong service's are the Service's; neither looks at the other's
(Kong/kubernetes-ingress-controller:internal/dataplane/kongstate/route.go and service.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from ingress_lint.controllers.kong.annotations import ANNOTATIONS, FORCE_SSL_REDIRECT, PREFIX, PROTOCOLS
from ingress_lint.controllers.kong.health import active_check
from ingress_lint.controllers.shared.annotations import AnnotationReader
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SECRET, GroupKind
from ingress_lint.objects.kong import KongIngress, KongUpstreamPolicy
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.matches import ValueMatch
from ingress_lint.routes.model import Attachment
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, Timeouts

_SPOKEN: Final = {
    "http": AppProtocol.HTTP,
    "ws": AppProtocol.HTTP,
    "https": AppProtocol.HTTPS,
    "wss": AppProtocol.HTTPS,
    "grpc": AppProtocol.GRPC,
    "grpcs": AppProtocol.GRPCS,
    "tcp": AppProtocol.TCP,
    "tls": AppProtocol.TLS,
    "tls_passthrough": AppProtocol.TLS,
    "udp": AppProtocol.UDP,
}
_CODES: Final = frozenset({301, 302, 307, 308, 426})
_TIMEOUT: Final = 60.0
_RETRIES: Final = 5
_HEADER: Final = f"{PREFIX}/headers."
_GROUP: Final = "configuration.konghq.com"
_PLUGIN: Final = GroupKind(_GROUP, "KongPlugin")
_CLUSTER_PLUGIN: Final = GroupKind(_GROUP, "KongClusterPlugin")
_OVERRIDE: Final = GroupKind(_GROUP, "KongIngress")
_UPSTREAM_POLICY: Final = GroupKind(_GROUP, "KongUpstreamPolicy")
_NO_OVERRIDE: Final = "its settings do not count"


class Overrides:
    """An object's annotations, and the KongIngress that one of them names."""

    def __init__(self, graph: ObjectGraph, item: AnyObject) -> None:
        self.item = item
        self.reader: AnnotationReader = ANNOTATIONS.reader(item)
        self._graph = graph

    @cached_property
    def override(self) -> KubernetesObject[KongIngress] | None:
        """The KongIngress of the annotation; controllers since 3.0 take only its `upstream`."""
        named = self.reader.text("override")
        return self._graph.named(KongIngress, self.item.namespace, named.value) if named else None

    def attached(self) -> Iterator[Attachment]:
        """What the annotations name: plugins, a KongIngress, an upstream policy, a client certificate."""
        for plugin in self.reader.items("plugins"):
            namespace, _, name = plugin.value.rpartition(":")
            namespace = namespace.strip() or self.item.namespace
            resolution = self._plugin(namespace, name.strip())
            consequence = "requests pass without it"
            yield Attachment(plugin.place, _PLUGIN, namespace, name.strip(), resolution, consequence)
        for key, kind, consequence in (
            ("override", _OVERRIDE, _NO_OVERRIDE),
            ("upstream-policy", _UPSTREAM_POLICY, _NO_OVERRIDE),
            ("client-cert", SECRET, "Kong shows the pods no certificate"),
        ):
            named = self.reader.text(key)
            if named is not None and named.value and (key == "override") >= (self.item.kind == "Ingress"):
                found = self._graph.resolve(kind, self.item.namespace, named.value)
                yield Attachment(named.place, kind, self.item.namespace, named.value, found, consequence)

    def _plugin(self, namespace: str, name: str) -> Resolution[Any]:
        """A KongPlugin, else a KongClusterPlugin; missing only where neither can be there."""
        own = self._graph.resolve(_PLUGIN, namespace, name)
        if own.existence is Existence.FOUND:
            return own
        shared = self._graph.resolve(_CLUSTER_PLUGIN, "", name)
        return own if shared.missing else shared


class RouteSettings(Overrides):
    """What an Ingress or HTTPRoute decides."""

    def __init__(self, graph: ObjectGraph, item: AnyObject, absent: Place) -> None:
        super().__init__(graph, item)
        self._absent = absent

    @cached_property
    def protocols(self) -> Sourced[tuple[str, ...]]:
        """What clients may speak. One unknown protocol voids the annotation; gRPC and HTTP together are HTTP."""
        body = self.override.body if self.override else None
        found: Sourced[tuple[str, ...]] = Sourced(("http", "https"), Origin.DEFAULT, self._absent, "Kong's default")
        if self.override is not None and body is not None and body.route is not None and body.route.protocols:
            found = Sourced(body.route.protocols, Origin.EXPLICIT, self.override.at("route", "protocols"))
        if self.forced is not None:
            found = Sourced(("https",), Origin.DERIVED, self.forced, FORCE_SSL_REDIRECT)
        written = self.reader.text("protocols")
        values = tuple(item.value for item in self.reader.items("protocols"))
        if written is not None and values and all(value in PROTOCOLS for value in values):
            found = Sourced(values, Origin.EXPLICIT, written.place)
        if {"grpc", "http"} == {value.rstrip("s") for value in found.value}:
            return Sourced(("http", "https"), Origin.DERIVED, found.place, "gRPC and HTTP do not mix")
        return found

    @property
    def forced(self) -> Place | None:
        """Where `force-ssl-redirect` stands, if it is on."""
        on = self.item.annotations.get(FORCE_SSL_REDIRECT) == "true"
        return self.item.annotation_place(FORCE_SSL_REDIRECT) if on else None

    @property
    def https_only(self) -> bool:
        """Whether plain requests are told to use HTTPS."""
        return not {"http", "grpc"} & set(self.protocols.value)

    @cached_property
    def redirect_code(self) -> Sourced[int]:
        """The status that plain requests get: 426, which no browser follows, unless another is chosen."""
        body = self.override.body if self.override else None
        code = body.route.https_redirect_status_code if body is not None and body.route is not None else None
        found = Sourced(426, Origin.DEFAULT, self.protocols.place, "Kong's default")
        if self.override is not None and code in _CODES:
            found = Sourced(code or 426, Origin.EXPLICIT, self.override.at("route", "https_redirect_status_code"))
        if self.forced is not None:
            found = Sourced(302, Origin.DERIVED, self.forced, FORCE_SSL_REDIRECT)
        written = self.reader.integer("https-redirect-status-code")
        return written if written is not None and written.value in _CODES else found

    @cached_property
    def strip_path(self) -> Sourced[bool]:
        """Whether the matched part of the path is cut off; no by default."""
        return self._switch("strip-path", "strip_path", default=False)

    @cached_property
    def preserve_host(self) -> Sourced[bool]:
        """Whether pods get the client's Host header; yes by default."""
        return self._switch("preserve-host", "preserve_host", default=True)

    def _switch(self, key: str, field: str, *, default: bool) -> Sourced[bool]:
        written = self.reader.text(key)
        if written is not None and written.value.lower() in ("true", "false"):
            return Sourced(written.value.lower() == "true", written.origin, written.place)
        route = self.override.body.route if self.override else None
        value = getattr(route, field) if route is not None else None
        if self.override is not None and value is not None:
            return Sourced(value, Origin.EXPLICIT, self.override.at("route", field))
        return Sourced(default, Origin.DEFAULT, self._absent, "Kong's default")

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods it takes, none for all; one that is not in upper case voids the annotation."""
        written = tuple(item.value for item in self.reader.items("methods"))
        if written and all(method.isascii() and method.isalpha() and method.isupper() for method in written):
            return written
        route = self.override.body.route if self.override else None
        return route.methods if route is not None and not written else ()

    @property
    def headers(self) -> tuple[ValueMatch, ...]:
        """The headers that requests must carry; several values of one are alternatives."""
        separator = self.item.annotations.get(f"{PREFIX}/headers-separator", ",")
        found = []
        for key, value in self.item.annotations.items():
            name = key.removeprefix(_HEADER)
            if name == key or not name or not value:
                continue
            values = [part.strip() for part in value.split(separator or ",")]
            if len(values) == 1 and values[0].startswith("~*"):
                found.append(ValueMatch(name, values[0][2:], "RegularExpression"))
            elif len(values) == 1:
                found.append(ValueMatch(name, values[0]))
            else:
                found.append(ValueMatch(name, "|".join(map(re.escape, values)), "RegularExpression"))
        return tuple(found)


class ServiceSettings(Overrides):
    """What a Service decides, wherever it is the backend."""

    def __init__(self, graph: ObjectGraph, service: KubernetesObject[Service]) -> None:
        super().__init__(graph, service)
        self._absent = service.at("metadata", "annotations") if service.annotations else service.name_place

    @cached_property
    def protocol(self) -> Sourced[AppProtocol]:
        """`konghq.com/protocol` of the Service; neither port 443 nor appProtocol makes it TLS (issue 4457)."""
        written = self.reader.text("protocol")
        if written is not None and written.value in PROTOCOLS:
            return Sourced(_SPOKEN[written.value], written.origin, written.place)
        proxy = self.override.body.proxy if self.override else None
        if self.override is not None and proxy is not None and proxy.protocol in PROTOCOLS:
            return Sourced(_SPOKEN[proxy.protocol], Origin.EXPLICIT, self.override.at("proxy", "protocol"))
        if written is not None:
            why = f"`{written.value}` is no protocol that Kong knows, so it falls back to HTTP"
            return Sourced(AppProtocol.HTTP, Origin.DERIVED, written.place, why)
        why = f"no {PREFIX}/protocol annotation on Service `{self.item.name}`"
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, self._absent, why)

    @cached_property
    def timeouts(self) -> Timeouts:
        """In milliseconds, 60 s by default; there is no total deadline."""
        return Timeouts(connect=self._seconds("connect-timeout"), read=self._seconds("read-timeout"))

    def _seconds(self, key: str) -> Sourced[float]:
        written = self.reader.integer(key)
        if written is not None:
            return Sourced(written.value / 1000, written.origin, written.place)
        field = key.replace("-", "_")
        proxy = self.override.body.proxy if self.override else None
        value = getattr(proxy, field) if proxy is not None else None
        if self.override is not None and value is not None:
            return Sourced(value / 1000, Origin.EXPLICIT, self.override.at("proxy", field))
        return Sourced(_TIMEOUT, Origin.DEFAULT, self._absent, "Kong's default")

    @property
    def retries(self) -> int:
        """How often Kong tries another pod."""
        written = self.reader.integer("retries")
        proxy = self.override.body.proxy if self.override else None
        if written is not None:
            return written.value
        return proxy.retries if proxy is not None and proxy.retries is not None else _RETRIES

    @property
    def path(self) -> Sourced[str] | None:
        """What is put before the path on its way to the pods; it must start with a slash."""
        written = self.reader.text("path")
        if written is not None and written.value.startswith("/"):
            return written
        proxy = self.override.body.proxy if self.override else None
        if self.override is None or proxy is None or not proxy.path:
            return None
        return Sourced(proxy.path, Origin.EXPLICIT, self.override.at("proxy", "path"))

    @cached_property
    def health_check(self) -> HealthCheck | None:
        """The active check of its upstream policy, else of its KongIngress."""
        named = self.reader.text("upstream-policy")
        policy = self._graph.named(KongUpstreamPolicy, self.item.namespace, named.value) if named else None
        if policy is not None:
            checks = policy.body.spec.health_checks
            place = policy.at("spec", "healthchecks", "active")
            return active_check(checks.active, place, _NAMES) if checks and checks.active else None
        upstream = self.override.body.upstream if self.override else None
        if self.override is None or upstream is None or upstream.health_checks is None:
            return None
        active = upstream.health_checks.active
        place = self.override.at("upstream", "healthchecks", "active")
        return active_check(active, place, _LEGACY_NAMES) if active else None


_NAMES: Final = {
    "path": "httpPath",
    "statuses": "httpStatuses",
    "failures": "httpFailures",
    "tcp": "tcpFailures",
    "timeouts": "timeouts",
}
_LEGACY_NAMES: Final = {
    "path": "http_path",
    "statuses": "http_statuses",
    "failures": "http_failures",
    "tcp": "tcp_failures",
    "timeouts": "timeouts",
}
