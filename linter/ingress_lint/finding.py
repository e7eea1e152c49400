"""What a rule says: a finding, in symbolic places, with the packet's way to the fault."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place

MAX_HEADLINE: Final = 100
"""As many characters as a line of a log or the title of an annotation shows."""
_CLAUSE_ENDS: Final = ("; ", ": ")


class Severity(IntEnum):
    """How bad a finding is: an error breaks traffic, a warning does under some load or client, a note is good to know."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word for it: `note`, `warning` or `error`."""
        return self.name.lower()


class Hop(StrEnum):
    """Where on its way to the pod a packet meets the fault, in packet order; the third character of a code."""

    MANIFEST = "manifest"
    CLIENT = "client"
    LOAD_BALANCER = "load-balancer"
    NODE = "node"
    SERVICE = "service"
    POD = "pod"

    @classmethod
    def of_code(cls, code: str) -> Hop:
        """The hop whose range holds `code`: `IL2xx` lies at the load balancer."""
        return list(cls)[int(code[2])]


class Related(Struct, frozen=True):
    """A further place that explains a finding."""

    message: str
    place: Place


class Step(Struct, frozen=True):
    """One station of the packet's way. `label` is short ("ALB", "Service shop/web"); `broken` marks where it stops."""

    hop: Hop
    label: str
    message: str
    place: Place
    broken: bool = False
    url: str = ""
    """What the client asks for, at its own station."""


class Finding(Struct, frozen=True):
    """One fault, at one place. `path` is the way a packet takes to it, empty where the fault is on no route.

    The message says what is wrong, then after `"; "` what the client sees.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    related: tuple[Related, ...] = ()
    path: tuple[Step, ...] = ()
    fix: str = ""
    cluster_decides: bool = False
    """Whether it is only said for want of something that the cluster may have, which these manifests cannot know."""
    suppressed: str = ""
    """Why it is not shown, in the words of whoever suppressed it; empty where it is."""
    units: tuple[str, ...] = ()
    """The names of the units that it was found in."""
    assumes: tuple[str, ...] = ()
    """What it believes without evidence, a clause each."""


def headline(message: str, summary: str, owner: str) -> str:
    """The first clause of a finding's message; where that is too long to be read at a glance, its rule's summary.

    The summary names the object at fault, `owner`, as far as there is room.
    """
    for mark in _CLAUSE_ENDS:
        first = _parted(message, mark)[0]
        if len(first) <= MAX_HEADLINE:
            return first
    named = f"{summary} ({owner})" if owner else summary
    return (named if len(named) <= MAX_HEADLINE else summary) or _shortened(message)


def effect(message: str) -> str:
    """What follows the clause that `headline` takes, empty where it takes the rule's summary."""
    for mark in _CLAUSE_ENDS:
        first, rest = _parted(message, mark)
        if len(first) <= MAX_HEADLINE:
            return rest
    return ""


def _parted(message: str, mark: str) -> tuple[str, str]:
    """What stands before and after the first `mark` that is in no name and no parentheses."""
    depth, quoted = 0, False
    for index, char in enumerate(message):
        if char == "`":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif not quoted and depth <= 0 and message.startswith(mark, index):
            return message[:index], message[index + len(mark) :]
    return message, ""


def _shortened(message: str) -> str:
    """As many whole words as fit."""
    return message[:MAX_HEADLINE].rpartition(" ")[0].rstrip(",;:") + "…"
