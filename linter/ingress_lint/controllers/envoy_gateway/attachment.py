"""What Envoy Gateway's policies are for, which of several counts, and which a nearer one replaces.

Sources: envoyproxy/gateway:internal/gatewayapi/{backendtrafficpolicy,clienttrafficpolicy,securitypolicy,helpers}.go,
internal/gatewayapi/resource/resource.go (the order of policies); site: concepts/gateway_api_extensions. A target takes one
policy of a kind; another one is `Conflicted`. For a request the nearest policy counts, of the rule, the route, the
listener of a ListenerSet, the ListenerSet, the listener of the Gateway and the Gateway; the next one is `Overridden` as a
whole, unless the nearer one, of a route, has a `mergeType`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.targets import Claim, Claims, Terms, no_such_target, written_claims
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.objects.gateway import Gateway, ListenerSet
from ingress_lint.objects.gateway_policies import (
    BackendTrafficPolicy,
    ClientTrafficPolicy,
    EnvoyPolicy,
    PolicyTarget,
    PolicyTargets,
)
from ingress_lint.objects.gateway_routes import GRPCRoute, HTTPRoute, TCPRoute, TLSRoute, UDPRoute
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject, LabelSelector
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

BY: Final = "Envoy Gateway"
_SETTINGS: Final = "its timeouts, retries and health checks do not apply"
_LOST: Final = {
    "SecurityPolicy": "requests pass without the login and the limits that it asks for",
    "EnvoyExtensionPolicy": "requests pass without its extensions",
}
_LOGINS: Final = frozenset({"apiKeyAuth", "authorization", "basicAuth", "extAuth", "jwt", "oidc"})
"""The fields of a SecurityPolicy that decide who may pass."""
_SELECTABLE: Final = (Gateway, ListenerSet, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute)
KINDS: Final = ("BackendTrafficPolicy", "ClientTrafficPolicy", "SecurityPolicy", "EnvoyExtensionPolicy")
_SHOWN: Final = 3


class Attachments:
    """What the policies of one graph are for."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._refused: list[Verdict] = []
        self._claims = Claims(self._sound_claims())
        self._replaced: defaultdict[Claim, dict[Claim, frozenset[str]]] = defaultdict(dict)

    def policies(self) -> Iterator[AnyObject]:
        """All policies of these kinds."""
        return self._graph.of(BackendTrafficPolicy, ClientTrafficPolicy, EnvoyPolicy)

    def nearest(self, kind: str, facts: RouteFacts) -> tuple[AnyObject, ...]:
        """The policy of a kind for a rule; where it is merged, the one that it is merged with too."""
        chain = list(self._chain(kind, facts))
        merged = bool(chain) and bool(chain[0].policy.body.spec.merge_type)
        return tuple(claim.policy for claim in chain[: 2 if merged else 1])

    def note(self, facts: RouteFacts) -> None:
        """Notes which policies a rule is without, for `verdicts`, as a nearer one takes their place."""
        for kind in KINDS:
            for near, far in pairwise(self._chain(kind, facts)):
                lost = _unexpectedly_lost(near.policy, far.policy)
                if lost:
                    self._replaced[far][near] = lost

    def verdicts(self) -> list[Verdict]:
        """Policies for what does not exist, those that lose to an older one, and those that noted rules are without."""
        replaced = [_replacement(far, nearer) for far, nearer in self._replaced.items()]
        return [*self._refused, *self._claims.conflicts(_TERMS), *replaced]

    def _chain(self, kind: str, facts: RouteFacts) -> Iterator[Claim]:
        route, gateway = facts.owner, facts.gateway
        sets = [(declarer, name) for declarer, name in facts.listeners if declarer is not gateway]
        own = [(declarer, name) for declarer, name in facts.listeners if declarer is gateway]
        levels: tuple[Iterable[tuple[AnyObject, str]], ...] = (
            [(route, facts.rule_name)] if facts.rule_name else [],
            [(route, "")],
            sets,
            [(declarer, "") for declarer, _ in sets],
            own,
            [(gateway, "")] if gateway is not None else [],
        )
        seen: set[AnyObject] = set()
        for level in levels:
            firsts = (
                self._claims.of(kind, item.namespace, (item.kind, item.name), section)[:1] for item, section in level
            )
            found = next((claim for first in firsts for claim in first if claim.policy not in seen), None)
            if found is not None:
                seen.add(found.policy)
                yield found

    def _sound_claims(self) -> Iterator[Claim]:
        """The claims on what exists or may exist; the others are refused."""
        for policy in self.policies():
            targets: PolicyTargets = policy.body.spec
            for claim in (*written_claims(policy, targets), *self._selected(policy, targets)):
                refusal = no_such_target(self._graph, claim, _consequence(policy)) or self._no_such_section(claim)
                if refusal is not None:
                    self._refused.append(refusal)
                if refusal is None or refusal.certainty is Certainty.UNKNOWN:
                    yield claim

    def _selected(self, policy: AnyObject, targets: PolicyTargets) -> Iterator[Claim]:
        """The claims on what a policy selects by labels, in its own namespace."""
        for index, selector in enumerate(targets.target_selectors):
            labels = LabelSelector(match_labels=selector.match_labels, match_expressions=selector.match_expressions)
            place = policy.at("spec", "targetSelectors", index)
            for item in self._graph.of(*_SELECTABLE):
                if (item.kind, item.namespace) == (selector.kind, policy.namespace) and selects(labels, item.labels):
                    yield Claim(policy, PolicyTarget(group=item.group, kind=item.kind, name=item.name), place)

    def _no_such_section(self, claim: Claim) -> Verdict | None:
        """Why a policy is for no listener of a Gateway or ListenerSet, or for no rule of a route."""
        policy, target = claim.policy, claim.target
        found = self._graph.get(GroupKind(target.group, target.kind), policy.namespace, target.name)
        if target.section_name is None or found is None or found.body is None or found.broken:
            return None
        part = "listener" if isinstance(found.body, Gateway | ListenerSet) else "rule"
        known = [item.name for item in getattr(found.body.spec, f"{part}s", ())]
        if target.section_name in known:
            return None
        names = ", ".join(f"`{name}`" for name in known if name)
        return Verdict(
            Reason.TARGET_NOT_FOUND,
            policy,
            claim.place.at("sectionName"),
            f"{policy.kind} `{policy.name}` is for {claim}, "
            + (f"which has {names}" if names else f"whose {part}s have no names")
            + f"; it has no effect, and {_consequence(policy)}",
            related=((f"{target.kind} `{target.name}`", found.name_place),),
            fix=f"name a {part} that exists",
        )


_TERMS: Final = Terms(BY, lambda policy: _without(policy, settings(policy)))


def _consequence(policy: AnyObject) -> str:
    return _LOST.get(policy.kind, _SETTINGS)


def _unexpectedly_lost(near: AnyObject, far: AnyObject) -> frozenset[str]:
    """What a policy sets in vain as a nearer one is there, if that one seems meant to add to it.

    One that sets some of the same fields, or nothing at all, seems meant to take its place.
    """
    kept, wanted = settings(near), settings(far)
    if near.body.spec.merge_type or not kept:
        return frozenset()
    if near.kind == "SecurityPolicy" and wanted & _LOGINS and not kept & _LOGINS:
        return wanted - kept
    return wanted if kept.isdisjoint(wanted) else frozenset()


def _replacement(far: Claim, nearer: dict[Claim, frozenset[str]]) -> Verdict:
    policy = far.policy
    claims = list(nearer)
    there = ", ".join(f"for {claim} that is `{claim.policy.name}`" for claim in claims[:_SHOWN])
    more = f", and so on for {len(claims) - _SHOWN} more" if len(claims) > _SHOWN else ""
    lost = frozenset().union(*nearer.values())
    by_routes = policy.kind != "ClientTrafficPolicy" and all(claim.target.kind.endswith("Route") for claim in claims)
    repeat = f"set {_named(lost)} in the nearer policy too"
    return Verdict(
        Reason.OVERRIDDEN,
        policy,
        far.naming,
        f"{policy.kind} `{policy.name}` is for {far}, but {BY} takes only the policy nearest to a route: {there}{more}; "
        f"{_without(policy, lost)} there",
        related=tuple((f"{policy.kind} `{claim.policy.name}`", claim.naming) for claim in claims[:_SHOWN]),
        fix=f"set `mergeType: StrategicMerge` in the nearer policy, or {repeat}" if by_routes else repeat,
    )


def _without(policy: AnyObject, lost: frozenset[str]) -> str:
    """What clients see where some of what a policy sets does not count."""
    if policy.kind in _LOST:
        return f"requests pass without its {_named(lost)}"
    return f"its {_named(lost)} {'does' if len(lost) == 1 else 'do'} not apply"


def _named(fields: frozenset[str]) -> str:
    return ", ".join(f"`{field}`" for field in sorted(fields)) or "settings"
