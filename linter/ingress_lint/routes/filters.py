"""What a route does to a request, beside sending it to a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingress_lint.load.document import Place

if TYPE_CHECKING:
    from ingress_lint.routes.model import BackendRef


@dataclass(frozen=True, slots=True)
class RequestRedirect:
    """Answers with a redirect; a None keeps that part of the request's URL."""

    place: Place
    status: int = 302
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    replace_prefix: bool = False


@dataclass(frozen=True, slots=True)
class URLRewrite:
    """Changes the host or path on the way to the backend. `path` may hold capture groups (`$1`) where `regex` is."""

    place: Place
    host: str | None = None
    path: str | None = None
    replace_prefix: bool = False
    regex: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderModifier:
    """Changes headers on the way to the backend, or of the response."""

    place: Place
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    of_response: bool = False


@dataclass(frozen=True, slots=True)
class RequestMirror:
    """Sends a copy to another backend, whose answer is dropped."""

    place: Place
    backend: BackendRef
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answers by itself; no backend sees the request."""

    place: Place
    status: int


@dataclass(frozen=True, slots=True)
class CORS:
    """Answers preflight requests by itself, and tells browsers who may read answers; times in seconds."""

    place: Place
    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class ExternalAuth:
    """Asks a backend, or whatever answers at a URL, whether a request may pass."""

    place: Place
    backend: BackendRef | None = None
    url: str = ""
    """Where it asks, for a backend too where that is known; `$host` in it stands for the request's own host."""
    unclear: str = "clients get an error"
    """What clients get for an answer that is neither yes nor no."""
    login: str = ""
    """Where it sends those who may not pass, in the form of `url`; empty where they are turned away."""
    login_place: Place | None = None


@dataclass(frozen=True, slots=True)
class ExtensionFilter:
    """A step that only its implementation knows; what it does to a request is unknown."""

    place: Place
    group: str
    kind: str
    name: str


Filter = (
    RequestRedirect
    | URLRewrite
    | HeaderModifier
    | RequestMirror
    | CORS
    | ExternalAuth
    | ExtensionFilter
    | FixedResponse
)
