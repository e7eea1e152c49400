"""The conditions of HTTPProxies: those of includes and of the route at their end, merged into one match.

projectcontour/contour:internal/dag/conditions.go. Paths are joined as they are written; the last one says how the
whole is compared, and one regular expression makes the whole one. A prefix is compared by characters (dag.go,
PrefixMatchString).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.contour import (
    HeaderMatchCondition,
    MatchCondition,
    QueryParameterMatchCondition,
)
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.patterns import deferred

_SLASHES: Final = deferred(r"//+")


class PlacedConditions(Struct, frozen=True):
    """The conditions of one route or include, at `place`."""

    conditions: Sequence[MatchCondition]
    place: Place


def path_fault(conditions: Sequence[MatchCondition], *, of_include: bool) -> tuple[str, int] | None:
    """Why Contour refuses the paths among the conditions of one object, with the index of the one at fault."""
    paths = 0
    for index, condition in enumerate(conditions):
        for name in ("prefix", "exact", "regex"):
            value = getattr(condition, name)
            if not value:
                continue
            paths += 1
            if name != "regex" and not value.startswith("/"):
                return f"the path `{value}` does not start with a slash", index
            if of_include and name == "exact":
                return "an include takes no `exact` path", index
            if paths > 1:
                return "only one path may be among the conditions", index
    return None


def merged(chain: Sequence[PlacedConditions], absent: Place) -> Match:
    """One match of all conditions from the root down; without any path, every path."""
    path, place, kind = "", absent, PathMatchType.STRING_PREFIX
    regex = False
    headers: list[ValueMatch] = []
    query: list[ValueMatch] = []
    rest: list[str] = []
    for placed in chain:
        for index, condition in enumerate(placed.conditions):
            at = placed.place.at(index)
            for name, meaning in (("prefix", PathMatchType.STRING_PREFIX), ("exact", PathMatchType.EXACT)):
                if value := getattr(condition, name):
                    path, place, kind = path + value, at.at(name), meaning
            if condition.regex:
                path, place, regex = path + condition.regex, at.at("regex"), True
            if condition.header is not None:
                _add(_header(condition.header), headers, rest)
            if condition.query_parameter is not None:
                _add(_parameter(condition.query_parameter), query, rest)
    path = _SLASHES.sub("/", path)
    match = PathMatch(PathMatchType.REGULAR_EXPRESSION if regex else kind, path or "/")
    origin = Origin.EXPLICIT if path else Origin.DEFAULT
    return Match(Sourced(match, origin, place), tuple(headers), tuple(query), condition=" and ".join(rest))


def _add(found: Iterator[ValueMatch | str], values: list[ValueMatch], rest: list[str]) -> None:
    for item in found:
        if isinstance(item, str):
            rest.append(item)
        else:
            values.append(item)


def _header(header: HeaderMatchCondition) -> Iterator[ValueMatch | str]:
    name = header.name
    if header.not_present:
        yield f"header {name} is absent"
    elif header.not_contains:
        yield f"header {name} does not contain {header.not_contains}"
    elif header.not_exact:
        yield f"header {name} is not {header.not_exact}"
    elif header.exact:
        yield _compared(name, re.escape(header.exact), header.exact, ignore_case=header.ignore_case)
    elif header.contains:
        yield _compared(name, f".*{re.escape(header.contains)}.*", None, ignore_case=header.ignore_case)
    elif header.regex:
        yield ValueMatch(name, header.regex, "RegularExpression")
    elif header.present:
        yield ValueMatch(name, ".*", "RegularExpression")


def _parameter(parameter: QueryParameterMatchCondition) -> Iterator[ValueMatch | str]:
    name, ignore_case = parameter.name, parameter.ignore_case
    if parameter.exact:
        yield _compared(name, re.escape(parameter.exact), parameter.exact, ignore_case=ignore_case)
    elif parameter.prefix:
        yield _compared(name, f"{re.escape(parameter.prefix)}.*", None, ignore_case=ignore_case)
    elif parameter.suffix:
        yield _compared(name, f".*{re.escape(parameter.suffix)}", None, ignore_case=ignore_case)
    elif parameter.contains:
        yield _compared(name, f".*{re.escape(parameter.contains)}.*", None, ignore_case=ignore_case)
    elif parameter.regex:
        yield ValueMatch(name, parameter.regex, "RegularExpression")
    elif parameter.present:
        yield ValueMatch(name, ".*", "RegularExpression")


def _compared(name: str, expression: str, exact: str | None, *, ignore_case: bool) -> ValueMatch:
    if exact is not None and not ignore_case:
        return ValueMatch(name, exact)
    return ValueMatch(name, f"(?i){expression}" if ignore_case else expression, "RegularExpression")
