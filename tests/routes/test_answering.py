"""Which route answers behind Ingress controllers, and what clients get: by the Ingress specification, ingress-nginx's
user guide (docs/user-guide), the AWS Load Balancer Controller's guide, and Google's URL maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingress_lint.controllers.lowering.entries import entries
from ingress_lint.engine import Options, read
from ingress_lint.routes.answering import Answer, answer
from ingress_lint.tracing.asking import asked

Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ask]:
    """Reads manifests; then asks the first entry, or the one of this name."""

    def of(*documents: str) -> Ask:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
        (held,) = read(Options(paths=["manifest.yaml"])).sets
        found = entries(held.graph, held.routes, held.frontends)

        def at(url: str, headers: Mapping[str, str] | None = None, entry: str = "") -> Answer:
            chosen = next(item for item in found if entry in ("", item.name))
            return answer(asked(url, headers=headers).request, chosen.table, held.graph)

        return at

    return of


def ingress(
    name: str, *rules: str, kind: str = "nginx", annotations: str = "", spec: str = "", created: str = ""
) -> str:
    lines = "".join(f"\n    - {rule}" for rule in rules)
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop, annotations: {{{annotations}}}{f", creationTimestamp: '{created}'" if created else ""}}}
spec:
  ingressClassName: {kind}
  {spec}
  rules: {"[]" if not rules else ""}{lines}
"""


def rule(host: str | None, *paths: str) -> str:
    named = f"host: '{host}', " if host else ""
    return f"{{{named}http: {{paths: [{', '.join(paths)}]}}}}"


def path(value: str, service: str, kind: str = "Prefix") -> str:
    return f"{{path: '{value}', pathType: {kind}, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}"


def service(name: str, more: str = "", replicas: int = 1) -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{type: NodePort, selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}] {more}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: web, image: example/web:1, ports: [{{containerPort: 8080}}]}}]}}
"""


PLAIN = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: plain}
spec: {controller: example.net/ingress}
"""
SERVICES = "---".join(service(name) for name in ("a", "b", "c"))
NGINX = "nginx.ingress.kubernetes.io"


def to(found: Answer) -> str | int | None:
    """The backend that answers, else the status."""
    return found.backends[0].backend.name if found.outcome == "backend" else found.status


# -- the specification ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "nginx"])
@pytest.mark.parametrize(
    ("paths", "asked_for", "expected"),
    [
        ((path("/foo", "a", "Exact"),), "/foo/", 404),
        ((path("/foo", "a", "Exact"),), "/FOO", 404),
        ((path("/foo", "a"),), "/foo/", "a"),
        ((path("/foo", "a"),), "/foobar", 404),
        ((path("/", "a"),), "/anything", "a"),
        ((path("/aaa", "a"), path("/aaa/bbb", "b")), "/aaa/bbb/ccc", "b"),
        ((path("/aaa/bbb", "b"), path("/aaa", "a")), "/aaa/bbbb", "a"),
        ((path("/foo", "a"), path("/foo", "b", "Exact")), "/foo", "b"),
        ((path("/foo", "a"), path("/foo", "b", "Exact")), "/foo/x", "a"),
    ],
)
def test_paths(ask: Callable[..., Ask], kind: str, paths: tuple[str, ...], asked_for: str, expected: object) -> None:
    at = ask(PLAIN, ingress("web", rule("x.example.com", *paths), kind=kind), SERVICES)
    assert to(at(f"http://x.example.com{asked_for}", entry=kind)) == expected


@pytest.mark.parametrize("kind", ["plain", "nginx"])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("x.example.com", "a"),
        ("y.example.com", "b"),
        ("y.z.example.com", "c"),
        ("example.com", "c"),
        ("X.Example.com", "a"),
        ("192.0.2.10", "c"),
    ],
)
def test_hosts(ask: Callable[..., Ask], kind: str, host: str, expected: str) -> None:
    """A wildcard stands for one label; the most specific host wins."""
    rules = rule(None, path("/", "c")), rule("*.example.com", path("/", "b")), rule("x.example.com", path("/", "a"))
    assert to(ask(PLAIN, ingress("web", *rules, kind=kind), SERVICES)(f"http://{host}/", entry=kind)) == expected


def test_default_backend_takes_the_rest(ask: Callable[..., Ask]) -> None:
    spec = "defaultBackend: {service: {name: c, port: {number: 80}}}"
    at = ask(PLAIN, ingress("web", rule("x.example.com", path("/a", "a")), kind="plain", spec=spec), SERVICES)
    assert to(at("http://x.example.com/a")) == "a"
    assert to(at("http://x.example.com/b")) == "c"
    assert to(at("http://other.example.com/")) == "c"


def test_the_older_object_wins(ask: Callable[..., Ask]) -> None:
    young = ingress("a", rule("x.example.com", path("/", "a")), kind="plain", created="2024-02-01T00:00:00Z")
    old = ingress("b", rule("x.example.com", path("/", "b")), kind="plain", created="2024-01-01T00:00:00Z")
    assert to(ask(PLAIN, young, old, SERVICES)("http://x.example.com/")) == "b"


# -- ingress-nginx ----------------------------------------------------------------------------------------------------


def test_class_without_any_ingress(ask: Callable[..., Ask]) -> None:
    item = PLAIN.replace("plain", "nginx").replace("example.net/ingress", "k8s.io/ingress-nginx")
    assert to(ask(item)("http://x.example.com/")) == 404


def test_hosts_are_servers_of_their_own(ask: Callable[..., Ask]) -> None:
    """A host that some Ingress names never falls through to a rule without one."""
    at = ask(ingress("web", rule("x.example.com", path("/a", "a")), rule(None, path("/", "b"))), SERVICES)
    assert to(at("http://x.example.com/b")) == 404
    assert to(at("http://y.example.com/b")) == "b"


def test_default_backend_of_its_own_hosts(ask: Callable[..., Ask]) -> None:
    spec = "defaultBackend: {service: {name: c, port: {number: 80}}}"
    at = ask(
        ingress("web", rule("x.example.com", path("/a", "a")), spec=spec),
        ingress("other", rule("y.example.com", path("/b", "b"))),
        SERVICES,
    )
    assert to(at("http://x.example.com/z")) == "c"
    assert to(at("http://y.example.com/z")) == 404
    assert to(at("http://z.example.com/")) == 404


def test_default_backend_without_rules_takes_unknown_hosts(ask: Callable[..., Ask]) -> None:
    spec = "defaultBackend: {service: {name: c, port: {number: 80}}}"
    at = ask(ingress("all", spec=spec), ingress("web", rule("x.example.com", path("/a", "a"))), SERVICES)
    assert to(at("http://z.example.com/")) == "c"
    assert to(at("http://x.example.com/z")) == 404


@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        ("/FOO/1", "a"),
        ("/foobar", "b"),
        ("/exactly", "c"),
        ("/EXACTLY/not", "c"),
        ("/other", 404),
    ],
)
def test_one_regular_expression_makes_all_of_the_host_so(
    ask: Callable[..., Ask], asked_for: str, expected: object
) -> None:
    regex = ingress(
        "regex",
        rule("x.example.com", path("/foo/[0-9]+", "a", "ImplementationSpecific")),
        annotations=f"{NGINX}/use-regex: 'true'",
    )
    others = ingress("others", rule("x.example.com", path("/foo", "b"), path("/exactly", "c", "Exact")))
    assert to(ask(regex, others, SERVICES)(f"http://x.example.com{asked_for}")) == expected


def test_longest_expression_first(ask: Callable[..., Ask]) -> None:
    at = ask(
        ingress(
            "regex",
            rule(
                "x.example.com",
                path("/foo/bar/.+", "a", "ImplementationSpecific"),
                path("/foo/bar/bar", "b", "ImplementationSpecific"),
                path("/foo/bar/[A-Z0-9]{3}", "c", "ImplementationSpecific"),
            ),
            annotations=f"{NGINX}/use-regex: 'true'",
        ),
        SERVICES,
    )
    assert to(at("http://x.example.com/foo/bar/bar")) == "c"


def test_rewrite(ask: Callable[..., Ask]) -> None:
    at = ask(
        ingress(
            "web",
            rule("x.example.com", path("/something(/|$)(.*)", "a", "ImplementationSpecific")),
            annotations=f"{NGINX}/rewrite-target: /$2, {NGINX}/upstream-vhost: inside.example.com",
        ),
        SERVICES,
    )
    found = at("http://x.example.com/something/new?q=1").upstream
    assert found is not None
    assert (found.path, found.host) == ("/new?q=1", "inside.example.com")
    root = at("http://x.example.com/something").upstream
    assert root is not None
    assert root.path == "/"


def canary(wishes: str) -> tuple[str, str, str]:
    annotations = f"{NGINX}/canary: 'true', " + ", ".join(f"{NGINX}/{wish}" for wish in wishes.split("; "))
    return (
        ingress("web", rule("x.example.com", path("/", "a"))),
        ingress("canary", rule("x.example.com", path("/", "b")), annotations=annotations),
        SERVICES,
    )


@pytest.mark.parametrize(
    ("wishes", "headers", "expected"),
    [
        ("canary-by-header: X-Go", {"X-Go": "always"}, "b"),
        ("canary-by-header: X-Go", {"X-Go": "never"}, "a"),
        ("canary-by-header: X-Go", {"X-Go": "maybe"}, "a"),
        ("canary-by-header: X-Go", {}, "a"),
        ("canary-by-header: X-Go; canary-by-header-value: me", {"X-Go": "me"}, "b"),
        ("canary-by-header: X-Go; canary-by-header-value: me", {"X-Go": "always"}, "a"),
        ("canary-by-header: X-Go; canary-by-header-pattern: '^m.'", {"X-Go": "men"}, "b"),
        ("canary-by-header: X-Go; canary-by-header-pattern: '^m.'", {"X-Go": "am"}, "a"),
        ("canary-by-cookie: go", {"Cookie": "a=b; go=always"}, "b"),
        ("canary-by-cookie: go", {"Cookie": "go=never"}, "a"),
        ("canary-by-cookie: go", {"Cookie": "ergo=always"}, "a"),
        ("canary-weight: '100'; canary-by-header: X-Go", {"X-Go": "never"}, "a"),
        ("canary-weight: '100'; canary-by-header: X-Go", {"X-Go": "maybe"}, "b"),
        ("canary-weight: '100'; canary-by-cookie: go", {"Cookie": "go=never"}, "a"),
        ("canary-by-header: X-Go; canary-by-cookie: go", {"X-Go": "never", "Cookie": "go=always"}, "a"),
        ("canary-by-header: X-Go; canary-by-cookie: go", {"X-Go": "always", "Cookie": "go=never"}, "b"),
        ("canary-by-header: X-Go; canary-by-cookie: go", {"X-Go": "maybe", "Cookie": "go=always"}, "b"),
        (
            "canary-by-header: X-Go; canary-by-header-pattern: '(['; canary-by-cookie: go",
            {"X-Go": "x", "Cookie": "go=always"},
            "a",
        ),
    ],
)
def test_canary(ask: Callable[..., Ask], wishes: str, headers: dict[str, str], expected: str) -> None:
    found = ask(*canary(wishes))("http://x.example.com/", headers)
    assert [share.backend.name for share in found.backends if share.share] == [expected]


def test_canary_by_weight(ask: Callable[..., Ask]) -> None:
    found = ask(*canary("canary-weight: '20'"))("http://x.example.com/")
    assert {share.backend.name: share.share for share in found.backends} == {"a": 0.8, "b": 0.2}


def test_canary_of_nothing(ask: Callable[..., Ask]) -> None:
    _, lonely, services = canary("canary-weight: '20'")
    assert (
        to(ask(lonely, ingress("z", rule("z.example.com", path("/", "a"))), services)("http://x.example.com/")) == 404
    )


def test_alias_that_is_an_expression(ask: Callable[..., Ask]) -> None:
    at = ask(
        ingress(
            "web",
            rule("x.example.com", path("/", "a")),
            annotations=f"{NGINX}/server-alias: '~^x[0-9]+[.]example[.]com$'",
        ),
        ingress("own", rule("x7.example.com", path("/", "b"))),
        SERVICES,
    )
    assert to(at("http://x12.example.com/")) == "a"
    assert to(at("http://x7.example.com/")) == "b"
    assert to(at("http://y.example.com/")) == 404


def test_alias(ask: Callable[..., Ask]) -> None:
    at = ask(
        ingress(
            "web",
            rule("x.example.com", path("/", "a")),
            annotations=f"{NGINX}/server-alias: 'y.example.com,z.example.com'",
        ),
        ingress("own", rule("z.example.com", path("/", "b"))),
        SERVICES,
    )
    assert to(at("http://y.example.com/")) == "a"
    assert to(at("http://z.example.com/")) == "b"


@pytest.mark.parametrize(
    ("annotation", "url", "status", "location"),
    [
        ("app-root: /app", "http://x.example.com/", 302, ("http", "x.example.com", "/app")),
        (
            "permanent-redirect: https://new.example.com/a",
            "http://x.example.com/b",
            301,
            ("https", "new.example.com", "/a"),
        ),
        ("temporal-redirect: https://new.example.com", "http://x.example.com/", 302, ("https", "new.example.com", "/")),
        ("force-ssl-redirect: 'true'", "http://x.example.com/a?b", 308, ("https", "x.example.com", "/a?b")),
        ("from-to-www-redirect: 'true'", "http://www.x.example.com/a", 308, ("http", "x.example.com", "/a")),
    ],
)
def test_redirects(
    ask: Callable[..., Ask], annotation: str, url: str, status: int, location: tuple[str, str, str]
) -> None:
    at = ask(ingress("web", rule("x.example.com", path("/", "a")), annotations=f"{NGINX}/{annotation}"), SERVICES)
    found = at(url)
    assert (found.outcome, found.status) == ("redirect", status)
    assert found.redirect is not None
    assert (found.redirect.scheme, found.redirect.host, found.redirect.path or "/") == location


def test_app_root_is_for_the_root_alone(ask: Callable[..., Ask]) -> None:
    at = ask(ingress("web", rule("x.example.com", path("/", "a")), annotations=f"{NGINX}/app-root: /app"), SERVICES)
    assert to(at("http://x.example.com/app")) == "a"


def test_forced_redirect_spares_what_came_by_tls(ask: Callable[..., Ask]) -> None:
    forced = f"{NGINX}/force-ssl-redirect: 'true'"
    at = ask(ingress("web", rule("x.example.com", path("/", "a")), annotations=forced), SERVICES)
    assert to(at("https://x.example.com/")) == "a"
    found = at("https://x.example.com/", {"X-Other": "1"}).upstream
    assert found is not None
    assert found.headers == {"x-other": "1"}


def test_passthrough_beside_terminated_hosts(ask: Callable[..., Ask]) -> None:
    passed = f"{NGINX}/ssl-passthrough: 'true'"
    at = ask(
        ingress("web", rule("x.example.com", path("/", "a"))),
        ingress("raw", rule("raw.example.com", path("/", "b")), annotations=passed),
        SERVICES,
    )
    found = at("tls://raw.example.com")
    assert (to(found), found.status) == ("b", None)
    assert to(at("https://x.example.com/")) == "a"


# -- backends that cannot answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "status", "words"),
    [
        ("gone", 503, "does not exist"),
        ("off", 503, "0 replicas"),
        ("lost", 503, "its selector matches no pod"),
        ("bare", 503, "no selector"),
        ("named", 503, "no container of its pods has a port named `web`"),
        ("wrong", 503, "has no such port"),
    ],
)
def test_broken_backends(ask: Callable[..., Ask], backend: str, status: int, words: str) -> None:
    at = ask(
        ingress("web", rule("x.example.com", path("/", backend))),
        SERVICES,
        service("off", replicas=0),
        service("lost").replace("selector: {app: lost}", "selector: {app: other}"),
        service("bare").replace("selector: {app: bare},", ""),
        service("named").replace("targetPort: 8080", "targetPort: web"),
        service("wrong").replace("port: 80,", "port: 81,"),
    )
    found = at("http://x.example.com/")
    assert (found.outcome, found.status) == ("error", status)
    assert words in found.why


def test_service_that_may_be_elsewhere_answers(ask: Callable[..., Ask]) -> None:
    """Nothing of the set is in that namespace, so what is missing may be applied from elsewhere."""
    assert to(ask(ingress("web", rule("x.example.com", path("/", "a"))))("http://x.example.com/")) == "a"


def test_external_name_answers(ask: Callable[..., Ask]) -> None:
    outside = """
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: shop}
spec: {type: ExternalName, externalName: api.example.net}
"""
    at = ask(ingress("web", rule("x.example.com", path("/", "outside"))), outside, SERVICES)
    assert to(at("http://x.example.com/")) == "outside"


def test_default_backend_annotation_answers_for_a_dead_service(ask: Callable[..., Ask]) -> None:
    sorry = f"{NGINX}/default-backend: b"
    at = ask(
        ingress("web", rule("x.example.com", path("/", "off")), annotations=sorry), SERVICES, service("off", replicas=0)
    )
    assert to(at("http://x.example.com/")) == "b"


# -- load balancers ---------------------------------------------------------------------------------------------------


def alb(name: str, *rules: str, annotations: str = "") -> str:
    return ingress(name, *rules, kind="alb", annotations=annotations)


ALB = "alb.ingress.kubernetes.io"


def test_alb_order_of_paths(ask: Callable[..., Ask]) -> None:
    """Exact, then Prefix with the longest first, then ImplementationSpecific as written; `/` of that is the root alone."""
    at = ask(
        alb(
            "web",
            rule(
                "x.example.com",
                path("/*", "c", "ImplementationSpecific"),
                path("/a", "a"),
                path("/a/b", "b", "Exact"),
            ),
        ),
        SERVICES,
    )
    assert to(at("http://x.example.com/a/b")) == "b"
    assert to(at("http://x.example.com/a/c")) == "a"
    assert to(at("http://x.example.com/z")) == "c"
    root = ask(alb("web", rule("x.example.com", path("/", "c", "ImplementationSpecific"))), SERVICES)
    assert to(root("http://x.example.com/z")) == 404


def test_alb_takes_rules_as_they_are_written(ask: Callable[..., Ask]) -> None:
    at = ask(alb("web", rule(None, path("/", "c")), rule("x.example.com", path("/", "a"))), SERVICES)
    assert to(at("http://x.example.com/")) == "c"


def test_alb_group_order(ask: Callable[..., Ask]) -> None:
    group = f"{ALB}/group.name: all"
    at = ask(
        alb("a", rule("x.example.com", path("/", "a")), annotations=f"{group}, {ALB}/group.order: '20'"),
        alb("b", rule("x.example.com", path("/", "b")), annotations=f"{group}, {ALB}/group.order: '10'"),
        SERVICES,
    )
    assert to(at("http://x.example.com/", entry="all")) == "b"


def test_load_balancers_do_not_share_hosts(ask: Callable[..., Ask]) -> None:
    at = ask(
        alb("one", rule("x.example.com", path("/", "a"))), alb("two", rule("y.example.com", path("/", "b"))), SERVICES
    )
    assert to(at("http://x.example.com/", entry="one")) == "a"
    assert to(at("http://y.example.com/", entry="one")) == 404


def test_google_url_map(ask: Callable[..., Ask]) -> None:
    """The rules of the best host decide, and its Ingress's default backend takes what they leave."""
    item = ingress(
        "web",
        rule("x.example.com", path("/a", "a")),
        rule(None, path("/", "b")),
        annotations="kubernetes.io/ingress.class: gce",
        spec="defaultBackend: {service: {name: c, port: {number: 80}}}",
    ).replace("  ingressClassName: nginx\n", "")
    at = ask(item, SERVICES)
    assert to(at("http://x.example.com/a")) == "a"
    assert to(at("http://x.example.com/b")) == "c"
    assert to(at("http://y.example.com/b")) == "b"


# -- Contour (projectcontour/contour:internal/dag, internal/sorter) ----------------------------------------------------

CONTOUR = ingress(
    "shop",
    rule("*.shop.example", path("/only", "web")),
    rule("gone.example", path("/", "web"), path("/cart", "gone")),
    rule(None, path("/", "rest")),
    kind="contour",
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.shop.example/only", "web"),
        ("http://a.shop.example/other", 404),
        ("http://a.b.shop.example/only", 404),
        ("http://gone.example/cart", "web"),
        ("http://elsewhere.example/only", "rest"),
    ],
)
def test_contour_ingress(ask: Callable[..., Ask], url: str, expected: str | int) -> None:
    """A wildcard is one label deep and shuts out wider hosts at any depth; a path without its Service is not there."""
    found = ask(CONTOUR, service("web"), service("rest"))(url)
    assert (found.backends[0].backend.name if found.outcome == "backend" else found.status) == expected


HTTP_PROXY = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: shop}
spec:
  virtualhost: {fqdn: shop.example}
  routes:
    - {conditions: [{prefix: /twice}], services: [{name: web, port: 80}]}
    - {conditions: [{prefix: /twice}], services: [{name: last, port: 80}]}
    - {conditions: [{prefix: /new}, {header: {name: X, notpresent: true}}], services: [{name: web, port: 80}]}
    - {conditions: [{prefix: /old}, {header: {name: X, notexact: a}}], services: [{name: web, port: 80}]}
    - conditions: [{prefix: /api/}]
      pathRewritePolicy: {replacePrefix: [{replacement: /}]}
      services: [{name: web, port: 80}]
"""


@pytest.mark.parametrize(
    ("path", "header", "expected"),
    [
        ("/twice", "", ("last", "/twice")),
        ("/new", "", ("web", "/new")),
        ("/new", "b", None),
        ("/old", "b", ("web", "/old")),
        ("/old", "a", None),
        ("/old", "", None),
        ("/api", "", ("web", "/")),
        ("/apix", "", ("web", "/x")),
        ("/api/x", "", ("web", "/x")),
    ],
)
def test_http_proxy(ask: Callable[..., Ask], path: str, header: str, expected: tuple[str, str] | None) -> None:
    found = ask(HTTP_PROXY, service("web"), service("last"))(
        f"http://shop.example{path}", {"X": header} if header else None
    )
    got = (found.backends[0].backend.name, found.upstream.path) if found.upstream is not None else None
    assert got == expected
