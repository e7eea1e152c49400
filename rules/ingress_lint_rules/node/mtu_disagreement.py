"""## What it does
Compares the places of a set that give the pod network's MTU: the CNI's ConfigMap, its custom resources, its CNI
configuration, the environment of its pods.

## What you see
It depends on which place wins, often on the order in which pods start. Where pods send larger packets than their tunnel
takes, small requests work and large responses hang.

## Why it breaks
The pods' interfaces and the tunnels between the nodes are set up by different programs from different places. A packet
that fits the one and not the other has to be cut, or the sender told by an ICMP message that firewalls like to drop.

## Example
Bad:
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: canal-config, namespace: kube-system}
data:
  veth_mtu: "1450"
  net-conf.json: |
    {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "MTU": 1450}}
```
Good:
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: canal-config, namespace: kube-system}
data:
  veth_mtu: "1400"
  net-conf.json: |
    {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "MTU": 1450}}
```

## Fix
Write the MTU in one place, or the same everywhere. Flannel's and Cilium's values are those of the network below: the
pods' MTU is that minus the overhead.

## Prove it
```sh
kubectl exec POD -- ip link show eth0
kubectl debug node/NODE -it --image=busybox -- ip link
```

## How sure
A warning where both places are written and pods may send more than the tunnel takes, or where two settings of the same
thing differ. A note where the pods' MTU is the smaller one: that works, and wastes a few bytes of each packet. Silent
where one field stands there twice with different values, as in a folder that holds several clusters.

## References
- https://docs.tigera.io/calico/latest/networking/configuring/mtu
- https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ingress_lint.facts.overlay.index import pod_network
from ingress_lint.facts.overlay.kinds import KINDS
from ingress_lint.facts.overlay.model import Meaning, Mtu, Overlay
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule


class MtuDisagreement(Rule):
    """One pod network, two MTUs."""

    code: ClassVar[str] = "IL302"
    name: ClassVar[str] = "mtu-disagreement"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "two places give different MTUs for the same pod network"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "one place sends larger packets than the other takes",
            often=("hang",),
            sometimes=("504", "response-timeout", "tls-handshake-timeout"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = KINDS

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Compares the MTUs of every pod network of the set."""
        for overlay in pod_network(graph).overlays:
            if _of_several_clusters(overlay):
                continue
            twice = list(self._twice(overlay))
            yield from twice or self._pods_and_tunnels(overlay)

    def _twice(self, overlay: Overlay) -> Iterator[Finding]:
        first: dict[tuple[Meaning, str], Mtu] = {}
        for mtu in overlay.mtus:
            tunnel = mtu.encapsulation.name if mtu.encapsulation else ""
            known = first.setdefault((mtu.meaning, tunnel), mtu)
            if known.value != mtu.value:
                of = f"its {tunnel} tunnels" if tunnel else mtu.meaning.value
                yield self.finding(
                    mtu.place,
                    f"`{mtu.setting}` is {mtu.value} and `{known.setting}` is {known.value}, and both are {overlay.cni}'s "
                    f"MTU of {of}: only one of them counts, and where the larger one does not fit, large responses hang",
                    related=[Related(f"`{known.setting}` is {known.value}", known.place)],
                    fix=f"write the same in both places, or remove `{mtu.setting}`",
                )

    def _pods_and_tunnels(self, overlay: Overlay) -> Iterator[Finding]:
        pods = overlay.written(Meaning.POD)
        rooms = [
            (limit.value - (overlay.overhead if limit.meaning is Meaning.UNDERLAY else 0), limit)
            for limit in overlay.written(Meaning.TUNNEL, Meaning.UNDERLAY)
            if limit.encapsulation is None or overlay.uses(limit.encapsulation)
        ]
        if not pods or not rooms:
            return
        pod = pods[0]
        room, limit = min(rooms, key=lambda found: found[0])
        if pod.value == room or pod.place == limit.place:
            return
        arithmetic = f"{limit.value} - {overlay.overhead} = {room}" if room != limit.value else str(room)
        if pod.value > room:
            message = (
                f"{overlay.cni} gives pods packets of {pod.value} bytes (`{pod.setting}`), and its tunnels take {room} "
                f"(`{limit.setting}`: {arithmetic}): {pod.value} > {room}, so that small requests work while large "
                "responses and TLS handshakes between nodes hang"
            )
            severity = Severity.WARNING
        elif len(overlay.encapsulations) == 1 and not overlay.assumed:
            message = (
                f"{overlay.cni} gives pods packets of {pod.value} bytes (`{pod.setting}`), and its tunnels take {room} "
                f"(`{limit.setting}`: {arithmetic}): {pod.value} < {room}, which works and wastes {room - pod.value} bytes "
                "of each packet"
            )
            severity = Severity.NOTE
        else:
            return
        yield self.finding(
            pod.place,
            message,
            severity=severity,
            related=[Related(f"`{limit.setting}` is {limit.value}", limit.place)],
            fix=f"set `{pod.setting}` to {room}",
        )


def _of_several_clusters(overlay: Overlay) -> bool:
    """Whether one setting stands there with different values, as it does where a folder holds several clusters."""
    return len({(mtu.setting, mtu.value) for mtu in overlay.mtus}) > len({mtu.setting for mtu in overlay.mtus})
