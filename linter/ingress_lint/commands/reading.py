"""From the options of the command line and the configuration to what the engine reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import click
from msgspec.structs import replace

from ingress_lint.commands.options import Given, complain
from ingress_lint.configuration.loading import ConfigError, Configuration, load_configuration
from ingress_lint.configuration.settings import Config
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.finding import Severity
from ingress_lint.graph.set_context import Assumption
from ingress_lint.manifests import Manifests, Options
from ingress_lint.output.sanitize import visible
from ingress_lint.report import Report
from ingress_lint.rule import RuleEntry
from ingress_lint.selection import SelectionError, matching
from ingress_lint.units.excludes import anchored


def barren(given: Given, found: Manifests | Report) -> tuple[list[str], bool]:
    """A line for each path and unit in which there is nothing to lint, and whether the command line names one of them.

    Where the configuration, or nobody, names the paths, that is no fault.
    """
    unknown = bool(given.units) and not found.units
    lines = [f"no unit is called {' or '.join(given.units)}; `ingress-lint units` lists them"] if unknown else []
    return [*found.barren, *lines], unknown or bool(given.paths and found.barren)


def is_barren(given: Given, found: Manifests | Report) -> bool:
    """Whether the command line names a path or a unit in which there is nothing to lint; complains of what is so."""
    lines, at_fault = barren(given, found)
    complain(lines)
    return at_fault


def configured(given: Given) -> Configuration:
    """The configuration that counts for what the command line says. Raises `click.UsageError`."""
    if given.controller is not None and given.controller not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise click.UsageError(f"there is no controller {given.controller!r}; known are {known}")
    try:
        return load_configuration(given.config_file, given.paths)
    except ConfigError as error:
        raise click.UsageError("\n".join(map(visible, str(error).split("\n")))) from None


def reading(given: Given, rules: Sequence[RuleEntry] = (), *, selects: bool = False) -> tuple[Config, Options]:
    """The configuration, and the engine's options: the command line wins over it. Raises `click.UsageError`.

    `rules` are those whose findings the configuration may change; commands that run none leave it empty. What it does not
    select runs all the same where `selects` says that its selection counts, so that what is hidden can be counted.
    """
    configuration = configured(given)
    config = configuration.settings

    def meant(name: str, selectors: Iterable[str]) -> frozenset[str]:
        try:
            return frozenset(code for selector in (selectors if rules else ()) for code in matching(rules, selector))
        except SelectionError as error:
            at = f"{configuration.file}:{configuration.lines.get(name, 1)}"
            raise SelectionError(f"{at}: {name}: {error}") from None

    selected = meant("select", config.select) if selects else frozenset()
    ignored = meant("ignore", config.ignore) | ({rule.code for rule in rules} - selected if selected else frozenset())
    return config, Options(
        paths=given.paths or config.paths or (".",),
        exclude=(*configuration.excludes, *(anchored(pattern, ".") for pattern in given.exclude)),
        units=given.units,
        context_paths=(*config.context, *given.context_paths),
        controller=given.controller or config.controller,
        namespace=given.namespace or config.namespace,
        assume=cast("Assumption", given.assume or config.assume),
        externals=frozenset((item.kind, item.namespace, item.name) for item in config.externals),
        renders=given.render,
        jobs=given.jobs,
        values=given.values,
        set=given.set,
        kube_version=given.kube_version,
        now=given.now,
        severities={
            code: Severity[level.upper()]
            for selector, level in config.severity.items()
            for code in meant("severity", [selector])
        },
        per_path_ignores=tuple(
            (pattern, meant("per-path-ignores", selectors)) for pattern, selectors in config.per_path_ignores.items()
        ),
        ignored=ignored,
        min_severity=Severity[config.min_severity.upper()],
        configured=config.units,
        clusters=config.clusters,
        controllers=config.controllers,
        configuration=configuration.document,
        render=replace(config.render, network=given.network or config.render.network),
        doubts=configuration.doubts,
    )
