"""Fixtures for rules: cases found by folder, what they must report beside them, one call to compare or to rewrite.

A case is a folder `<CODE>/good/<case>/` or `<CODE>/bad/<case>/` that holds manifests, with only rule `<CODE>` run on
it. A bad case also holds `expected.txt`, one finding after another; a good case must stay silent. `options.json` may
hold fields of `ingress_lint.engine.Options`, and the folder `context` objects that resolve references.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.report import ReportedFinding
from ingress_lint.rule import Rule

EXPECTED: Final = "expected.txt"
OPTIONS: Final = "options.json"
CONTEXT: Final = "context"


class Case(Struct, frozen=True):
    """One fixture folder."""

    folder: Path

    @property
    def code(self) -> str:
        """The code of the rule under test."""
        return self.folder.parent.parent.name

    @property
    def bad(self) -> bool:
        """Whether the rule must fire."""
        return self.folder.parent.name == "bad"

    @property
    def expected(self) -> str:
        """What the rule must report, empty for nothing."""
        file = self.folder / EXPECTED
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def __str__(self) -> str:
        return "/".join(self.folder.parts[-3:])


def find_cases(folder: Path) -> Iterator[Case]:
    """Every case below `folder`, in order."""
    for path in sorted(folder.glob("*/good/*/")) + sorted(folder.glob("*/bad/*/")):
        yield Case(path)


def run(case: Case, rules: Sequence[Rule]) -> str:
    """What the case's own rule reports on it, in the form of `expected.txt`; a `RuntimeError` where it breaks down."""
    options: dict[str, Any] = {}
    if (case.folder / OPTIONS).exists():
        options = json.loads((case.folder / OPTIONS).read_text(encoding="utf-8"))
        if "now" in options:
            options["now"] = datetime.fromisoformat(options["now"])
    before = Path.cwd()
    os.chdir(case.folder)
    try:
        manifests = sorted(p.name for p in Path().iterdir() if p.name not in (EXPECTED, OPTIONS, CONTEXT))
        context = (CONTEXT,) if Path(CONTEXT).exists() else ()
        chosen = [rule for rule in rules if rule.code == case.code]
        if not chosen:
            raise LookupError(f"{case}: there is no rule {case.code}")
        report = check(Options(paths=manifests, context_paths=context, **options), chosen, catalogue=rules)
    finally:
        os.chdir(before)
    if report.failures:
        raise RuntimeError("\n".join(report.failures))
    return "".join(_lines(finding) for finding in report.findings)


def _lines(finding: ReportedFinding) -> str:
    at = finding.location
    lines = [
        f"{at.file}:{at.line}:{at.column}-{at.end_line}:{at.end_column} "
        f"{finding.severity.label} {finding.code}: {finding.message}"
    ]
    lines += [f"  related {s.location.file}:{s.location.line}: {s.message}" for s in finding.related]
    if finding.path:
        lines.append("  path " + "".join(_station(step.label, step.broken) for step in finding.path))
    if finding.fix:
        lines.append(f"  fix {finding.fix}")
    return "\n".join(lines) + "\n"


def _station(label: str, broken: bool) -> str:
    return f" ✗ {label}" if broken else f" → {label}"
