"""What a run goes by: every setting with its value, and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from ingress_lint.configuration.loading import Configuration

COMMAND_LINE: Final = "command line"
_DEFAULTS: Final[Mapping[str, str]] = {
    "paths": "the current folder",
    "select": "every rule",
    "controller": "inferred, else ingress-nginx",
    "namespace": "what the unit says, else default",
}
"""What holds where nothing is set, and the value does not say it."""


class Effective(Struct, frozen=True):
    """A setting in force; `value` is of mappings, lists and scalars."""

    name: str
    value: Any
    origin: str


def effective(configuration: Configuration, given: Mapping[str, Any]) -> Iterator[Effective]:
    """Every setting; `given` are those of the command line, by name: lists are added to the file's, but for `paths`."""
    for one in fields(configuration.settings):
        name, value = one.encode_name, getattr(configuration.settings, one.name)
        origins = []
        if name in configuration.lines:
            origins.append(f"{configuration.file}:{configuration.lines[name]}")
        if added := given.get(name):
            if isinstance(value, tuple) and name != "paths":
                value += tuple(added)
            else:
                value, origins = added, []
            origins.append(COMMAND_LINE)
        if not origins:
            origins.append(f"default: {_DEFAULTS[name]}" if name in _DEFAULTS else "default")
        yield Effective(name, msgspec.to_builtins(value), ", ".join(origins))
