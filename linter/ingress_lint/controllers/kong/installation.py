"""What the set shows of the Kong that serves it: Kong's own settings, given to its container as variables.

A setting `nginx_http_client_max_body_size` is the variable `KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE`. Defaults:
Kong/kong:kong/templates/kong_defaults.lua.
"""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.registry import runs_proxy
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import KeepAlive
from ingress_lint.values.numbers import decimal
from ingress_lint.values.sizes import NGINX_HEADER_LIMIT, nginx_size

GATEWAY: Final = "Kong"
CONTROLLER: Final = "kong"
_LISTEN: Final = "0.0.0.0:8000, 0.0.0.0:8443 http2 ssl"
_UPSTREAM_IDLE: Final = 60.0
_BY_KONG: Final = "Kong's default"


class Installation(Struct, frozen=True):
    """The proxy of a set; `container` is None where there is none, or more than one."""

    container: WorkloadContainer | None
    variables: dict[str, tuple[str, Place]]

    def setting(self, name: str) -> Sourced[str] | None:
        """One of Kong's settings, None where the set does not show it."""
        found = self.variables.get(f"KONG_{name.upper()}")
        return Sourced(found[0].strip(), Origin.EXPLICIT, found[1]) if found and found[0].strip() else None

    def _number(self, name: str) -> Sourced[float] | None:
        found = self.setting(name)
        number = decimal(found.value) if found else None
        return Sourced(number, found.origin, found.place) if found and number is not None else None

    def _count(self, name: str) -> Sourced[int] | None:
        found = self._number(name)
        return Sourced(math.trunc(found.value), found.origin, found.place) if found else None

    def keep_alive(self, absent: Place, *, retries: bool) -> KeepAlive:
        """Its pool of connections to targets, whose size and limit of requests differ from release to release.

        An idle time of 0 keeps connections for ever.
        """
        idle = self._number("upstream_keepalive_idle_timeout")
        if idle is None:
            idle = Sourced(_UPSTREAM_IDLE, Origin.DEFAULT, absent, _BY_KONG)
        elif not idle.value:
            idle = Sourced(float("inf"), idle.origin, idle.place)
        requests = self._count("upstream_keepalive_max_requests")
        return KeepAlive(
            upstream_idle=idle,
            upstream_connections=self._count("upstream_keepalive_pool_size"),
            upstream_requests=requests if requests is not None and requests.value else None,
            retries_idempotent=retries,
        )

    @property
    def body_limit(self) -> Sourced[int] | None:
        """`nginx_http_client_max_body_size`, 0 and so without limit by default."""
        found = self.setting("nginx_http_client_max_body_size")
        size = nginx_size(found.value) if found else None
        return Sourced(size, found.origin, found.place) if found and size else None

    def header_limit(self, absent: Place) -> Sourced[int]:
        """`nginx_proxy_proxy_buffer_size`, nginx's own default without it."""
        for name in ("nginx_proxy_proxy_buffer_size", "nginx_http_proxy_buffer_size"):
            found = self.setting(name)
            size = nginx_size(found.value) if found else None
            if found is not None and size is not None:
                return Sourced(size, found.origin, found.place)
        return Sourced(NGINX_HEADER_LIMIT, Origin.DEFAULT, absent, _BY_KONG)

    @property
    def takes_proxy_protocol(self) -> Sourced[bool] | None:
        """`proxy_protocol` among the options of `proxy_listen`; unknown where the proxy is not in the set."""
        if self.container is None:
            return None
        found = self.setting("proxy_listen")
        if found is None:
            return Sourced(False, Origin.DEFAULT, self.container.at("env"), "no `proxy_listen` with proxy_protocol")
        return Sourced("proxy_protocol" in found.value, found.origin, found.place)

    def proxy_port(self, port: int) -> ProxyPort:
        """What `proxy_listen` says of one port; `KONG_PROXY_LISTEN=0.0.0.0:8000, 0.0.0.0:8443 http2 ssl` by default."""
        found = self.setting("proxy_listen")
        if self.container is None:
            return ProxyPort(GATEWAY)
        if found is None:
            found = Sourced(_LISTEN, Origin.DEFAULT, self.container.at("env"), "`proxy_listen` by default")
        for listener in found.value.split(","):
            address, *options = listener.split() or [""]
            if address.rpartition(":")[2] == str(port):
                tls, header = "ssl" in options, "proxy_protocol" in options
                return ProxyPort(
                    GATEWAY,
                    Sourced(tls, found.origin, found.place, found.why),
                    Sourced(header, found.origin, found.place, found.why),
                )
        return ProxyPort(GATEWAY)

    @property
    def trusts_forwarded(self) -> Sourced[bool] | None:
        """`trusted_ips`, none by default; unknown where the proxy is not in the set."""
        if self.container is None:
            return None
        found = self.setting("trusted_ips")
        if found is None:
            return Sourced(False, Origin.DEFAULT, self.container.at("env"), "no `trusted_ips`")
        return Sourced(True, found.origin, found.place)


def installation(graph: ObjectGraph) -> Installation:
    """The Kong of a set."""
    proxies = [
        container
        for workload in graph.workloads
        for container in workload.containers
        if runs_proxy(CONTROLLER, container.container.image)
    ]
    if len(proxies) != 1:
        return Installation(None, {})
    return Installation(proxies[0], listening_evidence(graph).of(proxies[0]).variables)
