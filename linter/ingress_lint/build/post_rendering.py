"""Lays kustomizations over what helm makes, as Flux's post-renderers do."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.build.helm import Release, Rendered, Unrendered
from ingress_lint.build.kept import rendered as kept
from ingress_lint.build.kustomize import Built, Overlay, Root, reason_of, shortened
from ingress_lint.build.laid_over import LaidOverPlaces
from ingress_lint.build.running import Failure, Output, run
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import KUSTOMIZE_MISSING, Tool
from ingress_lint.build.tree import Layer, Tree
from ingress_lint.load.document import Place, SourceFile

_KUSTOMIZATION: Final = "kustomization.yaml"
_INPUT: Final = "helm-output.yaml"
_CRDS: Final = "/crds/"
_ANNOTATIONS: Final = "commonAnnotations"


def post_rendered(rendered: Rendered, tool: Tool | None) -> Rendered | Unrendered:
    """What a release's post-renderers make of what helm made; the CRDs of charts are not theirs.

    They are run in one build, a kustomization over another for each (fluxcd/helm-controller:internal/postrender).
    """
    release = rendered.release
    own = [one for one in rendered.documents if _CRDS not in one.template]
    if not own:
        return rendered
    place = Place(release.post_renderers[0].document)
    if tool is None:
        return Unrendered("tool", f"its postRenderers need kustomize, and {KUSTOMIZE_MISSING}", place)
    text = "---\n".join(f"{document.text.rstrip()}\n" for document in own)
    result = _result(release, tool, text)
    if isinstance(result, Failure):
        said = shortened(reason_of(result.stderr) or result.message)
        message = f"{os.path.basename(tool.path)} could not apply its postRenderers: {said}"
        return Unrendered("values", message, place, result.stderr)
    sources = Sources()
    sources.hold(_INPUT, rendered.documents)
    layers = [Layer("", "", one.document, one.fields, one.pointers) for one in reversed(release.post_renderers)]
    file = SourceFile(f"{release.title or release.shown} (post-rendered)", result.stdout)
    root = Root("", keeps=release.keeps, limits=release.limits)
    changed = Built(root, None, Tree(layers, manifests=[_INPUT]), sources, file, sources.split(file))
    documents = [one for one in rendered.documents if one not in own]
    places = LaidOverPlaces(changed, [rendered])
    return replace(rendered, documents=[*documents, *changed.documents], places=places)


def _result(release: Release, tool: Tool, text: str) -> Output | Failure:
    if not release.keeps:
        return _run(release, tool, text)
    asked = (tool.build, text, [one.fields for one in release.post_renderers])
    return kept(tool.path, asked, (), lambda: _run(release, tool, text))


def _run(release: Release, tool: Tool, text: str) -> Output | Failure:
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
        try:
            last = _write(os.path.realpath(folder), text, release.post_renderers)
        except (OSError, ValueError, TypeError) as error:
            return Failure("not-started", f"the kustomization could not be written: {error}")
        result = run((*tool.build, "."), last, release.limits)
        if isinstance(result, Failure):  # the folder's name is another one each time
            result = replace(result, stderr=result.stderr.replace(os.path.join(os.path.realpath(folder), ""), ""))
        return result


def _write(folder: str, text: str, post_renderers: Sequence[Overlay]) -> str:
    """Writes a kustomization for each, which takes in the one before it; the folder of the last."""
    taken_in, inner = _INPUT, folder
    for index, overlay in enumerate(post_renderers):
        inner = os.path.join(folder, str(index))
        os.mkdir(inner)
        if not index:
            with open(os.path.join(inner, _INPUT), "w", encoding="utf-8") as stream:
                stream.write(text)
        with open(os.path.join(inner, _KUSTOMIZATION), "w", encoding="utf-8") as stream:
            json.dump(_kustomization(overlay, taken_in), stream, default=str)
        taken_in = f"../{index}"
    return inner


def _kustomization(overlay: Overlay, taken_in: str) -> dict[str, Any]:
    """The kustomization of one; annotations are for objects themselves, and not for the pods that they make."""
    value = {"resources": [taken_in]} | {key: item for key, item in overlay.fields.items() if key != _ANNOTATIONS}
    if _ANNOTATIONS in overlay.fields:
        transformer = {
            "apiVersion": "builtin",
            "kind": "AnnotationsTransformer",
            "metadata": {"name": "annotations"},
            "annotations": overlay.fields[_ANNOTATIONS],
            "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
        }
        value["transformers"] = [json.dumps(transformer, default=str)]
    return value
