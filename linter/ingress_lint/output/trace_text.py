"""`trace --format text`: a request's way for people, a line each hop, then what the pod gets and what the client sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from click import style

from ingress_lint.finding import Severity
from ingress_lint.load.positions import Locator
from ingress_lint.output import RenderOptions
from ingress_lint.output.frame import columns
from ingress_lint.output.sanitize import visible
from ingress_lint.report import ReportedFinding
from ingress_lint.routes.choosing import Lost
from ingress_lint.tracing.concerns import hop_of
from ingress_lint.tracing.hops import location
from ingress_lint.tracing.model import Trace, TracedHop, Verdict

_MARKS: Final[dict[Verdict, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "fail": ("✗", "red"),
    "unknown": ("?", "cyan"),
}
_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDEST: Final = 60
"""How many columns a cell gets before it pushes the rest aside."""

_Paint = Callable[..., str]


def render(
    trace: Trace,
    findings: Sequence[ReportedFinding],
    told: Sequence[ReportedFinding],
    locator: Locator,
    options: RenderOptions,
) -> str:
    """One trace with the codes of `findings` at its hops; those of them that are `told` with their sentences."""
    return "\n".join(_TraceText(trace, findings, locator, options).lines(told)) + "\n"


def _plain(text: str, **_: object) -> str:
    return text


class _TraceText:
    def __init__(
        self, trace: Trace, findings: Sequence[ReportedFinding], locator: Locator, options: RenderOptions
    ) -> None:
        self._trace = trace
        self._findings = findings
        self._locator = locator
        self._verbose = options.verbose
        self._paint: _Paint = style if options.color else _plain

    def lines(self, told: Sequence[ReportedFinding]) -> Iterator[str]:
        """The request, its hops, the request upstream, the answer; then findings and, on request, who lost."""
        trace = self._trace
        yield self._paint(visible(str(trace.asked)), bold=True) + self._headers()
        yield ""
        yield from self._hops()
        yield ""
        if (answer := trace.answer) is not None and answer.upstream is not None and trace.outcome == "backend":
            yield from self._upstream()
        yield self._fact("client", self._seen())
        for finding in told:
            if finding.severity is Severity.NOTE and not self._verbose:
                continue
            level = f"{finding.severity.label}[{finding.code}]"
            name = self._paint(visible(level), fg=_COLORS[finding.severity], bold=True)
            yield f"\n{name} {visible(finding.name)}: {visible(finding.message)}"
        if self._verbose:
            yield from self._losers()

    def _headers(self) -> str:
        headers = "".join(f"  {name}: {value}" for name, value in self._trace.asked.headers.items())
        return self._paint(visible(headers), dim=True)

    def _hops(self) -> Iterator[str]:
        hops = self._trace.hops
        codes: dict[int, dict[str, Severity]] = {}
        for finding in self._findings:
            found = codes.setdefault(hop_of(self._trace, finding), {})
            found[finding.code] = max(found.get(finding.code, finding.severity), finding.severity)
        titles = ["" if index and hops[index - 1].hop is hop.hop else hop.hop.value for index, hop in enumerate(hops)]
        rows = [(title, visible(hop.name), self._where(hop)) for title, hop in zip(titles, hops, strict=True)]
        widths = [min(_WIDEST, max(columns(row[column]) for row in rows)) for column in range(3)]
        for index, (hop, row) in enumerate(zip(hops, rows, strict=True)):
            title, name, place = (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))
            mark, color = _MARKS[hop.verdict]
            detail = visible(hop.detail) if hop.verdict == "ok" else self._paint(visible(hop.detail), fg=color)
            found = codes.get(index, {})
            known = "".join(f"  {self._paint(code, fg=_COLORS[level], bold=True)}" for code, level in found.items())
            yield f"  {self._paint(mark, fg=color, bold=True)} {title}  {name}  {self._paint(place, dim=True)}  {detail}{known}"

    def _where(self, hop: TracedHop) -> str:
        if hop.place is None:
            return ""
        at = self._locator.locate(hop.place)
        return visible(f"{at.file}:{at.line}")

    def _upstream(self) -> Iterator[str]:
        trace = self._trace
        answer = trace.answer
        if answer is None or answer.upstream is None:
            return
        if trace.asked.request.protocol in ("http", "grpc"):
            upstream = answer.upstream
            headers = "".join(f"  {name}: {value}" for name, value in upstream.headers.items())
            line = visible(f"{trace.asked.request.method} {upstream.path}  Host: {upstream.host}{headers}")
            yield self._fact("upstream", line)
        for mirror in answer.mirrors:
            part = f" ({mirror.share:.0%} of requests)" if mirror.share < 1 else ""
            yield self._fact("mirror", visible(f"{mirror.backend}{part}"))

    def _fact(self, title: str, text: str) -> str:
        return f"    {self._paint(f'{title:<10}', bold=True)}{text}"

    def _seen(self) -> str:
        """What the client sees, in the colour that it deserves."""
        trace = self._trace
        answer = trace.answer
        if trace.outcome == "redirect" and answer is not None and answer.redirect is not None:
            there = visible(f"{trace.status}, to {location(answer.redirect)}")
            loops = f"{there}, because of {', '.join(trace.because)}" if trace.because else there
            return self._paint(loops, fg="red" if trace.because else "green")
        if trace.outcome == "backend":
            unknown = any(hop.verdict == "unknown" for hop in trace.hops)
            proviso = ", if what is not in these manifests is there" if unknown else ""
            backends = [share for share in answer.backends if share.share] if answer else []
            names = ", ".join(f"{share.backend.namespace}/{share.backend.name}" for share in backends)
            what = f"the answer of {names}" if names else f"{trace.status}"
            return self._paint(visible(f"{what}{proviso}"), fg="cyan" if unknown else "green")
        if trace.outcome == "unknown":
            return self._paint("not known from these manifests", fg="cyan")
        told = not trace.why or any(trace.why in hop.detail for hop in trace.hops)
        said = trace.told_status if told else f"{trace.told_status}: {trace.why}"
        return self._paint(visible(said), fg="red")

    def _losers(self) -> Iterator[str]:
        selection = self._trace.answer.selection if self._trace.answer else None
        if selection is None or not selection.lost:
            return
        yield ""
        yield self._paint("Routes that did not get it", bold=True)
        for lost in selection.lost:
            at = self._locator.locate(lost.match.path.place if lost.match else lost.route.place)
            where = self._paint(visible(f"  {at.file}:{at.line}"), dim=True)
            yield f"  - {visible(_title(lost))}: {visible(lost.why)}{where}"


def _title(lost: Lost) -> str:
    path = f" {lost.match.path.value.value}" if lost.match else ""
    return f"{lost.route.owner}{path}"
