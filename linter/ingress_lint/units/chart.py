"""Charts: found, listed and counted. Their templates are no manifests until they are rendered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.load.document import Document, Place, Problem, ProblemKind, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.files import Found, UnreadableError, read
from ingress_lint.load.values import ValueReader
from ingress_lint.units.plan import Unit
from ingress_lint.units.walking import CHART_FILE

KIND: Final = "chart"
_VALUES: Final = "values.yaml"
_CI_FOLDER: Final = "ci"
_CI_SUFFIX: Final = "-values.yaml"
_PREFIXES: Final = ("values-", "values.")
_SUFFIX: Final = ".yaml"
_ROUTE_BLOCKS: Final = ("ingress", "route", "httpRoute", "gateway")
NOT_RENDERED: Final = "its templates are not rendered; pipe what `helm template` writes into `ingress-lint -`"


def units(chart: Found) -> Iterator[Unit]:
    """A chart with its default values, and with each values file for a test or an environment; none of a library."""
    if _Values().of(os.path.join(chart.path, CHART_FILE)).get("type") == "library":
        return
    for name in ("", *sorted(_values_files(chart.path))):
        yield Unit(
            f"{chart.display}:{name}" if name else chart.display,
            KIND,
            chart.display,
            _in(chart, CHART_FILE),
            state="unchecked",
            reason=NOT_RENDERED,
            routes=routes_of(chart, [os.path.join(chart.path, name)] if name else ()),
        )


def routes_of(chart: Found, files: Iterable[str]) -> int:
    """How many routes a chart makes with values files, the last of which wins."""
    values = _Values()
    given = values.of(os.path.join(chart.path, _VALUES))
    for file in files:
        given = merged(given, values.of(file))
    return switched_on(given)


def refusal(chart: Found) -> Problem:
    """The problem of a chart that the user named outright, and that is not rendered."""
    document = Document(SourceFile(_in(chart, CHART_FILE), ""), 0, 0, 0)
    return Problem(
        ProblemKind.RENDER_FAILED,
        Place(document, span=(0, 0)),
        f"{chart.display} is a Helm chart, whose templates are no manifests until they are rendered; they were not read, "
        "and no route of it was checked",
        fix=f"helm template my-release {chart.display} | ingress-lint -",
        unreadable=True,
    )


def switched_on(values: Mapping[str, Any]) -> int:
    """How many routes values switch on: the blocks `ingress`, `route` and such that are enabled, or that name hosts.

    A block whose children are blocks themselves stands for each of these.
    """
    count = 0
    for key, value in values.items():
        if not isinstance(value, dict):
            continue
        if key not in _ROUTE_BLOCKS:
            count += switched_on(value)
        elif value.get("enabled") is not False:
            children = [child for child in value.values() if isinstance(child, dict) and _is_block(child)]
            count += sum(_is_on(child) for child in children) if children else _is_on(value)
    return count


def _is_block(value: Mapping[str, Any]) -> bool:
    return not value.keys().isdisjoint(("enabled", "hosts", "host", "hostnames", "hostname", "rules", "parentRefs"))


def _is_on(block: Mapping[str, Any]) -> bool:
    named = any(block.get(key) for key in ("hosts", "host", "hostnames", "hostname"))
    return block.get("enabled") is True or (named and block.get("enabled") is not False)


class _Values:
    def __init__(self) -> None:
        self._reader = ValueReader()

    def of(self, path: str) -> dict[str, Any]:
        """The mapping in a file; an empty one where it cannot be read."""
        try:
            value, _ = self._reader.read(read(Found.at(path)).text)
        except (UnreadableError, YAMLError):
            return {}
        return value if isinstance(value, dict) else {}


def _values_files(chart: str) -> Iterator[str]:
    for name in _names(chart):
        if name != _VALUES and name.startswith(_PREFIXES) and name.endswith(_SUFFIX):
            yield name
    for name in _names(os.path.join(chart, _CI_FOLDER)):
        if name.endswith(_CI_SUFFIX):
            yield f"{_CI_FOLDER}/{name}"


def _names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in inputs.entries(folder)]
    except OSError:
        return []


def merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values as helm lays them over one another: mappings key by key, all else whole."""
    result = dict(defaults)
    for key, value in given.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def _in(chart: Found, name: str) -> str:
    return name if chart.display == "." else f"{chart.display}/{name}"
