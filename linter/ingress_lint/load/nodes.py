"""What a text's node tree is made of where no library made it; it has the names that PyYAML and ruamel.yaml use."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct

PLAIN: Final = "?"
"""The tag of a scalar without quotes and without a tag of its own."""
QUOTED: Final = "!"
"""The tag of every other scalar without a tag of its own."""


class Mark(Struct, frozen=True, gc=False):
    """A place in a text; all numbers count characters and lines from 0."""

    index: int
    line: int
    column: int


class Node(Struct, eq=False):
    """A scalar (its `value` is text), a sequence (nodes) or a mapping (pairs of nodes)."""

    id: Literal["scalar", "sequence", "mapping"]
    tag: str
    value: Any
    start_mark: Mark
    end_mark: Mark
    style: str = ""
    """The character that opens a scalar, empty for a plain one."""
