"""Fields of policies: which ones are set, and their values with their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject, Model, camel_case
from ingress_lint.routes.sourced import Origin, Sourced

Value = TypeVar("Value")
_TARGETING: Final = frozenset({"targetRef", "targetRefs", "targetSelectors", "mergeType"})


class Block(Struct, frozen=True):
    """A part of a policy, and where it stands."""

    body: Model
    place: Place

    @classmethod
    def spec(cls, policy: AnyObject) -> Block:
        """All that a policy says."""
        return cls(policy.body.spec, policy.at("spec"))

    def block(self, *path: str) -> Block | None:
        """A part of it, by the names of the model's fields; None where nobody wrote it."""
        body: Any = self.body
        for step in path:
            body = getattr(body, step)
            if body is None:
                return None
        return Block(body, self.place.at(*map(camel_case, path)))

    def value(self, name: str, read: Callable[[Any], Value | None]) -> Sourced[Value] | None:
        """One of its fields, read by `read`; None where nobody wrote it or it cannot be read."""
        written = getattr(self.body, name)
        value = None if written is None else read(written)
        return None if value is None else Sourced(value, Origin.EXPLICIT, self.place.at(camel_case(name)))


def first_written(
    blocks: Iterable[Block], path: tuple[str, ...], read: Callable[[Any], Value | None]
) -> Sourced[Value] | None:
    """A field of the first of several policies that has it."""
    *parents, name = path
    for block in blocks:
        inner = block.block(*parents)
        if inner is not None and (found := inner.value(name, read)) is not None:
            return found
    return None


def settings(policy: AnyObject, *block: str) -> frozenset[str]:
    """The fields of its `spec`, or of a block of it, that a policy sets, beside those that say what it is for."""
    written = policy.mapping("spec", *block)
    return frozenset(name for name, value in written.items() if value is not None) - _TARGETING
