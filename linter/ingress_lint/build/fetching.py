"""Fetches the charts that others depend on, where that is allowed, and remembers them: helm's own cache, and one of ours."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Final

from ingress_lint import inputs
from ingress_lint.build.charts import ChartError, Dependency, check_archive
from ingress_lint.build.running import Failure, Limits, run
from ingress_lint.build.tools import Tool
from ingress_lint.store import Store, user_folder
from ingress_lint.values.patterns import deferred

_FOLDER: Final = "charts"
_NAME: Final = deferred(r"[A-Za-z0-9][\w.-]*")
_EXACT: Final = deferred(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?")
_SCHEMES: Final = ("https://", "http://", "oci://")


def store() -> Store:
    """Where the charts that this user fetched lie."""
    return Store(os.path.join(user_folder(), _FOLDER))


class Fetcher:
    """Finds the archives of dependencies, for several threads at once, each once a run; their names tell their contents.

    What was fetched once is there without a network, too; with one, only a version that is fixed is not asked for again.
    """

    def __init__(self, tool: Tool | None, limits: Limits, *, network: bool) -> None:
        self._tool = tool
        self._limits = limits
        self._network = network
        self._lock = Lock()
        self._found: dict[tuple[str, str, str], str | Failure | None] = {}

    def find(self, dependency: Dependency) -> str | Failure | None:
        """The archive of a dependency, by a path that stays as long as this object; None where nothing may be fetched."""
        key = dependency.repository, dependency.name, dependency.version
        with self._lock:
            if key not in self._found:
                self._found[key] = self._find(dependency)
            return self._found[key]

    def _find(self, dependency: Dependency) -> str | Failure | None:
        if not (_NAME.fullmatch(dependency.name) and dependency.repository.startswith(_SCHEMES)):
            return None
        exact = _EXACT.fullmatch(dependency.version) is not None
        own = os.path.join(_helm_cache(), f"{dependency.name}-{dependency.version.removeprefix('v')}.tgz")
        if exact and inputs.is_file(own):
            return own
        about = "\0".join((dependency.repository, dependency.name, dependency.version))
        key = sha256(about.encode(errors="surrogateescape")).hexdigest()
        kept = store()
        known = kept.get(key) if inputs.is_file(kept.path(key)) else None
        if self._network and self._tool is not None and (known is None or not exact):
            inputs.unrepeatable()  # what is fetched may be something else the next time
            fetched = _pull(dependency, self._tool, self._limits)
            if isinstance(fetched, bytes):
                known = fetched
                kept.put(key, known)
            elif known is None:
                return fetched
        return None if known is None else self._write(dependency, known)

    def _write(self, dependency: Dependency, content: bytes) -> str | Failure:
        try:
            check_archive(content, f"{dependency.name}.tgz")
        except ChartError as error:
            return Failure("output-limit", str(error))
        path = os.path.join(self._folder.name, f"{sha256(content).hexdigest()}.tgz")
        with open(path, "wb") as stream:
            stream.write(content)
        return path

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True)


def _pull(dependency: Dependency, tool: Tool, limits: Limits) -> bytes | Failure:
    """What helm fetches, with the credentials that it has for registries and repositories, and with no others."""
    repository = dependency.repository.rstrip("/")
    of_registry = repository.startswith("oci://")
    chart = (f"{repository}/{dependency.name}",) if of_registry else (dependency.name, f"--repo={repository}")
    version = (f"--version={dependency.version}",) if dependency.version else ()
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
        command = (tool.path, "pull", *chart, *version, f"--destination={folder}")
        result = run(command, folder, limits, network=True, settings=_credentials())
        if isinstance(result, Failure):
            return result
        try:
            (entry,) = (entry for entry in inputs.entries(folder) if entry.name.endswith(".tgz"))
            return inputs.read(entry.path)
        except (OSError, ValueError):
            return Failure("status", "helm fetched no archive")


def _credentials() -> dict[str, str]:
    folder = os.environ.get("HELM_CONFIG_HOME") or os.path.join(
        _home("XDG_CONFIG_HOME", ".config", "Library/Preferences"), "helm"
    )
    own = {
        "HELM_REGISTRY_CONFIG": os.path.join(folder, "registry", "config.json"),
        "HELM_REPOSITORY_CONFIG": os.path.join(folder, "repositories.yaml"),
    }
    return {name: os.environ.get(name) or path for name, path in own.items()}


def _helm_cache() -> str:
    """Where helm keeps the archives that it fetched (helm/helm:pkg/helmpath)."""
    cache = os.environ.get("HELM_CACHE_HOME") or os.path.join(
        _home("XDG_CACHE_HOME", ".cache", "Library/Caches"), "helm"
    )
    return os.environ.get("HELM_REPOSITORY_CACHE") or os.path.join(cache, "repository")


def _home(variable: str, name: str, on_mac: str) -> str:
    return os.environ.get(variable) or os.path.join(
        os.path.expanduser("~"), on_mac if sys.platform == "darwin" else name
    )
