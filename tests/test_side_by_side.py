"""Work that several processes share: the same results, in the same order, whatever becomes of the processes."""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint import inputs, side_by_side
from ingress_lint.__main__ import main
from ingress_lint.output import FORMATS

splits = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="no process is split here")


@pytest.fixture(autouse=True)
def everything_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "WORTHWHILE", 0)


def nothing() -> list[object]:
    return []


def processes(weights: list[int], jobs: int) -> list[int]:
    return side_by_side.each(lambda _: os.getpid(), weights, jobs, nothing)


@pytest.mark.parametrize("jobs", [1, 2, 3, 50])
@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_results_come_in_order(jobs: int, number: int) -> None:
    assert side_by_side.each(lambda index: index * index, [1] * number, jobs, nothing) == [n * n for n in range(number)]


@splits
def test_parts_are_about_as_heavy() -> None:
    found = processes([1, 9, 2, 3, 4], 2)
    assert len(set(found)) == 2
    assert [process == os.getpid() for process in found] == [True, True, False, False, False]


@splits
def test_little_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "WORTHWHILE", 10)
    assert set(processes([1000, 9], 2)) == {os.getpid()}
    assert len(set(processes([1000, 10], 2))) == 2


@splits
def test_beside_threads_nothing_is_split() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    assert set(processes([1, 1], 2)) == {os.getpid()}
    done.set()
    thread.join()
    assert len(set(processes([1, 1], 2))) == 2


@splits
def test_what_is_shared_comes_back_as_the_same() -> None:
    shared, own = [object(), object()], {"own": None}
    results = side_by_side.each(lambda index: (shared[index], own, None), [1, 1], 2, lambda: shared)
    assert [result[0] for result in results] == shared
    assert results[1][1:] == ({"own": None}, None)


@splits
@pytest.mark.parametrize("ending", [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9), lambda: {}[0]])
def test_what_dies_is_done_again(ending: object) -> None:
    here = os.getpid()

    def work(index: int) -> tuple[int, int]:
        if os.getpid() != here:
            ending()  # type: ignore[operator]
        return index, os.getpid()

    assert side_by_side.each(work, [1, 1, 1], 3, nothing) == [(index, here) for index in range(3)]


@splits
def test_what_cannot_be_sent_back_is_done_again() -> None:
    results = side_by_side.each(lambda index: lambda: index, [1, 1], 2, nothing)
    assert [result() for result in results] == [0, 1]


@splits
def test_where_no_process_can_be_made_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert set(processes([1, 1], 2)) == {os.getpid()}


@splits
def test_large_results() -> None:
    results = side_by_side.each(lambda index: str(index) * 1_000_000, [1] * 4, 4, nothing)
    assert [result[0] for result in results] == list("0123")


@splits
def test_a_fault_here_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side.each(lambda index: 1 // 0, [1, 1], 2, nothing)


@splits
def test_what_they_look_at_is_noted(tmp_path: Path) -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 6, day, tzinfo=UTC)

    def work(index: int) -> None:
        (tmp_path / str(index)).write_text("")
        inputs.read(str(tmp_path / str(index)))
        inputs.moments(at(9 - index), at(20 - index))

    with inputs.noting(at(10)) as noted:
        side_by_side.each(work, [1, 1, 1], 3, nothing)
    assert set(noted.files) == {str(tmp_path / str(index)) for index in range(3)}
    assert (noted.since, noted.until) == (at(9), at(18))
    assert noted.repeatable


def test_processors() -> None:
    assert side_by_side.cores() >= 1


# -- the linter -------------------------------------------------------------------------------------------------------

MANIFEST = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, namespace: shop}}
spec:
  ingressClassName: nginx
  rules:
    - host: {host}.example.com
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: {port}}}}}}}}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec:
  selector: {{app: {host}}}
  ports: [{{port: 80}}]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "--no-cache", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_bytes_whatever_the_number(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        folder = tmp_path / f"env-{number}"
        folder.mkdir()
        port = 80 + number % 2
        (folder / "web.yaml").write_text(MANIFEST.format(host="shop", port=port))
        (folder / "kustomization.yaml").write_text("resources: [web.yaml, ../shared]\n")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "web.yaml").write_text(MANIFEST.format(host="x", port=1).replace("name: web", "name: all"))
    (tmp_path / "shared" / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    first, *others = [run("--format", name, "--verbose", "--jobs", jobs) for jobs in ("1", "2", "5")]
    assert "IL402" in first.stdout or name == "junit"
    for other in others:
        assert (other.exit_code, other.stdout, other.stderr) == (first.exit_code, first.stdout, first.stderr)


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_a_wrong_number(jobs: str, tmp_path: Path) -> None:
    assert run("--jobs", jobs, str(tmp_path)).exit_code == 2
