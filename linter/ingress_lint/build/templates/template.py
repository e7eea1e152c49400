"""A template as a tree of blocks over its actions, and its lines: which write something, and which run on into one another."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from ingress_lint.build.templates.actions import COMMENT, OPENING, Action, actions, start_of
from ingress_lint.build.templates.expressions import text_of
from ingress_lint.load.document import SourceFile
from ingress_lint.values.patterns import deferred

HOLE: Final = "\0"
"""Stands in the text of a template for what an action prints."""
_DEEPEST: Final = 60
"""Blocks within blocks further down are taken for parts of the one around them."""
_KIND: Final = deferred(r"^kind:", re.MULTILINE)
_NAMED: Final = deferred(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')


class Block(Struct, eq=False):
    """What runs together. `opening` is the action that opens it, None for the whole file.

    Of an `if`, `else` branches are blocks of their own, which name what they are the other branch `of`.
    """

    opening: Action | None
    word: str
    items: list[Action | Block] = field(default_factory=list)
    of: Block | None = None
    closing: Action | None = None
    """The action that ends it, None at the end of the file."""

    @property
    def name(self) -> str:
        """What a `define` or `block` defines; empty otherwise."""
        found = (
            _NAMED.match(self.opening.code) if self.opening is not None and self.word in ("define", "block") else None
        )
        return text_of(found[0]) if found is not None else ""


class Line(Struct):
    """Lines, from `first` to `last` (from 1), that are written as one: white space is trimmed between them, or an action spans them."""

    first: int
    last: int
    writing: list[int] = field(default_factory=list)
    """Those that hold text to write, or an action that prints."""
    definition: str = ""
    """The name of the template that they stand in, empty outside of any."""


class Template(Struct, eq=False, dict=True):
    """A file of a chart that helm runs as a template."""

    file: SourceFile

    @cached_property
    def actions(self) -> list[Action]:
        """Its actions, in order."""
        return list(actions(self.file.text))

    @cached_property
    def root(self) -> Block:
        """The whole file, with the definitions in it."""
        root = Block(None, "")
        open_blocks = [root]
        closes: list[int] = []  # how many blocks each `end` closes
        for action in self.actions:
            top = open_blocks[-1]
            if action.word in OPENING:
                if len(open_blocks) > _DEEPEST:
                    closes.append(0)
                    continue
                block = Block(action, action.word)
                top.items.append(block)
                open_blocks.append(block)
                closes.append(1)
            elif action.word == "else":
                if closes and closes[-1] and top.opening is not None:
                    open_blocks.pop().closing = action
                    block = Block(action, "else", of=top)
                    open_blocks[-1].items.append(block)
                    open_blocks.append(block)
            elif action.word == "end":
                if closes and closes.pop():
                    open_blocks.pop().closing = action
            elif action.word != COMMENT:
                top.items.append(action)
        return root

    @property
    def definitions(self) -> Iterator[Block]:
        """The templates that it defines, by name; helm lets no definition stand in another."""
        blocks = [self.root]
        while blocks:
            block = blocks.pop()
            if block.name:
                yield block
            blocks += (item for item in reversed(block.items) if isinstance(item, Block))

    @cached_property
    def helpers(self) -> Set[str]:
        """The names of those definitions that write no whole object."""
        text = self.file.text
        return {
            block.name
            for block in self.definitions
            if block.opening is not None
            and _KIND.search(text, block.opening.end, block.closing.start if block.closing is not None else len(text))
            is None
        }

    def actions_within(self, first: int, last: int) -> list[Action]:
        """The actions that begin on these lines, numbered from 1."""
        start, end = self.file.line_span(first)[0], self.file.line_span(last)[1]
        found = self.actions
        return found[bisect_left(found, start, key=start_of) : bisect_left(found, end, key=start_of)]

    @cached_property
    def lines(self) -> list[Line]:
        """Its lines, in order."""
        return _lines(self)

    @cached_property
    def lines_of(self) -> Mapping[str, Sequence[Line]]:
        """Its lines by the definition that they stand in, which is empty for those outside of any."""
        found: defaultdict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            found[line.definition].append(line)
        return found

    @cached_property
    def own_texts(self) -> Mapping[int, str]:
        """The lines that hold more than actions that print nothing, by their numbers, with a `HOLE` for each that prints."""
        return dict(_own_texts(self))


def _lines(template: Template) -> list[Line]:
    text, found = template.file.text, template.actions
    result: list[Line] = []
    depth: list[str] = []
    index = start = 0
    number = 1
    joined = False
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        definition = next((name for name in depth if name), "")
        writes, after = False, start
        spans = False
        at = start
        while index < len(found) and found[index].start < end:
            action = found[index]
            if action.start >= start:
                writes = writes or bool(text[at : action.start].strip())
                if action.word in OPENING:
                    depth.append(Block(action, action.word).name)
                    definition = definition or depth[-1]
                elif action.word == "end" and depth:
                    depth.pop()
                writes = writes or action.prints
            at = after = min(action.end, end)
            if action.end > end:
                spans = True
                break
            index += 1
        if not spans:
            writes = writes or bool(text[after:end].strip())
        line = result[-1] if joined else Line(number, number)
        if not joined:
            result.append(line)
        line.last = number
        line.definition = line.definition or definition
        if writes:
            line.writing.append(number)
        trimmed = (
            index > 0 and found[index - 1].trims_after and not text[max(found[index - 1].end, start) : end].strip()
        )
        joined = spans or (trimmed and found[index - 1].end <= end and found[index - 1].end > start)
        start, number = end + 1, number + 1
    return result


def _own_texts(template: Template) -> Iterator[tuple[int, str]]:
    text, found = template.file.text, template.actions
    index = start = 0
    for number, line in enumerate(text.split("\n"), 1):
        end = start + len(line)
        parts: list[str] = []
        at, control = start, False
        while index < len(found) and found[index].start < end:
            action = found[index]
            if action.start >= start:
                parts += (text[at : action.start], HOLE * action.prints)
                control = control or not action.prints
            if action.end > end:
                at = end
                break
            at = action.end
            index += 1
        own = "".join((*parts, text[at:end])).rstrip()
        if own.strip() or not control:
            yield number, own
        start = end + 1
