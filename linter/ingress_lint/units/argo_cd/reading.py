"""Reads what objects hold, which may be anything."""

from __future__ import annotations

from typing import Any


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """The mapping some keys down, empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: Any, key: str) -> str:
    """The text at a key, empty where there is none. Numbers are taken as they are written, as for a revision."""
    found = value.get(key) if isinstance(value, dict) else None
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def items(value: Any, *keys: str) -> list[Any]:
    """The list some keys down, empty where there is none."""
    found = mapping(value, *keys[:-1]).get(keys[-1])
    return found if isinstance(found, list) else []


def patched(value: Any, patch: Any) -> Any:
    """A value with a JSON merge patch (RFC 7386) applied."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), item)
    return result


def completed(value: Any, base: Any) -> Any:
    """A value whose empty fields are those of `base`, at all depths of mappings."""
    if isinstance(value, dict) and isinstance(base, dict):
        return {key: completed(value.get(key), base.get(key)) for key in (*base, *(k for k in value if k not in base))}
    return value or base
