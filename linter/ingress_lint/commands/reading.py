"""From the options of the command line and the configuration to what the engine reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import click

from ingress_lint.commands.options import Given, complain
from ingress_lint.config import Config, ConfigError, load_config
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.finding import Severity
from ingress_lint.graph.set_context import Assumption
from ingress_lint.manifests import Manifests, Options
from ingress_lint.report import Report
from ingress_lint.rule import RuleEntry
from ingress_lint.selection import matching
from ingress_lint.units.building import Rendering
from ingress_lint.units.excludes import anchored


def is_barren(given: Given, found: Manifests | Report) -> bool:
    """Whether the command line names a path or a unit in which there is nothing to lint; complains of what is so.

    Where the configuration, or nobody, names the paths, that is no fault.
    """
    complain(found.barren)
    unknown = bool(given.units) and not found.units
    if unknown:
        complain([f"no unit is called {' or '.join(given.units)}; `ingress-lint units` lists them"])
    return unknown or bool(given.paths and found.barren)


def reading(given: Given, rules: Sequence[RuleEntry] = ()) -> tuple[Config, Options]:
    """The configuration, and the engine's options: the command line wins over it. Raises `click.UsageError`.

    `rules` are those whose findings the configuration may change; commands that run none leave it empty.
    """
    try:
        config = load_config(given.config_file, given.paths)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    controller = given.controller or config.controller
    if controller is not None and controller not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise click.UsageError(f"there is no controller {controller!r}; known are {known}")
    return config, Options(
        paths=given.paths or config.paths or (".",),
        exclude=(*config.exclude, *(anchored(pattern, ".") for pattern in given.exclude)),
        units=given.units,
        context_paths=(*config.context, *given.context_paths),
        controller=controller,
        namespace=given.namespace or config.namespace,
        assume=cast("Assumption", given.assume or config.assume or "auto"),
        externals=frozenset((item.kind, item.namespace, item.name) for item in config.externals),
        rendering=Rendering(enabled=given.render, network=given.network),
        now=given.now,
        severities={
            code: Severity[level.upper()]
            for selector, level in (config.severity.items() if rules else ())
            for code in matching(rules, selector)
        },
        per_path_ignores=tuple(
            (pattern, frozenset(code for selector in selectors for code in matching(rules, selector)))
            for pattern, selectors in (config.per_path_ignores.items() if rules else ())
        ),
    )
