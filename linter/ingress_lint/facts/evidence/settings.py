"""What a container is told on its command line and in its environment, as named settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.values.patterns import deferred

_VARIABLE: Final = deferred(r"\$\((\w+)\)|\$\{(\w+)(?::?-([^}]{0,1000}))?\}|\$(\w+)")
_CAMEL: Final = deferred(r"(?<=[a-z0-9])(?=[A-Z])")
_ASSIGNMENT: Final = deferred(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
_SHELL_SYNTAX: Final = frozenset("'\"\\#")
"""What makes the words of a script more than its text between blanks; `shlex` is slow."""
_SHORT_FLAGS: Final[Mapping[str, frozenset[str]]] = {
    "gunicorn": frozenset("b"),
    "hypercorn": frozenset("b"),
    "rails": frozenset("pb"),
    "puma": frozenset("pb"),
    "rackup": frozenset("po"),
    "next": frozenset("pH"),
    "http-server": frozenset("pa"),
    "serve": frozenset("lp"),
    "php": frozenset("S"),
    "flask": frozenset("ph"),
}
"""One-letter options that mean a port or an address, by the program that takes them."""
_SHORT_NAMES: Final = {"b": "bind", "p": "port", "l": "listen", "S": "listen", "H": "host", "h": "host", "o": "host"}
_POSITIONAL: Final = {"runserver": "listen", "http.server": "port"}
"""Words after which a bare address or port follows."""


class Setting(Struct, frozen=True):
    """One thing that a container is told. `name` is in snake case; `written` is how the manifest writes it."""

    name: str
    written: str
    value: str
    place: Place
    from_environment: bool = False

    @property
    def parts(self) -> frozenset[str]:
        """The words of its name."""
        return frozenset(self.name.split("_"))

    @property
    def switched_on(self) -> bool:
        """Whether it is true, taken as a switch; an option without a value is."""
        return self.value.lower() not in ("false", "no", "off", "0", "n", "disabled")

    def __str__(self) -> str:
        return f"`{self.written}`"


def environment(container: WorkloadContainer, graph: ObjectGraph) -> dict[str, tuple[str, Place]]:
    """The environment variables whose value the set shows, each with its place."""
    namespace = container.workload.object.namespace
    found: dict[str, tuple[str, Place]] = {}
    for source in container.container.env_from:
        reference = source.get("configMapRef") if isinstance(source, dict) else None
        config_map = graph.config_map(namespace, _name(reference)) if reference else None
        prefix = source.get("prefix") or "" if isinstance(source, dict) else ""
        if config_map is not None:
            for key, value in config_map.body.data.items():
                found[f"{prefix}{key}"] = str(value), config_map.at("data", key)
    for index, variable in enumerate(container.container.env):
        if variable.value is not None:
            found[variable.name] = str(variable.value), container.at("env", index, "value")
        elif isinstance(variable.value_from, dict):
            found.pop(variable.name, None)
            reference = variable.value_from.get("configMapKeyRef")
            if not isinstance(reference, dict):
                continue
            config_map = graph.config_map(namespace, _name(reference))
            wanted = str(reference.get("key", ""))
            if config_map is not None and wanted in config_map.body.data:
                found[variable.name] = str(config_map.body.data[wanted]), config_map.at("data", wanted)
    expanded = {name: (expand(value, found), place) for name, (value, place) in found.items() if "$" in value}
    return found | expanded


def unknown_environment(
    container: WorkloadContainer, graph: ObjectGraph, known: Mapping[str, tuple[str, Place]]
) -> frozenset[str] | None:
    """The variables that are not `known`; None where a whole source of variables is not in the set."""
    namespace = container.workload.object.namespace
    for source in container.container.env_from:
        reference = source.get("configMapRef") if isinstance(source, dict) else None
        if graph.config_map(namespace, _name(reference)) is None:
            return None
    return frozenset(variable.name for variable in container.container.env if variable.name not in known)


def _name(reference: Any) -> str:
    return str(reference.get("name", "")) if isinstance(reference, dict) else ""


def expand(text: str, variables: Mapping[str, tuple[str, Place]]) -> str:
    """`text` with the variables that are known put in, and `${NAME:-default}` by its default."""
    if "$" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        if name in variables:
            return variables[name][0]
        return found[0] if found[3] is None else found[3]

    return _VARIABLE.sub(value, text)


def words(container: WorkloadContainer, variables: Mapping[str, tuple[str, Place]]) -> list[tuple[str, Place]]:
    """The words of command and arguments, variables put in; a shell script is taken apart into its words."""
    found: list[tuple[str, Place]] = []
    for field, items in (("command", container.container.command), ("args", container.container.args)):
        for index, item in enumerate(items):
            text = expand(str(item), variables)
            place = container.at(field, index)
            if " " in text or "\n" in text:
                found.extend((word, place) for word in _shell_words(text))
            else:
                found.append((text, place))
    return found


def _shell_words(text: str) -> list[str]:
    if _SHELL_SYNTAX.isdisjoint(text):
        return text.split()
    import shlex

    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


def settings(command_line: list[tuple[str, Place]], variables: Mapping[str, tuple[str, Place]]) -> Iterator[Setting]:
    """Every named setting, the command line's before the environment's."""
    program = next(
        (name for word, _ in command_line if (name := word.rpartition("/")[2]) in _SHORT_FLAGS and name != "serve"),
        command_line[0][0].rpartition("/")[2] if command_line else "",
    )
    short = _SHORT_FLAGS.get(program, frozenset())
    last = len(command_line) - 1
    for index, (word, place) in enumerate(command_line):
        following = command_line[index + 1] if index < last else None
        if word.startswith("-"):
            yield from _option(word, place, following, short)
        elif word in _POSITIONAL and following is not None:
            yield Setting(_POSITIONAL[word], word, following[0], following[1])
        elif "=" in word and (assignment := _ASSIGNMENT.fullmatch(word)):
            yield Setting(snake_case(assignment[1]), assignment[1], assignment[2], place, from_environment=True)
    for name, (value, place) in variables.items():
        yield Setting(snake_case(name), name, value, place, from_environment=True)


def _option(word: str, place: Place, following: tuple[str, Place] | None, short: frozenset[str]) -> Iterator[Setting]:
    written, has_value, value = word.partition("=")
    name = written.lstrip("-")
    if not has_value and following is not None and not following[0].startswith("-"):
        value, place = following
    if len(name) == 1:
        if name in short:
            yield Setting(_SHORT_NAMES.get(name, "listen"), written, value, place)
        return
    if name.startswith("D") and "." in name and not word.startswith("--"):
        name = name[1:]
    yield Setting(snake_case(name), written, value, place)


@lru_cache(1024)
def snake_case(name: str) -> str:
    """`--http-port`, `http.port`, `httpPort` and `HTTP_PORT` as one name; containers share many of them."""
    return _CAMEL.sub("_", name).replace("-", "_").replace(".", "_").replace(":", "_").lower()
