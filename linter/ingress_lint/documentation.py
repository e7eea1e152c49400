"""A rule's documentation: its headings, its examples, its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.finding import Hop
from ingress_lint.rule import RuleEntry
from ingress_lint.values.patterns import deferred

HEADINGS: Final = (
    "What it does",
    "What you see",
    "Why it breaks",
    "Example",
    "Fix",
    "Prove it",
    "How sure",
    "References",
)
_HEADING: Final = deferred(r"^## (.+)$", re.MULTILINE)
_EXAMPLE: Final = deferred(r"^(Bad|Good)([^\n]*):\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(Struct, frozen=True):
    """An example of a page: manifests, and whether the rule must fire on them."""

    bad: bool
    caption: str
    language: str
    text: str


def sections(documentation: str) -> dict[str, str]:
    """The text under each heading, in order."""
    parts = _HEADING.split(documentation)
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def examples(documentation: str) -> Iterator[Example]:
    """The examples under the heading `Example`."""
    for kind, caption, language, text in _EXAMPLE.findall(sections(documentation).get("Example", "")):
        yield Example(kind == "Bad", caption.strip(), language, text)


def page(rule: RuleEntry) -> str:
    """The rule's page for `docs/rules`."""
    facts = f"Severity **{rule.severity.label}**, at the hop **{rule.hop}**. {_sentence(rule.summary)}"
    return f"# {rule.code} {rule.name}\n\n{facts}\n\n{rule.documentation.strip()}\n"


def index(rules: tuple[RuleEntry, ...]) -> str:
    """The page that lists every rule by hop."""
    lines = ["# Rules", "", "In the order in which a packet meets them."]
    for hop in Hop:
        found = [rule for rule in rules if rule.hop is hop]
        if found:
            lines += ["", f"## {hop}", "", "| code | name | severity | finds |", "| --- | --- | --- | --- |"]
            lines += [
                f"| [{r.code}]({r.code}.md) | {r.name} | {r.severity.label} | {_cell(r.summary)} |" for r in found
            ]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
