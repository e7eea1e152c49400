"""Listeners of Gateways that Traefik serves: it takes the ports of its entry points alone, counted on its pod.

traefik/traefik:pkg/provider/kubernetes/gateway/kubernetes.go, entryPointName.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingress_lint.controllers.shared.gateway_listeners import Declared
from ingress_lint.controllers.traefik.installation import installation
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.verdicts import Reason, Verdict


def refused_listeners(
    graph: ObjectGraph, gateway: KubernetesObject[Gateway], listeners: Iterable[Declared]
) -> Iterator[Verdict]:
    """Those on ports that no entry point has."""
    found = installation(graph)
    points = [item for item in found.entry_points.values() if item.pod_port is not None]
    if not points or not found.told or found.container is None:
        return
    for declarer, listener in listeners:
        port = listener.port.value
        transport = "udp" if listener.protocol.value == "UDP" else "tcp"
        if any(item.pod_port == port and item.protocol == transport for item in points):
            continue
        known = ", ".join(f"`{item.name}` at {item.pod_port}" for item in points)
        meant = next((item for item in points if item.port.value == port), None)
        outside = f"; {port} is where its Service takes connections for `{meant.name}`" if meant else ""
        yield Verdict(
            Reason.PORT_UNAVAILABLE,
            declarer,
            listener.port.place,
            f"listener `{listener.name}` of Gateway `{gateway.name}` is on port {port}, and Traefik has entry points "
            f"{known}{outside}; Traefik refuses the listener, and clients cannot connect",
            related=(("Traefik's entry points", found.container.at("args")),),
            fix=f"listen on {meant.pod_port}, the port of entry point `{meant.name}` in the pod"
            if meant
            else f"listen on the port of an entry point, or add one for port {port}",
            listener=listener.name,
        )
