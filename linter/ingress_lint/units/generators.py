"""Files from which other programs make manifests: Helmfile, Jsonnet, cdk8s, Terraform. None of them is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ingress_lint.load.files import Found, UnreadableError, read
from ingress_lint.units.plan import Unit
from ingress_lint.values.patterns import deferred

_HELMFILES: Final = ("helmfile.yaml", "helmfile.yml", "helmfile.yaml.gotmpl", "helmfile.yml.gotmpl")
_HELMFILE_FOLDER: Final = "helmfile.d"
_TEMPLATED: Final = (".yaml.gotmpl", ".yml.gotmpl")
_JSONNET: Final = "main.jsonnet"
_CDK8S: Final = "cdk8s.yaml"
_TERRAFORM: Final = ".tf"
_KUBERNETES_RESOURCE: Final = deferred(r'^[ \t]*resource[ \t]+"(?:kubernetes|helm|kubectl)_', re.MULTILINE)
_WHY: Final = {
    kind: f"{kind} is not run; pipe what `{command}` writes into `ingress-lint -`"
    for kind, command in (
        ("helmfile", "helmfile template"),
        ("jsonnet", "tk show --dangerous-allow-redirect"),
        ("cdk8s", "cdk8s synth --stdout"),
    )
} | {"terraform": "Terraform is not run; lint what it applies as `kubectl get -o yaml` writes it"}


def may_be(path: str) -> bool:
    """Whether a file is a generator's, by its name, and so no manifest."""
    name = os.path.basename(path)
    named = name in (*_HELMFILES, _JSONNET, _CDK8S) or name.endswith((_TERRAFORM, *_TEMPLATED))
    return named or _in_helmfile_folder(path)


def units(files: Iterable[Found]) -> Iterator[Unit]:
    """A unit, never checked, for each file that a generator starts from."""
    for found in files:
        kind = _kind(found)
        if kind:
            yield Unit(found.display, kind, found.display, found.display, state="unchecked", reason=_WHY[kind])


def _kind(found: Found) -> str:
    name = os.path.basename(found.path)
    if name in _HELMFILES:
        return "helmfile"
    if name == _JSONNET:
        return "jsonnet"
    if name == _CDK8S:
        return "cdk8s"
    if name.endswith(_TERRAFORM):
        try:
            return "terraform" if _KUBERNETES_RESOURCE.search(read(found).text) else ""
        except UnreadableError:
            return ""
    return "helmfile" if _in_helmfile_folder(found.path) else ""


def _in_helmfile_folder(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == _HELMFILE_FOLDER
