"""ApplicationSets: what their generators make of the repository."""

from __future__ import annotations

import json

import pytest

from .conftest import HERE, Plans, application_set

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
APPS = {f"apps/{name}/a.yaml": CONFIG_MAP for name in ("web", "shop", "parked")}
GIT = f"repoURL: {HERE}, revision: HEAD"
GO = "  goTemplate: true\n"


def template(name: str, path: str, more: str = "") -> str:
    return f"{{metadata: {{name: '{name}'}}, spec: {{source: {{repoURL: {HERE}, path: '{path}'}}, destination: {{name: main{more}}}}}}}"


def test_a_list(plans: Plans) -> None:
    elements = "[{list: {elements: [{name: web, path: apps/web}, {name: shop, path: apps/shop}]}}]"
    found = plans(APPS | {"set.yaml": application_set(elements)})
    assert {name: plan.unit.path for name, plan in found.items()} == {
        "argocd/web": "apps/web",
        "argocd/shop": "apps/shop",
    }
    assert {plan.unit.file for plan in found.values()} == {"set.yaml"}


def test_values_of_elements_and_of_elements_in_yaml(plans: Plans) -> None:
    generators = (
        "[{list: {elements: [{name: web, values: {where: apps}}], elementsYaml: '[{name: shop, values.where: apps}]'}}]"
    )
    found = plans(
        APPS | {"set.yaml": application_set(generators, template=template("{{name}}", "{{values.where}}/{{name}}"))}
    )
    assert {plan.unit.path for plan in found.values()} == {"apps/web", "apps/shop"}


def test_directories_but_for_those_excluded(plans: Plans) -> None:
    generators = f"[{{git: {{{GIT}, directories: [{{path: apps/*}}, {{path: apps/parked, exclude: true}}]}}}}]"
    files = APPS | {"apps/.hidden/a.yaml": CONFIG_MAP, "apps/web/deeper/a.yaml": CONFIG_MAP}
    found = plans(files | {"set.yaml": application_set(generators, template=template("{{path.basename}}", "{{path}}"))})
    assert set(found) == {"argocd/web", "argocd/shop"}


def test_parameters_of_paths(plans: Plans) -> None:
    generators = f"[{{git: {{{GIT}, directories: [{{path: apps/W*_x}}], values: {{v: '{{{{path[0]}}}}'}}}}}}]"
    name = "{{path.basename}}|{{path.basenameNormalized}}|{{path[1]}}|{{values.v}}"
    found = plans(
        {"apps/Web_x/a.yaml": CONFIG_MAP, "set.yaml": application_set(generators, template=template(name, "{{path}}"))}
    )
    assert set(found) == {"argocd/Web_x|web-x|Web_x|apps"}


def test_parameters_of_paths_in_go_templates(plans: Plans) -> None:
    generators = f"[{{git: {{{GIT}, pathParamPrefix: my, directories: [{{path: apps/*_x}}], values: {{v: '{{{{index .my.path.segments 0}}}}'}}}}}}]"
    made = application_set(
        generators, template=template("{{.my.path.basenameNormalized}}|{{.values.v}}", "{{.my.path.path}}"), more=GO
    )
    assert set(plans({"apps/Web_x/a.yaml": CONFIG_MAP, "set.yaml": made})) == {"argocd/web-x|apps"}


def test_files(plans: Plans) -> None:
    files = {
        "conf/eu/a.json": json.dumps({"tenant": {"name": "acorn", "port": 80}, "path": "ignored"}),
        "conf/us/deep/b.yaml": "- tenant: {name: birch, port: 81}\n- tenant: {name: cedar, port: 82.5}\n",
        "conf/skip/c.json": "{}",
        "app/a.yaml": CONFIG_MAP,
    }
    generators = f"[{{git: {{{GIT}, files: [{{path: 'conf/*/*'}}, {{path: conf/skip, exclude: true}}]}}}}]"
    made = application_set(
        generators, template=template("{{tenant.name}}-{{tenant.port}}-{{path.basename}}-{{path.filename}}", "app")
    )
    assert set(plans(files | {"set.yaml": made})) == {
        "argocd/acorn-80-eu-a.json",
        "argocd/birch-81-deep-b.yaml",
        "argocd/cedar-82.5-deep-b.yaml",
    }
    made = application_set(
        generators,
        template=template("{{.tenant.name}}-{{.path.filenameNormalized}}", "app"),
        more=GO + "  goTemplateOptions: [missingkey=error]\n",
    )
    assert set(plans(files | {"set.yaml": made})) == {
        "argocd/acorn-a.json",
        "argocd/birch-b.yaml",
        "argocd/cedar-b.yaml",
    }


def test_a_matrix_hands_parameters_on(plans: Plans) -> None:
    files = {f"apps/{app}/{stage}/a.yaml": CONFIG_MAP for app in ("web", "shop") for stage in ("dev", "live")}
    generators = (
        "[{matrix: {generators: [{list: {elements: [{stage: dev}, {stage: live}]}},"
        f" {{git: {{{GIT}, directories: [{{path: 'apps/*/{{{{stage}}}}'}}]}}}}]}}}}]"
    )
    found = plans(
        files | {"set.yaml": application_set(generators, template=template("{{path[1]}}-{{stage}}", "{{path}}"))}
    )
    assert {name: plan.unit.path for name, plan in found.items()} == {
        f"argocd/{app}-{stage}": f"apps/{app}/{stage}" for app in ("web", "shop") for stage in ("dev", "live")
    }


def test_a_merge_lays_over_the_first(plans: Plans) -> None:
    generators = (
        "[{merge: {mergeKeys: [name], generators: ["
        "{list: {elements: [{name: web, path: apps/web}, {name: shop, path: apps/web}]}},"
        "{list: {elements: [{name: shop, path: apps/shop}, {name: other, path: apps/parked}]}}]}}]"
    )
    found = plans(APPS | {"set.yaml": application_set(generators)})
    assert {name: plan.unit.path for name, plan in found.items()} == {
        "argocd/web": "apps/web",
        "argocd/shop": "apps/shop",
    }


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("{matchLabels: {tier: edge}}", {"argocd/web"}),
        ("{matchExpressions: [{key: tier, operator: In, values: [edge, core]}]}", {"argocd/web", "argocd/shop"}),
        ("{matchExpressions: [{key: tier, operator: NotIn, values: [edge]}]}", {"argocd/shop", "argocd/parked"}),
        ("{matchExpressions: [{key: tier, operator: Exists}]}", {"argocd/web", "argocd/shop"}),
        ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", {"argocd/parked"}),
        ("{}", {"argocd/web", "argocd/shop", "argocd/parked"}),
    ],
)
def test_a_selector_chooses(plans: Plans, selector: str, chosen: set[str]) -> None:
    elements = "[{name: web, tier: edge, path: apps/web}, {name: shop, tier: core, path: apps/shop}, {name: parked, path: apps/parked}]"
    generators = f"[{{list: {{elements: {elements}}}, selector: {selector}}}]"
    assert set(plans(APPS | {"set.yaml": application_set(generators)})) == chosen


def test_a_generator_may_have_a_template_of_its_own(plans: Plans) -> None:
    own = "{metadata: {}, spec: {source: {path: apps/parked}, destination: {namespace: own}}}"
    generators = f"[{{list: {{elements: [{{name: web, path: apps/web}}], template: {own}}}}}]"
    (plan,) = plans(
        APPS | {"set.yaml": application_set(generators, template=template("{{name}}", "{{path}}"))}
    ).values()
    assert (plan.unit.name, plan.unit.path, plan.unit.cluster, plan.default_namespace) == (
        "argocd/web",
        "apps/parked",
        "main",
        "own",
    )


def test_a_patch_of_the_template(plans: Plans) -> None:
    patch = '  templatePatch: |\n    spec: {destination: {namespace: "{{ .name }}-x"{{ if eq .name "web" }}, name: other{{ end }}}}\n'
    generators = "[{list: {elements: [{name: web, path: apps/web}]}}]"
    made = application_set(generators, template=template("{{.name}}", "{{.path}}"), more=GO + patch)
    (plan,) = plans(APPS | {"set.yaml": made}).values()
    assert (plan.unit.cluster, plan.default_namespace) == ("other", "web-x")


@pytest.mark.parametrize(
    ("generators", "more", "reason"),
    [
        ("[{clusters: {}}]", "", "asks which clusters"),
        ("[{scmProvider: {}}]", "", "asks a forge"),
        ("[{pullRequest: {}}]", "", "asks a forge"),
        ("[{clusterDecisionResource: {}}]", "", "asks the decisions"),
        ("[{plugin: {}}]", "", "asks a plugin"),
        ("[{matrix: {generators: [{clusters: {}}, {list: {elements: [{a: b}]}}]}}]", "", "asks which clusters"),
        (
            "[{merge: {mergeKeys: [a], generators: [{list: {elements: [{a: b}]}}, {clusters: {}}]}}]",
            "",
            "asks which clusters",
        ),
        ("[{unheardOf: {}}]", "", "`unheardOf` is not known"),
        ("[{git: {repoURL: https://elsewhere.example.com/a, directories: [{path: '*'}]}}]", "", "another repository"),
        (f"[{{git: {{repoURL: {HERE}, revision: next, directories: [{{path: '*'}}]}}}}]", "", "another revision, next"),
        ("[{list: {elements: [{name: web, path: 1}]}}]", "", "no text"),
        (
            "[{list: {elements: [{name: web}]}}]",
            GO + "  goTemplateOptions: [missingkey=error]\n",
            "`range` is not known here",
        ),
        ("[{matrix: {generators: []}}]", "", "two generators"),
        ("[{merge: {generators: [{list: {elements: []}}, {list: {elements: []}}]}}]", "", "a key"),
        (
            "[{list: {elements: [{a: b}]}, selector: {matchExpressions: [{key: a, operator: Near}]}}]",
            "",
            "operator `Near`",
        ),
        (f"[{{git: {{{GIT}, directories: [{{path: 'a['}}]}}}}]", "", "without its `]`"),
    ],
)
def test_what_cannot_be_expanded_is_named(plans: Plans, generators: str, more: str, reason: str) -> None:
    template = '{metadata: {name: "{{range .}}"}, spec: {destination: {namespace: shop}}}' if more else ""
    files = {
        "set.yaml": application_set(generators, template=template, more=more),
        "root.yaml": application_set(f"[{{git: {{{GIT}, directories: [{{path: apps/web}}]}}}}]", name="other"),
    }
    found = plans(APPS | files)
    plan = found["argocd/made"]
    assert (plan.unit.kind, plan.unit.path, plan.unit.state) == ("application-set", "set.yaml", "unchecked")
    assert reason in plan.unit.reason
    assert plan.makes_in == ("shop" if more else None)


def test_what_can_be_expanded_is_beside_what_cannot(plans: Plans) -> None:
    found = plans(
        APPS | {"set.yaml": application_set("[{clusters: {}}, {list: {elements: [{name: web, path: apps/web}]}}]")}
    )
    assert {name: plan.unit.state for name, plan in found.items()} == {
        "argocd/web": "checked",
        "argocd/made": "unchecked",
    }


def test_a_parameter_that_no_generator_sets(plans: Plans) -> None:
    found = plans(
        APPS
        | {
            "set.yaml": application_set("[{list: {elements: [{name: web, paths: apps/web}]}}]"),
            "b.yaml": application_set(
                "[{list: {elements: [{name: b, path: apps/web}]}}]", name="b", template=template("b", "apps/web")
            ),
        }
    )
    assert "{{path}}" in found["argocd/web"].unit.reason


def test_ten_thousand_elements(plans: Plans) -> None:
    elements = ", ".join(f"{{name: a{index}, path: apps/web}}" for index in range(10_000))
    assert len(plans(APPS | {"set.yaml": application_set(f"[{{list: {{elements: [{elements}]}}}}]")})) == 10_000


def test_far_too_many_elements(plans: Plans) -> None:
    elements = ", ".join(f"{{{{k}}: b{index}}}" for index in range(300))
    one, other = (elements.replace("{k}", key) for key in "xy")
    generators = f"[{{matrix: {{generators: [{{list: {{elements: [{one}]}}}}, {{list: {{elements: [{other}]}}}}]}}}}]"
    (plan,) = plans(APPS | {"set.yaml": application_set(generators)}).values()
    assert "more than 20000 Applications" in plan.unit.reason


def test_generators_that_do_much_for_nothing(plans: Plans) -> None:
    one = ", ".join(f"{{x: a{index}}}" for index in range(3000))
    other = one.replace("x:", "y:")
    second = f"{{list: {{elements: [{other}]}}, selector: {{matchLabels: {{y: none}}}}}}"
    generators = f"[{{matrix: {{generators: [{{list: {{elements: [{one}]}}}}, {second}]}}}}]"
    (plan,) = plans(APPS | {"set.yaml": application_set(generators)}).values()
    assert "more than 20000 Applications" in plan.unit.reason


def test_texts_that_grow_and_grow(plans: Plans) -> None:
    generator = "{list: {elements: [{a0: '" + "x" * 100 + "'}]}}"
    for index in range(1, 16):
        four = f"{{{{a{index - 1}}}}}" * 4
        grown = f"{{list: {{elements: [{{a{index}: '{four}'}}]}}}}"
        generator = f"{{matrix: {{generators: [{generator}, {grown}]}}}}"
    (plan,) = plans(APPS | {"set.yaml": application_set(f"[{generator}]")}).values()
    assert "too long" in plan.unit.reason


@pytest.mark.parametrize(
    "generators",
    [
        "{}",
        "[[]]",
        "[null]",
        "[{list: []}]",
        "[{list: {elements: {}}}]",
        "[{git: 1}]",
        "[{matrix: 1}]",
        "[{merge: {generators: [1, 2], mergeKeys: [[]]}}]",
        "[{git: {directories: [1], files: 2}}]",
        "[{list: {elements: [1, {a: b}]}, selector: 3}]",
    ],
)
@pytest.mark.parametrize("more", ["", GO])
def test_nothing_that_it_may_hold_breaks(plans: Plans, generators: str, more: str) -> None:
    plans({"set.yaml": application_set(generators, more=more), "b.yaml": application_set("[]", template="[]")})
