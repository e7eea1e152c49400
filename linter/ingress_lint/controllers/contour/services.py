"""What a route of an HTTPProxy leads to: services with their checks, timeouts and rewrites, redirects, answers.

projectcontour/contour:internal/dag/httpproxy_processor.go, policy.go and internal/envoy/v3/{cluster,healthcheck}.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.contour.envoy import (
    BY_ENVOY,
    RESPONSE_TIMEOUT,
    STREAM_IDLE,
    keep_alive,
    service_protocol,
    timeout,
    written_protocol,
)
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.contour import (
    HeadersPolicy,
    HealthCheckPolicy,
    HTTPProxy,
    IPFilterPolicy,
    RequestRedirectPolicy,
    Service,
    TCPProxy,
)
from ingress_lint.objects.contour import Route as WrittenRoute
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import CORS, FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.model import BackendRef, BackendTLS, Filter, RequestMirror
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, Retries, TargetKind, Timeouts
from ingress_lint.values.durations import go_duration

_CHECKER: Final = "Envoy of Contour"
_HEALTH_HOST: Final = "contour-envoy-healthcheck"
_REMEDIES: Final = Remedies(
    check_path="set `healthCheckPolicy.path: {}`",
    protocols={
        AppProtocol.HTTPS: "set `protocol: tls` beside the Service's name",
        AppProtocol.GRPC: "set `protocol: h2c` beside the Service's name",
    },
    read_timeout="set `timeoutPolicy.response: {}s`",
)
_INTERVAL: Final = 5
_CHECK_TIMEOUT: Final = 2
_UNHEALTHY: Final = 3
_HEALTHY: Final = 2
_BY_CONTOUR: Final = "Contour's default"
_PREFIXES: Final = (PathMatchType.PREFIX, PathMatchType.STRING_PREFIX)


class RouteParts(Struct, frozen=True):
    """One route's match and what becomes of requests that fit it."""

    match: Match
    backends: tuple[BackendRef, ...]
    filters: tuple[Filter, ...]
    retries: Retries | None
    allowed_sources: tuple[Sourced[str], ...]


class Services:
    """Resolves the services of one graph's HTTPProxies."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        self._graph = graph
        self._resolver = resolver

    def parts(self, proxy: KubernetesObject[HTTPProxy], index: int, match: Match) -> RouteParts:
        """What becomes of requests that fit route number `index`."""
        written = proxy.body.spec.routes[index]
        place = proxy.at("spec", "routes", index)
        retries = _retries(written, place)
        backends, mirrors = self._backends(proxy, written, place, retries)
        return RouteParts(
            match,
            backends,
            (*_filters(written, match, place), *mirrors),
            retries,
            _allowed(written.ip_allow_policy, place.at("ipAllowPolicy")),
        )

    def _backends(
        self, proxy: KubernetesObject[HTTPProxy], written: WrittenRoute, place: Place, retries: Retries | None
    ) -> tuple[tuple[BackendRef, ...], tuple[RequestMirror, ...]]:
        """Services and mirrors; where no service has a weight, all have the same."""
        weighted = any(service.weight for service in written.services if not service.mirror)
        backends, mirrors = [], []
        for number, service in enumerate(written.services):
            at = place.at("services", number)
            weight = service.weight if weighted and not service.mirror else 1
            backend = self._backend(proxy, service, at, written, retries, weight, place)
            if service.mirror:
                mirrors.append(RequestMirror(at, backend, (service.weight or 100) / 100))
            else:
                backends.append(backend)
        return tuple(backends), tuple(mirrors)

    def _backend(
        self,
        proxy: KubernetesObject[HTTPProxy],
        written: Service,
        place: Place,
        route: WrittenRoute,
        retries: Retries | None,
        weight: int,
        route_place: Place,
    ) -> BackendRef:
        bare = self._reference(proxy, written, place, weight)
        policy = route.timeout_policy
        timeouts = route_place.at("timeoutPolicy")
        response = timeout(policy.response, timeouts.at("response")) if policy else None
        idle = timeout(policy.idle, timeouts.at("idle")) if policy else None
        kept = timeout(policy.idle_connection, timeouts.at("idleConnection")) if policy else None
        on = route.retry_policy.retry_on or ("5xx",) if route.retry_policy else ()
        attempt = route.retry_policy.per_try_timeout if route.retry_policy else ""
        return replace(
            bare,
            health_check=self._health_check(
                bare, written, route.health_check_policy, route_place.at("healthCheckPolicy"), place
            ),
            timeouts=Timeouts(
                read=idle or Sourced(STREAM_IDLE, Origin.DEFAULT, route_place, BY_ENVOY),
                request=response or Sourced(RESPONSE_TIMEOUT, Origin.DEFAULT, route_place, BY_ENVOY),
                attempt=timeout(attempt, route_place.at("retryPolicy", "perTryTimeout")),
            ),
            keep_alive=keep_alive(route_place, retries, on, kept),
            filters=tuple(_header_filters(written, place)),
            remedies=_REMEDIES,
        )

    def _reference(self, proxy: KubernetesObject[HTTPProxy], written: Service, place: Place, weight: int) -> BackendRef:
        service = self._graph.service(proxy.namespace, written.name)
        port = self._resolver.port(service, written.port) if service else None
        protocol = (
            written_protocol(written.protocol, place.at("protocol"))
            if written.protocol is not None
            else service_protocol(service, port, place.at("name"))
        )
        tls = None
        if written.validation is not None and protocol.value.over_tls:
            at = place.at("validation")
            names = written.validation.subject_names
            name = written.validation.subject_name or (names[0] if names else "")
            field = "subjectName" if written.validation.subject_name else "subjectNames"
            tls = BackendTLS(proxy, Sourced(name, Origin.EXPLICIT, at.at(field)), names)
        return BackendRef(
            place=place.at("name"),
            kind="Service",
            group="",
            namespace=proxy.namespace,
            name=written.name,
            port=Sourced(written.port, Origin.EXPLICIT, place.at("port")),
            service=Resolution(Existence.FOUND, service)
            if service
            else self._graph.resolve(SERVICE, proxy.namespace, written.name),
            service_port=port,
            protocol=protocol,
            target=Sourced(TargetKind.POD, Origin.DEFAULT, place.at("name")),
            weight=weight,
            tls=tls,
        )

    def _health_check(
        self, backend: BackendRef, written: Service, policy: HealthCheckPolicy | None, place: Place, at: Place
    ) -> HealthCheck | None:
        """Only where a policy, at `place`, asks for it. `healthPort` of the service at `at` is one of its ports.

        A pod that answers 503 is out at once, whatever the threshold.
        """
        if policy is None:
            return None
        health_port = backend.service_port
        if written.health_port and backend.service.object is not None:
            health_port = self._resolver.port(backend.service.object, written.health_port)
        secure = backend.protocol.value.over_tls
        asks = policy.path is not None
        protocol = ("HTTPS" if secure else "HTTP") if asks else "TCP"
        return HealthCheck(
            by=_CHECKER,
            protocol=Sourced(protocol, Origin.DERIVED, place, "the protocol of the service")
            if asks
            else Sourced(protocol, Origin.EXPLICIT, place),
            path=Sourced(policy.path, Origin.EXPLICIT, place.at("path")) if policy.path is not None else None,
            port=Sourced(written.health_port, Origin.EXPLICIT, at.at("healthPort")) if written.health_port else None,
            codes=_codes(policy, place) if asks else None,
            interval=_number(policy.interval_seconds, _INTERVAL, place, "intervalSeconds"),
            timeout=_number(policy.timeout_seconds, _CHECK_TIMEOUT, place, "timeoutSeconds"),
            healthy_threshold=_count(policy.healthy_threshold_count, _HEALTHY, place, "healthyThresholdCount"),
            unhealthy_threshold=_count(policy.unhealthy_threshold_count, _UNHEALTHY, place, "unhealthyThresholdCount"),
            host=(
                Sourced(policy.host, Origin.EXPLICIT, place.at("host"))
                if policy.host
                else Sourced(_HEALTH_HOST, Origin.DEFAULT, place, _BY_CONTOUR)
            )
            if asks
            else None,
            resolved_port=health_port.pod_port if health_port else None,
        )

    def streams(
        self, proxy: KubernetesObject[HTTPProxy], written: TCPProxy, place: Place, *, passed: bool
    ) -> tuple[BackendRef, ...]:
        """The services behind connections, be their TLS passed through or ended."""
        weighted = any(service.weight for service in written.services)
        found = []
        for index, service in enumerate(written.services):
            at = place.at("services", index)
            bare = self._reference(proxy, service, at, service.weight if weighted else 1)
            protocol = AppProtocol.TLS if passed or bare.protocol.value.over_tls else AppProtocol.TCP
            spoken = Sourced(protocol, Origin.DERIVED, place)
            check = self._health_check(bare, service, written.health_check_policy, place.at("healthCheckPolicy"), at)
            found.append(replace(bare, protocol=spoken, health_check=check))
        return tuple(found)

    # -- the virtual host's ---------------------------------------------------------------------------------------------

    @staticmethod
    def cors(proxy: KubernetesObject[HTTPProxy]) -> tuple[Filter, ...]:
        """`corsPolicy` of the virtual host."""
        virtual_host = proxy.body.spec.virtualhost
        policy = virtual_host.cors_policy if virtual_host else None
        if policy is None:
            return ()
        age = go_duration(policy.max_age)
        return (
            CORS(
                proxy.at("spec", "virtualhost", "corsPolicy"),
                policy.allow_origin,
                policy.allow_methods,
                policy.allow_headers,
                policy.expose_headers,
                policy.allow_credentials,
                math.floor(age) if age is not None else None,
            ),
        )

    @staticmethod
    def allowed(proxy: KubernetesObject[HTTPProxy]) -> tuple[Sourced[str], ...]:
        """`ipAllowPolicy` of the virtual host, which a route's own replaces."""
        virtual_host = proxy.body.spec.virtualhost
        written = virtual_host.ip_allow_policy if virtual_host else ()
        return _allowed(written, proxy.at("spec", "virtualhost", "ipAllowPolicy"))


def _allowed(policies: tuple[IPFilterPolicy, ...], place: Place) -> tuple[Sourced[str], ...]:
    return tuple(
        Sourced(policy.cidr, Origin.EXPLICIT, place.at(index, "cidr")) for index, policy in enumerate(policies)
    )


def _retries(written: WrittenRoute, place: Place) -> Retries | None:
    policy = written.retry_policy
    if policy is None:
        return None
    return Retries(place.at("retryPolicy"), policy.retriable_status_codes, max(policy.count, 1))


def _codes(policy: HealthCheckPolicy, place: Place) -> Sourced[str]:
    """200, or ranges whose end does not count."""
    if not policy.expected_statuses:
        return Sourced("200", Origin.DEFAULT, place, _BY_CONTOUR)
    ranges = ",".join(f"{item.start}-{item.end - 1}" for item in policy.expected_statuses)
    return Sourced(ranges, Origin.EXPLICIT, place.at("expectedStatuses"))


def _number(value: int, default: int, place: Place, field: str) -> Sourced[float]:
    return as_seconds(_count(value, default, place, field))


def _count(value: int, default: int, place: Place, field: str) -> Sourced[int]:
    if value:
        return Sourced(value, Origin.EXPLICIT, place.at(field))
    return Sourced(default, Origin.DEFAULT, place, _BY_CONTOUR)


def _filters(written: WrittenRoute, match: Match, place: Place) -> Iterator[Filter]:
    if written.request_redirect_policy is not None:
        yield _redirect(written.request_redirect_policy, place.at("requestRedirectPolicy"))
    if written.direct_response_policy is not None:
        yield FixedResponse(place.at("directResponsePolicy"), written.direct_response_policy.status_code)
    elif written.services and all(service.mirror for service in written.services):
        yield FixedResponse(place.at("services"), 503)
    if written.path_rewrite_policy is not None and match.path.value.type in _PREFIXES:
        yield from _prefix_replacement(written, match.path.value.value, place)
    yield from _headers(written.request_headers_policy, place.at("requestHeadersPolicy"), of_response=False)
    yield from _headers(written.response_headers_policy, place.at("responseHeadersPolicy"), of_response=True)


def _prefix_replacement(written: WrittenRoute, prefix: str, place: Place) -> Iterator[Filter]:
    """The replacement for exactly this prefix, else the one without a prefix."""
    policy = written.path_rewrite_policy
    replacements = policy.replace_prefix if policy else ()
    for wanted in (prefix, ""):
        for index, item in enumerate(replacements):
            if item.prefix == wanted:
                at = place.at("pathRewritePolicy", "replacePrefix", index, "replacement")
                yield URLRewrite(at, path=item.replacement, replace_prefix=True)
                return


def _redirect(policy: RequestRedirectPolicy, place: Place) -> RequestRedirect:
    return RequestRedirect(
        place,
        policy.status_code,
        policy.scheme,
        policy.hostname,
        policy.port,
        policy.path if policy.path is not None else policy.prefix,
        replace_prefix=policy.path is None and policy.prefix is not None,
    )


def _header_filters(written: Service, place: Place) -> Iterator[Filter]:
    yield from _headers(written.request_headers_policy, place.at("requestHeadersPolicy"), of_response=False)
    yield from _headers(written.response_headers_policy, place.at("responseHeadersPolicy"), of_response=True)


def _headers(policy: HeadersPolicy | None, place: Place, *, of_response: bool) -> Iterator[Filter]:
    """Host among the headers of a request rewrites it."""
    if policy is None:
        return
    host = next((item.value for item in policy.set if item.name.lower() == "host"), "")
    if host and not of_response:
        yield URLRewrite(place, host=host)
    pairs = tuple((item.name, item.value) for item in policy.set if item.name.lower() != "host")
    if pairs or policy.remove:
        yield HeaderModifier(place, set=pairs, remove=policy.remove, of_response=of_response)
