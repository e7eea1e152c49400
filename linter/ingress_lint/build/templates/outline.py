"""What a template says of the lines that it writes: its own text and that of the helpers it includes, with holes for values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from ingress_lint.build.templates.actions import Action
from ingress_lint.build.templates.expressions import Call, Literal, pipeline
from ingress_lint.build.templates.lines import Row, Written, fill
from ingress_lint.build.templates.marking import TEXTS, Mark
from ingress_lint.build.templates.template import HOLE, Line, Template
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

_KEY: Final = deferred(r"(?:[^\s:#\"'{\[|>-]|-(?=\S)|\"[^\"]*\"|'[^']*')[^:]*:(?=\s|\Z)")
_SEPARATOR: Final = "---"
_DEEPEST: Final = 10
_MOST_LINES: Final = 20_000
"""More lines, with those of helpers, are not looked at."""
_MOST_ALIKE: Final = 16
"""As many lines of one path are told apart."""
_TOP: Final = 0


class _Entry(Struct):
    """A line of a template: what it writes below which path, in which of the template's documents."""

    parent: int
    text: str
    path: int
    document: int
    marks: tuple[Mark, ...]


class _Level(Struct):
    """A key that the lines below stand under, by its indentation."""

    indent: int
    key: str
    path: int


class _Paths:
    """Numbers for the ways to keys, as the indentation of lines shows them."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], int] = {}

    def of(self, parent: int, key: str) -> int:
        return self._known.setdefault((parent, key), len(self._known) + 1)

    def enter(self, stack: list[_Level], text: str) -> tuple[int, str]:
        """Takes in a line: the path that it stands below, and its text without indentation and dashes."""
        body = text.strip()
        indent = len(text.rstrip()) - len(body)
        while body == "-" or body.startswith("- "):
            while stack and (stack[-1].indent > indent or (stack[-1].indent == indent and stack[-1].key == "-")):
                stack.pop()
            self._push(stack, indent, "-")
            rest = body[1:].lstrip()
            indent, body = indent + len(body) - len(rest), rest
        while stack and stack[-1].indent >= indent and (body or stack[-1].key != "-"):
            stack.pop()
        parent = stack[-1].path if stack else _TOP
        if (key := _key(body)) is not None:
            self._push(stack, indent, key)
        return parent, body

    def below(self, stack: Sequence[_Level], indent: int) -> int:
        """The path that what is indented so far stands below."""
        return next((level.path for level in reversed(stack) if level.indent < indent), _TOP)

    def _push(self, stack: list[_Level], indent: int, key: str) -> None:
        stack.append(_Level(indent, key, self.of(stack[-1].path if stack else _TOP, key)))


class Outline:
    """The lines that one template writes. `homes` are the templates that define helpers, by the helpers' names."""

    def __init__(self, template: Template, homes: Mapping[str, Template]) -> None:
        self._homes = homes
        self._paths = _Paths()
        self._entries: list[_Entry] = []
        self._at: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
        self._holed: defaultdict[int, list[int]] = defaultdict(list)
        self._open: dict[int, int] = {}
        """The lines whose actions may write any number of lines, by the path below which these stand."""
        self._texts: defaultdict[str, list[int]] = defaultdict(list)
        self._document = 0
        self._stack: list[_Level] = []
        self._read(template, "", 0, ())

    def written(self, rows: Sequence[Row]) -> dict[int, Written]:
        """Where the lines of a rendered text that the template wrote stand, as far as that can be told, by their numbers.

        `exact` where one line alone can have written it, `likely` where that is one of several, or an action of it.
        """
        result: dict[int, Written] = {}
        ranks: defaultdict[int, list[Written]] = defaultdict(list)
        for _, document in groupby(rows, key=lambda row: row.document):
            self._match(list(document), ranks, result)
        for several in ranks.values():
            for number, one in enumerate(several):
                one.number, one.among = number, len(several)
        fill(rows, result)
        return result

    # -- the template -------------------------------------------------------------------------------------------------

    def _read(self, template: Template, definition: str, offset: int, callers: tuple[Mark, ...]) -> None:
        """Takes in the lines of a definition, or of all that is in none, each indented further by `offset`."""
        for line in template.lines_of.get(definition, ()):
            for number in line.writing:
                text = template.own_texts.get(number, "")
                if len(self._entries) >= _MOST_LINES or not text.strip():
                    continue
                mark = Mark(template.file, Line(number, number, [number], definition), template)
                marks = (mark, *callers)
                found = [action for action in template.actions_within(number, number) if action.prints]
                self._take(text, offset, found, marks)

    def _take(self, own: str, offset: int, found: Sequence[Action], marks: tuple[Mark, ...]) -> None:
        text = " " * offset + own
        if text.startswith(_SEPARATOR):
            self._document += 1
            self._stack.clear()
            return
        writing = [_Writing.of(action) for action in found]
        indent = next((one.indent for one in writing if one.indent is not None), None)
        is_hole = not text.replace(HOLE, "").strip()
        if is_hole:
            below = self._paths.below(
                self._stack, len(text) - len(text.lstrip()) if indent is None else offset + indent
            )
        else:
            parent, body = self._paths.enter(self._stack, text)
            below = self._stack[-1].path if self._stack else _TOP
            self._add(_Entry(parent, body, below, self._document, marks))
        if is_hole or any(one.is_long for one in writing):
            self._open.setdefault(below, len(self._entries))
            self._entries.append(_Entry(below, HOLE, below, self._document, marks))
        if len(marks) > _DEEPEST:
            return
        for one in writing:
            for name in one.included if is_hole or one.indent is not None else ():
                if name in self._homes:
                    self._read(self._homes[name], name, offset + (one.indent or 0), marks)

    def _add(self, entry: _Entry) -> None:
        index = len(self._entries)
        self._entries.append(entry)
        key = _key(entry.text)
        if HOLE in (entry.text if key is None else key):
            self._holed[entry.parent].append(index)
        else:
            self._at[entry.parent, entry.text if key is None else key].append(index)
        if len(known := self._texts[entry.text]) < _MOST_ALIKE and entry.document not in known:
            known.append(entry.document)

    # -- the rendered text --------------------------------------------------------------------------------------------

    def _match(self, rows: Sequence[Row], ranks: defaultdict[int, list[Written]], result: dict[int, Written]) -> None:
        """Finds the lines behind those of one rendered document."""
        document = self._document_of(rows)
        stack: list[_Level] = []
        last = -1
        for row in rows:
            parent, body = self._paths.enter(stack, row.text)
            known = self._candidates(parent, body, document)
            if known:
                index = next((one for one in known if one > last), known[0])
                entry = self._entries[index]
                if stack and _key(body) is not None:
                    stack[-1].path = entry.path  # where the key is one that an action writes
                one = Written(entry.marks, "exact" if len(known) == 1 and _fits(entry.text, body) else "likely")
            else:
                opened = next((self._open[level.path] for level in reversed(stack) if level.path in self._open), None)
                if opened is None:
                    opened = self._open.get(_TOP)
                if opened is None:
                    continue
                index, one = opened, Written(self._entries[opened].marks, "likely")
            last = index
            ranks[index].append(one)
            result[row.line] = one

    def _document_of(self, rows: Sequence[Row]) -> int:
        """The document of the template that has most of the lines of a rendered one."""
        counts = Counter(number for row in rows for number in self._texts.get(row.text.strip(), ()))
        return max(counts, key=lambda number: (counts[number], -number), default=0)

    def _candidates(self, parent: int, body: str, document: int) -> list[int]:
        """The lines that may have written one, of those that fit best."""
        key = _key(body)
        named = self._at.get((parent, body if key is None else key), ())
        for several in (named, self._holed.get(parent, ())):
            own = [one for one in several if self._entries[one].document == document][:_MOST_ALIKE]
            among = own or [*several[:_MOST_ALIKE]]
            same = [one for one in among if self._entries[one].text == body]
            fitting = same or [one for one in among if _fits(self._entries[one].text, body)]
            if fitting or (several is named and among):
                return fitting or among
        return []


class _Writing(Struct, frozen=True):
    """What an action may write: the helpers that it includes, how far it indents, and whether that may be several lines."""

    included: tuple[str, ...]
    indent: int | None
    is_long: bool

    @classmethod
    def of(cls, action: Action) -> _Writing:
        expression = pipeline(action.code).expression
        if action.word == "template" and isinstance(expression, Call):
            expression = Call("include", expression.arguments)
        included: list[str] = []
        indent, is_long = None, False
        stack = [expression]
        while stack:
            one = stack.pop()
            if not isinstance(one, Call):
                continue
            given = one.arguments
            is_long = is_long or (one.name in TEXTS and one.name != "include")
            if one.name == "include" and given and isinstance(given[0], Literal):
                included.append(given[0].text)
            elif one.name in ("indent", "nindent") and given and isinstance(given[0], Literal):
                indent = whole(given[0].text)
            stack += given
        return cls(tuple(included), indent, is_long)


def _key(body: str) -> str | None:
    """The key that a line begins with, None where it does not begin with one."""
    found = _KEY.match(body)
    return None if found is None else found[0]


def _fits(text: str, body: str) -> bool:
    """Whether a line with holes can have written another: what is between the holes stands there, in this order."""
    first, *rest = text.split(HOLE)
    if not rest:
        return text == body
    if not body.startswith(first) or not body.endswith(rest[-1]) or len(body) < len(first) + len(rest[-1]):
        return False
    at, end = len(first), len(body) - len(rest[-1])
    for part in rest[:-1]:
        at = body.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def homes_of(templates: Iterable[Template]) -> Mapping[str, Template]:
    """The templates that define helpers, by the helpers' names."""
    return {block.name: template for template in templates for block in template.definitions}
