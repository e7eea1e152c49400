"""Cilium's network policies (group cilium.io): cilium/cilium:pkg/policy/api/{rule,ingress,egress,l4,http}.go.

Every release adds fields, so that an unknown one is no mistake here.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import IntOrString, LabelSelector, Many, Model


class CIDRRule(Model):
    """A range of addresses, less some; `cidr` is empty where a group or a set of ranges is named instead."""

    cidr: str = ""
    except_: Many[str] = field(default=(), name="except")


class PortProtocol(Model):
    """A port by number or name, and the last one of a range."""

    port: IntOrString = 0
    end_port: int | None = None
    protocol: str = "ANY"


class PortRule(Model):
    """Ports, and what requests to them must look like."""

    ports: Many[PortProtocol] = ()


class Rule(Model):
    """Peers of one direction and the ports that they may use. The kinds of peers add up; no peer and no port is nobody."""

    from_endpoints: Many[LabelSelector] | None = None
    from_entities: Many[str] | None = None
    from_cidr: Many[str] | None = field(default=None, name="fromCIDR")
    from_cidr_set: Many[CIDRRule] | None = field(default=None, name="fromCIDRSet")
    from_nodes: Any = None
    from_groups: Any = None
    from_requires: Any = None
    to_ports: Many[PortRule] | None = None
    icmps: Any = None

    @property
    def names_peers(self) -> bool:
        """Whether it says whom it means."""
        kinds = (self.from_endpoints, self.from_entities, self.from_cidr, self.from_cidr_set, self.from_nodes)
        return any(kind is not None for kind in (*kinds, self.from_groups, self.from_requires))


class DefaultDeny(Model):
    """Whether pods that a policy selects refuse what no policy allows."""

    ingress: bool | None = None


class CiliumRule(Model):
    """What holds for the pods of a selector. Who is denied stays out, whatever else allows it."""

    endpoint_selector: LabelSelector | None = None
    node_selector: LabelSelector | None = None
    ingress: Many[Rule] | None = None
    ingress_deny: Many[Rule] | None = None
    enable_default_deny: DefaultDeny = DefaultDeny()


class CiliumPolicy(Model):
    """A CiliumNetworkPolicy, or a CiliumClusterwideNetworkPolicy for every namespace; `specs` are several rules."""

    spec: CiliumRule | None = None
    specs: Many[CiliumRule] = ()
