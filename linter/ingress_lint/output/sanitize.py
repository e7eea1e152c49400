"""Manifest text is never trusted: everything that reaches a terminal, a log or a page is made harmless here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from ingress_lint.values.patterns import deferred

_BEYOND_ASCII: Final = deferred(r"[^\n -~]")
_MARKDOWN: Final = deferred(r"[\\`*_\[\]#|~$@:]|(?<=www)\.", re.IGNORECASE)
_CODE: Final = deferred(r"`([^`]+)`")
RUNNER: Final = deferred(r"##\[")
"""What GitHub's and Azure's runners take for the start of a command, wherever it stands in a line."""
RUNNER_CELLS: Final = ("#", r"\x23", "[")
"""The same, character by character, as it is written out."""
_RUNNER: Final = "##["
_COMMAND: Final = deferred(r"\s*::")
"""What makes a line a command to GitHub's runners."""
_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def visible(text: str) -> str:
    r"""`text` with everything that a terminal would act on or not show written out, as in `\x1b` or `\u202e`.

    That is whatever Python calls unprintable: control characters, line breaks, bidi overrides, invisible and exotic
    spaces, lone surrogates; and `##[`, which GitHub's and Azure's runners take for a command wherever it stands in a line.
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
    return text.replace(_RUNNER, "".join(RUNNER_CELLS)) if _RUNNER in text else text


def visible_lines(text: str) -> str:
    """The same for text of several lines, which stay lines."""
    return "\n".join(visible(line) for line in text.splitlines())


def complaint(text: str) -> str:
    """`text` for standard error, where lines stay lines and none of them is a command to a runner."""
    lines = map(visible, text.split("\n"))
    return "\n".join(line.replace(":", r"\x3a", 1) if _COMMAND.match(line) else line for line in lines)


def json_text(value: Any) -> str:
    """`value` as indented JSON with a final newline. What is unprintable is escaped, so nothing is lost."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return _BEYOND_ASCII.sub(_json_escaped, text)


def json_rows(values: Iterable[Any]) -> str:
    """`values` as a JSON list with one of them a line, which is quicker to write than what is indented."""
    import json

    rows = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    return _BEYOND_ASCII.sub(_json_escaped, f"[\n{rows}\n]\n" if rows else "[]\n")


def github_data(text: str) -> str:
    """`text` as the message of a GitHub workflow command; its lines stay lines."""
    return visible_lines(text).replace("%", "%25").replace("\n", "%0A")


def github_property(text: str) -> str:
    """`text` as a property (`file=`, `title=`) of a GitHub workflow command."""
    return github_data(visible(text)).replace(":", "%3A").replace(",", "%2C")


def html(text: str) -> str:
    """`text` for HTML, as content or as an attribute in double quotes."""
    return "".join(_HTML.get(char, char) for char in visible(text))


def markdown(text: str) -> str:
    """`text` for within a line of Markdown or a table cell: nothing in it is markup, HTML or an automatic link."""
    return html(_MARKDOWN.sub(r"\\\g<0>", visible(text)))


def prose(text: str) -> str:
    """The same for a sentence, with what stands between backticks as code."""
    parts = _CODE.split(text)
    return "".join(f"<code>{markdown(part)}</code>" if i % 2 else markdown(part) for i, part in enumerate(parts))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _json_escaped(match: re.Match[str]) -> str:
    import json

    char = match[0]
    return char if char.isprintable() else json.dumps(char)[1:-1]
