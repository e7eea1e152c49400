"""Which routes compete for the same requests, and which of them their controller prefers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ingress_lint.controllers.lowering.conducts import conduct_of
from ingress_lint.controllers.refusals.ingress_classes import CLASS_ANNOTATION
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, age
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin

_STREAMS: Final = frozenset({"TCP", "UDP", "TLS"})
_PLACED: Final = ("place", "backend", "login_place")
_GROUP_OF_EVERYTHING: Final = ("(.*)", ".*")
_SPECIAL: Final = frozenset("\\^$.|?*+()[]{}")


class Ground(NamedTuple):
    """What routes compete on: a listener of one gateway, load balancer or class, and a host."""

    controller: str
    gateway: str
    """Which one of that controller: the listener's instance, else the class of the object."""
    port: int
    protocol: str
    host: str


class Preference(NamedTuple):
    """Which of two candidates their controller prefers. `sure` unless only their age can tell."""

    winner: Candidate
    loser: Candidate
    reason: str
    """What the winner has, in words."""
    sure: bool

    @property
    def outcome(self) -> str:
        """Which of the two wins, as a sentence."""
        if not self.sure:
            return "the older of the two wins" if "older" in self.reason else "which of the two wins is open"
        owner = self.winner.route.owner
        return f"{owner.kind} `{owner.name}` wins ({self.reason})"


@once_per_graph
def grounds(_graph: ObjectGraph, routes: Iterable[Route]) -> Mapping[Ground, list[Candidate]]:
    """All routes of a graph that compete, by what they compete on; default backends compete with nobody."""
    found: defaultdict[Ground, list[Candidate]] = defaultdict(list)
    for position, route in enumerate(routes):
        if route.is_default or not route.listeners:
            continue
        class_name = _class_name(route.owner)
        for listener in route.listeners:
            if not listener.usable or (not route.matches and listener.protocol.value not in _STREAMS):
                continue
            for host in _hosts(route, listener):
                ground = Ground(
                    route.controller.value,
                    listener.instance or class_name,
                    listener.port.value,
                    listener.protocol.value,
                    host,
                )
                for offset, match in enumerate(route.matches or (None,)):
                    found[ground].append(Candidate(route, match, route.first_match + offset, host, listener, position))
    return found


def _hosts(route: Route, listener: Listener) -> list[str]:
    if route.hostnames:
        return [hostname.value.lower() for hostname in route.hostnames]
    return [listener.hostname.value.lower() if listener.hostname else ""]


def _class_name(owner: AnyObject) -> str:
    if isinstance(owner.body, Ingress | LegacyIngress):
        return owner.body.spec.ingress_class_name or owner.annotations.get(CLASS_ANNOTATION, "")
    return owner.group


def claim(candidate: Candidate) -> Hashable:
    """What a candidate asks of requests; two with the same claim want the very same ones."""
    match, priority = candidate.match, candidate.route.priority
    wanted = priority.value if priority is not None and priority.origin is Origin.EXPLICIT else None
    if match is None:
        return (wanted,)
    return (
        wanted,
        match.path.value,
        frozenset(match.headers),
        frozenset(match.query),
        match.method,
        match.grpc,
        match.condition,
    )


def preference(one: Candidate, other: Candidate) -> Preference:
    """Which of two that fit the same request gets it."""
    conduct = conduct_of(one.route)
    for criterion in conduct.precedence:
        mine, its = criterion.key(one), criterion.key(other)
        if mine == its:
            continue
        winner, loser = (one, other) if mine > its else (other, one)
        by_age = any("older" in earlier.words for earlier in _until(conduct, criterion))
        same_object = one.route.owner is other.route.owner
        if by_age and not same_object and not _dated(one, other):
            return Preference(winner, loser, "the older object", sure=False)
        return Preference(winner, loser, criterion.words, sure=True)
    return Preference(one, other, "", sure=False)


def _until(conduct: Conduct, last: Criterion) -> Iterable[Criterion]:
    for criterion in conduct.precedence:
        yield criterion
        if criterion is last:
            return


def _dated(one: Candidate, other: Candidate) -> bool:
    """Whether the manifests say which of two objects is older."""
    return age(one.route.owner)[0] != age(other.route.owner)[0]


def same_effect(one: Route, other: Route) -> bool:
    """Whether two routes do the same with a request, wherever that is written."""
    return _effect(one) == _effect(other)


def _effect(route: Route) -> tuple[Hashable, ...]:
    backends = sorted(
        (item.kind, item.namespace, item.name, str(item.port.value) if item.port else "", item.weight)
        for item in route.backends
    )
    steps = sorted(
        repr((type(step).__name__, *(getattr(step, name) for name in step.__struct_fields__ if name not in _PLACED)))
        for step in route.filters
    )
    return (*backends, *steps)


# -- what one match takes of another --------------------------------------------------------------------------------


class Takers:
    """The candidates of one ground, by the paths that they take."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._same: defaultdict[PathMatch, list[int]] = defaultdict(list)
        self._below: defaultdict[str, list[int]] = defaultdict(list)
        self._starting: defaultdict[str, list[int]] = defaultdict(list)
        for number, candidate in enumerate(candidates):
            if candidate.match is None:
                continue
            path = candidate.match.path.value
            self._same[path].append(number)
            if path.type is PathMatchType.PREFIX:
                self._below[path.value.rstrip("/")].append(number)
            elif (taken := _string_prefix(path)) is not None:
                self._starting[taken].append(number)
        self._lengths = {len(taken) for taken in self._starting}

    def of(self, narrow: Match) -> Iterator[Candidate]:
        """The candidates that surely take every request that fits a match, itself among them, in their order."""
        path = narrow.path.value
        head = _head(path)
        numbers = set(self._same.get(path, ()))
        for end in (*(index for index, char in enumerate(head) if char == "/"), len(head)):
            numbers.update(self._below.get(head[:end], ()))
        for length in self._lengths:
            numbers.update(self._starting.get(head[:length], ()))
        for number in sorted(numbers):
            wide = self._candidates[number]
            if wide.match is not None and covers(wide.match, narrow):
                yield wide


def covers(wide: Match, narrow: Match) -> bool:
    """Whether every request that fits `narrow` surely fits `wide`."""
    return (
        not wide.condition
        and wide.grpc is None
        and wide.method in (None, narrow.method)
        and set(wide.headers) <= set(narrow.headers)
        and set(wide.query) <= set(narrow.query)
        and _path_covers(wide.path.value, narrow.path.value)
    )


def _path_covers(wide: PathMatch, narrow: PathMatch) -> bool:
    if wide == narrow:
        return True
    if narrow.ignore_case and not wide.ignore_case and wide.value != "/":
        return False
    head = _head(narrow)
    if wide.type is PathMatchType.PREFIX:
        prefix = wide.value.rstrip("/")
        by_segments = narrow.type in (PathMatchType.EXACT, PathMatchType.PREFIX)
        return head.startswith(prefix + "/") or (head == prefix and by_segments)
    taken = _string_prefix(wide)
    return taken is not None and head.startswith(taken)


def _string_prefix(path: PathMatch) -> str | None:
    """The text such that every path which starts with it is matched; None where there is none that is known."""
    value = path.value
    if path.type is PathMatchType.STRING_PREFIX:
        return value
    if path.type is PathMatchType.GLOB and value.endswith("*"):
        value = value[:-1]
        return None if "*" in value or "?" in value else value
    if path.type is PathMatchType.REGULAR_EXPRESSION:
        if path.open_start and not value.startswith("^"):
            return None
        value = value.removeprefix("^")
        tail = next((tail for tail in _GROUP_OF_EVERYTHING if value.endswith(tail)), None)
        if tail is None and not path.open_end:
            return None
        value = value.removesuffix(tail or "")
        return value if _SPECIAL.isdisjoint(value) else None
    return None


def _head(path: PathMatch) -> str:
    """What every path that is matched starts with."""
    value = path.value
    if path.type is PathMatchType.PREFIX:
        return value.rstrip("/")
    if path.type is PathMatchType.GLOB:
        special = frozenset("*?")
    elif path.type is PathMatchType.REGULAR_EXPRESSION:
        if "|" in value or (path.open_start and not value.startswith("^")):
            return ""
        value, special = value.removeprefix("^"), _SPECIAL
    else:
        return value
    end = next((index for index, char in enumerate(value) if char in special), len(value))
    optional = end < len(value) and value[end] in "?*{" and path.type is PathMatchType.REGULAR_EXPRESSION
    return value[: end - 1] if optional and end else value[:end]
