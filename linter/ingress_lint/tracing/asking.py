"""A request as people write it, by a URL and options or as an item of a list, and what it means to routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct, field

from ingress_lint.routes.matching import Request
from ingress_lint.values.ports import is_number

PROTOCOLS: Final = ("http", "https", "grpc", "tls", "tcp", "udp")
_SCHEMES: Final[Mapping[str, tuple[str, bool, int | None]]] = {
    "http": ("http", False, 80),
    "https": ("http", True, 443),
    "ws": ("http", False, 80),
    "wss": ("http", True, 443),
    "grpc": ("grpc", False, 80),
    "grpcs": ("grpc", True, 443),
    "tls": ("tls", True, 443),
    "tcp": ("tcp", False, None),
    "udp": ("udp", False, None),
}
"""For each scheme the protocol, whether it is spoken over TLS, and its port."""
_FIELDS: Final = frozenset({"id", "url", "protocol", "method", "headers", "sni", "client_cert", "connect", "unit"})
_EXAMPLE: Final = "https://shop.example.com/cart"


class RequestError(ValueError):
    """A request that cannot be understood; the message says which part, and how it is written."""


class Asked(Struct, frozen=True):
    """A request as asked for. `headers` are as they were written; `connect` names where to enter, empty for anywhere."""

    url: str
    scheme: str
    request: Request
    headers: Mapping[str, str] = field(default_factory=dict)
    sni: str | None = None
    connect: str = ""
    id: Any = None
    unit: str = ""
    """A glob pattern of the units that may answer, empty for any."""

    def __str__(self) -> str:
        http = self.request.protocol in ("http", "grpc")
        return f"{self.request.method} {self.url}" if http else self.url


def asked(
    url: str,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    sni: str | None = None,
    connect: str = "",
    protocol: str | None = None,
    *,
    client_certificate: bool = False,
    id: Any = None,
    unit: str = "",
) -> Asked:
    """Reads a request. Raises `RequestError` where it cannot be understood."""
    parts = _split(url)
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise RequestError(f"`{url}` has no scheme known here; known are {', '.join(_SCHEMES)}, as in {_EXAMPLE}")
    found, secure, default_port = _SCHEMES[scheme]
    if protocol not in (None, *PROTOCOLS):
        raise RequestError(f"there is no protocol `{protocol}`; known are {', '.join(PROTOCOLS)}")
    if protocol == "https":
        found, secure = "http", True
    elif protocol is not None:
        found, secure = protocol, secure or protocol == "tls"
    port = _port(parts, url) or (443 if secure and default_port == 80 else default_port)
    if port is None:
        raise RequestError(f"`{url}` needs a port, as in {scheme}://{parts.hostname}:5432")
    host = parts.hostname or ""
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    named = lowered.pop("host", None)
    request = Request(
        found,
        _without_port(named) if named else host,
        port,
        secure=secure,
        path=parts.path or "/",
        method=(method or ("POST" if found == "grpc" else "GET")).upper(),
        headers=lowered,
        query_string=parts.query,
        sni=sni if sni is not None or not named else host,
        authority=named or _authority(parts, 443 if secure else 80),
        client_certificate=client_certificate,
    )
    return Asked(url, scheme, request, dict(headers or {}), sni, connect, id, unit)


def asked_item(item: Any, position: int) -> Asked:
    """Reads an item of a list of requests; `position` counts from 0."""
    where = f"request {position + 1}"
    if not isinstance(item, dict):
        raise RequestError(f'{where} is not an object such as {{"url": "{_EXAMPLE}"}}')
    unknown = sorted(str(key) for key in item.keys() - _FIELDS)
    if unknown:
        raise RequestError(
            f"{where} has a field `{unknown[0]}` that means nothing; known are {', '.join(sorted(_FIELDS))}"
        )
    for name in ("url", "protocol", "method", "sni", "connect", "unit"):
        if item.get(name) is not None and not isinstance(item[name], str):
            raise RequestError(f"{where}: `{name}` is not a string")
    headers = item.get("headers") or {}
    if not isinstance(headers, dict):
        raise RequestError(f"{where}: `headers` is not an object of names and values")
    if not item.get("url"):
        raise RequestError(f"{where} has no `url`")
    try:
        return asked(
            item["url"],
            item.get("method"),
            {str(name): str(value) for name, value in headers.items()},
            item.get("sni"),
            item.get("connect") or "",
            item.get("protocol"),
            client_certificate=bool(item.get("client_cert")),
            id=item.get("id"),
            unit=item.get("unit") or "",
        )
    except RequestError as error:
        raise RequestError(f"{where}: {error}") from None


def headers_of(lines: Iterable[str]) -> dict[str, str]:
    """Headers written as `K: V`; of several with one name, all values."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or " " in name.strip():
            raise RequestError(f"`{line}` is not a header, which is written as 'Name: value'")
        known = next((key for key in found if key.lower() == name.strip().lower()), None)
        found[known or name.strip()] = f"{found[known]}, {value.strip()}" if known else value.strip()
    return found


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise RequestError(f"`{url}` is not a URL such as {_EXAMPLE}: {error}") from None
    if "://" not in url or not host or any(char.isspace() for char in url):
        raise RequestError(f"`{url}` is not a URL such as {_EXAMPLE}")
    return parts


def _port(parts: SplitResult, url: str) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise RequestError(f"`{url}` has a port that is not a number from 1 to 65535")
    return port


def _authority(parts: SplitResult, default_port: int) -> str:
    """What clients send as the host of a URL."""
    return parts.netloc.rpartition("@")[2].removesuffix(f":{default_port}")


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name.lower() if name and is_number(port) else host.lower()
