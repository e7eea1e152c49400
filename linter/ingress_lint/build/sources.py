"""The files that people edit, read as the documents that places stand in; each is read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from ingress_lint import inputs
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.files import Found, UnreadableError, display_path, read
from ingress_lint.load.splitting import split
from ingress_lint.load.values import ValueReader


def _all(_kind: str, _text: str) -> bool:
    return True


class Sources:
    """Reads files and texts, for several threads at once; what cannot be read holds nothing, and nothing here raises.

    `known` are files that were read before, by their real paths.
    """

    def __init__(self, known: Mapping[str, SourceFile] | None = None) -> None:
        self._known = known or {}
        self._values = ValueReader()
        self._lock = Lock()
        self._embedded: dict[str, Any] = {}
        self._files: dict[str, SourceFile | None] = {}
        self._documents: dict[str, Sequence[Document]] = {}

    def file(self, path: str) -> SourceFile | None:
        """The text of a file, None where there is none to read."""
        if path not in self._files:
            self._files[path] = self._known.get(path) or _read(path)
        return self._files[path]

    def documents(self, path: str) -> Sequence[Document]:
        """The documents of a YAML or JSON file, in order."""
        if path not in self._documents:
            file = self.file(path)
            self._documents[path] = [] if file is None else self.split(file)
        return self._documents[path]

    def hold(self, path: str, documents: Sequence[Document]) -> None:
        """Lets documents that are read already stand for what a path leads to, which need not be there."""
        self._files[path] = documents[0].file if documents else None
        self._documents[path] = documents

    def split(self, file: SourceFile, wanted: Callable[[str, str], bool] = _all) -> list[Document]:
        """The documents of a text, with their values; None is the value of one that does not parse, or is not `wanted`."""
        documents = list(split(file, True, wanted, kindless=True))
        for document in documents:
            if document.parsed:
                document.value = self.value(document.text)
        return documents

    def value(self, text: str) -> Any:
        """The value of one document's text, None where it does not parse."""
        try:
            with self._lock:
                return self._values.read(text)[0]
        except YAMLError:
            return None

    def embedded(self, text: str) -> Any:
        """The value of a text that a file holds, which is asked for again and again."""
        if text not in self._embedded:
            self._embedded[text] = self.value(text)
        return self._embedded[text]


def _read(path: str) -> SourceFile | None:
    if not inputs.is_file(path):
        return None
    try:
        return read(Found(path, display_path(path), path))
    except UnreadableError:
        return None


def items(value: Any, key: str) -> list[Any]:
    """The list at a key of what may be a mapping, empty where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
