"""`ingress-lint rules`: every rule, a line each."""

from __future__ import annotations

import click

from ingress_lint.commands.options import color_option, use_color


@click.command("rules", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@color_option
def command(format_name: str, color: str) -> None:
    """List every rule: code, name, severity, hop and what it finds."""
    from ingress_lint.packs import PackError, load_rules

    try:
        rules = load_rules()
    except PackError as error:
        raise click.UsageError(str(error)) from None
    if format_name == "json":
        from ingress_lint.output.json_format import encode_rule
        from ingress_lint.output.sanitize import json_text

        click.echo(json_text([encode_rule(rule) for rule in rules]), nl=False)
        return
    colored = use_color(color)
    width = max(len(rule.name) for rule in rules)
    hop = None
    for rule in rules:
        if rule.hop != hop:
            hop = rule.hop
            click.echo(click.style(f"{hop}", bold=True), color=colored)
        click.echo(f"  {rule.code}  {rule.name:{width}}  {rule.severity.label:7}  {rule.summary}")
