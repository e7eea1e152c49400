"""Antrea: `defaultMTU` of antrea-agent.conf is the pods' final MTU, 0 leaves it to the agent.

Overheads from antrea-io/antrea:pkg/agent/config/node_config.go. WireGuard stands in for the tunnel, IPsec adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.model import GENEVE, VXLAN, Encapsulation, Meaning, Mtu, Overlay
from ingress_lint.facts.overlay.sources import Sources, Tree

_TUNNELS: Final = {"geneve": GENEVE, "vxlan": VXLAN, "gre": Encapsulation("GRE", 38)}
_WIREGUARD: Final = Encapsulation("WireGuard", 80)
_IPSEC: Final = Encapsulation("IPsec", 38)
_NO_TUNNEL: Final = frozenset({"noencap", "networkpolicyonly"})


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The Antrea network of the set, by its agents' file or by the values of its chart."""
    for data in sources.data(holding="antrea-agent.conf"):
        yield from _overlay(data.at("antrea-agent.conf").file())
    for values in sources.values("antrea"):
        yield from _overlay(values)


def _overlay(configuration: Tree) -> Iterator[Overlay]:
    mtu = configuration.at("defaultMTU")
    if not mtu.number:
        return
    mode, encryption = configuration.at("trafficEncapMode"), configuration.at("trafficEncryptionMode")
    tunnel = configuration.at("tunnelType")
    found = []
    if encryption.text.lower() == "wireguard":
        found.append(_WIREGUARD.at(encryption.place))
    elif mode.text.lower() not in _NO_TUNNEL:
        kind = _TUNNELS.get(tunnel.text.lower() or "geneve")
        if kind is not None:
            found.append(kind.at(tunnel.place if tunnel.text else None))
        if encryption.text.lower() == "ipsec":
            found.append(_IPSEC.at(encryption.place))
    written = Mtu(mtu.number, "defaultMTU", Meaning.POD, mtu.place)
    yield Overlay("Antrea", (written,), tuple(found), stacked=True, automatic="0")
