"""What an object tells of how it is written, whatever stands there."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.load.document import Document, SourceFile
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.reading import ObjectReader


def read(**fields: Any) -> AnyObject:
    value = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "web"}, **fields}
    document = Document(SourceFile("a.yaml", ""), 0, 0, 0, value={"apiVersion": "v1", "kind": "List", "items": [value]})
    (item,) = ObjectReader().read([document])
    return item


@pytest.mark.parametrize("spec", [None, "text", [], 5, {}, {"target": None}, {"target": []}, {"target": {"name": 5}}])
def test_what_is_not_there_is_empty(spec: Any) -> None:
    item = read(spec=spec)
    assert item.text("spec", "target", "name") == ""
    assert item.mapping("spec", "target", "name") == {}


def test_what_is_there_is_told_as_it_is_written() -> None:
    item = read(spec={"target": {"name": "shop", "ports": [80]}})
    assert item.text("spec", "target", "name") == "shop"
    assert item.mapping("spec", "target") == {"name": "shop", "ports": [80]}


def test_metadata_tells_who_named_and_made_it() -> None:
    item = read()
    assert (item.names_itself, item.names_namespace, item.created) == (True, False, "")
    item = read(metadata={"generateName": "web-", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"})
    assert (item.names_itself, item.names_namespace, item.created) == (False, True, "2026-01-01T00:00:00Z")


def test_two_objects_say_the_same_by_their_values() -> None:
    assert read(spec={"a": [1]}).says_the_same(read(spec={"a": [1]}))
    assert not read(spec={"a": [1]}).says_the_same(read(spec={"a": [2]}))
