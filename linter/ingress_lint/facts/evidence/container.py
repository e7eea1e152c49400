"""What one container says about its ports: declared names, probes, settings, mounted files, its image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, Final

from ingress_lint.facts.evidence.configuration import ConfiguredPort, configured_ports
from ingress_lint.facts.evidence.images import KnownImage, known_image, published_port
from ingress_lint.facts.evidence.model import (
    Certainty,
    Evidence,
    Listening,
    Source,
    Speech,
)
from ingress_lint.facts.evidence.serving import (
    TLSSwitch,
    listenings,
    opens_port,
    served_files,
    serves_aside,
    tls_switches,
)
from ingress_lint.facts.evidence.settings import Setting, environment, settings, snake_case, unknown_environment, words
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap, Secret
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.workloads import Probe, Volume, VolumeMount
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

_NO_HTTP: Final = frozenset({Speech.FASTCGI, Speech.OTHER})
_TLS_NAMES: Final = frozenset({"https", "tls", "ssl", "websecure", "grpcs"})
_PROBE_WORDS: Final = {"readinessProbe": "readiness", "livenessProbe": "liveness", "startupProbe": "startup"}
_LOCAL_URL: Final = deferred(r"\b(https?)://(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0):(\d{2,5})\b")
_WEB_SERVERS: Final = ("nginx", "openresty", "httpd", "apache", "haproxy", "envoy")
_WEB_CONFIGURATION: Final = frozenset(
    {"/etc/nginx", "/etc/nginx/nginx.conf", "/etc/nginx/conf.d", "/etc/nginx/conf.d/default.conf"}
)
"""Where nginx's image has the configuration that opens port 80."""
_ON_LISTENING: Final = deferred(r"PORT|LISTEN|ADDR|BIND|HOST|CONFIG|OPTS|ARGS", re.IGNORECASE)
_ON_SETTINGS: Final = deferred(r"^/etc\b|conf|settings|/opt/bitnami", re.IGNORECASE)
_SERVING_CERTIFICATE: Final = "kubernetes.io/tls"


class ContainerEvidence:
    """What one container says about its ports; each part is worked out when first asked for."""

    def __init__(self, container: WorkloadContainer, graph: ObjectGraph) -> None:
        self.container = container
        self._graph = graph

    @cached_property
    def variables(self) -> dict[str, tuple[str, Place]]:
        """The environment variables whose value is known."""
        return environment(self.container, self._graph)

    @cached_property
    def unknown_variables(self) -> frozenset[str] | None:
        """The environment variables that are set to what the set does not show; None where any may be."""
        return unknown_environment(self.container, self._graph, self.variables)

    @cached_property
    def words(self) -> list[tuple[str, Place]]:
        """The words of its command line."""
        return words(self.container, self.variables)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What it is told on its command line and in its environment."""
        return tuple(settings(self.words, self.variables))

    @cached_property
    def named_settings(self) -> dict[str, Setting]:
        """The same by their names; of several with one name the first."""
        return {setting.name: setting for setting in reversed(self.settings)}

    @cached_property
    def listenings(self) -> tuple[Listening, ...]:
        """The ports that its settings and the configuration files mounted in it open."""
        configured = (
            Listening(
                port.number,
                port.host,
                f"`{port.directive}` in `{key}`",
                source.at("data", key).inside(port.directive),
                port.speech,
            )
            for source, key, port in self.configured
        )
        return (*(listening for _, listening in self.openings), *configured)

    @cached_property
    def may_listen_elsewhere(self) -> bool:
        """Whether a setting that opens a port has a value that the set does not show."""
        unknown = self.unknown_variables or ()
        return any(opens_port(setting.name) and "$" in setting.value for setting in self.settings) or any(
            opens_port(snake_case(name)) for name in unknown
        )

    @cached_property
    def openings(self) -> tuple[tuple[Setting, Listening], ...]:
        """The ports that its settings open, each with the setting."""
        return tuple((setting, listening) for setting in self.settings for listening in listenings(setting))

    @cached_property
    def tls_switches(self) -> tuple[TLSSwitch, ...]:
        """The settings that turn TLS on or off for all it serves."""
        return tuple(tls_switches(self.settings))

    @cached_property
    def config_maps(self) -> tuple[tuple[KubernetesObject[ConfigMap], str], ...]:
        """The ConfigMaps mounted in it, each with the mount's path."""
        return tuple(
            (found, path)
            for name, path in self._mounted("config_map", "configMap")
            if (found := self._graph.config_map(self._namespace, name)) is not None
        )

    @cached_property
    def secrets(self) -> tuple[tuple[str, str], ...]:
        """The names of the Secrets mounted in it, each with the mount's path."""
        return tuple(self._mounted("secret", "secret"))

    @cached_property
    def served_secret(self) -> tuple[str, Setting] | None:
        """The name of the Secret whose certificate it is told to serve, and what tells it; None where that is unknown."""
        found = {
            name: setting
            for setting in served_files(self.tls_switches)
            for name, path in self.secrets
            if setting.value.startswith(f"{path.rstrip('/')}/")
        }
        return next(iter(found.items())) if len(found) == 1 else None

    @cached_property
    def configured(self) -> tuple[tuple[KubernetesObject[ConfigMap], str, ConfiguredPort], ...]:
        """The ports that mounted configuration files open."""
        return tuple(
            (config_map, str(key), port)
            for config_map, _ in self.config_maps
            for key, text in config_map.body.data.items()
            if isinstance(text, str)
            for port in configured_ports(str(key), text)
        )

    @cached_property
    def image(self) -> KnownImage | None:
        """What is known of its image."""
        return known_image(self.container.container.image)

    @cached_property
    def published_port(self) -> int | None:
        """The port that its image serves as it is published; None where anything here may tell it another."""
        container = self.container.container
        port = published_port(container.image)
        told = (
            port is None
            or container.command
            or container.args
            or self.unknown_variables is None
            or any(_ON_LISTENING.search(name) for name in (*self.variables, *self.unknown_variables))
            or any(_ON_SETTINGS.search(mount.mount_path) for mount in container.volume_mounts)
        )
        return None if told else port

    @cached_property
    def replaces_configuration(self) -> bool:
        """Whether a mounted file that opens ports stands where the image has the one that opens its own."""
        sources = {id(config_map) for config_map, _, _ in self.configured}
        return any(
            id(config_map) in sources and path.rstrip("/") in _WEB_CONFIGURATION
            for config_map, path in self.config_maps
        )

    @cached_property
    def main_port(self) -> int | None:
        """The one TCP port it declares besides those for metrics and the like; None where there are several."""
        main = [
            port.container_port
            for port in self.container.container.ports
            if port.protocol == "TCP" and not serves_aside(port.name)
        ]
        return main[0] if len(main) == 1 else None

    @cached_property
    def _volumes(self) -> tuple[tuple[VolumeMount, Volume], ...]:
        """What is mounted of Secrets and ConfigMaps."""
        mounts = self.container.container.volume_mounts
        if not mounts:
            return ()
        volumes = {
            volume.name: volume
            for volume in self.container.workload.pod.volumes
            if (volume.secret, volume.config_map, volume.projected) != (None, None, None)
        }
        return tuple((mount, volumes[mount.name]) for mount in mounts if mount.name in volumes)

    @property
    def _namespace(self) -> str:
        return self.container.workload.object.namespace

    def _mounted(self, field: str, projected: str) -> Iterator[tuple[str, str]]:
        for mount, volume in self._volumes:
            for source in (getattr(volume, field), *_sources(volume.projected, projected)):
                if isinstance(source, dict):
                    yield str(source.get("secretName") or source.get("name") or ""), mount.mount_path

    # -- about one port ---------------------------------------------------------------------------------------------

    def about(self, number: int) -> Iterator[Evidence]:
        """All that it says about a port of its pod."""
        yield from self._declared(number)
        for field, probe in self.container.container.probes():
            yield from self._probed(number, field, probe)
        for _, listening in self.openings:
            if listening.number == number and listening.speech is not None:
                why = f"{listening.setting} of {self._title} opens port {number} for {listening.speech.value}"
                yield Evidence(listening.speech, listening.certainty, Source.SETTING, why, listening.place)
        for config_map, key, port in self.configured:
            if port.number == number and port.speech is not None:
                certainty = Certainty.CERTAIN if self._serves_web(config_map) else Certainty.LIKELY
                why = f"`{port.directive}` stands in `{key}`, which {self._title} mounts"
                place = config_map.at("data", key).inside(port.directive)
                yield Evidence(port.speech, certainty, Source.CONFIGURATION, why, place)
        if number == self.main_port:
            yield from self._unnumbered(number)
        for port_number, speech in self.image.ports if self.image else ():
            if port_number == number and not self.configured:
                certainty = Certainty.LIKELY if speech in _NO_HTTP else Certainty.HINT
                why = f"image `{self.container.container.image}` speaks {speech.value} on port {number}"
                yield Evidence(speech, certainty, Source.IMAGE, why, self.container.at("image"))

    @property
    def _title(self) -> str:
        return f"container `{self.container.name}`"

    def _probe(self, field: str) -> str:
        return f"the {_PROBE_WORDS[field]} probe of {self._title}"

    def _declared(self, number: int) -> Iterator[Evidence]:
        found = self.container.port_numbered(number, "TCP")
        if found is None:
            return
        index, port = found
        for speech in named(port.name):
            why = f"{self._title} names port {number} `{port.name}`"
            yield Evidence(speech, Certainty.HINT, Source.PORT_NAME, why, self.container.at("ports", index, "name"))

    def _probed(self, number: int, field: str, probe: Probe) -> Iterator[Evidence]:
        if probe.http_get is not None:
            asked = self.container.port_number(probe.http_get.port)
            if asked != number or probe.http_get.host:
                return
            scheme = probe.http_get.scheme.upper()
            place = self.container.at(field, "httpGet", "scheme")
            why = f"{self._probe(field)} asks port {number} over {scheme}"
            speech = Speech.TLS if scheme == "HTTPS" else Speech.PLAIN
            yield Evidence(speech, Certainty.CERTAIN, Source.PROBE, why, place)
            yield Evidence(Speech.HTTP, Certainty.CERTAIN, Source.PROBE, why, place)
        elif probe.grpc is not None:
            if probe.grpc.port == number:
                place = self.container.at(field, "grpc")
                why = f"{self._probe(field)} asks port {number} by gRPC, which the kubelet speaks without TLS"
                yield Evidence(Speech.PLAIN, Certainty.CERTAIN, Source.PROBE, why, place)
                yield Evidence(Speech.GRPC, Certainty.CERTAIN, Source.PROBE, why, place)
        elif isinstance(probe.exec, dict):
            for scheme, asked in _LOCAL_URL.findall(str(probe.exec.get("command", ""))):
                if whole(asked) == number:
                    speech = Speech.TLS if scheme == "https" else Speech.PLAIN
                    why = f"{self._probe(field)} asks {scheme}://localhost:{number}"
                    place = self.container.at(field, "exec", "command")
                    yield Evidence(speech, Certainty.LIKELY, Source.PROBE, why, place)

    def _unnumbered(self, number: int) -> Iterator[Evidence]:
        """What is said of the container as a whole, and so means its main port."""
        for switch in self.tls_switches:
            setting = switch.setting
            why = f"{setting} of {self._title} turns TLS {'on' if switch.speech is Speech.TLS else 'off'}"
            yield Evidence(switch.speech, switch.certainty, Source.SETTING, why, setting.place)
        for name, path in self.secrets:
            secret = self._graph.secret(self._namespace, name)
            if secret is not None and secret.body.type == _SERVING_CERTIFICATE:
                why = f"{self._title} mounts the certificate of Secret `{name}` at {path} and has no other port"
                yield Evidence(Speech.TLS, Certainty.HINT, Source.CERTIFICATE, why, self.container.at("volumeMounts"))

    def _serves_web(self, config_map: KubernetesObject[ConfigMap]) -> bool:
        """Whether the container runs the web server that the configuration is for, rather than carries it along."""
        paths = [path for found, path in self.config_maps if found is config_map]
        told = [self.container.container.image, *paths, *(word for word, _ in self.words[:3])]
        return any(server in text for text in told for server in _WEB_SERVERS)

    def mention(self, number: int) -> Place | None:
        """Where a probe, the command line, the environment or a mounted file names a number."""
        token = str(number)
        pattern = _number(token)
        for field, probe in self.container.container.probes():
            action = probe.http_get or probe.tcp_socket or probe.grpc
            if action is not None and str(action.port) == token:
                return self.container.at(field)
            if action is None and pattern.search(str(probe.exec)):
                return self.container.at(field, "exec")
        return self.told(number)

    def told(self, number: int) -> Place | None:
        """Where the command line, the environment or a mounted file names a number, probes aside."""
        token = str(number)
        pattern = _number(token)
        for text, place in (*self.words, *self.variables.values()):
            if token in text and pattern.search(text):
                return place
        for config_map, _ in self.config_maps:
            for key, text in config_map.body.data.items():
                if isinstance(text, str) and token in text and pattern.search(text):
                    return config_map.at("data", str(key))
        for name, _ in self.secrets:
            secret = self._graph.secret(self._namespace, name)
            named_by = _mentioning(secret.body, pattern) if secret is not None else None
            if secret is not None and named_by is not None:
                return secret.at("stringData", named_by)
        return None


def _number(token: str) -> re.Pattern[str]:
    """Finds a number that is no part of a longer one."""
    return re.compile(rf"(?<![\d.]){token}(?!\d|\.\d)")


def _mentioning(secret: Secret, pattern: re.Pattern[str]) -> str | None:
    return next((str(key) for key, text in secret.string_data.items() if pattern.search(str(text))), None)


def _sources(projected: Any, field: str) -> Iterator[Any]:
    sources = projected.get("sources") if isinstance(projected, dict) else None
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict):
            yield source.get(field)


@lru_cache(256)
def named(name: str) -> tuple[Speech, ...]:
    """What a port's name says it speaks; most ports share a few names."""
    parts = set(name.lower().replace("_", "-").split("-"))
    said = []
    if parts & _TLS_NAMES:
        said.append(Speech.TLS)
    elif "http" in parts:
        said.append(Speech.PLAIN)
    if parts & {"grpc", "grpcs"} and "web" not in parts:  # gRPC-Web travels over HTTP/1 too
        said.append(Speech.GRPC)
    elif parts & {"http", "https"}:
        said.append(Speech.HTTP)
    return tuple(said)
