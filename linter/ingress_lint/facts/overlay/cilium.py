"""Cilium: `mtu` is the underlay's, and Cilium takes tunnel and encryption off it for the routes inside of pods.

A `mtu` of the CNI configuration comes before it (cilium/cilium:pkg/mtu/cell.go). Tunnel and WireGuard stack. With node
encryption, what nodes themselves send goes through WireGuard as well, at the size of the network card, which nothing
reduces (cilium/cilium#37919).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.facts.overlay.model import GENEVE, VXLAN, Encapsulation, Meaning, Mtu, Overlay
from ingress_lint.facts.overlay.sources import Sources, Tree

_WIREGUARD: Final = Encapsulation("WireGuard", 80)
"""cilium/cilium:pkg/mtu/mtu.go; 95 since cilium/cilium#45940."""
_IPSEC: Final = Encapsulation("IPsec", 77)
_TUNNELS: Final = {"vxlan": VXLAN, "geneve": GENEVE}
_CONFIG_MAP: Final[Mapping[str, tuple[str, ...]]] = {
    "mtu": ("mtu",),
    "mode": ("routing-mode",),
    "tunnel": ("tunnel-protocol",),
    "old tunnel": ("tunnel",),
    "wireguard": ("enable-wireguard",),
    "ipsec": ("enable-ipsec",),
    "nodes": ("encrypt-node",),
}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "mtu": ("MTU",),
    "mode": ("routingMode",),
    "tunnel": ("tunnelProtocol",),
    "old tunnel": ("tunnel",),
    "nodes": ("encryption", "nodeEncryption"),
}


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The Cilium network of the set, by cilium-config or by the values of its chart."""
    plugins = [
        Mtu(mtu.number, "plugins.mtu", Meaning.UNDERLAY, mtu.place)
        for plugin in sources.plugins("cilium-cni")
        if (mtu := plugin.at("mtu")).number
    ]
    for data in sources.data(name="cilium-config"):
        told = {name: data.at(*way) for name, way in _CONFIG_MAP.items()}
        yield _overlay(told, plugins, "mtu")
    for values in sources.values("cilium", "rke2-cilium"):
        told = {name: values.at(*way) for name, way in _VALUES.items()}
        encryption = values.at("encryption")
        told["wireguard" if encryption.at("type").text.lower() == "wireguard" else "ipsec"] = encryption.at("enabled")
        yield _overlay(told, plugins, "MTU")


def _overlay(told: Mapping[str, Tree], plugins: list[Mtu], setting: str) -> Overlay:
    mtu = told["mtu"]
    written = [*plugins]
    if mtu.number:
        written.append(Mtu(mtu.number, setting, Meaning.UNDERLAY, mtu.place))
    tunnel = told["tunnel"] if told["tunnel"].text else told["old tunnel"]
    kind = tunnel.text.lower() or "vxlan"
    found = []
    if told["mode"].text.lower() != "native" and kind in _TUNNELS:
        found.append(_TUNNELS[kind].at(tunnel.place if tunnel.text else None))
    wireguard, ipsec = told.get("wireguard"), told.get("ipsec")
    if wireguard is not None and wireguard.on:
        found.append(_WIREGUARD.at(wireguard.place))
    elif ipsec is not None and ipsec.on:
        found.append(_IPSEC.at(ipsec.place))
    encrypts_nodes = wireguard is not None and wireguard.on and told["nodes"].on
    return Overlay(
        "Cilium",
        tuple(written),
        tuple(found),
        stacked=True,
        automatic="0",
        whole_packets=told["nodes"].place if encrypts_nodes else None,
    )
