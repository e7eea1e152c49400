"""Charts: with which values each is rendered, and what a release of one puts into the cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.load.files import CHART_FILE, Found
from ingress_lint.units.building import Builder
from ingress_lint.units.plan import CHART, Plan, Unit
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.helm import Release, Rendered, Unrendered

KIND: Final = CHART
_VALUES: Final = "values.yaml"
_CI_FOLDER: Final = "ci"
_CI_SUFFIX: Final = "-values.yaml"
_PREFIXES: Final = ("values-", "values.")
_SUFFIX: Final = ".yaml"
_ROUTE_BLOCKS: Final = ("ingress", "route", "httpRoute", "gateway")


def plans(charts: Iterable[Found], site: Site) -> Iterator[Plan]:
    """The plans of charts that nothing deploys: with default values, and with each values file of a test or an environment.

    One that is named outright is rendered with the values that the command line gives, where it gives any.
    """
    from ingress_lint.build.helm import Unrendered

    waiting: list[tuple[Found, Unit, Release | Unrendered]] = []
    for chart in charts:
        if is_library(chart, site.builder):
            continue
        for unit, files in _units(chart, site.builder):
            release = replace(site.release(chart.real), title=unit.name)
            if chart.named:
                given = [argument for setting in site.builder.rendering.set for argument in ("--set", setting)]
                release = replace(release, settings=tuple(given))
            waiting.append((chart, unit, with_files(release, files, site.builder)))
    results = site.builder.render([release for *_, release in waiting])
    lacking: set[str] = set()
    for (chart, unit, _), result in zip(waiting, results, strict=True):
        plan = of_release(unit, result, site.builder, named=chart.named)
        if isinstance(result, Unrendered) and result.reason == "dependencies":
            plan = replace(plan, problems=() if chart.real in lacking else plan.problems)
            lacking.add(chart.real)  # with other values it may lack others
        yield plan


def is_library(chart: Found, builder: Builder) -> bool:
    """Whether a chart has only templates for others, and cannot be installed."""
    from ingress_lint.build.charts import metadata_document

    document = metadata_document(chart.real, builder.sources)
    value = None if document is None else document.value
    return isinstance(value, dict) and value.get("type") == "library"


def with_files(release: Release, files: Iterable[str], builder: Builder) -> Release | Unrendered:
    """A release with the values of files over its own, the last of which wins; what is wrong with the first that cannot be."""
    from ingress_lint.build.helm import Values, read_values

    values = [read_values(file, builder.sources) for file in files]
    known = tuple(one for one in values if isinstance(one, Values))
    wrong = next((one for one in values if not isinstance(one, Values)), None)
    return replace(release, values=(*release.values, *known)) if wrong is None else wrong


def of_release(
    unit: Unit, result: Rendered | Unrendered, builder: Builder, *, named: bool = False, deployed: bool = False
) -> Plan:
    """The plan of a release that was rendered, or that was to be.

    `named`: the user named its chart outright; `deployed`: another tool installs it, which fetches what it depends on.
    """
    from ingress_lint.build.helm import Rendered

    if isinstance(result, Rendered):
        from ingress_lint.build.templates.places import TemplatePlaces

        lost = next((one for one in result.documents if one.parsed and one.value is None), None)
        return Plan(
            unit,
            builder.documents(result.documents),
            default_namespace=result.release.namespace,
            release=result.release.name,
            incomplete=f"what {lost.template or 'a template'} makes could not be read" if lost is not None else "",
            built=True,
            places=result.places or TemplatePlaces(result),
        )
    unchecked = replace(unit, state="unchecked", reason=builder.why(result))
    is_told = not (result.reason in ("tool", "chart") or (deployed and result.reason == "dependencies"))
    return Plan(unchecked, problems=_problems_of(result, named=named) if is_told else ())


def _problems_of(result: Unrendered, *, named: bool) -> tuple[Problem, ...]:
    """An error where no values can help, or where this very chart was to be rendered, a warning where it was only met."""
    if named or result.reason == "syntax":
        return (Problem(ProblemKind.RENDER_FAILED, result.place, result.message, unreadable=True),)
    message = f"not rendered, so that nothing of it was checked: {result.message}"
    return (Problem(ProblemKind.RENDER_FAILED, result.place, message, level="warning"),)


def routes_of(chart: str, files: Iterable[str], builder: Builder) -> int:
    """How many routes a chart, by its real path, makes with values files, the last of which wins."""
    from ingress_lint.build.helm import default_values, merged

    values = default_values(chart, builder.sources)
    for file in files:
        documents = builder.sources.documents(os.path.realpath(file))
        own = documents[0].value if documents else None
        values = merged(values, own) if isinstance(own, dict) else values
    return switched_on(values)


def _units(chart: Found, builder: Builder) -> Iterator[tuple[Unit, Sequence[str]]]:
    """The units of a chart, each with its values files."""
    rendering = builder.rendering
    if chart.named and (rendering.values or rendering.set):
        yield _unit(chart, "", rendering.values, builder), rendering.values
        return
    for name in ("", *sorted(_values_files(chart.path))):
        files = [os.path.join(chart.path, name)] if name else []
        yield _unit(chart, name, files, builder), files


def _unit(chart: Found, name: str, files: Sequence[str], builder: Builder) -> Unit:
    shown = f"{chart.display}:{name}" if name else chart.display
    routes = routes_of(chart.real, files, builder)
    return Unit(shown, KIND, chart.display, chart_file(chart.display), routes=routes)


def chart_file(folder: str) -> str:
    """The file that makes a folder a chart, as findings show it."""
    return CHART_FILE if folder == "." else f"{folder}/{CHART_FILE}"


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
