"""What is wrong with a text that is no good YAML, whichever reader found it."""

from __future__ import annotations

from msgspec import Struct

from ingress_lint.load.document import Pointer


class YAMLError(Exception):
    """Text that Kubernetes would not read; `offset` counts characters from the start of that text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class DuplicateKey(Struct, frozen=True):
    """A key that one mapping holds twice. `first` and `second` are the character spans of the two keys."""

    pointer: Pointer
    first: tuple[int, int]
    second: tuple[int, int]
    same_value: bool
