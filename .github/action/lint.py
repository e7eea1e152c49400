"""The action's main step: one run of `ingress-lint check` that yields annotations, job summary, SARIF and counts.

The inputs come as environment variables. The outputs and the summary are written whatever the linter finds, and its
exit status becomes the step's.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

USAGE_ERROR: Final = 2
MAX_SUMMARY: Final = 900_000
"""Bytes; GitHub refuses a step's summary of more than 1 MiB."""
COUNTS: Final = {"errors": "error", "warnings": "warning", "notes": "note"}


class InputError(Exception):
    """An input that cannot be used; the message says which and why."""


def arguments(environment: dict[str, str], folder: Path) -> list[str]:
    """The arguments of ingress-lint; its reports go to `folder`. Raises `InputError`."""
    chosen = ["check", "--format=github", f"--output=markdown={folder / 'summary.md'}"]
    chosen.append(f"--output=json={folder / 'report.json'}")
    if sarif := environment.get("INPUT_SARIF_FILE"):
        chosen.append(f"--output=sarif={sarif}")
    if level := environment.get("INPUT_FAIL_ON"):
        chosen.append(f"--fail-on={level}")
    if config := environment.get("INPUT_CONFIG"):
        chosen.append(f"--config={config}")
    try:
        chosen += shlex.split(environment.get("INPUT_ARGS", ""))
    except ValueError as error:
        raise InputError(f"the input 'args' cannot be split into arguments: {error}") from None
    paths = [line.strip() for line in environment.get("INPUT_PATHS", "").splitlines()]
    return [*chosen, "--", *(path for path in paths if path)]


def run(chosen: list[str]) -> int:
    """Runs the linter, whose standard output holds the annotations, and returns its exit status."""
    sys.stdout.flush()
    command = [sys.executable, "-I", "-m", "ingress_lint", *chosen]
    done = subprocess.run(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False
    )
    for line in done.stderr.splitlines():
        print(harmless(line))
    return done.returncode


def harmless(line: str) -> str:
    """A line of the linter's complaints, which may quote a path, as text that the runner takes for no command."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    return "| " + shown.replace("##[", "## [")


def summary(folder: Path) -> str:
    """The job summary, cut where GitHub would refuse it."""
    file = folder / "summary.md"
    if not file.exists():
        return "## ingress-lint\n\nThe linter could not run; the log of this step says why.\n"
    text = file.read_bytes()
    if len(text) <= MAX_SUMMARY:
        return text.decode("utf-8", "replace")
    kept = text[:MAX_SUMMARY].rpartition(b"\n")[0].decode("utf-8", "replace")
    return f"{kept}\n\nThere is more than a summary can hold; the input `sarif-file` writes every finding.\n"


def outputs(folder: Path, sarif: str) -> dict[str, str]:
    """The step's outputs, empty where the linter could not run."""
    file = folder / "report.json"
    counts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["summary"] if file.exists() else {}
    found = {name: str(counts.get(key, "")) for name, key in COUNTS.items()}
    return found | {"sarif-file": sarif if file.exists() and Path(sarif).is_file() else ""}


def append(variable: str, text: str) -> None:
    """Adds `text` to the file that GitHub names in an environment variable."""
    with open(os.environ[variable], "a", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def assignment(name: str, value: str) -> str:
    """`name=value` for GITHUB_OUTPUT, in the form that no value can break out of."""
    end = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def main() -> int:
    """Everything; the exit status of the step."""
    with tempfile.TemporaryDirectory(dir=os.environ["RUNNER_TEMP"]) as name:
        folder = Path(name)
        try:
            status = run(arguments(dict(os.environ), folder))
        except InputError as error:
            print(f"::error title=ingress-lint::{error}")
            status = USAGE_ERROR
        append("GITHUB_STEP_SUMMARY", summary(folder))
        results = outputs(folder, os.environ.get("INPUT_SARIF_FILE", ""))
        append("GITHUB_OUTPUT", "".join(assignment(key, value) for key, value in results.items()))
    return status


if __name__ == "__main__":
    sys.exit(main())
