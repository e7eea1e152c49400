"""The largest request body that an application is set to take, by its variables, options, files and image.

Only what somebody wrote counts, beside images that exist to take uploads of any size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.facts.evidence.container import ContainerEvidence
from ingress_lint.facts.evidence.images import image_parts
from ingress_lint.load.document import Place
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.sizes import application_size

_MIB: Final = 1 << 20
_NUMBERS: Final = {
    # docs.n8n.io: hosting, environment variables, endpoints
    "N8N_PAYLOAD_SIZE_MAX": _MIB,
    # go-gitea/gitea:modules/setting/attachment.go
    "GITEA__attachment__MAX_SIZE": _MIB,
    "FORGEJO__attachment__MAX_SIZE": _MIB,
}
"""Variables that hold a bare number, and the bytes that it counts in."""
_NGINX: Final = deferred(r"(?:^|[{;])[ \t]*client_max_body_size[ \t]+(\d+[kmg]?)[ \t]*;", re.IGNORECASE | re.MULTILINE)
_PHP: Final = {
    directive: deferred(rf"""^[ \t]*{directive}[ \t]*=[ \t]*["']?(\w+)""", re.MULTILINE)
    for directive in ("post_max_size", "upload_max_filesize")
}
_PHP_POST: Final = 8 * _MIB
_SPRING: Final = {
    name: deferred(
        rf"""^[ \t]*(?:spring\.servlet\.multipart\.)?{name}[ \t]*[=:][ \t]*["']?(-?\d+[ ]?\w*)""", re.MULTILINE
    )
    for name in ("max-file-size", "max-request-size")
}
_SPRING_SETTINGS: Final = {
    name: frozenset(f"spring_servlet_multipart_{name.replace('-', between)}" for between in ("_", ""))
    for name in _SPRING
}
_SPRING_FILE: Final = 1 * _MIB
_SPRING_REQUEST: Final = 10 * _MIB
_ANY_SIZE: Final = {"nexus3": "Nexus", "minio": "MinIO", "harbor-core": "Harbor", "registry-photon": "Harbor"}
_REGISTRIES: Final = frozenset({"registry", "library/registry", "distribution/registry", "distribution/distribution"})


class AcceptedBody(Struct, frozen=True):
    """How large a request body may be: in bytes, infinite for any size. `by` says what decides it."""

    size: float
    by: str
    place: Place


def accepted_body(evidence: ContainerEvidence) -> AcceptedBody | None:
    """What the container takes at most, None where nothing says so."""
    readers = (_numbers, _php, _spring, _nginx, _image)
    return next((found for read in readers if (found := read(evidence)) is not None), None)


def _bytes(text: str, unlimited: str = "0") -> float | None:
    return math.inf if text.strip() == unlimited else application_size(text)


def _lines(evidence: ContainerEvidence, pattern: re.Pattern[str], file_name: str = "") -> Iterator[tuple[str, Place]]:
    """The first group of each match in the files that are mounted from ConfigMaps."""
    for config_map, _ in evidence.config_maps:
        for key, text in config_map.body.data.items():
            if isinstance(text, str) and str(key).startswith(file_name):
                for found in pattern.finditer(text):
                    yield found[1], config_map.at("data", str(key))


def _numbers(evidence: ContainerEvidence) -> AcceptedBody | None:
    for name, unit in _NUMBERS.items():
        if name in evidence.variables:
            value, place = evidence.variables[name]
            number = whole(value)
            if number:
                return AcceptedBody(number * unit, f"`{name}`", place)
    return None


def _php(evidence: ContainerEvidence) -> AcceptedBody | None:
    """`post_max_size`, 8M unless written; an upload is a part of it (php.net/manual/en/ini.core.php).

    nextcloud/docker:README.md sets both by `PHP_UPLOAD_LIMIT`.
    """
    post = _php_size(evidence, ("PHP_UPLOAD_LIMIT", "PHP_POST_MAX_SIZE"), "post_max_size")
    if post is not None:
        return post
    upload = _php_size(evidence, ("PHP_UPLOAD_MAX_FILESIZE",), "upload_max_filesize")
    if upload is None or upload.size <= _PHP_POST:
        return upload
    return AcceptedBody(_PHP_POST, f"{upload.by} within the default `post_max_size`", upload.place)


def _php_size(evidence: ContainerEvidence, variables: tuple[str, ...], directive: str) -> AcceptedBody | None:
    written = [(name, *evidence.variables[name]) for name in variables if name in evidence.variables]
    if evidence.config_maps:
        written.extend((directive, text, place) for text, place in _lines(evidence, _PHP[directive]))
    for name, text, place in written:
        size = _bytes(text)
        if size is not None:
            return AcceptedBody(size, f"`{name}`", place)
    return None


def _spring(evidence: ContainerEvidence) -> AcceptedBody | None:
    """The smaller of `max-file-size`, 1 MiB, and `max-request-size`, 10 MiB, where either is written.

    spring-projects/spring-boot: MultipartProperties; -1 is no limit.
    """
    file, request = _spring_size(evidence, "max-file-size"), _spring_size(evidence, "max-request-size")
    told = [found for found in (file, request) if found is not None]
    if not told:
        return None
    least = min(told, key=lambda found: found.size)
    name, by_default = ("max-file-size", _SPRING_FILE) if file is None else ("max-request-size", _SPRING_REQUEST)
    if len(told) > 1 or least.size <= by_default:
        return least
    return AcceptedBody(by_default, f"{least.by} within the default `{name}`", least.place)


def _spring_size(evidence: ContainerEvidence, name: str) -> AcceptedBody | None:
    names = _SPRING_SETTINGS[name]
    for setting in evidence.settings if not names.isdisjoint(evidence.named_settings) else ():
        if setting.name in names and (size := _bytes(setting.value, "-1")) is not None:
            return AcceptedBody(size, str(setting), setting.place)
    for text, place in _lines(evidence, _SPRING[name], "application"):
        size = _bytes(text, "-1")
        if size is not None:
            return AcceptedBody(size, f"`{name}`", place)
    return None


def _nginx(evidence: ContainerEvidence) -> AcceptedBody | None:
    """The largest `client_max_body_size`, for which one counts is up to the path."""
    sizes = [(size, place) for text, place in _lines(evidence, _NGINX) if (size := _bytes(text)) is not None]
    if not sizes:
        return None
    size, place = max(sizes, key=lambda found: found[0])
    return AcceptedBody(size, "`client_max_body_size`", place)


def _image(evidence: ContainerEvidence) -> AcceptedBody | None:
    """Image layers, artifacts and objects come in one request each, or in parts of several MiB.

    distribution/distribution:docs/content/recipes/nginx.md; help.sonatype.com: run behind a reverse proxy;
    min.io: configure NGINX proxy for MinIO.
    """
    owner, name, _ = image_parts(evidence.container.container.image)
    product = "a registry" if f"{owner}/{name}".lstrip("/") in _REGISTRIES else _ANY_SIZE.get(name)
    return AcceptedBody(math.inf, f"it runs {product}", evidence.container.at("image")) if product else None
