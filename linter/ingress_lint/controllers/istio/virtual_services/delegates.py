"""Rules of a VirtualService that others hold for it: each delegate's rules stand where the root names it.

istio/istio:pilot/pkg/model/virtualservice.go, mergeHTTPRoutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.load.document import Place
from ingress_lint.objects.istio import HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService
from ingress_lint.objects.model import KubernetesObject

VirtualServiceObject = KubernetesObject[VirtualService]


class Rule(Struct, frozen=True):
    """A rule as the gateway gets it. `owner` wrote it: the VirtualService itself, or one that it delegates to."""

    owner: VirtualServiceObject
    index: int
    place: Place
    rule: HTTPRoute
    matches: tuple[tuple[HTTPMatchRequest, Place], ...]


def own_rule(owner: VirtualServiceObject, index: int) -> Rule:
    """A rule with its matches, as it is written."""
    place = owner.at("spec", "http", index)
    rule = owner.body.spec.http[index]
    return Rule(owner, index, place, rule, tuple((match, place.at("match", i)) for i, match in enumerate(rule.match)))


def delegated(root: Rule, delegate: VirtualServiceObject) -> Iterator[Rule]:
    """The delegate's rules, each narrowed by the root's matches; one whose matches go beyond the root's is left out."""
    for index in range(len(delegate.body.spec.http)):
        leaf = own_rule(delegate, index)
        matches = _merged(root.matches, leaf.matches)
        if matches is not None:
            fields = ("rewrite", "timeout", "retries", "fault", "mirror", "mirror_percentage", "cors_policy", "headers")
            inherited = {field: getattr(root.rule, field) for field in fields if getattr(leaf.rule, field) is None}
            yield Rule(delegate, index, leaf.place, replace(leaf.rule, **inherited), matches)


def _merged(
    root: Sequence[tuple[HTTPMatchRequest, Place]], leaf: Sequence[tuple[HTTPMatchRequest, Place]]
) -> tuple[tuple[HTTPMatchRequest, Place], ...] | None:
    if not root or not leaf:
        return tuple(leaf or root)
    found: list[tuple[HTTPMatchRequest, Place]] = []
    for match, place in leaf:
        fitting = [outer for outer, _ in root if not _conflict(outer, match)]
        if not fitting:
            return None
        found += [
            (
                replace(
                    match,
                    uri=match.uri or outer.uri,
                    scheme=match.scheme or outer.scheme,
                    method=match.method or outer.method,
                    authority=match.authority or outer.authority,
                    headers={**outer.headers, **match.headers},
                    without_headers={**outer.without_headers, **match.without_headers},
                    query_params={**outer.query_params, **match.query_params},
                    port=match.port or outer.port,
                    gateways=outer.gateways,
                ),
                place,
            )
            for outer in fitting
        ]
    return tuple(found)


def _conflict(root: HTTPMatchRequest, leaf: HTTPMatchRequest) -> bool:
    pairs = [
        (root.uri, leaf.uri),
        (root.scheme, leaf.scheme),
        (root.method, leaf.method),
        (root.authority, leaf.authority),
        *((root.headers.get(name), item) for name, item in leaf.headers.items()),
        *((root.query_params.get(name), item) for name, item in leaf.query_params.items()),
    ]
    return (
        any(_exceeds(outer, inner) for outer, inner in pairs)
        or root.ignore_uri_case is not leaf.ignore_uri_case
        or bool(root.port and leaf.port and root.port != leaf.port)
    )


def _exceeds(root: StringMatch | None, leaf: StringMatch | None) -> bool:
    """Whether `leaf` takes what `root` does not."""
    if root is None or leaf is None:
        return False
    if root.exact is not None:
        return leaf.exact != root.exact
    if root.prefix is not None:
        inner = leaf.prefix if leaf.prefix is not None else leaf.exact
        return inner is None or not inner.startswith(root.prefix)
    return True
