"""What nginx answers for a host by itself, whatever its paths lead to.

`bare` is a route of the host without matches and backends of its own, on every listener that takes the host's requests.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ingress_lint.controllers.ingress_nginx.filters import redirect_code
from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced


def to_app_root(bare: Route, settings: Settings) -> Iterator[Route]:
    """`app-root` (rootfs/etc/nginx/template/nginx.tmpl)."""
    root = settings.text("app-root")
    if root is not None and root.value.startswith("/"):
        match = Match(Sourced(PathMatch(PathMatchType.EXACT, "/"), Origin.DERIVED, root.place, "app-root"))
        redirect = RequestRedirect(root.place, 302, path=root.value)
        yield replace(bare, matches=(match,), filters=(redirect,))


def www_of(host: str) -> str:
    """The host with `www.` where it has none, and without it where it has."""
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


def from_other_name(bare: Route, settings: Settings, host: str) -> Iterator[Route]:
    """`from-to-www-redirect`: a server of its own for the other name (rootfs/etc/nginx/lua/nginx/ngx_srv_redirect.lua)."""
    wanted = settings.boolean("from-to-www-redirect", False)
    if wanted.value:
        match = Match(Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, wanted.place))
        redirect = RequestRedirect(wanted.place, redirect_code(settings), host=host, drops_last_slash=True)
        names = (Sourced(www_of(host), Origin.DERIVED, wanted.place, "from-to-www-redirect"),)
        yield replace(bare, hostnames=names, matches=(match,), filters=(redirect,))


def unmatched_to_https(bare: Route, redirect: RequestRedirect) -> Route:
    """The redirect of paths that no location but the server's own `/` takes (internal/ingress/controller/controller.go,
    createServers: it has the settings of the Ingress that makes the server)."""
    everything = Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, redirect.place, "no path fits")
    return replace(bare, matches=(Match(everything),), filters=(redirect,), is_default=True)
