"""The findings of an earlier run, recorded in a file so that only later ones are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.report import ReportedFinding

_VERSION: Final = 1


class BaselineError(Exception):
    """A baseline that cannot be read; the message names the file."""


def read_baseline(file: str) -> frozenset[str]:
    """The fingerprints that a file records; raises `BaselineError`."""
    import json

    try:
        written = json.loads(inputs.read(file))
    except OSError as error:
        raise BaselineError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise BaselineError(f"{file} is no baseline: {error}") from None
    except RecursionError:
        raise BaselineError(f"{file} is no baseline: it nests too deeply") from None
    entries = written.get("findings") if isinstance(written, dict) else None
    if not isinstance(entries, list) or written.get("version") != _VERSION:
        raise BaselineError(f"{file} is no baseline of this version; --write-baseline makes one")
    return frozenset(str(entry.get("fingerprint")) for entry in entries if isinstance(entry, dict))


def baseline_of(findings: Iterable[ReportedFinding]) -> str:
    """The text of a baseline that records `findings`; the same for the same ones, in whatever order they are."""
    import json

    entries = [_entry(finding) for finding in findings]
    entries.sort(key=lambda entry: (entry["file"], entry["code"], entry["object"], entry["fingerprint"]))
    return json.dumps({"version": _VERSION, "findings": entries}, indent=1) + "\n"


def _entry(finding: ReportedFinding) -> dict[str, Any]:
    """What recognises the finding, with what tells people which it is."""
    return {
        "fingerprint": finding.fingerprint,
        "code": finding.code,
        "file": finding.location.file,
        "object": str(finding.object) if finding.object else "",
    }
