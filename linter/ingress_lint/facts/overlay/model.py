"""What a CNI's configuration says about packet sizes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place

ETHERNET: Final = 1500
JUMBO: Final = 9001
"""The largest frame of EC2, and of most other networks with jumbo frames."""


class Encapsulation(Struct, frozen=True):
    """How packets travel between nodes. `overhead` is what it adds to each over IPv4, in bytes."""

    name: str
    overhead: int
    place: Place | None = None
    """Where it is asked for; None where the CNI does it by default."""

    def at(self, place: Place | None) -> Encapsulation:
        """The same, asked for at `place`."""
        return Encapsulation(self.name, self.overhead, place)


VXLAN: Final = Encapsulation("VXLAN", 50)
GENEVE: Final = Encapsulation("Geneve", 50)
IP_IN_IP: Final = Encapsulation("IP-in-IP", 20)
"""Sources: projectcalico/calico:felix/dataplane/linux/int_dataplane.go, cilium/cilium:pkg/mtu/mtu.go,
flannel-io/flannel:pkg/backend, antrea-io/antrea:pkg/agent/config/node_config.go. What differs by CNI is in its module."""


class Meaning(Enum):
    """What a configured MTU is the size of."""

    POD = "the packets that pods send"
    TUNNEL = "the packets that enter one kind of tunnel"
    UNDERLAY = "the packets that leave the node; the CNI itself takes the overhead off for the pods"
    CARD = "the packets of the node's network cards, which the CNI sets"


class Mtu(Struct, frozen=True):
    """An MTU that somebody wrote. `setting` is how the manifest names it; `encapsulation` is that of a tunnel."""

    value: int
    setting: str
    meaning: Meaning
    place: Place
    encapsulation: Encapsulation | None = None


class Underlay(Struct, frozen=True):
    """The MTU of the network that carries the encapsulated packets. `why` completes "because ..."."""

    value: int
    why: str
    place: Place | None = None
    certain: bool = True


class Overlay(Struct, frozen=True):
    """A pod network."""

    cni: str
    mtus: tuple[Mtu, ...]
    encapsulations: tuple[Encapsulation, ...] = ()
    stacked: bool = False
    """Whether one packet goes through all encapsulations, and not through one of them."""
    assumed: str = ""
    """What the encapsulations are taken from where no manifest asks for them, to complete "..., as "."""
    automatic: str = ""
    """What to write for the CNI to find the MTU itself."""
    consequence: str = ""
    """What comes of packets that are too large, where this CNI does something of its own."""
    whole_packets: Place | None = None
    """What makes nodes send packets of the underlay's size into the tunnels, which the CNI's arithmetic leaves out."""
    underlay: Underlay | None = None
    """What this CNI's own configuration says of the network below it."""

    @property
    def counted(self) -> tuple[Encapsulation, ...]:
        """The encapsulations whose overhead a pod's largest packet meets."""
        if self.stacked or not self.encapsulations:
            return self.encapsulations
        return (max(self.encapsulations, key=lambda encapsulation: encapsulation.overhead),)

    @property
    def overhead(self) -> int:
        """What encapsulation adds to a pod's packet, in bytes."""
        return sum(encapsulation.overhead for encapsulation in self.counted)

    def uses(self, wanted: Encapsulation) -> bool:
        """Whether packets may go through a tunnel of this kind."""
        return any(encapsulation.name == wanted.name for encapsulation in self.encapsulations)

    def written(self, *meanings: Meaning) -> list[Mtu]:
        """The MTUs of these meanings, in the order in which the CNI's module lists them."""
        return [mtu for mtu in self.mtus if mtu.meaning in meanings]


def one_of_each(encapsulations: Iterable[Encapsulation]) -> tuple[Encapsulation, ...]:
    """The first encapsulation of each kind."""
    return tuple({found.name: found for found in reversed(list(encapsulations))}.values())[::-1]
