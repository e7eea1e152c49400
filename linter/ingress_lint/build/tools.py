"""The user's own binaries: where they are, which version, and how to get them where they are not."""

from __future__ import annotations

import os
from typing import Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.build.running import Failure, Limits, run
from ingress_lint.values.patterns import deferred

KUSTOMIZE_MISSING: Final = (
    "kustomize is not on PATH: `brew install kustomize`, or see https://kubectl.docs.kubernetes.io/installation/kustomize/ "
    "(kubectl does as well)"
)
HELM_MISSING: Final = "helm is not on PATH: `brew install helm`, or see https://helm.sh/docs/intro/install/"
_VERSION: Final = deferred(r"(?:\A|Kustomize Version: *|/)(v?\d+\.\d+\.\d+[\w.+-]*)")
_VERSION_LIMITS: Final = Limits(seconds=10, output_bytes=64 * 1024)


class Tool(Struct, frozen=True):
    """A binary that is there."""

    path: str
    build: tuple[str, ...]
    """The command that builds, to which options and what to build are added."""
    version: tuple[str, ...]
    """The command that tells the version, without asking a cluster."""

    def read_version(self) -> str:
        """The version that it tells, such as `v5.7.1` (of kubectl: that of its kustomize); empty where it tells none."""
        output = run(self.version, os.getcwd(), _VERSION_LIMITS)
        if isinstance(output, Failure):
            return ""
        found = _VERSION.search(output.stdout)
        return found[1] if found else ""


def find_kustomize(configured: str = "") -> Tool | None:
    """kustomize, else kubectl, which has one built in; where `configured` names a binary of either, that one alone."""
    names = (configured,) if configured else ("kustomize", "kubectl")
    path = next((found for name in names if (found := inputs.tool(name))), None)
    if path is None:
        return None
    if "kubectl" in os.path.basename(path):
        return Tool(path, (path, "kustomize"), (path, "version", "--client"))
    return Tool(path, (path, "build"), (path, "version"))


def find_helm(configured: str = "") -> Tool | None:
    """helm, or the binary that `configured` names."""
    path = inputs.tool(configured or "helm")
    return None if path is None else Tool(path, (path, "template"), (path, "version", "--short"))
