"""What is looked for in kustomizations: one field of a built object, and what may have set it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ingress_lint.build.following import ABSENT
from ingress_lint.build.source_place import Certainty
from ingress_lint.load.document import Place, Pointer
from ingress_lint.values.expressions import compiled


class Setter(Struct, frozen=True):
    """A place that may have set a field, with the value that it gives it."""

    place: Place
    value: Any
    certainty: Certainty = "exact"


class Sought(Struct, frozen=True):
    """A field of a built object, of which `group` is the API group, `name` the name, and `first_name` the one in its source."""

    built: dict[str, Any]
    pointer: Pointer
    value: Any
    kind: str
    group: str
    name: str
    first_name: str

    def is_selected(self, selector: Any) -> bool:
        """Whether a `target` or `select` may mean the object: kind, group and name, which are expressions; labels aside."""
        if not isinstance(selector, dict):
            return False
        return (
            _fits(selector.get("kind"), (self.kind,))
            and _fits(selector.get("group"), (self.group,))
            and (self.is_named(selector.get("name")) or _fits(selector.get("name"), (self.name, self.first_name)))
        )

    def is_named(self, name: Any) -> bool:
        """Whether the object may have had this name, on the way from its first one to its last."""
        return isinstance(name, str) and self.first_name in name and name in self.name


def same(value: Any, other: Any) -> bool:
    """Whether two values are one and the same in an object; kustomize makes text of labels and data."""
    if value == other and isinstance(value, bool) == isinstance(other, bool):
        return True
    scalar = not isinstance(value, dict | list) and not isinstance(other, dict | list)
    return scalar and value is not ABSENT and other is not ABSENT and str(value) == str(other)


def _fits(wanted: Any, given: tuple[str, ...]) -> bool:
    if not isinstance(wanted, str) or not wanted or wanted in given:
        return True
    expression = compiled(wanted)
    return expression is None or any(expression.fits(text) is not False for text in given)
