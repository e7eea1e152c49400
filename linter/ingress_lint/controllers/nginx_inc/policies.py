"""The Policies that a VirtualServer, or a route of it, names.

docs.nginx.com, policy-resource, "Invalid policies": a Policy that is missing, or whose Secret is, makes nginx answer 500. Of
several with one of `_SINGLE` in one list the first counts and the others are ignored, with all that they say
(nginx/kubernetes-ingress:internal/configs/policy.go, "will be ignored").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ingress_lint.controllers.nginx_inc.listeners import GROUP
from ingress_lint.controllers.nginx_inc.refusals import rejections
from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SECRET, GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.nginx_inc import Policy, PolicyReference
from ingress_lint.routes.model import Attachment
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Reason, Verdict

_POLICY: Final = GroupKind(GROUP, "Policy")
_SINGLE: Final = frozenset(
    {"apiKey", "basicAuth", "cache", "egressMTLS", "externalAuth", "hsts", "ingressMTLS", "jwt", "oidc", "waf"}
)


class NamedPolicies:
    """The Policies that `owner` names in one list at `place`."""

    def __init__(
        self, graph: ObjectGraph, owner: AnyObject, references: Sequence[PolicyReference], place: Place
    ) -> None:
        self._graph = graph
        self._owner = owner
        self._references = references
        self._place = place
        self.verdicts: list[Verdict] = []
        """What is wrong with the list."""
        self._ignored: set[int] = set()
        self._find_ignored()

    @property
    def attached(self) -> Iterator[Attachment]:
        """The Policies, and the Secrets of those that count."""
        for index, reference in enumerate(self._references):
            namespace = self._namespace(reference)
            found = self._graph.resolve(_POLICY, namespace, reference.name)
            at = self._place.at(index, "name")
            yield Attachment(at, _POLICY, namespace, reference.name, found, "clients get 500")
            policy = self._policy(reference)
            if policy is not None and index not in self._ignored:
                for field, name in policy.body.spec.secrets:
                    found = self._graph.resolve(SECRET, namespace, name)
                    yield Attachment(policy.at("spec", *field), SECRET, namespace, name, found, "clients get 500")

    @property
    def allowed(self) -> tuple[Sourced[str], ...]:
        """The addresses that Policies of access control let in."""
        found = []
        for reference in self._references:
            policy = self._policy(reference)
            control = policy.body.spec.access_control if policy is not None else None
            if policy is not None and control is not None:
                place = policy.at("spec", "accessControl", "allow")
                found += [Sourced(item, Origin.EXPLICIT, place.at(index)) for index, item in enumerate(control.allow)]
        return tuple(found)

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """What F5 NGINX rejects of the Policies."""
        named = (self._policy(reference) for reference in self._references)
        return tuple(refusal for policy in named if policy is not None for refusal in rejections(policy))

    def _find_ignored(self) -> None:
        first: dict[str, tuple[AnyObject, Place]] = {}
        for index, reference in enumerate(self._references):
            policy = self._policy(reference)
            if policy is None:
                continue
            place = self._place.at(index, "name")
            for field in sorted(settings(policy) & _SINGLE):
                counts, where = first.setdefault(field, (policy, place))
                if where is not place:
                    self._ignored.add(index)
                if counts is not policy:
                    self.verdicts.append(self._conflict(policy, place, field, counts, where))

    def _conflict(self, policy: AnyObject, place: Place, field: str, counts: AnyObject, where: Place) -> Verdict:
        owner = f"{self._owner.kind} `{self._owner.name}`"
        return Verdict(
            Reason.CONFLICTED,
            self._owner,
            place,
            f"{owner} names Policies `{counts.name}` and `{policy.name}` in one place and both have `{field}`; F5 NGINX "
            f"takes the first that is named: `{policy.name}` does not count, so that requests pass without its `{field}`",
            related=((f"Policy `{counts.name}`", where), (f"Policy `{policy.name}`", policy.at("spec", field))),
            fix="name one of them",
        )

    def _namespace(self, reference: PolicyReference) -> str:
        return reference.namespace or self._owner.namespace

    def _policy(self, reference: PolicyReference) -> KubernetesObject[Policy] | None:
        return self._graph.named(Policy, self._namespace(reference), reference.name)
