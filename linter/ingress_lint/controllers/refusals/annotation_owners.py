"""Whose an annotation key is, and which key was meant where its prefix is misspelt."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from ingress_lint.controllers.registry import REGISTRY, Registration
from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope
from ingress_lint.values.spelling import close_matches


class Owner(Struct, frozen=True, eq=False):
    """A table of annotations, and the controller that reads them."""

    controller: str
    title: str
    table: AnnotationTable
    of_load_balancers: bool
    """Whether its annotations are of Services that are load balancers themselves."""


class _Shelf(NamedTuple):
    """Where a table of annotations is to be had: a controller's own, or that of its load balancers for Services."""

    registered: Registration
    of_load_balancers: bool


class AnnotationOwners:
    """The tables of all controllers, each loaded when a key may be one of its."""

    def __init__(self) -> None:
        self._by_prefix: defaultdict[str, list[_Shelf]] = defaultdict(list)
        self._all_prefixes: set[str] = set()
        for registered in REGISTRY.values():
            for prefix in registered.prefixes:
                self._by_prefix[prefix].append(_Shelf(registered, of_load_balancers=False))
            if not registered.shares_balancer_prefixes:
                for prefix in registered.balancer_prefixes:
                    self._by_prefix[prefix].append(_Shelf(registered, of_load_balancers=True))
            self._all_prefixes |= {*registered.prefixes, *registered.shared_prefixes, *registered.balancer_prefixes}
        self._prefixes = sorted(self._by_prefix)
        self._shared = self._all_prefixes - set(self._prefixes)
        self._owners: dict[AnnotationTable, Owner] = {}
        self._of: dict[str, Owner | None] = {}
        self._near: dict[str, str | None] = {}

    def of(self, full_key: str) -> Owner | None:
        """The one whose prefix a key has, whether it knows the key or not."""
        if full_key not in self._of:
            shelves = self._by_prefix.get(full_key.partition("/")[0], ())
            owners = (owner for shelf in shelves if (owner := self._taken(shelf)) is not None)
            self._of[full_key] = next((owner for owner in owners if owner.table.covers(full_key)), None)
        return self._of[full_key]

    def _taken(self, shelf: _Shelf) -> Owner | None:
        """The owner of the table on a shelf; tables that two controllers read are the first one's."""
        controller = shelf.registered.controller
        table = controller.service_annotations if shelf.of_load_balancers else controller.annotations
        if table is None or not table.specs:
            return None
        if table not in self._owners:
            self._owners[table] = Owner(controller.name, controller.title, table, shelf.of_load_balancers)
        return self._owners[table]

    @cached_property
    def _everybody(self) -> tuple[Owner, ...]:
        """The owners of all tables."""
        shelves = (_Shelf(registered, which) for registered in REGISTRY.values() for which in (False, True))
        return tuple({owner.table: owner for shelf in shelves if (owner := self._taken(shelf)) is not None}.values())

    def readers(self, owner: Owner) -> set[str]:
        """The controllers that read a table."""
        return {
            registered.name
            for registered in REGISTRY.values()
            if not {*registered.prefixes, *registered.balancer_prefixes}.isdisjoint(owner.table.prefixes)
            and owner.table in (registered.controller.annotations, registered.controller.service_annotations)
        }

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
                for owner in self._everybody
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
                for owner in self._everybody
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
            self._near[prefix] = next(iter(close_matches(prefix, self._prefixes, 1, 0.9)), None)
        near = self._near.get(prefix)
        meant = f"{near}/{key}" if near else "" if slash else self._with_slash(full_key)
        found = self.knowing(meant) if meant else None
        return (found[0], meant) if found and scope in found[1].scopes else None

    def _with_slash(self, text: str) -> str:
        """A key that has another character where the slash belongs."""
        prefix = next((found for found in self._prefixes if text.startswith(found) and text[len(found) :]), "")
        return f"{prefix}/{text[len(prefix) + 1 :]}" if prefix else ""
