"""Findings made concrete: what the output formats print. They know nothing of graphs or routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from ingress_lint.finding import Hop, Severity, effect, headline
from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.rule import RuleEntry
from ingress_lint.units.plan import Unit


class ObjectRef(Struct, frozen=True):
    """Which Kubernetes object; `namespace` is empty for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        owner = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {owner}"


class Spot(Struct, frozen=True):
    """A related place, captioned by `message`."""

    message: str
    object: ObjectRef | None
    location: Location
    decides: bool = False
    """Whether what stands at the finding's own place is a value that is set here."""


class PathSpot(Struct, frozen=True):
    """A station of the packet's way. `label` is short ("ALB"); `broken` marks the station it does not get past."""

    hop: Hop
    label: str
    message: str
    object: ObjectRef | None
    location: Location
    broken: bool


class ReportedFinding(Struct, frozen=True):
    """A finding with everything an output needs. Its message is the headline, `"; "` and the effect."""

    code: str
    name: str
    severity: Severity
    hop: Hop
    message: str
    object: ObjectRef | None
    location: Location
    related: tuple[Spot, ...]
    path: tuple[PathSpot, ...]
    fix: str
    identity: str
    """What no other finding of the run has: it stays the same while the object keeps its file, its name and the
    structure above the fault."""
    proof: str = ""
    """The command that shows how to prove it in the cluster, empty where the rule's page alone tells."""
    suppressed: str = ""
    """Why it is not shown (the justification of a suppression), empty where it is."""
    from_outside: bool = False
    """Whether a baseline or the configuration suppresses it, and not the manifests themselves."""
    units: tuple[str, ...] = ()
    """The names of the units that it was found in."""
    rendered: Location | None = None
    """Where it is in the text of the build, None where nothing was built."""
    mapping: Literal["exact", "likely", "template"] | None = None
    """How sure it is that `location` is the source of that."""
    summary: str = ""
    """What its rule finds, in one line."""
    assumes: tuple[str, ...] = ()
    """What it believes without evidence; where that is not so, it does not hold."""

    @property
    def headline(self) -> str:
        """What is wrong, complete when it is read alone: `MAX_HEADLINE` characters at most."""
        return headline(self.message, self.summary, str(self.object) if self.object else "")

    @property
    def effect(self) -> str:
        """What the client sees; empty where the message does not tell it apart."""
        return effect(self.message)

    @property
    def fingerprint(self) -> str:
        """Its identity in 32 digits, for what compares runs. To import what makes it costs a run of the linter 2 %."""
        import hashlib

        return hashlib.sha256(self.identity.encode(errors="surrogatepass")).hexdigest()[:32]


class Summary(Struct, frozen=True):
    """What was read. `error`, `warning` and `note` count the findings that are shown."""

    files: int = 0
    documents: int = 0
    objects: int = 0
    routes: int = 0
    units: int = 0
    unchecked: int = 0
    """How many of the units were not looked at."""
    error: int = 0
    warning: int = 0
    note: int = 0
    suppressed: int = 0
    fixable: int = 0
    """How many of the findings that are shown have a fix that can be made without a person."""


class Report(Struct, frozen=True):
    """One run: findings ordered by file, line, column and code; `rules` are those that ran, ordered by code."""

    findings: tuple[ReportedFinding, ...]
    summary: Summary
    rules: tuple[RuleEntry, ...]
    units: tuple[Unit, ...] = ()
    """What was found to be deployed together, ordered by path and name."""
    files: Mapping[str, SourceFile] = field(default_factory=dict)
    """The files that findings point into, by path, for code frames."""
    accounts: tuple[str, ...] = ()
    """What `--verbose` adds: a line each on what was passed over, on the sets, and on which controller serves what."""
    unread: tuple[str, ...] = ()
    """One line for each path or file that could not be opened, read or rendered; any makes the exit status 2."""
    barren: tuple[str, ...] = ()
    """A sentence for each path under which there is nothing to lint."""
    failures: tuple[str, ...] = ()
    """One line for each rule that broke down; any makes the exit status 2."""
