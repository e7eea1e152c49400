"""What is known about a set beyond its own objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from msgspec import Struct, field

from ingress_lint.objects.definitions import Definition
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.units.configured import Declared
from ingress_lint.units.gathered import Gathered

Assumption = Literal["complete", "partial", "auto"]
Elsewhere = Mapping[GroupKind, Mapping[tuple[str, str], str]]
"""For each kind the namespace and name of objects, each with the name of a unit that holds it."""


class Unchecked(Struct, frozen=True):
    """A unit that puts objects into the set and was not looked at."""

    unit: str
    """Its name."""
    release: str = ""
    """The name of the release that it is, by which charts call what they make; empty where it is none."""


def _is_of(release: str, name: str) -> bool:
    """Whether an object's name is that of a release, or begins with it, as charts name theirs (helm create, `fullname`)."""
    return name == release or name.startswith(f"{release}-")


class SetContext(Struct, frozen=True):
    """What is known about a set beyond its own objects."""

    assume: Assumption = "auto"
    unparsed: tuple[str, ...] = ()
    """The files of the set that did not parse; what they hold is unknown."""
    encrypted: tuple[str, ...] = ()
    """The files of the set that are encrypted as a whole, as those with Secrets are."""
    elsewhere: Elsewhere = field(default_factory=dict)
    """The objects of all units of the run, those of the set among them."""
    externals: frozenset[tuple[str, str, str]] = frozenset()
    """Objects declared to exist elsewhere, by kind (whatever its group), namespace and name."""
    incomplete: str = ""
    """Why the set's build holds more than its files show, empty where it does not."""
    unchecked: Mapping[str | None, Sequence[Unchecked]] = field(default_factory=dict)
    """The namespaces into which units of the set put objects that were not looked at, with these; None where it may be any."""
    releases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By namespace, the names of the releases of the set that were looked at."""
    generated: frozenset[tuple[GroupKind, str]] = frozenset()
    """Kind and name of the objects that the set's build generates."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The time at which certificates must be valid."""
    custom_groups: frozenset[str] = frozenset()
    """The API groups of custom resources that the set's unparsed documents define or use."""
    definitions: tuple[Definition, ...] = ()
    """The definitions of the Gateway API that the set installs."""
    built: bool = False
    """Whether the set is made of builds, rather than of files that happen to lie together."""
    controllers: Mapping[str, Declared] = field(default_factory=dict)
    """Who serves classes of Ingresses and Gateways, by what the user says."""

    gathered: Gathered | None = None
    """Which of its files have to do with one another, where nobody knows why they lie together."""
    deployed: bool = False
    """Whether what the set's GitOps objects deploy is known: it is units, of which those not looked at are `unchecked`."""

    def unchecked_in(self, namespace: str, name: str | None = None) -> str:
        """The name of a unit that was not looked at and may put objects into a namespace (empty: what lives in none).

        With a name, one that may make an object of that name: what is called by a release that was looked at is made by no
        release of another name, nor by what is only not known to put nothing there.
        """
        if not namespace:
            return next((one.unit for one in chain(*self.unchecked.values())), "")
        here, anywhere = self.unchecked.get(namespace, ()), self.unchecked.get(None, ())
        if name is None or not any(_is_of(release, name) for release in self.releases.get(namespace, ())):
            return next((one.unit for one in (*here, *anywhere)), "")
        return next((one.unit for one in here if not one.release or _is_of(one.release, name)), "")
