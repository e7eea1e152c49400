"""URLs, in the parts that RFC 3986 gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult


def split_url(text: str) -> SplitResult | None:
    """A URL in its parts; None where the text is none, as with half an IPv6 address. Its port may be none (`port_of`)."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(text)
    except ValueError:
        return None


def port_of(parts: SplitResult) -> int | None:
    """The port that a URL names; None where it names none, or nothing from 0 to 65535."""
    try:
        return parts.port
    except ValueError:
        return None


def server_url(text: str) -> tuple[SplitResult, int | None] | None:
    """A URL in its parts and the port that it names, if any; None also where that is none from 0 to 65535."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:
        return None
