"""Runs a tool on files that nobody vouches for: with limits of time and output, and an environment that knows nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from threading import Thread
from time import monotonic
from typing import IO, Final, Literal, cast

from msgspec import Struct

from ingress_lint import inputs

_KEPT: Final = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "TMPDIR")
_NETWORK_SETTINGS: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that is not there: port 9 discards."""
_MAX_STDERR: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_GRACE: Final = 2.0
"""Seconds for the pipes to end once the process group is gone."""


class Limits(Struct, frozen=True):
    """How much a tool may take."""

    seconds: float = 30.0
    output_bytes: int = 64 * 1024 * 1024


class Output(Struct, frozen=True):
    """What a tool that succeeded wrote. Bytes that are not UTF-8 have become U+FFFD."""

    stdout: str
    stderr: str = ""


class Failure(Struct, frozen=True):
    """A run that came to nothing: why, in words, and what the tool said."""

    reason: Literal["not-started", "time-limit", "output-limit", "status"]
    message: str
    stderr: str = ""


class _Reader(Thread):
    """Reads a pipe to its end, or until there is more than `limit` bytes; it keeps no more than that.

    `to_end`: what is too much is read all the same, and the last of it kept, which says how the tool ended.
    """

    def __init__(self, pipe: IO[bytes], limit: int, *, to_end: bool = False) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._limit = limit
        self._to_end = to_end
        self._data = bytearray()
        self.overflow = False
        self.start()

    def run(self) -> None:
        while not self.overflow and (chunk := os.read(self._pipe.fileno(), _CHUNK)):
            self._data += chunk
            if self._to_end:
                del self._data[: -self._limit]
            self.overflow = len(self._data) > self._limit

    def finish(self) -> None:
        """Waits for the end of a pipe that nobody writes to any more."""
        self.join(_GRACE)
        if not self.is_alive():  # else a process that left the group holds it
            self._pipe.close()

    @property
    def text(self) -> str:
        return bytes(self._data[: self._limit]).decode("utf-8", "replace")


def run(
    command: Sequence[str],
    folder: str,
    limits: Limits,
    *,
    network: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Output | Failure:
    """Runs `command` in `folder`; never raises for what the tool does or for what it is.

    The tool sees a home that is empty, no credentials and no cluster. Unless `network`, git is allowed no protocol and HTTP is
    sent to a proxy that is not there. `settings` are added to its environment. At its end, or where it takes more than `limits`, its whole process group is killed.
    """
    name = os.path.basename(command[0])
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as home:
        try:
            process = subprocess.Popen(  # noqa: S603 (a list, without a shell)
                list(command),
                cwd=folder,
                env=_environment(home, network=network) | dict(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            inputs.unrepeatable()
            return Failure("not-started", f"{name} could not be started: {getattr(error, 'strerror', None) or error}")
        deadline = monotonic() + limits.seconds
        output = _Reader(cast("IO[bytes]", process.stdout), limits.output_bytes)
        errors = _Reader(cast("IO[bytes]", process.stderr), _MAX_STDERR, to_end=True)
        output.join(limits.seconds)
        status = None if output.overflow else _status(process, max(deadline - monotonic(), 0.0))
        _kill(process)
        output.finish()
        errors.finish()
    if output.overflow:
        size = limits.output_bytes / 1024**2
        return Failure("output-limit", f"{name} wrote more than {size:g} MiB and was stopped", errors.text)
    if status is None:
        inputs.unrepeatable()
        return Failure("time-limit", f"{name} took longer than {limits.seconds:g} seconds and was stopped", errors.text)
    if status:
        return Failure("status", f"{name} ended with status {status}", errors.text)
    return Output(output.text, errors.text)


def _status(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit status, None where the process does not end in time."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all that it has started and not set apart."""
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    process.wait()


def _environment(home: str, *, network: bool) -> dict[str, str]:
    settings = (*_KEPT, *_NETWORK_SETTINGS, *map(str.lower, _NETWORK_SETTINGS)) if network else _KEPT
    environment = {key: os.environ[key] for key in settings if key in os.environ}
    environment |= {"LC_ALL": "C.UTF-8", "HOME": home, "USERPROFILE": home, "APPDATA": home, "LOCALAPPDATA": home}
    environment |= {f"XDG_{kind}_HOME": home for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    if not network:
        environment |= {"GIT_ALLOW_PROTOCOL": "none", "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "NO_PROXY": ""}
    return environment
