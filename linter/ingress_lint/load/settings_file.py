"""A YAML file of settings that somebody writes for the linter itself: its value, and the line of each setting."""

from __future__ import annotations

from typing import Any

from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.positions import Locator
from ingress_lint.load.values import ValueReader


class SettingsError(Exception):
    """Settings that cannot be used; the message names file, line and setting."""


class SettingsFile:
    """The one document of a file. Raises `SettingsError` where it is not YAML, or a key stands twice: one of the two would count for nothing."""

    def __init__(self, source: SourceFile) -> None:
        self.document = Document(source, 0, 0, len(source.text))
        self._locator = Locator()
        self.value = self._read(source)

    def line(self, pointer: Pointer) -> int:
        """The line of a setting, or of the nearest one around it that is written."""
        return self._locator.locate(Place(self.document, pointer)).line

    def item_line(self, pointer: Pointer) -> int:
        """The line on which the value of a setting starts, rather than its key."""
        return self._locator.locate(Place(self.document, pointer, "value")).line

    def text(self, pointer: Pointer) -> str:
        """The value of a setting as it is written, without quotes around it."""
        start, end = self._locator.span(Place(self.document, pointer, "value"))
        return self.document.file.text[start:end].strip("\"'")

    def _read(self, source: SourceFile) -> Any:
        try:
            value, repeated = ValueReader().read(source.text)
        except YAMLError as error:
            line, _ = source.line_and_column(min(error.offset, len(source.text)))
            raise SettingsError(f"{source.path}:{line}: this is not YAML: {error}") from None
        for key in repeated:
            line, _ = source.line_and_column(key.second[0])
            raise SettingsError(f"{source.path}:{line}: {setting(key.pointer)}: this setting stands twice")
        return value


def setting(pointer: Pointer) -> str:
    """A setting as messages call it: `requests[2].expect.status`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in pointer)
    return text.removeprefix(".")


def written(value: Any, pointer: Pointer) -> Pointer:
    """As much of a pointer as leads to something in a value."""
    for depth, step in enumerate(pointer):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return pointer[:depth]
    return pointer
