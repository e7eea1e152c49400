"""Where Applications go: the names of clusters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.units.argo_cd.reading import mapping, text
from ingress_lint.units.site import Site
from ingress_lint.values.placeholders import ENCRYPTED, is_placeholder
from ingress_lint.values.urls import split_url

IN_CLUSTER: Final = "in-cluster"
_OWN_SERVER: Final = "https://kubernetes.default.svc"
_LABEL: Final = "argocd.argoproj.io/secret-type"


class Cluster(Struct, frozen=True):
    """A cluster. Its `key` tells it apart from others where it has no name, and is empty where none is known."""

    name: str | None
    key: str


OWN: Final = Cluster(IN_CLUSTER, IN_CLUSTER)
"""The cluster of an Argo CD of which nothing more is known."""


class Destinations:
    """The clusters that destinations mean, with the names that Secrets of the repository give them.

    `keys` are those of clusters that other tools deploy to, by their names.

    (argoproj/argo-cd:docs/operator-manual/declarative-setup.md, Clusters)
    """

    def __init__(self, site: Site, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._names: dict[str, str] = {}
        for document in site.documents("Secret"):
            if _LABEL in document.text:
                self._learn(site.value(document))

    def _learn(self, secret: Mapping[str, Any]) -> None:
        if text(mapping(secret, "metadata", "labels"), _LABEL) == "cluster":
            name, server = (_secret_text(secret, key) for key in ("name", "server"))
            if name and server:
                self._names.setdefault(_bare(server), name)

    def cluster(self, destination: Mapping[str, Any], home: Cluster) -> Cluster:
        """The cluster of a destination; `home` is the one that the Application itself is in.

        Of a placeholder that somebody fills in, none is known.
        """
        name, server = text(destination, "name"), _bare(text(destination, "server"))
        if name == IN_CLUSTER or (not name and server == _OWN_SERVER and server not in self._names):
            return home
        if not name:
            parts = split_url(server)
            name = self._names.get(server) or (parts and parts.hostname) or server
        if is_placeholder(name):
            return Cluster(None, "")
        return Cluster(name or None, self._keys.get(name, name))


def _bare(server: str) -> str:
    return server.strip().rstrip("/")


def _secret_text(secret: Mapping[str, Any], key: str) -> str:
    found = text(mapping(secret, "stringData"), key)
    if not found:
        try:
            found = base64.b64decode(text(mapping(secret, "data"), key), validate=True).decode()
        except (binascii.Error, ValueError):
            return ""
    return "" if found.startswith(ENCRYPTED) else found
