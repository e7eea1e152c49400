"""Times and sizes in the notations of Go and nginx, read by more than one controller."""

from __future__ import annotations

import re
from typing import Final

_GO: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_GO_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NGINX: Final = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y)?\s*")
_NGINX_UNITS: Final = {
    "ms": 0.001,
    "": 1.0,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "M": 2592000.0,
    "y": 31536000.0,
}
NGINX_HEADER_LIMIT: Final = 4 << 10
"""What nginx takes as a response's header unless told otherwise: one page of memory, which is 4 KiB on most machines.

nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
"""
_SIZE: Final = re.compile(r"(\d+)([kmg]?)", re.IGNORECASE)
_SIZE_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def go_duration(text: str) -> float | None:
    """Seconds of a duration such as `1m30s`, by Go's time.ParseDuration; None where it is none."""
    text = text.strip()
    if text == "0":
        return 0.0
    if not text or _GO.sub("", text):
        return None
    return sum(float(number) * _GO_UNITS[unit] for number, unit in _GO.findall(text))


def nginx_time(text: str) -> float | None:
    """Seconds of a time such as `1m 30s` or a bare `60` (nginx.org/en/docs/syntax.html); None where it is none."""
    text = text.strip()
    if not text or _NGINX.sub("", text):
        return None
    return sum(float(number) * _NGINX_UNITS[unit] for number, unit in _NGINX.findall(text))


def nginx_size(text: str) -> int | None:
    """Bytes of a size such as `8m`; None where it is none."""
    found = _SIZE.fullmatch(text.strip())
    return int(found[1]) * _SIZE_UNITS[found[2].lower()] if found else None
