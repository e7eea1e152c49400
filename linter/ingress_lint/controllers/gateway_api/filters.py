"""Filters of the Gateway API in the route model's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ingress_lint.controllers.shared.implementations import Implementation
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway_routes import (
    BackendObjectReference,
    GRPCRouteFilter,
    HTTPCORSFilter,
    HTTPHeaderFilter,
    HTTPPathModifier,
    HTTPRequestMirrorFilter,
    HTTPRequestRedirectFilter,
    HTTPRouteFilter,
    HTTPURLRewriteFilter,
)
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.model import BackendRef, ExternalAuth, Filter, RequestMirror
from ingress_lint.routes.verdicts import Fate, Reason, Verdict

_MIRRORED: Final = "the copies of requests that it is meant to get are dropped"
_MIRROR_REQUIRED: Final = "as no copies can be sent there, clients get 500"
_ASKED: Final = "no request can be authorised, and clients get 500"

ResolveBackend = Callable[[BackendObjectReference, Place, str], BackendRef]
"""Resolves the backend at a place; the text says what happens where that fails."""


def filters(
    written: Iterable[HTTPRouteFilter | GRPCRouteFilter],
    place: Place,
    resolve: ResolveBackend,
    implementation: Implementation,
) -> tuple[Filter, ...]:
    """The filters at `place`, in order; those without the block that their type asks for are left out."""
    return tuple(
        found for index, item in enumerate(written) for found in _filter(item, place.at(index), resolve, implementation)
    )


def unsupported(
    written: Iterable[HTTPRouteFilter | GRPCRouteFilter], place: Place, owner: AnyObject, implementation: Implementation
) -> Iterator[Verdict]:
    """The filters at `place` that an implementation does not know, so that it answers for the rule itself."""
    for index, item in enumerate(written):
        if item.type == "RequestMirror" and not implementation.copies_requests:
            yield Verdict(
                Reason.INVALID,
                owner,
                place.at(index, "type"),
                f"{owner.kind} `{owner.name}` has a filter RequestMirror, which {implementation.title} does not support; "
                "clients of the rule get 500",
                fix="remove the filter",
                fate=Fate.ANSWERED,
                status=500,
            )


def _filter(
    item: HTTPRouteFilter | GRPCRouteFilter, place: Place, resolve: ResolveBackend, implementation: Implementation
) -> Iterator[Filter]:
    if item.type == "RequestHeaderModifier" and item.request_header_modifier:
        yield _headers(item.request_header_modifier, place.at("requestHeaderModifier"), of_response=False)
    elif item.type == "ResponseHeaderModifier" and item.response_header_modifier:
        yield _headers(item.response_header_modifier, place.at("responseHeaderModifier"), of_response=True)
    elif item.type == "RequestMirror" and item.request_mirror:
        yield _mirror(item.request_mirror, place.at("requestMirror"), resolve, required=implementation.mirrors_required)
    elif item.type == "ExtensionRef" and item.extension_ref:
        reference = item.extension_ref
        yield ExtensionFilter(place.at("extensionRef"), reference.group, reference.kind, reference.name)
    elif isinstance(item, HTTPRouteFilter):
        yield from _http_filter(item, place, resolve)


def _http_filter(item: HTTPRouteFilter, place: Place, resolve: ResolveBackend) -> Iterator[Filter]:
    if item.type == "RequestRedirect" and item.request_redirect:
        yield _redirect(item.request_redirect, place)
    elif item.type == "URLRewrite" and item.url_rewrite:
        yield _rewrite(item.url_rewrite, place.at("urlRewrite"))
    elif item.type == "CORS" and item.cors:
        yield _cors(item.cors, place.at("cors"))
    elif item.type == "ExternalAuth" and item.external_auth:
        where = place.at("externalAuth")
        yield ExternalAuth(where, resolve(item.external_auth.backend_ref, where.at("backendRef"), _ASKED))


def _headers(item: HTTPHeaderFilter, place: Place, *, of_response: bool) -> HeaderModifier:
    return HeaderModifier(
        place,
        set=tuple((header.name, header.value) for header in item.set),
        add=tuple((header.name, header.value) for header in item.add),
        remove=tuple(item.remove),
        of_response=of_response,
    )


def _mirror(item: HTTPRequestMirrorFilter, place: Place, resolve: ResolveBackend, *, required: bool) -> RequestMirror:
    share = 1.0
    if item.percent is not None:
        share = item.percent / 100
    elif item.fraction is not None and item.fraction.denominator:
        share = item.fraction.numerator / item.fraction.denominator
    seen = _MIRROR_REQUIRED if required else _MIRRORED
    return RequestMirror(place, resolve(item.backend_ref, place.at("backendRef"), seen), share, required)


def _redirect(item: HTTPRequestRedirectFilter, place: Place) -> RequestRedirect:
    path, replace_prefix = _path(item.path)
    return RequestRedirect(place, item.status_code, item.scheme, item.hostname, item.port, path, replace_prefix)


def _rewrite(item: HTTPURLRewriteFilter, place: Place) -> URLRewrite:
    path, replace_prefix = _path(item.path)
    return URLRewrite(place, item.hostname, path, replace_prefix)


def _path(modifier: HTTPPathModifier | None) -> tuple[str | None, bool]:
    if modifier is None:
        return None, False
    if modifier.type == "ReplacePrefixMatch":
        return modifier.replace_prefix_match, True
    return modifier.replace_full_path, False


def _cors(item: HTTPCORSFilter, place: Place) -> CORS:
    return CORS(
        place,
        origins=item.allow_origins,
        methods=item.allow_methods,
        headers=item.allow_headers,
        exposed=item.expose_headers,
        credentials=bool(item.allow_credentials),
        max_age=item.max_age,
    )
