"""The commands, run in this process, and what their JSON says."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ingress_lint.__main__ import main
from tests.published.certificates import NOW

Finding = dict[str, Any]
Place = tuple[str, int]
"""A file and a line."""


class BrokenError(Exception):
    """A run that printed no JSON; the message is the last line that it printed."""


@dataclass(frozen=True)
class Report:
    """What `check` says."""

    findings: list[Finding]
    units: list[dict[str, Any]]
    suppressed: int
    status: int
    """The exit status."""

    def of(self, severity: str) -> list[Finding]:
        return [finding for finding in self.findings if finding["severity"] == severity]


def check(*arguments: str) -> Report:
    said, status = _run("check", "--format", "json", "--no-cache", *arguments)
    return Report(said["findings"], said["units"], said["summary"]["suppressed"], status)


def trace(*arguments: str) -> list[dict[str, Any]]:
    """The answers, one a cluster."""
    said, _ = _run("trace", "--format", "json", *arguments)
    return said if isinstance(said, list) else [said]


def trace_each(requests: list[dict[str, Any]], file: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The answers to requests by their `id`, by way of a file that is written."""
    file.write_text(json.dumps(requests), encoding="utf-8")
    return {answer["id"]: answer for answer in trace("--requests", str(file), *arguments)}


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding["code"] for finding in findings}


def places(finding: Finding, *besides: str) -> list[Place]:
    """Where a finding stands, and where what it lists in the fields `besides` does (`related`, `path`)."""
    items = [finding, *(item for field in besides for item in finding[field])]
    found = [item["location"] for item in items if item.get("location")]
    return [(posixpath.normpath(place["file"]), place["line"]) for place in found if place["file"]]


def _run(command: str, *arguments: str) -> tuple[Any, int]:
    result = CliRunner().invoke(main, [command, "--jobs", "1", "--now", NOW.isoformat(), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise BrokenError(repr(result.exception))
    try:
        return json.loads(result.stdout), result.exit_code
    except ValueError:
        raise BrokenError((result.stderr or result.stdout or "no output").strip().splitlines()[-1]) from None
