"""What implementations do with requests in their own way; the sources stand where they are modelled."""

from __future__ import annotations

import pytest

from tests.controllers.gateway_api.conftest import GATEWAY, SERVICES, Load, gateway, route
from tests.controllers.gateway_api.test_requests import path, rule

CONTOUR = "projectcontour.io/gateway-controller"
ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
ISTIO = "istio.io/gateway-controller"
KGATEWAY = "kgateway.dev/kgateway"


def of(controller: str, listeners: str = "") -> str:
    """A GatewayClass of this controller, and a Gateway of it."""
    made = GATEWAY.replace("example.net/gateways", controller)
    return f"{made.partition('---')[0]}---{gateway(listeners)}" if listeners else made


@pytest.mark.parametrize(
    ("controller", "expected"), [(CONTOUR, "blue"), (ENVOY_GATEWAY, "blue"), (KGATEWAY, "blue"), (ISTIO, "green")]
)
def test_regular_expressions_before_prefixes(load: Load, controller: str, expected: str) -> None:
    rules = (rule(path("/items/.*", "RegularExpression"), "blue"), rule(path("/items/1"), "green"))
    assert load(of(controller), SERVICES, route("\n".join(rules))).backend("http://shop.example/items/1") == expected


@pytest.mark.parametrize("controller", [CONTOUR, ENVOY_GATEWAY, ISTIO, KGATEWAY])
def test_hosts_apart(load: Load, controller: str) -> None:
    wide = route(rule(path("/"), "green"), "a", spec="hostnames: ['*.example']")
    exact = route(rule(path("/a"), "blue"), "b", spec="hostnames: [shop.example]")
    assert load(of(controller), SERVICES, wide, exact).backend("http://shop.example/") == 404


@pytest.mark.parametrize(("controller", "expected"), [(CONTOUR, "/foo"), (ENVOY_GATEWAY, "/foo"), (ISTIO, "/")])
def test_prefix_with_a_slash_that_is_taken_away(load: Load, controller: str, expected: str) -> None:
    new = "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}"
    written = f"{{matches: [{path('/foo/')}], filters: [{new}], backendRefs: [{{name: blue, port: 80}}]}}"
    sent = load(of(controller), SERVICES, route(written)).ask("http://shop.example/foo").upstream
    assert sent is not None
    assert sent.path == expected


def test_contour_makes_no_rule_without_backends(load: Load) -> None:
    rules = "\n".join((rule(path("/"), "blue"), f"{{matches: [{path('/a')}]}}"))
    assert load(of(CONTOUR), SERVICES, route(rules)).backend("http://shop.example/a") == "blue"
    assert load(of(ENVOY_GATEWAY), SERVICES, route(rules)).backend("http://shop.example/a") == 500


def test_contour_does_not_listen_for_nobody(load: Load) -> None:
    elsewhere = route(rule(path("/"), "blue"), spec="hostnames: [shop.other]")
    found = load(of(CONTOUR, "{name: web, port: 80, protocol: HTTP, hostname: '*.example'}"), SERVICES, elsewhere)
    answered = found.ask("http://shop.example/")
    assert (answered.outcome, answered.status) == ("error", None)


def test_envoy_gateway_keeps_connections_to_their_listener(load: Load) -> None:
    tls = "protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: tls}]}"
    listeners = f"{{name: wide, hostname: '*.example', {tls}}}\n{{name: shop, hostname: shop.example, {tls}}}"
    world = load(of(ENVOY_GATEWAY, listeners), SERVICES, route(rule(path("/"), "blue")))
    assert world.backend("https://shop.example/", sni="a.example") == "blue"
    assert world.backend("https://a.example/", sni="shop.example") == 404


def test_redirect_of_a_backend(load: Load) -> None:
    sent = "{type: RequestRedirect, requestRedirect: {hostname: new.example, statusCode: 301}}"
    found = load(
        of(ENVOY_GATEWAY), SERVICES, route(f"{{backendRefs: [{{name: blue, port: 80, filters: [{sent}]}}]}}")
    ).ask("http://shop.example/a")
    assert found.redirect is not None
    assert (found.redirect.host, found.redirect.status) == ("new.example", 301)


ROUTE_FILTERS = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: down, namespace: shop}
spec: {directResponse: {statusCode: 410}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: cookie, namespace: shop}
spec: {matches: [{cookies: [{name: beta, value: 'yes'}]}, {cookies: [{name: team, type: RegularExpression, value: 'q.*'}]}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: rewrite, namespace: shop}
spec: {urlRewrite: {path: {type: ReplaceRegexMatch, replaceRegexMatch: {pattern: '^/rewrite/(.*)$', substitution: '/x/\\1'}}}}
"""


def extended(name: str) -> str:
    named = f"extensionRef: {{group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: {name}}}"
    steps = f"filters: [{{type: ExtensionRef, {named}}}]"
    return f"{{matches: [{path(f'/{name}')}], {steps}, backendRefs: [{{name: blue, port: 80}}]}}"


@pytest.mark.parametrize(
    ("url", "cookie", "expected"),
    [
        ("/down", "", 410),
        ("/cookie", "", 404),
        ("/cookie", "a=b; beta=yes", "blue"),
        ("/cookie", "beta=yes1", 404),
        ("/cookie", "team=qa", "blue"),
        ("/rewrite/a", "", "blue"),
    ],
)
def test_route_filters(load: Load, url: str, cookie: str, expected: str | int) -> None:
    rules = "\n".join(map(extended, ("down", "cookie", "rewrite")))
    world = load(of(ENVOY_GATEWAY), SERVICES, ROUTE_FILTERS, route(rules))
    found = world.ask(f"http://shop.example{url}", headers={"cookie": cookie} if cookie else {})
    assert (found.backends[0].backend.name if found.outcome == "backend" else found.status) == expected
    if url.startswith("/rewrite"):
        assert found.upstream is not None
        assert found.upstream.path == "/x/a"


def test_preflights_of_envoy_gateway(load: Load) -> None:
    cors = "{type: CORS, cors: {allowOrigins: ['https://shop.example']}}"
    written = (
        f"{{matches: [{path('/', more=', method: GET')}], filters: [{cors}], backendRefs: [{{name: blue, port: 80}}]}}"
    )
    asked = {"origin": "https://shop.example", "access-control-request-method": "GET"}
    world = load(of(ENVOY_GATEWAY), SERVICES, route(written))
    assert world.backend("http://shop.example/", method="OPTIONS", headers=asked) == "blue"
    assert world.backend("http://shop.example/", method="OPTIONS") == 404


def test_headers_of_envoy_gateway(load: Load) -> None:
    """Of several changes of one header the first counts; others are removed before."""
    steps = "add: [{name: A, value: '1'}, {name: a, value: '2'}], set: [{name: a, value: '3'}], remove: [A]"
    written = f"{{filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{{steps}}}}}], backendRefs: [{{name: blue, port: 80}}]}}"
    sent = load(of(ENVOY_GATEWAY), SERVICES, route(written)).ask("http://shop.example/", headers={"a": "0"}).upstream
    assert sent is not None
    assert sent.headers["a"] == "1"


DELEGATING = "{backendRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: '*', namespace: shop}]"


def child(rules: str, name: str, more: str = "") -> str:
    return route(rules, name, spec="parentRefs: []").replace("namespace: shop}", f"namespace: shop{more}}}", 1)


@pytest.mark.parametrize(
    ("url", "expected"), [("/a/1", "blue"), ("/a/2", 404), ("/b", 404), ("/c/sub/x", "green"), ("/sub", 404)]
)
def test_delegation_of_kgateway(load: Load, url: str, expected: str | int) -> None:
    parent = route(f"{DELEGATING}, matches: [{path('/a')}]}}\n{DELEGATING}, matches: [{path('/c')}]}}", "parent")
    own = child("\n".join((rule(path("/a/1"), "blue"), rule(path("/b"), "blue"))), "below")
    inheriting = child(
        rule(path("/sub"), "green"), "joined", ", annotations: {delegation.kgateway.dev/inherit-parent-matcher: 'true'}"
    )
    assert load(of(KGATEWAY), SERVICES, parent, own, inheriting).backend(f"http://shop.example{url}") == expected


def test_delegation_in_a_circle(load: Load) -> None:
    again = DELEGATING.replace("'*'", "parent")
    parent = route(f"{DELEGATING}, matches: [{path('/a')}]}}", "parent")
    below = child(f"{again}, matches: [{path('/a/b')}]}}", "below")
    assert load(of(KGATEWAY), SERVICES, parent, below).backend("http://shop.example/a/b") == 404
