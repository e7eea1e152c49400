"""Fetches charts of repositories and registries, where that is allowed, and remembers them: helm's own cache, and one of ours."""

from __future__ import annotations

import os
import sys
import tempfile
from hashlib import sha256
from threading import Lock
from typing import Final

from ingress_lint import inputs
from ingress_lint.build.charts import ChartError, RemoteChart, check_archive
from ingress_lint.build.running import Failure, Limits, run
from ingress_lint.build.sources import Sources, items
from ingress_lint.build.tools import Tool
from ingress_lint.store import Store, user_folder
from ingress_lint.values.patterns import deferred

_FOLDER: Final = "charts"
_NAME: Final = deferred(r"[A-Za-z0-9][\w.-]*")
_EXACT: Final = deferred(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?")
_DIGEST: Final = deferred(r"sha256:[0-9a-f]{64}")
_REPOSITORIES: Final = "HELM_REPOSITORY_CONFIG"
_OF_REGISTRY: Final = "oci://"
_SCHEMES: Final = ("https://", "http://", _OF_REGISTRY)


def store() -> Store:
    """Where the charts that this user fetched lie."""
    return Store(os.path.join(user_folder(), _FOLDER))


class Fetcher:
    """Finds the archives of charts, for several threads at once, each once a run; their names tell their contents.

    What was fetched once is there without a network, too, a range with what it was last resolved to; with one, only a version
    that is fixed is not asked for again. A repository that does not answer in time is asked no more.
    """

    def __init__(self, tool: Tool | None, limits: Limits, *, network: bool) -> None:
        self._tool = tool
        self._limits = limits
        self.network = network
        self._lock = Lock()
        self._locks: dict[RemoteChart, Lock] = {}
        self._found: dict[RemoteChart, str | Failure | None] = {}
        self._silent: dict[str, Failure] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def find(self, chart: RemoteChart) -> str | Failure | None:
        """The archive of a chart, by a path that stays as long as this object; None where nothing may be fetched."""
        with self._lock:
            lock = self._locks.setdefault(chart, Lock())
        with lock:
            if chart not in self._found:
                self._found[chart] = self._find(chart)
            return self._found[chart]

    def _find(self, chart: RemoteChart) -> str | Failure | None:
        if not is_address(chart):
            return None
        exact = bool(chart.digest or _EXACT.fullmatch(chart.version))
        own = os.path.join(_helm_cache(), f"{chart.name}-{chart.version.removeprefix('v')}.tgz")
        if exact and not chart.digest and inputs.is_file(own):
            return own
        about = "\0".join((chart.repository, chart.name, chart.digest or chart.version))
        key = sha256(about.encode(errors="surrogateescape")).hexdigest()
        kept = store()
        known = kept.get(key) if inputs.is_file(kept.path(key)) else None
        if self.network and self._tool is not None and (known is None or not exact):
            inputs.unrepeatable()  # what is fetched may be something else the next time
            fetched = self._silent.get(chart.repository) or _pull(chart, self._tool, self._limits)
            if isinstance(fetched, bytes):
                known = fetched
                kept.put(key, known)
            else:
                if fetched.reason == "time-limit":
                    self._silent[chart.repository] = fetched
                if known is None:
                    return fetched
        return None if known is None else self._write(chart, known)

    def _write(self, chart: RemoteChart, content: bytes) -> str | Failure:
        try:
            check_archive(content, f"{chart.name}.tgz")
        except ChartError as error:
            return Failure("output-limit", str(error))
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True)
        path = os.path.join(self._folder.name, f"{sha256(content).hexdigest()}.tgz")
        with open(path, "wb") as stream:
            stream.write(content)
        return path


def is_address(chart: RemoteChart) -> bool:
    """Whether helm itself, without a plugin, can fetch a chart."""
    known = _NAME.fullmatch(chart.name) and (not chart.digest or _DIGEST.fullmatch(chart.digest))
    return bool(known) and chart.repository.startswith(_SCHEMES)


def _pull(remote: RemoteChart, tool: Tool, limits: Limits) -> bytes | Failure:
    """What helm fetches, with the credentials that it has for registries and repositories, and with no others.

    It uses those of a repository only where that is called by the name under which it was added, and its index is there.
    """
    repository, settings = remote.repository.rstrip("/"), _credentials()
    added = _added(repository, settings[_REPOSITORIES])
    chart: tuple[str, ...] = (f"{added}/{remote.name}",) if added else (remote.name, f"--repo={repository}")
    if repository.startswith(_OF_REGISTRY):
        at = f"@{remote.digest}" if remote.digest else ""
        chart = (f"{repository}/{remote.name}{at}", *(("--plain-http",) if remote.plain else ()))
    version = (f"--version={remote.version}",) if remote.version and not remote.digest else ()
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
        settings["HELM_REPOSITORY_CACHE"] = os.path.join(folder, "repository")
        pull = (tool.path, "pull", *chart, *version, f"--destination={folder}")
        for command in ((tool.path, "repo", "update", added), pull) if added else (pull,):
            result = run(command, folder, limits, network=True, settings=settings)
            if isinstance(result, Failure):
                return result
        try:
            (entry,) = (entry for entry in inputs.entries(folder) if entry.name.endswith(".tgz"))
            return inputs.read(entry.path)
        except (OSError, ValueError):
            return Failure("status", "helm fetched no archive")


def _added(repository: str, path: str) -> str:
    """The name under which a repository was added to helm, empty where it was not."""
    documents = Sources().documents(path)
    for item in items(documents[0].value, "repositories") if documents else ():
        if isinstance(item, dict) and str(item.get("url")).rstrip("/") == repository:
            name = str(item.get("name"))
            return name if _NAME.fullmatch(name) else ""
    return ""


def _credentials() -> dict[str, str]:
    """Where helm's own settings tell it to look for credentials."""
    folder = os.environ.get("HELM_CONFIG_HOME") or os.path.join(
        _home("XDG_CONFIG_HOME", ".config", "Library/Preferences"), "helm"
    )
    own = {
        "HELM_REGISTRY_CONFIG": os.path.join(folder, "registry", "config.json"),
        _REPOSITORIES: os.path.join(folder, "repositories.yaml"),
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
