"""pydantic's errors as sentences about Kubernetes manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import ValidationError

from ingress_lint.load.document import Pointer
from ingress_lint.objects.model import Model

_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_ABSENT: Final = object()
_UNION_MEMBERS: Final = frozenset({"int", "str", "constrained-int", "constrained-str"})
_MOVED: Final = {
    "serviceName": "since networking.k8s.io/v1 it is `service.name`",
    "servicePort": "since networking.k8s.io/v1 it is `service.port.number` or `service.port.name`",
    "backend": "since networking.k8s.io/v1 it is `defaultBackend`",
}


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One field that does not fit. `leave_out` is what to drop so that the rest of the object can be read."""

    pointer: Pointer
    message: str
    leave_out: Pointer
    at_key: bool = False
    fix: str = ""


def as_text(value: Any) -> str:
    """The text somebody meant by an unquoted scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def describe(value: Any) -> str:
    """A value in words: `the text "80"`, `the number 80`, `a list`."""
    match value:
        case bool():
            return f"the boolean {as_text(value)}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'the text "{value if len(value) <= 40 else value[:37] + "..."}"'
        case None:
            return "empty"
        case list():
            return "a list"
        case _:
            return "a mapping"


def explain(model: type[Model], value: Any, error: ValidationError) -> list[SchemaError]:
    """Each fault of a validation once, deepest list items last first, so that leaving one out keeps the others' place."""
    faults: dict[Pointer, SchemaError] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        location: Pointer = detail["loc"]
        kind: str = detail["type"]
        in_union = bool(location) and location[-1] in _UNION_MEMBERS and _get(value, location, _ABSENT) is _ABSENT
        if in_union:
            location = location[:-1]
        fault = _fault(model, value, location, kind, detail.get("ctx", {}), in_union)
        faults.setdefault(fault.pointer if not fault.message.startswith("the required") else location, fault)
    return sorted(faults.values(), key=lambda fault: [_sort_key(step) for step in fault.leave_out], reverse=True)


def _sort_key(step: str | int) -> tuple[int, int, str]:
    return (0, step, "") if isinstance(step, int) else (1, 0, step)


def _fault(
    model: type[Model], value: Any, location: Pointer, kind: str, context: dict[str, Any], in_union: bool
) -> SchemaError:
    field, parent = location[-1], _name(location[:-1])
    found = _get(value, location)
    if kind == "extra_forbidden":
        known = sorted(_fields(_model_at(model, location[:-1])))
        near = get_close_matches(str(field), known, 1, 0.7)
        hint = _MOVED.get(str(field)) if not near or str(field) in _MOVED else f"did you mean `{near[0]}`?"
        message = f"{parent} has no field `{field}`" + (f"; {hint}" if hint else "")
        return SchemaError(location, message, location, at_key=True, fix=f"rename it to `{near[0]}`" if near else "")
    if kind == "missing":
        message = f"the required field `{field}` is missing in {parent}"
        return SchemaError(location[:-1], message, location[:-1])
    if in_union:
        expected = "a port number or name" if "ort" in str(field) else "a number or text"
    elif kind == "literal_error":
        return SchemaError(
            location,
            f"`{field}` must be {str(context['expected']).replace(chr(39), '')}, and this is {describe(found)}",
            location,
        )
    elif kind in ("greater_than_equal", "less_than_equal"):
        expected = "a port from 1 to 65535" if "ort" in str(field) else "a number in range"
    else:
        expected = _EXPECTED.get(kind, "a value of another form")
    hint = ""
    if kind.startswith("int") and isinstance(found, str) and found.isdigit():
        hint = f"write {found} without quotes"
    elif kind == "string_type" and not isinstance(found, (dict, list)) and found is not None:
        hint = "put it in quotes"
    return SchemaError(location, f"`{field}` must be {expected}, and this is {describe(found)}", location, fix=hint)


def _name(pointer: Pointer) -> str:
    text = ""
    for step in pointer:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return f"`{text}`" if text else "this object"


def _get(value: Any, pointer: Pointer, default: Any = None) -> Any:
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return default
    return value


def _fields(model: type[Model] | None) -> Iterator[str]:
    for name, field in (model.model_fields if model else {}).items():
        yield field.alias or name


def _model_at(model: type[Model], pointer: Pointer) -> type[Model] | None:
    """The model that reads what `pointer` leads to."""
    current: type[Model] | None = model
    for step in pointer:
        if isinstance(step, int) or current is None:
            continue
        field = next((f for name, f in current.model_fields.items() if (f.alias or name) == step), None)
        current = _first_model(field.annotation) if field else None
    return current


def _first_model(annotation: Any) -> type[Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _first_model(argument))), None)
