"""Marks for the lines of templates, which comments carry into what helm writes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.build.templates.actions import OPENING, Action, start_of
from ingress_lint.build.templates.expressions import Call, pipeline
from ingress_lint.build.templates.template import HOLE, Block, Line, Template
from ingress_lint.load.document import SourceFile
from ingress_lint.values.patterns import deferred

MARK: Final = deferred(r" #⟦(\d+)⟧")
_NINDENT: Final = deferred(r"\|[ \t\r\n]*nindent[ \t]+(\d+)\Z")
TEXTS: Final = frozenset(("include", "indent", "nindent", "toYaml", "toYamlPretty", "toPrettyJson", "tpl", "trim"))
"""Functions that may give several lines."""
_ENTRY: Final = deferred(r"^[ \t]*(?:- |[^\s:#][^\n]*?:(?:[ \t]|\r?$)|-\r?$)", re.MULTILINE)
"""A line that looks like an entry of a mapping or a list."""
_BLOCK_SCALAR: Final = deferred(r"(?:[:-]|[:-] .*)[ \t][|>][-+\d]{0,2}[ \t]*(?:#.*)?\Z")
_PATH: Final = deferred(r"(?<![\w@.+-])[\w@.+-]+(?:/[\w@.+-]+)+")
_DEEPEST: Final = 40
"""How many of the folders that a message names are looked at."""
_HOLE: Final = "X"
_LINES: Final = r'regexReplaceAll `(\S)[ \t]*\n` ({}) "${{1}}{}\n"'
"""Marks the lines of a pipeline's text but the last; a blank one stays blank, as a mark would be a line of a block scalar."""


class Mark(Struct, frozen=True):
    """Lines of a file; `template` is None where that is a file that templates read."""

    file: SourceFile
    line: Line
    template: Template | None = None

    @property
    def is_in_object(self) -> bool:
        """Whether the lines stand in an object, rather than in a helper that writes a part of one."""
        return self.template is None or self.line.definition not in self.template.helpers

    @property
    def actions(self) -> list[Action]:
        """The actions that begin on its lines."""
        return [] if self.template is None else self.template.actions_within(self.line.first, self.line.last)


class Marker:
    """Writes marked texts; `marks` are those that were given out, by the numbers in the texts."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []

    def template(self, template: Template) -> str:
        """A template that writes a mark at the end of each of its lines, as far as that leaves the rest as it is."""
        return _Marking(template, self.marks).text()

    def data(self, file: SourceFile) -> str:
        """A file that templates read, with a mark on each of its lines."""
        lines = []
        for number, line in enumerate(file.text.split("\n"), 1):
            text = line.rstrip("\r")
            if text.strip():
                self.marks.append(Mark(file, Line(number, number, [number])))
                text += _mark(len(self.marks) - 1)
            lines.append(text + "\r" * line.endswith("\r"))
        return "\n".join(lines)


def _mark(number: int) -> str:
    return f" #⟦{number}⟧"


class _Marking:
    def __init__(self, template: Template, marks: list[Mark]) -> None:
        self._template = template
        self._marks = marks
        self._text = template.file.text
        self._values = {block.name for block in template.definitions if not self._writes_entries(block)}
        self._changes: list[tuple[int, int, str]] = []

    def text(self) -> str:
        starts = [0]
        while (end := self._text.find("\n", starts[-1])) >= 0:
            starts.append(end + 1)
        starts.append(len(self._text) + 1)
        found = self._template.actions
        index = 0
        continued = self._continued()
        for line in self._template.lines:
            start, last, end = starts[line.first - 1], starts[line.last - 1], starts[line.last] - 1
            first = index
            while index < len(found) and found[index].start < end:
                index += 1
            if line.writing and line.definition not in self._values and line.writing[-1] not in continued:
                self._mark(line, start, last, end, found[first:index])
        self._changes.sort()
        parts: list[str] = []
        at = 0
        for begin, stop, new in self._changes:
            parts += (self._text[at:begin], new)
            at = stop
        return "".join((*parts, self._text[at:]))

    def _mark(self, line: Line, start: int, last: int, end: int, found: list[Action]) -> None:
        at = self._end_of_writing(start, last, end, found)
        if at <= start or self._text[start:at].lstrip().startswith("---"):
            return
        number = len(self._marks)
        self._marks.append(Mark(self._template.file, self._begun(line, found), self._template))
        for action in found:
            if not action.word and action.prints and action.end <= at:
                self._mark_lines(action, number)
        self._changes.append((at, at, _mark(number)))

    def _begun(self, line: Line, found: list[Action]) -> Line:
        """A line from where it begins: one that ends a block and goes on after that goes on from the line that opens it."""
        block = self._closed_by.get(found[0].start) if found and found[0].trims_before else None
        while block is not None and block.of is not None:
            block = block.of
        if block is None or block.opening is None:
            return line
        first = self._template.file.line_and_column(block.opening.start)[0]
        lines = self._template.lines
        inside = lines[bisect_left(lines, first, key=_last) : bisect_left(lines, line.last, key=_last)]
        writing = [number for one in (*inside, line) for number in one.writing if number >= first]
        return Line(first, line.last, writing, line.definition)

    @cached_property
    def _closed_by(self) -> dict[int, Block]:
        """The blocks by the offsets of the actions that end them."""
        found: dict[int, Block] = {}
        blocks = [self._template.root]
        for block in blocks:
            inner = [item for item in block.items if isinstance(item, Block)]
            blocks += inner
            found |= {
                item.closing.start: item for item in inner if item.closing is not None and item.closing.word == "end"
            }
        return found

    def _end_of_writing(self, start: int, last: int, end: int, found: list[Action]) -> int:
        """Where a mark may stand: at the end of the line, but before what ends a block that began on a line above.

        Unless more is written after that.
        """
        at = end - 1 if self._text[end - 1 : end] == "\r" else end
        closing = [action for action in found if action.word in ("end", "else")]
        if closing and (
            self._text[closing[-1].end : end].strip()
            or any(one.prints for one in found if one.start > closing[-1].start)
        ):
            return at
        opened = 0
        for action in found:
            if action.word in OPENING:
                opened += 1
            elif action.word == "end" and opened:
                opened -= 1
            elif action.word in ("end", "else") and not opened:
                at = start + len(self._text[start : action.start].rstrip())
                return at if at > last else start
        return at

    def _mark_lines(self, action: Action, number: int) -> None:
        """Has an action mark each line of the text that it writes."""
        code, mark = action.code, _mark(number)
        expression = pipeline(code).expression
        if not isinstance(expression, Call) or expression.name not in TEXTS:
            return
        indent = _NINDENT.search(code)
        if indent is None:
            new = _LINES.format(code, mark)
        else:
            before = self._text[self._text.rfind("\n", 0, action.start) + 1 : action.start]
            first = mark if before.strip() else ""
            new = f'{_LINES.format(f"{code[: indent.start()]}| indent {indent[1]}", mark)} | printf "{first}\\n%s"'
        self._changes.append((action.code_start, action.code_start + len(code), new))

    def _writes_entries(self, block: Block) -> bool:
        """Whether a definition writes lines of YAML, rather than one value."""
        opening, closing = block.opening, block.closing
        if opening is None:
            return True
        end = len(self._text) if closing is None else closing.start
        return _ENTRY.search(self._literal(opening.end, end)) is not None

    def _literal(self, start: int, end: int) -> str:
        """A part of the text with something for what each printing action prints, and nothing for others."""
        found = self._template.actions
        parts: list[str] = []
        at = start
        for index in range(bisect_left(found, start, key=start_of), bisect_left(found, end, key=start_of)):
            parts += (self._text[at : found[index].start], _HOLE * found[index].prints)
            at = found[index].end
        return "".join((*parts, self._text[at:end]))

    def _continued(self) -> set[int]:
        """The lines whose YAML scalar goes on on the next line, where a comment would break it."""
        continued: set[int] = set()
        last = {number: line.last for line in self._template.lines for number in line.writing}
        block = -1  # the indentation of the key whose block scalar the lines are in
        before, quoted = 0, False
        for number, written in self._template.own_texts.items():
            text = written.replace(HOLE, _HOLE)
            if not text.strip():
                continue
            indent = len(text) - len(text.lstrip())
            if 0 <= block < indent:
                before = 0
                continue
            block = indent if _BLOCK_SCALAR.search(text) is not None else -1
            entry = (
                text.lstrip().startswith(("#", "---", "...", '"', "'", "{", "[", "}", "]", "&", "*", _HOLE))
                or _ENTRY.match(text) is not None
            )
            if before and (quoted or not entry) and last.get(before) != last.get(number):
                continued.add(before)
            if block < 0 and text.replace('\\"', "").count('"') % 2:
                quoted = not quoted
            before = number if block < 0 else 0
        return continued


def _last(line: Line) -> int:
    return line.last


def named_in(message: str, names: Container[str]) -> set[str]:
    """Those of the files `names`, paths in a chart's folder, that helm names in what it says went wrong."""
    found = set()
    for path in _PATH.findall(message):
        parts = path.split("/")[-_DEEPEST:]
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        found |= {next((end for end in ends if end in names), "")} - {""}
    return found
