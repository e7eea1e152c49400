"""What a VirtualService's rule does to requests (istio/istio:pilot/pkg/networking/core/route/route.go)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ingress_lint.load.document import Place
from ingress_lint.objects.istio import (
    CorsPolicy,
    Destination,
    HeaderOperations,
    Headers,
    HTTPRedirect,
    HTTPRewrite,
    HTTPRoute,
    Percent,
)
from ingress_lint.routes.filters import CORS, FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.model import BackendRef, Filter, RequestMirror
from ingress_lint.values.durations import go_duration
from ingress_lint.values.patterns import deferred

_AUTHORITY: Final = frozenset({"host", ":authority"})
_GROUP: Final = deferred(r"\\(\d)")


class ResolveDestination(Protocol):
    """Turns a destination at a place into a backend."""

    def __call__(self, destination: Destination, place: Place) -> BackendRef:
        """The backend."""


def filters(rule: HTTPRoute, place: Place, matches: Sequence[Match], resolve: ResolveDestination) -> Iterator[Filter]:
    """The filters of a rule; a redirect or an answer of its own goes before everything else."""
    if rule.redirect is not None:
        yield _redirect(rule.redirect, place.at("redirect"))
        return
    if rule.direct_response is not None:
        yield FixedResponse(place.at("directResponse", "status"), rule.direct_response.status)
        return
    abort = rule.fault.abort if rule.fault else None
    if abort is not None and abort.http_status and abort.percentage and abort.percentage.value >= 100:
        yield FixedResponse(place.at("fault", "abort", "httpStatus"), abort.http_status)
    if rule.cors_policy is not None:
        yield _cors(rule.cors_policy, place.at("corsPolicy"))
    if rule.rewrite is not None:
        yield _rewrite(rule.rewrite, place.at("rewrite"), matches)
    if rule.headers is not None:
        yield from header_filters(rule.headers, place.at("headers"))
    if rule.mirror is not None and (share := _share(rule.mirror_percentage)):
        yield RequestMirror(place.at("mirror"), resolve(rule.mirror, place.at("mirror")), share)
    for index, mirror in enumerate(rule.mirrors):
        if share := _share(mirror.percentage):
            where = place.at("mirrors", index)
            yield RequestMirror(where, resolve(mirror.destination, where.at("destination")), share)


def header_filters(written: Headers, place: Place) -> Iterator[Filter]:
    """Changes to headers; that of the host is a rewrite."""
    for operations, field in ((written.request, "request"), (written.response, "response")):
        if operations is None:
            continue
        where, of_response = place.at(field), field == "response"
        host = _new_host(operations)
        if host and not of_response:
            yield URLRewrite(where, host=host)
        yield HeaderModifier(
            where,
            set=tuple(item for item in operations.set.items() if item[0].lower() not in _AUTHORITY),
            add=tuple(item for item in operations.add.items() if item[0].lower() not in _AUTHORITY),
            remove=tuple(operations.remove),
            of_response=of_response,
        )


def _new_host(operations: HeaderOperations) -> str | None:
    for changes in (operations.set, operations.add):
        for name, value in changes.items():
            if name.lower() in _AUTHORITY:
                return value
    return None


def _share(percentage: Percent | None) -> float:
    return 1.0 if percentage is None else percentage.value / 100


def _redirect(written: HTTPRedirect, place: Place) -> RequestRedirect:
    return RequestRedirect(
        place,
        written.redirect_code,
        scheme=written.scheme or None,
        host=written.authority or None,
        port=written.port,
        path=written.uri or None,
    )


def _rewrite(written: HTTPRewrite, place: Place, matches: Sequence[Match]) -> URLRewrite:
    host = written.authority or None
    if written.uri_regex_rewrite is not None:
        regex = written.uri_regex_rewrite
        return URLRewrite(place, host, _GROUP.sub(r"$\1", regex.rewrite), regex=regex.match)
    if not written.uri:
        return URLRewrite(place, host)
    prefixes = {
        match.path.value.value
        for match in matches
        if match.path.value.type in (PathMatchType.PREFIX, PathMatchType.STRING_PREFIX)
    }
    if not prefixes:
        return URLRewrite(place, host, written.uri)
    prefix = next(iter(prefixes))
    alone = len(prefixes) == 1 and all(match.path.value.value == prefix for match in matches)
    if alone and prefix.endswith("/") is not written.uri.endswith("/"):
        # Envoy replaces characters: /api with / makes // of /api/x
        return URLRewrite(place, host, written.uri + "$1", regex=re.escape(prefix) + "(.*)")
    return URLRewrite(place, host, written.uri, replace_prefix=True)


def _cors(written: CorsPolicy, place: Place) -> CORS:
    patterns = (
        item.exact or (f"{item.prefix}*" if item.prefix else item.regex or "") for item in written.allow_origins
    )
    age = go_duration(written.max_age) if written.max_age else None
    return CORS(
        place,
        origins=tuple(patterns) or tuple(written.allow_origin),
        methods=tuple(written.allow_methods),
        headers=tuple(written.allow_headers),
        exposed=tuple(written.expose_headers),
        credentials=bool(written.allow_credentials),
        max_age=math.floor(age) if age is not None else None,
    )
