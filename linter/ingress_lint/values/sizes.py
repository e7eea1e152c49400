"""Sizes in bytes, as nginx and HAProxy write them and as applications do. `k` is 1024 to all of them."""

from __future__ import annotations

import re
from typing import Final

from ingress_lint.values.numbers import decimal
from ingress_lint.values.patterns import deferred

NGINX_HEADER_LIMIT: Final = 4 << 10
"""What nginx takes as a response's header unless told otherwise: one page of memory, which is 4 KiB on most machines.

nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
"""
_BYTES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_NGINX: Final = deferred(r"([0-9]{1,18})([kmg]?)", re.IGNORECASE | re.ASCII)
_INGRESS_NGINX: Final = deferred(r"[0-9]{1,18}[bkmg]?", re.IGNORECASE | re.ASCII)
_QUANTITY: Final = deferred(r"([+-]?[0-9]{1,18}(?:\.[0-9]{0,18})?)(m|[kMGTPE]|[KMGTPE]i)?")
_PARTS: Final = {"": 1.0, "m": 0.001, "k": 1e3} | {
    letter + binary: float(1024**power if binary else 1000**power)
    for power, letter in enumerate("KMGTPE", 1)
    for binary in ("", "i")
}
_APPLICATION: Final = deferred(r"([0-9]{1,18})\s{0,9}([kmg]?)b?", re.IGNORECASE | re.ASCII)


def nginx_size(text: str) -> int | None:
    """Bytes of a size such as `8m`, as HAProxy writes it too; None where it is none.

    nginx.org/en/docs/syntax.html; nginx/nginx:src/core/ngx_parse.c, ngx_parse_offset.
    """
    return _size(_NGINX, text)


def is_ingress_nginx_size(text: str) -> bool:
    """Whether ingress-nginx takes it for a size, bare bytes by `b` included, which nginx may refuse later.

    kubernetes/ingress-nginx:internal/ingress/annotations/parser/validators.go, SizeRegex.
    """
    return _INGRESS_NGINX.fullmatch(text) is not None


def quantity(value: object) -> float | None:
    """The number that a quantity such as `64Ki` or `500m` stands for; None where it is none, or has an exponent.

    kubernetes/apimachinery:pkg/api/resource/quantity.go, ParseQuantity.
    """
    found = _QUANTITY.fullmatch(str(value))
    number = decimal(found[1]) if found else None
    return None if found is None or number is None else number * _PARTS[found[2] or ""]


def application_size(text: str) -> int | None:
    """Bytes of a size as PHP and Spring write it, `8M`, `10MB` or `512 KB`; None where it is none.

    php.net/manual/en/faq.using.php#faq.using.shorthandbytes; spring-projects/spring-framework:DataSize.
    """
    return _size(_APPLICATION, text)


def _size(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.fullmatch(text.strip())
    return int(found[1]) * _BYTES[found[2].lower()] if found else None
