"""At which address and port a container opens what it serves, as far as that is known.

A server's own default counts where the manifest runs it by name. Sources: benoitc/gunicorn:gunicorn/config.py (`PORT`
makes it bind every address), encode/uvicorn:uvicorn/main.py, pgjones/hypercorn:src/hypercorn/config.py,
pallets/flask:src/flask/cli.py, django/django:django/core/management/commands/runserver.py,
mkdocs/mkdocs:docs/user-guide/configuration.md, gohugoio/hugo:commands/server.go, mlflow/mlflow:mlflow/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.facts.evidence.container import ContainerEvidence
from ingress_lint.facts.evidence.model import Certainty, Listening, is_loopback
from ingress_lint.facts.evidence.serving import EVERY_ADDRESS, listenings, opens_port, serves_aside, word_set
from ingress_lint.facts.evidence.settings import Setting
from ingress_lint.load.document import Place

_ADDRESS_NAMES: Final = word_set(
    "host address addr bind bind_host bind_address bind_addr listen listen_host listen_address listen_addr server_host "
    "server_address http_host http_address uvicorn_host flask_run_host"
)
"""Settings that hold the address to bind, if they hold no port as well."""
_MAIN_PORT: Final = frozenset(
    {"port", "server_port", "http_port", "listen_port", "uvicorn_port", "flask_run_port", "aspnetcore_http_ports"}
)
"""Variables that hold nothing but the port to open."""
_CONFIGURATION: Final = frozenset({"config", "c", "uds", "fd", "env-file", "config-file", "f"})
"""Options that lead a server to a file or socket which the manifest does not show."""
_BEFORE_PROGRAMS: Final = frozenset({"-m", "-c", "-ec", "-lc", "--"})
"""Options that are followed by a program."""


class _Server(Struct, frozen=True):
    """A server that binds only 127.0.0.1 unless told otherwise. `commands` are the words that make it serve."""

    port: int
    variables: frozenset[str]
    """What it reads from the environment for it."""
    commands: frozenset[str] = frozenset()


_SERVERS: Final = {
    "gunicorn": _Server(8000, frozenset({"PORT", "GUNICORN_CMD_ARGS"})),
    "uvicorn": _Server(8000, frozenset({"UVICORN_HOST", "UVICORN_PORT", "UVICORN_UDS", "UVICORN_FD"})),
    "hypercorn": _Server(8000, frozenset()),
    "flask": _Server(5000, frozenset({"FLASK_RUN_HOST", "FLASK_RUN_PORT"}), frozenset({"run"})),
    "manage.py": _Server(8000, frozenset(), frozenset({"runserver"})),
    "mkdocs": _Server(8000, frozenset(), frozenset({"serve"})),
    "hugo": _Server(1313, frozenset(), frozenset({"server", "serve"})),
    "mlflow": _Server(5000, frozenset({"MLFLOW_HOST", "MLFLOW_PORT"}), frozenset({"server", "ui"})),
}


class Binding(Struct, frozen=True):
    """One port at one address. `why` is a sentence on what decides it; `address` is empty for every one."""

    number: int
    address: str
    why: str
    place: Place
    certainty: Certainty
    aside: bool = False
    """Whether it is for metrics, health or administration, by what it is called."""
    program: str = ""
    """The server whose default port it is, empty where something tells the port."""

    @property
    def loopback(self) -> bool:
        """Whether only the pod itself can connect."""
        return is_loopback(self.address)


class _Address(Struct, frozen=True):
    """The address that counts where only a port is given."""

    value: str
    why: str
    place: Place
    certainty: Certainty


def bindings(evidence: ContainerEvidence) -> Iterator[Binding]:
    """Every port that a container is known to open, at which address."""
    address = _address(evidence)
    numbered = False
    for setting, listening in evidence.openings:
        numbered = True
        told = _told(setting, listening)
        if listening.bare and address is not None and is_loopback(address.value):
            told = replace(
                told, address=address.value, why=address.why, place=address.place, certainty=address.certainty
            )
        yield told
    for config_map, key, port in evidence.configured:
        numbered = True
        why = f"`{port.directive}` in `{key}` opens {port.host or 'every address'}"
        yield Binding(port.number, port.host, why, config_map.at("data", key).inside(port.directive), Certainty.LIKELY)
    if numbered or address is None:
        return
    program, after = _server(evidence)
    if program and not _told_elsewhere(evidence, _SERVERS[program], after):
        number = _SERVERS[program].port
        yield Binding(number, address.value, address.why, address.place, address.certainty, program=program)
    elif evidence.main_port is not None:
        yield Binding(evidence.main_port, address.value, address.why, address.place, address.certainty)


def _told(setting: Setting, listening: Listening) -> Binding:
    says_bind = not setting.from_environment or not setting.parts.isdisjoint({"listen", "bind", "urls"})
    certainty = Certainty.LIKELY if says_bind or setting.name in _MAIN_PORT else Certainty.HINT
    why = f"{setting} says `{setting.value}`"
    aside = serves_aside(setting.name.replace("_", "-"))
    return Binding(listening.number, listening.host, why, setting.place, certainty, aside)


def _address(evidence: ContainerEvidence) -> _Address | None:
    """What decides the address for ports given without one; None where nothing is known to."""
    program, after = _server(evidence)
    for setting in evidence.settings:
        if setting.name not in _ADDRESS_NAMES or any(listenings(setting)):
            continue
        if is_loopback(setting.value):
            sure = Certainty.HINT if setting.from_environment and not program else Certainty.LIKELY
            return _Address(setting.value, f"{setting} says `{setting.value}`", setting.place, sure)
        if setting.value in EVERY_ADDRESS:
            return _Address("", f"{setting} says `{setting.value}`", setting.place, Certainty.LIKELY)
        return None
    if program and not _told_elsewhere(evidence, _SERVERS[program], after):
        why = f"{program} binds 127.0.0.1 unless told otherwise, and nothing here tells it"
        return _Address("127.0.0.1", why, evidence.words[after - 1][1], Certainty.HINT)
    return None


def _server(evidence: ContainerEvidence) -> tuple[str, int]:
    """The server run by name that binds loopback by default, and the index of the word after its name."""
    words = [word for word, _ in evidence.words]
    for index, word in enumerate(words):
        name = word.rpartition("/")[2]
        server = _SERVERS.get(name)
        before = words[index - 1] if index else ""
        if server is None or (before.startswith("-") and before not in _BEFORE_PROGRAMS):
            continue
        if not server.commands or not server.commands.isdisjoint(words[index + 1 :]):
            return name, index + 1
    return "", 0


def _told_elsewhere(evidence: ContainerEvidence, server: _Server, after: int) -> bool:
    """Whether a file, a socket, a variable or something unresolved may say where the server listens."""
    options = {word.lstrip("-").partition("=")[0] for word, _ in evidence.words[after:] if word.startswith("-")}
    if not _CONFIGURATION.isdisjoint(options) or not server.variables.isdisjoint(evidence.variables):
        return True
    if evidence.unknown_variables is None or not server.variables.isdisjoint(evidence.unknown_variables):
        return True
    return any(opens_port(setting.name) and not any(listenings(setting)) for setting in evidence.settings)
