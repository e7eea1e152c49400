"""Kinds that are not judged: files of programs, and what routes unread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingress_lint.engine import read
from ingress_lint.manifests import Manifests, Options
from ingress_lint.objects.foreign_kinds import is_client_side, routes_unread
from ingress_lint.objects.kinds import _KINDS


def of(tmp_path: Path, text: str) -> Manifests:
    (tmp_path / "a.yaml").write_text(text)
    return read(Options(paths=[os.fspath(tmp_path)]))


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Config"),
        ("kind.x-k8s.io/v1alpha4", "Cluster"),
        ("k3d.io/v1alpha5", "Simple"),
        ("kubeadm.k8s.io/v1beta4", "ClusterConfiguration"),
        ("install.istio.io/v1alpha1", "IstioOperator"),
        ("skaffold/v4beta6", "Config"),
        ("krew.googlecontainertools.github.com/v1alpha2", "Plugin"),
        ("backstage.io/v1alpha1", "Component"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
    ],
)
def test_files_of_programs_make_no_object(tmp_path: Path, api_version: str, kind: str) -> None:
    assert is_client_side(api_version, kind)
    found = of(tmp_path, f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: [x]}}\nspec: 1\n")
    assert not found.problems
    assert not [item for held in found.sets for item in held.graph.objects]


@pytest.mark.parametrize(
    ("group", "kind"), [("gateway.networking.k8s.io", "HTTPRoute"), ("", "Service"), ("k8s.nginx.org", "VirtualServer")]
)
def test_what_is_read_is_not_counted(group: str, kind: str) -> None:
    assert not routes_unread(group, kind)
    assert not is_client_side(f"{group}/v1" if group else "v1", kind)


def test_no_kind_is_read_and_foreign_at_once() -> None:
    for group, kind in _KINDS:
        assert not routes_unread(group, kind), kind
        assert not is_client_side(f"{group}/v1" if group else "v1", kind), kind


def test_what_routes_unread_is_counted_by_kind(tmp_path: Path) -> None:
    kinds = ["cis.f5.com/v1 VirtualServer", "getambassador.io/v2 Mapping", "getambassador.io/v2 Mapping"]
    texts = (
        "apiVersion: {}\nkind: {}\nmetadata: {{name: n{}}}\nspec: {{}}\n".format(*kind.split(), number)
        for number, kind in enumerate(kinds)
    )
    counted = of(tmp_path, "---\n".join(texts)).routing_unread
    assert counted == {"VirtualServer (cis.f5.com)": 1, "Mapping (getambassador.io)": 2}


def test_items_of_typed_lists_are_what_the_list_says(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: web}, spec: {ports: [{port: 80}]}}]\n"
    found = of(tmp_path, text)
    ((item,),) = (held.graph.objects for held in found.sets)
    assert (found.problems, str(item), item.at("spec").pointer) == ([], "Service default/web", ("items", 0, "spec"))
