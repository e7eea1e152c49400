"""The pod networks of a set, and the network below them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.facts.overlay import antrea, calico, cilium, flannel, kops, other_cnis, ovn_kubernetes
from ingress_lint.facts.overlay.model import Meaning, Mtu, Overlay, Underlay
from ingress_lint.facts.overlay.sources import Sources, Tree, node_sources
from ingress_lint.graph.graph import ObjectGraph

_CARDS: Final = frozenset({"ethernet", "bond"})
_ON_A_CARD: Final = frozenset({"macvlan", "ipvlan"})


class PodNetwork:
    """What the set says of packet sizes."""

    def __init__(self, sources: Sources) -> None:
        self._cards = dict(_cards(sources))
        underlay = max(self._cards.values(), key=lambda card: card.value, default=None)
        modules = (calico, flannel, cilium, antrea, ovn_kubernetes, other_cnis, kops)
        self.overlays: tuple[Overlay, ...] = tuple(
            overlay for module in modules for overlay in module.overlays(sources) if overlay.mtus
        )
        self.underlay: Underlay | None = underlay
        """What the nodes' network cards are told to carry; None where nothing says so."""
        self.attachments: tuple[tuple[Mtu, Underlay], ...] = tuple(self._attached(sources))
        """Further networks of pods (Multus) on a network card whose MTU is known."""

    def _attached(self, sources: Sources) -> Iterator[tuple[Mtu, Underlay]]:
        """The interfaces on a card: the kernel takes no larger MTU for them than the card's own."""
        for attachment in sources.of_kind("NetworkAttachmentDefinition"):
            configuration = attachment.at("spec", "config").file()
            for plugin in (configuration, *configuration.at("plugins").items()):
                card, mtu = self._cards.get(plugin.at("master").text), plugin.at("mtu")
                if card is not None and mtu.number and plugin.at("type").text in _ON_A_CARD:
                    yield Mtu(mtu.number, "mtu", Meaning.POD, mtu.place), card


def _cards(sources: Sources) -> Iterator[tuple[str, Underlay]]:
    """The network cards and bonds whose MTU a NodeNetworkConfigurationPolicy sets."""
    for policy in sources.of_kind("NodeNetworkConfigurationPolicy"):
        for interface in policy.at("spec", "desiredState", "interfaces").items():
            card = _card(interface)
            if card is not None:
                yield interface.at("name").text, card


def _card(interface: Tree) -> Underlay | None:
    mtu, name = interface.at("mtu"), interface.at("name").text
    if interface.at("type").text not in _CARDS or not mtu.number:
        return None
    return Underlay(mtu.number, f"a NodeNetworkConfigurationPolicy sets it on `{name}`", mtu.place)


@once_per_graph
def pod_network(graph: ObjectGraph) -> PodNetwork:
    """What the set says of packet sizes in the pod network."""
    return PodNetwork(node_sources(graph))
