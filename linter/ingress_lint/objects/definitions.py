"""The Gateway API's CustomResourceDefinitions among documents that nobody parses, by their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Document, Place
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.values.patterns import deferred

_DEFINITION: Final = "CustomResourceDefinition"
_KIND: Final = deferred(r"(?m)^ {4}kind: ([A-Za-z]{1,63})[ \t\r]*$")
_BUNDLE: Final = deferred(r"gateway\.networking\.k8s\.io/bundle-version: [\"']?v([0-9]+(?:\.[0-9]+){1,2})")
_CHANNEL: Final = deferred(r"gateway\.networking\.k8s\.io/channel: [\"']?([a-z]{1,20})")
_VERSION: Final = deferred(
    r"(?m)^(?: {2}- | {4}- | {4}| {6})(?:name: (v[0-9]+(?:(?:alpha|beta)[0-9]+)?)|served: (true|false))[ \t\r]*$"
)
_BUNDLE_KEY: Final = f"{GATEWAY_GROUP}/bundle-version"


class Definition(Struct, frozen=True):
    """A kind that a set defines: by which release of the API, from which channel, in which versions."""

    document: Document
    kind: str
    bundle: str
    """Without its `v`."""
    channel: str
    served: frozenset[str]

    @property
    def place(self) -> Place:
        """Where its release is written."""
        return Place(self.document, ("metadata", "annotations", _BUNDLE_KEY))


def definitions(documents: Iterable[Document]) -> tuple[Definition, ...]:
    """The definitions that tell their release, in the form in which the project publishes them."""
    return tuple(_definitions(documents))


def _definitions(documents: Iterable[Document]) -> Iterator[Definition]:
    for document in documents:
        if document.kind != _DEFINITION:
            continue
        text = document.text
        bundle, kind, channel = _BUNDLE.search(text), _KIND.search(text), _CHANNEL.search(text)
        if bundle is not None and kind is not None:
            served = frozenset(_served(text))
            yield Definition(document, kind[1], bundle[1], channel[1] if channel else "", served)


def _served(text: str) -> Iterator[str]:
    """Of each version its name stands before whether it is served."""
    name = ""
    for found in _VERSION.finditer(text):
        if found[1]:
            name = found[1]
        elif name:
            if found[2] == "true":
                yield name
            name = ""
