"""kOps: the `networking` of a Cluster names the CNI and its MTU, the pods' final one (kops.sigs.k8s.io/networking)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.calico import asked_by_mode, calico_pods
from ingress_lint.facts.overlay.model import IP_IN_IP, JUMBO, VXLAN, Encapsulation, Overlay, Underlay
from ingress_lint.facts.overlay.sources import Sources, Tree

_WEAVE: Final = Encapsulation("Weave's fast datapath", 84)
_NETWORKS: Final = {"canal": ("Canal", VXLAN), "weave": ("Weave Net", _WEAVE), "calico": ("Calico", IP_IN_IP)}
_GCE: Final = 1460


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The networks of the set's kOps clusters."""
    for cluster in sources.of_kind("Cluster"):
        spec = cluster.at("spec")
        for name, (cni, encapsulation) in _NETWORKS.items():
            network = spec.at("networking", name)
            pods = tuple(calico_pods(network.at("mtu"), f"networking.{name}.mtu"))
            if pods:
                asked = tuple(asked_by_mode(network.at("encapsulationMode"))) or (encapsulation,)
                found = tuple(kind for kind in asked if kind.overhead)
                yield Overlay(cni, pods, found, automatic="nothing", underlay=_cloud(spec))


def _cloud(spec: Tree) -> Underlay | None:
    """What the instances of a cloud carry inside of a network where nobody changed it."""
    provider = spec.at("cloudProvider")
    name = provider.text or next(iter(provider.value), "") if isinstance(provider.value, (str, dict)) else ""
    if name == "aws":
        return Underlay(JUMBO, "EC2 instances send jumbo frames", provider.place, certain=False)
    if name == "gce":
        return Underlay(_GCE, "networks of Google Cloud carry no more unless told to", provider.place, certain=False)
    return None
