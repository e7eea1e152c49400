"""Which settings open a port, and which turn TLS on or off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from ingress_lint.facts.evidence.model import Certainty, Listening, Speech
from ingress_lint.facts.evidence.settings import Setting
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import is_number, port_number


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


EVERY_ADDRESS: Final = frozenset({"", "*", "+", "0.0.0.0", "[::]", "::", "$POD_IP", "$(POD_IP)", "${POD_IP}"})  # noqa: S104
_SOCKET: Final = deferred(r"(?:(\w+)://)?(\[[^\]]*\]|[^\s:/\[\]]*):([0-9]{1,5})(?:[/?].*)?")
_HEAD: Final = frozenset({"port", "ports", "listen", "bind", "addr", "address", "addresses", "urls"})
_QUALIFIERS: Final = word_set(
    "http https http2 tls ssl secure insecure grpc grpcs web webserver server app api service container serve number "
    "public main ui listener rest on to proxy internal metrics metric health healthz probe admin telemetry management "
    "mgmt aspnetcore dotnet uvicorn gunicorn quarkus micronaut nitro"
)
_ASIDE: Final = word_set("metrics metric health healthz probe admin telemetry management mgmt internal")
_TLS_WORDS: Final = frozenset({"https", "tls", "ssl", "secure", "grpcs"})
_TLS_SCHEMES: Final = frozenset({"https", "ssl", "tls"})
_EXACT_NAMES: Final = frozenset({"urls", "aspnetcore_urls", "dotnet_urls"})
"""Settings whose URLs say for each port whether it opens TLS."""
_ASPNET_PORTS: Final = {
    "aspnetcore_http_ports": Speech.PLAIN,
    "dotnet_http_ports": Speech.PLAIN,
    "aspnetcore_https_ports": Speech.TLS,
    "dotnet_https_ports": Speech.TLS,
}
_DIGIT: Final = deferred(r"[0-9]")
_KONG_LISTEN: Final = deferred(r"kong_(?:proxy|admin|status|admin_gui|portal_gui|portal_api)_listen")
_BROWSER_PORTS: Final = frozenset({"aspnetcore_https_port", "dotnet_https_port"})
"""The port that ASP.NET Core redirects browsers to; `HTTPS_PORT` is read so as well, and by others to listen on."""

_CERTIFICATE_OPTIONS: Final = word_set(
    "tls_cert_file tls_cert tls_cert_path tls_certificate tls_certificate_file tls_crt_file tls_crt tls_key tls_key_file "
    "tls_private_key_file ssl_certfile ssl_keyfile ssl_cert ssl_cert_file ssl_key ssl_certificate certfile keyfile "
    "https_cert https_key https_cert_file https_certificate_file kc_https_certificate_file kc_https_key_store_file "
    "server_cert server_key server_tls_cert_file server_ssl_key_store server_ssl_certificate server_ssl_bundle "
    "web_tls_cert_file http_tls_cert tls_server_cert tls_server_key tls_server_privkey"
)
_TLS_SWITCHES: Final = word_set(
    "tls enable_tls tls_enable tls_enabled ssl enable_ssl ssl_enable ssl_enabled enable_https https_enabled https "
    "server_ssl_enabled server_tls_enabled serve_tls listen_tls"
)
_PLAIN_SWITCHES: Final = word_set(
    "disable_tls no_tls tls_disable tls_disabled disable_ssl no_ssl ssl_disabled http_only disable_https no_https "
    "plaintext insecure_http"
)


class TLSSwitch(Struct, frozen=True):
    """A setting that turns TLS on or off without naming a port, so that it means the container's main port."""

    speech: Speech
    certainty: Certainty
    setting: Setting


def listenings(setting: Setting) -> Iterator[Listening]:
    """The ports that a setting opens."""
    read = _reader(setting.name)
    if read is not None and _DIGIT.search(setting.value):
        yield from read(setting)


@lru_cache(1024)
def _reader(name: str) -> Callable[[Setting], Iterator[Listening]] | None:
    """What reads the ports from a setting of this name, None where it opens none; containers share many names."""
    if name in _EXACT_NAMES or name in _ASPNET_PORTS:
        return _aspnet
    if _KONG_LISTEN.fullmatch(name):
        return _kong
    return _plain_form if opens_port(name) else None


def opens_port(name: str) -> bool:
    """Whether a setting is called like one that opens a port."""
    parts = frozenset(name.split("_"))
    return bool(parts & _HEAD) and parts <= _HEAD | _QUALIFIERS and name not in _BROWSER_PORTS


def _kong(setting: Setting) -> Iterator[Listening]:
    for entry in setting.value.split(","):
        words = entry.split()
        address = _socket(words[0]) if words else None
        if address is not None:
            speech = Speech.TLS if "ssl" in words else Speech.PLAIN
            yield _listening(setting, address[1], address[2], speech, Certainty.CERTAIN)


def _plain_form(setting: Setting) -> Iterator[Listening]:
    parts = setting.parts
    address = _socket(setting.value)
    if address is None:
        return
    scheme, host, number = address
    speech, certainty = None, Certainty.LIKELY
    if scheme in _TLS_SCHEMES or (parts & _TLS_WORDS and not scheme):
        speech = Speech.TLS
        certainty = Certainty.HINT if setting.name == "https_port" and setting.from_environment else certainty
    elif "insecure" in parts or scheme == "http":
        speech = Speech.PLAIN
    elif "http" in parts:
        speech, certainty = Speech.PLAIN, Certainty.HINT
    elif "grpc" in parts:
        speech = Speech.GRPC
    bare = is_number(setting.value)
    yield Listening(number, host, str(setting), setting.place, speech, certainty, bare)


def _aspnet(setting: Setting) -> Iterator[Listening]:
    for entry in setting.value.replace(",", ";").split(";"):
        address = _socket(entry.strip())
        if address is not None:
            speech = _ASPNET_PORTS.get(setting.name) or (Speech.TLS if address[0] in _TLS_SCHEMES else Speech.PLAIN)
            yield _listening(setting, address[1], address[2], speech, Certainty.CERTAIN)


def _listening(setting: Setting, host: str, number: int, speech: Speech | None, certainty: Certainty) -> Listening:
    return Listening(number, host, str(setting), setting.place, speech, certainty)


def _socket(value: str) -> tuple[str, str, int] | None:
    """Scheme, address and port of what a setting binds; None where the address is that of something else."""
    if is_number(value):
        bare = port_number(value)
        return None if bare is None else ("", "", bare)
    found = _SOCKET.fullmatch(value)
    number = port_number(found[3]) if found else None
    if found is None or number is None:
        return None
    host = found[2]
    if host in EVERY_ADDRESS:
        host = ""
    elif host not in ("localhost", "[::1]") and not host.startswith("127."):
        return None
    return (found[1] or "").lower(), host, number


def tls_switches(settings: Iterable[Setting]) -> Iterator[TLSSwitch]:
    """The settings that turn TLS on or off for whatever the container serves."""
    for setting in settings:
        name = setting.name
        if name in _CERTIFICATE_OPTIONS:
            if setting.value and not setting.value.startswith("-"):
                yield TLSSwitch(Speech.TLS, Certainty.LIKELY, setting)
        elif name in _TLS_SWITCHES:
            yield TLSSwitch(Speech.TLS if setting.switched_on else Speech.PLAIN, Certainty.LIKELY, setting)
        elif name in _PLAIN_SWITCHES:
            if setting.switched_on:
                yield TLSSwitch(Speech.PLAIN, Certainty.LIKELY, setting)
        elif name == "insecure" and setting.switched_on and not setting.from_environment:
            yield TLSSwitch(Speech.PLAIN, Certainty.HINT, setting)


def served_files(switches: Iterable[TLSSwitch]) -> Iterator[Setting]:
    """The settings that name a file, by its whole path, to open TLS with."""
    for switch in switches:
        if switch.setting.name in _CERTIFICATE_OPTIONS and switch.setting.value.startswith("/"):
            yield switch.setting


def serves_aside(port_name: str) -> bool:
    """Whether a port is for metrics, health or administration by its name, and so not the main one."""
    return not _ASIDE.isdisjoint(port_name.lower().split("-"))
