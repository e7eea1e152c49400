"""What ingress-nginx does to requests by itself: redirects, rewrites, and the conditions of canaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.routes.filters import HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import ValueMatch
from ingress_lint.routes.model import Attachment, ExternalAuth, Filter
from ingress_lint.values.expressions import compiled
from ingress_lint.values.urls import port_of, split_url

_URI_VARIABLES: Final = frozenset({"", "$request_uri", "$uri", "/$request_uri"})


ACME_CHALLENGE: Final = "/.well-known/acme-challenge"
_ANYTHING: Final = "(?s).*"


def canary_decisions(settings: Settings) -> list[tuple[ValueMatch, bool]]:
    """The headers that settle whether a request goes to the canary, in the order they are looked at, with the answer.

    `always` and `never` in the header of `canary-by-header`, unless a value or a pattern is set for it; then the same
    for the cookie. A pattern that does not compile keeps every request with the header from the canary
    (rootfs/etc/nginx/lua/balancer.lua, route_to_alternative_balancer).
    """
    found: list[tuple[ValueMatch, bool]] = []
    header = settings.text("canary-by-header")
    if header is not None:
        value, pattern = settings.text("canary-by-header-value"), settings.text("canary-by-header-pattern")
        if value is not None and value.value:
            found.append((ValueMatch(header.value, value.value), True))
        elif pattern is not None and pattern.value:
            if compiled(pattern.value) is not None:
                expression = f"(?s).*(?:{pattern.value}).*"
                found.append((ValueMatch(header.value, expression, "RegularExpression"), True))
            else:
                found.append((ValueMatch(header.value, _ANYTHING, "RegularExpression"), False))
        else:
            found += [(ValueMatch(header.value, "always"), True), (ValueMatch(header.value, "never"), False)]
    cookie = settings.text("canary-by-cookie")
    if cookie is not None:
        found += [(_cookie(cookie.value, "always"), True), (_cookie(cookie.value, "never"), False)]
    return found


def _cookie(name: str, value: str) -> ValueMatch:
    return ValueMatch("Cookie", rf"(.*;\s*)?{re.escape(name)}={value}(;.*)?", "RegularExpression")


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
        url = split_url(target.value.strip())
        if url is None:
            continue
        path = url.path + (f"?{url.query}" if url.query else "")
        host, _, uri = (url.hostname or "").partition("$")
        return RequestRedirect(
            target.place,
            code if 300 <= code <= 308 else default,
            scheme=url.scheme,
            host=host or None,
            port=port_of(url),
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


def external_auth(settings: Settings, path: str) -> ExternalAuth | None:
    """`auth-url`, else the `global-auth-url` of the ConfigMap unless `enable-global-auth` is off; but for paths that
    start like one of `no-auth-locations`.

    nginx takes 2xx for yes, 401 and 403 for no, and answers 500 for anything else (nginx/nginx:
    src/http/modules/ngx_http_auth_request_module.c). Those who get 401 are sent to `auth-signin`
    (internal/ingress/annotations/authreq/main.go; internal/ingress/controller/template/template.go,
    shouldApplyGlobalAuth).
    """
    prefix, url = "", settings.text("auth-url")
    if url is None and settings.boolean("enable-global-auth", True).value:
        prefix, url = "global-", settings.text("global-auth-url")
    exempt = settings.list("no-auth-locations")
    if url is None or path.startswith(tuple(item.value for item in exempt) or ACME_CHALLENGE):
        return None
    login = settings.text(f"{prefix}auth-signin")
    return ExternalAuth(
        url.place,
        url=url.value.strip(),
        unclear="clients get 500",
        login=login.value.strip() if login else "",
        login_place=login.place if login else None,
    )


def secrets(settings: Settings, graph: ObjectGraph, namespace: str) -> Iterator[Attachment]:
    """The Secrets of passwords, of client certificates and of TLS to the pods; the last two are NAMESPACE/NAME.

    internal/ingress/annotations/{auth,authtls,proxyssl}/main.go; without `auth-type` nobody reads `auth-secret`. A path
    whose Secret is not there answers 503, a host without that of its client certificates 403 (rootfs/etc/nginx/template).
    """
    for key, consequence in (
        ("auth-secret", "clients get 503"),
        ("auth-tls-secret", "clients get 403"),
        ("proxy-ssl-secret", "clients get 503"),
    ):
        named = settings.text(key)
        if named is None or (key == "auth-secret" and settings.text("auth-type") is None):
            continue
        space, _, name = named.value.strip().rpartition("/")
        if space or key == "auth-secret":
            found = graph.resolve(SECRET, space or namespace, name)
        else:
            found = Resolution(Existence.MISSING, why=f"its name there is `{namespace}/{name}`")
        yield Attachment(named.place, SECRET, space or namespace, name, found, consequence)
