"""Which TrafficPolicies of kgateway clash, and what its DirectResponses answer.

Those for one target are merged; where several set one field of `spec`, only the oldest one's counts, as it does of a policy
nearer to the route (kgateway-dev/kgateway.dev:content/docs/about/policies/trafficpolicy.md, Policy priority and merging
rules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.targets import Claims, Terms, written_claims
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import DirectResponse, KgatewayPolicy
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.filters import ExtensionFilter, FixedResponse
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.verdicts import Verdict


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        policies: Iterator[AnyObject] = graph.of(KgatewayPolicy)
        self._claims = Claims(claim for policy in policies for claim in written_claims(policy, policy.body.spec))

    def extended(self, route: Route) -> Route:
        """A rule with the answers of the DirectResponses that it names."""
        return replace(route, filters=tuple(self._answer(step, route) for step in route.filters))

    def _answer(self, step: Filter, route: Route) -> Filter:
        if not isinstance(step, ExtensionFilter) or step.kind != "DirectResponse":
            return step
        found = self._graph.named(DirectResponse, route.owner.namespace, step.name)
        return FixedResponse(found.at("spec", "status"), found.body.spec.status) if found is not None else step

    def verdicts(self) -> list[Verdict]:
        """The policies that lose a field to an older one."""
        terms = Terms("kgateway", lambda _: "requests are treated as the other one says", _fields, merged=True)
        return [*self._claims.conflicts(terms)]


def _fields(policy: AnyObject) -> Mapping[str, object]:
    return {name: policy.written("spec", name) for name in settings(policy)}
