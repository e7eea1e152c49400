"""Calico: what it writes is the pods' final MTU, and the tunnels' own ones beside it.

The CNI plugin gives pods `veth_mtu` (calico-config) or `calicoNetwork.mtu` (Installation); 0 or nothing means the
smallest host MTU minus the largest overhead of the enabled encapsulations (projectcalico/calico:
felix/dataplane/linux/int_dataplane.go:1731). Encapsulations do not stack there. Environment variables of calico-node
come before the FelixConfiguration (docs.tigera.io felix/configuration).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingress_lint.facts.overlay.model import IP_IN_IP, VXLAN, Encapsulation, Meaning, Mtu, Overlay, one_of_each
from ingress_lint.facts.overlay.sources import Sources, Tree

WIREGUARD: Final = Encapsulation("WireGuard", 60)
"""projectcalico/calico:felix/dataplane/linux/int_dataplane.go:484"""
_TUNNELS: Final = {
    "ipipMTU": ("FELIX_IPINIPMTU", IP_IN_IP),
    "vxlanMTU": ("FELIX_VXLANMTU", VXLAN),
    "wireguardMTU": ("FELIX_WIREGUARDMTU", WIREGUARD),
}
_ENABLED: Final = {"ipipEnabled": IP_IN_IP, "vxlanEnabled": VXLAN, "wireguardEnabled": WIREGUARD}
_POOLS: Final = {"CALICO_IPV4POOL_IPIP": IP_IN_IP, "CALICO_IPV4POOL_VXLAN": VXLAN}
_OFF: Final = frozenset({"", "never", "off", "none"})
_CNI: Final = "Calico"
_AUTOMATIC: Final = "0"


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The Calico network of the set, if it configures one."""
    nodes = [sources.variables(container) for container in sources.containers("calico-node")]
    felix = [item.at("spec") for item in sources.of_kind("FelixConfiguration") if _is_default(item)]
    maps = [data for data in sources.data(holding="veth_mtu") if data.at("net-conf.json").value is None]
    pods = list(_pod_mtus(sources, maps))
    tunnels = list(_tunnel_mtus(nodes, felix))
    if not pods and not tunnels:
        return
    asked = list(_asked(sources, nodes, felix, maps))
    encapsulations = one_of_each(found for found in asked if found.overhead)
    assumed = ""
    if not asked:
        encapsulations = one_of_each(mtu.encapsulation for mtu in tunnels if mtu.encapsulation) or (IP_IN_IP,)
        assumed = "Calico's own manifests ask for it" if not tunnels else "its MTU is set"
    yield Overlay(_CNI, (*pods, *tunnels), encapsulations, assumed=assumed, automatic=_AUTOMATIC)


def calico_pods(value: Tree, setting: str) -> Iterator[Mtu]:
    """The pods' MTU that a field sets, nothing where it leaves it to Calico."""
    if value.number:
        yield Mtu(value.number, setting, Meaning.POD, value.place)


def asked_by_mode(value: Tree) -> Iterator[Encapsulation]:
    """The encapsulation that a mode such as `VXLANCrossSubnet` asks for; one without overhead for none."""
    mode = value.text.lower()
    if mode in _OFF:
        if value.value is not None:
            yield Encapsulation("", 0, value.place)
    elif mode.startswith("vxlan"):
        yield VXLAN.at(value.place)
    elif mode.startswith("ipip"):
        yield IP_IN_IP.at(value.place)


def _is_default(item: Tree) -> bool:
    return item.at("metadata", "name").text == "default"


def _pod_mtus(sources: Sources, maps: Iterable[Tree]) -> Iterator[Mtu]:
    for data in maps:
        yield from calico_pods(data.at("veth_mtu"), "veth_mtu")
    for plugin in sources.plugins("calico"):
        yield from calico_pods(plugin.at("mtu"), "plugins.mtu")
    for installation in sources.of_kind("Installation"):
        yield from calico_pods(installation.at("spec", "calicoNetwork", "mtu"), "calicoNetwork.mtu")
    for values in sources.values("tigera-operator", "rke2-calico"):
        yield from calico_pods(values.at("installation", "calicoNetwork", "mtu"), "installation.calicoNetwork.mtu")


def _tunnel_mtus(nodes: Iterable[dict[str, Tree]], felix: Iterable[Tree]) -> Iterator[Mtu]:
    for field, (variable, encapsulation) in _TUNNELS.items():
        for written, name in (
            *((node[variable], variable) for node in nodes if variable in node),
            *((spec.at(field), field) for spec in felix),
        ):
            if written.number:
                yield Mtu(written.number, name, Meaning.TUNNEL, written.place, encapsulation)


def _asked(
    sources: Sources, nodes: Iterable[dict[str, Tree]], felix: Iterable[Tree], maps: Iterable[Tree]
) -> Iterator[Encapsulation]:
    for node in nodes:
        for variable, encapsulation in _POOLS.items():
            if variable in node:
                written = node[variable]
                off = written.text.lower() in _OFF
                yield Encapsulation("", 0, written.place) if off else encapsulation.at(written.place)
    for pool in sources.of_kind("IPPool"):
        spec = pool.at("spec")
        if not spec.at("disabled").on:
            for field, encapsulation in (("ipipMode", IP_IN_IP), ("vxlanMode", VXLAN)):
                mode = spec.at(field)
                off = mode.text.lower() in _OFF
                yield Encapsulation("", 0, mode.place) if off else encapsulation.at(mode.place)
    networks = [item.at("spec", "calicoNetwork") for item in sources.of_kind("Installation")]
    networks += [
        values.at("installation", "calicoNetwork") for values in sources.values("tigera-operator", "rke2-calico")
    ]
    for network in networks:
        for pool in network.at("ipPools").items():
            yield from asked_by_mode(pool.at("encapsulation"))
    for data in maps:
        if data.at("calico_backend").text == "vxlan":
            yield VXLAN.at(data.at("calico_backend").place)
    for spec in felix:
        for field, encapsulation in _ENABLED.items():
            if spec.at(field).on:
                yield encapsulation.at(spec.at(field).place)
