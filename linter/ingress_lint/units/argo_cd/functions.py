"""The functions of Go templates that ApplicationSets may call and whose results are plain.

As Masterminds/sprig and Go's text/template define them; `normalize` is Argo CD's own
(argoproj/argo-cd:applicationset/utils/template_functions.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ingress_lint.values.numbers import integer
from ingress_lint.values.patterns import deferred

_NOT_IN_NAMES: Final = deferred(r"[^-a-z0-9.]")
_LONGEST_NAME: Final = 253
_VERB: Final = deferred(r"%(?:%|[-+# 0-9.]*[a-zA-Z])")
LONGEST: Final = 100_000
"""How long a text may get."""
_LARGE: Final = 1e21
"""From here on Go prints a number with its exponent."""


class TemplateError(Exception):
    """A template that cannot be filled in; the message says why."""


def printed(value: Any) -> str:
    """A scalar as Go's `%v` has it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGE:
        return f"{value:.0f}"
    return str(value)


def shown(value: Any) -> str:
    """A value as Go prints it in a template."""
    if isinstance(value, dict | list):
        raise TemplateError("it prints a whole list or mapping")
    return "<no value>" if value is None else printed(value)


def is_true(value: Any) -> bool:
    """Whether a condition holds for a value: anything but false, nothing, 0 and what is empty."""
    return bool(value)


def field_of(value: Any, name: str, *, strict: bool) -> Any:
    """The field of a mapping; None where it has none, which `strict` refuses."""
    if not isinstance(value, Mapping):
        raise TemplateError(f"nothing has a field `{name}` there")
    if name not in value:
        if strict:
            raise TemplateError(f"no parameter `{name}` is set")
        return None
    return value[name]


def normalized(name: str) -> str:
    """A text as a DNS name may be."""
    return _NOT_IN_NAMES.sub("-", name.lower())[:_LONGEST_NAME].strip("-.")


def _text(value: Any) -> str:
    return "" if value is None else shown(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, list):
            if not 0 <= key < len(value):
                raise ValueError
            value = value[key]
        else:
            value = field_of(value, key, strict=False)
    return value


def _default(given: Any, *value: Any) -> Any:
    return value[0] if value and value[0] else given


def _equal(first: Any, *others: Any) -> bool:
    return any(type(first) is type(other) and first == other for other in others)


def _and(*values: Any) -> Any:
    return next((value for value in values if not is_true(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if is_true(value)), values[-1])


def _has_key(value: Any, key: Any) -> bool:
    return isinstance(value, dict) and key in value


def _dig(*arguments: Any) -> Any:
    *keys, default, value = arguments
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return default
        value = value[key]
    return value


def _get(value: Any, key: str) -> Any:
    return value.get(key, "")


def _indented(spaces: int, text: str) -> str:
    if spaces > 100 or len(text) > LONGEST:
        raise ValueError
    return "\n".join(" " * spaces + line for line in text.split("\n"))


def _formatted(pattern: str, *values: Any) -> str:
    given = iter(values)

    def one(verb: re.Match[str]) -> str:
        if verb[0] == "%%":
            return "%"
        if verb[0] not in ("%s", "%d", "%v"):
            raise ValueError
        return shown(next(given))

    try:
        return _VERB.sub(one, pattern)
    except (StopIteration, RuntimeError):
        raise ValueError from None


def _replaced(old: str, new: str, text: str) -> str:
    if len(new) * text.count(old) + len(text) > LONGEST:
        raise ValueError
    return text.replace(old, new)


def _truncated(length: int, text: str) -> str:
    return text[:length] if length >= 0 else text[length:]


def _as_yaml(value: Any) -> str:
    """As JSON, which YAML's readers take too."""
    return json.dumps(value, default=str)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "and": _and,
    "coalesce": lambda *values: next((value for value in values if value), None),
    "contains": lambda part, text: _text(part) in _text(text),
    "default": _default,
    "dig": _dig,
    "empty": lambda value: not value,
    "eq": _equal,
    "first": lambda values: values[0] if values else None,
    "get": _get,
    "hasKey": _has_key,
    "hasPrefix": lambda start, text: _text(text).startswith(_text(start)),
    "hasSuffix": lambda end, text: _text(text).endswith(_text(end)),
    "indent": lambda spaces, text: _indented(spaces, _text(text)),
    "index": _index,
    "int": lambda value: integer(_text(value)) or 0,
    "join": lambda between, values: between.join(map(_text, values)),
    "last": lambda values: values[-1] if values else None,
    "len": len,
    "list": lambda *values: list(values),
    "lower": lambda text: _text(text).lower(),
    "ne": lambda first, second: not _equal(first, second),
    "nindent": lambda spaces, text: "\n" + _indented(spaces, _text(text)),
    "normalize": lambda text: normalized(_text(text)),
    "not": lambda value: not is_true(value),
    "or": _or,
    "printf": _formatted,
    "quote": lambda *values: " ".join(json.dumps(_text(value)) for value in values if value is not None),
    "replace": lambda old, new, text: _replaced(old, new, _text(text)),
    "splitList": lambda between, text: _text(text).split(between),
    "squote": lambda *values: " ".join(f"'{_text(value)}'" for value in values if value is not None),
    "ternary": lambda yes, no, holds: yes if holds else no,
    "toJson": _as_yaml,
    "toString": _text,
    "toYaml": _as_yaml,
    "trim": lambda text: _text(text).strip(),
    "trimPrefix": lambda start, text: _text(text).removeprefix(start),
    "trimSuffix": lambda end, text: _text(text).removesuffix(end),
    "trunc": lambda length, text: _truncated(length, _text(text)),
    "upper": lambda text: _text(text).upper(),
}
"""By their names in a template; they raise Python's own errors for what they do not take."""
