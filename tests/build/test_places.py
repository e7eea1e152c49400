"""Where what kustomize built is written: each case names a rendered field, and the line of the source that it maps to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from ingress_lint.build.following import value_at
from ingress_lint.build.kustomize import Built, Overlay, Root, build
from ingress_lint.build.places import Places, SourcePlace
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import Tool
from ingress_lint.build.tree import Layer
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.positions import Locator

from .conftest import WriteTree, write_files

TREE = {
    "base/kustomization.yaml": """\
namePrefix: shop-
resources: [app.yaml, ingress.yaml, map.yaml]
configMapGenerator:
- name: settings
  literals: [MODE=fast, LEVEL=info]
  envs: [settings.env]
  files: [nginx.conf, other.txt=data/text]
secretGenerator:
- name: users
  type: Opaque
  literals: [password=secret]
""",
    "base/settings.env": "# a comment\nREGION=eu\nZONE=b\n",
    "base/nginx.conf": "server {\n  listen 80;\n}\n",
    "base/data/text": "text\n",
    "base/app.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - name: http
    port: 80
    targetPort: http
  - name: metrics
    port: 9090
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: proxy
        image: proxy:1
      - name: web
        image: registry.example.com/web:1
        args: [--verbose, --host=$(HOST)]
        livenessProbe:
          httpGet: {path: /alive, port: http}
        ports:
        - name: http
          containerPort: 8080
        envFrom:
        - configMapRef:
            name: settings
""",
    "base/ingress.yaml": """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  ingressClassName: nginx
  rules:
  - host: example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port: {number: 80}
      - path: /metrics
        pathType: Prefix
        backend:
          service:
            name: web
            port: {name: metrics}
""",
    "base/map.yaml": """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: one
  data:
    key: value
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: two
    namespace: elsewhere
  data:
    key: value
""",
    "component/kustomization.yaml": """\
kind: Component
patches:
- target: {kind: Ingress, name: .*web}
  patch: |-
    - op: add
      path: /metadata/annotations
      value:
        example.com/one: "1"
        example.com/two: "2"
""",
    "overlay/kustomization.yaml": """\
namespace: prod
nameSuffix: -v2
resources: [../base]
components: [../component]
commonAnnotations:
  team: shop
labels:
- pairs: {stage: prod}
- pairs: {track: stable}
  includeSelectors: true
replicas:
- name: shop-web
  count: 0
images:
- name: proxy
  newTag: "2"
- name: registry.example.com/web
  newName: mirror.example.com/web
patches:
- path: ports.yaml
- path: operations.json
  target: {group: networking.k8s.io, kind: Ingress}
- target: {kind: Deployment}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: any
    spec:
      template:
        spec:
          containers:
          - name: web
            livenessProbe: null
            readinessProbe:
              httpGet:
                path: /ready
                port: http
          - name: sidecar
            image: sidecar:3
- patch: '[{"op": "replace", "path": "/spec/ingressClassName", "value": "internal"}]'
  target: {kind: Ingress}
replacements:
- source: {kind: ConfigMap, name: shop-one, fieldPath: data.key}
  targets:
  - select: {kind: Deployment}
    fieldPaths:
    - spec.template.spec.containers.[name=web].args.0
vars:
- name: HOST
  objref: {apiVersion: v1, kind: Service, name: shop-web}
""",
    "overlay/ports.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: shop-web
spec:
  selector:
    tier: front
  ports:
  - port: 80
    targetPort: 8081
""",
    "overlay/operations.json": """\
[
  {"op": "replace", "path": "/spec/rules/0/host", "value": "prod.example.com"},
  {"op": "remove", "path": "/spec/rules/0/http/paths/0"},
  {"op": "add", "path": "/spec/rules/0/http/paths/-", "value":
    {"path": "/api", "pathType": "Exact", "backend": {"service": {
      "name": "web",
      "port": {"number": 8000}}}}}
]
""",
}

CONTAINERS = ("spec", "template", "spec", "containers")
PATHS = ("spec", "rules", 0, "http", "paths")
WEB = "shop-web-v2"
SETTINGS = "shop-settings-v2-"


class Case(Struct, frozen=True):
    """A field of the object of a kind whose name starts with `name`, and the text of the line that it maps to."""

    kind: str
    name: str
    pointer: Pointer
    file: str
    text: str
    certainty: str = "exact"
    related: tuple[str, ...] = ()
    """The lines of the related places."""


CASES = [
    # what the source has
    Case("Service", WEB, ("spec", "ports", 0, "port"), "base/app.yaml", "port: 80"),
    Case("Service", WEB, ("spec", "ports", 1, "port"), "base/app.yaml", "port: 9090"),
    Case("Deployment", WEB, (*CONTAINERS, 0, "ports", 0, "containerPort"), "base/app.yaml", "containerPort: 8080"),
    Case("Deployment", WEB, (*CONTAINERS, 0, "ports"), "base/app.yaml", "ports:"),
    Case("Deployment", WEB, ("metadata", "labels", "app"), "base/app.yaml", "app: web"),
    Case("Ingress", WEB, (*PATHS, 0, "path"), "base/ingress.yaml", "- path: /metrics"),
    Case("Ingress", WEB, (), "base/ingress.yaml", "apiVersion: networking.k8s.io/v1"),
    Case("ConfigMap", "shop-two-v2", ("data", "key"), "base/map.yaml", "key: value"),
    # what is in neither
    Case("Service", WEB, ("spec", "type"), "base/app.yaml", "spec:"),
    Case("Deployment", WEB, (*CONTAINERS, 0, "resources", "limits"), "base/app.yaml", "- name: web"),
    # affixes, hashes, namespaces
    Case("Service", WEB, ("metadata", "name"), "base/app.yaml", "name: web", related=("nameSuffix: -v2", "namePrefix: shop-")),
    Case(
        "Ingress", WEB, (*PATHS, 0, "backend", "service", "name"), "base/ingress.yaml", "name: web",
        related=("nameSuffix: -v2", "namePrefix: shop-"),
    ),
    Case(
        "Deployment", WEB, (*CONTAINERS, 0, "envFrom", 0, "configMapRef", "name"), "base/app.yaml", "name: settings",
        related=("- name: settings", "nameSuffix: -v2", "namePrefix: shop-"),
    ),
    Case("Service", WEB, ("metadata", "namespace"), "base/app.yaml", "metadata:", related=("namespace: prod",)),
    Case("ConfigMap", "shop-two", ("metadata", "namespace"), "base/map.yaml", "namespace: elsewhere", related=("namespace: prod",)),
    # the kustomization's own fields
    Case("Deployment", WEB, ("spec", "replicas"), "overlay/kustomization.yaml", "count: 0", related=("replicas: 2",)),
    Case("Deployment", WEB, (*CONTAINERS, 2, "image"), "overlay/kustomization.yaml", 'newTag: "2"', related=("image: proxy:1",)),
    Case(
        "Deployment", WEB, (*CONTAINERS, 0, "image"), "overlay/kustomization.yaml", "newName: mirror.example.com/web",
        related=("image: registry.example.com/web:1",),
    ),
    Case("Service", WEB, ("metadata", "annotations", "team"), "overlay/kustomization.yaml", "team: shop"),
    Case("Service", WEB, ("metadata", "labels", "stage"), "overlay/kustomization.yaml", "- pairs: {stage: prod}"),
    Case("Service", WEB, ("spec", "selector", "track"), "overlay/kustomization.yaml", "- pairs: {track: stable}"),
    Case(
        "Deployment", WEB, (*CONTAINERS, 0, "args", 0), "overlay/kustomization.yaml",
        "- spec.template.spec.containers.[name=web].args.0", related=("args: [--verbose, --host=$(HOST)]",),
    ),
    Case("Deployment", WEB, (*CONTAINERS, 0, "args", 1), "base/app.yaml", "args: [--verbose, --host=$(HOST)]", related=("- name: HOST",)),
    # strategic merges
    Case("Service", WEB, ("spec", "ports", 0, "targetPort"), "overlay/ports.yaml", "targetPort: 8081", related=("targetPort: http",)),
    Case("Service", WEB, ("spec", "selector", "tier"), "overlay/ports.yaml", "tier: front"),
    Case("Service", WEB, ("spec", "selector", "app"), "base/app.yaml", "selector: {app: web}"),
    Case("Service", WEB, ("spec", "selector"), "overlay/ports.yaml", "selector:", "likely", ("selector: {app: web}",)),
    Case("Deployment", WEB, (*CONTAINERS, 0, "readinessProbe", "httpGet", "path"), "overlay/kustomization.yaml", "path: /ready"),
    Case("Deployment", WEB, (*CONTAINERS, 0, "readinessProbe"), "overlay/kustomization.yaml", "readinessProbe:"),
    Case("Deployment", WEB, (*CONTAINERS, 0, "livenessProbe", "httpGet"), "overlay/kustomization.yaml", "livenessProbe: null", related=("- name: web",)),
    Case("Deployment", WEB, (*CONTAINERS, 1, "image"), "overlay/kustomization.yaml", "image: sidecar:3"),
    Case("Deployment", WEB, (*CONTAINERS, 1, "readinessProbe"), "overlay/kustomization.yaml", "- name: sidecar"),
    # operations
    Case("Ingress", WEB, ("spec", "rules", 0, "host"), "overlay/operations.json", '{"op": "replace", "path": "/spec/rules/0/host", "value": "prod.example.com"},', related=("- host: example.com",)),
    Case("Ingress", WEB, (*PATHS, 1, "backend", "service", "port", "number"), "overlay/operations.json", '"port": {"number": 8000}}}}}'),
    Case("Ingress", WEB, (*PATHS, 1, "backend", "service", "name"), "overlay/operations.json", '"name": "web",', related=("nameSuffix: -v2", "namePrefix: shop-")),
    Case("Ingress", WEB, ("spec", "ingressClassName"), "overlay/kustomization.yaml", """- patch: '[{"op": "replace", "path": "/spec/ingressClassName", "value": "internal"}]'""", related=("ingressClassName: nginx",)),
    Case("Ingress", WEB, ("metadata", "annotations", "example.com/two"), "component/kustomization.yaml", 'example.com/two: "2"'),
    # what is generated
    Case("ConfigMap", SETTINGS, ("data", "MODE"), "base/kustomization.yaml", "literals: [MODE=fast, LEVEL=info]"),
    Case("ConfigMap", SETTINGS, ("data", "ZONE"), "base/settings.env", "ZONE=b"),
    Case("ConfigMap", SETTINGS, ("data", "nginx.conf"), "base/nginx.conf", "server {"),
    Case("ConfigMap", SETTINGS, ("data", "other.txt"), "base/data/text", "text"),
    Case("ConfigMap", SETTINGS, ("metadata", "name"), "base/kustomization.yaml", "- name: settings", related=("- name: settings", "nameSuffix: -v2", "namePrefix: shop-")),
    Case("ConfigMap", SETTINGS, ("metadata", "namespace"), "base/kustomization.yaml", "- name: settings", related=("namespace: prod",)),
    Case("Secret", "shop-users-v2-", ("type",), "base/kustomization.yaml", "type: Opaque"),
    Case("Secret", "shop-users-v2-", ("data", "password"), "base/kustomization.yaml", "literals: [password=secret]"),
]  # fmt: skip


def built(root: Root, tool: Tool | None) -> Built:
    result = build(root, tool, Sources())
    assert isinstance(result, Built), result
    return result


def document(result: Built, kind: str, name: str) -> Document:
    found = [item for item in result.documents if item.kind == kind and item.value["metadata"]["name"].startswith(name)]
    return found[0]


def line(place: Place) -> tuple[str, str]:
    location = Locator().locate(place)
    return location.file, place.document.file.line_text(location.line).strip()


def shown(place: SourcePlace) -> tuple[Any, ...]:
    return (*line(place.place), place.certainty, tuple(line(related)[1] for _, related in place.related))


@pytest.fixture(scope="module")
def places_shown(kustomize: Tool, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What the cases map to, all of one build."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_files(folder, TREE)
        result = built(Root("overlay"), kustomize)
        places = Places(result)
        return [
            shown(places.source_place(Place(document(result, case.kind, case.name), case.pointer))) for case in CASES
        ]


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda index: f"{CASES[index].kind}{CASES[index].pointer}")
def test_place(index: int, places_shown: list[tuple[Any, ...]]) -> None:
    case = CASES[index]
    assert places_shown[index] == (case.file, case.text, case.certainty, case.related)


def test_every_place_has_a_source(kustomize: Tool, write_tree: WriteTree) -> None:
    """Also those that no document has: nothing raises, and all is found in a file that people edit."""
    write_tree(TREE)
    result = built(Root("overlay"), kustomize)
    places = Places(result)
    for item in result.documents:
        for pointer in pointers(item.value):
            for more in ((), ("nothing",), (0,), (7, "name")):
                place = places.source_place(Place(item, (*pointer, *more)))
                assert line(place.place)[0] in TREE
        literal = [pointer for pointer in pointers(item.value) if isinstance(value_at(item.value, pointer), str)]
        assert all(places.source_place(Place(item, pointer)).certainty == "exact" for pointer in literal)


def pointers(value: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    yield pointer
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from pointers(item, (*pointer, key))


def test_what_points_at_keys_and_into_texts(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree(TREE)
    result = built(Root("overlay"), kustomize)
    places = Places(result)
    port = Place(document(result, "Service", WEB), ("spec", "ports", 0, "port"))
    assert places.source_place(port.key()).place.part == "key"
    settings = Place(document(result, "ConfigMap", SETTINGS), ("data", "nginx.conf"))
    assert line(places.source_place(settings.inside("listen 80")).place) == ("base/nginx.conf", "listen 80;")
    assert line(places.source_place(settings.inside("not there")).place) == ("base/nginx.conf", "server {")


def test_without_a_tool(write_tree: WriteTree) -> None:
    write_tree(
        TREE
        | {
            "overlay/kustomization.yaml": "resources: [base]",
            "overlay/base/kustomization.yaml": "resources: [a.yaml]",
            "overlay/base/a.yaml": TREE["base/ingress.yaml"],
        }
    )
    result = built(Root("overlay"), None)
    host = Place(document(result, "Ingress", "web"), ("spec", "rules", 0, "host"))
    assert shown(Places(result).source_place(host)) == ("overlay/base/a.yaml", "- host: example.com", "exact", ())


FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: shop
spec:
  targetNamespace: live
  namePrefix: a-
  images:
  - name: proxy
    newTag: "9"
  patches:
  - target: {kind: Ingress}
    patch: |
      - op: replace
        path: /spec/rules/0/host
        value: ${HOST}
      - op: replace
        path: /spec/rules/0/http/paths/0/backend/service/port/number
        value: ${PORT}
"""
FLUX_FIELDS = ("namePrefix", "images", "patches")


@pytest.mark.parametrize(
    ("kind", "pointer", "file", "text", "related"),
    [
        ("Ingress", ("spec", "rules", 0, "host"), "flux.yaml", "value: ${HOST}", ("- host: example.com",)),
        (
            "Ingress",
            (*PATHS, 0, "backend", "service", "port", "number"),
            "flux.yaml",
            "value: ${PORT}",
            ("port: {number: 80}",),
        ),
        ("Deployment", (*CONTAINERS, 0, "image"), "flux.yaml", 'newTag: "9"', ("image: proxy:1",)),
        ("Deployment", ("metadata", "namespace"), "base/app.yaml", "metadata:", ("targetNamespace: live",)),
        ("Deployment", ("metadata", "name"), "base/app.yaml", "name: web", ("namePrefix: a-", "namePrefix: shop-")),
    ],
)
@pytest.mark.parametrize("substituted", [False, True])
def test_overlay(
    kind: str,
    pointer: Pointer,
    file: str,
    text: str,
    related: tuple[str, ...],
    substituted: bool,
    kustomize: Tool,
    write_tree: WriteTree,
) -> None:
    write_tree(TREE | {"flux.yaml": FLUX})
    sources = Sources()
    (flux,) = sources.documents("flux.yaml")
    spec = flux.value["spec"]
    overlay = Overlay(
        flux,
        {"namespace": spec["targetNamespace"], **{key: spec[key] for key in FLUX_FIELDS}},
        {"namespace": ("spec", "targetNamespace"), **{key: ("spec", key) for key in FLUX_FIELDS}},
    )
    result = built(Root("base", overlay), kustomize)
    item = document(result, kind, "a-shop-web")
    if substituted:
        text_then = result.file.text.replace("${HOST}", "www.example.com").replace("${PORT}", "8080")
        item = sources.split(SourceFile("substituted", text_then))[item.index]
    assert shown(Places(result).source_place(Place(item, pointer))) == (file, text, "exact", related)


TRANSFORMERS = """\
apiVersion: builtin
kind: NamespaceTransformer
metadata: {name: a, namespace: live}
---
apiVersion: builtin
kind: PrefixTransformer
metadata: {name: b}
prefix: a-
fieldSpecs: [{path: metadata/name}]
---
apiVersion: builtin
kind: AnnotationsTransformer
metadata: {name: c}
annotations:
  team: shop
fieldSpecs: [{path: metadata/annotations, create: true}]
"""


def test_transformers_in_files(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree(
        {
            "kustomization.yaml": "resources: [web.yaml]\ntransformers: [all.yaml]",
            "web.yaml": TREE["base/ingress.yaml"],
            "all.yaml": TRANSFORMERS,
        }
    )
    result = built(Root("."), kustomize)
    places = Places(result)

    def of(*pointer: str) -> tuple[Any, ...]:
        return shown(places.source_place(Place(result.documents[0], ("metadata", *pointer))))

    assert of("annotations", "team") == ("all.yaml", "team: shop", "exact", ())
    assert of("name") == ("web.yaml", "name: web", "exact", ("prefix: a-",))
    assert of("namespace") == ("web.yaml", "metadata:", "exact", ("metadata: {name: a, namespace: live}",))


def test_a_source_that_is_not_read_here(kustomize: Tool, write_tree: WriteTree) -> None:
    """kustomize may read what the linter does not; the file is known all the same."""
    write_tree({"kustomization.yaml": "namespace: a\nresources: [web.yaml]", "web.yaml": TREE["base/ingress.yaml"]})
    result = built(Root("."), kustomize)
    (source,) = result.sources.documents(os.path.realpath("web.yaml"))
    source.value = None
    place = Places(result).source_place(Place(result.documents[0], ("spec", "rules", 0, "host")))
    assert (place.certainty, line(place.place)[0]) == ("likely", "web.yaml")


ODD = (
    None,
    3,
    "text",
    "a: [",
    [],
    [1],
    [None],
    ["x"],
    {},
    {"a": 1},
    [{"name": 1}],
    [{"name": []}],
    [{"patch": 1}],
    [{"path": 1}],
)
FIELDS = (
    "patches", "patchesStrategicMerge", "patchesJson6902", "images", "replicas", "labels", "commonLabels", "vars",
    "commonAnnotations", "replacements", "configMapGenerator", "namePrefix", "nameSuffix", "namespace",
)  # fmt: skip
ODD_PATCHES = (
    "[1, {}, {op: add}, {op: add, path: 3, value: 1}, {op: remove, path: /spec}]",
    "3",
    "[",
    "{a: b}",
    "{kind: []}",
)


@pytest.mark.parametrize("name", FIELDS)
def test_kustomizations_that_make_no_sense(name: str, write_tree: WriteTree) -> None:
    """kustomize refuses most of them; what is built by way of others they must not break."""
    write_tree({"kustomization.yaml": "resources: [web.yaml]", "web.yaml": TREE["base/app.yaml"]})
    values: list[Any] = [*ODD]
    if name == "patches":
        values += [
            [{"patch": patch, "target": target}] for patch in ODD_PATCHES for target in (None, 3, {}, {"kind": []})
        ]
    if name == "replacements":
        values += [[{"targets": [{"select": 3, "fieldPaths": [3, "", "[", "spec.[a=b"]}]}], [{"path": "web.yaml"}]]
    for value in values:
        result = built(Root("."), None)
        result.tree.layers.insert(0, Layer("", "", result.tree.layers[0].document, {name: value}))
        for item in result.documents:
            item.value["metadata"]["name"] += "-a"
            item.value["spec"]["new"] = 1
            places = Places(result)
            for pointer in pointers(item.value):
                places.source_place(Place(item, pointer))
                places.source_place(Place(item, (*pointer, "more")))
