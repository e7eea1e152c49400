"""The file that holds a configuration: which one counts, what it says, and on which line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.load import files
from ingress_lint.load.composing import MAX_DEPTH
from ingress_lint.load.document import Document, Pointer, SourceFile
from ingress_lint.load.settings_file import SettingsError, SettingsFile
from ingress_lint.values.patterns import deferred

FILE_NAME: Final = ".ingress-lint.yaml"
PYPROJECT: Final = "pyproject.toml"
_TABLE: Final = ("tool", "ingress-lint")
_HEADER: Final = deferred(r"\s*\[\[?\s*([^\]]+?)\s*\]")
_ASSIGNED: Final = deferred(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_KEY: Final = deferred(r"""[\w-]+|"[^"]*"|'[^']*'""")


class Source(Struct, frozen=True):
    """What a file says: `value`, and the line (from 1) on which a setting stands; `document` is its text."""

    document: Document
    value: Any
    line: Callable[[Pointer], int]
    text: Callable[[Pointer], str | None]
    """How a setting's value is written, where that can be told."""

    @property
    def path(self) -> str:
        """The file, relative to the working directory."""
        return self.document.file.path


def nearest(start: str) -> str | None:
    """The configuration file of a folder or of one above it."""
    for folder in _upward(inputs.real_path(start)):
        file = os.path.join(folder, FILE_NAME)
        if inputs.is_file(file):
            return file
        pyproject = os.path.join(folder, PYPROJECT)
        if inputs.is_file(pyproject) and _is_configured(pyproject):
            return pyproject
    return None


def read(path: str) -> Source:
    """What a configuration file says; raises `SettingsError`."""
    try:
        source = files.read(files.Found.at(path))
    except files.UnreadableError as error:
        raise SettingsError(f"{files.display_path(path)}: {error}") from None
    if path.endswith(".toml"):
        return _read_toml(source, whole=os.path.basename(path) != PYPROJECT)
    found = SettingsFile(source)
    return Source(found.document, found.value, found.line, found.text)


def _read_toml(file: SourceFile, *, whole: bool) -> Source:
    """A TOML file, of which `pyproject.toml` holds other programs' settings as well."""
    import tomllib

    text = file.text
    try:
        value: Any = tomllib.loads(text)
    except ValueError as error:
        raise SettingsError(f"{file.path}: this is not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{file.path}: this nests too deeply for TOML to be read") from None
    if _is_deep(value):
        raise SettingsError(f"{file.path}: this nests deeper than {MAX_DEPTH} levels")
    table = () if whole else _TABLE
    for name in table:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    document = Document(file, 0, 0, len(text))
    return Source(document, value, lambda pointer: _toml_line(text, (*table, *pointer)), lambda _pointer: None)


def _is_deep(value: Any) -> bool:
    """Whether settings nest deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _toml_line(text: str, pointer: Pointer) -> int:
    """The line of the setting, or of the nearest one around it; tomllib tells none."""
    best, line_of_best = 0, 1
    table: tuple[str | int, ...] = ()
    tables: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            table = _keys(header[1])
            if line.lstrip().startswith("[["):
                tables[table] = tables.get(table, -1) + 1
                table = (*table, tables[table])
            found = table
        elif (assigned := _ASSIGNED.match(line)) is not None:
            found = (*table, *_keys(assigned[1]))
        else:
            continue
        if best < len(found) <= len(pointer) and pointer[: len(found)] == found:
            best, line_of_best = len(found), number
    return line_of_best


def _keys(text: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _KEY.findall(text))


def _is_configured(pyproject: str) -> bool:
    try:
        return b"[tool.ingress-lint" in inputs.read(pyproject)
    except OSError:
        return False


def _upward(start: str) -> Iterator[str]:
    if inputs.is_folder(start):
        yield start
    while (folder := os.path.dirname(start)) != start:
        yield folder
        start = folder
