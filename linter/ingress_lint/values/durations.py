"""Times, in seconds, as Go, nginx, HAProxy, application servers and the shell's `sleep` write them.

The names of the units mean the same to all of them; which ones each takes, and what a bare number counts, is its own.
"""

from __future__ import annotations

import re
from typing import Final

from ingress_lint.values.numbers import decimal, whole
from ingress_lint.values.patterns import deferred

_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "M": 2592000.0,
    "y": 31536000.0,
}
_LONGEST_TEXT: Final = 100
_GO: Final = deferred(r"([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(ns|us|µs|μs|ms|s|m|h)")
_GO_MOST: Final = 2**63 / 1e9
"""A duration is a number of nanoseconds in 63 bits, some 292 years."""
_NGINX: Final = deferred(r"([0-9]{1,18})(ms|[smhdwMy])?\s*")
_HAPROXY: Final = deferred(r"([0-9]{1,18})(us|ms|[smhd])?")
_SERVER: Final = deferred(r"(?:pt)?([0-9]{1,18}(?:\.[0-9]{1,18})?)\s{0,9}(ms|[smh])?", re.IGNORECASE | re.ASCII)
_SLEEP: Final = deferred(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)([smhd])?")


def go_duration(text: str) -> float | None:
    """Seconds of a duration such as `1m30s`, without a sign; None where it is none.

    golang/go:src/time/format.go, ParseDuration.
    """
    text = text.strip()
    if text == "0":
        return 0.0
    seconds = _sum(_GO, text)
    return seconds if seconds is not None and seconds <= _GO_MOST else None


def seconds_or_go(text: str) -> float | None:
    """Seconds of a bare number of them, or of a duration as Go writes it; None where it is neither."""
    text = text.strip()
    number = whole(text)
    return go_duration(text) if number is None else float(number)


def nginx_time(text: str) -> float | None:
    """Seconds of a time such as `1m 30s` or a bare `60`; None where it is none.

    nginx.org/en/docs/syntax.html; nginx/nginx:src/core/ngx_parse.c, ngx_parse_time.
    """
    return _sum(_NGINX, text.strip())


def haproxy_time(text: str) -> float | None:
    """Seconds of a time such as `30s`, a bare number being milliseconds; None where it is none.

    haproxy/haproxy:doc/configuration.txt, "Time format".
    """
    found = _HAPROXY.fullmatch(text.strip())
    return _times(found[1], found[2] or "ms") if found else None


def server_time(text: str, unit: float) -> float | None:
    """Seconds of a time as application servers take it: `5`, counted in `unit` seconds, `5s`, `500ms`, `PT5S`.

    Spring Boot's DurationStyle, Java's Duration.parse (without mixed units), and plain numbers; None where it is none.
    """
    found = _SERVER.fullmatch(text.strip())
    if found is None:
        return None
    return _times(found[1], found[2].lower()) if found[2] else (decimal(found[1]) or 0.0) * unit


def sleep_time(text: str) -> float | None:
    """Seconds that the shell's `sleep 1.5m` takes (GNU coreutils: src/sleep.c); None where it is none."""
    found = _SLEEP.fullmatch(text)
    return _times(found[1], found[2] or "s") if found else None


def _sum(pattern: re.Pattern[str], text: str) -> float | None:
    """The sum of the times that a text consists of; None where it is empty or holds anything else."""
    if not text or len(text) > _LONGEST_TEXT or pattern.sub("", text):
        return None
    return sum(_times(number, unit or "s") for number, unit in pattern.findall(text))


def _times(number: str, unit: str) -> float:
    return float(number) * _SECONDS[unit]
