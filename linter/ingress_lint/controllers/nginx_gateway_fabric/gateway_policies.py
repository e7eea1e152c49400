"""Which policies of NGINX Gateway Fabric clash.

Policies of one kind for one target hold together unless both set one field; the younger is refused then, with all that it
sets (nginx/nginx-gateway-fabric:internal/controller/state/graph/policies.go, markConflictedPolicies;
internal/controller/nginx/config/policies/*/validator.go, Conflicts). SnippetsPolicies and WAFPolicies never clash. A
policy for a route adds to one for its Gateway, field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.targets import Claims, Terms, written_claims
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import NginxPolicy
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Verdict

_BLOCKS: Final[Mapping[str, tuple[str, ...]]] = {
    "ClientSettingsPolicy": ("body", "keepAlive"),
    "ObservabilityPolicy": (),
    "ProxySettingsPolicy": ("buffering", "timeout"),
    "RateLimitPolicy": ("rateLimit",),
    "UpstreamSettingsPolicy": ("keepAlive",),
}
"""By kind of policy, the fields of its `spec` whose own fields are compared one by one."""
_ADDED: Final = frozenset({"rateLimit.local"})
"""Fields that policies add to one another's."""


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        policies: Iterator[AnyObject] = graph.of(NginxPolicy)
        self._claims = Claims(claim for policy in policies for claim in written_claims(policy, policy.body.spec))

    def verdicts(self) -> list[Verdict]:
        """The policies that are refused as they set what an older one sets."""
        return [
            *self._claims.conflicts(Terms("NGINX Gateway Fabric", lambda _: "nothing that it sets applies", _fields))
        ]


def _fields(policy: AnyObject) -> Mapping[str, object]:
    """The fields that another policy for the same target may not set too, be it to the same value."""
    blocks = _BLOCKS[policy.kind]
    inner = {f"{block}.{name}" for block in blocks for name in settings(policy, block)}
    return dict.fromkeys(settings(policy).difference(blocks) | inner - _ADDED, policy)
