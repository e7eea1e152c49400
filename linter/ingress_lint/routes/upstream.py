"""A request as its backend gets it: what filters make of its host, path and headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.routes.filters import HeaderModifier, URLRewrite
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.matching import Request
from ingress_lint.routes.model import Filter
from ingress_lint.routes.paths import AS_WRITTEN, PathHandling
from ingress_lint.values.expressions import compiled
from ingress_lint.values.patterns import deferred

_DIGITS: Final = "0123456789"
_LITERAL: Final = (PathMatchType.EXACT, PathMatchType.PREFIX, PathMatchType.STRING_PREFIX)
"""Of what path a prefix can be replaced; of an exact one that is the whole."""
_CAPTURE: Final = deferred(r"\$([0-9])")


class Upstream(Struct, frozen=True):
    """The request as it reaches the backend; `path` with the query, header names in lower case."""

    host: str
    path: str
    headers: Mapping[str, str]


def upstream(
    request: Request, steps: Sequence[Filter], match: Match | None, paths: PathHandling = AS_WRITTEN
) -> Upstream:
    """What becomes of a request on its way through filters, `match` being what it was chosen by.

    A proxy that sends on the client's own path rewrites the one that it compared.
    """
    host, path, headers = request.host, paths.forwarded(request.path), dict(request.headers)
    if not paths.forwards_clean and any(isinstance(step, URLRewrite) and step.path is not None for step in steps):
        path = paths.matched(path) or path
    for step in steps:
        if isinstance(step, URLRewrite):
            host = _rewritten(host, step.host_regex, step.host) if step.host_regex is not None else step.host or host
            path = _stepped(path, step, match, paths)
        elif isinstance(step, HeaderModifier) and not step.of_response:
            _modify(headers, step)
    return Upstream(headers.pop("host", host), with_query(path or "/", request), headers)


def _stepped(path: str, step: URLRewrite, match: Match | None, paths: PathHandling) -> str:
    """What a rewrite makes of a path."""
    if step.regex is None:
        return new_path(path, step.path, match, replace_prefix=step.replace_prefix, paths=paths)
    found = replaced(path, step.regex, step.path or "") if step.in_place else _rewritten(path, step.regex, step.path)
    return f"/{found}" if step.rooted and found and not found.startswith("/") else found


def with_query(path: str, request: Request) -> str:
    """A path with the query of a request."""
    if not request.query_string:
        return path
    return f"{path}{'&' if '?' in path else '?'}{request.query_string}"


def _modify(headers: dict[str, str], step: HeaderModifier) -> None:
    for name, value in step.set:
        headers[name.lower()] = value
    for name, value in step.add:
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known},{value}" if known is not None else value
    for name in step.remove:
        headers.pop(name.lower(), None)


def new_path(
    path: str, new: str | None, match: Match | None, *, replace_prefix: bool, paths: PathHandling = AS_WRITTEN
) -> str:
    """The path that a redirect or rewrite makes of another."""
    if new is None:
        return path
    if not replace_prefix:
        return new or "/"
    if match is None or match.path.value.type not in _LITERAL:
        return path
    prefix = match.path.value.value
    if paths.bare_prefix_stays and prefix != "/" and prefix.endswith("/") and new in ("", "/") and path == prefix[:-1]:
        return path
    rest = path[len(prefix.rstrip("/")) :]
    joined = new.rstrip("/") + rest if rest else new
    return joined if joined.startswith("/") else f"/{joined}"


def _rewritten(text: str, regex: str, new: str | None) -> str:
    """A path or host rewritten by an expression with capture groups; as it is where the expression does not fit."""
    expression = compiled(regex)
    groups = expression.captured(text) if expression is not None else None
    return text if groups is None or new is None else _filled(new, groups)


def replaced(text: str, regex: str, new: str) -> str:
    """A text in which everything that an expression finds is replaced; as it is where the expression does not compile."""
    expression = compiled(regex)
    return text if expression is None else expression.replaced(text, lambda groups: _filled(new, groups))


def _filled(new: str, groups: Sequence[str]) -> str:
    by_number = dict(zip(_DIGITS, groups, strict=False))
    return _CAPTURE.sub(lambda named: by_number.get(named[1], ""), new)
