"""The actions of a Go template, found in its text: where each begins and ends, and which white space it trims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.values.patterns import deferred

_TO_THE_END: Final = deferred(
    r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\'(?:[^\'\\\n]|\\.)*\'|(?P<trim>(?<=[ \t\r\n])-)?(?P<end>\}\})'
)
"""What may hold braces in an action, and its end (Go's text/template/parse/lex.go)."""
_OPENING: Final = deferred(r"\{\{(?P<trim>-(?=[ \t\r\n]))?[ \t\r\n]*(?P<comment>/\*)?")
_COMMENT_END: Final = deferred(r"\*/(?P<trim>[ \t\r\n]+-)?[ \t]*\}\}")
_WORD: Final = deferred(r"(?:if|else|end|range|with|define|block|template|break|continue)\b(?![.(])")
_ASSIGNMENT: Final = deferred(r"\$\w*[ \t\r\n]*(?:,[ \t\r\n]*\$\w*[ \t\r\n]*)?:?=")
COMMENT: Final = "comment"
OPENING: Final = frozenset(("if", "range", "with", "define", "block"))


class Action(Struct, frozen=True):
    """An action between braces. `start` and `end` are offsets into the text, braces included.

    `word` is its keyword, `comment` for a comment, empty for a pipeline; `code` is what follows the keyword, from the
    offset `code_start` on.
    """

    start: int
    end: int
    code_start: int
    code: str
    word: str
    trims_before: bool
    trims_after: bool

    @property
    def prints(self) -> bool:
        """Whether it may write something itself: a pipeline that assigns nothing, or a template that is called."""
        return self.word == "template" or (not self.word and _ASSIGNMENT.match(self.code) is None)


def actions(text: str) -> Iterator[Action]:
    """The actions of a template, in order; one that does not end is none."""
    at = 0
    while (at := text.find("{{", at)) >= 0:
        opening = _OPENING.match(text, at)
        if opening is None:  # never: the braces are there
            return
        before = opening["trim"] is not None
        if opening["comment"] is not None:
            closing = _COMMENT_END.search(text, opening.end())
            if closing is None:
                return
            code = text[opening.end() : closing.start()]
            yield Action(at, closing.end(), opening.end(), code, COMMENT, before, closing["trim"] is not None)
            at = closing.end()
            continue
        end = opening.end()
        while (found := _TO_THE_END.search(text, end)) is not None and found["end"] is None:
            end = found.end()
        if found is None:
            return
        word = _WORD.match(text, opening.end(), found.start())
        code_start = word.end() if word is not None else opening.end()
        code = text[code_start : found.start()]
        indent = len(code) - len(code.lstrip())
        yield Action(
            at,
            found.end(),
            code_start + indent,
            code.strip(),
            word[0] if word is not None else "",
            before,
            found["trim"] is not None,
        )
        at = found.end()


def start_of(action: Action) -> int:
    """Where an action begins, to look for it."""
    return action.start
