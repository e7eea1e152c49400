"""From a configuration file to settings that a run can use: checked, and relative to the working directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.configuration.settings import Config
from ingress_lint.configuration.source import Source, nearest, read
from ingress_lint.load.document import Document, Pointer
from ingress_lint.load.files import display_path
from ingress_lint.load.settings_file import SettingsError, setting, written
from ingress_lint.units.configured import ConfiguredUnit
from ingress_lint.units.excludes import anchored
from ingress_lint.values.durations import seconds_or_go

_VERSIONS: Final = frozenset({"version", "kube-version"})


class ConfigError(Exception):
    """A configuration that cannot be used; the message has a line, with file, line and setting, for each fault."""


class Configuration(Struct, frozen=True):
    """The settings of a project, and where they come from."""

    settings: Config = Config()
    document: Document | None = None
    """The file that sets them, None where there is none."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """For each setting of the file the line that it stands on."""
    excludes: tuple[str, ...] = ()
    """The patterns of `exclude`, anchored where the file lies."""
    doubts: tuple[str, ...] = ()
    """One line for each thing that it speaks of and that is not so, whatever else can be checked all the same."""

    @property
    def file(self) -> str:
        """The file that sets them, relative to the working directory; empty where there is none."""
        return self.document.file.path if self.document is not None else ""


def load_configuration(file: str | None, paths: Sequence[str]) -> Configuration:
    """What `file` says, else the nearest configuration upward from the first of `paths`; raises `ConfigError`."""
    found = file or nearest(paths[0] if paths and paths[0] != "-" else ".")
    if found is None:
        return Configuration()
    from ingress_lint.configuration.schema import faults

    try:
        source = read(found)
    except SettingsError as error:
        raise ConfigError(str(error)) from None
    value = {} if source.value is None else _with_versions(source.value, source)
    wrong = dict((*_outside(value, found), *faults(value)))
    if wrong:
        ordered = sorted(wrong, key=lambda pointer: source.line(written(value, pointer)))
        raise ConfigError("\n".join(_told(source, value, pointer, wrong[pointer]) for pointer in ordered))
    try:
        config = msgspec.convert(_with_names(value), Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source.path}: {error}") from None
    if seconds_or_go(str(config.render.time_limit)) in (None, 0):
        message = f"`{config.render.time_limit}` is no time such as `90s`"
        raise ConfigError(_told(source, value, ("render", "time-limit"), message))
    base = os.path.relpath(os.path.dirname(os.path.abspath(found)))
    config = _from_here(config, base)
    doubts = tuple(_told(source, value, pointer, message) for pointer, message in _doubts(config, source.line))
    excludes = tuple(anchored(pattern, base) for pattern in config.exclude)
    return Configuration(config, source.document, {name: source.line((name,)) for name in value}, excludes, doubts)


def _told(source: Source, value: Any, pointer: Pointer, message: str) -> str:
    name = setting(pointer)
    at = f"{source.path}:{source.line(written(value, pointer))}"
    return f"{at}: {name}: {message}" if name else f"{at}: {message}"


def _with_versions(value: Any, source: Source, pointer: Pointer = ()) -> Any:
    """The value with its versions as they are written: to YAML `1.30` is the number 1.3."""
    if isinstance(value, dict):
        return {key: _with_versions(item, source, (*pointer, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_versions(item, source, (*pointer, index)) for index, item in enumerate(value)]
    if isinstance(value, int | float) and not isinstance(value, bool) and pointer[-1:] and pointer[-1] in _VERSIONS:
        return source.text(pointer) or value
    return value


def _with_names(value: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with each controller that is only named as a mapping with that name."""
    named = dict(value)
    if "controllers" in value:
        named["controllers"] = {
            key: {"name": item} if isinstance(item, str) else item for key, item in value["controllers"].items()
        }
    if "clusters" in value:
        named["clusters"] = {key: _with_names(cluster) for key, cluster in value["clusters"].items()}
    return named


def _paths(value: Any) -> Iterator[tuple[Pointer, Any]]:
    """Every path that settings name, whether or not they are what they should be."""
    of = value if isinstance(value, dict) else {}
    for name in ("paths", "context"):
        yield from (((name, index), path) for index, path in enumerate(_list(of.get(name))))
    yield ("baseline",), of.get("baseline")
    for index, unit in enumerate(_list(of.get("units"))):
        if isinstance(unit, dict):
            yield ("units", index, "path"), unit.get("path")
            yield from (
                (("units", index, "values", number), path) for number, path in enumerate(_list(unit.get("values")))
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _outside(value: Any, file: str) -> Iterator[tuple[Pointer, str]]:
    """The paths that lead out of the repository, or of the file's folder where there is none."""
    folder = os.path.dirname(inputs.real_path(file))
    top = inputs.repository(folder)
    for pointer, path in _paths(value):
        if isinstance(path, str) and "\0" in path:
            yield pointer, "no path holds a zero byte"
        elif isinstance(path, str):
            real = inputs.real_path(os.path.join(folder, path))
            if not inputs.lies_in(real, top or folder):
                around = "the repository" if top else "the configuration's folder, which is in no git repository"
                yield pointer, f"`{path}` leads out of {around}"


def _from_here(config: Config, base: str) -> Config:
    """The settings with paths relative to the working directory, of a file in the folder `base`."""

    def here(path: str) -> str:
        return os.path.normpath(os.path.join(base, path))

    return replace(
        config,
        paths=tuple(map(here, config.paths)),
        context=tuple(map(here, config.context)),
        baseline=here(config.baseline) if config.baseline else None,
        units=tuple(replace(unit, path=here(unit.path), values=tuple(map(here, unit.values))) for unit in config.units),
    )


def _doubts(config: Config, line: Callable[[Pointer], int]) -> Iterator[tuple[Pointer, str]]:
    """What units name that is not there, and units that go by one name."""
    first: dict[str, int] = {}
    for index, unit in enumerate(config.units):
        at: Pointer = ("units", index)
        known = first.setdefault(unit.name, index)
        if known != index:
            where = f"units[{known}], on line {line(('units', known, 'name'))}"
            yield (*at, "name"), f"`{unit.name}` is the name of {where}, as well; each needs one of its own"
        yield from (((*at, *rest), f"there is no `{path}`") for rest, path in _gone(unit))


def _gone(unit: ConfiguredUnit) -> Iterator[tuple[Pointer, str]]:
    if not inputs.exists(unit.path):
        yield ("path",), display_path(unit.path)
    for index, path in enumerate(unit.values):
        if not inputs.exists(path):
            yield ("values", index), display_path(path)
