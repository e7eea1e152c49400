"""What a route does to a request, beside sending it to a backend; filters that need one are in `model`."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place

_KEEPING_METHOD: Final = {301: 308, 302: 307}


class RequestRedirect(Struct, frozen=True):
    """Answers with a redirect; a None keeps that part of the request's URL."""

    place: Place
    status: int = 302
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    replace_prefix: bool = False
    keeps_query: bool = False
    """Whether the query of the request follows a `path` of its own."""
    drops_last_slash: bool = False
    """Whether a slash at the end of the whole URL is left out."""
    keeps_method: bool = False
    """Whether methods other than GET get 308 for 301, and 307 for 302."""

    def status_for(self, method: str) -> int:
        """What a request of a method gets."""
        return _KEEPING_METHOD.get(self.status, self.status) if self.keeps_method and method != "GET" else self.status


class URLRedirect(Struct, frozen=True):
    """Redirects requests whose whole URL an expression finds, to what it makes of that; lets all others pass."""

    place: Place
    regex: str
    replacement: str
    """With capture groups (`$1`)."""
    status: int = 302


class URLRewrite(Struct, frozen=True):
    """Changes the host or path on the way to the backend.

    `path` may hold capture groups (`$1`) where `regex` is, and `host` where `host_regex` is.
    """

    place: Place
    host: str | None = None
    path: str | None = None
    replace_prefix: bool = False
    regex: str | None = None
    host_regex: str | None = None
    in_place: bool = False
    """Whether only what `regex` finds is replaced, wherever that is in the path, and the rest kept."""
    rooted: bool = False
    """Whether what is left of a path gets a slash in front, unless nothing is left of it."""


class HeaderModifier(Struct, frozen=True):
    """Changes headers on the way to the backend, or of the response."""

    place: Place
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    of_response: bool = False


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


class ExtensionFilter(Struct, frozen=True):
    """A step that only its implementation knows; what it does to a request is unknown."""

    place: Place
    group: str
    kind: str
    name: str
