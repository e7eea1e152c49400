"""Input that is no manifest: a clear message, no traceback, and fast."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules
from ingress_lint.report import Report

RULES = load_rules()
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 80\n"
BROKEN = SERVICE.replace("port: 80", 'port: "80"')


def lint(*paths: object) -> Report:
    started = time.process_time()
    report = check(Options(paths=[os.fspath(path) for path in paths]), RULES)  # type: ignore[call-overload]
    assert time.process_time() - started < 5
    return report


def found(tmp_path: Path, content: bytes | str, name: str = "a.yaml") -> list[tuple[str, int, str]]:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(f.code, f.location.line, f.message) for f in lint(file).findings]


def test_missing_path(tmp_path: Path) -> None:
    report = lint(tmp_path / "nowhere.yaml", tmp_path)
    assert len(report.unread) == 1
    assert "nowhere.yaml: No such file or directory" in report.unread[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SERVICE)
    file.chmod(0)
    assert "Permission denied" in " ".join(lint(file).unread)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\0\0\0\1", "binary data"),
        (b"apiVersion: v1\nkind: Service\0\n", "binary data"),
        (SERVICE.encode() + b"# " + b"x" * (50 * 1024 * 1024), "larger than"),
    ],
    ids=["binary", "NUL", "50 MB"],
)
def test_no_manifest_at_all(tmp_path: Path, content: bytes, words: str) -> None:
    ((code, line, message),) = found(tmp_path, content)
    assert (code, line) == ("IL001", 1)
    assert words in message
    assert len(lint(tmp_path / "a.yaml").unread) == 1


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (SERVICE + "a: " + "[" * 10_000 + "]" * 10_000, 1, "nests deeper"),
        (SERVICE + "deep:\n" + "\n".join(" " * depth + "a:" for depth in range(1, 3_000)), 1, "nests deeper"),
        (SERVICE + "b:\n" + "- " * 10_000 + "x", 1, "nests deeper"),
        (SERVICE + "? {a: b}\n: c\n", 8, "a mapping stands where a key belongs"),
        (SERVICE + "? [a]\n: c\n", 8, "a sequence stands where a key belongs"),
        (SERVICE + "a: &a [*a]\n", 8, "contains itself"),
        (SERVICE + "a: *nobody\n", 8, "undefined alias"),
        (SERVICE + "\tb: c\n", 8, "tab"),
        (SERVICE + "a: b: c\n", 8, "mapping values are not allowed"),
        (SERVICE + "a: 'open\n", 9, "unexpected end of stream"),
        (SERVICE + "a: \x07\n", 8, "U+0007"),
        (SERVICE + "<<: text\n", 8, "merge key"),
        (SERVICE + "null: x\n", 8, "no key of JSON"),
        (SERVICE + "a: !!binary '%%%'\n", 8, "base64"),
    ],
)
def test_text_that_kubernetes_refuses(tmp_path: Path, content: str, line: int, words: str) -> None:
    ((code, at, message),) = found(tmp_path, content)
    assert code == "IL001"
    assert words in message
    assert at == line


def test_alias_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    ((code, _, message),) = found(tmp_path, SERVICE + "\n".join(lines) + "\n")
    assert code == "IL001"
    assert "aliases expand" in message


@pytest.mark.parametrize("written", ["[*a{}]", "{{<<: *a{}}}", "{{b: *a{}}}"])
def test_aliases_each_of_the_one_before(tmp_path: Path, written: str) -> None:
    lines = ["a0: &a0 {b: c}", *(f"a{n}: &a{n} {written.format(n - 1)}" for n in range(1, 500))]
    ((code, _, message),) = found(tmp_path, SERVICE + "\n".join(lines) + "\n")
    assert code == "IL001"
    assert "aliases nest deeper" in message


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "# only\n# comments\n",
        "---\n---\n",
        "just text\n",
        "- a\n- b\n",
        "key: value\n",
        "null\n",
        "...\n",
        "42",
    ],
)
def test_nothing_to_say(tmp_path: Path, content: str) -> None:
    assert found(tmp_path, content) == []


@pytest.mark.parametrize(
    "content",
    [
        SERVICE.replace("metadata:\n  name: web", "metadata: [web]"),
        SERVICE.replace("metadata:\n  name: web", "metadata: web"),
        SERVICE.replace("metadata:\n  name: web", "metadata:"),
        SERVICE.replace("  name: web", "  name: [web]"),
        SERVICE.replace("  name: web", "  name: web\n  labels: [a]\n  annotations: 7"),
        SERVICE.replace("spec:\n  ports:\n    - port: 80", "spec:"),
        SERVICE.replace("spec:\n  ports:\n    - port: 80", "spec: text"),
        SERVICE.replace("    - port: 80", "    - 80\n    - null\n    - []"),
        "apiVersion: [v1]\nkind: Service\nmetadata: {name: web}\n",
        "apiVersion: v1\nkind: List\nitems: [1, null, [], {}]\n",
        "apiVersion: v1\nkind: List\nitems: text\n",
    ],
)
def test_odd_objects_are_schema_violations(tmp_path: Path, content: str) -> None:
    codes = {code for code, _, _ in found(tmp_path, content)}
    assert codes <= {"IL002"}
    assert codes or "items: text" in content


@pytest.mark.parametrize(
    "content",
    [
        BROKEN.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + BROKEN.encode(),
        BROKEN.encode("utf-16"),
        BROKEN.encode("utf-16-le").join([b"\xff\xfe", b""]),
        BROKEN.encode("utf-32"),
        BROKEN.replace("name: web", "name: web # \u2028\x85").encode(),
        ("# é ü 漢字 🚢\n" + BROKEN).removeprefix("# é ü 漢字 🚢\n").encode(),
        BROKEN.replace(":\n", ": # \t\n").encode(),
    ],
    ids=["CRLF", "BOM", "UTF-16", "UTF-16LE", "UTF-32", "NEL", "plain", "tabs"],
)
def test_encodings_and_line_breaks(tmp_path: Path, content: bytes) -> None:
    ((code, line, message),) = found(tmp_path, content)
    assert code == "IL002"
    assert line == 7
    assert '"80"' in message


def test_lone_carriage_returns(tmp_path: Path) -> None:
    ((code, _, message),) = found(tmp_path, BROKEN.replace("\n", "\r"))
    assert code == "IL002"
    assert '"80"' in message


def test_loop_of_links(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.yaml").write_text(SERVICE)
    (folder / "again").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)
    (folder / "b.yaml").symlink_to(folder / "a.yaml")
    (folder / "dangling.yaml").symlink_to(folder / "gone.yaml")
    (folder / "self.yaml").symlink_to(folder / "self.yaml")
    report = lint(tmp_path)
    assert report.summary.objects == 1
    assert {finding.code for finding in report.findings} == {"IL001"}


def test_overlapping_paths_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.yaml").write_text(SERVICE)
    report = lint(".", "a", "a/x.yaml", "./a/../a/x.yaml", tmp_path / "a")
    assert report.summary.objects == 1
    assert report.findings == ()
