"""`--format text`: findings for people, each with the lines it is about and the packet's way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from click import style

from ingress_lint.finding import Severity
from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions
from ingress_lint.output.frame import FrameLine, columns, frame
from ingress_lint.output.sanitize import visible
from ingress_lint.output.wording import among, most_severe_first, scope, shown, stations, statistics, unchecked, verdict
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding, Spot

_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_GUTTER: Final = "blue"
_MOST_RELATED: Final = 6
_UNSURE: Final = {
    "likely": "this is most likely what to edit; the build does not show the very line",
    "template": "this is the template that writes it; what is rendered does not show the line",
}
"""How sure the place of a finding is, where it is not exact."""
_CONTEXT: Final = 1
"""How many lines around a finding are shown."""


def render(report: Report, options: RenderOptions) -> str:
    """Every finding, then on request how often each rule fired, then the summary."""
    paint: _Paint = style if options.color else _plain
    findings = most_severe_first(shown(report))
    blocks = ["\n".join(_FindingText(finding, report, options, paint).lines()) for finding in findings]
    if options.statistics and findings:
        blocks.append("\n".join(_statistics(findings, paint)))
    if options.verbose and report.accounts:
        blocks.append("\n".join(visible(line) for line in report.accounts))
    if not options.quiet:
        blocks.append(_summary(report, paint))
    return "\n\n".join(blocks) + "\n" if blocks else ""


_Paint = Callable[..., str]


def _plain(text: str, **_: object) -> str:
    return text


def _statistics(findings: Sequence[ReportedFinding], paint: _Paint) -> Iterator[str]:
    counted = statistics(findings)
    digits = len(str(counted[0][0]))
    for number, finding in counted:
        level = paint(f"{finding.severity.label:7}", fg=_COLORS[finding.severity], bold=True)
        yield f"{number:>{digits}}  {level}  {visible(finding.code)}  {visible(finding.name)}"


def _summary(report: Report, paint: _Paint) -> str:
    summary = report.summary
    counts = {Severity.ERROR: summary.error, Severity.WARNING: summary.warning, Severity.NOTE: summary.note}
    escaped = unchecked(report)
    color = next((_COLORS[severity] for severity, number in counts.items() if number), "green")
    return f"{paint(verdict(summary), fg=color, bold=True)} {scope(summary)}{visible(escaped and f'; {escaped}')}"


class _FindingText:
    """One finding on its way to lines; the gutter is as wide as its largest line number."""

    def __init__(self, finding: ReportedFinding, report: Report, options: RenderOptions, paint: _Paint) -> None:
        self._finding = finding
        self._report = report
        self._verbose = options.verbose
        self._paint = paint
        places = [finding.location, *(spot.location for spot in finding.related)]
        self._margin = len(str(max(place.end_line for place in places) + _CONTEXT))
        self._width = max(20, options.width - self._margin - len(" | "))

    def lines(self) -> Iterator[str]:
        """The header, the frames of all places, then the notes."""
        finding, paint = self._finding, self._paint
        color = _COLORS[finding.severity]
        level = paint(f"{finding.severity.label}[{visible(finding.code)}]", fg=color, bold=True)
        yield f"{level} {visible(finding.name)}: {paint(visible(finding.message), bold=True)}"
        yield from self._place("-->", finding.location, finding.object, "")
        yield from self._frame(finding.location, "^", color, "", _CONTEXT)
        shown = finding.related if self._verbose else finding.related[:_MOST_RELATED]
        for spot in shown:
            yield from self._related(spot)
        if more := len(finding.related) - len(shown):
            places = "1 more place is" if more == 1 else f"{more} more places are"
            yield self._note("note", f"{places} not shown; --verbose shows them all")
        if finding.mapping in _UNSURE:
            yield self._note("place", _UNSURE[finding.mapping])
        if finding.path:
            yield self._note("way", self._way(finding.path))
            if self._verbose:
                yield from self._stations(finding.path)
        if finding.fix:
            yield self._note("fix", visible(finding.fix))
        if len(finding.units) > 1 or (finding.units and finding.rendered):
            yield self._note("unit" if len(finding.units) == 1 else "units", visible(among(finding.units)))
        if finding.proof:
            yield self._note("prove", visible(finding.proof))
        if self._verbose:
            yield from self._help()

    def _related(self, spot: Spot) -> Iterator[str]:
        caption = visible(spot.message)
        framed = spot.location.file in self._report.files
        yield from self._place(":::", spot.location, spot.object, "" if framed else caption)
        yield from self._frame(spot.location, "-", _GUTTER, caption, 0)

    def _place(self, arrow: str, location: Location, item: ObjectRef | None, caption: str) -> Iterator[str]:
        where = visible(f"{location.file}:{location.line}:{location.column}")
        owner = self._paint(visible(f" ({item})"), dim=True) if item else ""
        yield f"{' ' * self._margin}{self._gutter(arrow)} {where}{owner}{caption and ': ' + caption}"

    def _frame(self, location: Location, mark: str, color: str, caption: str, context: int) -> Iterator[str]:
        """The code frame between two empty lines, where the file is at hand."""
        file = self._report.files.get(location.file)
        if file is None:
            return
        yield self._bar("")
        for line in frame(file, location, mark, self._width, context):
            if line.role == "mark":
                yield from self._marks(line.text, color, caption)
            else:
                yield self._source(line)
        yield self._bar("")

    def _source(self, line: FrameLine) -> str:
        number = "" if line.number is None else str(line.number)
        text = self._paint(line.text, dim=True) if line.role == "context" else line.text
        return self._bar(text, number)

    def _marks(self, marks: str, color: str, caption: str) -> Iterator[str]:
        """The line that underlines, with the caption behind it, or below where it does not fit."""
        painted = self._paint(marks, fg=color, bold=True)
        fits = columns(marks) + 1 + columns(caption) <= self._width
        yield self._bar(f"{painted} {self._paint(caption, fg=color)}" if caption and fits else painted)
        if caption and not fits:
            indent = min(len(marks) - len(marks.lstrip()), max(0, self._width - columns(caption)))
            yield self._bar(" " * indent + self._paint(caption, fg=color))

    def _way(self, path: Sequence[PathSpot]) -> str:
        """The stations in one line: green as far as the packet comes, red where it stops."""
        words = []
        for sign, step in stations(path):
            color = "red" if step.broken else "green"
            words += [self._paint(sign, fg=color, bold=True)] if sign else []
            words.append(self._paint(visible(step.label), fg=color))
        return " ".join(words)

    def _stations(self, path: Sequence[PathSpot]) -> Iterator[str]:
        for number, step in enumerate(path, 1):
            where = visible(f"{step.location.file}:{step.location.line}")
            yield f"{' ' * self._margin}     {number}. {visible(step.message)} {self._paint(f'({where})', dim=True)}"

    def _help(self) -> Iterator[str]:
        for rule in self._report.rules:
            if rule.code == self._finding.code:
                yield self._note("help", visible(rule.help_uri))

    def _note(self, title: str, text: str) -> str:
        return f"{' ' * self._margin} {self._gutter('=')} {self._paint(title, bold=True)}: {text}"

    def _bar(self, text: str, number: str = "") -> str:
        gutter = self._gutter(f"{number:>{self._margin}} |")
        return f"{gutter} {text}" if text else gutter

    def _gutter(self, text: str) -> str:
        return self._paint(text, fg=_GUTTER, bold=True)
