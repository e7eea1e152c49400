"""Kong's active health checks: off until an interval and a count of failures are set.

A target starts out healthy. A status that is in neither list changes nothing, so that only the statuses of the
unhealthy list take it out (Kong/lua-resty-healthcheck:lib/resty/healthcheck.lua, report_http_status). Defaults:
Kong/kong:kong/db/schema/entities/upstreams.lua.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.load.document import Place
from ingress_lint.objects.kong import ActiveHealthCheck
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import HealthCheck

_CHECKER: Final = "Kong proxy"
_UNHEALTHY: Final = (404, 429, 500, 501, 502, 503, 504, 505)
_PROTOCOLS: Final = {"http": "HTTP", "https": "HTTPS", "tcp": "TCP", "grpc": "GRPC", "grpcs": "GRPC"}
_BY_KONG: Final = "Kong's default"


def active_check(written: ActiveHealthCheck, place: Place, names: dict[str, str]) -> HealthCheck | None:
    """The check at `place`, None where it takes no target out. `names` maps fields to what this kind calls them."""
    healthy, unhealthy = written.healthy, written.unhealthy
    counts = (unhealthy.http_failures, unhealthy.tcp_failures, unhealthy.timeouts)
    if not healthy.interval or not any(counts):
        return None
    kind = written.type or "http"
    protocol = _PROTOCOLS.get(kind, "TCP")
    asks = protocol in ("HTTP", "HTTPS") and bool(unhealthy.http_failures)
    path_at = place.at(names["path"])
    statuses_at = place.at("unhealthy", names["statuses"])
    statuses = _UNHEALTHY if unhealthy.http_statuses is None else unhealthy.http_statuses
    threshold = next(
        (name, count) for name, count in zip(("failures", "tcp", "timeouts"), counts, strict=True) if count
    )
    return HealthCheck(
        by=_CHECKER,
        protocol=Sourced(protocol, Origin.EXPLICIT, place.at("type"))
        if written.type
        else Sourced(protocol, Origin.DEFAULT, place, _BY_KONG),
        path=_path(written.http_path, path_at) if asks else None,
        port=None,
        codes=Sourced(
            ",".join(_others(statuses)),
            Origin.DEFAULT if unhealthy.http_statuses is None else Origin.EXPLICIT,
            statuses_at,
            "all but the statuses that Kong counts as failures",
        )
        if asks
        else None,
        interval=as_seconds(Sourced(healthy.interval, Origin.EXPLICIT, place.at("healthy", "interval"))),
        timeout=Sourced(written.timeout, Origin.EXPLICIT, place.at("timeout"))
        if written.timeout is not None
        else Sourced(1.0, Origin.DEFAULT, place, _BY_KONG),
        healthy_threshold=Sourced(healthy.successes, Origin.EXPLICIT, place.at("healthy", "successes"))
        if healthy.successes
        else None,
        unhealthy_threshold=Sourced(threshold[1], Origin.EXPLICIT, place.at("unhealthy", names[threshold[0]])),
    )


def _path(written: str | None, place: Place) -> Sourced[str]:
    if written is None:
        return Sourced("/", Origin.DEFAULT, place, _BY_KONG)
    return Sourced(written, Origin.EXPLICIT, place)


def _others(statuses: tuple[int, ...]) -> Iterator[str]:
    """The ranges of statuses that are not among `statuses`."""
    start = 100
    for status in (*sorted(statuses), 600):
        if status > start:
            yield f"{start}-{status - 1}" if status - 1 > start else str(start)
        start = max(start, status + 1)
