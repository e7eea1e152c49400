"""Network policies of a cluster's administrators (group policy.networking.k8s.io).

kubernetes-sigs/network-policy-api:apis/v1alpha1/{adminnetworkpolicy,baselineadminnetworkpolicy}_types.go and
apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import LabelSelector, Many, Model


class NamespacedPods(Model):
    """Pods by their labels and their namespaces'; both must hold."""

    namespace_selector: LabelSelector = LabelSelector()
    pod_selector: LabelSelector = LabelSelector()


class Peer(Model):
    """Whole namespaces, or pods."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPods | None = None


class PortNumber(Model):
    """One port."""

    protocol: str = "TCP"
    port: int = 0


class PortRange(Model):
    """Ports from the first to the last."""

    protocol: str = "TCP"
    start: int = 0
    end: int = 0


class AdminPort(Model):
    """A port, a range of them, or a port by its name on the pods."""

    port_number: PortNumber | None = None
    port_range: PortRange | None = None
    named_port: str = ""


class Range(Model):
    """Ports from the first to the last."""

    start: int = 0
    end: int = 0


class DestinationPort(Model):
    """A port or a range of them."""

    number: int | None = None
    range: Range | None = None


class TransportPorts(Model):
    """Ports of one protocol, all of them where none is named."""

    destination_port: DestinationPort | None = None


class ProtocolMatch(Model):
    """Connections of one protocol, or to a port by its name on the pods."""

    tcp: TransportPorts | None = None
    udp: TransportPorts | None = None
    sctp: TransportPorts | None = None
    destination_named_port: str = ""


class AdminRule(Model):
    """What becomes of connections from some peers: Allow (or Accept), Deny or Pass. Without ports it means every one."""

    action: str = ""
    from_: Many[Peer] = field(default=(), name="from")
    ports: Many[AdminPort] | None = None
    protocols: Many[ProtocolMatch] | None = None


class AdminPolicySpec(Model):
    """Rules for the pods of a subject; the lower `priority` is asked first, in each tier."""

    tier: str = ""
    priority: int = 0
    subject: Peer = Peer()
    ingress: Many[AdminRule] = ()
    egress: Any = None


class AdminNetworkPolicy(Model):
    """An AdminNetworkPolicy or a ClusterNetworkPolicy, which is asked before NetworkPolicies unless its tier is Baseline."""

    spec: AdminPolicySpec = AdminPolicySpec()


class BaselineAdminNetworkPolicy(Model):
    """A BaselineAdminNetworkPolicy, which is asked where no NetworkPolicy selects a pod."""

    spec: AdminPolicySpec = AdminPolicySpec()
