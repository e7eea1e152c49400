"""A document whose value was let go."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.engine import read
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Options


def test_a_value_that_was_let_go_is_read_again_once() -> None:
    text = "kind: A\n---\nkind: B\nspec: {ports: [80]}\n"
    document = Document(SourceFile("a.yaml", text), 1, 12, len(text), value={"kind": "B", "spec": {"ports": [80]}})
    document.let_go(ValueReader().value)
    assert document.value is None
    assert document.whole() == {"kind": "B", "spec": {"ports": [80]}}
    assert document.whole() is document.whole()


def test_objects_still_tell_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {a: 'x'}}\nspec: {ports: [{port: 80}]}\n"
        "---\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {target: web}\n"
    )
    (manifests,) = read(Options(paths=["."])).sets
    service, thing = manifests.graph.objects
    assert service.document.value is None
    assert service.mapping("spec") == {"ports": [{"port": 80}]}
    assert service.names_itself
    assert thing.document.value is not None
    assert thing.text("spec", "target") == "web"
