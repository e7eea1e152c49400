"""What shells complete: commands, paths, options and their values."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from ingress_lint.__main__ import COMMANDS, main
from ingress_lint.commands.completion import SHELLS


def completed(*words: str) -> list[tuple[str, str]]:
    *before, incomplete = words
    shell = ShellComplete(main, {}, "ingress-lint", "_INGRESS_LINT_COMPLETE")
    return [(item.type, item.value) for item in shell.get_completions(list(before), incomplete)]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell], catch_exceptions=False)
    assert result.exit_code == 0
    assert f"_INGRESS_LINT_COMPLETE={shell}_complete" in result.stdout


def test_other_shells_are_named() -> None:
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert "bash" in result.stderr


def test_the_first_word_may_be_a_command_or_a_path() -> None:
    found = completed("")
    assert ("file", "") in found
    assert {value for kind, value in found if kind == "plain"} == set(COMMANDS)
    assert completed("mani") == [("file", "mani")]


def test_paths_are_left_to_the_shell() -> None:
    for words in (("check", "mani"), ("manifests/", "mani"), ("check", "--values", "v"), ("check", "--baseline", "b")):
        assert ("file", words[-1]) in completed(*words)


def test_options_and_their_values() -> None:
    assert ("plain", "--min-severity") in completed("manifests/", "--min")
    assert ("plain", "sarif") in completed("check", "--format", "s")
