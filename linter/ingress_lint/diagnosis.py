"""From what somebody sees to the rules that explain it, the likeliest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.documentation import sections
from ingress_lint.report import ReportedFinding
from ingress_lint.rule import RuleEntry
from ingress_lint.symptoms import SYMPTOMS, Symptom, matching
from ingress_lint.values.patterns import deferred

_OFTEN: Final = 3
_SOMETIMES: Final = 1
_BEYOND_STATUS: Final = 3
"""How much more than a status a log line says."""
_WORD: Final = deferred(r"[a-z][a-z_-]{3,}|\d{3,}")
_FUNCTION_WORDS: Final = frozenset(
    _WORD.findall(
        "after also been before each ever every from have into just nothing only other others same some such than that "
        "their them then there these they this those until what when where which while will with without"
    )
)
_SENTENCE: Final = deferred(r"(?<=[.;])\s+")
_COMMON: Final = 10
"""A word on one page in so many tells nothing."""


class Reason(Struct, frozen=True):
    """Why a rule is suspected."""

    why: str
    often: tuple[str, ...] = ()
    """The symptoms that its faults show as a rule."""
    sometimes: tuple[str, ...] = ()
    """Those that they show some of the time."""

    @property
    def weight(self) -> float:
        """How strongly it speaks."""
        return sum(_worth(name, _OFTEN) for name in self.often) + sum(_worth(n, _SOMETIMES) for n in self.sometimes)

    @property
    def beyond_status(self) -> bool:
        """Whether more than an HTTP status speaks for it."""
        return any(not SYMPTOMS[name].status for name in (*self.often, *self.sometimes))


class Suspect(Struct, frozen=True):
    """A rule whose faults may be behind what is seen."""

    rule: RuleEntry
    reasons: tuple[Reason, ...]
    weight: float


class Diagnosis(Struct, frozen=True):
    """The symptoms in a text, none where only its words were looked up, and the suspects, the likeliest first."""

    symptoms: tuple[Symptom, ...]
    suspects: tuple[Suspect, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the suspects."""
        return frozenset(suspect.rule.code for suspect in self.suspects)

    def ranked(self, findings: Iterable[ReportedFinding]) -> list[ReportedFinding]:
        """The findings, the worst first and last those that end in another status; of equals, those that name it."""
        weights = {suspect.rule.code: suspect.weight for suspect in self.suspects}

        def key(finding: ReportedFinding) -> tuple[bool, int, bool, float]:
            told = {symptom for symptom in matching(finding.message) if symptom.status or symptom in self.symptoms}
            names_it = not told.isdisjoint(self.symptoms)
            names_another = bool(told) and not names_it and any(symptom.status for symptom in self.symptoms)
            return names_another, -finding.severity, not names_it, -weights[finding.code]

        return sorted(findings, key=key)

    def starting_with(self, codes: Iterable[str]) -> Diagnosis:
        """The same, with the rules of `codes` first and in that order."""
        order = {code: position for position, code in enumerate(dict.fromkeys(codes))}
        suspects = sorted(self.suspects, key=lambda suspect: order.get(suspect.rule.code, len(order)))
        return Diagnosis(self.symptoms, tuple(suspects))


def diagnose(text: str, rules: Sequence[RuleEntry]) -> Diagnosis:
    """The suspects for `text`: by the symptoms in it, else by the words that it shares with the rules' pages.

    A log line outdoes a status: where there is one, the rules that explain no more than the status are no suspects.
    """
    symptoms = matching(text)
    if not symptoms:
        return Diagnosis((), _ordered(_by_words(text, rules)))
    suspects = list(_by_symptoms({symptom.name for symptom in symptoms}, rules))
    if not all(symptom.status for symptom in symptoms):
        suspects = [suspect for suspect in suspects if any(reason.beyond_status for reason in suspect.reasons)]
    return Diagnosis(symptoms, _ordered(suspects))


def _ordered(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    return tuple(sorted(suspects, key=lambda item: (-item.weight, -item.rule.severity, item.rule.code)))


def _worth(symptom: str, weight: int) -> int:
    return weight if SYMPTOMS[symptom].status else weight * _BEYOND_STATUS


def _by_symptoms(asked: set[str], rules: Sequence[RuleEntry]) -> Iterator[Suspect]:
    for rule in rules:
        reasons = [
            Reason(
                cause.why,
                tuple(name for name in cause.often if name in asked),
                tuple(name for name in cause.sometimes if name in asked),
            )
            for cause in rule.rule.symptoms
        ]
        reasons = sorted((r for r in reasons if r.weight), key=lambda reason: -reason.weight)
        if reasons:
            yield Suspect(rule, tuple(reasons), sum(reason.weight for reason in reasons))


def _by_words(text: str, rules: Sequence[RuleEntry]) -> Iterator[Suspect]:
    """The rules whose section `What you see` has half of the words of `text`: the rarer a word, the more it says."""
    seen = {rule: sections(rule.documentation).get("What you see", "") for rule in rules}
    pages = Counter(word for section in seen.values() for word in _words(section))
    asked = _words(text)
    telling = {word for word in asked if 0 < pages[word] * _COMMON <= len(rules)}
    for rule, section in seen.items():
        shared = asked & _words(section)
        if shared & telling and 2 * len(shared) >= len(asked):
            sentences = _SENTENCE.split(" ".join(section.split()))
            sentence = max(sentences, key=lambda candidate: len(shared & _words(candidate)))
            yield Suspect(rule, (Reason(sentence.rstrip(".;")),), sum(1 / pages[word] for word in shared))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _FUNCTION_WORDS
