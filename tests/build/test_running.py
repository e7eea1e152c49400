from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from ingress_lint.build.running import Failure, Limits, Output, run

LIMITS = Limits(seconds=20, output_bytes=100_000)
HASTY = Limits(seconds=0.5, output_bytes=1000)


def python(code: str, limits: Limits, folder: Path, *, network: bool = False) -> Output | Failure:
    return run((sys.executable, "-c", code), str(folder), limits, network=network)


def test_output(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print('told', file=sys.stderr)"
    assert python(code, LIMITS, tmp_path) == Output(f"{tmp_path}\n", "told\n")


def test_status_and_what_was_said(tmp_path: Path) -> None:
    result = python("import sys; sys.stderr.buffer.write(b'no \\xff\\0'); sys.exit(3)", LIMITS, tmp_path)
    assert isinstance(result, Failure)
    assert (result.reason, result.stderr) == ("status", "no \ufffd\0")
    assert result.message.endswith("ended with status 3")


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import os, time; os.close(1); os.close(2); time.sleep(60)",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    ],
    ids=["sleeps", "closes its output first", "ignores signals"],
)
def test_time_limit(code: str, tmp_path: Path) -> None:
    start = time.monotonic()
    result = python(code, HASTY, tmp_path)
    assert isinstance(result, Failure)
    assert result.reason == "time-limit"
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output(stream: str, tmp_path: Path) -> None:
    limits = Limits(seconds=20 if stream == "stdout" else 1, output_bytes=1000)
    result = python(f"import sys\nwhile True: sys.{stream}.write('x' * 1000)", limits, tmp_path)
    assert isinstance(result, Failure)
    assert result.reason == ("output-limit" if stream == "stdout" else "time-limit")
    assert len(result.stderr) <= 64 * 1024


def test_children_end_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(2); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    assert isinstance(python(code, HASTY, tmp_path), Failure)
    time.sleep(2.5)
    assert not mark.exists()


@pytest.mark.parametrize("network", [False, True])
def test_environment(network: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    code = "import os; print({**os.environ}); print(os.listdir(os.environ['HOME']))"
    result = python(code, LIMITS, tmp_path, network=network)
    assert isinstance(result, Output)
    assert "secret" not in result.stdout
    assert result.stdout.endswith("[]\n")
    assert ("proxy.example.com" in result.stdout) is network
    assert ("GIT_ALLOW_PROTOCOL" in result.stdout) is not network


@pytest.mark.parametrize("command", ["nothing-of-this-name", "\0", __file__])
def test_what_cannot_be_started(command: str, tmp_path: Path) -> None:
    result = run((command,), str(tmp_path), LIMITS)
    assert isinstance(result, Failure)
    assert result.reason == "not-started"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    result = run((sys.executable, "-c", ""), str(tmp_path / "gone"), LIMITS)
    assert isinstance(result, Failure)
    assert result.reason == "not-started"
