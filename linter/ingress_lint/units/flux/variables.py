"""What a Flux Kustomization fills into what it builds: `postBuild`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ingress_lint.build.sources import items
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.units.flux import envsubst
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.values.placeholders import ENCRYPTED

Find = Callable[[str, str, str], Applied | None]
"""The object of a kind, namespace and name in the cluster."""
_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"


class Variable(Struct, frozen=True):
    """One variable: its value, None where that is not known, and the place that sets it."""

    value: str | None
    place: Place


class Variables(Struct, frozen=True):
    """All variables of one Flux Kustomization. One that is not among `known` is empty where they are `complete`, else unknown."""

    known: Mapping[str, Variable]
    complete: bool

    def value(self, name: str) -> str | None:
        """The value to fill in, None where it is not known."""
        found = self.known.get(name)
        if found is not None:
            return found.value
        return "" if self.complete or not envsubst.VARIABLE.fullmatch(name) else None

    @property
    def any(self) -> bool:
        """Whether there may be any; without one, Flux fills in nothing, not even defaults."""
        return bool(self.known) or not self.complete


def sources(owner: Applied) -> list[tuple[str, str, str]]:
    """The ConfigMaps and Secrets that give variables: kind, namespace and name, the first in force last."""
    found = items(mapping(owner.spec, "postBuild"), "substituteFrom")
    return [(text(item, "kind"), owner.namespace, text(item, "name")) for item in found if text(item, "name")]


def variables(owner: Applied, find: Find) -> Variables | None:
    """The variables of a Flux Kustomization, None where it fills in none.

    A source that is not here may set whatever no other does; of a Secret only the names are known.
    """
    post_build = mapping(owner.spec, "postBuild")
    known: dict[str, Variable] = {}
    complete = True
    for source in sources(owner):
        found = find(*source)
        if found is None:
            complete = False
        else:
            known.update(_of_source(found))
    for name, value in mapping(post_build, "substitute").items():
        if not isinstance(value, dict | list):
            known[str(name)] = Variable(_text(value), owner.place("spec", "postBuild", "substitute", name))
    held = Variables(known, complete)
    return held if held.any or post_build.get("substituteStrategy") == "Always" else None


def _of_source(source: Applied) -> Iterator[tuple[str, Variable]]:
    is_secret = source.kind == "Secret"
    for key in ("data", "stringData") if is_secret else ("data",):
        for name, value in mapping(source.value, key).items():
            if not isinstance(value, dict | list):
                unknown = is_secret or str(value).startswith(ENCRYPTED)
                yield str(name), Variable(None if unknown else _text(value), source.place(key, name))


def _text(value: Any) -> str:
    written = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return written.replace("\n", "")


def fill_in(file: SourceFile, documents: Iterable[Document], held: Variables) -> SourceFile:
    """The text of a build with its variables filled in, each document where it was before.

    A document with an expression that Flux refuses stays as it is.
    """
    parts: list[str] = []
    at = 0
    for document in documents:
        parts += (file.text[at : document.start], _filled(document, held))
        at = document.end
    parts.append(file.text[at:])
    return SourceFile(file.path, "".join(parts))


def _filled(document: Document, held: Variables) -> str:
    if not envsubst.is_used_in(document.text) or _is_switched_off(document.value):
        return document.text
    try:
        return envsubst.substitute(document.text, held.value)
    except envsubst.BadSubstitutionError:
        return document.text


def _is_switched_off(value: Any) -> bool:
    metadata = mapping(value, "metadata")
    return any(mapping(metadata, key).get(_SWITCH) == "disabled" for key in ("labels", "annotations"))
