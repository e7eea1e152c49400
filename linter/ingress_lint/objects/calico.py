"""Calico's network policies (groups projectcalico.org and crd.projectcalico.org).

projectcalico/calico:api/pkg/apis/projectcalico/v3/{networkpolicy,globalnetworkpolicy,policy_common,tier}.go.
"""

from __future__ import annotations

from typing import Any

from ingress_lint.objects.model import IntOrString, Many, Model


class EntityRule(Model):
    """One end of a connection; every field that is there must hold."""

    nets: Many[str] = ()
    not_nets: Many[str] = ()
    selector: str = ""
    not_selector: str = ""
    namespace_selector: str = ""
    ports: Many[IntOrString] = ()
    not_ports: Many[IntOrString] = ()
    service_accounts: Any = None
    services: Any = None
    domains: Any = None


class Rule(Model):
    """What becomes of some connections: Allow, Deny, Pass or Log. The first rule that means one decides."""

    action: str = ""
    protocol: IntOrString | None = None
    not_protocol: IntOrString | None = None
    source: EntityRule = EntityRule()
    destination: EntityRule = EntityRule()
    http: Any = None
    icmp: Any = None


class PolicySpec(Model):
    """Rules for the pods of a selector; the lower `order` is asked first, in each tier, and what has none comes last."""

    tier: str = "default"
    order: float | int | None = None
    selector: str = ""
    namespace_selector: str = ""
    service_account_selector: str = ""
    types: Many[str] | None = None
    ingress: Many[Rule] | None = None
    egress: Many[Rule] | None = None
    pre_dnat: bool = False
    do_not_track: bool = False
    apply_on_forward: bool = False


class CalicoPolicy(Model):
    """A NetworkPolicy of Calico, or a GlobalNetworkPolicy for every namespace."""

    spec: PolicySpec = PolicySpec()


class TierSpec(Model):
    """Where a tier stands among the others; what its policies select and none of its rules means, `defaultAction` meets."""

    order: float | int | None = None
    default_action: str = "Deny"


class Tier(Model):
    """A Tier."""

    spec: TierSpec = TierSpec()
