"""Login services that answer with larger headers than other applications do, by their images.

Only those whose headers are known to outgrow one page of memory are here: what a login carries depends on the identity
provider, and most keep it on their own side.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from ingress_lint.facts.evidence.container import ContainerEvidence
from ingress_lint.facts.evidence.images import image_parts
from ingress_lint.load.document import Place

_LARGE_TOKENS: Final = frozenset({"oidc", "keycloak", "keycloak-oidc", "azure", "entra-id", "adfs"})
"""Providers of oauth2-proxy whose tokens are signed documents with claims; those of others may be a few bytes."""
_OFF: Final = frozenset({"false", "f", "0", "no"})


class LargeHeader(Struct, frozen=True):
    """Why responses have large headers; `why` completes "`name` ...", and `place` says so."""

    name: str
    why: str
    place: Place
    smaller: str = ""
    """What makes them small, empty where nothing does."""


def large_header(evidence: ContainerEvidence) -> LargeHeader | None:
    """What makes the headers of a container's responses large, None where they are small or nothing is known."""
    _, name, _ = image_parts(evidence.container.container.image)
    if name in ("oauth2-proxy", "oauth2_proxy"):
        return _oauth2_proxy(evidence)
    if name == "keycloak":
        why = "sets several cookies and a token at each login"
        return LargeHeader("Keycloak", why, evidence.container.at("image"))
    return None


def _oauth2_proxy(evidence: ContainerEvidence) -> LargeHeader | None:
    """The whole session, tokens included, is in cookies of up to 4000 bytes each, as many as it takes.

    Not so with another store or with `session-cookie-minimal` (oauth2-proxy/oauth2-proxy:
    pkg/sessions/cookie/session_store.go); Google is the provider unless told otherwise.
    """
    names = ("provider", "session_store_type", "session_cookie_minimal")
    unknown = evidence.unknown_variables
    if unknown is None or not unknown.isdisjoint(f"OAUTH2_PROXY_{name.upper()}" for name in names):
        return None
    if not _shows_its_files(evidence):
        return None
    provider, store, minimal = (_told(evidence, name) for name in names)
    if provider is None or provider[0] not in _LARGE_TOKENS:
        return None
    if (store is not None and store[0] != "cookie") or (minimal is not None and minimal[0].lower() not in _OFF):
        return None
    why = f"keeps whole sessions, with the tokens of provider `{provider[0]}`, in cookies"
    return LargeHeader(
        "oauth2-proxy", why, provider[1], "let oauth2-proxy keep sessions with `--session-store-type=redis`"
    )


def _told(evidence: ContainerEvidence, name: str) -> tuple[str, Place] | None:
    """A setting by its option, its variable or a line of a mounted file, in the order that counts there."""
    for setting in evidence.settings:
        if setting.name in (name, f"oauth2_proxy_{name}"):
            return setting.value, setting.place
    line = re.compile(rf"""^[ \t]*(?:-[ \t]+)?{name}[ \t]*[=:][ \t]*["']?([\w.-]+)""", re.MULTILINE)
    for config_map, _ in evidence.config_maps:
        for key, text in config_map.body.data.items():
            if isinstance(text, str) and (found := line.search(text)):
                return found[1], config_map.at("data", str(key))
    return None


def _shows_its_files(evidence: ContainerEvidence) -> bool:
    """Whether each configuration file that it is given comes from a ConfigMap of the set."""
    mounts = [path.rstrip("/") for _, path in evidence.config_maps]
    return all(
        any(setting.value.startswith(mount) for mount in mounts)
        for setting in evidence.settings
        if setting.name in ("config", "alpha_config", "oauth2_proxy_config", "oauth2_proxy_alpha_config")
    )
