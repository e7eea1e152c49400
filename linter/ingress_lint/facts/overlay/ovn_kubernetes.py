"""OVN-Kubernetes, as such and as OpenShift's, and OpenShift's older SDN: the written MTU is the pods' final one.

Geneve takes 58 bytes there (ovn-org/ovn-kubernetes:go-controller/pkg/types/const.go); a node whose interface takes less
than MTU + 58 is tainted (`k8s.ovn.org/mtu-too-small`), so that no pod starts on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.model import VXLAN, Encapsulation, Meaning, Mtu, Overlay, Underlay
from ingress_lint.facts.overlay.sources import Sources, Tree

_GENEVE: Final = Encapsulation("Geneve", 58)
_TAINTED: Final = "OVN-Kubernetes taints the nodes as `k8s.ovn.org/mtu-too-small` and no new pod starts on them"
_REMOVE: Final = "nothing"


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The OVN-Kubernetes or OpenShift network of the set."""
    networks = [item.at("spec") for item in sources.of_kind("Network")]
    underlay = next((found for spec in networks if (found := _machines(spec)) is not None), None)
    ovn = [
        *_pods((data.at("mtu") for data in sources.data(name="ovn-config")), "mtu"),
        *_pods((values.at("mtu") for values in sources.values("ovn-kubernetes")), "mtu"),
        *_pods((_of_network(spec, "ovnKubernetesConfig") for spec in networks), "ovnKubernetesConfig.mtu"),
    ]
    if ovn:
        yield Overlay(
            "OVN-Kubernetes", tuple(ovn), (_GENEVE,), automatic=_REMOVE, consequence=_TAINTED, underlay=underlay
        )
    sdn = tuple(_pods((_of_network(spec, "openshiftSDNConfig") for spec in networks), "openshiftSDNConfig.mtu"))
    if sdn:
        yield Overlay("OpenShift SDN", sdn, (VXLAN,), automatic=_REMOVE, underlay=underlay)


def _of_network(spec: Tree, plugin: str) -> Tree:
    return spec.at("defaultNetwork", plugin, "mtu")


def _pods(written: Iterator[Tree], setting: str) -> Iterator[Mtu]:
    for mtu in written:
        if mtu.number:
            yield Mtu(mtu.number, setting, Meaning.POD, mtu.place)


def _machines(spec: Tree) -> Underlay | None:
    """What a migration of the MTU says that the nodes' network carries."""
    machine = spec.at("migration", "mtu", "machine", "to")
    return Underlay(machine.number, "the migration moves the nodes to it", machine.place) if machine.number else None
