"""Which places of documents hold what nobody can know from them: placeholders, what is encrypted, templates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ingress_lint.load.document import Document, Place, Pointer
from ingress_lint.values.placeholders import ENCRYPTED, is_placeholder, occur_in

_TEXTS: Final = frozenset({"args", "binaryData", "command", "data", "env", "script", "stringData"})
"""Fields whose texts are files, scripts and what a container is started with: what looks like a placeholder belongs there."""
_SNIPPETS: Final = ("snippet", "snippets")
"""How the names of annotations end whose values are passages of a proxy's configuration."""
_SHALLOW: Final = 2
"""Up to here a mapping is the object's own (`spec`, `metadata`), and no value that is made of its fields."""


@lru_cache(maxsize=64)
def may_be_unknown(document: Document) -> bool:
    """Whether anything in a document may be a placeholder; asked once for each, as one may hold thousands of objects."""
    return occur_in(document.text)


def is_unknown(place: Place, *, parts: bool = False) -> bool:
    """Whether the value at a place is not known: it is a placeholder or holds one.

    Of a mapping or list, nothing is unknown, unless `parts` asks for what it directly holds as well.
    """
    document, pointer = place.document, place.pointer
    if document.template_language:
        return True
    if place.span is not None:
        return False
    if place.inner is not None:
        return isinstance(place.inner, str) and _stands_open((), place.inner)
    if place.part == "key":
        return bool(pointer) and is_placeholder(str(pointer[-1]))
    if not may_be_unknown(document):
        return False
    value = document.whole()
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(value, dict | list):
        if not parts:
            return False
        children = value.items() if isinstance(value, dict) else enumerate(value)
        deep = len(pointer) > _SHALLOW or isinstance(value, list)
        return deep and any(_stands_open((*pointer, step), child) for step, child in children)
    return _stands_open(pointer, value)


def unknown_values(value: Any, base: Pointer = ()) -> Iterator[Pointer]:
    """The pointers to the values within one that are not known; `base` is the pointer to it."""
    pending: list[tuple[Pointer, Any]] = [(base, value)]
    while pending:
        pointer, item = pending.pop()
        if isinstance(item, dict):
            pending.extend(((*pointer, key), child) for key, child in item.items())
        elif isinstance(item, list):
            pending.extend(((*pointer, index), child) for index, child in enumerate(item))
        elif _stands_open(pointer, item):
            yield pointer


def _stands_open(pointer: Pointer, value: Any) -> bool:
    if not isinstance(value, str) or not is_placeholder(value):
        return False
    if value.startswith(ENCRYPTED):
        return True
    return _TEXTS.isdisjoint(pointer) and not (pointer and str(pointer[-1]).endswith(_SNIPPETS))
