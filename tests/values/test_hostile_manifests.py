"""Every kind of fixture with one of its values replaced by text that nobody expects there: no rule breaks down."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules
from tests.values.nasty import NASTY

FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
RULES: Final = load_rules()
CODES: Final = sorted(folder.name for folder in FIXTURES.iterdir() if (folder / "bad").is_dir())
VALUES: Final = (*NASTY, "80", "-1", "80\n", 0, -1, 2**63, 1e308, True, None, [], {}, [[]], {"": None})
SAMPLES: Final = 15
"""How many manifests of each rule are tried; which ones, and with which value, is up to a fixed seed."""

Pointer = tuple[str | int, ...]


def documents(path: Path) -> list[Any]:
    try:
        return [value for value in yaml.safe_load_all(path.read_text(encoding="utf-8")) if isinstance(value, dict)]
    except (yaml.YAMLError, ValueError):
        return []


def scalars(value: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    """Where the values stand that are no mapping and no list, but for what says what an object is."""
    if isinstance(value, dict):
        for key, item in value.items():
            if pointer or key not in ("kind", "apiVersion"):
                yield from scalars(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from scalars(item, (*pointer, index))
    else:
        yield pointer


def replaced(value: Any, pointer: Pointer, by: Any) -> Any:
    """A copy of `value` with one part replaced."""
    if not pointer:
        return by
    step, *rest = pointer
    if isinstance(value, dict):
        return {key: replaced(item, tuple(rest), by) if key == step else item for key, item in value.items()}
    return [replaced(item, tuple(rest), by) if index == step else item for index, item in enumerate(value)]


def hostile(code: str, chosen: random.Random) -> Iterator[tuple[str, str]]:
    """Manifests of a rule, as one text each, in which one value is a hostile one; and what it is."""
    cases = [sorted(case.rglob("*.yaml")) for case in sorted((FIXTURES / code / "bad").iterdir())]
    for _ in range(SAMPLES):
        held = [document for path in chosen.choice(cases) for document in documents(path)]
        places = [(index, pointer) for index, document in enumerate(held) for pointer in scalars(document)]
        if not places:
            continue
        index, pointer = chosen.choice(places)
        by = chosen.choice(VALUES)
        held[index] = replaced(held[index], pointer, by)
        text = "\n---\n".join(json.dumps(document, default=str) for document in held)
        yield text, f"{held[index].get('kind')} {pointer} = {by!r:.60}"


@pytest.mark.parametrize("code", CODES)
def test_no_value_breaks_a_rule(code: str, tmp_path: Path) -> None:
    file = tmp_path / "manifests.yaml"
    for text, what in hostile(code, random.Random(code)):
        file.write_text(text, encoding="utf-8")
        try:
            report = check(Options(paths=(str(file),)), RULES)
        except Exception as error:
            raise AssertionError(f"{what} ends the run") from error
        assert not report.failures, what


HEX: Final = "0x" + "f" * 5000
FILES: Final = {
    "a number that no text can show": (
        "config.conf",
        f"kind: KubeProxyConfiguration\nconntrack: {{maxPerCore: {HEX}}}\n",
    ),
    "a port of that size": (
        "envoy.yaml",
        f"static_resources: {{listeners: [{{address: {{socket_address: {{port_value: {HEX}}}}}}}]}}\n",
    ),
    "a list that is a part of itself": (
        "cni-config",
        '{"mtu": 1, "name": "a", "plugins": &all [{"type": "calico", "plugins": *all}]}\n',
    ),
    "brackets without end": ("envoy.yaml", "listeners: [{port_value: " + "[" * 20_000),
    "a property of 5,000 digits": ("application.properties", f"server.port={'9' * 5000}\n"),
    "a property in other digits": ("application.properties", "server.port=٨٠٨٠\n"),
    "directives of 5,000 digits": (
        "nginx.conf",
        f"server {{\nlisten {'9' * 5000};\nkeepalive_timeout {'9' * 5000};\n}}\n",
    ),
}


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("image", ["nginx:1.27", "tomcat:10", f"node:{'9' * 5000}", "envoyproxy/envoy:v1"])
def test_no_mounted_file_breaks_a_rule(case: str, image: str, tmp_path: Path) -> None:
    key, text = FILES[case]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-proxy"}, "data": {key: text}}
    container = {"name": "web", "image": image, "volumeMounts": [{"name": "files", "mountPath": "/etc/app"}]}
    spec = {"containers": [container], "volumes": [{"name": "files", "configMap": {"name": "kube-proxy"}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}
    ports = [{"port": 80, "targetPort": 8080}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    service |= {"spec": {"selector": {"app": "web"}, "ports": ports}}
    file = tmp_path / "manifests.yaml"
    file.write_text("\n---\n".join(map(json.dumps, (config, pod, service))), encoding="utf-8")
    assert not check(Options(paths=(str(file),)), RULES).failures
