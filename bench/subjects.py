"""The programs that are measured: the linter, what it is compared with, and its peers where they are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from measuring import Command

LINTER: Final = str(Path(sys.executable).with_name("ingress-lint"))
NO_CACHE: Final = "--no-cache"
CLICK: Final = (sys.executable, "-c", "import click")
"""The least that a program with a command line does."""
LOADING: Final = """
import os, sys, yaml
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for value in yaml.load_all(file.read(), Loader=yaml.CSafeLoader):
                pass
"""
READING: Final = """
import hashlib, os, sys
import click
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            hashlib.sha256(file.read()).digest()
"""
RENDERING: Final = """
import os, subprocess, sys
for name in sorted(os.listdir(sys.argv[2])):
    subprocess.run((sys.argv[1], "template", os.path.join(sys.argv[2], name)), stdout=subprocess.DEVNULL, check=True)
"""
SCHEMA: Final = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "metadata": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "spec": {"type": "object"},
    },
}
"""What kubeconform validates with, for each kind: the published schemas would have to come from the network."""


@dataclass(frozen=True)
class Baseline:
    """What a check is compared with: its name, and its command for a folder."""

    name: str
    command: Callable[[Path], Command]


PYYAML: Final = Baseline("PyYAML's C loader", lambda folder: (sys.executable, "-c", LOADING, str(folder)))


def check(folder: Path, linter: str = LINTER, options: Command = (NO_CACHE,)) -> Command:
    """The linter's command for a folder or file, which says nothing that an earlier run said."""
    return (linter, "check", *options, str(folder))


def check_again(folder: Path) -> Command:
    """The linter's command for a folder as people give it, so that it may say what an earlier run said."""
    return check(folder, options=())


def read_again(folder: Path) -> Command:
    """The least that tells whether a folder is as it was: a process that reads and hashes what it holds."""
    return (sys.executable, "-c", READING, str(folder))


def render_each(helm: str, folder: Path) -> Command:
    """A process that has helm render each chart in a folder, one after the other."""
    return (sys.executable, "-c", RENDERING, helm, str(folder))


def other_linter(given: Path) -> Baseline:
    """Another installed ingress-lint: the program itself, its environment, or a folder that has it in `.venv`.

    Raises `FileNotFoundError` where it is none of them.
    """
    places = (given, given / "bin" / "ingress-lint", given / ".venv" / "bin" / "ingress-lint")
    program = next((place for place in places if place.is_file()), None)
    if program is None:
        raise FileNotFoundError(given)
    knows = NO_CACHE in _output(str(program), "check", "--help")
    return Baseline(str(given), partial(check, linter=str(program), options=(NO_CACHE,) if knows else ()))


@dataclass(frozen=True)
class Peer:
    """Another linter of manifests. `command` takes its program and the corpus, beside which it may write what it needs."""

    name: str
    asks_version: Command
    does: str
    command: Callable[[str, Path], Command]


def _kubeconform(program: str, corpus: Path) -> Command:
    schemas = corpus.with_name("schemas")
    schemas.mkdir(exist_ok=True)
    for kind in ("deployment", "service", "ingress"):
        (schemas / f"{kind}.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return (program, "-summary", "-schema-location", f"{schemas}/{{{{.ResourceKind}}}}.json", str(corpus))


def _kube_score(program: str, corpus: Path) -> Command:
    return (program, "score", *(str(file) for file in sorted(corpus.rglob("*.yaml"))))


KUBECONFORM: Final = Peer(
    "kubeconform",
    ("-v",),
    "validates with a local schema of a few fields a kind, so does less than with the published ones",
    _kubeconform,
)
KUBE_SCORE: Final = Peer("kube-score", ("version",), "all its default checks, printed for people", _kube_score)


def version(program: str, peer: Peer) -> str:
    """The version that a peer says it has or, where it was built without saying, that Go says it has."""
    told = _output(program, *peer.asks_version)
    if said := re.search(r"\d+\.\d+\.\d+\S*\b", told):
        return said[0]
    go = shutil.which("go")
    built = re.search(r"^\s*mod\s+\S+\s+v(\S+)", _output(go, "version", "-m", program), re.MULTILINE) if go else None
    return built[1] if built else "of unknown version"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
