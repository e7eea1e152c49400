"""The rule for plain folders: together, unless something repeats itself."""

from __future__ import annotations

import pytest

from .conftest import Tree, config_map, found, names


@pytest.mark.parametrize(
    ("files", "units"),
    [
        pytest.param(
            {"a.yaml": ["a"], "deep/er/b.yaml": ["b"], "c/c.yaml": ["c"]},
            {".": {"a", "b", "c"}},
            id="one folder is one",
        ),
        pytest.param(
            {"prod/a.yaml": ["a"], "staging/a.yaml": ["a", "b"]},
            {"prod": {"a"}, "staging": {"a", "b"}},
            id="two that define the same",
        ),
        pytest.param(
            {"prod/a.yaml": ["a"], "test/a.yaml": ["a"], "infra/i.yaml": ["i"], "top.yaml": ["t"]},
            {"prod": {"a", "i", "t"}, "test": {"a", "i", "t"}},
            id="what is beside and above is seen",
        ),
        pytest.param(
            {"apps/prod/a.yaml": ["a"], "apps/test/a.yaml": ["a"], "other/o.yaml": ["o"]},
            {"apps/prod": {"a"}, "apps/test": {"a"}, ".": {"o"}},
            id="what lies farther off is apart",
        ),
        pytest.param(
            {"a.yaml": ["a", "x"], "b.yaml": ["b"], "variant/a.yaml": ["a"]},
            {".": {"a", "x", "b"}, "variant": {"a", "b"}},
            id="a folder that repeats what is above it",
        ),
        pytest.param(
            {"install.yaml": ["a", "b", "c"], "install-ha.yaml": ["a", "b", "d"], "e.yaml": ["e"]},
            {"install.yaml": {"a", "b", "c", "e"}, "install-ha.yaml": {"a", "b", "d", "e"}},
            id="variants of one file",
        ),
        pytest.param(
            {"all.yaml": ["a", "b", "c"], "a.yaml": ["a"]},
            {".": {"a", "b", "c"}},
            id="one object among others is a duplicate",
        ),
        pytest.param(
            {"web-qa.yaml": ["w"], "web-live.yaml": ["w"], "x-qa.yaml": ["x"], "web.yaml": ["d"]},
            {".:qa": {"w", "x", "d"}, ".:live": {"w", "d"}},
            id="environments by suffix",
        ),
        pytest.param(
            {"web-prod.yaml": ["w"], "db-test.yaml": ["d"]}, {".": {"w", "d"}}, id="suffixes without twins tell nothing"
        ),
        pytest.param(
            {"w/a/1.yaml": ["x"], "w/b/1.yaml": ["x"], "v/a/1.yaml": ["x"]},
            {"w/a": {"x"}, "w/b": {"x"}, "v": {"x"}},
            id="divided twice",
        ),
    ],
)
def test_rule(tree: Tree, files: dict[str, list[str]], units: dict[str, set[str]]) -> None:
    tree({path: config_map(*objects) for path, objects in files.items()})
    assert names(found()) == units


def test_namespaces_are_told_apart_and_shared(tree: Tree) -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
    tree(
        {
            "a/all.yaml": namespace + config_map("redis", namespace="a"),
            "b/all.yaml": namespace + config_map("redis", namespace="b"),
        }
    )
    assert names(found()) == {".": {"shop", "redis"}}
    (held,) = found().sets
    assert len(held.graph.objects) == 4
