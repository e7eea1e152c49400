"""`ingress-lint config`: the settings in force, and where each of them comes from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from ingress_lint.commands.options import EXIT_UNREADABLE, Given, complain, reading_options


@click.command("config", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@click.option("--schema", "only_schema", is_flag=True, help="Print the JSON Schema of the configuration file.")
def command(given: Given, only_schema: bool) -> None:
    """Show the effective configuration, and where each value comes from; what it prints is YAML.

    Exit status: 0 it can be used, 2 it cannot, or it names what is not there.
    """
    if only_schema:
        from ingress_lint.configuration.schema import schema
        from ingress_lint.output.sanitize import json_text

        click.echo(json_text(schema()), nl=False)
        return
    from ingress_lint.commands.reading import configured
    from ingress_lint.configuration.effective import effective
    from ingress_lint.configuration.loading import Configuration
    from ingress_lint.output.sanitize import visible

    configuration: Configuration = configured(given)
    click.echo(f"# {visible(configuration.file) or 'no configuration file'}")
    for item in effective(configuration, _settings(given)):
        first, *more = _yaml(item.name, item.value)
        click.echo(f"{visible(first)}  # {visible(item.origin)}")
        for line in more:
            click.echo(visible(line))
    for line in _passed_over():
        click.echo(f"# {line}")
    complain(configuration.doubts)
    if configuration.doubts:
        sys.exit(EXIT_UNREADABLE)


def _settings(given: Given) -> dict[str, Any]:
    """What the command line says, by the names of settings."""
    return {
        "paths": given.paths,
        "exclude": given.exclude,
        "context": given.context_paths,
        "controller": given.controller,
        "namespace": given.namespace,
        "assume": given.assume,
    }


def _yaml(name: str, value: Any) -> list[str]:
    """A setting as lines of YAML: a list of words on its line, whatever else is nested below its name."""
    import yaml

    flow = None if isinstance(value, dict | list) else False
    text = yaml.safe_dump(
        {name: value}, sort_keys=False, default_flow_style=flow, allow_unicode=True, width=sys.maxsize
    )
    return str(text).splitlines()


def _passed_over() -> Iterator[str]:
    from ingress_lint.units.excludes import DEFAULT_FOLDERS, DEFAULT_SUFFIX

    yield "passed over besides, unless a PATH names it or a pattern such as `!vendor` takes it in again:"
    yield "  what git ignores (.gitignore, .git/info/exclude), and what starts with a dot"
    yield f"  folders called {', '.join(sorted(DEFAULT_FOLDERS))}"
    yield f"  files called *{DEFAULT_SUFFIX}"
