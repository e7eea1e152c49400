"""Text of manifests becomes numbers, addresses and expressions in `values` alone, and scalars of YAML in `load`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
AT_HOME: Final = ("linter/ingress_lint/values/", "linter/ingress_lint/load/")
CONVERSIONS: Final = frozenset({"int", "float"})
COMPILERS: Final = frozenset({"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"})
ADDRESSES: Final = frozenset({"ip_network", "ip_address", "ip_interface", "urlsplit", "urlparse"})
METHODS: Final = frozenset({"isdigit", "isdecimal", "isnumeric"})
OUR_OWN: Final = frozenset(
    {
        "float(whole.value)",
        "float(implementation.request_timeout)",
        "float(implementation.upstream_idle)",
        "int(code[2])",
        "int(suite.get(count, 0))",
        "re.compile(words)",
        "re.search(self.pattern, text[:_LONGEST], re.IGNORECASE)",
    }
)
"""Numbers that are numbers already, and our own tables."""
OUR_VARIABLES: Final = frozenset(
    {("logins.py", "name"), ("uploads.py", "name"), ("uploads.py", "directive"), ("container.py", "token")}
)
"""What stands for words of ours in a pattern, by file."""
OF_THE_COMMAND_LINE: Final = frozenset({"urlsplit(url)", "urlsplit(text)"})
"""URLs of users' requests, which `tracing` reads and complains of."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("linter", "rules"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(AT_HOME):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Call):
                        yield name, node


def constant(node: ast.expr, file: str = "") -> bool:
    """Whether it is text of ours: a constant, or one put together from our own constants."""
    if isinstance(node, ast.JoinedStr):
        return all(not isinstance(part, ast.FormattedValue) or constant(part.value, file) for part in node.values)
    if isinstance(node, ast.Attribute) and node.attr == "pattern":
        return constant(node.value)
    if isinstance(node, ast.Name):
        return node.id.isupper() or (file, node.id) in OUR_VARIABLES
    return isinstance(node, ast.Constant)


def parses(call: ast.Call, file: str = "") -> bool:
    """Whether it makes a value of text that is not our own."""
    function = ast.unparse(call.func)
    last = function.rpartition(".")[2]
    if last in METHODS:
        return True
    if not call.args:
        return False
    if function in CONVERSIONS:
        return not all(constant(argument) for argument in call.args)
    if function.startswith("re."):
        return last in COMPILERS and not constant(call.args[0], file)
    return last in ADDRESSES


def test_nobody_else_parses_values() -> None:
    found = {
        f"{name}:{call.lineno}: {text}"
        for name, call in calls()
        if parses(call, name.rpartition("/")[2])
        and (text := ast.unparse(call)) not in OUR_OWN
        and not (text in OF_THE_COMMAND_LINE and "/tracing/" in name)
    }
    assert not found, "\n".join(sorted(found))


def test_the_search_finds_what_it_looks_for() -> None:
    for text in (
        "int(found[1])",
        "float(value)",
        "re.compile(pattern)",
        "re.search(f'^{path.value}', text)",
        "ip_network(text)",
        "port.isdigit()",
        "re.compile(_ONE + two)",
    ):
        assert parses(ast.parse(text, mode="eval").body), text  # type: ignore[arg-type]
    for text in ("int('1')", "re.compile('a+')", "re.compile(rf'{_COMMENT}a')", "re.escape(value)", "int()"):
        assert not parses(ast.parse(text, mode="eval").body), text  # type: ignore[arg-type]
