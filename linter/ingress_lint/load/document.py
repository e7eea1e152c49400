"""The vocabulary of the load stage: files, documents, symbolic places in them, and what went wrong reading them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

Pointer = tuple[str | int, ...]
"""The way into a document's value, key by key; an RFC 6901 JSON pointer before it is written out."""

Level = Literal["error", "warning", "note"]
SOURCE_COMMENT = "# Source: "


class SourceFile(Struct, eq=False, dict=True):
    """A file as read: `path` is relative to the working directory with forward slashes, `-` for standard input."""

    path: str
    text: str

    @cached_property
    def folder(self) -> str:
        """The path of the folder that it lies in, empty for the working directory."""
        return self.path.rpartition("/")[0]

    @cached_property
    def _line_starts(self) -> list[int]:
        starts, text, at = [0], self.text, 0
        while (newline := text.find("\n", at)) >= 0:
            at = newline + 1
            starts.append(at)
        return starts

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """The line and column, both from 1 and in characters, of the character at `offset`."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Line number `line` (from 1), without its line break; empty past the end."""
        starts = self._line_starts
        if not 1 <= line <= len(starts):
            return ""
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")

    def line_span(self, line: int) -> tuple[int, int]:
        """The offsets of what stands in a line, between its indentation and its end; those of the last one past the end."""
        line = max(1, min(line, len(self._line_starts)))
        text = self.line_text(line)
        start = self._line_starts[line - 1]
        return start + len(text) - len(text.lstrip()), start + len(text)


class Document(Struct, eq=False):
    """One YAML document: a slice of its file's text, and the value Kubernetes would read there.

    `kind` is read from the text without parsing where it can be; `parsed` is False where nobody asks about that kind, or
    where the text does not parse (then a `Problem` says why).
    """

    file: SourceFile
    index: int
    start: int
    end: int
    kind: str = ""
    value: Any = None
    """None also when it was let go: then `whole` has it."""
    parsed: bool = False
    reported: bool = True
    """False for `--context` documents: they resolve references, and nothing is reported on them."""
    read_again: Callable[[str], Any] | None = None
    """Reads the value that was let go."""
    template_language: bool = False
    """Whether it is a template that nobody has rendered: only what its objects are called is read, if that."""

    def let_go(self, read_again: Callable[[str], Any]) -> None:
        """Forgets the value, which takes several times the memory of its text, until somebody asks for it again."""
        self.value, self.read_again = None, read_again

    def whole(self) -> Any:
        """The value, read again where it was let go."""
        if self.read_again is not None:
            self.value, self.read_again = self.read_again(self.text), None
        return self.value

    @property
    def text(self) -> str:
        """The document's text, without the `---` line that opens it."""
        return self.file.text[self.start : self.end]

    @property
    def template(self) -> str:
        """The template that helm says rendered this document (`# Source:` comment), or empty."""
        if self.file.text.find(SOURCE_COMMENT, self.start, self.end) < 0:
            return ""
        for line in self.text.splitlines()[:5]:
            if line.startswith(SOURCE_COMMENT):
                return line.removeprefix(SOURCE_COMMENT).strip()
        return ""


class Place(Struct, frozen=True, gc=False):
    """A symbolic place: a key or value of a document. Lines and columns are worked out only when it is shown.

    `part` says what to point at: the `value`, the `key`, or `auto`: a scalar's value, else the key that holds the
    mapping or list. A pointer to something absent means the nearest parent that exists. `span`, character offsets
    into the file, stands for places that no pointer can name (syntax errors). `inner` leads on into the text that
    stands there: a pointer where that text is YAML or JSON itself, else a passage of it.
    """

    document: Document
    pointer: Pointer = ()
    part: Literal["auto", "key", "value"] = "auto"
    span: tuple[int, int] | None = None
    inner: Pointer | str | None = None

    def at(self, *more: str | int) -> Place:
        """The place `more` keys further down."""
        if isinstance(self.inner, tuple):
            return self.inside((*self.inner, *more))
        return Place(self.document, (*self.pointer, *more), self.part)

    def inside(self, inner: Pointer | str) -> Place:
        """A place in the text that stands here."""
        return Place(self.document, self.pointer, self.part, inner=inner)

    def key(self) -> Place:
        """The same place, pointing at the key instead of its value."""
        return Place(self.document, self.pointer, "key")


class ProblemKind(StrEnum):
    """What can be wrong with the input itself; each value is the name of the rule that reports it."""

    YAML_SYNTAX = "yaml-syntax"
    SCHEMA_VIOLATION = "schema-violation"
    DUPLICATE_KEY = "duplicate-key"
    RENDER_FAILED = "render-failed"
    UNUSED_SUPPRESSION = "unused-suppression"


class Problem(Struct, frozen=True):
    """A fault met while reading: what, where, and in words. `related` holds further places, each with its caption."""

    kind: ProblemKind
    place: Place
    message: str
    related: tuple[tuple[str, Place], ...] = ()
    fix: str = ""
    level: Level = "error"
    """How bad it is, in the words of `Severity.label`."""
    unreadable: bool = False
    """True where the input could not be read at all, which makes the exit status 2."""
