"""The upstreams of VirtualServers and VirtualServerRoutes as backends.

nginx/kubernetes-ingress:internal/configs/virtualserver.go. What an upstream does not say the controller's ConfigMap does.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.nginx_inc.ingress import CHECKER, HEALTHY
from ingress_lint.controllers.nginx_inc.settings import Installation, Settings
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.nginx_inc import StreamUpstream, Upstream
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import BackendRef, ResolvedPort
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind, Timeouts
from ingress_lint.values.durations import nginx_time
from ingress_lint.values.sizes import nginx_size

_INTERVAL: Final = 5.0
_BY_PLUS: Final = "NGINX Plus's default"
_PROTOCOLS: Final = {
    (False, False): AppProtocol.HTTP,
    (True, False): AppProtocol.HTTPS,
    (False, True): AppProtocol.GRPC,
    (True, True): AppProtocol.GRPCS,
}
"""By whether TLS and whether gRPC is on."""


_REMEDIES: Final = Remedies(
    check_path="set `healthCheck.path: {}` in the upstream",
    check_port="set `healthCheck.port: {}` in the upstream",
    protocols={
        AppProtocol.HTTPS: "set `tls.enable: true` in the upstream",
        AppProtocol.HTTP: "set `tls.enable: false` in the upstream",
        AppProtocol.GRPC: "set `type: grpc` in the upstream",
    },
    read_timeout="set `read-timeout: {}s` in the upstream",
    body_limit="set `client-max-body-size: '{}'` in the upstream",
    header_limit="set `buffer-size: {}`, `buffers.size: {}` and `buffers.number: 8` in the upstream",
)


def upstream_backend(
    graph: ObjectGraph,
    resolver: BackendResolver,
    installation: Installation,
    namespace: str,
    written: Upstream,
    place: Place,
) -> BackendRef:
    """An upstream at `place`, of an object in `namespace`."""
    settings = Settings(installation, (), place)
    backend = reference(graph, resolver, namespace, written, place)
    secure = written.tls is not None and written.tls.enable
    grpc = written.type == "grpc"
    decided = place.at("tls", "enable") if secure else place.at("type") if grpc else place.at("port")
    kept = Sourced(written.keepalive, Origin.EXPLICIT, place.at("keepalive")) if written.keepalive is not None else None
    return replace(
        backend,
        protocol=Sourced(
            _PROTOCOLS[secure, grpc],
            Origin.EXPLICIT if secure or grpc else Origin.DEFAULT,
            decided,
            "" if secure or grpc else "no `tls.enable`",
        ),
        target=Sourced(TargetKind.CLUSTER_IP, Origin.EXPLICIT, place.at("use-cluster-ip"))
        if written.use_cluster_ip
        else backend.target,
        health_check=_health_check(written, place, backend.service_port, installation, secure=secure),
        timeouts=_timeouts(written, place, settings),
        keep_alive=settings.keep_alive(kept, written.next_upstream),
        body_limit=_body_limit(written, place, settings),
        header_limit=_header_limit(written, place, settings),
        remedies=_REMEDIES,
    )


def reference(
    graph: ObjectGraph, resolver: BackendResolver, namespace: str, written: Upstream | StreamUpstream, place: Place
) -> BackendRef:
    """The Service of an upstream, which may have its namespace before a slash; nothing but that is decided."""
    other, _, name = written.service.rpartition("/")
    namespace = other or namespace
    service = graph.service(namespace, name)
    return BackendRef(
        place=place.at("service"),
        kind="Service",
        group="",
        namespace=namespace,
        name=name,
        port=Sourced(written.port, Origin.EXPLICIT, place.at("port")),
        service=Resolution(Existence.FOUND, service) if service else graph.resolve(SERVICE, namespace, name),
        service_port=resolver.port(service, written.port) if service else None,
        protocol=Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, place),
        target=Sourced(TargetKind.POD, Origin.DEFAULT, place),
    )


def _timeouts(written: Upstream, place: Place, settings: Settings) -> Timeouts:
    connect, read = nginx_time(written.connect_timeout), nginx_time(written.read_timeout)
    by_default = settings.timeouts
    return Timeouts(
        connect=Sourced(connect, Origin.EXPLICIT, place.at("connect-timeout"))
        if connect is not None
        else by_default.connect,
        read=Sourced(read, Origin.EXPLICIT, place.at("read-timeout")) if read is not None else by_default.read,
    )


def _body_limit(written: Upstream, place: Place, settings: Settings) -> Sourced[int] | None:
    size = nginx_size(written.client_max_body_size)
    if size is None:
        return settings.body_limit
    return Sourced(size, Origin.EXPLICIT, place.at("client-max-body-size")) if size else None


def _header_limit(written: Upstream, place: Place, settings: Settings) -> Sourced[int] | None:
    size = nginx_size(written.buffer_size)
    return settings.header_limit if size is None else Sourced(size, Origin.EXPLICIT, place.at("buffer-size"))


def _health_check(
    written: Upstream, place: Place, port: ResolvedPort | None, installation: Installation, *, secure: bool
) -> HealthCheck | None:
    """`healthCheck`, of NGINX Plus only: / every 5 s, on the traffic port."""
    check = written.health_check
    if check is None or not check.enable or installation.plus is False:
        return None
    at = place.at("healthCheck")
    interval, read = nginx_time(check.interval), nginx_time(check.read_timeout)
    grpc = written.type == "grpc"
    if check.tls is not None:
        protocol = Sourced("HTTPS" if check.tls.enable else "HTTP", Origin.EXPLICIT, at.at("tls", "enable"))
    else:
        protocol = Sourced("HTTPS" if secure else "HTTP", Origin.DERIVED, at, "the upstream's own protocol")
    return HealthCheck(
        by=CHECKER,
        protocol=Sourced("GRPC", Origin.DERIVED, place.at("type")) if grpc else protocol,
        path=None
        if grpc
        else Sourced(check.path, Origin.EXPLICIT, at.at("path"))
        if check.path
        else Sourced("/", Origin.DEFAULT, at, _BY_PLUS),
        port=Sourced(check.port, Origin.EXPLICIT, at.at("port")) if check.port else None,
        codes=None if grpc else _codes(check.status_match, at),
        interval=Sourced(interval, Origin.EXPLICIT, at.at("interval"))
        if interval is not None
        else Sourced(_INTERVAL, Origin.DEFAULT, at, _BY_PLUS),
        timeout=Sourced(read, Origin.EXPLICIT, at.at("read-timeout")) if read is not None else None,
        healthy_threshold=Sourced(check.passes, Origin.EXPLICIT, at.at("passes"))
        if check.passes
        else Sourced(1, Origin.DEFAULT, at, _BY_PLUS),
        unhealthy_threshold=Sourced(check.fails, Origin.EXPLICIT, at.at("fails"))
        if check.fails
        else Sourced(1, Origin.DEFAULT, at, _BY_PLUS),
        resolved_port=check.port or (port.pod_port if port else None),
    )


def _codes(match: str, place: Place) -> Sourced[str] | None:
    """`statusMatch`: codes and ranges between blanks; None for what `!` excludes."""
    if not match:
        return Sourced(HEALTHY, Origin.DEFAULT, place, _BY_PLUS)
    if match.startswith("!"):
        return None
    return Sourced(",".join(match.split()), Origin.EXPLICIT, place.at("statusMatch"))
