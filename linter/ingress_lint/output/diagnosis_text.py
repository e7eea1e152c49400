"""`explain --symptom` for people: what the symptom means, then the findings and the rules that explain it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from click import style
from msgspec.structs import replace

from ingress_lint.diagnosis import Diagnosis, Reason, Suspect
from ingress_lint.output import RenderOptions, text
from ingress_lint.output.sanitize import visible
from ingress_lint.report import Report, ReportedFinding

_MOST: Final = 10
"""As many rules have their reasons shown without `--verbose`."""
_RULES: Final = "Rules that explain it, the likeliest first:"
_OTHERS: Final = "Rules that explain it and find nothing here, the likeliest first:"


def render(
    diagnosis: Diagnosis, report: Report | None, findings: Sequence[ReportedFinding], options: RenderOptions
) -> str:
    """`findings` are those of the report that explain the symptom, in order; no report where no manifests were read."""
    blocks = ["\n".join(_meanings(diagnosis))]
    found = {finding.code for finding in findings}
    rest = [suspect for suspect in diagnosis.suspects if suspect.rule.code not in found]
    if report is not None and findings:
        blocks.append(_bold("Found in these manifests, the likeliest first:", options))
        blocks.append(text.render(replace(report, findings=tuple(findings)), options).rstrip("\n"))
    elif report is not None:
        blocks.append(_bold("Nothing that is found in these manifests explains it.", options))
    if rest:
        blocks.append("\n".join(_rules(rest, _OTHERS if found else _RULES, options)))
    elif not found:
        blocks.append("No rule looks for what causes it.")
    return "\n\n".join(blocks) + "\n"


def _meanings(diagnosis: Diagnosis) -> Iterator[str]:
    for symptom in diagnosis.symptoms:
        yield f"{symptom.name}: {symptom.meaning}."
    if not diagnosis.symptoms:
        yield "No known symptom is in it; these are the rules whose pages speak in the same words."


def _rules(suspects: Sequence[Suspect], title: str, options: RenderOptions) -> Iterator[str]:
    yield _bold(title, options)
    shown = suspects if options.verbose else suspects[:_MOST]
    for suspect in shown:
        rule = suspect.rule
        yield f"  {_bold(f'{rule.code} {rule.name}', options)} ({rule.severity.label}, {rule.hop})"
        for reason in suspect.reasons:
            yield f"      {visible(reason.why)}{_frequency(reason)}"
    if len(suspects) > len(shown):
        yield f"  and {', '.join(suspect.rule.code for suspect in suspects[len(shown) :])}; --verbose says why"
    yield ""
    yield f"ingress-lint explain {suspects[0].rule.code} tells how to prove and how to fix it."


def _frequency(reason: Reason) -> str:
    parts = [
        f"{word} {', '.join(names)}"
        for word, names in (("often", reason.often), ("sometimes", reason.sometimes))
        if names
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _bold(line: str, options: RenderOptions) -> str:
    return style(line, bold=True) if options.color else line
