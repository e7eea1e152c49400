"""Attachment: which servers take a VirtualService, and why not those that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from ingress_lint.controllers.istio.gateways import BoundServer, GatewayObject, Gateways
from ingress_lint.controllers.istio.hosts import NamespacedName, full_host, gateway_name, service_of
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.istio import ISTIO_GROUP, VirtualService
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

MESH: Final = "mesh"
"""The name that stands for every sidecar."""

VirtualServiceObject = KubernetesObject[VirtualService]


class Attachment(Struct):
    """What a VirtualService hangs on. `of_mesh` where it is for sidecars only, whose traffic no gateway carries."""

    servers: list[BoundServer] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    names: list[NamespacedName] = field(default_factory=list)
    """The Gateways that it names, whether they are in the set or not."""
    of_mesh: bool = False


class Attacher:
    """Attaches the VirtualServices of one graph."""

    def __init__(self, graph: ObjectGraph, gateways: Gateways) -> None:
        self._graph = graph
        self._gateways = gateways

    def attach(self, item: VirtualServiceObject) -> Attachment:
        """The servers that take a VirtualService, through any of the Gateways that it names."""
        references = item.body.spec.gateways
        found = Attachment(of_mesh=all(reference == MESH for reference in references))
        unknown = False
        unshared: list[Verdict] = []
        for index, reference in enumerate(references):
            if reference == MESH:
                continue
            name = gateway_name(reference, item.namespace)
            found.names.append(name)
            place = item.at("spec", "gateways", index)
            gateway = self._gateways.by_name.get(name)
            if gateway is None:
                unknown = True
                if verdict := self._not_found(item, reference, name, place):
                    found.verdicts.append(verdict)
                continue
            offered = self._gateways.servers[name]
            if hidden := self._hidden(item, gateway, offered, place):
                found.verdicts.append(hidden)
                continue
            taken = [server for server in offered if _takes(server, item)]
            if taken:
                found.servers += taken
                found.verdicts += _wrong_kind(item, gateway, taken)
            elif offered:
                unshared.append(_no_common_host(item, gateway, offered))
        if not found.servers:
            found.verdicts += unshared
        elif not unknown and MESH not in references:
            found.verdicts += _uncovered(item, found.servers)
        return found

    def _not_found(
        self, item: VirtualServiceObject, reference: str, name: NamespacedName, place: Place
    ) -> Verdict | None:
        known = self._gateways.by_name
        elsewhere = [found for found in known if found.name == name.name]
        certainty = self._certainty(name)
        if certainty is None:
            return None
        near = [found.name for found in known if found.namespace == name.namespace]
        fix = f"name {' or '.join(f'`{found}`' for found in near)}" if near else f"add Gateway `{name.name}`"
        why = ""
        related: tuple[tuple[str, Place], ...] = ()
        if elsewhere:
            other = known[elsewhere[0]]
            full = f"{other.namespace}/{other.name}"
            fix = f"write `{full}`"
            related = ((f"Gateway `{other.name}` is in namespace `{other.namespace}`", other.name_place),)
            if "/" not in reference:
                why = (
                    f"; without a namespace the name means the VirtualService's own, and Gateway `{full}` is not meant"
                )
                sure = item.names_namespace or self._graph.context.assume == "complete"
                certainty = Certainty.KNOWN if sure else Certainty.LIKELY
        return Verdict(
            Reason.NO_MATCHING_PARENT,
            item,
            place,
            f"{item.kind} `{item.name}` hangs on Gateway `{reference}`, which namespace `{name.namespace}` does not "
            f"have{why}; no gateway of that name takes its routes, and clients who come that way get 404",
            certainty,
            related,
            fix,
        )

    def _certainty(self, name: NamespacedName) -> Certainty | None:
        """How sure it is that a Gateway is not there; None where something else may hold it."""
        context = self._graph.context
        elsewhere = name in context.elsewhere.get(GroupKind(ISTIO_GROUP, "Gateway"), {})
        if elsewhere or ("Gateway", *name) in context.externals or context.unparsed or context.incomplete:
            return None
        if context.unchecked_in(name.namespace):
            return None
        if context.assume == "partial":
            return Certainty.UNKNOWN
        holds = any(found.namespace == name.namespace for found in self._gateways.by_name)
        return Certainty.KNOWN if holds or context.assume == "complete" else Certainty.UNKNOWN

    def _hidden(
        self, item: VirtualServiceObject, gateway: GatewayObject, offered: Sequence[BoundServer], place: Place
    ) -> Verdict | None:
        """Whether the namespaces that it is exported to leave out that of the gateway's pods."""
        written = item.body.spec.export_to
        if not written or "*" in written or not offered:
            return None
        spaces = {item.namespace if space == "." else space for space in written}
        pods = offered[0].pods.namespaces
        if not pods or pods & spaces:
            return None
        where = " and ".join(f"`{space}`" for space in sorted(pods))
        return Verdict(
            Reason.NOT_ALLOWED_BY_LISTENERS,
            item,
            item.at("spec", "exportTo"),
            f"{item.kind} `{item.name}` is exported to {' and '.join(f'`{space}`' for space in sorted(spaces))} only, "
            f"and the pods of Gateway `{gateway.name}` run in {where}; they never see its routes, and clients get 404",
            related=(("the Gateway is named here", place),),
            fix=f"add {where} to `exportTo`",
        )


def _takes(server: BoundServer, item: VirtualServiceObject) -> bool:
    return server.takes_namespace(item.namespace) and any(
        server.takes_host(full_host(host, item.namespace)) for host in item.body.spec.hosts
    )


def _no_common_host(item: VirtualServiceObject, gateway: GatewayObject, offered: Sequence[BoundServer]) -> Verdict:
    hosts = item.body.spec.hosts
    sharing = [
        server for server in offered if any(server.takes_host(full_host(host, item.namespace)) for host in hosts)
    ]
    place = item.at("spec", "hosts", 0) if len(hosts) == 1 else item.at("spec", "hosts")
    if sharing:
        spaces = sorted({server.namespace or "" for server in sharing})
        return Verdict(
            Reason.NOT_ALLOWED_BY_LISTENERS,
            item,
            place,
            f"Gateway `{gateway.name}` takes {_listed([server.host for server in sharing])} from namespace "
            f"{_listed(spaces)} only, and {item.kind} `{item.name}` is in `{item.namespace}`; no gateway takes its "
            f"routes, and clients get 404",
            Certainty.KNOWN if item.names_namespace else Certainty.LIKELY,
            tuple((f"the host of server `{server.listener.name}`", server.host_place) for server in sharing),
            f"put `{item.namespace}/` before the host, or no namespace at all",
        )
    served = _listed(list(dict.fromkeys(server.host for server in offered)))
    return Verdict(
        Reason.NO_MATCHING_LISTENER_HOSTNAME,
        item,
        place,
        f"{item.kind} `{item.name}` serves {_listed(hosts)}, and Gateway `{gateway.name}` takes {served} only; no "
        f"gateway takes its routes, and clients get 404",
        related=tuple(
            (f"server `{server.listener.name}` takes `{server.host}`", server.host_place) for server in offered
        ),
        fix=f"add {_listed(hosts)} to the hosts of Gateway `{gateway.name}`, or use a host under {served}",
    )


def _uncovered(item: VirtualServiceObject, servers: Sequence[BoundServer]) -> Iterator[Verdict]:
    """The hosts that none of the servers takes, where others of the same VirtualService are taken."""
    for index, host in enumerate(item.body.spec.hosts):
        full = full_host(host, item.namespace)
        if service_of(full) is not None or any(server.takes_host(full) for server in servers):
            continue
        served = _listed(list(dict.fromkeys(server.host for server in servers)))
        yield Verdict(
            Reason.NO_MATCHING_LISTENER_HOSTNAME,
            item,
            item.at("spec", "hosts", index),
            f"{item.kind} `{item.name}` serves `{host}`, and none of its Gateways takes that host, only {served}; "
            f"clients who ask for `{host}` get 404",
            related=tuple(
                (f"server `{server.listener.name}` takes `{server.host}`", server.host_place) for server in servers
            ),
            fix=f"add `{host}` to the hosts of Gateway `{servers[0].gateway.name}`",
        )


def _wrong_kind(item: VirtualServiceObject, gateway: GatewayObject, taken: Sequence[BoundServer]) -> Iterator[Verdict]:
    """A VirtualService whose rules are for requests while every server passes TLS through, or the reverse."""
    spec = item.body.spec
    web = [server for server in taken if server.listener.protocol.value in ("HTTP", "HTTPS")]
    passing = [server for server in taken if server.passes_through]
    if spec.http and not (spec.tls or spec.tcp) and len(passing) == len(taken):
        only, other, field = "rules for HTTP requests", "passes TLS through without reading requests", "http"
        fix = "end TLS at the Gateway (mode SIMPLE), or use `tls` rules with `sniHosts`"
    elif spec.tls and not (spec.http or spec.tcp) and len(web) == len(taken):
        only, other, field = "rules for passed-through TLS", "reads requests itself", "tls"
        fix = "set mode PASSTHROUGH at the Gateway, or use `http` rules"
    else:
        return
    seen = "the connection is closed in the TLS handshake" if field == "http" else "clients get 404"
    yield Verdict(
        Reason.NOT_ALLOWED_BY_LISTENERS,
        item,
        item.at("spec", field),
        f"{item.kind} `{item.name}` has only {only}, and Gateway `{gateway.name}` {other}; {seen}",
        related=tuple(
            (f"server `{server.listener.name}`", (server.listener.place or server.host_place)) for server in taken
        ),
        fix=fix,
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
