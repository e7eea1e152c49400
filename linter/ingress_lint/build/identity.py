"""What tells the objects of one build apart."""

from __future__ import annotations

from typing import Any, NamedTuple


class Identity(NamedTuple):
    """What tells the objects of one build apart."""

    api_version: str
    kind: str
    namespace: str
    name: str


def identity_of(value: dict[str, Any]) -> Identity:
    """What tells an object apart from others."""
    metadata = mapping(value, "metadata")
    return Identity(
        str(value.get("apiVersion", "")),
        str(value.get("kind", "")),
        str(metadata.get("namespace", "")),
        str(metadata.get("name", "")),
    )


def group_of(value: dict[str, Any] | str) -> str:
    """The API group of an object or of its `apiVersion`; empty for the core group."""
    version = value if isinstance(value, str) else str(value.get("apiVersion", ""))
    return version.rpartition("/")[0]


def mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping at a key, empty where there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}
