"""Node trees of texts that define an anchor twice, made of the events of a parser.

The later definition counts from there on, as YAML 1.2 and go-yaml have it; the composers of PyYAML and ruamel.yaml refuse
it. They are several times as quick, so this is for such texts alone.
"""

from __future__ import annotations

from typing import Any

from ingress_lint.load.nodes import PLAIN, QUOTED, Node


class UndefinedAliasError(Exception):
    """An alias whose anchor is nowhere before it; it says so as the errors of PyYAML do."""

    problem = "found undefined alias"

    def __init__(self, mark: Any) -> None:
        super().__init__(self.problem)
        self.problem_mark = mark


def compose_events(parser: Any) -> Node | None:
    """The root node of a parser's text, None where it holds no document; raises what the parser raises.

    `parser` is a composer that `composing` made, so it counts how deep nodes nest.
    """
    return _Events(parser).root()


class _Events:
    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._anchors: dict[str, Node] = {}

    def root(self) -> Node | None:
        self._next()  # the stream's start
        if self._kind() == "StreamEndEvent":
            return None
        self._next()  # the document's start
        node = self._node()
        self._next()  # the document's end
        return node

    def _kind(self) -> str:
        return type(self._parser.peek_event()).__name__

    def _next(self) -> Any:
        return self._parser.get_event()

    def _node(self) -> Node:
        event = self._next()
        match type(event).__name__:
            case "AliasEvent":
                if event.anchor not in self._anchors:
                    raise UndefinedAliasError(event.start_mark)
                return self._anchors[event.anchor]
            case "ScalarEvent":
                tag = event.tag if event.tag not in (None, "!") else PLAIN if event.implicit[0] else QUOTED
                node = Node("scalar", tag, event.value, event.start_mark, event.end_mark, event.style or "")
                self._remember(event, node)
            case "SequenceStartEvent":
                node = self._opened(event, "sequence")
                while self._kind() != "SequenceEndEvent":
                    node.value.append(self._node())
                self._close(node)
            case _:
                node = self._opened(event, "mapping")
                while self._kind() != "MappingEndEvent":
                    node.value.append((self._node(), self._node()))
                self._close(node)
        return node

    def _opened(self, event: Any, kind: Any) -> Node:
        self._parser.descend_resolver(None, None)
        node = Node(kind, event.tag or "", [], event.start_mark, event.end_mark)
        self._remember(event, node)
        return node

    def _close(self, node: Node) -> None:
        self._parser.ascend_resolver()
        node.end_mark = self._next().end_mark

    def _remember(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
