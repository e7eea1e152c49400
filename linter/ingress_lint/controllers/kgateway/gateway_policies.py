"""Which TrafficPolicies of kgateway clash.

Those for one target are merged; where several set one field of `spec`, only the oldest one's counts, as it does of a policy
nearer to the route (kgateway-dev/kgateway.dev:content/docs/about/policies/trafficpolicy.md, Policy priority and merging
rules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.targets import Claims, Terms, written_claims
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import KgatewayPolicy
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Verdict


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        policies: Iterator[AnyObject] = graph.of(KgatewayPolicy)
        self._claims = Claims(claim for policy in policies for claim in written_claims(policy, policy.body.spec))

    def verdicts(self) -> list[Verdict]:
        """The policies that lose a field to an older one."""
        terms = Terms("kgateway", lambda _: "requests are treated as the other one says", _fields, merged=True)
        return [*self._claims.conflicts(terms)]


def _fields(policy: AnyObject) -> Mapping[str, object]:
    return {name: policy.written("spec", name) for name in settings(policy)}
