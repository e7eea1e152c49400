"""What the integration tests share: they run the project as others do, from its repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ingress_lint.build.tools import Tool

ROOT = Path(__file__).parents[2]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: kong
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {name: http}}}
"""
RENAMED_SERVICE = SERVICE.replace("name: web, ", "name: web-v2, ")
"""The Service under another name, which breaks the Ingress in the other file."""


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository whose one commit is the project as it stands here, committed or not."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("these are not the sources in a git repository")
    folder = tmp_path_factory.mktemp("repository")
    for name in listed.stdout.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    commit_all(folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    """Runs git on a throwaway repository, whatever repository or hook the tests run in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, check=True)


def commit_all(folder: Path) -> None:
    """Makes all that is in `folder` a commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "as it stands")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a small shop in order, an object a file."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in (("deployment", DEPLOYMENT), ("service", SERVICE), ("ingress", INGRESS)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def charted(shop: Path, helm: Tool, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop as a chart in a folder of a repository, whose Ingress takes its port from the values, which name a wrong one."""
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(helm.path).parent), os.environ["PATH"])))
    chart = shop / "charts/web"
    (chart / "templates").mkdir(parents=True)
    for name in ("deployment", "service", "ingress"):
        (shop / f"{name}.yaml").rename(chart / f"templates/{name}.yaml")
    port = INGRESS.replace("port: {name: http}", "port: {number: {{ .Values.port }} }")
    (chart / "templates/ingress.yaml").write_text(port, encoding="utf-8")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "values.yaml").write_text("# the Service has 80\nport: 81\n", encoding="utf-8")
    return shop
