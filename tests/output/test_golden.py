"""Every format of every sample, byte for byte; `--update-expected` rewrites the files in `golden`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint import __version__
from ingress_lint.output import FORMATS, RenderOptions, render

from .samples import SAMPLES

GOLDEN = Path(__file__).parent / "golden"
STYLES = {
    "color": RenderOptions(color=True, statistics=True),
    "verbose": RenderOptions(verbose=True, statistics=True),
    "quiet": RenderOptions(quiet=True, width=60),
}


def compare(request: pytest.FixtureRequest, name: str, text: str) -> None:
    file = GOLDEN / name
    text = text.replace(f'"{__version__}"', '"VERSION"')
    if request.config.getoption("--update-expected"):
        file.write_text(text, encoding="utf-8", newline="")
    assert text == file.read_bytes().decode()


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_format(request: pytest.FixtureRequest, sample: str, format_name: str) -> None:
    compare(request, f"{sample}.{format_name}", render(format_name, SAMPLES[sample], RenderOptions()))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_text_style(request: pytest.FixtureRequest, sample: str, style: str) -> None:
    compare(request, f"{sample}.{style}.text", render("text", SAMPLES[sample], STYLES[style]))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_output_is_printable(sample: str, format_name: str) -> None:
    for line in render(format_name, SAMPLES[sample], RenderOptions()).split("\n"):
        assert line.isprintable()


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("style", STYLES)
def test_colour_is_the_only_escape(sample: str, style: str) -> None:
    import click

    colored = render("text", SAMPLES[sample], RenderOptions(color=True))
    assert click.unstyle(colored) == render("text", SAMPLES[sample], RenderOptions())
