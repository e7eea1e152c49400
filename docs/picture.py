"""Draws docs/example.svg, the README's picture, from what `ingress-lint` prints of examples/shop-broken."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
COMMAND = ("ingress-lint", "examples/shop-broken", "--select", "IL201,IL403")


def main() -> None:
    """Runs the linter and writes the picture."""
    run = (sys.executable, "-m", "ingress_lint", *COMMAND[1:], "--color", "always")
    printed = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"$ {' '.join(COMMAND)}\n{printed}"))
    console.save_svg(str(ROOT / "docs" / "example.svg"), title="ingress-lint")


if __name__ == "__main__":
    main()
