"""The configuration file: `.ingress-lint.yaml`, or `[tool.ingress-lint]` in pyproject.toml."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from msgspec import Struct, field
from msgspec.structs import fields, replace

from ingress_lint.units.excludes import anchored

FILE_NAME: Final = ".ingress-lint.yaml"
PYPROJECT: Final = "pyproject.toml"

_UNKNOWN: Final = ("extra_forbidden", "unexpected_keyword_argument")
"""How pydantic calls a setting that there is not, in the file and in one of its `externals`."""
SeverityName = Literal["error", "warning", "note"]


class ConfigError(Exception):
    """A configuration that cannot be used; the message names the file and the setting."""


class External(NamedTuple):
    """An object known to exist though no manifest holds it."""

    kind: str
    name: str
    namespace: str = ""


class Config(Struct, frozen=True):
    """The settings of a project. In the file they are written with dashes, and paths are relative to its folder."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Patterns of what to pass over, in gitignore's syntax."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: SeverityName | Literal["never"] | None = None
    controller: str | None = None
    namespace: str | None = None
    context: tuple[str, ...] = ()
    assume: Literal["complete", "partial", "auto"] | None = None
    severity: Mapping[str, SeverityName] = field(default_factory=dict)
    """Selectors of rules, and the severity that their findings get instead of their own."""
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Glob patterns of files, and the selectors of the rules that are ignored there."""
    externals: tuple[External, ...] = ()
    fail_on_unchecked: bool = False
    """Whether the exit status is 1 where not every unit was looked at as a whole."""
    baseline: str | None = None
    """The file that records the findings which are known and not shown."""


def load_config(file: str | None, paths: Sequence[str]) -> Config:
    """The configuration in `file`, else the nearest one upward from the first of `paths`; raises `ConfigError`."""
    found = file or _nearest(paths[0] if paths and paths[0] != "-" else ".")
    if found is None:
        return Config()
    from pydantic import ValidationError

    try:
        config = _validated(_settings(found) or {})
    except ConfigError:
        raise
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(step) for step in first["loc"])
        raise ConfigError(f"{found}: {setting}: {_explain(first['type'], first['msg'])}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{found}: {error}") from None
    base = os.path.relpath(os.path.dirname(os.path.abspath(found)))
    return replace(
        config,
        paths=tuple(os.path.normpath(os.path.join(base, path)) for path in config.paths),
        exclude=tuple(anchored(pattern, base) for pattern in config.exclude),
        context=tuple(os.path.normpath(os.path.join(base, path)) for path in config.context),
        baseline=os.path.normpath(os.path.join(base, config.baseline)) if config.baseline else None,
    )


def _validated(settings: Any) -> Config:
    """The settings as they are given; raises pydantic's `ValidationError`, which is imported only for that."""
    from pydantic import BaseModel, ConfigDict, Field, create_model

    known: dict[str, Any] = {
        own.name: (own.type, Field(alias=own.name.replace("_", "-"), default=None)) for own in fields(Config)
    }
    model: BaseModel = create_model("Config", __config__=ConfigDict(extra="forbid"), **known).model_validate(settings)
    return Config(**{name: getattr(model, name) for name in model.__pydantic_fields_set__})


def _settings(file: str) -> Any:
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    if file.endswith(".toml"):
        import tomllib

        document = tomllib.loads(text)
        is_pyproject = os.path.basename(file) == PYPROJECT
        return document.get("tool", {}).get("ingress-lint", {}) if is_pyproject else document
    import yaml

    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())}") from None


def _explain(kind: str, message: str) -> str:
    return "there is no such setting" if kind in _UNKNOWN else message[:1].lower() + message[1:]


def _nearest(start: str) -> str | None:
    """The configuration file of a folder or of one above it."""
    for folder in _upward(os.path.realpath(start)):
        file = os.path.join(folder, FILE_NAME)
        if os.path.isfile(file):
            return file
        pyproject = os.path.join(folder, PYPROJECT)
        if os.path.isfile(pyproject) and _is_configured(pyproject):
            return pyproject
    return None


def _is_configured(pyproject: str) -> bool:
    with open(pyproject, "rb") as stream:
        return b"[tool.ingress-lint" in stream.read()


def _upward(start: str) -> Iterator[str]:
    if os.path.isdir(start):
        yield start
    while (folder := os.path.dirname(start)) != start:
        yield folder
        start = folder
