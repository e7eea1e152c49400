"""What endpoints that somebody wrote give a Service port: addresses of its name and protocol that are ready.

Every reader of endpoints takes a port by its name and protocol, and an address that is ready. One that is not ready and
still serves while it ends gets packets from kube-proxy where no other is left (kubernetes/kubernetes:pkg/proxy/topology.go,
CategorizeEndpoints); of proxies that send to pods themselves some take it and some do not, so it counts for them too.
kube-proxy reads slices of the Service's address families alone (pkg/proxy/endpointslicecache.go), others read all.
Of an Endpoints object the control plane makes slices, with the same readiness (pkg/controller/endpointslicemirroring).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.core import EndpointPort, Endpoints, EndpointSlice, ServicePort, ServiceSpec, SliceEndpoint
from ingress_lint.objects.model import AnyObject

_FAMILIES: Final = frozenset({"IPv4", "IPv6"})


class Lack(Struct, frozen=True):
    """Why the endpoints that are written give a Service port no address, and the text that says so."""

    why: str
    place: Place
    fix: str = ""


class _Group(Struct, frozen=True):
    """Addresses that share ports: a slice, or a subset of an Endpoints object."""

    item: AnyObject
    ports_at: Place
    ports: Sequence[EndpointPort]
    ready: int
    """How many of its endpoints take connections."""
    lack: Lack
    """What to say where that is none."""
    family: str = ""
    """The kind of its addresses; empty where that is not written."""


def written_lack(
    spec: ServiceSpec, port: ServicePort, written: Sequence[AnyObject], *, by_kube_proxy: bool = False
) -> Lack | None:
    """Why none of the endpoints that are written for a Service port takes connections, None where one does or may.

    `by_kube_proxy` for packets that are sent to the Service's cluster IP or to its NodePort. An Endpoints object without
    any subset is one that a program fills, such as the record of an elected leader.
    """
    groups = [group for item in written for group in _groups(item)]
    if not groups or any(isinstance(item.body, Endpoints) and not item.body.subsets for item in written):
        return None
    groups.sort(key=lambda group: not group.ready)
    lacks = [_lack_of(group, spec, port, by_kube_proxy=by_kube_proxy) for group in groups]
    return None if None in lacks else lacks[0]


def _lack_of(group: _Group, spec: ServiceSpec, port: ServicePort, *, by_kube_proxy: bool) -> Lack | None:
    if port.name and not any(_is(port, written) for written in group.ports):
        return _other_port(group, port)
    if not group.ports:
        return Lack(f"{_named(group)} has no ports", group.ports_at, "give it the port")
    if not group.ready:
        return group.lack
    families = set(spec.ip_families)
    wanted = families if families and families <= _FAMILIES else _FAMILIES
    if by_kube_proxy and group.family and group.family not in wanted:
        asked = " and ".join(sorted(wanted))
        return Lack(
            f"the addresses of {_named(group)} are of type {group.family}, and kube-proxy takes {asked} for it",
            group.item.at("addressType"),
            f"write a slice with addresses of type {' or '.join(sorted(wanted))}",
        )
    return None


def _other_port(group: _Group, port: ServicePort) -> Lack:
    """Endpoints belong to the Service port of their name; a port without one stands apart from every named one."""
    if not group.ports:
        return Lack(f"{_named(group)} has no ports", group.ports_at, f"give it the port `{port.name}`")
    same = next((index for index, written in enumerate(group.ports) if written.name == port.name), None)
    if same is not None:
        return Lack(
            f"the port `{port.name}` in {_named(group)} is one of {group.ports[same].protocol}, not of {port.protocol}",
            group.ports_at.at(same, "protocol"),
            f"set its protocol to {port.protocol}",
        )
    name = group.ports[0].name
    called = f"is called `{name}`" if name else "has no name"
    return Lack(
        f"the port in {_named(group)} {called}: endpoints count only for the port of the same name",
        group.ports_at.at(0, "name") if name else group.ports_at.at(0),
        f"call it `{port.name}`",
    )


def _is(port: ServicePort, written: EndpointPort) -> bool:
    return written.name == port.name and written.protocol == port.protocol


def _named(group: _Group) -> str:
    return f"{group.item.kind} `{group.item.name}`"


def _groups(item: AnyObject) -> Iterator[_Group]:
    body = item.body
    if isinstance(body, Endpoints):
        for index, subset in enumerate(body.subsets):
            at = item.at("subsets", index)
            what, place = "has no addresses", at
            if subset.not_ready_addresses:
                what, place = "has addresses under `notReadyAddresses` alone", at.at("notReadyAddresses")
            lack = Lack(f"Endpoints `{item.name}` {what}", place, "write the addresses under `addresses`")
            yield _Group(item, at.at("ports"), subset.ports, len(subset.addresses), lack)
    elif isinstance(body, EndpointSlice):
        ready = sum(1 for found in body.endpoints if _takes_connections(found))
        if body.endpoints:
            place = item.at("endpoints", 0, "conditions", "ready")
            lack = Lack(f"EndpointSlice `{item.name}` has no endpoint that is ready", place, "set `ready: true`")
        else:
            lack = Lack(f"EndpointSlice `{item.name}` has no endpoints", item.at("endpoints"), "write its endpoints")
        yield _Group(item, item.at("ports"), body.ports, ready, lack, body.address_type)


def _takes_connections(endpoint: SliceEndpoint) -> bool:
    conditions = endpoint.conditions
    return conditions.ready is not False or (conditions.serving is not False and conditions.terminating is True)
