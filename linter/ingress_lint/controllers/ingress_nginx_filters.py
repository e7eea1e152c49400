"""What ingress-nginx does to requests by itself: redirects, rewrites, and the conditions of canaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from ingress_lint.controllers.ingress_nginx_settings import Settings
from ingress_lint.routes.model import Filter, HeaderModifier, RequestRedirect, URLRewrite, ValueMatch

_URI_VARIABLES: Final = frozenset({"", "$request_uri", "$uri", "/$request_uri"})


def canary_conditions(settings: Settings) -> Iterator[ValueMatch]:
    """The header and the cookie that always lead to a canary (rootfs/etc/nginx/lua/balancer.lua)."""
    header = settings.text("canary-by-header")
    if header is not None:
        value, pattern = settings.text("canary-by-header-value"), settings.text("canary-by-header-pattern")
        if value is None and pattern is not None:
            yield ValueMatch(header.value, f".*(?:{pattern.value}).*", "RegularExpression")
        else:
            yield ValueMatch(header.value, value.value if value else "always")
    cookie = settings.text("canary-by-cookie")
    if cookie is not None:
        yield ValueMatch("Cookie", rf"(.*;\s*)?{cookie.value}=always(;.*)?", "RegularExpression")


def redirect_code(settings: Settings) -> int:
    """The status of redirects to another scheme or host."""
    return settings.integer("http-redirect-code", 308).value


def own_redirect(settings: Settings) -> RequestRedirect | None:
    """`temporal-redirect`, else `permanent-redirect` (internal/ingress/annotations/redirect/redirect.go)."""
    for key, default in (("temporal-redirect", 302), ("permanent-redirect", 301)):
        target = settings.text(key)
        if target is None or not target.value.startswith("http"):
            continue
        code = settings.integer(f"{key}-code", default).value
        url = urlsplit(target.value.strip())
        path = url.path + (f"?{url.query}" if url.query else "")
        host, _, uri = (url.hostname or "").partition("$")
        try:
            port = url.port
        except ValueError:
            port = None
        return RequestRedirect(
            target.place,
            code if 300 <= code <= 308 else default,
            scheme=url.scheme,
            host=host or None,
            port=port,
            path=None if uri or path in _URI_VARIABLES else path,
        )
    return None


def path_filters(settings: Settings, path: str) -> Iterator[Filter]:
    """`rewrite-target` (nothing where it equals the path), `upstream-vhost`, and the headers that requests get."""
    target = settings.text("rewrite-target")
    if target is not None and target.value != path:
        yield URLRewrite(target.place, path=target.value, regex=f"(?i){path}")
        prefix = settings.text("x-forwarded-prefix")
        if prefix is not None:
            yield HeaderModifier(prefix.place, set=(("X-Forwarded-Prefix", prefix.value),))
    host = settings.text("upstream-vhost")
    if host is not None:
        yield URLRewrite(host.place, host=host.value)
    for name, value, place in settings.added_headers:
        yield HeaderModifier(place, set=((name, value),))
