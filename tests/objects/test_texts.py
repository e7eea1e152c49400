"""What stands where Kubernetes takes nothing but text."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.objects.texts import not_text

POD = {
    "metadata": {"labels": {"a": 1, "b": "1"}, "annotations": {"c": None}},
    "spec": {"nodeSelector": {"d": True}},
}


@pytest.mark.parametrize("pointer", [(), ("spec", "template"), ("spec", "jobTemplate", "spec", "template")])
def test_labels_annotations_and_node_selectors_are_looked_at(pointer: tuple[str, ...]) -> None:
    value: Any = POD
    for step in reversed(pointer):
        value = {step: value}
    assert not_text(value) == (
        (*pointer, "metadata", "labels", "a"),
        (*pointer, "metadata", "annotations", "c"),
        (*pointer, "spec", "nodeSelector", "d"),
    )


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"selector": {"app": 1}}, ("spec", "selector", "app")),
        ({"selector": {"matchLabels": {"app": 1}}}, ("spec", "selector", "matchLabels", "app")),
        ({"podSelector": {"matchLabels": {"app": []}}}, ("spec", "podSelector", "matchLabels", "app")),
    ],
)
def test_selectors_are_looked_at(spec: Any, found: tuple[str, ...]) -> None:
    assert not_text({"spec": spec}) == (found,)


def test_only_what_every_object_has_is_looked_at_in_unknown_kinds() -> None:
    value = {**POD, "spec": {"selector": {"app": 1}, "nodeSelector": {"d": True}, "template": POD}}
    assert not_text(value, known=False) == (("metadata", "labels", "a"), ("metadata", "annotations", "c"))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"metadata": None, "spec": []},
        {"metadata": {"labels": ["a"], "annotations": "b"}, "spec": {"selector": 1, "template": None}},
        {"spec": {"selector": {"matchExpressions": [{"key": "app"}]}, "jobTemplate": {"spec": 1}}},
        {"spec": {"podSelector": {"app": 1}}},
    ],
)
def test_what_has_another_form_is_passed_over(value: Any) -> None:
    assert not_text(value) == ()
