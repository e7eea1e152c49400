"""What nginx makes of its locations by itself, whichever controller writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.routes import hostnames
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced

_NAMED: Final = (PathMatchType.EXACT, PathMatchType.PREFIX, PathMatchType.STRING_PREFIX)
_READ: Final = ("HTTP", "HTTPS")


def slash_redirects(routes: Sequence[Route]) -> Iterator[Route]:
    """The redirects to locations that end in a slash and pass requests on, where there is none without the slash.

    nginx/nginx:src/http/ngx_http_core_module.c, ngx_http_core_find_static_location (`auto_redirect`). A PathPrefix stands
    for locations with and without it, a StringPrefix for the one that is written.
    """
    taken: set[tuple[str, str]] = set()
    ending: dict[tuple[str, str], tuple[Route, Sourced[PathMatch]]] = {}
    listeners: dict[tuple[str, str], list[Listener]] = {}
    for route in routes:
        if route.is_default:
            continue
        for match in route.matches:
            path = match.path.value
            if path.type not in _NAMED:
                continue
            for key in _keys(route, path.value):
                taken.add(key)
                if path.value != "/" and path.value.endswith("/") and path.type is not PathMatchType.PREFIX:
                    own = listeners.setdefault(key, [])
                    own += [item for item in route.listeners if item not in own and item.protocol.value in _READ]
                    if route.backends:
                        ending.setdefault(key, (route, match.path))
    for (host, name), (route, written) in ending.items():
        if (host, name.removesuffix("/")) not in taken:
            yield _to_slash(route, written, host, tuple(listeners[host, name]))


def _keys(route: Route, name: str) -> Iterable[tuple[str, str]]:
    names = {hostname.value.lower() for hostname in route.hostnames} or {hostnames.ANY}
    return ((host, name) for host in sorted(names))


def _to_slash(route: Route, path: Sourced[PathMatch], host: str, listeners: tuple[Listener, ...]) -> Route:
    name = path.value.value
    asked = PathMatch(PathMatchType.EXACT, name.removesuffix("/"))
    why = "nginx has a location with a slash at its end"
    return replace(
        route,
        listeners=listeners,
        hostnames=tuple(item for item in route.hostnames if item.value.lower() == host),
        matches=(Match(Sourced(asked, Origin.DERIVED, path.place, why)),),
        backends=(),
        fallback=None,
        filters=(RequestRedirect(path.place, 301, path=name, keeps_query=True),),
    )
