"""What the tests of a rule pack need: its fixtures, and its table.

Fixtures are cases found by folder, with what they must report beside them, and one call to compare or to rewrite.

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
from ingress_lint.rule import Pack, Rule, RuleEntry

EXPECTED: Final = "expected.txt"
OPTIONS: Final = "options.json"
CONTEXT: Final = "context"
_LINE: Final = 120
_TABLE: Final = '''"""The rules of this pack, known before they are imported. Generated from their classes."""

from __future__ import annotations

from typing import Final

from ingress_lint.finding import Severity
from ingress_lint.rule import RuleEntry

TABLE: Final = (
{})
'''


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


def run(case: Case, rules: Sequence[RuleEntry]) -> str:
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


def table_module(pack: Pack) -> str:
    """The source of the module whose `TABLE` lists the rules that `pack` has imported, for `Pack(name, table=TABLE)`."""
    return _TABLE.format("".join(_entry(rule) for rule in pack.rules))


def _entry(rule: type[Rule]) -> str:
    entry = RuleEntry.of(rule)
    values = {
        "code": _text(entry.code),
        "name": _text(entry.name),
        "severity": f"Severity.{entry.severity.name}",
        "summary": _text(entry.summary),
        "source": _text(f"{rule.__module__}:{rule.__qualname__}"),
    }
    lines = [f"        {name}={value},\n" for name, value in values.items()]
    for name in ("hooks", "problems", "kinds", "reasons", "fields", "needs"):
        declared: frozenset[str | tuple[str, str]] | None = getattr(entry, name)
        if declared is not None:
            lines.append(_set(name, sorted(_item(item) for item in declared)))
    return "    RuleEntry(\n" + "".join(lines) + "    ),\n"


def _set(name: str, items: Sequence[str]) -> str:
    line = f"        {name}=frozenset({{{', '.join(items)}}}),\n"
    if len(line) <= _LINE + 1:
        return line
    return (
        f"        {name}=frozenset(\n            {{\n"
        + "".join(f"                {item},\n" for item in items)
        + "            }\n        ),\n"
    )


def _item(item: str | tuple[str, str]) -> str:
    return _text(item) if isinstance(item, str) else f"({', '.join(map(_text, item))})"


def _text(text: str) -> str:
    return repr(str(text)) if {'"', "\\"} & {*text} else f'"{text}"'
