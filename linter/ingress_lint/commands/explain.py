"""`ingress-lint explain`: a rule's page."""

from __future__ import annotations

import click

from ingress_lint.commands.options import color_option, use_color


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("rule_name", metavar="CODE_OR_NAME")
@color_option
def command(rule_name: str, color: str) -> None:
    """Explain a rule: what it finds, what you see, why it breaks, how to fix it and how to prove it."""
    from ingress_lint.packs import PackError, load_rules
    from ingress_lint.selection import ALL, SelectionError, matching

    try:
        rules = load_rules()
        codes = matching(rules, rule_name)
    except (PackError, SelectionError) as error:
        raise click.UsageError(str(error)) from None
    if len(codes) > 1:
        listed = ALL if rule_name.upper() == ALL else f"{rule_name.upper()} means"
        raise click.UsageError(f"{listed} several rules: {', '.join(sorted(codes))}; name one")
    rule = next(rule for rule in rules if rule.code in codes)
    colored = use_color(color)
    title = f"# {rule.code} {rule.name} ({rule.severity.label}, {rule.hop})"
    lines = [title, "", *rule.documentation.splitlines()]
    for line in lines:
        click.echo(click.style(line, bold=True) if line.startswith("#") and colored else line, color=colored)
