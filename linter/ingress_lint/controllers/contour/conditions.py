"""The conditions of HTTPProxies: those of includes and of the route at their end, merged into one match.

projectcontour/contour:internal/dag/conditions.go. Paths are joined as they are written; the last condition, be
it a header, says whether the whole is exact, and one regular expression makes the whole one. A prefix is compared by characters (dag.go,
PrefixMatchString).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

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
_ANYTHING: Final = ".*"


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
    headers: list[ValueMatch] = []
    query: list[ValueMatch] = []
    for placed in chain:
        for index, condition in enumerate(placed.conditions):
            at = placed.place.at(index)
            for name in ("prefix", "exact", "regex"):
                if value := getattr(condition, name):
                    path, place = path + value, at.at(name)
            if kind is not PathMatchType.REGULAR_EXPRESSION:
                kind = PathMatchType.EXACT if condition.exact else PathMatchType.STRING_PREFIX
            if condition.regex:
                kind = PathMatchType.REGULAR_EXPRESSION
            if condition.header is not None:
                headers += _header(condition.header)
            if condition.query_parameter is not None:
                query += _parameter(condition.query_parameter)
    path = _SLASHES.sub("/", path)
    match = PathMatch(kind, path or "/")
    origin = Origin.EXPLICIT if path else Origin.DEFAULT
    return Match(Sourced(match, origin, place), tuple(headers), tuple(query))


def _header(header: HeaderMatchCondition) -> Iterator[ValueMatch]:
    """internal/dag/conditions.go, headerMatchConditions: the first of these that is set counts."""
    name, ignore_case, absent = header.name, header.ignore_case, header.treat_missing_as_empty
    if header.present:
        yield ValueMatch(name, _ANYTHING, "RegularExpression")
    elif header.not_present:
        yield ValueMatch(name, _ANYTHING, "RegularExpression", inverted=True, or_absent=True)
    elif header.contains:
        yield _holding(name, header.contains, ignore_case=ignore_case)
    elif header.not_contains:
        unwanted = _holding(name, header.not_contains, ignore_case=ignore_case)
        yield replace(unwanted, inverted=True, or_absent=absent)
    elif header.exact:
        yield _compared(name, re.escape(header.exact), header.exact, ignore_case=ignore_case)
    elif header.not_exact:
        unwanted = _compared(name, re.escape(header.not_exact), header.not_exact, ignore_case=ignore_case)
        yield replace(unwanted, inverted=True, or_absent=absent)
    elif header.regex:
        yield ValueMatch(name, header.regex, "RegularExpression")


def _parameter(parameter: QueryParameterMatchCondition) -> Iterator[ValueMatch]:
    name, ignore_case = parameter.name, parameter.ignore_case
    if parameter.exact:
        yield _compared(name, re.escape(parameter.exact), parameter.exact, ignore_case=ignore_case)
    elif parameter.prefix:
        yield _compared(name, f"{re.escape(parameter.prefix)}.*", None, ignore_case=ignore_case)
    elif parameter.suffix:
        yield _compared(name, f".*{re.escape(parameter.suffix)}", None, ignore_case=ignore_case)
    elif parameter.regex:
        yield ValueMatch(name, parameter.regex, "RegularExpression")
    elif parameter.contains:
        yield _holding(name, parameter.contains, ignore_case=ignore_case)
    elif parameter.present:
        yield ValueMatch(name, _ANYTHING, "RegularExpression")


def _holding(name: str, text: str, *, ignore_case: bool) -> ValueMatch:
    return _compared(name, f".*{re.escape(text)}.*", None, ignore_case=ignore_case)


def _compared(name: str, expression: str, exact: str | None, *, ignore_case: bool) -> ValueMatch:
    if exact is not None and not ignore_case:
        return ValueMatch(name, exact)
    return ValueMatch(name, f"(?i){expression}" if ignore_case else expression, "RegularExpression")
