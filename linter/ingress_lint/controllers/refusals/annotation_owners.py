"""Whose an annotation key is, and which key was meant where its prefix is misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope
from ingress_lint.controllers.shared.base import Controller


class Owner(Struct, frozen=True, eq=False):
    """A table of annotations, and the controller that reads them."""

    controller: str
    title: str
    table: AnnotationTable
    of_load_balancers: bool
    """Whether its annotations are of Services that are load balancers themselves."""


class AnnotationOwners:
    """The tables of all controllers."""

    def __init__(self, controllers: Iterable[Controller]) -> None:
        tables: dict[AnnotationTable, Owner] = {}
        for controller in controllers:
            for table in (controller.annotations, controller.service_annotations):
                if table is not None and table.specs and table not in tables:
                    apart = table is not controller.annotations
                    tables[table] = Owner(controller.name, controller.title, table, apart)
        self._owners = tuple(tables.values())
        self._prefixes = sorted({prefix for owner in self._owners for prefix in owner.table.own_prefixes})
        self._all_prefixes = {prefix for owner in self._owners for prefix in owner.table.prefixes}
        self._shared = self._all_prefixes - set(self._prefixes)
        self._of: dict[str, Owner | None] = {}
        self._near: dict[str, str | None] = {}

    def of(self, full_key: str) -> Owner | None:
        """The one whose prefix a key has, whether it knows the key or not."""
        if full_key not in self._of:
            self._of[full_key] = next((owner for owner in self._owners if owner.table.covers(full_key)), None)
        return self._of[full_key]

    def knowing(self, full_key: str) -> tuple[Owner, AnnotationSpec] | None:
        """The one that knows a key, and what it knows."""
        owner = self.of(full_key)
        spec = owner.table.spec(full_key) if owner else None
        return (owner, spec) if owner and spec else None

    def having(self, key: str, other: AnnotationTable, scope: Scope) -> Owner | None:
        """One with another table that knows a key of this name on such an object."""
        return next(
            (
                owner
                for owner in self._owners
                if owner.table is not other
                and (spec := owner.table.specs.get(key)) is not None
                and scope in spec.scopes
                and not spec.dropped
            ),
            None,
        )

    def sharing(self, full_key: str, other: AnnotationTable, scope: Scope) -> Owner | None:
        """One with another table that reads a key under a prefix which several read."""
        if not self.shares(full_key.partition("/")[0]):
            return None
        return next(
            (
                owner
                for owner in self._owners
                if owner.table is not other and (spec := owner.table.spec(full_key)) and scope in spec.scopes
            ),
            None,
        )

    def shares(self, prefix: str) -> bool:
        """Whether several read, or once read, annotations of a prefix."""
        return prefix in self._shared

    def meant(self, full_key: str, scope: Scope) -> tuple[Owner, str] | None:
        """Whose known key was meant by one whose prefix nobody reads."""
        prefix, slash, key = full_key.partition("/")
        if prefix in self._all_prefixes or not (slash or len(prefix) > len("nginx.org")):
            return None
        if slash and prefix not in self._near:
            self._near[prefix] = next(iter(get_close_matches(prefix, self._prefixes, 1, 0.9)), None)
        near = self._near.get(prefix)
        meant = f"{near}/{key}" if near else "" if slash else self._with_slash(full_key)
        found = self.knowing(meant) if meant else None
        return (found[0], meant) if found and scope in found[1].scopes else None

    def _with_slash(self, text: str) -> str:
        """A key that has another character where the slash belongs."""
        prefix = next((found for found in self._prefixes if text.startswith(found) and text[len(found) :]), "")
        return f"{prefix}/{text[len(prefix) + 1 :]}" if prefix else ""
