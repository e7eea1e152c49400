"""What a request must look like for a route to take it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.verdicts import Verdict


class PathMatchType(StrEnum):
    """How a path is compared. The first three are the Gateway API's, the others are what controllers really do."""

    EXACT = "Exact"
    PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"
    STRING_PREFIX = "StringPrefix"
    """By characters: /foo matches /foobar."""
    GLOB = "Glob"
    """With * and ?, as an ALB does; without them, exactly."""


class PathMatch(Struct, frozen=True):
    """A path and how it is compared."""

    type: PathMatchType
    value: str
    ignore_case: bool = False
    open_end: bool = False
    """Whether a regular expression need not match to the path's end."""
    open_start: bool = False
    """Whether a regular expression need not match from the path's start."""
    before_expressions: bool = False
    """Whether it is tried before regular expressions, which otherwise come before prefixes."""


class ValueMatch(Struct, frozen=True):
    """A header or query parameter that must have a value, exactly or by regular expression."""

    name: str
    value: str
    type: Literal["Exact", "RegularExpression"] = "Exact"
    open: bool = False
    """Whether a regular expression need not match the whole value."""
    inverted: bool = False
    """Whether it must have another value than this."""
    or_absent: bool = False
    """Whether a request without it fits too."""


class Comparison(Struct, frozen=True):
    """One comparison of an expression. Of the fields at most one is set; where none is, nothing here can tell."""

    words: str
    """As its controller writes it."""
    host: str | None = None
    """In the form of `hostnames`."""
    path: PathMatch | None = None
    header: ValueMatch | None = None
    query: ValueMatch | None = None
    method: str | None = None


class Not(Struct, frozen=True):
    """What must not hold."""

    part: Expression


class AllOf(Struct, frozen=True):
    """What must hold together."""

    parts: tuple[Expression, ...]


class AnyOf(Struct, frozen=True):
    """Of which one must hold."""

    parts: tuple[Expression, ...]


Expression = Comparison | Not | AllOf | AnyOf


class GRPCMethod(Struct, frozen=True):
    """The service and method of a gRPC call, as they are written; None is any. `Match.path` says the same as a path."""

    service: str | None
    method: str | None


class Match(Struct, frozen=True):
    """What a request must look like; every part must hold."""

    path: Sourced[PathMatch]
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()
    method: str | None = None
    grpc: GRPCMethod | None = None
    condition: str = ""
    """What else must hold, as its controller writes it; whether it does is unknown without an `expression`."""
    expression: Expression | None = None
    """The same as a tree; None where there is no condition, or none that can be evaluated."""
    refusal: Verdict | None = None
    """Why its controller refuses the whole object for this match, None where it does not."""
