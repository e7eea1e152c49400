"""pydantic's errors as sentences about Kubernetes manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.load.document import Pointer
from ingress_lint.objects.model import Model, fields_of
from ingress_lint.values.numbers import whole
from ingress_lint.values.spelling import close_matches

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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
_STAND_INS: Final = {"pathType": "ImplementationSpecific"}
"""What a missing required field is taken for, so that the rest can still be read."""
_WORDS_FOR: Final = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
REFUSED: Final = "; the API server refuses the object"


class _Nothing:
    """Marks a field that is to be left out."""


LEFT_OUT: Final = _Nothing()


class SchemaError(Struct, frozen=True):
    """One field that does not fit. An empty message is for a value that Kubernetes reads as absent.

    So that the rest of the object can be read, `instead` is put at `repair`, or what is there is left out.
    """

    pointer: Pointer
    message: str
    repair: Pointer
    at_key: bool = False
    fix: str = ""
    instead: Any = LEFT_OUT
    absent: Pointer = ()
    """The field that is lacking, where one is."""
    near: str = ""
    """The field that an unknown one was most likely meant to be."""


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


def explain(model: type[Model], value: Any, errors: Iterable[ErrorDetails]) -> list[SchemaError]:
    """Each fault of a validation once, deepest list items last first, so that leaving one out keeps the others' place."""
    faults: dict[tuple[Pointer, str], SchemaError] = {}
    for detail in errors:
        location: Pointer = detail["loc"]
        kind: str = detail["type"]
        in_union = bool(location) and location[-1] in _UNION_MEMBERS and _get(value, location, _ABSENT) is _ABSENT
        if in_union:
            location = location[:-1]
        fault = _fault(model, value, location, kind, detail.get("ctx", {}), in_union)
        faults.setdefault((location, "missing" if kind == "missing" else ""), fault)
    for (location, which), fault in list(faults.items()):
        meant = (*location[:-1], fault.near), "missing"
        if fault.near and not which and meant in faults:
            del faults[meant]
            renamed = dict(_get(value, location[:-1]))
            renamed[fault.near] = renamed.pop(location[-1])
            faults[location, which] = replace(fault, repair=location[:-1], instead=renamed)
    return sorted(faults.values(), key=lambda fault: [_sort_key(step) for step in fault.repair], reverse=True)


def _sort_key(step: str | int) -> tuple[int, int, str]:
    return (0, step, "") if isinstance(step, int) else (1, 0, step)


def _fault(
    model: type[Model], value: Any, location: Pointer, kind: str, context: dict[str, Any], in_union: bool
) -> SchemaError:
    if not location:
        return SchemaError(location, f"this object cannot be read{REFUSED}", location)
    field, parent = str(location[-1]), name_of(location[:-1])
    found = _get(value, location)
    if kind == "extra_forbidden":
        return _unknown_field(model, location)
    if kind == "missing":
        message = f"the required field `{field}` is missing in {parent}{REFUSED}"
        if field in _STAND_INS:
            return SchemaError(
                location[:-1], message, location, fix=f"add `{field}`", instead=_STAND_INS[field], absent=location
            )
        return SchemaError(location[:-1], message, location[:-1], fix=f"add `{field}`", absent=location)
    if kind == "literal_error":
        return _no_such_value(location, str(context["expected"]).replace("'", ""), found)
    if found is None and isinstance(location[-1], int):  # JSON's null in a list is read as the empty value
        return SchemaError(location, "", location, instead="" if kind == "string_type" else {})
    shown = f"`{field}`" if isinstance(location[-1], str) else f"an item of {parent}"
    if in_union:
        expected = "a port number or name" if "ort" in field else "a number or text"
    elif kind in ("greater_than_equal", "less_than_equal"):
        expected = "a port from 1 to 65535" if "ort" in field or field == "number" else "a number in range"
    else:
        expected = _EXPECTED.get(kind, "a value of another form")
    message = f"{shown} must be {expected}, and this is {describe(found)}{REFUSED}"
    fix, instead = _meant(kind, found)
    return SchemaError(location, message, location, fix=fix, instead=instead)


def _meant(kind: str, found: Any) -> tuple[str, Any]:
    """How to repair a value of the wrong type, and the value that somebody meant by it."""
    number = whole(found.strip()) if isinstance(found, str) and len(found) < 10 else None
    if kind.startswith("int") and number is not None:
        return f"write {found.strip()} without quotes", number
    if kind == "bool_type" and isinstance(found, str) and found.lower() in _WORDS_FOR:
        return f"write {as_text(_WORDS_FOR[found.lower()])} without quotes", _WORDS_FOR[found.lower()]
    if kind == "string_type" and isinstance(found, (bool, int, float)):
        return "put it in quotes", as_text(found)
    return "", LEFT_OUT


def _unknown_field(model: type[Model], location: Pointer) -> SchemaError:
    field = str(location[-1])
    near = close_matches(field, sorted(_fields(_model_at(model, location[:-1]))), 1, 0.7)
    hint = _MOVED.get(field) or (f"did you mean `{near[0]}`?" if near else "")
    message = f"{name_of(location[:-1])} has no field `{field}`, so kubectl refuses the object, and what accepts it drops the field"
    fix = f"rename it to `{near[0]}`" if near and field not in _MOVED else ""
    message = f"{message}; {hint}" if hint else message
    return SchemaError(location, message, location, at_key=True, fix=fix, near=near[0] if fix else "")


def _no_such_value(location: Pointer, expected: str, found: Any) -> SchemaError:
    if found == "":
        return SchemaError(location, "", location)  # Kubernetes reads empty text as its default
    words = [word for word in expected.replace(" or ", ", ").split(", ") if word]
    expected = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    near = next((word for word in words if isinstance(found, str) and word.lower() == found.lower()), None)
    message = f"`{location[-1]}` must be {expected}, and this is {describe(found)}{REFUSED}"
    return SchemaError(
        location, message, location, fix=f"write `{near}`" if near else "", instead=near if near else LEFT_OUT
    )


def name_of(pointer: Pointer) -> str:
    """A part of an object as messages call it."""
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
    for field in fields_of(model) if model else ():
        yield field.encode_name


def _model_at(model: type[Model], pointer: Pointer) -> type[Model] | None:
    """The model that reads what `pointer` leads to."""
    current: type[Model] | None = model
    for step in pointer:
        if isinstance(step, int) or current is None:
            continue
        field = next((field for field in fields_of(current) if field.encode_name == step), None)
        current = _first_model(field.type) if field else None
    return current


def _first_model(annotation: Any) -> type[Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _first_model(argument))), None)
