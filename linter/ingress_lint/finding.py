"""What a rule says: a finding, in symbolic places, with the packet's way to the fault."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct

from ingress_lint.load.document import Place


class Severity(IntEnum):
    """How bad a finding is: an error breaks traffic, a warning does under some load or client, a note is good to know."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The word for it: `note`, `warning` or `error`."""
        return self.name.lower()


class Hop(StrEnum):
    """Where on its way to the pod a packet meets the fault, in packet order; the third character of a code."""

    MANIFEST = "manifest"
    CLIENT = "client"
    LOAD_BALANCER = "load-balancer"
    NODE = "node"
    SERVICE = "service"
    POD = "pod"

    @classmethod
    def of_code(cls, code: str) -> Hop:
        """The hop whose range holds `code`: `IL2xx` lies at the load balancer."""
        return list(cls)[int(code[2])]


class Related(Struct, frozen=True):
    """A further place that explains a finding."""

    message: str
    place: Place


class Step(Struct, frozen=True):
    """One station of the packet's way. `label` is short ("ALB", "Service shop/web"); `broken` marks where it stops."""

    hop: Hop
    label: str
    message: str
    place: Place
    broken: bool = False
    url: str = ""
    """What the client asks for, at its own station."""


class Finding(Struct, frozen=True):
    """One fault, at one place. `path` is the way a packet takes to it, empty where the fault is on no route."""

    code: str
    severity: Severity
    message: str
    place: Place
    related: tuple[Related, ...] = ()
    path: tuple[Step, ...] = ()
    fix: str = ""
    cluster_decides: bool = False
    """Whether it is only said for want of something that the cluster may have, which these manifests cannot know."""
    suppressed: str = ""
    """Why it is not shown, in the words of whoever suppressed it; empty where it is."""
    units: tuple[str, ...] = ()
    """The names of the units that it was found in."""
