"""The rule for plain folders: together, unless something repeats itself."""

from __future__ import annotations

import pytest

from ingress_lint.graph.resolution import Existence
from ingress_lint.linting import SetLinter
from ingress_lint.manifests import Manifests
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.packs import load_rules

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


def app(name: str) -> str:
    """A Service, and a Deployment that it is for."""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n"
        f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
    )


def ingress(name: str, service: str) -> str:
    """An Ingress for a Service."""
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n"
        f"spec: {{defaultBackend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}\n"
    )


def test_of_what_is_beside_only_what_one_refers_to_is_seen(tree: Tree) -> None:
    tree(
        {
            "one/i.yaml": ingress("i", "web"),
            "two/i.yaml": ingress("i", "shop"),
            "common/web/web.yaml": app("web"),
            "common/shop.yaml": app("shop"),
            "common/other.yaml": app("other"),
            "more/other.yaml": app("further"),
            "for-web.yaml": ingress("for-web", "web"),
        }
    )
    assert names(found()) == {
        ".": {"web", "shop", "other", "further", "for-web"},
        "one": {"i", "web"},
        "two": {"i", "shop", "other"},
    }


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("spec: {ingressClassName: nginx}\n", id="a class"),
        pytest.param("spec:\n  parametersRef:\n    group: nginx.example.com\n", id="an API group"),
        pytest.param("controllerName: nginx.example.com/controller\n", id="a controller"),
        pytest.param(
            "  annotations:\n    nginx.ingress.kubernetes.io/rewrite-target: /\n", id="an annotation's domain"
        ),
    ],
)
def test_what_only_sounds_like_an_object_refers_to_none(tree: Tree, words: str) -> None:
    of_two = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n" + words
    tree(
        {
            "one/i.yaml": of_two,
            "two/i.yaml": of_two,
            "class.yaml": "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: other}\n",
            "common/nginx.yaml": app("nginx"),
        }
    )
    assert {name: found for name, found in names(found()).items() if name != "."} == {"one": {"i"}, "two": {"i"}}


def test_a_class_is_referred_to_as_a_class(tree: Tree) -> None:
    named = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {ingressClassName: inner}\n"
    tree(
        {
            "one/i.yaml": named,
            "two/i.yaml": named,
            "common/class.yaml": "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: inner}\n",
        }
    )
    assert names(found()) == {"one": {"i", "inner"}, "two": {"i", "inner"}}


def test_of_what_is_repeated_the_nearest_is_seen(tree: Tree) -> None:
    tree(
        {
            "web.yaml": app("web"),
            "more/web.yaml": app("web"),
            "more/one/i.yaml": ingress("i", "web"),
            "more/two/i.yaml": ingress("i", "web"),
        }
    )
    found_in = {held.units[0].name: held.graph.objects for held in found().sets}
    assert {name: {item.document.file.path for item in items} for name, items in found_in.items()} == {
        ".": {"web.yaml"},
        "more/one": {"more/one/i.yaml", "more/web.yaml"},
        "more/two": {"more/two/i.yaml", "more/web.yaml"},
    }


def test_who_refers_to_what_stands_apart_is_seen_by_those_that_have_most_of_it(tree: Tree) -> None:
    tree(
        {
            "prod.yaml": f"{app('web')}---\n{app('shop')}",
            "prod-ha.yaml": f"{app('web')}---\n{app('shop')}",
            "part.yaml": app("web"),
            "i.yaml": f"{ingress('i', 'web')}---\n{ingress('j', 'shop')}",
        }
    )
    assert names(found()) == {
        "part.yaml": {"web"},
        "prod-ha.yaml": {"web", "shop", "i", "j"},
        "prod.yaml": {"web", "shop", "i", "j"},
    }


def test_a_collection_of_examples(tree: Tree) -> None:
    """Where most stands apart, all does; nobody can tell to which of the parts farther down a file refers."""
    tree(
        {
            "auth/i.yaml": ingress("i", "web"),
            "cors/i.yaml": ingress("i", "web"),
            "limits/j.yaml": ingress("j", "web"),
            "apps/secure.yaml": app("web") + "---\n" + ingress("i", "x"),
            "apps/simple.yaml": app("web"),
            "apps/plain.yaml": app("web"),
        }
    )
    assert names(found()) == {
        "apps/plain.yaml": {"web"},
        "apps/secure.yaml": {"web", "i"},
        "apps/simple.yaml": {"web"},
        "auth": {"i"},
        "cors": {"i"},
        "limits": {"j"},
    }


def test_what_three_files_of_a_folder_define_is_an_example_each_time(tree: Tree) -> None:
    tree({f"{name}.yaml": f"{ingress(name, 'x')}---\n{config_map('class')}" for name in "abc"})
    assert names(found()) == {f"{name}.yaml": {name, "class"} for name in "abc"}


def test_a_file_that_does_not_parse_is_seen_where_it_is_referred_to(tree: Tree) -> None:
    tree(
        {
            "one/i.yaml": ingress("i", "web"),
            "two/i.yaml": ingress("i", "web"),
            "more/a.yaml": "kind: Service\nmetadata: [\n",
        }
    )
    assert [held.units[0].name for held in found().sets if held.graph.context.unparsed] == ["more"]


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


def shop(name: str, *services: str) -> str:
    """An Ingress for the shop's host, with a path for each Service, of which the first is `/`."""
    backends = (f"{{service: {{name: {service}, port: {{number: 80}}}}}}" for service in services)
    paths = ", ".join(
        f"{{path: {'/x' * at or '/'}, pathType: Prefix, backend: {each}}}" for at, each in enumerate(backends)
    )
    rules = f"[{{host: shop.example.com, http: {{paths: [{paths}]}}}}]"
    return f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\nspec: {{ingressClassName: n, rules: {rules}}}\n"


def claims(manifests: Manifests) -> dict[str, str]:
    """The severity of each conflict of routes, by the file that it is told of."""
    linted = (SetLinter(held, load_rules()).everything() for held in manifests.sets)
    found = (finding for findings in linted for finding in findings if finding.code == "IL103")
    return {finding.place.document.file.path: finding.severity.label for finding in found}


def test_what_is_left_of_a_collection_is_compared_as_far_as_it_belongs_together(tree: Tree) -> None:
    """Of two files that only lie beside what was taken apart nobody knows whether both are applied."""
    files = {
        "one/a.yaml": ingress("a", "x"),
        "two/a.yaml": ingress("a", "x"),
        "more/b.yaml": shop("b", "web"),
        "further/c.yaml": shop("c", "cart"),
    }
    tree(files)
    assert claims(found()) == {"more/b.yaml": "note"}


def test_where_nothing_was_taken_apart_all_is_compared(tree: Tree) -> None:
    tree({"more/b.yaml": shop("b", "web"), "further/c.yaml": shop("c", "cart")})
    assert claims(found()) == {"more/b.yaml": "error"}


def test_users_that_only_meet_in_a_unit_are_not_compared(tree: Tree) -> None:
    tree(
        {
            "one/web.yaml": app("web"),
            "two/web.yaml": app("web"),
            "b/b.yaml": shop("b", "web"),
            "c/c.yaml": shop("c", "cart", "web"),
        }
    )
    assert claims(found()) == {"c/c.yaml": "note"}


@pytest.mark.parametrize(
    ("route", "existence"),
    [
        pytest.param(ingress("b", "shop"), Existence.PARTIAL, id="of a file that has no Service"),
        pytest.param(
            f"{ingress('b', 'shop')}---\n{ingress('c', 'web')}", Existence.MISSING, id="of one that has another"
        ),
    ],
)
def test_what_a_part_of_a_collection_lacks_may_be_left_out(tree: Tree, route: str, existence: Existence) -> None:
    tree(
        {
            "one/a.yaml": config_map("a"),
            "two/a.yaml": config_map("a"),
            "more/b.yaml": route,
            "further/web.yaml": app("web"),
            "further/map.yaml": config_map("map"),
        }
    )
    graph = next(held.graph for held in found().sets if held.units[0].name == ".")
    assert graph.resolve(SERVICE, "default", "shop").existence is existence
