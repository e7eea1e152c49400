"""What `test` prints: routing tests and how they went, as text, as JUnit XML and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from click import style

from ingress_lint.load.positions import Locator
from ingress_lint.output.frame import columns
from ingress_lint.output.junit import xml
from ingress_lint.output.sanitize import json_text, visible
from ingress_lint.output.trace_json import Encoder
from ingress_lint.output.wording import count
from ingress_lint.tracing.judging import Outcome, got

FORM_VERSION: Final = 1
_ANSWER_FIELDS: Final = ("entry", "route", "outcome", "status", "because", "backends", "redirect", "upstream")
_WIDEST: Final = 44
"""How many columns a name gets before it pushes the rest aside."""

Renderer = Callable[[Sequence[Outcome], bool, bool], str]


def _text(outcomes: Sequence[Outcome], color: bool, quiet: bool) -> str:
    """A line for each test, with what differs below it; the tests that passed are left out where `quiet`."""
    return "".join(f"{line}\n" for line in _lines(outcomes, style if color else _plain, quiet))


def _plain(text: str, **_: object) -> str:
    return text


def _lines(outcomes: Sequence[Outcome], paint: Callable[..., str], quiet: bool) -> Iterator[str]:
    locator = Locator()
    width = min(_WIDEST, max(columns(visible(item.case.name)) for item in outcomes))
    for item in outcomes:
        if quiet and item.passed:
            continue
        name = visible(item.case.name)
        request = visible(str(item.case.request))
        mark = paint("✓", fg="green", bold=True) if item.passed else paint("✗", fg="red", bold=True)
        asks = "" if request == name else "  " + paint(request, dim=True)
        answer = f"  → {visible(got(item.trace))}" if item.passed else ""
        yield f"{mark} {name}{' ' * (width - columns(name)) if asks or answer else ''}{asks}{answer}"
        if not item.passed:
            yield from _difference(item, locator, paint)
    passed = sum(item.passed for item in outcomes)
    verdict = f"{passed} of {count(len(outcomes), 'request')} answered as expected"
    if not quiet:
        yield ""
    if not quiet or passed < len(outcomes):
        yield paint(verdict, fg="green" if passed == len(outcomes) else "red", bold=True)


def _difference(item: Outcome, locator: Locator, paint: Callable[..., str]) -> Iterator[str]:
    yield f"    expected  {visible(str(item.case.expect))}"
    yield f"    got       {paint(visible(got(item.trace)), fg='red')}"
    route = item.trace.route
    if route is not None:
        at = locator.locate(route.place)
        yield f"    by        {visible(f'{route.owner}  {at.file}:{at.line}')}"
    yield f"    test      {visible(f'{item.case.file}:{item.case.line}')}"


def _json(outcomes: Sequence[Outcome], _color: bool, _quiet: bool) -> str:
    encoder = Encoder(Locator())
    return json_text(
        {
            "version": FORM_VERSION,
            "summary": _summary(outcomes),
            "tests": [_encoded(item, encoder) for item in outcomes],
        }
    )


def _summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    passed = sum(item.passed for item in outcomes)
    return {"tests": len(outcomes), "passed": passed, "failed": len(outcomes) - passed}


def _encoded(item: Outcome, encoder: Encoder) -> dict[str, Any]:
    case, answer = item.case, encoder.encode(item.trace, ())
    return {
        "name": case.name,
        "location": {"file": case.file, "line": case.line},
        "passed": item.passed,
        "message": item.difference,
        "request": answer["request"],
        "expected": case.expect.model_dump(exclude_none=True),
        "got": {name: answer[name] for name in _ANSWER_FIELDS},
    }


def _junit(outcomes: Sequence[Outcome], _color: bool, _quiet: bool) -> str:
    """JUnit XML in the form that GitLab, Jenkins and GitHub's test reporters read."""
    failed = sum(not item.passed for item in outcomes)
    numbers = {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "ingress-lint", **numbers})
    file = visible(outcomes[0].case.file)
    suite = ElementTree.SubElement(root, "testsuite", {"name": file, **numbers, "skipped": "0", "time": "0"})
    for item in outcomes:
        case = item.case
        attributes = {"name": visible(case.name), "classname": file, "file": file, "line": str(case.line), "time": "0"}
        element = ElementTree.SubElement(suite, "testcase", attributes)
        if not item.passed:
            message = visible(item.difference)
            failure = ElementTree.SubElement(element, "failure", {"message": message, "type": "routing"})
            failure.text = f"{visible(str(case.request))}\n{message}\n{file}:{case.line}"
    return xml(root)


FORMATS: Final[Mapping[str, Renderer]] = {"text": _text, "junit": _junit, "json": _json}
"""Every output form by the name that `--format` takes; the flags are colour and leaving out what passed."""
