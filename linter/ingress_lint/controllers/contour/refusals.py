"""What makes an HTTPProxy invalid beyond its paths and TLS, so that Contour serves none of its routes.

projectcontour/contour:internal/dag/httpproxy_processor.go and policy.go; each is `Valid: False`. What is wrong with the
virtual host of a root costs the HTTPProxies that it includes their routes as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingress_lint.controllers.shared.policies.rejected import EACH, Refused, Value, occurrences, spec, wrong_values
from ingress_lint.load.unknown import is_unknown
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Fate, Verdict
from ingress_lint.values.numbers import decimal

_REFUSED: Final = Refused("Contour", "Valid: False", "it serves none of its routes, and clients get 404", Fate.DROPPED)
_FAMILIES: Final = ("auto", "all", "v4", "v6")
_REWRITTEN: Final = ("pathRewrite", "domainRewrite", "secure", "sameSite")
_TLS_ONLY: Final = "and only a root HTTPProxy that ends TLS may have that"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _host(value: Any) -> Mapping[str, Any]:
    return _mapping(_mapping(value).get("tls"))


def _providers(value: Any) -> str | None:
    """What is wrong with the token providers of a virtual host."""
    written = _mapping(value).get("jwtProviders")
    if not written:
        return None
    if not _host(value).get("secretName"):
        return f"has `jwtProviders` without `tls.secretName`, {_TLS_ONLY}"
    if _host(value).get("enableFallbackCertificate"):
        return "has `jwtProviders` beside `enableFallbackCertificate`, and may have one of them"
    defaults = [item for item in written if _mapping(item).get("default") is True] if isinstance(written, list) else []
    return "has two default `jwtProviders`, and may have one" if len(defaults) > 1 else None


def _authorization(value: Any) -> str | None:
    asked = _mapping(_mapping(_mapping(value).get("authorization")).get("extensionRef")).get("name")
    return f"has `authorization` without `tls`, {_TLS_ONLY}" if asked and not _host(value) else None


def _filters(value: Any) -> str | None:
    both = _mapping(value).get("ipAllowPolicy") and _mapping(value).get("ipDenyPolicy")
    return "has both `ipAllowPolicy` and `ipDenyPolicy`, and may have one of them" if both else None


def _keys(value: Any) -> str | None:
    text = value if isinstance(value, str) else "https://"
    return None if text.startswith(("http://", "https://")) else "which is no URL of http or https"


def _family(value: Any) -> str | None:
    return None if value in _FAMILIES else "and only auto, all, v4 and v6 are known"


def _both(value: Any) -> str | None:
    both = _mapping(value).get("require") and _mapping(value).get("disabled") is True
    return "has `require` and `disabled`, and may have one of them" if both else None


def _answer_header(value: Any) -> str | None:
    return "and no answer has that header" if isinstance(value, str) and value.lower() == "host" else None


def _cookie(value: Any) -> str | None:
    rewritten = any(_mapping(value).get(name) is not None for name in _REWRITTEN)
    return None if rewritten or not isinstance(value, dict) else "rewrites nothing of the cookie"


def _cookies(value: Any) -> str | None:
    names = Counter(str(_mapping(item).get("name")) for item in value) if isinstance(value, list) else Counter[str]()
    twice = next((name for name, number in names.items() if number > 1), None)
    return f"has two rules for cookie `{twice}`" if twice is not None else None


def _aggression(value: Any) -> str | None:
    return None if decimal(str(value)) is not None else "which is no decimal number"


def _conditions(value: Any) -> str | None:
    """What is wrong with the conditions of a route: one header or parameter must be exactly two things."""
    for field in ("header", "queryParameter"):
        exact = [
            str(wanted.get("name")).lower()
            for item in (value if isinstance(value, list) else ())
            if (wanted := _mapping(_mapping(item).get(field))).get("exact")
        ]
        twice = next((name for name, number in Counter(exact).items() if number > 1), None)
        if twice is not None:
            return f"has two exact conditions for {field} `{twice}`"
    return None


def _streams(value: Any) -> str | None:
    """What is wrong with a proxy of connections."""
    written = _mapping(value)
    services, include = written.get("services"), written.get("include") or written.get("includes")
    if services and include:
        return "has services and an include, and may have one of them"
    return None if services or include else "has neither services nor an include"


def _of_routes() -> Iterator[Value]:
    route = ("routes", EACH)
    yield Value((*route, "conditions"), _conditions)
    yield Value((*route, "jwtVerificationPolicy"), _both)
    yield Value(route, _filters)
    yield Value((*route, "services", EACH, "slowStartPolicy", "aggression"), _aggression)
    for way in (route, (*route, "services", EACH)):
        yield Value((*way, "responseHeadersPolicy", "set", EACH, "name"), _answer_header)
        yield Value((*way, "cookieRewritePolicies"), _cookies)
        yield Value((*way, "cookieRewritePolicies", EACH), _cookie)


_OF_HOSTS: Final = (
    Value(("virtualhost",), _providers),
    Value(("virtualhost",), _authorization),
    Value(("virtualhost",), _filters),
    Value(("virtualhost", "jwtProviders", EACH, "remoteJWKS", "uri"), _keys),
    Value(("virtualhost", "jwtProviders", EACH, "remoteJWKS", "dnsLookupFamily"), _family),
    Value(("tcpproxy",), _streams),
)
_OF_ROUTES: Final = tuple(_of_routes())


def refused_host(root: AnyObject) -> tuple[Verdict, ...]:
    """What is wrong with the virtual host of an HTTPProxy."""
    written = root.mapping("spec")
    if not any(written.get(name) for name in ("routes", "includes", "tcpproxy")) and not is_unknown(
        spec(root), parts=True
    ):
        what = f"HTTPProxy `{root.name}` has none of `routes`, `includes` and `tcpproxy`"
        return (_REFUSED.verdict(root, spec(root).key(), what),)
    return tuple(wrong_values(root, _OF_HOSTS, _REFUSED))


def refused_routes(proxy: AnyObject, root: AnyObject) -> tuple[Verdict, ...]:
    """What is wrong with any of the routes of an HTTPProxy, which costs it all; tokens are of the providers of its root."""
    known = {name for _, name in occurrences(spec(root), ("virtualhost", "jwtProviders", EACH, "name"))}

    def unknown(name: Any) -> str | None:
        return None if name in known else "which is none of the `jwtProviders` of its virtual host"

    named = Value(("routes", EACH, "jwtVerificationPolicy", "require"), unknown)
    return tuple(wrong_values(proxy, (*_OF_ROUTES, named), _REFUSED))
