"""Builds a Kustomize root: the text that the tool renders, as documents, or why there is none."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.blame import blamed
from ingress_lint.build.listing import listed_text
from ingress_lint.build.running import Failure, Limits, Output, run
from ingress_lint.build.source_place import SourcePlaces
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import KUSTOMIZE_MISSING, Tool
from ingress_lint.build.tree import Layer, Tree, TreeReader
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.files import display_path
from ingress_lint.values.patterns import deferred

_WRAPPER: Final = "kustomization.yaml"
_LONGEST_REASON: Final = 500
_LOGGED: Final = deferred(r'^[EFIW]\d{4} [\d:.]+ +\d+ [^ \]]+\] (?:"command failed" )?', re.MULTILINE)
"""What kubectl's log puts before a line: the time and its process, which are others each time."""
_WITHIN: Final = deferred(r".*recursed accumulation of path '([^']+)': (.+)", re.DOTALL)
"""The base that could not be built, and why, which is the same for whatever includes it."""
_LOGGED_ERROR: Final = deferred(
    r'^err=(?:<\n(?P<block>.*?)\n >|(?P<quoted>"(?:[^"\\]|\\.)*"))', re.MULTILINE | re.DOTALL
)
"""How kubectl's log tells an error, of several lines or of one."""
_SCHEMA: Final = "schema.json"


class Overlay(Struct, frozen=True):
    """A kustomization that stands in no file of its own: what a Flux Kustomization or an Argo CD Application adds to a root.

    `fields` are those of a kustomization, with absolute paths in `components` (and in `resources`, which else is the
    root alone); `pointers` says where `document` holds each field (`patches` at `/spec/patches`).
    """

    document: Document
    fields: Mapping[str, Any]
    pointers: Mapping[str, Pointer] = field(default_factory=dict)


class Root(Struct, frozen=True):
    """What to build, and how.

    `unrestricted`: files may lie outside of the kustomization that names them, as Flux builds. `network`: remote bases
    are fetched. `inflates`: whether its deployer inflates charts. `keeps`: what is rendered is kept for later runs, and taken
    from earlier ones.
    """

    folder: str
    overlay: Overlay | None = None
    unrestricted: bool = False
    network: bool = False
    inflates: bool = False
    keeps: bool = False
    limits: Limits = Limits()


class Unbuilt(Struct, frozen=True):
    """A root that was not built. But for `syntax` and `failed` it is only unchecked; nothing is known to be wrong with it.

    `charts`: it inflates charts, which is not done here.
    """

    reason: Literal["syntax", "tool", "network", "plugin", "helm", "charts", "failed"]
    message: str
    place: Place
    stderr: str = ""


class Built(Struct, eq=False):
    """A root that was built: `file` is the rendered text, whose path says so, and `documents` are its documents, parsed."""

    root: Root
    tool: Tool | None
    """None where it only lists files, which needs none."""
    tree: Tree
    sources: Sources
    file: SourceFile
    documents: list[Document]
    places: SourcePlaces | None = None
    """Leads to the lines that a person edits where more than kustomizations and manifests hold these."""


def build(root: Root, tool: Tool | None, sources: Sources) -> Built | Unbuilt:
    """Builds a root as its owner's tool does. What needs network, plugins or charts is told before anything is run.

    Without a tool, a root that only lists files is built all the same.
    """
    overlay, tree = root.overlay, read_tree(root, sources)
    for path in tree.files:
        inputs.look_at(path)
    place = Place(tree.layers[0].document) if tree.layers else _nowhere(root.folder)
    unread = next(
        (layer for layer in tree.layers if layer.path and layer.document.text.strip() and layer.document.value is None),
        None,
    )
    if unread is not None:
        file = unread.document.file.path
        return Unbuilt(
            "syntax", f"{file} is not valid YAML, so that nothing can be built of it", Place(unread.document)
        )
    obstacles = [one for one in tree.obstacles if one.needs != "network" or not root.network]
    hindered = min(obstacles, key=lambda one: one.needs == "charts", default=None)
    if hindered is not None:
        return Unbuilt(hindered.needs, hindered.message, hindered.place)
    if any(obstacle.needs == "network" for obstacle in tree.obstacles):
        inputs.unrepeatable()  # what is fetched may be something else the next time
    if tool is None:
        text = listed_text(tree, sources, unrestricted=root.unrestricted)
        return Unbuilt("tool", KUSTOMIZE_MISSING, place) if text is None else _built(root, tool, tree, sources, text)
    result = _rendered(root, tool, tree) if overlay is None else wrapped(root, tool, tree, {})[1]
    if isinstance(result, Failure):
        stderr = _LOGGED.sub("", result.stderr)
        said = reason_of(stderr) or result.message
        within = _WITHIN.match(said)
        what, said = within.groups() if within else (display_path(root.folder), said)
        message = f"{os.path.basename(tool.path)} could not build {what}: {shortened(said)}"
        return Unbuilt("failed", message, blamed(tree, sources, stderr) or place, stderr)
    return _built(root, tool, tree, sources, result.stdout)


def read_tree(root: Root, sources: Sources) -> Tree:
    """What a root takes in, with what is laid over it."""
    above = () if root.overlay is None else (_layer_of(root.overlay, root.folder),)
    return TreeReader(sources).read(root.folder, *above)


def _built(root: Root, tool: Tool | None, tree: Tree, sources: Sources, text: str) -> Built:
    file = SourceFile(f"{display_path(root.folder)} (built)", text)
    return Built(root, tool, tree, sources, file, sources.split(file))


def wrapped(root: Root, tool: Tool, tree: Tree, fields: Mapping[str, Any]) -> tuple[str, Output | Failure]:
    """Builds a root by way of a kustomization in a temporary folder, which takes it in and adds `fields`.

    The first item is the path of that kustomization, which is gone by then.
    """
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
        path = os.path.join(os.path.realpath(folder), _WRAPPER)
        try:
            _write_wrapper(path, root, tree, fields)
        except (OSError, ValueError, TypeError) as error:
            return path, Failure("not-started", f"the kustomization around it could not be written: {error}")
        result = _rendered(root, tool, tree, os.path.dirname(path), fields)
        if isinstance(result, Failure):  # its name is another one each time
            result = replace(result, stderr=result.stderr.replace(os.path.join(os.path.dirname(path), ""), ""))
        return path, result


def _write_wrapper(path: str, root: Root, tree: Tree, fields: Mapping[str, Any]) -> None:
    folder = os.path.dirname(path)
    value: dict[str, Any] = {"resources": [os.path.realpath(root.folder)]}
    if root.overlay is not None:
        value |= root.overlay.fields
    for key in ("resources", "components"):
        if key in value:
            value[key] = [os.path.relpath(os.path.realpath(item), folder) for item in value[key]]
    below = tree.layers[0 if root.overlay is None else 1 :][:1]
    schema = below[0].value.get("openapi") if below else None  # kustomize heeds that of the outermost alone
    if isinstance(schema, dict):
        value["openapi"] = dict(schema)
        if isinstance(schema.get("path"), str):
            shutil.copyfile(below[0].file(schema["path"]), os.path.join(folder, _SCHEMA))
            value["openapi"]["path"] = _SCHEMA
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value | dict(fields), stream, default=str)


def _rendered(
    root: Root, tool: Tool, tree: Tree, wrapper: str = "", fields: Mapping[str, Any] | None = None
) -> Output | Failure:
    """What the tool renders of a root, or of the `wrapper` around it, a folder that adds `fields`."""
    folder = os.path.realpath(root.folder)
    if not root.keeps or tree.obstacles:  # what is fetched is rendered anew
        return _run(root, tool, wrapper or folder)
    from ingress_lint.build.kept import rendered

    added = root.overlay.fields if root.overlay is not None else None
    asked = (tool.build, folder, root.unrestricted, os.path.dirname(wrapper), added, fields)
    return rendered(tool.path, asked, tree.files, lambda: _run(root, tool, wrapper or folder))


def _run(root: Root, tool: Tool, folder: str) -> Output | Failure:
    options: list[str] = []
    if root.unrestricted:
        options += ("--load-restrictor", "LoadRestrictionsNone")
    return run((*tool.build, *options, "."), folder, root.limits, network=root.network)


def _layer_of(overlay: Overlay, folder: str) -> Layer:
    return Layer("", os.path.realpath(folder), overlay.document, overlay.fields, overlay.pointers)


def _nowhere(folder: str) -> Place:
    """The place of a kustomization that is not there."""
    return Place(Document(SourceFile(f"{display_path(folder)}/{_WRAPPER}", ""), 0, 0, 0), span=(0, 0))


def reason_of(stderr: str) -> str:
    """The error that the tool told, in one line; the working directory is left out of paths."""
    logged = _LOGGED_ERROR.search(stderr)
    if logged is not None:
        said = " ".join((logged["block"] or _unquoted(logged["quoted"])).split())
    else:
        lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("#")]
        said = next((line for line in lines if line.lower().startswith("error:")), lines[-1] if lines else "")
        said = said[len("error:") :].strip() if said.lower().startswith("error:") else said
    return said.replace(os.path.join(os.getcwd(), ""), "")


def shortened(said: str) -> str:
    """What a tool said, as far as a message has room for it."""
    return said if len(said) <= _LONGEST_REASON else said[: _LONGEST_REASON - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:  # Go escapes more than JSON does
        return text.strip('"')
