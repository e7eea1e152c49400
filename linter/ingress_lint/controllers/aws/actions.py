"""What `actions.<name>`, `conditions.<name>` and `transforms.<name>` annotations of an ALB Ingress make of a path.

Sources: kubernetes-sigs/aws-load-balancer-controller:pkg/ingress/config_types.go, enhanced_backend_builder.go,
rule_optimizer.go. Keys are compared without case, as Go's JSON reader does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.load.document import Place
from ingress_lint.objects.model import IntOrString
from ingress_lint.routes.filters import FixedResponse, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.numbers import whole
from ingress_lint.values.ports import number_or_name

_NO_ACTION: Final = 503


class ForwardTarget(Struct, frozen=True):
    """A part of a forward action: a Service with its port, or a target group by its ARN (`port` None)."""

    service: str
    port: IntOrString | None
    weight: int


class Action(Struct, frozen=True):
    """What an ALB rule does; `redirect` holds a redirect's fields as written."""

    place: Place
    filters: tuple[Filter, ...] = ()
    targets: tuple[ForwardTarget, ...] = ()
    redirect: dict[str, str] | None = None


def read_action(written: Sourced[Any] | None, path_place: Place) -> Action:
    """The action of an annotation; one that is absent or unusable answers 503 "Backend action does not exist"."""
    if written is None:
        return Action(path_place, (FixedResponse(path_place, _NO_ACTION),))
    place, value = written.place, _mapping(_lowered(written.value))
    kind = value.get("type")
    if kind == "fixed-response":
        status = whole(str(_mapping(value.get("fixedresponseconfig")).get("statuscode", "")))
        return Action(place, (FixedResponse(place, _NO_ACTION if status is None else status),))
    if kind == "redirect":
        fields = {key: str(item) for key, item in _mapping(value.get("redirectconfig")).items() if item is not None}
        return Action(place, (_redirect(fields, place),), redirect=fields)
    if kind == "forward":
        return Action(place, targets=tuple(_targets(value)))
    return Action(place, (FixedResponse(place, _NO_ACTION),))


def _redirect(fields: dict[str, str], place: Place) -> RequestRedirect:
    def changed(key: str, kept: str) -> str | None:
        value = fields.get(key)
        return None if value is None or value == kept else value

    protocol, port = changed("protocol", "#{protocol}"), changed("port", "#{port}")
    return RequestRedirect(
        place,
        status=301 if fields.get("statuscode", "").endswith("301") else 302,
        scheme=protocol.lower() if protocol else None,
        host=changed("host", "#{host}"),
        port=whole(port) if port else None,
        path=changed("path", "/#{path}"),
    )


def _targets(value: dict[str, Any]) -> Iterator[ForwardTarget]:
    arn = value.get("targetgrouparn")
    if isinstance(arn, str):
        yield ForwardTarget(arn, None, 1)
    groups = _mapping(value.get("forwardconfig")).get("targetgroups")
    for group in groups if isinstance(groups, list) else ():
        if not isinstance(group, dict):
            continue
        weight = group.get("weight", 1)
        weight = weight if isinstance(weight, int) else 1
        service, port, arn = group.get("servicename"), group.get("serviceport"), group.get("targetgrouparn")
        if isinstance(service, str) and isinstance(port, (int, str)):
            yield ForwardTarget(service, number_or_name(port), weight)
        elif isinstance(arn, str):
            yield ForwardTarget(arn, None, weight)


def _lowered(value: Any) -> Any:
    """`value` with every key in lower case."""
    if isinstance(value, dict):
        return {str(key).lower(): _lowered(item) for key, item in value.items()}
    return [_lowered(item) for item in value] if isinstance(value, list) else value


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def serves(action: Action, listener: Listener, host: str | None, path: str) -> bool:
    """Whether the rule is made on a listener: a redirect that would lead to itself is left out there.

    So the customary `ssl-redirect` action on a catch-all path serves the plain listener only.
    """
    if action.redirect is None:
        return True
    itself = {
        "host": ("#{host}", host),
        "path": ("/#{path}", path),
        "port": ("#{port}", str(listener.port.value)),
        "protocol": ("#{protocol}", listener.protocol.value),
        "query": ("#{query}",),
    }
    return any(action.redirect[key] not in same for key, same in itself.items() if key in action.redirect)


def rewrites(written: Sourced[Any]) -> Iterator[URLRewrite]:
    """What an annotation rewrites of paths and of the Host header; what its expression does not fit stays as it is.

    docs/guide/ingress/annotations.md, transforms; pkg/ingress/config_types.go, Transform.
    """
    for item in written.value if isinstance(written.value, list) else ():
        transform = _mapping(_lowered(item))
        of_path = transform.get("type") == "url-rewrite"
        settings = _mapping(transform.get("urlrewriteconfig" if of_path else "hostheaderrewriteconfig"))
        found = settings.get("rewrites")
        for rewrite in map(_mapping, found if isinstance(found, list) else ()):
            regex, new = rewrite.get("regex"), rewrite.get("replace")
            if isinstance(regex, str) and isinstance(new, str):
                yield (
                    URLRewrite(written.place, path=new, regex=regex)
                    if of_path
                    else URLRewrite(written.place, host=new, host_regex=regex)
                )


def applied_conditions(route: Route, written: Sourced[Any]) -> Route:
    """A route with the conditions of an annotation: more hosts and paths, and what else a request must look like.

    A source address has no place in the route model, and narrows it further than is shown.
    """
    hostnames, paths = list(route.hostnames), [match.path for match in route.matches]
    methods: list[str | None] = [None]
    headers: list[ValueMatch] = []
    query: list[ValueMatch] = []
    conditions = written.value if isinstance(written.value, list) else []
    for item in conditions:
        condition = _mapping(_lowered(item))
        settings = next((found for found in condition.values() if isinstance(found, dict)), {})
        values = settings.get("values")
        if not isinstance(values, list) or not values:
            continue
        match condition.get("field"):
            case "host-header":
                hostnames += [Sourced(str(value), Origin.EXPLICIT, written.place) for value in values]
            case "path-pattern":
                paths += [_pattern(str(value), written.place) for value in values]
            case "http-request-method":
                methods = [str(value) for value in values]
            case "http-header":
                headers.append(_one_of(str(settings.get("httpheadername", "")), [str(value) for value in values]))
            case "query-string":
                query += _query(values)
    matches = tuple(Match(path, tuple(headers), tuple(query), method) for path, method in product(paths, methods))
    return replace(route, hostnames=tuple(hostnames), matches=matches)


def _pattern(value: str, place: Place) -> Sourced[PathMatch]:
    return Sourced(PathMatch(PathMatchType.GLOB, value), Origin.EXPLICIT, place)


def _query(values: list[Any]) -> Iterator[ValueMatch]:
    by_key: dict[str, list[str]] = {}
    for pair in values:
        if isinstance(pair, dict) and isinstance(pair.get("key"), str):
            by_key.setdefault(pair["key"], []).append(str(pair.get("value", "")))
    return (_one_of(key, allowed) for key, allowed in by_key.items())


def _one_of(name: str, values: list[str]) -> ValueMatch:
    """A value that is one of several patterns, with `*` and `?` as in paths."""
    if len(values) == 1 and not set(values[0]) & set("*?"):
        return ValueMatch(name, values[0])
    patterns = (re.escape(value).replace(r"\*", ".*").replace(r"\?", ".") for value in values)
    return ValueMatch(name, f"^(?:{'|'.join(patterns)})$", "RegularExpression")
