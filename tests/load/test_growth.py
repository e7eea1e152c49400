"""The time to read a file grows with its size, and no faster, whatever it holds."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingress_lint.load.files import Found
from ingress_lint.load.loading import Loader
from ingress_lint.objects.kinds import wanted

SMALL = 2_000
TIMES = 16
WIDEST_GROWTH = 6 * TIMES
"""Between what is linear, on a machine that is busy, and what grows with the square, 256 times."""
SHORTEST = 0.004
"""Seconds of the processor; what is faster cannot be measured."""

TEXTS: dict[str, Callable[[int], str]] = {
    "empty lines": lambda size: "\n" * size,
    "one long line": lambda size: "a: " + "x" * 20 * size,
    "long words": lambda size: "a: " + "b: " * size,
    "colons": lambda size: "a: " + ":" * size,
    "brackets": lambda size: "a: " + "[" * size,
    "braces": lambda size: "a: " + "{a: " * size,
    "open lists": lambda size: "a: [\n" * size,
    "lists of two lines": lambda size: "- [a,\n  b]\n" * size,
    "a long list": lambda size: "a: [" + "b, " * size + "]",
    "a long mapping": lambda size: "{kind: Service, " + ", ".join(f"a{n}: b" for n in range(size)) + "}",
    "commas before comments": lambda size: "a: " + ", # " * size,
    "quotes": lambda size: "a: '" + "''" * size,
    "escapes": lambda size: 'a: "' + "\\\\" * size,
    "block scalars": lambda size: "".join(f"a{n}: |\n  x\n" for n in range(size)),
    "block scalars of nothing": lambda size: "a: |\n" * size,
    "a long block scalar": lambda size: "a: >\n" + " x\n" * size,
    "empty lines of a block scalar": lambda size: "a: |\n" + " \n" * size + "b",
    "spaces": lambda size: "a: x |" + " " * size + "x",
    "spaces of a list": lambda size: "a: [b" + " " * size + "c d",
    "dashes": lambda size: "- " * size,
    "beyond ASCII": lambda size: "é: " + "é " * size,
    "words like kind": lambda size: "kind " * size,
    "comments on kind": lambda size: "kind " + "# kind " * size,
    "asterisks": lambda size: "*" * size,
    "separators": lambda size: "--- \n" * size,
    "comments after a kind": lambda size: "kind: Role\n" + "# \n" * size,
    "keys before a kind": lambda size: "a: b\n" * size + "kind: Role\n",
}


def seconds(path: Path, text: str) -> float:
    path.write_text(text, encoding="utf-8")
    shortest = float("inf")
    for _ in range(3):
        loader = Loader(wanted)
        started = time.process_time()
        loader.read(Found.at(os.fspath(path), named=True))
        shortest = min(shortest, time.process_time() - started)
    return shortest


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_time_grows_with_size(tmp_path: Path, text: Callable[[int], str]) -> None:
    gc.collect()
    small, large = (seconds(tmp_path / "a.yaml", text(size)) for size in (SMALL, SMALL * TIMES))
    assert large < WIDEST_GROWTH * max(small, SHORTEST)
