"""Trees of files, and what Argo CD deploys of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingress_lint.load.files import Found
from ingress_lint.load.loading import Loader
from ingress_lint.units import argo_cd
from ingress_lint.units.building import Builder, Rendering
from ingress_lint.units.kustomization import Kustomizations
from ingress_lint.units.plan import Plan
from ingress_lint.units.repository import Repository
from ingress_lint.units.site import Site
from ingress_lint.units.walking import walk

HERE = "https://git.example.com/team/deploy.git"

Plans = Callable[..., dict[str, Plan]]
MakeSite = Callable[..., Site]


def application(
    name: str, path: str, more: str = "", *, url: str = HERE, destination: str = "", metadata: str = ""
) -> str:
    """An Application of one source; `more` are further fields of the source."""
    to = destination or "server: https://kubernetes.default.svc, namespace: shop"
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}{metadata}}}
spec:
  source: {{repoURL: {url}, path: {path}{more}}}
  destination: {{{to}}}
"""


def application_set(generators: str, *, name: str = "made", template: str = "", more: str = "") -> str:
    """An ApplicationSet; `generators` and `template` are written in one line each."""
    template = (
        template
        or f'{{metadata: {{name: "{{{{name}}}}"}}, spec: {{source: {{repoURL: "{HERE}", path: "{{{{path}}}}"}}}}}}'
    )
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: {name}, namespace: argocd}}
spec:
  generators: {generators}
  template: {template}
{more}"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSite:
    """Writes files, by their paths, into the working directory, and what is there."""
    monkeypatch.chdir(tmp_path)

    def make(files: dict[str, str], rendering: Rendering | None = None) -> Site:
        (tmp_path / ".git").mkdir(exist_ok=True)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tree = walk(".")
        loader = Loader(lambda _kind, _text: True)
        known = Kustomizations(tree.kustomizations, tree.files)
        found = {file.real: file for file in tree.files if known.lists(file.real) or not known.takes(file)}
        return Site(
            Repository.around("."),
            found,
            {chart.real: chart for chart in tree.charts},
            known,
            lambda path: loader.read(found.get(path) or Found.at(path)),
            Builder(loader, rendering or Rendering()),
        )

    return make


@pytest.fixture
def plans(site: MakeSite) -> Plans:
    """The plans of Applications, by their names; of several with one name, later ones have a `'` for each before."""

    def make(
        files: dict[str, str], deployed: Sequence[Plan] = (), rendering: Rendering | None = None
    ) -> dict[str, Plan]:
        result: dict[str, Plan] = {}
        for plan in argo_cd.plans(site(files, rendering), deployed):
            name = plan.unit.name
            if plan.unit.kind == "folder":  # which only holds the objects themselves
                continue
            while name in result:
                name += "'"
            result[name] = plan
        return result

    return make


def objects(plan: Plan) -> set[str]:
    """The names of the objects of a plan."""
    return {document.whole()["metadata"]["name"] for document in plan.documents}
