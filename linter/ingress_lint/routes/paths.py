"""What proxies make of a request's path before they look for a route, and in what form a backend gets it."""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from ingress_lint.values.patterns import deferred

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What means the same escaped and plain (RFC 3986, 2.3)."""
_RESERVED: Final = frozenset(":/?#[]@!$&'()*+,;=%")
"""What means something else when it is escaped (RFC 3986, 2.2), and the escape itself."""
_ESCAPES: Final = deferred(r"(?:%[0-9A-Fa-f]{2})+")
_ESCAPED_SLASH: Final = deferred(r"%2[Ff]|%5[Cc]")
_SLASHES: Final = deferred(r"//+")


class Decoding(Enum):
    """Which escapes are taken for what they stand for."""

    NONE = "none"
    UNRESERVED = "those of letters, digits and `-._~`"
    ALL_BUT_RESERVED = "all but those of delimiters"
    ALL = "all"


class PathHandling(Struct, frozen=True):
    """How a proxy cleans a path; the defaults leave it as it is written."""

    decoded: Decoding = Decoding.NONE
    """In the path that routes are compared with."""
    resolves_dots: bool = False
    """Whether `.` and `..` are resolved as segments, also where they are escaped."""
    merges_slashes: bool = False
    drops_last_dot: bool = False
    """Whether `/a/.` becomes `/a`, as Go has it, instead of `/a/`."""
    forwards_clean: bool = True
    """Whether backends get the clean path, with no more decoded than what means the same; else the client's own."""
    above_root: int | None = None
    """What a client gets whose path leads above the root; None where it ends there."""
    bare_prefix_stays: bool = False
    """Whether `/foo` stays as it is where `PathPrefix: /foo/` takes it and replaces that prefix by `/`."""
    escaped_slash: int | None = None
    """The status of the redirect that answers a path with an escaped slash; None where there is none."""

    def matched(self, path: str) -> str | None:
        """The path that routes are compared with; None where the proxy refuses it."""
        return self._resolved(_decode(path, self.decoded))

    def unescaped(self, path: str) -> str:
        """A path with the escapes decoded that no path which is compared holds any more."""
        return _decode(path, self.decoded)

    def forwarded(self, path: str) -> str:
        """The path that backends get where nothing rewrites it."""
        if not self.forwards_clean:
            return path
        same = Decoding.NONE if self.decoded is Decoding.NONE else Decoding.UNRESERVED
        return self._resolved(_decode(path, same)) or path

    def redirected(self, path: str) -> str | None:
        """Where a client with an escaped slash is sent; None where it is not."""
        if self.escaped_slash is None or _ESCAPED_SLASH.search(path) is None:
            return None
        plain = _ESCAPED_SLASH.sub("/", path)
        return self._resolved(_decode(plain, Decoding.UNRESERVED)) or "/"

    def _resolved(self, path: str) -> str | None:
        merged = _SLASHES.sub("/", path) if self.merges_slashes else path
        if not self.resolves_dots or "/." not in merged:
            return merged
        kept: list[str] = []
        first, *segments = merged.split("/")
        for segment in segments:
            if segment == "..":
                if kept:
                    kept.pop()
                elif self.above_root is not None:
                    return None
            elif segment != ".":
                kept.append(segment)
        ends_in_dot = segments[-1] in (".", "..")
        if ends_in_dot and not self.drops_last_dot:
            kept.append("")
        return f"{first}/{'/'.join(kept)}"


def _decode(path: str, decoding: Decoding) -> str:
    """A path with some of its escapes decoded."""
    if decoding is Decoding.NONE or "%" not in path:
        return path
    return _ESCAPES.sub(lambda run: _plain(run[0], decoding), path)


def _plain(escapes: str, decoding: Decoding) -> str:
    """A run of escapes with some of them decoded, as UTF-8 where they are that."""
    data = bytes.fromhex(escapes.replace("%", ""))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return escapes
    return "".join(character if _is_plain(character, decoding) else _escaped(character) for character in text)


def _is_plain(character: str, decoding: Decoding) -> bool:
    if decoding is Decoding.UNRESERVED:
        return character in _UNRESERVED
    return decoding is Decoding.ALL or character not in _RESERVED


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


AS_WRITTEN: Final = PathHandling()
"""What is known of no proxy in particular."""
NGINX: Final = PathHandling(Decoding.ALL, resolves_dots=True, merges_slashes=True, forwards_clean=False, above_root=400)
"""nginx/nginx:src/http/ngx_http_parse.c, ngx_http_parse_complex_uri; `merge_slashes` is on by default. `proxy_pass` without
a path sends on what the client wrote (nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass)."""
ENVOY: Final = PathHandling(Decoding.UNRESERVED, resolves_dots=True)
"""With `normalize_path` (envoyproxy/envoy:source/common/http/path_utility.cc, canonicalizePath)."""
ENVOY_MERGING: Final = PathHandling(Decoding.UNRESERVED, resolves_dots=True, merges_slashes=True)
"""With `merge_slashes` besides."""
GO: Final = PathHandling(Decoding.ALL_BUT_RESERVED, resolves_dots=True, merges_slashes=True, drops_last_dot=True)
"""Traefik's (traefik/traefik:pkg/server/server_entrypoint_tcp.go, normalizePath and sanitizePath; pkg/muxer/http/mux.go,
withRoutingPath)."""
