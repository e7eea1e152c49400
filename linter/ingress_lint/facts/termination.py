"""How a pod ends: how long it has, and what its containers do before they are told to.

The grace period starts when the pod is deleted, at the same time as everybody else is told that it goes. The preStop
hook runs first and within it, then the container gets SIGTERM; when the period is over what is left is killed, after a
hook that took all of it 2 s later (kubernetes/website:content/en/docs/concepts/workloads/pods/pod-lifecycle.md).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.values.durations import sleep_time
from ingress_lint.values.patterns import deferred

DEFAULT_GRACE: Final = 30
"""The grace period in seconds where nobody wrote one."""
_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh", "busybox"})
_SCRIPT: Final = deferred(r"-[a-z]*c")
_SLEEP: Final = deferred(r"\bsleep\s+[\"']?([0-9]+(?:\.[0-9]+)?[smh]?)[\"']?(?![\w.]|\s*&(?!&))")
_ALTERNATIVE: Final = deferred(r"\|\|[^;&\n]*")
_BRANCH: Final = deferred(r"\b(?:if|while|until|for|case|exit)\b")


class GracePeriod(Struct, frozen=True):
    """How long a pod has to end, in seconds."""

    seconds: int
    place: Place
    written: bool
    """Whether somebody wrote it; it is the default otherwise."""

    def __str__(self) -> str:
        return f"{self.seconds} s" if self.written else f"{self.seconds} s, by default"


class PreStop(Struct, frozen=True):
    """What a container does before it is told to end."""

    seconds: float
    """How long it sleeps at least; 0 where no pause is known, as of a script or a request."""
    place: Place
    by_kubelet: bool = False
    """Whether it is the `sleep` action, which the API server compares with the grace period."""
    lost: str = ""
    """The time that it is meant to sleep and does not: `sh -c sleep 30` runs `sleep` alone, with 30 for the name of the
    shell, and fails."""


def grace_period(workload: Workload) -> GracePeriod:
    """How long the pods of a workload have."""
    written = workload.pod.termination_grace_period_seconds
    if written is not None:
        place = workload.object.at(*workload.spec_pointer, "terminationGracePeriodSeconds")
        return GracePeriod(written, place, written=True)
    return GracePeriod(DEFAULT_GRACE, workload.object.at(*workload.spec_pointer), written=False)


def pre_stop(container: WorkloadContainer) -> PreStop | None:
    """A container's preStop hook, None where it has none."""
    lifecycle = container.container.lifecycle
    handler = lifecycle.pre_stop if lifecycle else None
    if handler is None:
        return None
    place = container.at("lifecycle", "preStop")
    if handler.sleep is not None:
        return PreStop(handler.sleep.seconds, place.at("sleep", "seconds"), by_kubelet=True)
    if handler.exec is not None:
        slept, lost = _slept(handler.exec.command)
        return PreStop(slept, place.at("exec", "command"), lost=lost)
    return PreStop(0, place)


@lru_cache(256)
def _slept(command: tuple[str, ...]) -> tuple[float, str]:
    """For how many seconds a command sleeps whatever happens, as what follows a branch may not be reached; and `lost`.

    Most containers share a few commands.
    """
    text = " ".join(command)
    if command and command[0].rpartition("/")[2] in _SHELLS:
        start = next((index for index, flag in enumerate(command) if _SCRIPT.fullmatch(flag)), len(command))
        text, *names = command[start + 1 :] or ("",)
        if text.strip() == "sleep" and names and sleep_time(names[0]) is not None:
            return 0, names[0]
    elif not command or command[0].rpartition("/")[2] != "sleep":
        return 0, ""
    branch = _BRANCH.search(text)
    certain = _ALTERNATIVE.sub("", text[: branch.start()] if branch else text)
    return sum(sleep_time(text) or 0.0 for text in _SLEEP.findall(certain)), ""
