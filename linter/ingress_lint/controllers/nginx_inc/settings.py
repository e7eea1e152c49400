"""What holds for an object that F5 NGINX serves: its annotations, else the controller's ConfigMap, else a default.

nginx/kubernetes-ingress:internal/configs/config_params.go (NewDefaultConfigParams).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec import Struct

from ingress_lint.controllers.nginx_inc import CONTROLLER
from ingress_lint.controllers.nginx_inc.annotations import ANNOTATIONS, INHERITED, OF_THE_SERVER
from ingress_lint.controllers.registry import runs
from ingress_lint.controllers.shared.annotations import AnnotationReader, Scope
from ingress_lint.controllers.shared.classes.declared import one_declared_config_map
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.listeners import Listener, ListenerTLS, ProxyPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import KeepAlive, Timeouts
from ingress_lint.values.durations import nginx_time
from ingress_lint.values.numbers import release, whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.sizes import NGINX_HEADER_LIMIT, nginx_size

Value = TypeVar("Value")

GATEWAY: Final = "F5 NGINX"
_PLUS_IMAGE: Final = deferred(r"(^|/)nginx-plus-ingress([:@]|$)")
_VERSION: Final = deferred(r":v?([0-9]+\.[0-9]+)")
_CONVENTIONAL: Final = frozenset({"nginx-config"})
"""The name that the project's manifests give the ConfigMap."""
_TRUE: Final = frozenset({"true", "1", "t", "T", "TRUE", "True"})
_FALSE: Final = frozenset({"false", "0", "f", "F", "FALSE", "False"})
_BY_NGINX: Final = "F5 NGINX's default"
_KEEPS_BY_DEFAULT: Final = (5, 6)
_NEVER_KEPT_BY_DEFAULT: Final = (5, 3)
"""The first release with nginx 1.29.7 or later, which reuses connections on its own, is one of 5.3 to 5.6."""
_POOL: Final = 32
_POOL_IDLE: Final = 60.0


class Installation(Struct, frozen=True):
    """A controller as far as the set shows it; what it does not show is None."""

    container: WorkloadContainer | None = None
    config: KubernetesObject[ConfigMap] | None = None
    flags: dict[str, Sourced[str]] | None = None
    """Its command line, by option."""

    @property
    def plus(self) -> bool | None:
        """Whether it runs NGINX Plus."""
        asked = self.switch("nginx-plus")
        if asked is None or self.container is None:
            return None
        return asked.value or bool(_PLUS_IMAGE.search(self.container.container.image))

    @property
    def goes_by_peer(self) -> bool:
        """Whether a client's address is that of its connection; False where `set-real-ip-from` names others, or may."""
        config = self.config
        return config is not None and not any(
            "real" in key or "real_ip" in str(config.body.data[key]) for key in config.body.data
        )

    def switch(self, name: str) -> Sourced[bool] | None:
        """An option that is on or off; None where the controller is not in the set."""
        if self.container is None:
            return None
        found = self.option(name)
        if found is not None:
            return Sourced(found.value in _TRUE | {""}, found.origin, found.place)
        return Sourced(False, Origin.DEFAULT, self.container.at("args"), f"-{name} is not given")

    def option(self, name: str) -> Sourced[str] | None:
        """The value of an option."""
        return (self.flags or {}).get(name)

    def proxy_port(self, port: int) -> ProxyPort:
        """80 without TLS and 443 with it, unless options move them; `proxy-protocol` concerns both.

        nginx/kubernetes-ingress:cmd/nginx-ingress/flags.go, internal/configs/configmaps.go.
        """
        numbers = {}
        for name, default in (("default-http-listener-port", 80), ("default-https-listener-port", 443)):
            found = self.option(name)
            number = whole(found.value) if found else None
            numbers[default if number is None else number] = default == 443
        if port not in numbers or self.container is None:
            return ProxyPort(GATEWAY)
        tls = Sourced(numbers[port], Origin.DEFAULT, self.container.at("image"), f"port {port} of nginx")
        if self.config is None:
            return ProxyPort(GATEWAY, tls)
        written = str(self.config.body.data.get("proxy-protocol", ""))
        header = (
            Sourced(written.lower() in _TRUE, Origin.EXPLICIT, self.config.at("data", "proxy-protocol"))
            if written
            else Sourced(False, Origin.DEFAULT, self.config.at("data"), "`proxy-protocol` is off by default")
        )
        return ProxyPort(GATEWAY, tls, header)

    @property
    def keeps_connections(self) -> bool | None:
        """Whether the nginx inside reuses connections to pods without being told."""
        found = _VERSION.search(self.container.container.image) if self.container else None
        version = release(found[1]) if found else None
        if version is None:
            return None
        if version >= _KEEPS_BY_DEFAULT:
            return True
        return False if version < _NEVER_KEPT_BY_DEFAULT else None


def installation(graph: ObjectGraph) -> Installation:
    """The controller of a set by its image, or the one whose ConfigMap alone is there, by the name that is usual."""
    containers = [
        container
        for workload in graph.workloads
        for container in workload.containers
        if runs(CONTROLLER, container.container.image)
    ]
    if len(containers) > 1:
        return Installation()
    if containers:
        return _read(containers[0], graph)
    described = one_declared_config_map(graph, CONTROLLER)
    if described is not None:
        return Installation(config=described)
    known = {key for key, spec in ANNOTATIONS.specs.items() if Scope.CONFIG_MAP in spec.scopes}
    configs = [item for item in graph.of(ConfigMap) if item.name in _CONVENTIONAL and known & item.body.data.keys()]
    return Installation(config=configs[0]) if len(configs) == 1 else Installation()


def _read(container: WorkloadContainer, graph: ObjectGraph) -> Installation:
    flags: dict[str, Sourced[str]] = {}
    for word, place in listening_evidence(graph).of(container).words:
        name, _, value = word.partition("=")
        if name.startswith("-"):
            flags[name.lstrip("-")] = Sourced(value, Origin.EXPLICIT, place)
    config = None
    if named := flags.get("nginx-configmaps"):
        namespace, _, name = named.value.rpartition("/")
        own = container.workload.object.namespace
        config = graph.config_map(own if not namespace or "$" in namespace else namespace, name)
    return Installation(container, config, flags)


class Settings:
    """The settings in force for one object. Values of a wrong form count as absent, as they do there."""

    def __init__(self, installation: Installation, readers: Sequence[AnnotationReader], absent: Place) -> None:
        self.installation = installation
        self.absent = absent
        self._readers = tuple(readers)

    def _written(self, key: str) -> Sequence[AnnotationReader]:
        """Whose annotations of this key count, the first before the others."""
        return self._readers

    def texts(self, key: str) -> list[Sourced[str]]:
        """What is written for a key, what counts first."""
        found = [text for reader in self._written(key) if (text := reader.text(key)) is not None]
        config = self.installation.config
        if config is not None and Scope.CONFIG_MAP in ANNOTATIONS.specs[key].scopes and key in config.body.data:
            found.append(Sourced(str(config.body.data[key]), Origin.EXPLICIT, config.at("data", key)))
        return found

    def text(self, key: str) -> Sourced[str] | None:
        """The text of a setting, None where it is not set or empty."""
        return next((found for found in self.texts(key) if found.value.strip()), None)

    def items(self, key: str) -> tuple[Sourced[str], ...]:
        """The items of a comma-separated list."""
        found = self.text(key)
        if found is None:
            return ()
        items = (item.strip() for item in found.value.split(","))
        return tuple(Sourced(item, found.origin, found.place) for item in items if item)

    def boolean(self, key: str, *, default: bool) -> Sourced[bool]:
        """A switch."""
        for found in self.texts(key):
            if found.value in _TRUE | _FALSE:
                return Sourced(found.value in _TRUE, found.origin, found.place)
        return self.default(default)

    def integer(self, key: str, default: int) -> Sourced[int]:
        """A whole number."""
        for found in self.texts(key):
            number = whole(found.value.strip())
            if number is not None:
                return Sourced(number, found.origin, found.place)
        return self.default(default)

    def seconds(self, key: str, default: float) -> Sourced[float]:
        """A time as nginx writes it."""
        for found in self.texts(key):
            value = nginx_time(found.value)
            if value is not None:
                return Sourced(value, found.origin, found.place)
        return self.default(default)

    def default(self, value: Value) -> Sourced[Value]:
        """What holds where nobody wrote anything."""
        return Sourced(value, Origin.DEFAULT, self.absent, _BY_NGINX)

    # -- the pods' side -----------------------------------------------------------------------------------------------

    @property
    def timeouts(self) -> Timeouts:
        """60 s to connect and between two reads; there is no total deadline."""
        return Timeouts(connect=self.seconds("proxy-connect-timeout", 60), read=self.seconds("proxy-read-timeout", 60))

    @property
    def body_limit(self) -> Sourced[int] | None:
        """`client-max-body-size`, 1m; 0 is no limit."""
        for found in self.texts("client-max-body-size"):
            size = nginx_size(found.value)
            if size is not None:
                return Sourced(size, found.origin, found.place) if size else None
        return self.default(1 << 20)

    @property
    def header_limit(self) -> Sourced[int] | None:
        """`proxy-buffer-size`, one page of memory without it; unknown where a snippet has one of its own.

        nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
        """
        snippets = (self.text(key) for key in ("location-snippets", "server-snippets", "http-snippets"))
        if any(snippet is not None and "proxy_buffer_size" in snippet.value for snippet in snippets):
            return None
        for found in self.texts("proxy-buffer-size"):
            size = nginx_size(found.value)
            if size is not None:
                return Sourced(size, found.origin, found.place)
        return self.default(NGINX_HEADER_LIMIT)

    def keep_alive(self, kept: Sourced[int] | None = None, repeats: str = "") -> KeepAlive:
        """Connections to pods; `kept` and `repeats` are what an upstream of its own says in place of annotations.

        Without a number, nginx before 1.29.7 closes each connection after one request, and nginx since then keeps 32
        for 60 s (nginx/nginx:docs/xml/nginx/changes.xml).
        """
        wanted = kept or self.integer("keepalive", 0)
        told = self.text("proxy-next-upstream")
        conditions = (repeats or (told.value if told else "error timeout")).split()
        again = "error" in conditions and "off" not in conditions
        idle = connections = disabled = None
        if wanted.value:
            idle = Sourced(_POOL_IDLE, Origin.DEFAULT, wanted.place, "nginx's keepalive_timeout of upstreams")
            connections = wanted
        elif self.installation.keeps_connections:
            why = "nginx keeps connections by default since 1.29.7"
            idle = Sourced(_POOL_IDLE, Origin.DEFAULT, self.absent, why)
            connections = Sourced(_POOL, Origin.DEFAULT, self.absent, why)
        elif self.installation.keeps_connections is False:
            why = "`Connection: close`, which nginx sends unless `keepalive` is set"
            disabled = Sourced(why, wanted.origin, wanted.place)
        return KeepAlive(
            upstream_idle=idle,
            upstream_connections=connections,
            upstream_disabled=disabled,
            client_idle=self.seconds("keepalive-timeout", 75),
            client_requests=self.integer("keepalive-requests", 1000),
            retries_resets=again and "non_idempotent" in conditions,
            retries_idempotent=again,
        )

    # -- the client's side --------------------------------------------------------------------------------------------

    def listener(
        self, port: Sourced[int], protocol: Sourced[str], tls: ListenerTLS | None, *, usable: bool
    ) -> Listener:
        """A port of nginx. It overwrites X-Forwarded-Proto with the scheme of the connection (nginx.ingress.tmpl)."""
        known = self.installation.config is not None or self.installation.container is not None
        return Listener(
            GATEWAY,
            port,
            protocol,
            tls=tls,
            usable=usable,
            takes_proxy_protocol=self.boolean("proxy-protocol", default=False) if known else None,
            trusts_forwarded=Sourced(False, Origin.DEFAULT, self.absent, "it goes by the connection's own scheme"),
        )


class MinionSettings(Settings):
    """The settings of a minion: what is the server's is its master's alone, and some of the rest it inherits."""

    def __init__(
        self, installation: Installation, own: AnnotationReader, master: AnnotationReader, absent: Place
    ) -> None:
        super().__init__(installation, (own,), absent)
        self._master = master

    def _written(self, key: str) -> Sequence[AnnotationReader]:
        if key in OF_THE_SERVER:
            return (self._master,)
        return (*self._readers, self._master) if key in INHERITED else self._readers
