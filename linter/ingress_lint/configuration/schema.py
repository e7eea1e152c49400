"""The JSON Schema of the configuration, and what does not fit it, in words that name what would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from ingress_lint.configuration.settings import Config
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.controllers.shared.implementations import IMPLEMENTATIONS
from ingress_lint.load.document import Pointer
from ingress_lint.values.patterns import deferred
from ingress_lint.values.spelling import close_matches

Schema = Mapping[str, Any]
_ID: Final = "https://raw.githubusercontent.com/ingress-lint/ingress-lint/main/docs/ingress-lint.schema.json"
_TYPES: Final[Mapping[str, tuple[type[Any], str]]] = {
    "object": (dict, "a mapping of settings"),
    "array": (list, "a list"),
    "string": (str, "text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
    "null": (type(None), "nothing"),
}


@cache
def schema() -> Schema:
    """The JSON Schema of the configuration. A controller is named, or described by what its installation sets."""
    found = msgspec.json.schema(Config)
    definitions = found["$defs"]
    controllers = {"enum": [None, *sorted(REGISTRY)]}
    for name in (Config.__name__, "Cluster"):
        held = definitions[name]["properties"]["controller"]
        definitions[name]["properties"]["controller"] = {"description": held["description"], **controllers}
    installed = definitions["Installed"]
    serving = (name for name, found in REGISTRY.items() if found.class_names or not found.balancer_prefixes)
    served_by = {"enum": sorted({*serving, *(found.name for found in IMPLEMENTATIONS)})}
    installed["properties"]["name"] |= served_by
    installed["properties"]["name"].pop("type")
    definitions["Installed"] = {"anyOf": [{"type": "string", **served_by}, installed]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        "title": "Configuration of ingress-lint",
        **found,
    }


def faults(value: Any) -> Iterator[tuple[Pointer, str]]:
    """Where a configuration does not fit, and what would."""
    return _faults(value, schema(), ())


def _faults(value: Any, expected: Schema, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    expected = _resolved(expected)
    if "anyOf" in expected:
        yield from _of_alternatives(value, [_resolved(one) for one in expected["anyOf"]], pointer)
    elif "enum" in expected:
        if value not in expected["enum"]:
            yield pointer, _instead(value, expected["enum"])
    elif not _is_of_type(value, expected):
        yield pointer, f"this must be {_form(expected)}"
    elif isinstance(value, dict):
        yield from _of_mapping(value, expected, pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, expected["items"], (*pointer, index))
    elif value == "" and "minLength" in expected:
        yield pointer, "this must not be empty"
    elif isinstance(value, str) and not deferred(expected.get("pattern", "")).search(value):
        example = next(iter(expected.get("examples", ())), "")
        yield pointer, f"`{value}` cannot be taken" + (f"; write it such as `{example}`" if example else "")


def _of_mapping(value: Mapping[Any, Any], expected: Schema, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    known, others = expected.get("properties", {}), expected.get("additionalProperties")
    meant = []
    for key, item in value.items():
        inner = (*pointer, key)
        if key in known:
            yield from _faults(item, known[key], inner)
        elif isinstance(others, dict):
            yield from _faults(item, others, inner)
        else:
            near = close_matches(str(key), known, 1)
            meant += near
            hint = f"did you mean `{near[0]}`?" if near else f"here may stand {_listed(list(known), 'and')}"
            yield inner, f"there is no such setting; {hint}"
    for name in expected.get("required", ()):
        if name not in value and name not in meant:
            yield pointer, f"the setting `{name}` is missing"


def _of_alternatives(value: Any, forms: Sequence[Schema], pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    """What is wrong with a value that may have one of several forms: as the one that its type tells is meant."""
    fitting = [form for form in forms if _is_of_type(value, form)]
    if not fitting:
        named = [form for form in forms if form.get("type") != "null"]
        yield pointer, f"this must be {' or '.join(_form(form) for form in named)}"
        return
    found = [list(_faults(value, form, pointer)) for form in fitting]
    if all(found):
        yield from found[0]


def _resolved(expected: Schema) -> Schema:
    reference = expected.get("$ref")
    if reference is None:
        return expected
    found: Schema = schema()["$defs"][reference.rpartition("/")[2]]
    return found


def _is_of_type(value: Any, expected: Schema) -> bool:
    if "type" not in expected:
        return value in expected.get("enum", (value,)) or isinstance(value, str)
    kind = _TYPES[expected["type"]][0]
    return isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)


def _form(expected: Schema) -> str:
    if "enum" in expected:
        return _listed(expected["enum"])
    text = _TYPES[expected["type"]][1]
    example = next(iter(expected.get("examples", ())), None)
    return f"{text} such as `{example}`" if isinstance(example, str) else text


def _instead(value: Any, legal: Sequence[Any]) -> str:
    """What a setting may be that is none of these."""
    near = close_matches(value, [text for text in legal if text], 1) if isinstance(value, str) else []
    meant = f"did you mean `{near[0]}`? It" if near else "it"
    return f"`{value}` is none of its values; {meant} must be {_listed(legal)}"


def _listed(values: Sequence[Any], last: str = "or") -> str:
    *others, final = [f"`{value}`" for value in values if value is not None]
    return f"{', '.join(others)} {last} {final}" if others else final
