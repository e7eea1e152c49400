"""Text inside of text: the configuration files that a ConfigMap's keys hold, and where their parts stand."""

from __future__ import annotations

from typing import Any, Final

_LITERAL: Final = "|"


def parse_embedded(text: str) -> Any:
    """The value of YAML or JSON text, None where it is neither."""
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def passage(text: str, node: Any, wanted: str) -> tuple[int, int] | None:
    """The offsets, in the document `text`, of the first occurrence of `wanted` in a scalar as it is written."""
    start = text.find(wanted, node.start_mark.index, node.end_mark.index)
    return (start, start + len(wanted)) if start >= 0 else None


def position_in_block(text: str, node: Any, start: Any, end: Any) -> tuple[int, int] | None:
    """The offsets, in the document `text`, of what stands from mark `start` to mark `end` in a literal block's value.

    None for scalars of other styles, whose lines are not those of their value.
    """
    if node.style != _LITERAL or start.line != end.line:
        return None
    value_lines = node.value.split("\n")
    written_at = text.find("\n", node.start_mark.index) + 1
    for _ in range(start.line):
        written_at = text.find("\n", written_at) + 1
        if not written_at:
            return None
    line_end = text.find("\n", written_at)
    written = text[written_at : line_end if line_end >= 0 else len(text)].rstrip("\r")
    value_line = value_lines[start.line].rstrip("\r")
    if not written.endswith(value_line):
        return None
    line_start = written_at + len(written) - len(value_line)
    return line_start + start.column, line_start + end.column
