"""Evidence about a port, and the verdict that several pieces of it add up to."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntEnum

from msgspec import Struct

from ingress_lint.load.document import Place

_HINTS_THAT_CONVINCE = 2


class Speech(Enum):
    """What a port speaks. The first two answer whether it opens TLS, the others what lies inside; one port has both."""

    PLAIN = "plain text"
    TLS = "TLS"
    HTTP = "HTTP"
    GRPC = "gRPC"
    FASTCGI = "FastCGI"
    OTHER = "a protocol of its own"


TRANSPORTS = (Speech.PLAIN, Speech.TLS)
APPLICATIONS = (Speech.HTTP, Speech.GRPC, Speech.FASTCGI, Speech.OTHER)


class Certainty(IntEnum):
    """How sure a piece of evidence makes it."""

    HINT = 1
    """A habit of naming or numbering; nothing follows from it alone."""
    LIKELY = 2
    """Somebody says so, and nothing checks it."""
    CERTAIN = 3
    """It cannot be otherwise in a pod that becomes ready."""


class Source(Enum):
    """Where evidence comes from. Two hints of one source are one hint."""

    PROBE = "probe"
    PORT_NAME = "port name"
    PORT_NUMBER = "port number"
    SERVICE = "Service"
    SETTING = "setting"
    CONFIGURATION = "configuration file"
    CERTIFICATE = "certificate"
    IMAGE = "image"


class Evidence(Struct, frozen=True):
    """One reason to believe that a port speaks `speech`. `why` completes "because ..."."""

    speech: Speech
    certainty: Certainty
    source: Source
    why: str
    place: Place


class Verdict(Struct, frozen=True):
    """What the evidence about a port adds up to; `evidence` supports it, the strongest first."""

    speech: Speech
    certainty: Certainty
    evidence: tuple[Evidence, ...]

    @property
    def certain(self) -> bool:
        """Whether it cannot be otherwise."""
        return self.certainty is Certainty.CERTAIN

    @property
    def strongest(self) -> Evidence:
        """The best piece of evidence."""
        return self.evidence[0]

    @property
    def why(self) -> str:
        """What it rests on, in words: the strongest reason, or all of them where none convinces alone."""
        best = self.strongest
        if best.certainty is not Certainty.HINT:
            return best.why
        *first, last = dict.fromkeys(piece.why for piece in self.evidence)
        return f"{', '.join(first)} and {last}" if first else last


class Listening(Struct, frozen=True):
    """A port that a container is told to listen on. `setting` is how the manifest writes it ("`--port`")."""

    number: int
    host: str
    """The address that it binds, empty for every one."""
    setting: str
    place: Place
    speech: Speech | None = None
    certainty: Certainty = Certainty.LIKELY
    bare: bool = False
    """Whether only the number is given, so that another setting or the server's default decides the address."""

    @property
    def loopback(self) -> bool:
        """Whether only the pod itself can connect."""
        return is_loopback(self.host)


def is_loopback(address: str) -> bool:
    """Whether nothing outside of the pod can connect to an address."""
    return address == "localhost" or address.startswith("127.") or address in ("::1", "[::1]")


def judge(pieces: Sequence[Evidence], among: Sequence[Speech]) -> Verdict | None:
    """The verdict on which of `among` a port speaks; None where the evidence is too thin or contradicts itself.

    Two hints from different sources make it likely. What is certain stands against anything less; what is likely
    falls back to a hint, and so to no verdict, where a hint speaks against it.
    """
    found = [[piece for piece in pieces if piece.speech is speech] for speech in among]
    ranked = sorted(((_strength(support), support) for support in found if support), key=lambda pair: -pair[0])
    if not ranked:
        return None
    best, support = ranked[0]
    against = ranked[1][0] if len(ranked) > 1 else None
    if best is Certainty.HINT or best == against or (best is Certainty.LIKELY and against is not None):
        return None
    support.sort(key=lambda piece: -piece.certainty)
    return Verdict(support[0].speech, best, tuple(support))


def _strength(pieces: Sequence[Evidence]) -> Certainty:
    best = max([piece.certainty for piece in pieces])
    if best is Certainty.HINT and len({piece.source for piece in pieces}) >= _HINTS_THAT_CONVINCE:
        return Certainty.LIKELY
    return best
