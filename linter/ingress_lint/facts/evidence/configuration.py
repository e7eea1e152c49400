"""What server configuration in a ConfigMap says about ports: nginx, Apache, HAProxy, Envoy, Spring Boot and Kibana."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint.facts.evidence.model import Speech
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import port_in_file, port_number

_ADDRESS: Final = deferred(r"(?:(\[[0-9a-fA-F:]*\]|[^\s:\[\]]*):)?([0-9]{1,5})")
_NGINX_SERVER: Final = deferred(r"\bserver\s*\{")
_NGINX_LISTEN: Final = deferred(r"^[ \t]*listen[ \t]+(?=\S)([^;#\n]+);", re.MULTILINE)
_NGINX_OPAQUE: Final = deferred(r"\bssl\s+on\s*;|\bssl_preread\s+on\b|^[ \t]*stream\s*\{", re.MULTILINE)
_APACHE_LISTEN: Final = deferred(r"^[ \t]*Listen[ \t]+(\S+)(?:[ \t]+(\w+))?[ \t]*$", re.MULTILINE)
_APACHE_HOST: Final = deferred(r"<VirtualHost\s+(?=\S)([^<>]+)>", re.IGNORECASE)
_APACHE_HOST_END: Final = deferred("</VirtualHost>", re.IGNORECASE)
_APACHE_TLS: Final = deferred(r"^[ \t]*SSLEngine[ \t]+on", re.MULTILINE | re.IGNORECASE)
_HAPROXY_SECTION: Final = deferred(r"^(?:frontend|listen)[ \t]+\S+", re.MULTILINE)
_HAPROXY_BIND: Final = deferred(r"^[ \t]+bind[ \t]+(\S+)([^\n]*)$", re.MULTILINE)
_SPRING_PORT: Final = deferred(r"^[ \t]*server\.port[ \t]*[=:][ \t]*([0-9]+)", re.MULTILINE)
_SPRING_TLS: Final = deferred(
    r"^[ \t]*server\.ssl\.(?:enabled[ \t]*[=:][ \t]*true|key-store[ \t]*[=:]|bundle)", re.MULTILINE
)
_KIBANA_FILES: Final = ("kibana.yml", "opensearch_dashboards.yml")
_KIBANA_PORT: Final = 5601


class ConfiguredPort(Struct, frozen=True):
    """A port that a configuration file opens. `speech` is None where the file leaves open whether it is TLS."""

    number: int
    host: str
    speech: Speech | None
    directive: str
    """As the file writes it."""


def configured_ports(file_name: str, text: str) -> Iterator[ConfiguredPort]:
    """The ports that a text opens, where it is configuration of a server that is known."""
    if "listen" in text and _NGINX_SERVER.search(text):
        yield from _nginx(text)
    elif "Listen" in text or "VirtualHost" in text:
        yield from _apache(text)
    elif "bind" in text and _HAPROXY_SECTION.search(text):
        yield from _haproxy(text)
    elif "port_value" in text and "listeners" in text:
        yield from _from_yaml(text, _envoy)
    elif file_name in _KIBANA_FILES:
        yield from _from_yaml(text, _kibana)
    elif "server" in text and "port" in text and file_name.startswith("application"):
        if file_name.endswith((".yml", ".yaml")):
            yield from _from_yaml(text, _spring)
        else:
            yield from _spring_properties(text)


def _address(text: str) -> tuple[str, int] | None:
    found = _ADDRESS.fullmatch(text)
    number = port_number(found[2]) if found else None
    if found is None or number is None:
        return None
    host = found[1] or ""
    return ("" if host in ("*", "0.0.0.0", "[::]") else host), number  # noqa: S104 (read, not bound)


def _nginx(text: str) -> Iterator[ConfiguredPort]:
    opaque = _NGINX_OPAQUE.search(text) is not None
    for found in _NGINX_LISTEN.finditer(text):
        first, *parameters = found[1].split()
        address = _address(first)
        if address is None or "quic" in parameters or "udp" in parameters:
            continue
        speech = Speech.TLS if "ssl" in parameters else None if opaque else Speech.PLAIN
        yield ConfiguredPort(address[1], address[0], speech, f"listen {' '.join(found[1].split())}")


def _apache(text: str) -> Iterator[ConfiguredPort]:
    by_host: dict[int, bool] = {}
    outside = []
    for names, inside in _apache_parts(text):
        if names is None:
            outside.append(inside)
        for name in names or ():
            if address := _address(name):
                by_host[address[1]] = by_host.get(address[1], False) or _APACHE_TLS.search(inside) is not None
    everywhere = _APACHE_TLS.search("".join(outside)) is not None
    listening: set[int] = set()
    for found in _APACHE_LISTEN.finditer(text):
        if (address := _address(found[1])) is not None:
            host, number = address
            tls = by_host.get(number, everywhere) or found[2] == "https"
            listening.add(number)
            yield ConfiguredPort(number, host, Speech.TLS if tls else Speech.PLAIN, " ".join(found[0].split()))
    for number, tls in by_host.items():
        if number not in listening:
            yield ConfiguredPort(number, "", Speech.TLS if tls else Speech.PLAIN, f"<VirtualHost *:{number}>")


def _apache_parts(text: str) -> Iterator[tuple[list[str] | None, str]]:
    """The virtual hosts of a file, each as its addresses and what it holds, and the text between them without any."""
    at = 0
    while opened := _APACHE_HOST.search(text, at):
        closed = _APACHE_HOST_END.search(text, opened.end())
        if closed is None:
            break
        yield None, text[at : opened.start()]
        yield opened[1].split(), text[opened.end() : closed.start()]
        at = closed.end()
    yield None, text[at:]


def _haproxy(text: str) -> Iterator[ConfiguredPort]:
    passthrough = "mode tcp" in text
    for found in _HAPROXY_BIND.finditer(text):
        parameters = found[2].split("#")[0].split()
        for part in found[1].split(","):
            if ":" in part and (address := _address(part)) is not None:
                speech = Speech.TLS if "ssl" in parameters else None if passthrough else Speech.PLAIN
                yield ConfiguredPort(address[1], address[0], speech, " ".join(["bind", part, *parameters]))


def _from_yaml(text: str, read: Callable[[Any], Iterator[ConfiguredPort]]) -> Iterator[ConfiguredPort]:
    import yaml

    try:
        for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            yield from read(document)
    except (yaml.YAMLError, ValueError, RecursionError):
        return


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _kibana(document: Any) -> Iterator[ConfiguredPort]:
    """`server.host` where it is written, and 5601 unless something else is (elastic.co: Configure Kibana)."""

    def setting(*keys: str) -> Any:
        flat = document.get(".".join(keys)) if isinstance(document, dict) else None
        return _at(document, *keys) if flat is None else flat

    host, number = setting("server", "host"), port_in_file(setting("server", "port") or _KIBANA_PORT)
    if isinstance(host, str) and number is not None:
        speech = Speech.TLS if setting("server", "ssl", "enabled") is True else Speech.PLAIN
        yield ConfiguredPort(number, "" if host in ("0", "0.0.0.0") else host, speech, f"server.host: {host}")  # noqa: S104


def _envoy(document: Any) -> Iterator[ConfiguredPort]:
    listeners = _at(document, "static_resources", "listeners") or _at(document, "listeners")
    for listener in listeners if isinstance(listeners, list) else ():
        address = _at(listener, "address", "socket_address")
        number, host = port_in_file(_at(address, "port_value")), _at(address, "address")
        if number is None:
            continue
        chains = _at(listener, "filter_chains")
        chains = chains if isinstance(chains, list) else []
        secured = [_at(chain, "transport_socket") is not None or "tls_context" in chain for chain in chains if chain]
        sniffs = "tls_inspector" in str(_at(listener, "listener_filters"))
        speech = Speech.TLS if secured and all(secured) else None if any(secured) or sniffs else Speech.PLAIN
        bound = host if isinstance(host, str) and host not in ("0.0.0.0", "::") else ""  # noqa: S104 (read, not bound)
        yield ConfiguredPort(number, bound, speech, f"port_value: {number}")


def _spring(document: Any) -> Iterator[ConfiguredPort]:
    number = port_in_file(_at(document, "server", "port"))
    if number is not None:
        secured = _at(document, "server", "ssl", "enabled") is True or _at(document, "server", "ssl", "key-store")
        yield ConfiguredPort(number, "", Speech.TLS if secured else None, f"server.port: {number}")


def _spring_properties(text: str) -> Iterator[ConfiguredPort]:
    found = _SPRING_PORT.search(text)
    number = port_number(found[1]) if found else None
    if found is not None and number is not None:
        speech = Speech.TLS if _SPRING_TLS.search(text) else None
        yield ConfiguredPort(number, "", speech, f"server.port={found[1]}")
