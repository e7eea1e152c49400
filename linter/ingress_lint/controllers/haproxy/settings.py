"""What both HAProxy controllers share: settings from Service, Ingress and ConfigMap, in HAProxy's own units.

Neither sets `http-reuse` or `pool-purge-delay`, so that how long a connection to a pod stays idle follows no timer:
HAProxy closes half of its idle pool every 5 s (haproxy/haproxy:doc/configuration.txt).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from msgspec import Struct

from ingress_lint.controllers.registry import runs
from ingress_lint.controllers.shared.annotations import AnnotationReader, AnnotationTable, Scope
from ingress_lint.controllers.shared.classes.declared import one_declared_config_map
from ingress_lint.facts.app_servers import named_config_map
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap, Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.listeners import Listener, ListenerTLS, ProxyPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.durations import haproxy_time
from ingress_lint.values.numbers import whole

Value = TypeVar("Value")

_TRUE: Final = frozenset({"true", "1", "t", "yes", "on", "enabled"})
_FALSE: Final = frozenset({"false", "0", "f", "no", "off", "disabled"})
_PLAIN_PORTS: Final = frozenset({80, 8080})
_TLS_PORTS: Final = frozenset({443, 8443})
CHECK_INTERVAL: Final = 2.0
CHECK_RISE: Final = 2
CHECK_FALL: Final = 3
"""haproxy/haproxy:doc/configuration.txt, keywords inter, rise, fall."""
HEALTHY: Final = "200-399"
"""What `option httpchk` takes for healthy without `http-check expect`."""


class Installation(Struct, frozen=True):
    """A controller as far as the set shows it."""

    container: WorkloadContainer | None = None
    config: KubernetesObject[ConfigMap] | None = None


def installation(
    graph: ObjectGraph, controller: str, table: AnnotationTable, config_names: frozenset[str]
) -> Installation:
    """The installation of a controller by its image, or the one whose ConfigMap alone is there, by the names that are usual."""
    containers = [
        container
        for workload in graph.workloads
        for container in workload.containers
        if runs(controller, container.container.image)
    ]
    if containers:
        return (
            Installation(containers[0], named_config_map(containers[0], graph))
            if len(containers) == 1
            else Installation()
        )
    described = one_declared_config_map(graph, controller)
    if described is not None:
        return Installation(config=described)
    known = {key for key, spec in table.specs.items() if Scope.CONFIG_MAP in spec.scopes}
    configs = [item for item in graph.of(ConfigMap) if item.name in config_names and known & item.body.data.keys()]
    return Installation(config=configs[0]) if len(configs) == 1 else Installation()


class Settings:
    """The settings in force for one backend: the Service's before the Ingress's before the ConfigMap's."""

    def __init__(
        self,
        table: AnnotationTable,
        ingress: KubernetesObject[Ingress | LegacyIngress],
        service: KubernetesObject[Service] | None,
        config: KubernetesObject[ConfigMap] | None,
        by: str,
    ) -> None:
        self._table = table
        self._config = config
        self._by = by
        self._layers: list[tuple[Scope, AnnotationReader]] = [(Scope.INGRESS, table.reader(ingress))]
        if service is not None:
            self._layers.insert(0, (Scope.SERVICE, table.reader(service)))
        self._absent = ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place

    def _texts(self, key: str) -> Iterator[Sourced[str]]:
        spec = self._table.specs[key]
        for scope, reader in self._layers:
            if scope in spec.scopes and (found := reader.text(key)):
                yield found
        config = self._config
        if Scope.CONFIG_MAP in spec.scopes and config is not None and key in config.body.data:
            yield Sourced(str(config.body.data[key]), Origin.EXPLICIT, config.at("data", key))

    def text(self, key: str) -> Sourced[str] | None:
        """The text of a setting, None where it is not set or empty."""
        return next((found for found in self._texts(key) if found.value.strip()), None)

    def lines(self, key: str) -> tuple[Sourced[str], ...]:
        """The lines of a setting that may hold several."""
        found = self.text(key)
        if found is None:
            return ()
        lines = (line.strip() for line in found.value.splitlines())
        return tuple(Sourced(line, found.origin, found.place) for line in lines if line)

    def items(self, key: str) -> tuple[Sourced[str], ...]:
        """The items of a comma-separated list."""
        found = self.text(key)
        if found is None:
            return ()
        items = (item.strip() for item in found.value.split(","))
        return tuple(Sourced(item, found.origin, found.place) for item in items if item)

    def switch(self, key: str) -> Sourced[bool] | None:
        """A switch, None where nobody set it."""
        found = self.text(key)
        if found is None or found.value.strip().lower() not in _TRUE | _FALSE:
            return None
        return Sourced(found.value.strip().lower() in _TRUE, found.origin, found.place)

    def on(self, key: str) -> Sourced[bool] | None:
        """A switch that somebody turned on."""
        found = self.switch(key)
        return found if found is not None and found.value else None

    def integer(self, key: str, default: int) -> Sourced[int]:
        """A whole number."""
        found = self.text(key)
        number = whole(found.value.strip()) if found else None
        return Sourced(number, found.origin, found.place) if found and number is not None else self.default(default)

    def seconds(self, key: str, default: float) -> Sourced[float]:
        """A time in seconds."""
        return self.seconds_set(key) or self.default(default)

    def seconds_set(self, key: str) -> Sourced[float] | None:
        """A time in seconds, None where nobody set it."""
        found = self.text(key)
        value = haproxy_time(found.value) if found else None
        return Sourced(value, found.origin, found.place) if found and value is not None else None

    def default(self, value: Value, why: str = "") -> Sourced[Value]:
        """What holds where nobody wrote anything."""
        return Sourced(value, Origin.DEFAULT, self._absent, why or f"{self._by}'s default")


def plain_listener(
    gateway: str,
    place: Place,
    takes_proxy_protocol: Sourced[bool] | None,
    trusts_forwarded: Sourced[bool] | None = None,
) -> Listener:
    """Port 80."""
    return Listener(
        gateway,
        Sourced(80, Origin.DEFAULT, place),
        Sourced("HTTP", Origin.DEFAULT, place),
        takes_proxy_protocol=takes_proxy_protocol,
        trusts_forwarded=trusts_forwarded,
    )


def secure_listener(
    gateway: str, tls: ListenerTLS, protocol: str, takes_proxy_protocol: Sourced[bool] | None
) -> Listener:
    """Port 443, where TLS ends or passes through."""
    mode = tls.mode
    return Listener(
        gateway,
        Sourced(443, Origin.DERIVED, mode.place, mode.why),
        Sourced(protocol, Origin.DERIVED, mode.place, mode.why),
        tls=tls,
        takes_proxy_protocol=takes_proxy_protocol,
    )


def proxy_port(
    gateway: str, container: WorkloadContainer, port: int, takes_proxy_protocol: Sourced[bool] | None
) -> ProxyPort:
    """What a port of HAProxy takes: 80 and 443 in the first releases, 8080 and 8443 in later ones."""
    if port not in _PLAIN_PORTS | _TLS_PORTS:
        return ProxyPort(gateway)
    tls = Sourced(port in _TLS_PORTS, Origin.DEFAULT, container.at("image"), f"port {port} of HAProxy")
    return ProxyPort(gateway, tls, takes_proxy_protocol)
