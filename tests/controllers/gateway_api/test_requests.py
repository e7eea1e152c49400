"""Which route answers (gateway-api.sigs.k8s.io/reference/spec, HTTPRouteRule.matches, Listener.hostname)."""

from __future__ import annotations

import pytest

from tests.controllers.gateway_api.conftest import GATEWAY, SERVICES, TO_BLUE, TO_GREEN, Load, gateway, route

RED = """
apiVersion: v1
kind: Service
metadata: {name: red, namespace: shop}
spec: {ports: [{name: http, port: 80}], selector: {app: red}}
"""


_KONG = GATEWAY.replace("example.net/gateways", "konghq.com/kic-gateway-controller")


def rule(matches: str, backend: str) -> str:
    return f"{{matches: [{matches}], backendRefs: [{{name: {backend}, port: 80}}]}}"


def path(value: str, kind: str = "PathPrefix", more: str = "") -> str:
    return f"{{path: {{type: {kind}, value: '{value}'}}{more}}}"


@pytest.mark.parametrize(
    ("winner", "loser", "url", "more"),
    [
        (path("/a", "Exact"), path("/a"), "/a", {}),
        (path("/a/b"), path("/a"), "/a/b/c", {}),
        (path("/a"), path("/", more=", method: GET"), "/a", {}),
        (
            path("/", more=", method: GET"),
            path("/", more=", headers: [{name: x, value: '1'}]"),
            "/",
            {"headers": {"x": "1"}},
        ),
        (
            path("/", more=", headers: [{name: x, value: '1'}, {name: z, value: '2'}]"),
            path("/", more=", headers: [{name: x, value: '1'}]"),
            "/",
            {"headers": {"x": "1", "z": "2"}},
        ),
        (
            path("/", more=", headers: [{name: X, value: '1'}]"),
            path("/", more=", queryParams: [{name: q, value: '1'}, {name: r, value: '2'}]"),
            "/?q=1&r=2",
            {"headers": {"x": "1"}},
        ),
        (path("/", more=", queryParams: [{name: q, value: '1'}]"), path("/"), "/?q=1", {}),
    ],
)
def test_precedence(load: Load, winner: str, loser: str, url: str, more: dict[str, object]) -> None:
    for rules in ((rule(winner, "blue"), rule(loser, "green")), (rule(loser, "green"), rule(winner, "blue"))):
        world = load(GATEWAY, SERVICES, route("\n".join(rules)))
        assert world.backend(f"http://shop.example{url}", **more) == "blue"


def test_first_rule_wins_a_tie(load: Load) -> None:
    world = load(GATEWAY, SERVICES, route("\n".join((rule(path("/"), "green"), rule(path("/"), "blue")))))
    found = world.ask("http://shop.example/")
    assert found.backends[0].backend.name == "green"
    assert [lost.why for lost in found.selection.lost] == ["HTTPRoute shop/web has the earlier rule"]


def test_older_route_wins_and_then_the_name(load: Load) -> None:
    blue, green = route(rule(path("/"), "blue"), "a"), route(rule(path("/"), "green"), "b")
    assert load(GATEWAY, SERVICES, green, blue).backend("http://shop.example/") == "blue"
    older = green.replace("namespace: shop}", "namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'}", 1)
    assert load(GATEWAY, SERVICES, older, blue).backend("http://shop.example/") == "green"


def test_more_specific_hostname_goes_first(load: Load) -> None:
    wide = route(rule(path("/a", "Exact"), "green"), "a", spec="hostnames: ['*.example']")
    exact = route(rule(path("/"), "blue"), "b", spec="hostnames: [shop.example]")
    world = load(GATEWAY, SERVICES, wide, exact)
    assert world.backend("http://shop.example/a") == "blue"
    assert world.backend("http://other.example/a") == "green"


@pytest.mark.parametrize(
    ("listener", "older", "newer"),
    [
        ("shop.example", "*.example", "shop.example"),
        ("*.store.example", "*.example", "*.store.example"),
        ("*.store.example", "", "*.example"),
    ],
)
def test_own_hostname_counts_where_the_listener_narrows_both_to_one(
    load: Load, listener: str, older: str, newer: str
) -> None:
    """gateway-api.sigs.k8s.io/reference/spec, HTTPRouteSpec.hostnames: precedence is by the routes' own hostnames."""

    def named(name: str, hostname: str, year: int, backend: str) -> str:
        spec = f"hostnames: ['{hostname}']" if hostname else ""
        written = route(rule(path("/"), backend), name, spec=spec)
        return written.replace("shop}", f"shop, creationTimestamp: '{year}-01-01T00:00:00Z'}}", 1)

    front = gateway(f"{{name: web, port: 80, protocol: HTTP, hostname: '{listener}'}}")
    world = load(front, SERVICES, named("a", older, 2025, "green"), named("b", newer, 2026, "blue"))
    assert world.backend(f"http://{listener.replace('*', 'toys')}/") == "blue"


def test_host_apart_from_wildcards(load: Load) -> None:
    wide = route(rule(path("/"), "green"), "a", spec="hostnames: ['*.example']")
    exact = route(rule(path("/a"), "blue"), "b", spec="hostnames: [shop.example]")
    assert load(GATEWAY, SERVICES, wide, exact).backend("http://shop.example/") == "green"
    envoy = GATEWAY.replace("example.net/gateways", "gateway.envoyproxy.io/gatewayclass-controller")
    assert load(envoy, SERVICES, wide, exact).backend("http://shop.example/") == 404


def test_expressions_come_before_prefixes_of_kong(load: Load) -> None:
    rules = "\n".join((rule(path("/shop/cart"), "green"), rule(path("/sh.*", "RegularExpression"), "blue")))
    assert load(GATEWAY, SERVICES, route(rules)).backend("http://shop.example/shop/cart") == "green"
    assert load(_KONG, SERVICES, route(rules)).backend("http://shop.example/shop/cart") == "blue"


@pytest.mark.parametrize(
    ("match", "asked", "sent"),
    [(path("/api"), "/api/x", "/x"), (path("/api"), "/api", "/"), (path("/api", "Exact"), "/api", "/")],
)
def test_kong_strips_paths_where_told(load: Load, match: str, asked: str, sent: str) -> None:
    told = route(rule(match, "blue")).replace(
        "metadata: {", "metadata: {annotations: {konghq.com/strip-path: 'true'}, "
    )
    found = load(_KONG, SERVICES, told).ask(f"http://shop.example{asked}")
    assert found.upstream is not None
    assert found.upstream.path == sent


def test_filters_that_all_backends_share_show_in_what_is_sent(load: Load) -> None:
    both = f"{{matches: [{path('/api')}], backendRefs: [{{name: blue, port: 80}}, {{name: green, port: 80}}]}}"
    told = route(both).replace("metadata: {", "metadata: {annotations: {konghq.com/strip-path: 'true'}, ")
    found = load(_KONG, SERVICES, told).ask("http://shop.example/api/x")
    assert found.upstream is not None
    assert found.upstream.path == "/x"


@pytest.mark.parametrize(
    ("asked", "backend"),
    [("/a", "blue"), ("/a/", "blue"), ("/a/b", "blue"), ("/ab", 404), ("/A", 404), ("/", 404)],
)
@pytest.mark.parametrize("prefix", ["/a", "/a/"])
def test_prefix_by_element(load: Load, prefix: str, asked: str, backend: str | int) -> None:
    world = load(GATEWAY, SERVICES, route(rule(path(prefix), "blue")))
    assert world.backend(f"http://shop.example{asked}") == backend


def test_regular_expressions_match_the_whole_value(load: Load) -> None:
    header = ", headers: [{name: version, type: RegularExpression, value: 'v[0-9]'}]"
    world = load(GATEWAY, SERVICES, route(rule(path("/a[0-9]+", "RegularExpression", header), "blue")))
    assert world.backend("http://shop.example/a12", headers={"version": "v1"}) == "blue"
    assert world.backend("http://shop.example/a12/b", headers={"version": "v1"}) == 404
    assert world.backend("http://shop.example/a12", headers={"version": "v10"}) == 404


def test_why_others_lost(load: Load) -> None:
    rules = [
        rule(path("/", more=", method: POST"), "green"),
        rule(path("/b"), "green"),
        rule(path("/", more=", headers: [{name: version, value: two}]"), "green"),
        rule(path("/", more=", queryParams: [{name: q, value: '1'}]"), "green"),
        rule(path("/"), "blue"),
    ]
    found = load(GATEWAY, SERVICES, route("\n".join(rules))).ask("http://shop.example/a?q=2")
    assert {lost.route.rule: lost.why for lost in found.selection.lost} == {
        0: "method GET is not POST",
        1: "path `/a` is not under `/b`",
        2: "header `version` is absent, not `two`",
        3: "query parameter `q` is `2`, not `1`",
    }


# -- listeners ------------------------------------------------------------------------------------------------------

ISOLATED = gateway(
    """
    {name: any, port: 80, protocol: HTTP}
    {name: wild, port: 80, protocol: HTTP, hostname: '*.example'}
    {name: exact, port: 80, protocol: HTTP, hostname: shop.example}
    """
)
TRAEFIK = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: traefik.io/gateway-controller}
"""


def on(listener: str) -> str:
    return f"parentRefs: [{{name: front, sectionName: {listener}}}]"


@pytest.mark.parametrize(
    ("host", "backend"), [("shop.example", "red"), ("a.b.example", "green"), ("other.test", "blue")]
)
def test_listeners_are_isolated(load: Load, host: str, backend: str) -> None:
    routes = [
        route(TO_BLUE, "a", spec=on("any")),
        route(TO_GREEN, "b", spec=on("wild")),
        route("backendRefs: [{name: red, port: 80}]", "c", spec=on("exact")),
    ]
    assert load(ISOLATED, SERVICES, RED, *routes).backend(f"http://{host}/") == backend


def test_request_never_leaves_its_listener(load: Load) -> None:
    world = load(ISOLATED, SERVICES, route(TO_BLUE, spec=on("any")))
    assert world.backend("http://shop.example/") == 404
    assert load(ISOLATED, TRAEFIK, SERVICES, route(TO_BLUE, spec=on("any"))).backend("http://shop.example/") == "blue"


CERTIFICATE = "tls: {certificateRefs: [{name: cert}]}"
SECURE = gateway(
    f"""
    {{name: any, port: 443, protocol: HTTPS, {CERTIFICATE}}}
    {{name: exact, port: 443, protocol: HTTPS, hostname: shop.example, {CERTIFICATE}}}
    {{name: wild, port: 443, protocol: HTTPS, hostname: '*.wild.example', {CERTIFICATE}}}
    """
)


@pytest.mark.parametrize(
    ("host", "server_name", "seen"),
    [
        ("shop.example", "shop.example", "green"),
        ("other.example", "other.example", "blue"),
        ("shop.example", "other.example", 421),
        ("other.example", "shop.example", 421),
        ("a.wild.example", "b.wild.example", "green"),
        ("shop.example", "a.wild.example", 421),
    ],
)
def test_misdirected_requests(load: Load, host: str, server_name: str, seen: str | int) -> None:
    routes = [
        route(TO_BLUE, "a", spec=on("any")),
        route(TO_GREEN, "b", spec="parentRefs: [{name: front, sectionName: exact}, {name: front, sectionName: wild}]"),
    ]
    world = load(SECURE, SERVICES, *routes)
    assert world.backend(f"https://{host}/", sni=server_name) == seen


def test_unknown_server_name_fails_the_handshake(load: Load) -> None:
    exact = gateway(f"{{name: exact, port: 443, protocol: HTTPS, hostname: shop.example, {CERTIFICATE}}}")
    found = load(exact, SERVICES, route(TO_BLUE)).ask("https://other.example/")
    assert (found.outcome, found.status) == ("error", None)


def test_tls_by_server_name(load: Load) -> None:
    mixed = gateway(
        f"""
        {{name: pass, port: 8443, protocol: TLS, hostname: a.example, tls: {{mode: Passthrough}}}}
        {{name: end, port: 8443, protocol: TLS, hostname: b.example, {CERTIFICATE.replace("{cert", "{mode: Terminate, cert")}}}
        """
    )
    routes = [
        route(TO_BLUE, "a", "TLSRoute", spec="hostnames: [a.example]"),
        route(TO_GREEN, "b", "TLSRoute", spec="hostnames: [b.example]"),
    ]
    world = load(mixed, SERVICES, *routes)
    assert [item.backends[0].protocol.value for item in world.routes] == ["TLS", "TCP"]
    assert world.backend("tls://a.example:8443") == "blue"
    assert world.backend("tls://b.example:8443") == "green"
    assert world.ask("tls://c.example:8443").outcome == "error"


def test_connections_by_port(load: Load) -> None:
    ports = gateway("{name: a, port: 9000, protocol: TCP}\n{name: b, port: 9000, protocol: UDP}")
    world = load(ports, SERVICES, route(TO_BLUE, "a", "TCPRoute"), route(TO_GREEN, "b", "UDPRoute"))
    assert world.backend("tcp://192.0.2.10:9000") == "blue"
    assert world.backend("udp://192.0.2.10:9000") == "green"
    assert world.ask("tcp://192.0.2.10:9001").outcome == "error"


@pytest.mark.parametrize(
    ("method", "call", "backend"),
    [
        ("{service: shop.Cart, method: Add}", "/shop.Cart/Add", "blue"),
        ("{service: shop.Cart, method: Add}", "/shop.Cart/Drop", 404),
        ("{service: shop.Cart}", "/shop.Cart/Drop", "blue"),
        ("{service: shop.Cart}", "/shop.Carts/Drop", 404),
        ("{method: Add}", "/shop.Cart/Add", "blue"),
        ("{type: RegularExpression, service: 'shop\\..*'}", "/shop.Cart/Add", "blue"),
    ],
)
def test_grpc_methods(load: Load, method: str, call: str, backend: str | int) -> None:
    grpc = route(rule(f"{{method: {method}}}", "blue"), kind="GRPCRoute")
    assert (
        load(GATEWAY, SERVICES, grpc).backend(f"http://shop.example{call}", protocol="grpc", method="POST") == backend
    )


def test_longer_grpc_service_goes_first(load: Load) -> None:
    rules = [rule("{method: {method: Add}}", "green"), rule("{method: {service: shop.Cart}}", "blue")]
    world = load(GATEWAY, SERVICES, route("\n".join(rules), kind="GRPCRoute"))
    assert world.backend("http://shop.example/shop.Cart/Add", protocol="grpc") == "blue"


# -- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("redirect", "asked", "target"),
    [
        ("{scheme: https}", "http://shop.example/a", ("https", "shop.example", None, "/a", 302)),
        ("{scheme: https, port: 8443}", "http://shop.example/a", ("https", "shop.example", 8443, "/a", 302)),
        ("{hostname: new.example, statusCode: 308}", "http://shop.example/a", ("http", "new.example", None, "/a", 308)),
        (
            "{path: {type: ReplaceFullPath, replaceFullPath: /b}}",
            "http://shop.example/a/c",
            ("http", "shop.example", None, "/b", 302),
        ),
        (
            "{path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}",
            "http://shop.example/a/c",
            ("http", "shop.example", None, "/b/c", 302),
        ),
        (
            "{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}",
            "http://shop.example/a/c",
            ("http", "shop.example", None, "/c", 302),
        ),
    ],
)
def test_redirects(load: Load, redirect: str, asked: str, target: tuple[object, ...]) -> None:
    filters = f"filters: [{{type: RequestRedirect, requestRedirect: {redirect}}}]"
    found = load(GATEWAY, SERVICES, route(f"{{matches: [{path('/a')}], {filters}}}")).ask(asked).redirect
    assert found is not None
    assert (found.scheme, found.host, found.port, found.path, found.status) == target


@pytest.mark.parametrize(
    ("replacement", "asked", "upstream"),
    [
        ("/x", "/a/b", "/x/b"),
        ("/x", "/a", "/x"),
        ("/x/", "/a", "/x/"),
        ("/", "/a/b", "/b"),
        ("/", "/a", "/"),
        ("''", "/a", "/"),
    ],
)
def test_prefix_rewrite(load: Load, replacement: str, asked: str, upstream: str) -> None:
    change = f"urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: {replacement}}}}}"
    rules = f"{{matches: [{path('/a')}], filters: [{{type: URLRewrite, {change}}}], {TO_BLUE}}}"
    found = load(GATEWAY, SERVICES, route(rules)).ask(f"http://shop.example{asked}")
    assert found.upstream is not None
    assert found.upstream.path == upstream


def test_headers_of_rule_and_backend(load: Load) -> None:
    of_rule = "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: A, value: new}], add: [{name: b, value: '2'}]}}"
    of_backend = "{type: RequestHeaderModifier, requestHeaderModifier: {remove: [C]}}"
    rules = f"{{filters: [{of_rule}], backendRefs: [{{name: blue, port: 80, filters: [{of_backend}]}}]}}"
    world = load(GATEWAY, SERVICES, route(rules))
    found = world.ask("http://shop.example/", headers={"a": "old", "b": "1", "c": "3"})
    assert found.upstream is not None
    assert found.upstream.headers == {"a": "new", "b": "1,2"}


def test_deadlines_and_retries(load: Load) -> None:
    rules = f"{{timeouts: {{request: 1m30s, backendRequest: 0s}}, retry: {{codes: [503], attempts: 2, backoff: 100ms}}, {TO_BLUE}}}"
    (found,) = load(GATEWAY, SERVICES, route(rules)).routes
    timeouts = found.backends[0].timeouts
    assert timeouts.request is not None
    assert timeouts.attempt is not None
    assert (timeouts.request.value, timeouts.attempt.value) == (90, float("inf"))
    assert found.retries is not None
    assert (found.retries.codes, found.retries.attempts, found.retries.backoff) == ((503,), 2, 0.1)
