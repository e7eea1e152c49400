"""Says where two installed versions of ingress-lint answer the same manifests otherwise, to the byte.

    python tests/tools/compare_versions.py OLD_PYTHON NEW_PYTHON [FOLDER...]

Each interpreter has its version installed, and works through all inputs in one process, side by side with the other: a
process an input would take an hour. An input is a folder or a file, linted from where it lies, so that no path of the
machine is in what is printed. Without a FOLDER the inputs are the cases of tests/fixtures, the examples, a corpus of
bench/make_corpus.py, and, where INGRESS_LINT_CASES names a folder of published cases, its charts and the manifests of
its suites. Compared are the exit status, the text with what standard error says, the JSON and the SARIF, but for the
version that the two last name. The exit status is 1 where anything differs, and 2 where a version cannot be run.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
CASES: Final = "INGRESS_LINT_CASES"
NOW: Final = "2025-01-01"
"""When certificates must be valid: a fixed day, or the two runs could see two days."""
ANSWERS: Final = ("exit", "text", "json", "sarif")


class Input(NamedTuple):
    """What is linted: `path` from within `folder`."""

    name: str
    folder: str
    path: str


# -- what is linted ----------------------------------------------------------------------------------------------------


def whole(folder: Path, root: Path) -> Input:
    """A folder as one input, called by its path from `root`."""
    return Input(str(folder.relative_to(root)), str(folder), ".")


def default_inputs(scratch: Path) -> Iterator[Input]:
    """Everything that lies at hand; the corpus is written below `scratch`."""
    for case in sorted((ROOT / "tests" / "fixtures").glob("*/*/*/")):
        if case.parent.name in ("bad", "good"):
            yield whole(case, ROOT)
    for example in sorted((ROOT / "examples").glob("*/")):
        yield whole(example, ROOT)
    if named := os.environ.get(CASES):
        yield from published_inputs(Path(named).resolve())
    corpus = scratch / "corpus"
    subprocess.run([sys.executable, ROOT / "bench" / "make_corpus.py", corpus], check=True, stdout=subprocess.DEVNULL)
    yield whole(corpus, scratch)


def published_inputs(cases: Path) -> Iterator[Input]:
    """Each chart by itself, and each folder of a suite that holds manifests."""
    for chart in sorted((cases / "charts").glob("*.yaml")):
        yield Input(str(chart.relative_to(cases)), str(chart.parent), chart.name)
    for suite in ("golden", "routing"):
        for folder in sorted({manifest.parent for manifest in (cases / suite).rglob("*.yaml")}):
            yield whole(folder, cases)


# -- one version -------------------------------------------------------------------------------------------------------


def work(inputs: Path, results: Path) -> None:
    """Runs in the interpreter of one version: lints every line of `inputs`, and writes a line of answers for each."""
    from ingress_lint import __version__

    own_version = re.compile(rf'("(?:version|semanticVersion)": )"{re.escape(__version__)}"')
    with (
        tempfile.TemporaryDirectory() as scratch,
        inputs.open(encoding="utf-8") as lines,
        results.open("w", encoding="utf-8") as out,
    ):
        for line in lines:
            answers = lint(Input(*json.loads(line)), Path(scratch))
            for name in ("json", "sarif"):
                answers[name] = own_version.sub(r'\1"VERSION"', answers[name])
            out.write(json.dumps(answers) + "\n")


def lint(item: Input, scratch: Path) -> dict[str, str]:
    """What the package's own command answers, by format; an exception that it lets out is part of the exit status."""
    from click.testing import CliRunner

    from ingress_lint.__main__ import main

    files = {name: scratch / name for name in ("json", "sarif")}
    for file in files.values():
        file.unlink(missing_ok=True)
    outputs = [f"--output={name}={file}" for name, file in files.items()]
    os.chdir(item.folder)
    result = CliRunner().invoke(main, ["check", item.path, "--format=text", "--color=never", f"--now={NOW}", *outputs])
    crashed = result.exception is not None and not isinstance(result.exception, SystemExit)
    written = {name: file.read_text(encoding="utf-8") if file.exists() else "" for name, file in files.items()}
    status = f"{result.exit_code} {result.exception!r}" if crashed else str(result.exit_code)
    return {"exit": status, "text": result.output, **written}


# -- both --------------------------------------------------------------------------------------------------------------


def describe(python: str) -> str:
    """The version that an interpreter has installed, and where. Ends the run where it has none."""
    asked = "import ingress_lint; print(ingress_lint.__version__, 'of', ingress_lint.__path__[0])"
    try:
        run = subprocess.run([python, "-P", "-c", asked], capture_output=True, text=True, check=False)
    except OSError as error:
        raise SystemExit(failure(f"{python}: {error.strerror}")) from None
    if run.returncode:
        raise SystemExit(failure(f"{python}: {run.stderr.strip().splitlines()[-1]}"))
    return run.stdout.strip()


def failure(text: str) -> int:
    """Complains, and returns the exit status for it."""
    print(f"compare_versions: {text}", file=sys.stderr)
    return 2


def run_both(pythons: tuple[str, str], inputs: Path, results: tuple[Path, Path]) -> None:
    """Lints with both at once. Ends the run where one does not get to its end."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    processes = [
        subprocess.Popen([python, "-P", __file__, "--work", str(inputs), str(file)], env=environment)
        for python, file in zip(pythons, results, strict=True)
    ]
    ended = [process.wait() for process in processes]
    for python, status in zip(pythons, ended, strict=True):
        if status:
            raise SystemExit(failure(f"{python} ended with {status} before all was linted"))


def differences(inputs: list[Input], results: tuple[Path, Path]) -> Iterator[tuple[Input, str, str, str]]:
    """Each input and answer that differs, before and after."""
    with results[0].open(encoding="utf-8") as before, results[1].open(encoding="utf-8") as after:
        for item, old, new in zip(inputs, before, after, strict=True):
            if old == new:
                continue
            was, now = json.loads(old), json.loads(new)
            yield from ((item, name, was[name], now[name]) for name in ANSWERS if was[name] != now[name])


def exit_statuses(results: Path) -> str:
    """How many inputs ended with which exit status, to see that they were really linted."""
    with results.open(encoding="utf-8") as lines:
        counts = Counter(json.loads(line)["exit"] for line in lines)
    return ", ".join(f"{count:,} exited with {status}" for status, count in sorted(counts.items()))


def short_diff(old: str, new: str, most: int) -> str:
    """A unified diff of at most `most` lines, without the lines that name files."""
    diff = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
    if not diff:
        return "    the ends of lines differ"
    cut = [f"... {len(diff) - most} lines more"] if len(diff) > most else []
    return "\n".join(f"    {line}" for line in [*diff[:most], *cut])


def compare(pythons: tuple[str, str], folders: list[Path], match: str, diffs: int, lines: int) -> int:
    """Prints what differs, and returns the exit status."""
    for when, python in zip(("old", "new"), pythons, strict=True):
        print(f"{when}: {describe(python)}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        given = [Input(str(path), str(path.resolve()), ".") for path in folders]
        inputs = [item for item in given or default_inputs(scratch) if match in item.name]
        listed = scratch / "inputs"
        listed.write_text("".join(json.dumps(item) + "\n" for item in inputs), encoding="utf-8")
        results = (scratch / "old", scratch / "new")
        run_both(pythons, listed, results)
        counts: Counter[str] = Counter()
        different: set[Input] = set()
        for item, answer, old, new in differences(inputs, results):
            counts[answer] += 1
            different.add(item)
            if counts.total() <= diffs:
                print(f"{item.name}: {answer}\n{short_diff(old, new, lines)}")
            else:
                print(f"{item.name}: {answer}")
        statuses = exit_statuses(results[0])
    if not different:
        print(f"no difference in {len(inputs):,} inputs ({statuses})")
        return 0
    by_answer = ", ".join(f"{answer} {counts[answer]:,}" for answer in ANSWERS if counts[answer])
    print(f"{len(different):,} of {len(inputs):,} inputs differ: {by_answer}")
    return 1


def main() -> int:
    """The command line."""
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), Path(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(description="Say where two installed versions of ingress-lint answer otherwise.")
    parser.add_argument("old", metavar="OLD_PYTHON", help="the interpreter that has the old version")
    parser.add_argument("new", metavar="NEW_PYTHON", help="the interpreter that has the new version")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="linted whole, instead of the defaults")
    parser.add_argument("--match", default="", metavar="TEXT", help="only inputs that have this in their name")
    parser.add_argument("--diffs", type=int, default=60, help="how many diffs to print (default: 60)")
    parser.add_argument("--lines", type=int, default=20, help="how many lines of each diff to print (default: 20)")
    options = parser.parse_args()
    missing = [str(folder) for folder in options.folders if not folder.is_dir()]
    if missing:
        parser.error(f"{', '.join(missing)}: no such folder")
    return compare((options.old, options.new), options.folders, options.match, options.diffs, options.lines)


if __name__ == "__main__":
    sys.exit(main())
