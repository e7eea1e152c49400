"""The node tree of a text that `PlainReader` reads, with the marks that ruamel.yaml and PyYAML would give its nodes.

The reader has found the text in order, so nothing is checked here: columns alone tell what belongs to what.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import Literal

from ingress_lint.load import block_scalars, flow
from ingress_lint.load.nodes import PLAIN, QUOTED, Mark, Node
from ingress_lint.load.plain import lines_of, match_line, parent_column


def outline(text: str) -> Node:
    """The root node of a text that is not `NOT_PLAIN`."""
    return _Outline(text).root()


class _Outline:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._holder = Node("sequence", "", [self._empty(0)], self._mark(0), self._mark(0))
        self._open: list[tuple[int, Node]] = [(-1, self._holder)]
        """The collections that the next line may add to, with their columns."""

    def root(self) -> Node:
        offset = 0
        for line in lines_of(self._text) or ():
            match = match_line(line)
            if match is not None:  # else it is passed over
                self._add(match, line, offset)
            offset += len(line) + (not line.endswith("\n"))
        end = self._mark(len(self._text))
        self._close(end.column, end, sequences=False)
        if end.column:  # libyaml ends the last line itself
            end = Mark(end.index, end.line + 1, 0)
        self._close(-1, end, sequences=False)
        root: Node = self._holder.value[0]
        return root

    def _add(self, match: re.Match[str], line: str, offset: int) -> None:
        """Adds what a line holds to the collection that its column belongs to."""
        column = len(match["indent"])
        has_key = match["key"] is not None
        if match["dash"] or match["item"]:
            items = self._collection("sequence", column, offset + column)
            items.value.append(self._empty(0) if has_key else self._value(match, line, offset, match.end("item")))
            column = parent_column(match)
        elif not has_key:
            self._fill(self._value(match, line, offset, 0))
        if has_key:
            start, end = match.span("key")
            pairs = self._collection("mapping", column, offset + start)
            key = flow.scalar(self._text, offset + start, offset + end, self._mark)
            pairs.value.append((key, self._value(match, line, offset, end + 1)))

    def _collection(self, kind: Literal["sequence", "mapping"], column: int, start: int) -> Node:
        """The collection of a column, a new one where none is open."""
        mark = self._mark(start)
        self._close(column, mark, sequences=kind == "mapping")
        last_column, last = self._open[-1]
        if last_column == column and last.id == kind:
            return last
        node = Node(kind, "", [], mark, mark)
        self._fill(node)
        self._open.append((column, node))
        return node

    def _close(self, column: int, end: Mark, *, sequences: bool) -> None:
        """Closes what is open right of a column, and where `sequences` says so, those at it."""
        while (last := self._open[-1])[0] > column or (sequences and last[0] == column and last[1].id == "sequence"):
            last[1].end_mark = end
            self._open.pop()

    def _fill(self, node: Node) -> None:
        """Puts a node where the last line left an empty one."""
        _, parent = self._open[-1]
        parent.value[-1] = (parent.value[-1][0], node) if parent.id == "mapping" else node

    def _value(self, match: re.Match[str], line: str, offset: int, after: int) -> Node:
        """The value in a line; an empty one stands `after` its key or dash."""
        group = match.lastgroup
        if group in ("plain", "quoted"):
            start, end = match.span(group)
            return flow.scalar(self._text, offset + start, offset + end, self._mark)
        if group == "flow":
            return flow.parse(self._text, offset + match.start(group), self._mark)
        if group == "block":
            return self._block_scalar(match, line, offset)
        return self._empty(offset + after)

    def _block_scalar(self, match: re.Match[str], line: str, offset: int) -> Node:
        header = match["block"]
        lines = line[match.end() + 1 :]
        parent = parent_column(match)
        value = block_scalars.value_of(header, parent, lines)
        start = offset + match.start("block")
        end = offset + match.end() + 1 + block_scalars.length_of(header, parent, lines)
        return Node("scalar", QUOTED, value, self._mark(start), self._mark(end), header[0])

    def _empty(self, offset: int) -> Node:
        return Node("scalar", PLAIN, "", self._mark(offset), self._mark(offset))

    def _mark(self, offset: int) -> Mark:
        line = bisect_right(self._line_starts, offset) - 1
        return Mark(offset, line, offset - self._line_starts[line])
