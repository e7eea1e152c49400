"""Symbolic places made concrete: lines and columns, worked out only for the documents that have findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint.load.document import Document, Place, Pointer
from ingress_lint.load.embedded import passage, position_in_block
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.nodes import PLAIN
from ingress_lint.load.outline import outline
from ingress_lint.load.plain import NOT_PLAIN, PlainReader
from ingress_lint.load.scalars import resolve_key
from ingress_lint.values.patterns import deferred

_PROPERTY: Final = ("&", "!")
_PROPERTIES: Final = deferred(r"(?:[&!]\S*\s+)+")
"""An anchor and a tag before a value."""
_MAX_TREES: Final = 50
"""A tree takes ten times the memory of its text, and the findings of one file come one after another."""


class Location(Struct, frozen=True, order=True):
    """A place as people and programs point at it; all numbers count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    pointer: str


class Locator:
    """Finds the lines and columns of places; composes a document when first asked, and remembers the last ones.

    What is written plainly needs no library for that.
    """

    def __init__(self) -> None:
        self._plain = PlainReader()
        self._trees: dict[Document, Any] = {}
        self._keys = _Keys()
        self._composers: tuple[type[Any], ...] = ()

    def locate(self, place: Place) -> Location:
        """Where `place` is in its file."""
        start, end = place.span or self.span(place)
        file = place.document.file
        line, column = file.line_and_column(start)
        end_line, end_column = file.line_and_column(max(start, end))
        return Location(file.path, line, column, end_line, end_column, json_pointer(place.pointer))

    def span(self, place: Place) -> tuple[int, int]:
        """The character offsets, in the file, of the text that `place` names."""
        document = place.document
        root = self._tree(document)
        if root is None:
            return document.start, document.start
        key, node = None, root
        complete = True
        for step in place.pointer:
            found = self._keys.step(node, step)
            if found is None:
                complete = False
                break
            key, node = found
        part = place.part
        if place.inner is not None and node.id == "scalar" and complete:
            inner = self._inner_span(document, node, place.inner)
            if inner is not None:
                return document.start + inner[0], document.start + inner[1]
        if part == "auto":
            part = "value" if node.id == "scalar" and complete else "key"
        target = node if part == "value" or key is None else key
        start, end = target.start_mark.index, target.end_mark.index
        if target.id != "scalar" and part != "value":
            end = _first_line_end(document.text, start)
        end = max(start, start + len(document.text[start:end].rstrip(" \t\r\n")))
        if document.text[start : start + 1] in _PROPERTY and (
            properties := _PROPERTIES.match(document.text, start, end)
        ):
            start = properties.end()
        if end == start and key is not None and target is not key:
            start, end = key.start_mark.index, key.end_mark.index
        return document.start + start, document.start + end

    def _inner_span(self, document: Document, node: Any, inner: Pointer | str) -> tuple[int, int] | None:
        """The offsets, in the document, of a part of the text that a scalar holds; None where they cannot be told."""
        if isinstance(inner, str):
            return passage(document.text, node, inner)
        found = next((tree for tree in self._attempts(node.value) if tree is not None), None)
        key = None
        for step in inner:
            stepped = self._keys.step(found, step) if found is not None else None
            if stepped is None:
                return None
            key, found = stepped
        if found is None:
            return None
        target = found if found.id == "scalar" or key is None else key
        return position_in_block(document.text, node, target.start_mark, target.end_mark)

    def _tree(self, document: Document) -> Any:
        if document not in self._trees:
            if len(self._trees) >= _MAX_TREES:
                self._trees.clear()
                self._keys.clear()
            self._trees[document] = next((tree for tree in self._attempts(document.text) if tree is not None), None)
        return self._trees[document]

    def _attempts(self, text: str) -> Iterator[Any]:
        """The tree of a plain text, else that of ruamel.yaml, then that of PyYAML.

        PyYAML's libyaml reads some plain scalars (`[web:1]`) that ruamel.yaml's refuses.
        """
        if self._plain.read(text) is not NOT_PLAIN:
            yield outline(text)
            return
        from ingress_lint.load.composing import compose, composer

        if not self._composers:
            from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]
            from yaml._yaml import CParser as SecondParser

            self._composers = composer(CParser), composer(SecondParser)
        for composer_class in self._composers:
            try:
                yield compose(composer_class, text)
            except YAMLError:
                continue


def json_pointer(pointer: Pointer) -> str:
    """`pointer` as RFC 6901 writes it."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


class _Keys:
    """What the keys of mappings lead to; worked out once for each, as some have thousands of keys."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, dict[str | None, tuple[Any, Any]]]] = {}

    def step(self, node: Any, step: str | int) -> tuple[Any, Any] | None:
        """The key node (None in a list) and the value node that `step` leads to."""
        if node.id == "sequence":
            return (None, node.value[step]) if isinstance(step, int) and step < len(node.value) else None
        if node.id != "mapping" or not isinstance(step, str):
            return None
        return self._within(node).get(step)

    def clear(self) -> None:
        """Forgets what no tree needs any more."""
        self._known.clear()

    def _within(self, node: Any) -> dict[str | None, tuple[Any, Any]]:
        """The pairs by key; of several equal keys the last one counts, and what a merge key names counts as written there."""
        known = self._known.get(id(node))
        if known is not None:
            return known[1]
        found: dict[str | None, tuple[Any, Any]] = {}
        self._known[id(node)] = node, found
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                continue
            text = key_node.value
            if key_node.tag == PLAIN:
                if text == "<<":
                    sources = value_node.value if value_node.id == "sequence" else [value_node]
                    for source in reversed(sources):
                        if source.id == "mapping":
                            found.update(self._within(source))
                text = resolve_key(text)
            found[text] = key_node, value_node
        return found


def _first_line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
