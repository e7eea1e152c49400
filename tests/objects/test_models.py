"""The models of objects: what msgspec refuses has a fault in words, and what it accepts has none."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingress_lint.load.files import Found
from ingress_lint.load.loading import Loader
from ingress_lint.objects.error_models import errors_of
from ingress_lint.objects.gateway import GatewayListener
from ingress_lint.objects.kinds import _KINDS, LEGACY_INGRESS_VERSIONS, model_of, wanted
from ingress_lint.objects.kong import LegacyUnhealthyTarget
from ingress_lint.objects.model import Model, fields_of
from ingress_lint.objects.schema_messages import explain
from tests.conftest import FIXTURES

CASES = os.environ.get("INGRESS_LINT_CASES")
FOLDERS = [FIXTURES, *([Path(CASES) / "charts"] if CASES else [])]
VERSIONS = {
    ("extensions", "Ingress"): sorted(LEGACY_INGRESS_VERSIONS),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): ["gateway.networking.k8s.io/v1alpha2"],
}
KINDS = [
    (version, kind)
    for group, kind in _KINDS
    for version in [f"{group}/v1" if group else "v1", *VERSIONS.get((group, kind), ())]
]
SCALARS = [
    *(None, True, False, 0, 1, 80, 301, 65535, 65536, -1, 2**31, 2**63, 2**64, 2**70, -(2**70), 10**400),
    *(0.5, 1.0, 301.0, 1e300, float("inf"), float("nan")),
    *("", "80", "true", "text", "Exact", "GET", "5s", "5s\n", "é" * 300),
]
VALUES = [*SCALARS, [], {}, [None], [[]], [{}], [1, "a"], ["a", None], {"a": None}, {"a": 1}, {"a": {"b": []}}]
NEW = st.sampled_from(VALUES) | st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def fits(model: type[Model], value: Any) -> bool:
    try:
        msgspec.convert(value, model)
    except msgspec.ValidationError:
        return False
    return True


def check_that_both_agree(model: type[Model], value: Any) -> None:
    faults = errors_of(model, value)
    assert fits(model, value) is not bool(faults)
    assert bool(explain(model, value, faults)) is bool(faults)


def pointers(value: Any, pointer: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield pointer
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from pointers(item, (*pointer, step))


def changed(value: Any, pointer: tuple[str | int, ...], new: Any) -> Any:
    if not pointer:
        return new
    value = parent = deepcopy(value)
    for step in pointer[:-1]:
        parent = parent[step]
    parent[pointer[-1]] = new
    return value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        items = value.get("items")
        if isinstance(items, list):
            for item in items:
                yield from objects(item)
        yield value


@cache
def manifests() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The distinct objects of all manifests, by version and kind."""
    loader = Loader(wanted)
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.yaml")) if folder.is_dir() else [folder]:
            loader.read(Found.at(os.fspath(path)))
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for document in loader.loaded.documents:
        for value in objects(document.value):
            version, kind = value.get("apiVersion"), value.get("kind")
            if isinstance(version, str) and isinstance(kind, str) and model_of(version, kind) is not None:
                text = json.dumps({key: item for key, item in value.items() if key != "metadata"}, default=str)
                if len(text) < 20_000:
                    found.setdefault((version, kind), {})[text] = value
    return {key: list(values.values()) for key, values in found.items()}


def test_the_manifests_hold_most_kinds() -> None:
    held = {(version.rpartition("/")[0], kind) for version, kind in manifests()}
    assert len(held & set(_KINDS)) > 0.6 * len(_KINDS)


def test_both_agree_on_every_manifest() -> None:
    for (version, kind), values in manifests().items():
        model = model_of(version, kind)
        assert model is not None
        for value in values:
            check_that_both_agree(model, value)


def test_both_agree_on_every_manifest_with_one_value_changed() -> None:
    chance = random.Random(0)
    for (version, kind), values in manifests().items():
        model = model_of(version, kind)
        assert model is not None
        for value in chance.sample(values, min(len(values), 20)):
            for pointer in chance.sample([*pointers(value)], min(len([*pointers(value)]), 12)):
                check_that_both_agree(model, changed(value, pointer, chance.choice(VALUES)))


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_both_agree_on_a_manifest_with_several_values_changed(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(manifests())))
    model, value = model_of(*key), data.draw(st.sampled_from(manifests()[key]))
    assert model is not None
    for _ in range(data.draw(st.integers(1, 3))):
        value = changed(value, data.draw(st.sampled_from([*pointers(value)])), data.draw(NEW))
    check_that_both_agree(model, value)


def parts(type_: Any) -> Iterator[type[Model]]:
    if isinstance(type_, type) and issubclass(type_, Model):
        yield type_
    for argument in getattr(type_, "__args__", ()):
        yield from parts(argument)


def models_within(model: type[Model]) -> set[type[Model]]:
    found, waiting = {model}, [model]
    while waiting:
        new = {part for field in fields_of(waiting.pop()) for part in parts(field.type)} - found
        found |= new
        waiting += new
    return found


def smallest(type_: Any) -> Any:
    """A value that fits a type, with nothing in it that need not be."""
    if isinstance(type_, type) and issubclass(type_, Model):
        return {field.encode_name: smallest(field.type) for field in fields_of(type_) if field.required}
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Literal:
        return arguments[0]
    if origin in (Annotated, Union, UnionType):
        return smallest(arguments[0])
    return {str: "text", int: 80, tuple: []}[origin or type_]


@pytest.mark.parametrize(("version", "kind"), KINDS, ids=str)
def test_both_agree_on_every_field_with_every_value(version: str, kind: str) -> None:
    top = model_of(version, kind)
    assert top is not None
    for model in models_within(top):
        required = smallest(model)
        assert not errors_of(model, required)
        for field in fields_of(model):
            for value in VALUES:
                check_that_both_agree(model, {**required, field.encode_name: value})
                check_that_both_agree(model, {**required, field.encode_name: [value]})
                check_that_both_agree(model, {**required, field.encode_name: {"a": value}})
        check_that_both_agree(model, {**required, "noSuchField": 1})
        check_that_both_agree(model, [])


def test_fields_keep_the_order_in_which_they_are_defined() -> None:
    names = [field.encode_name for field in fields_of(GatewayListener)]
    assert names == ["name", "hostname", "port", "protocol", "tls", "allowedRoutes"]
    names = [field.encode_name for field in fields_of(LegacyUnhealthyTarget)]
    assert names == ["http_statuses", "http_failures", "tcp_failures", "timeouts", "interval"]


def test_a_model_cannot_be_changed() -> None:
    listener = GatewayListener(name="web", port=80, protocol="HTTP")
    with pytest.raises(AttributeError):
        listener.port = 81  # type: ignore[misc]
