"""`ingress-lint completion`: the script by which a shell completes commands, options and files."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell, to be read where it starts.

    \b
    bash: source <(ingress-lint completion bash)     in ~/.bashrc
    zsh:  source <(ingress-lint completion zsh)      in ~/.zshrc, after compinit
    fish: ingress-lint completion fish | source      in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows all of them
    group = click.get_current_context().find_root().command
    click.echo(found(group, {}, "ingress-lint", "_INGRESS_LINT_COMPLETE").source())
