"""What a route does to a request, beside sending it to a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from ingress_lint.load.document import Place

if TYPE_CHECKING:
    from ingress_lint.routes.model import BackendRef


class RequestRedirect(Struct, frozen=True):
    """Answers with a redirect; a None keeps that part of the request's URL."""

    place: Place
    status: int = 302
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    replace_prefix: bool = False


class URLRewrite(Struct, frozen=True):
    """Changes the host or path on the way to the backend. `path` may hold capture groups (`$1`) where `regex` is."""

    place: Place
    host: str | None = None
    path: str | None = None
    replace_prefix: bool = False
    regex: str | None = None


class HeaderModifier(Struct, frozen=True):
    """Changes headers on the way to the backend, or of the response."""

    place: Place
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    of_response: bool = False


class RequestMirror(Struct, frozen=True):
    """Sends a copy to another backend, whose answer is dropped."""

    place: Place
    backend: BackendRef
    share: float = 1.0


class FixedResponse(Struct, frozen=True):
    """Answers by itself; no backend sees the request."""

    place: Place
    status: int


class CORS(Struct, frozen=True):
    """Answers preflight requests by itself, and tells browsers who may read answers; times in seconds."""

    place: Place
    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None


class ExternalAuth(Struct, frozen=True):
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


class ExtensionFilter(Struct, frozen=True):
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
