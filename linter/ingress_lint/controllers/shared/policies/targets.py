"""What policies are for, and which counts where several of one kind are for one thing.

The Gateway API gives a target to the oldest policy, of those created together to the first by namespace and name
(kubernetes-sigs/gateway-api:geps/gep-713, conflict resolution). Whether policies of one target hold together depends on
the controller: it says what each of them sets, and two clash where they set one thing to different values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway_policies import PolicyTarget, PolicyTargets
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.matching import age
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_PARTS: Final = {"Gateway": "listener", "ListenerSet": "listener", "XListenerSet": "listener", "Service": "port"}


class Claim(Struct, frozen=True):
    """A policy, and one of the things that it is for: an object, a part of one by name, or a host."""

    policy: AnyObject
    target: PolicyTarget
    place: Place
    named_by: str = ""
    """The field of `place` that names the target, where it is not `name` or `sectionName`."""

    @property
    def key(self) -> tuple[str, ...]:
        """What is claimed, and for which kind of policy; policies are for things of their own namespace."""
        target = self.target
        return (self.policy.kind, self.policy.namespace, target.kind, target.name, target.section_name or "")

    @property
    def naming(self) -> Place:
        """Where the target, or the part of it, is named."""
        return self.place.at(self.named_by or ("sectionName" if self.target.section_name else "name"))

    def __str__(self) -> str:
        target = self.target
        whole = f"{target.kind} `{target.name}`"
        if not target.section_name:
            return whole
        return f"{_PARTS.get(target.kind, 'rule')} `{target.section_name}` of {whole}"


def written_claims(policy: AnyObject, targets: PolicyTargets) -> Iterator[Claim]:
    """What a policy names, one by one."""
    if targets.target_ref is not None:
        yield Claim(policy, targets.target_ref, policy.at("spec", "targetRef"))
    for index, target in enumerate(targets.target_refs):
        yield Claim(policy, target, policy.at("spec", "targetRefs", index))


class Terms(Struct, frozen=True):
    """How a controller, `by` its name, has policies share a target."""

    by: str
    consequence: Callable[[AnyObject], str]
    """What clients see of a policy that loses."""
    sets: Callable[[AnyObject], Mapping[str, object]] = lambda policy: {"": policy}
    """What a policy sets of which a target can have but one, and to what; its whole self unless told otherwise."""
    merged: bool = False
    """Whether a policy that loses something keeps the rest."""
    undecided: bool = False
    """Whether nothing says which one counts."""


class Claims:
    """The claims of the policies of one API, for each target the oldest policy's first."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        found: defaultdict[tuple[str, ...], dict[AnyObject, Claim]] = defaultdict(dict)
        for claim in sorted(claims, key=lambda claim: age(claim.policy)):
            found[claim.key].setdefault(claim.policy, claim)
        self._by_target: Mapping[tuple[str, ...], dict[AnyObject, Claim]] = found

    def of(self, kind: str, namespace: str, target: tuple[str, str], section: str = "") -> tuple[Claim, ...]:
        """The claims on a target, the one that counts first; `target` is a kind and a name, `section` a part of it."""
        return tuple(self._by_target.get((kind, namespace, *target, section), {}).values())

    def conflicts(self, terms: Terms) -> Iterator[Verdict]:
        """The policies that lose what they set to an older one."""
        for rivals in self._by_target.values():
            taken: dict[str, tuple[Claim, object]] = {}
            for claim in rivals.values():
                wanted = terms.sets(claim.policy)
                clash = sorted(name for name, value in wanted.items() if name in taken and taken[name][1] != value)
                if clash:
                    yield _conflict(claim, taken[clash[0]][0], clash, terms)
                if not clash or terms.merged:
                    taken = {**{name: (claim, value) for name, value in wanted.items()}, **taken}


def no_such_target(graph: ObjectGraph, claim: Claim, consequence: str) -> Verdict | None:
    """Why a policy is for nothing: its namespace has no such object."""
    policy, target = claim.policy, claim.target
    existence = graph.resolve(GroupKind(target.group, target.kind), policy.namespace, target.name).existence
    if existence not in (Existence.MISSING, Existence.PARTIAL):
        return None
    return Verdict(
        Reason.TARGET_NOT_FOUND,
        policy,
        claim.place.at("name"),
        f"{policy.kind} `{policy.name}` is for {target.kind} `{target.name}`, which namespace `{policy.namespace}` does "
        f"not have; it has no effect, and {consequence}",
        Certainty.of_missing(existence),
        fix=f"name a {target.kind} of the policy's own namespace",
    )


def _conflict(loser: Claim, winner: Claim, clash: list[str], terms: Terms) -> Verdict:
    kind, name, other = loser.policy.kind, loser.policy.name, winner.policy.name
    both = f"{kind} `{other}` and `{name}` are both for {loser}"
    contested = ", ".join(f"`{field}`" for field in clash if field)
    if contested:
        both += f" and both set {contested}"
    if terms.undecided:
        outcome = "takes one of them, in no order that anybody could tell"
    else:
        outcome = (
            f"takes `{other}`, the older one"
            if winner.policy.created != loser.policy.created
            else f"takes the one created first, of those created together the first by name (`{other}`)"
        )
        outcome += f": {contested} of `{name}` does not count" if terms.merged else f": `{name}` does not count"
    return Verdict(
        Reason.CONFLICTED,
        loser.policy,
        loser.naming,
        f"{both}; {terms.by} {outcome}, so that {terms.consequence(loser.policy)}",
        related=((f"{kind} `{other}`", winner.naming),),
        fix=f"write both into one {kind}, or give each a target of its own",
    )
