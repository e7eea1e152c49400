"""Work that several processes share, where the system can split one that has read everything already."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from ingress_lint import inputs

if TYPE_CHECKING:
    from pickle import Pickler, Unpickler

WORTHWHILE: Final = 1000
"""Objects to lint elsewhere that take longer than it takes to split the process and to send back what was found."""
Result = TypeVar("Result")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(
    work: Callable[[int], Result], weights: Sequence[int], jobs: int, shared: Callable[[], Sequence[object]]
) -> list[Result]:
    """What `work` returns for every index into `weights`, in their order.

    At most `jobs` processes share the work, in parts about as heavy, where enough of it leaves this one. Results may
    refer to what is `shared`: they come back with the same objects. The part of a process that dies is done again here.
    """
    parts = _parts(weights, jobs if _can_split() else 1)
    results: dict[int, Result] = {}
    if len(parts) > 1:
        known = {id(item): item for item in shared()}
        started = [_start(work, part, known) for part in parts[1:]]
        results |= {index: work(index) for index in parts[0]}
        for process in filter(None, started):
            results |= _finish(process, known)
    return [results[index] if index in results else work(index) for index in range(len(weights))]


def _can_split() -> bool:
    """Whether a copy of this process can go on: not beside threads, and on macOS not beside its frameworks."""
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and sys.platform != "darwin" and (threading is None or threading.active_count() == 1)


def _parts(weights: Sequence[int], number: int) -> list[list[int]]:
    """The indices in so many parts about as heavy, the heaviest first; one part where it is not worth it."""
    parts: list[list[int]] = [[] for _ in range(min(number, len(weights)))]
    loads = [0] * len(parts)
    for index in sorted(range(len(weights)), key=lambda index: (-weights[index], index)):
        lightest = loads.index(min(loads))
        parts[lightest].append(index)
        loads[lightest] += weights[index]
    return parts if parts and sum(loads) - max(loads) >= WORTHWHILE else [list(range(len(weights)))]


def _start(
    work: Callable[[int], Any], part: Sequence[int], known: Mapping[int, object]
) -> tuple[int, IO[bytes]] | None:
    """A process that does a part, and where it says what it found; None where there can be no more."""
    reading, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:  # there are as many as there may be
        os.close(writing)
        os.close(reading)
        return None
    if process:
        os.close(writing)
        return process, open(reading, "rb")
    status = 1
    try:
        os.close(reading)
        with inputs.noting_within() as noted:
            results = {index: work(index) for index in part}
        with open(writing, "wb") as stream:
            _pickler(stream, known).dump((results, noted))
        status = 0
    finally:
        os._exit(status)


def _finish(started: tuple[int, IO[bytes]], known: Mapping[int, object]) -> dict[int, Any]:
    """What a process found, nothing where it died."""
    process, stream = started
    with stream:
        written = stream.read()
    _, status = os.waitpid(process, 0)
    if status:
        return {}
    results, noted = _unpickler(BytesIO(written), known).load()
    inputs.note_all(noted)
    return dict(results)


def _pickler(stream: IO[bytes], known: Mapping[int, object]) -> Pickler:
    from pickle import HIGHEST_PROTOCOL, Pickler

    class SharingPickler(Pickler):
        def persistent_id(self, obj: object) -> int | None:
            return id(obj) if id(obj) in known else None

    return SharingPickler(stream, HIGHEST_PROTOCOL)


def _unpickler(stream: IO[bytes], known: Mapping[int, object]) -> Unpickler:
    from pickle import Unpickler

    class SharingUnpickler(Unpickler):
        def persistent_load(self, pid: int) -> object:
            return known[pid]

    return SharingUnpickler(stream)
