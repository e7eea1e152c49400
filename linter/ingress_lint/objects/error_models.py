"""pydantic's models of objects, derived from msgspec's, which say of an object that does not fit where it does not.

msgspec reads objects and stops at the first fault. The models here accept the same objects and name every fault. No
other module of this stage imports pydantic, and this one is imported only when an object does not fit, as it takes
longer than all the rest.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import Meta
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, create_model
from pydantic_core import ErrorDetails

from ingress_lint.objects.model import Model, fields_of

_LIMITS: Final = ("ge", "le", "min_length", "max_length", "pattern")


def errors_of(model: type[Model], value: Any) -> list[ErrorDetails]:
    """Every way in which a value does not fit, in pydantic's words; none where it fits."""
    try:
        _derived(model).model_validate(value)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=True, include_input=False)
    return []


@cache
def _derived(model: type[Model]) -> type[BaseModel]:
    closed = model.__struct_config__.forbid_unknown_fields
    fields: dict[str, Any] = {
        field.name: (_derived_type(field.type), Field(... if field.required else None, alias=field.encode_name))
        for field in fields_of(model)
    }
    config = ConfigDict(strict=True, extra="forbid" if closed else "ignore", regex_engine="python-re")
    return create_model(model.__name__, __config__=config, **fields)


def _derived_type(type_: Any) -> Any:
    """A field's type with pydantic's models and constraints in the place of msgspec's."""
    if isinstance(type_, type) and issubclass(type_, Model):
        return _derived(type_)
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        inner, *constraints = arguments
        limits = [_limits(constraint) for constraint in constraints if isinstance(constraint, Meta)]
        return Annotated[(_derived_type(inner), *limits)]
    if origin is tuple:
        return Annotated[GenericAlias(tuple, (_derived_type(arguments[0]), ...)), Strict(False)]
    if origin is dict:
        return GenericAlias(dict, tuple(map(_derived_type, arguments)))
    if origin in (Union, UnionType):
        return reduce(or_, map(_derived_type, arguments))
    if origin is Literal and not all(isinstance(value, str) for value in arguments):
        return Annotated[type_, BeforeValidator(_no_number_but_whole)]
    return type_


def _limits(constraint: Meta) -> Any:
    limits: dict[str, Any] = {name: getattr(constraint, name) for name in _LIMITS}
    return Field(**{name: limit for name, limit in limits.items() if limit is not None})


def _no_number_but_whole(value: Any) -> Any:
    """Keeps pydantic from taking `true` for 1 and 301.0 for 301, which is what Python holds for equal."""
    return None if isinstance(value, (bool, float)) else value
