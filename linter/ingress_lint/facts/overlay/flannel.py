"""Flannel, and Canal, which is Flannel's network with Calico's interfaces.

`Backend.MTU` of net-conf.json takes the place of the external interface's MTU, and Flannel subtracts the overhead from
it like from that (flannel-io/flannel:pkg/backend/vxlan/device.go, Documentation/backends.md). Only the vxlan and
wireguard backends read it. An `mtu` in the CNI configuration's `delegate` is the pods' final one and comes before
what Flannel works out (flannel-io/cni-plugin). Canal's pods get `veth_mtu`, whatever the tunnel takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.calico import calico_pods
from ingress_lint.facts.overlay.model import IP_IN_IP, VXLAN, Encapsulation, Meaning, Mtu, Overlay
from ingress_lint.facts.overlay.sources import Sources, Tree

_BACKENDS: Final = {
    "vxlan": VXLAN,
    "wireguard": Encapsulation("WireGuard", 80),
    "ipip": IP_IN_IP,
    "udp": Encapsulation("UDP", 28),
}
"""What flannel-io/flannel:pkg/backend/*/*_network*.go subtract; WireGuard's is that of IPv6 for both families."""
_READ_MTU: Final = frozenset({"vxlan", "wireguard"})
_DEFAULT_BACKEND: Final = "udp"
_CANAL_CHART: Final = "rke2-canal"
_REMOVE: Final = "nothing"


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The Flannel and Canal networks of the set."""
    delegated = [
        Mtu(written.number, "delegate.mtu", Meaning.POD, written.place)
        for plugin in sources.plugins("flannel")
        if (written := plugin.at("delegate", "mtu")).number
    ]
    for data in sources.data(holding="net-conf.json"):
        backend = data.at("net-conf.json").file().at("Backend")
        pods = list(calico_pods(data.at("veth_mtu"), "veth_mtu"))
        canal = data.at("veth_mtu").value is not None
        cni = "Canal" if canal else "Flannel"
        mtu = Mtu(backend.at("MTU").number or 0, "Backend.MTU", Meaning.UNDERLAY, backend.at("MTU").place)
        overlay = _overlay(cni, backend.at("Type"), _DEFAULT_BACKEND, mtu, pods or delegated)
        if overlay is not None:
            yield overlay
    for values in sources.values("flannel", _CANAL_CHART):
        flannel = values.at("flannel")
        pods = list(calico_pods(values.at("calico", "vethuMTU"), "calico.vethuMTU"))
        cni = "Canal" if values.at("calico").value is not None else "Flannel"
        mtu = Mtu(flannel.at("mtu").number or 0, "flannel.mtu", Meaning.UNDERLAY, flannel.at("mtu").place)
        overlay = _overlay(cni, flannel.at("backend"), "vxlan", mtu, pods)
        if overlay is not None:
            yield overlay


def _overlay(cni: str, kind: Tree, default: str, mtu: Mtu, pods: list[Mtu]) -> Overlay | None:
    backend = kind.text.lower() or default
    encapsulation = _BACKENDS.get(backend)
    written = (*pods, mtu) if mtu.value and backend in _READ_MTU else tuple(pods)
    found = (encapsulation.at(kind.place if kind.text else None),) if encapsulation else ()
    return Overlay(cni, written, found, automatic="0" if cni == "Canal" else _REMOVE) if written else None
