"""What was not looked at, in words: counted by kind and reason, for the end of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ingress_lint.units.plan import NOT_FETCHED, Unit

_PLURALS: Final = {"cdk8s": "cdk8s apps", "jsonnet": "Jsonnet environments", "terraform": "Terraform files"}
_SINGULARS: Final = {"cdk8s": "cdk8s app", "jsonnet": "Jsonnet environment", "terraform": "Terraform file"}
_NONE_FETCHED: Final = "their charts are not here: --network fetches them"


def is_whole(units: Iterable[Unit]) -> bool:
    """Whether every unit was looked at as a whole, so that no route can have escaped."""
    return all(unit.state == "checked" for unit in units)


def not_checked(units: Sequence[Unit]) -> str:
    """What was not looked at, and what only in part, such as `2 charts (...), 1 helmfile`; empty where nothing."""
    said = [_counted(units, "unchecked", ""), _counted(units, "partial", " in part")]
    return ", ".join(part for part in said if part)


def notifications(units: Iterable[Unit]) -> list[str]:
    """A sentence for each unit that was not looked at as a whole."""
    return [
        f"{unit.kind} {unit.name} was {'not checked' if unit.state == 'unchecked' else 'checked in part'}: {unit.reason}"
        for unit in units
        if unit.state != "checked"
    ]


def _told_together(reason: str, number: int) -> str:
    """The reason as it is told of so many units: without the names of charts that can be fetched."""
    if reason.startswith(NOT_FETCHED):
        return NOT_FETCHED if number == 1 else _NONE_FETCHED
    return reason


def _counted(units: Iterable[Unit], state: str, how: str) -> str:
    """How many units of each kind are in a state, with how many routes they make; the reason where all have one."""
    kinds: dict[str, list[Unit]] = {}
    for unit in units:
        if unit.state == state:
            kinds.setdefault(unit.kind, []).append(unit)
    parts = []
    for kind, found in kinds.items():
        names = _PLURALS.get(kind, f"{kind}s") if len(found) > 1 else _SINGULARS.get(kind, kind)
        routing = sum(unit.routes for unit in found if unit.state == "unchecked")
        routes = f" with {routing} route{'s' if routing > 1 else ''}" if routing else ""
        (reason, number), *_ = Counter(_told_together(unit.reason, len(found)) for unit in found).most_common(1)
        why = reason if number == len(found) else ""
        parts.append(f"{len(found)} {names}{routes}{how}" + (f" ({why})" if why else ""))
    return ", ".join(parts)
