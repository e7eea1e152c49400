"""Text to its value, by the quicker of two ways: the plain reader, and libyaml for what it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ingress_lint.load.faults import DuplicateKey
from ingress_lint.load.plain import NOT_PLAIN, PlainReader

if TYPE_CHECKING:
    from ingress_lint.load.composing import Constructor


class ValueReader:
    """Reads many texts, and remembers what it learnt of their lines and scalars."""

    def __init__(self) -> None:
        self._plain = PlainReader()

    @cached_property
    def _constructor(self) -> Constructor:
        from ingress_lint.load.composing import Constructor

        return Constructor()

    def value(self, text: str) -> Any:
        """The value of a text, None where it holds no document; raises `YAMLError`."""
        return self.read(text)[0]

    def read(self, text: str) -> tuple[Any, Sequence[DuplicateKey]]:
        """The value of a text, None where it holds no document, and the keys that it repeats; raises `YAMLError`."""
        value = self._plain.read(text)
        if value is not NOT_PLAIN:
            return value, ()
        from ingress_lint.load.composing import compose, values_composer

        root = compose(values_composer(), text)
        if root is None:
            return None, ()
        value = self._constructor.construct(root, aliased="&" in text and "*" in text)
        return value, list(self._constructor.duplicate_keys(root))
