"""## What it does
Adds what the pod network's encapsulation needs to the MTU that its configuration sets, and compares the sum with what
the network between the nodes carries.

## What you see
Small requests work, large ones do not: the TCP connection opens, then the TLS handshake or a large response hangs until
the client gives up, and proxies answer 504. Only pods on different nodes are concerned.

## Why it breaks
VXLAN, Geneve, IP-in-IP and WireGuard put each packet of a pod inside of another one. Where a pod may send packets as
large as the network card takes, the outer packet is too large by the size of its own headers. It is cut in two, or
dropped without a word.

Calico, Antrea, OVN-Kubernetes, Weave Net and kOps take the final size of a pod's packets. The settings of Cilium and
Flannel are those of the network below, from which they subtract the overhead themselves.

## Example
Bad:
```yaml
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec:
  calicoNetwork:
    mtu: 1500
    ipPools:
      - cidr: 10.244.0.0/16
        encapsulation: VXLAN
```
Good:
```yaml
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec:
  calicoNetwork:
    mtu: 1450
    ipPools:
      - cidr: 10.244.0.0/16
        encapsulation: VXLAN
```

## Fix
Lower the MTU by the overhead, or leave it out: every CNI finds a right value by itself. Pods get a new MTU only when
they are started anew.

## Prove it
```sh
kubectl exec POD -- ip link show eth0
kubectl exec POD -- ping -c 3 -M do -s 1472 IP-OF-A-POD-ON-ANOTHER-NODE
```

## How sure
An error where the set says what the network cards carry (a NodeNetworkConfigurationPolicy, `AWS_VPC_ENI_MTU`, an
OpenShift migration). Else 1500 bytes are assumed, or 9001 for a larger MTU, and it is a warning. One step less where the
encapsulation too is a guess. Cilium and Flannel values are a note, since they subtract the overhead: pods get
less than was written. The exception is Cilium's encryption of node traffic, which that arithmetic leaves out.

## References
- https://docs.tigera.io/calico/latest/networking/configuring/mtu
- https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md
- https://github.com/cilium/cilium/issues/37919
- https://docs.openshift.com/container-platform/latest/networking/changing-cluster-network-mtu.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.overlay.index import pod_network
from ingress_lint.facts.overlay.kinds import KINDS
from ingress_lint.facts.overlay.model import ETHERNET, JUMBO, Encapsulation, Meaning, Mtu, Overlay, Underlay
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule

_HANGS: Final = (
    "packets that are too large are cut or dropped on the way to other nodes, so that small requests work while TLS "
    "handshakes and large responses hang"
)


class OverlayMtu(Rule):
    """A pod network whose packets do not fit into the network below."""

    code: ClassVar[str] = "IL301"
    name: ClassVar[str] = "overlay-mtu"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the pod network's MTU and its encapsulation do not fit into the network between the nodes"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "packets are larger than the network between the nodes takes, and are dropped without a word",
            often=("hang", "tls-handshake-timeout"),
            sometimes=("504", "response-timeout"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = KINDS

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Does the sum for every pod network of the set."""
        network = pod_network(graph)
        for overlay in network.overlays:
            found = list(self._too_large(overlay, network.underlay or overlay.underlay))
            if found:
                yield found[0]
        for mtu, card in network.attachments:
            if mtu.value > card.value:
                yield self.finding(
                    mtu.place,
                    f"`{mtu.setting}` is {mtu.value} on a network card of {card.value}: {mtu.value} > {card.value}, which "
                    "the kernel refuses, so that pods with this network do not start",
                    related=_said(card),
                    fix=f"set it to {card.value} or less",
                )

    def _too_large(self, overlay: Overlay, underlay: Underlay | None) -> Iterator[Finding]:
        cards = overlay.written(Meaning.CARD)
        for mtu in overlay.written(Meaning.POD, Meaning.TUNNEL, Meaning.UNDERLAY):
            if mtu.encapsulation is not None and not overlay.uses(mtu.encapsulation):
                continue
            below = _card(cards) or underlay or _assumed(mtu.value)
            counted = (mtu.encapsulation,) if mtu.encapsulation is not None else overlay.counted
            if mtu.meaning is Meaning.UNDERLAY:
                finding = self._underlay(overlay, mtu, below, counted)
            else:
                finding = self._pods(overlay, mtu, below, counted)
            if finding is not None:
                yield finding

    def _pods(self, overlay: Overlay, mtu: Mtu, below: Underlay, counted: tuple[Encapsulation, ...]) -> Finding | None:
        overhead = sum(encapsulation.overhead for encapsulation in counted)
        if mtu.value + overhead <= below.value or not (overhead or below.certain):
            return None
        whose = "pods packets of" if mtu.meaning is Meaning.POD else "its tunnel packets of"
        guess = f" ({_names(counted)} is assumed, as {overlay.assumed})" if overlay.assumed else ""
        return self.finding(
            mtu.place,
            f"{overlay.cni} gives {whose} {mtu.value} bytes (`{mtu.setting}`){_adds(counted)}: "
            f"{_sum(mtu.value, counted)} > {below.value}, {_below(below)}{guess}; {overlay.consequence or _HANGS}",
            severity=self._severity(below.certain, not overlay.assumed),
            related=_related(counted, below),
            fix=_fix(overlay, below.value - overhead),
        )

    def _underlay(
        self, overlay: Overlay, mtu: Mtu, below: Underlay, counted: tuple[Encapsulation, ...]
    ) -> Finding | None:
        overhead = sum(encapsulation.overhead for encapsulation in counted)
        if below.certain and mtu.value > below.value:
            return self.finding(
                mtu.place,
                f"{overlay.cni} takes packets of {mtu.value} bytes for what the network between the nodes carries "
                f"(`{mtu.setting}`): {mtu.value} > {below.value}, {_below(below)}; {_HANGS}",
                related=_related((), below),
                fix=_fix(overlay, below.value),
            )
        if mtu.value + overhead <= below.value or not overhead:
            return None
        if overlay.whole_packets is not None:
            return self.finding(
                mtu.place,
                f"{overlay.cni} encrypts what the nodes send as well, and makes room for that only in pods; to packets of "
                f"{mtu.value} bytes (`{mtu.setting}`) {_adding(counted)}: {_sum(mtu.value, counted)} > {below.value}, "
                f"{_below(below)}; {_HANGS}",
                severity=self._severity(below.certain, True),
                related=(
                    Related("the traffic of the nodes is encrypted too", overlay.whole_packets),
                    *_related(counted, below),
                ),
                fix=f"set it to {below.value - overhead} or less, and the nodes' own routes to each other likewise, or switch "
                "the encryption of the nodes' traffic off",
            )
        if mtu.value != ETHERNET or below.certain:
            return None
        return self.finding(
            mtu.place,
            f"{overlay.cni} takes `{mtu.setting}` of {mtu.value} for the size of the packets between the nodes, and gives "
            f"pods {mtu.value - overhead}: {_sum(mtu.value, counted)} > {below.value}, {_below(below)}; if pods were meant to "
            f"have {mtu.value}, their large packets would be cut or dropped",
            severity=Severity.NOTE,
            related=_related(counted, below),
            fix=f"leave it out, as {overlay.cni} finds it by itself; pods cannot have more than {below.value - overhead}",
        )

    def _severity(self, *sure: bool) -> Severity:
        return Severity(max(self.severity - sure.count(False), Severity.NOTE))


def _card(cards: list[Mtu]) -> Underlay | None:
    return Underlay(cards[0].value, f"`{cards[0].setting}` sets it", cards[0].place) if cards else None


def _assumed(mtu: int) -> Underlay:
    if mtu <= ETHERNET:
        return Underlay(ETHERNET, "nothing here says otherwise", certain=False)
    return Underlay(JUMBO, "hardly any network has larger jumbo frames", certain=False)


def _below(below: Underlay) -> str:
    if below.certain:
        return "which the network cards carry"
    return f"which the network between the nodes is taken to carry, as {below.why}"


def _names(counted: Iterable[Encapsulation]) -> str:
    return " in ".join(encapsulation.name for encapsulation in counted)


def _adds(counted: tuple[Encapsulation, ...]) -> str:
    return f", to which {_adding(counted)}" if counted else ""


def _adding(counted: Iterable[Encapsulation]) -> str:
    return " and ".join(f"{encapsulation.name} adds {encapsulation.overhead}" for encapsulation in counted)


def _sum(mtu: int, counted: tuple[Encapsulation, ...]) -> str:
    return " + ".join(str(part) for part in (mtu, *(encapsulation.overhead for encapsulation in counted)))


def _related(counted: tuple[Encapsulation, ...], below: Underlay) -> list[Related]:
    asked = [
        Related(f"{encapsulation.name} is asked for", encapsulation.place)
        for encapsulation in counted
        if encapsulation.place is not None
    ]
    return [*asked, *_said(below)]


def _said(below: Underlay) -> list[Related]:
    return [Related(f"{below.value}, as {below.why}", below.place)] if below.place is not None else []


def _fix(overlay: Overlay, largest: int) -> str:
    automatic = "leave it out" if overlay.automatic == "nothing" else f"write {overlay.automatic}"
    return f"set it to {largest} or less, or {automatic} so that {overlay.cni} works it out"
