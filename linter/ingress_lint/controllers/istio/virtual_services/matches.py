"""What a request must look like, as a VirtualService says it (istio/istio:pilot/pkg/networking/core/route/route.go,
TranslateRouteMatch). A `prefix` is one of characters: /foo takes /foobar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from ingress_lint.load.document import Place
from ingress_lint.objects.istio import HTTPMatchRequest, StringMatch
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.sourced import Origin, Sourced

_CLAIMS: Final = "@request.auth.claims"
_ANY: Final = ".*"


def any_request(place: Place) -> Match:
    """The match of a rule that names none."""
    return Match(Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DEFAULT, place, "no path matches every path"))


def http_match(written: HTTPMatchRequest, place: Place) -> Match:
    """One match; every part must hold. Envoy has authority, scheme and method as headers too."""
    method = written.method
    parts = {":authority": written.authority, ":scheme": written.scheme, ":method": method}
    plain = method is not None and method.exact is not None
    pseudo = {name: item for name, item in parts.items() if item is not None and not (plain and name == ":method")}
    return Match(
        path=_path(written, place) or any_request(place).path,
        headers=(
            *_values(_unclaimed(written.headers)),
            *(replace(item, inverted=True, or_absent=True) for item in _values(_unclaimed(written.without_headers))),
            *_values(pseudo),
        ),
        query=tuple(_values(written.query_params)),
        method=method.exact if method is not None else None,
        condition=" and ".join(_conditions(written)),
    )


def _unclaimed(written: Mapping[str, StringMatch]) -> dict[str, StringMatch]:
    """The headers among them that are headers, and not what a token says."""
    return {name: item for name, item in written.items() if not name.startswith(_CLAIMS)}


def takes_everything(match: Match) -> bool:
    """Whether no request fails it; such matches are tried last (IsCatchAllRoute, SortVHostRoutes)."""
    path = match.path.value
    anywhere = (path.type in (PathMatchType.PREFIX, PathMatchType.STRING_PREFIX) and path.value == "/") or (
        path.type is PathMatchType.REGULAR_EXPRESSION and path.value in ("*", ".*")
    )
    return anywhere and not (match.headers or match.query or match.method or match.condition)


def _path(written: HTTPMatchRequest, place: Place) -> Sourced[PathMatch] | None:
    uri = written.uri
    if uri is None:
        return None
    where = place.at("uri")
    for field, value, kind in (
        ("exact", uri.exact, PathMatchType.EXACT),
        ("prefix", uri.prefix, PathMatchType.STRING_PREFIX),
        ("regex", uri.regex, PathMatchType.REGULAR_EXPRESSION),
    ):
        if value is not None:
            return Sourced(PathMatch(kind, value, written.ignore_uri_case), Origin.EXPLICIT, where.at(field))
    return None


def _values(written: Mapping[str, StringMatch]) -> Iterator[ValueMatch]:
    for name, item in written.items():
        if item.exact is not None:
            yield ValueMatch(name, item.exact)
        elif item.prefix is not None:
            yield ValueMatch(name, re.escape(item.prefix) + _ANY, "RegularExpression")
        else:
            yield ValueMatch(name, _ANY if item.regex in (None, "*") else item.regex, "RegularExpression")


def _conditions(written: HTTPMatchRequest) -> Iterator[str]:
    """What has no form of its own: what a token says."""
    for headers, word in ((written.headers, ""), (written.without_headers, "not ")):
        for name, item in headers.items():
            if name.startswith(_CLAIMS):
                yield f"{name} {word}{_words(item)}"


def _words(item: StringMatch) -> str:
    if item.exact is not None:
        return f"`{item.exact}`"
    if item.prefix is not None:
        return f"`{item.prefix}*`"
    return f"~ `{item.regex}`" if item.regex is not None else "present"
