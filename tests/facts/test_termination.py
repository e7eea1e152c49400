"""How long pods have to end, and how long their hooks take of it."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.facts.termination import grace_period, pre_stop
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.objects.reading import ObjectReader


def _workload(hook: dict[str, Any] | None = None, **spec: Any) -> Workload:
    lifecycle = {} if hook is None else {"lifecycle": {"preStop": hook}}
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {**spec, "containers": [{"name": "web", "image": "example.com/web:1", **lifecycle}]},
    }
    document = Document(SourceFile("test.yaml", ""), 0, 0, 0, "Pod", value, parsed=True)
    (workload,) = ObjectGraph(ObjectReader().read([document])).workloads
    return workload


def test_grace_period() -> None:
    assert str(grace_period(_workload())) == "30 s, by default"
    assert str(grace_period(_workload(terminationGracePeriodSeconds=5))) == "5 s"


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (["sleep", "5"], 5),
        (["/bin/sleep", "1.5m"], 90),
        (["sh", "-c", "sleep 5; sleep 10s && nginx -s quit"], 15),
        (["/bin/bash", "-ec", "touch /tmp/leaving || true\nsleep '20'\n"], 20),
        (["sh", "-c", "while true; do sleep 5; done"], 0),
        (["sh", "-c", "sleep 3; until pgrep x; do sleep 5; done"], 3),
        (["sh", "-c", "quit || sleep 60"], 0),
        (["sh", "-c", "sleep 60 & quit"], 0),
        (["sh", "-c", "sleep $DELAY"], 0),
        (["sh", "-c", "sleep", "30"], 0),
        (["sh", "-c", "sleeping 30"], 0),
        (["/drain", "sleep", "30"], 0),
        ([], 0),
    ],
)
def test_a_command_sleeps(command: list[str], seconds: float) -> None:
    hook = pre_stop(_workload({"exec": {"command": command}}).containers[0])
    assert hook is not None
    assert hook.seconds == seconds
    assert not hook.by_kubelet


def test_a_time_that_the_shell_does_not_pass_on() -> None:
    for command in (["sh", "-c", "sleep", "30"], ["/bin/bash", "-ec", "sleep", "1.5m"]):
        hook = pre_stop(_workload({"exec": {"command": command}}).containers[0])
        assert hook is not None
        assert (hook.seconds, hook.lost) == (0, command[3])
    for command in (
        ["sh", "-c", "sleep 30"],
        ["sh", "-c", "sleep $1", "sleep", "30"],
        ["sh", "-c", "sleep", "quit"],
        ["sh"],
    ):
        hook = pre_stop(_workload({"exec": {"command": command}}).containers[0])
        assert hook is not None
        assert not hook.lost


def test_other_hooks() -> None:
    assert pre_stop(_workload().containers[0]) is None
    asked = pre_stop(_workload({"httpGet": {"path": "/drain", "port": 80}}).containers[0])
    assert asked is not None
    assert asked.seconds == 0
    slept = pre_stop(_workload({"sleep": {"seconds": 7}}).containers[0])
    assert slept is not None
    assert (slept.seconds, slept.by_kubelet) == (7, True)
    assert slept.place.pointer[-1] == "seconds"
