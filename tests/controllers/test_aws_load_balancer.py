"""What the AWS Load Balancer Controller makes of Ingresses and Services."""

from __future__ import annotations

from textwrap import indent

import pytest

from ingress_lint.controllers.aws.annotations import ALB_ANNOTATIONS, NLB_ANNOTATIONS
from ingress_lint.graph.resolution import Existence
from ingress_lint.routes.filters import FixedResponse, RequestRedirect
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Request
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.routes.upstream import upstream
from tests.controllers.conftest import Routes, said

PREFIX = "alb.ingress.kubernetes.io/"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example/web
          ports: [{name: main, containerPort: 8080}, {name: admin, containerPort: 9000}]
"""
ONE_PATH = "{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"


def ingress(annotations: str = "", *paths: str, name: str = "web", spec: str = "ingressClassName: alb") -> str:
    lines = "".join(f"{PREFIX}{line}\n" for line in annotations.strip().splitlines())
    listed = "".join(f"- {path}\n" for path in paths or (ONE_PATH,))
    metadata = f"  annotations:\n{indent(lines, '    ')}" if lines else ""
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n{metadata}"
        f"spec:\n{indent(spec, '  ')}\n  rules:\n    - host: a.example.com\n      http:\n        paths:\n"
        f"{indent(listed, '          ')}"
    )


def service(annotations: str = "", *, name: str = "web", type_: str = "NodePort", more: str = "") -> str:
    lines = indent("".join(f"{line}\n" for line in annotations.strip().splitlines()), "    ")
    metadata = f"  annotations:\n{lines}" if lines else ""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n{metadata}spec:\n  type: {type_}\n"
        f"{indent(more, '  ')}\n  selector: {{app: web}}\n  ports:\n"
        "    - {name: http, port: 80, targetPort: main, nodePort: 30080}\n"
        "    - {name: admin, port: 9000, targetPort: 9000, nodePort: 30090}\n"
    )


def test_defaults(routes: Routes) -> None:
    (route,) = routes(ingress("scheme: internal"), service(), DEPLOYMENT)
    (backend,), (listener,) = route.backends, route.listeners
    check = backend.health_check
    assert check is not None
    assert route.controller.value == "aws-load-balancer-controller"
    assert said(route.controller) == ("aws-load-balancer-controller", "explicit", "alb")
    assert said(listener.port) == (80, "default", "annotations:")
    assert listener.protocol.value == "HTTP"
    assert listener.instance == "default/web"
    assert said(backend.target) == (TargetKind.NODE, "default", "annotations:")
    assert backend.target.why == "nothing sets target-type, which is `instance` then"
    assert said(backend.protocol) == (AppProtocol.HTTP, "default", "annotations:")
    assert said(check.path) == ("/", "default", "annotations:")
    assert check.path is not None
    assert check.path.why == "nothing sets healthcheck-path"
    assert said(check.protocol) == ("HTTP", "default", "annotations:")
    assert said(check.codes) == ("200", "default", "annotations:")
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [15, 5]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [2, 2]
    assert check.port is None
    assert check.target is TargetKind.NODE
    assert check.resolved_port == 30080
    assert said(backend.timeouts.read) == (60, "default", "annotations:")
    assert said(backend.keep_alive.upstream_idle) == (60, "default", "annotations:")
    assert said(backend.keep_alive.client_idle) == (60, "default", "annotations:")


def test_a_default_of_an_ingress_without_annotations_points_at_its_name(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].target)[2] == "web"


def test_every_health_check_annotation(routes: Routes) -> None:
    (route,) = routes(
        ingress(
            """
            healthcheck-path: /healthz
            healthcheck-port: "9000"
            healthcheck-protocol: HTTPS
            healthcheck-interval-seconds: "20"
            healthcheck-timeout-seconds: "4"
            healthy-threshold-count: "3"
            unhealthy-threshold-count: "5"
            success-codes: 200-302
            """.replace("            ", "")
        ),
        service(),
    )
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path) == ("/healthz", "explicit", "/healthz")
    assert said(check.port) == (9000, "explicit", '"9000"')
    assert said(check.protocol) == ("HTTPS", "explicit", "HTTPS")
    assert said(check.interval) == (20, "explicit", '"20"')
    assert said(check.timeout) == (4, "explicit", '"4"')
    assert said(check.healthy_threshold) == (3, "explicit", '"3"')
    assert said(check.unhealthy_threshold) == (5, "explicit", '"5"')
    assert said(check.codes) == ("200-302", "explicit", "200-302")


def test_service_annotation_beats_ingress(routes: Routes) -> None:
    (route,) = routes(
        ingress("target-type: instance\nhealthcheck-path: /ingress\nsuccess-codes: '201'"),
        service(f"{PREFIX}target-type: ip\n{PREFIX}healthcheck-path: /service"),
    )
    check = route.backends[0].health_check
    assert check is not None
    assert said(route.backends[0].target) == (TargetKind.POD, "explicit", "ip")
    assert said(check.path) == ("/service", "explicit", "/service")
    assert said(check.codes) == ("201", "explicit", "'201'")


@pytest.mark.parametrize(
    ("annotations", "expected", "check", "path"),
    [
        ("backend-protocol: HTTPS", AppProtocol.HTTPS, "HTTPS", "/"),
        ("backend-protocol-version: HTTP2", AppProtocol.H2C, "HTTP", "/"),
        ("backend-protocol: HTTPS\nbackend-protocol-version: HTTP2", AppProtocol.HTTP2, "HTTPS", "/"),
        ("backend-protocol-version: GRPC", AppProtocol.GRPC, "GRPC", "/AWS.ALB/healthcheck"),
        ("backend-protocol: HTTPS\nbackend-protocol-version: GRPC", AppProtocol.GRPCS, "GRPC", "/AWS.ALB/healthcheck"),
        ("backend-protocol: https", AppProtocol.UNKNOWN, "https", "/"),
    ],
)
def test_backend_protocol(routes: Routes, annotations: str, expected: AppProtocol, check: str, path: str) -> None:
    (route,) = routes(ingress(annotations), service())
    (backend,) = route.backends
    assert backend.protocol.value is expected
    assert backend.protocol.explicit
    assert backend.health_check is not None
    assert backend.health_check.protocol.value == check
    assert said(backend.health_check.path)[0] == path
    if expected is AppProtocol.HTTPS:
        assert said(backend.health_check.protocol) == ("HTTPS", "derived", "HTTPS")
    if check == "GRPC":
        assert said(backend.health_check.codes)[0] == "12"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("healthcheck-port: traffic-port", 30080),
        ("healthcheck-port: '30090'", 30090),
        ("healthcheck-port: admin", 30090),
        ("healthcheck-port: nothing", None),
        ("target-type: ip", 8080),
        ("target-type: ip\nhealthcheck-port: '8086'", 8086),
        ("target-type: ip\nhealthcheck-port: admin", 9000),
        ("target-type: ip\nhealthcheck-port: http", None),
    ],
)
def test_health_check_port(routes: Routes, annotations: str, expected: int | None) -> None:
    (route,) = routes(ingress(annotations), service(), DEPLOYMENT)
    check = route.backends[0].health_check
    assert check is not None
    assert check.resolved_port == expected


@pytest.mark.parametrize(
    ("path", "annotations", "expected"),
    [
        ("path: /foo, pathType: Exact", "", PathMatch(PathMatchType.EXACT, "/foo")),
        ("path: /foo, pathType: Prefix", "", PathMatch(PathMatchType.PREFIX, "/foo")),
        ("path: /, pathType: ImplementationSpecific", "", PathMatch(PathMatchType.GLOB, "/")),
        ("path: /foo/*, pathType: ImplementationSpecific", "", PathMatch(PathMatchType.GLOB, "/foo/*")),
        ("pathType: ImplementationSpecific", "", PathMatch(PathMatchType.GLOB, "/*")),
        (
            "path: '/^/v[0-9]+$', pathType: ImplementationSpecific",
            "use-regex-path-match: 'true'",
            PathMatch(PathMatchType.REGULAR_EXPRESSION, "^/v[0-9]+$"),
        ),
        ("path: /a, pathType: Prefix", "use-regex-path-match: 'true'", PathMatch(PathMatchType.PREFIX, "/a")),
    ],
)
def test_paths(routes: Routes, path: str, annotations: str, expected: PathMatch) -> None:
    written = f"{{{path}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"
    (route,) = routes(ingress(annotations, written), service())
    assert route.matches[0].path.value == expected


def test_default_backend(routes: Routes) -> None:
    spec = "ingressClassName: alb\ndefaultBackend: {service: {name: web, port: {name: admin}}}"
    _, route = routes(ingress(spec=spec), service())
    assert route.is_default
    assert route.matches[0].path.value == PathMatch(PathMatchType.PREFIX, "/")
    assert route.backends[0].service_port is not None
    assert route.backends[0].service_port.port.port == 9000


def test_certificate_alone_listens_on_443(routes: Routes) -> None:
    (route,) = routes(ingress("certificate-arn: arn:one, arn:two"), service())
    (listener,) = route.listeners
    assert said(listener.port) == (443, "derived", "arn:one, arn:two")
    assert listener.tls is not None
    assert [(item.kind, item.name) for item in listener.tls.certificates] == [("ACM", "arn:one"), ("ACM", "arn:two")]


def test_listen_ports(routes: Routes) -> None:
    (route,) = routes(ingress("""listen-ports: '[{"HTTP": 8080, "HTTPS": 8443}, {"HTTPS": 443}]'"""), service())
    assert [(item.port.value, item.protocol.value) for item in route.listeners] == [
        (8080, "HTTP"),
        (8443, "HTTPS"),
        (443, "HTTPS"),
    ]
    assert all(item.port.explicit for item in route.listeners)


@pytest.mark.parametrize("value", ["'HTTP: 80'", "'[]'", "'{}'", "'[{\"TCP\": 80}]'", '\'[{"HTTP": "80"}]\''])
def test_unreadable_listen_ports_count_as_absent(routes: Routes, value: str) -> None:
    (route,) = routes(ingress(f"listen-ports: {value}"), service())
    assert [item.port.value for item in route.listeners] == [80]


def test_ssl_redirect_takes_over_the_plain_listener(routes: Routes) -> None:
    route, redirect = routes(
        ingress("""listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'\nssl-redirect: '443'"""), service()
    )
    assert [item.port.value for item in route.listeners] == [443]
    assert [item.port.value for item in redirect.listeners] == [80]
    assert not redirect.backends
    (filter_,) = redirect.filters
    assert isinstance(filter_, RequestRedirect)
    assert (filter_.status, filter_.scheme, filter_.port) == (301, "https", 443)


def test_a_group_shares_its_load_balancer(routes: Routes) -> None:
    ports = """listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'"""
    found = routes(
        ingress(f"group.name: shop\ngroup.order: '2'\n{ports}", name="one"),
        ingress(
            f"group.name: shop\n{ports}\nssl-redirect: '443'\nload-balancer-attributes: idle_timeout.timeout_seconds=120",
            name="two",
        ),
        service(),
    )
    assert [(route.owner.name, bool(route.backends)) for route in found] == [
        ("two", True),
        ("two", False),
        ("one", True),
    ]
    assert {item.instance for route in found for item in route.listeners} == {"shop"}
    assert [item.port.value for item in found[2].listeners] == [443]
    assert said(found[2].backends[0].timeouts.read) == (120, "explicit", "idle_timeout.timeout_seconds=120")
    assert said(found[2].backends[0].keep_alive.upstream_idle)[0] == 120


CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: public}
spec:
  controller: ingress.k8s.aws/alb
  parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: all}
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: all}
spec:
  group: {name: everything}
  targetType: ip
  certificateArn: ["arn:class"]
  loadBalancerAttributes:
    - {key: idle_timeout.timeout_seconds, value: "30"}
"""


def test_deregistration_delay(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].timeouts.drain)[:2] == (300, "default")
    attributes = "target-group-attributes: stickiness.enabled=true,deregistration_delay.timeout_seconds=20"
    (route,) = routes(ingress(attributes), service())
    assert said(route.backends[0].timeouts.drain)[:2] == (20, "explicit")
    nlb = f"service.beta.kubernetes.io/aws-load-balancer-type: nlb\nservice.beta.kubernetes.io/aws-load-balancer-{attributes}"
    first, _ = routes(service(nlb, type_="LoadBalancer"))
    assert said(first.backends[0].timeouts.drain)[:2] == (20, "explicit")


@pytest.mark.parametrize(
    ("annotations", "policy", "expected"),
    [
        ("type: external", "Cluster", "node"),
        ("type: external", "Local", "client"),
        ("type: external\ntarget-group-attributes: preserve_client_ip.enabled=false", "Local", "load-balancer"),
        ("type: external\nnlb-target-type: ip", "Local", "load-balancer"),
        (
            "type: external\nnlb-target-type: ip\ntarget-group-attributes: preserve_client_ip.enabled=true",
            "Cluster",
            "client",
        ),
        ("type: nlb", "Local", "client"),
        ("ssl-ports: '443'", "Cluster", "node"),
        ("ssl-ports: '443'", "Local", None),
    ],
)
def test_whose_address_arrives(routes: Routes, annotations: str, policy: str, expected: str | None) -> None:
    stem = "service.beta.kubernetes.io/aws-load-balancer-"
    written = "".join(f"{stem}{line}\n" for line in annotations.splitlines())
    first, _ = routes(service(written, type_="LoadBalancer", more=f"externalTrafficPolicy: {policy}"))
    found = first.backends[0].arrives_from
    assert (found.value if found else None) == expected


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("type: external", True),
        ("type: external\nscheme: internal", True),
        ("type: external\nscheme: internet-facing", False),
        ("type: external\ninternal: 'false'", False),
        ("type: external\nnlb-target-type: ip", False),
        ("type: external\nnlb-target-type: ip\ntarget-group-attributes: preserve_client_ip.enabled=true", True),
        ("type: external\ntarget-group-attributes: preserve_client_ip.enabled=false", False),
        ("type: nlb", False),
        ("type: nlb\ninternal: 'true'", True),
        ("internal: 'true'", False),
    ],
)
def test_hairpin(routes: Routes, annotations: str, expected: bool) -> None:
    stem = "service.beta.kubernetes.io/aws-load-balancer-"
    written = "".join(f"{stem}{line}\n" for line in annotations.splitlines())
    first, _ = routes(service(written, type_="LoadBalancer"))
    assert (first.backends[0].hairpin is not None) is expected


def test_an_alb_shows_its_own_address(routes: Routes) -> None:
    (route,) = routes(ingress("target-type: ip"), service())
    assert said(route.backends[0].arrives_from)[:2] == ("load-balancer", "default")
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].arrives_from)[:2] == ("node", "derived")
    (route,) = routes(ingress(), service(more="externalTrafficPolicy: Local"))
    assert said(route.backends[0].arrives_from)[:2] == ("load-balancer", "default")


def test_class_params_beat_annotations(routes: Routes) -> None:
    (route,) = routes(
        CLASS,
        ingress("target-type: instance\ngroup.name: mine\ncertificate-arn: arn:own", spec="ingressClassName: public"),
        service(),
    )
    (listener,) = route.listeners
    assert said(route.backends[0].target) == (TargetKind.POD, "explicit", "ip")
    assert listener.instance == "everything"
    assert listener.tls is not None
    assert [item.name for item in listener.tls.certificates] == ["arn:class"]
    assert said(route.backends[0].timeouts.read) == (30, "explicit", '"30"}')


def test_the_controllers_own_flag_sets_the_default_target(routes: Routes) -> None:
    controller = DEPLOYMENT.replace("example/web", "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.0").replace(
        "          ports:", "          args: [--default-target-type=ip]\n          ports:"
    )
    (route,) = routes(ingress(), service(), controller)
    assert said(route.backends[0].target)[:2] == (TargetKind.POD, "derived")


def test_class_annotation(routes: Routes) -> None:
    text = ingress(spec="tls: []").replace(
        "  name: web\n", "  name: web\n  annotations: {kubernetes.io/ingress.class: alb}\n"
    )
    (route,) = routes(text, service())
    assert said(route.controller) == ("aws-load-balancer-controller", "explicit", "alb}")


def test_annotations_tell_where_there_is_no_class(routes: Routes) -> None:
    (route,) = routes(ingress("scheme: internal", spec="tls: []"), service())
    assert route.controller.value == "aws-load-balancer-controller"
    assert route.controller.origin.value == "derived"
    (route,) = routes(ingress(spec="tls: []"), service(f"{PREFIX}target-type: ip"))
    assert said(route.controller)[:2] == ("aws-load-balancer-controller", "derived")


def action(name: str, text: str) -> str:
    return f"actions.{name}: '{text}'"


def to_action(name: str, path: str = "/") -> str:
    return f"{{path: {path}, pathType: Prefix, backend: {{service: {{name: {name}, port: {{name: use-annotation}}}}}}}}"


def test_forward_action(routes: Routes) -> None:
    text = (
        '{"type":"forward","forwardConfig":{"targetGroups":['
        '{"serviceName":"web","servicePort":"http","weight":80},{"serviceName":"gone","servicePort":"80","weight":15},'
        '{"targetGroupARN":"arn:legacy","weight":5}]}}'
    )
    (route,) = routes(ingress(action("split", text), to_action("split")), service())
    assert [(item.kind, item.name, item.weight) for item in route.backends] == [
        ("Service", "web", 80),
        ("Service", "gone", 15),
        ("TargetGroup", "arn:legacy", 5),
    ]
    assert [item.service.existence for item in route.backends] == [
        Existence.FOUND,
        Existence.MISSING,
        Existence.EXTERNAL,
    ]
    assert route.backends[0].service_port is not None
    assert route.backends[0].health_check is not None
    assert route.backends[0].place.pointer[-1] == f"{PREFIX}actions.split"
    assert route.backends[1].port is not None
    assert route.backends[1].port.value == 80


def test_forward_to_one_target_group(routes: Routes) -> None:
    (route,) = routes(ingress(action("old", '{"type":"forward","targetGroupARN":"arn:old"}'), to_action("old")))
    assert [(item.kind, item.name) for item in route.backends] == [("TargetGroup", "arn:old")]


def test_redirect_action_serves_where_it_leads_elsewhere(routes: Routes) -> None:
    text = '{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}'
    ports = """listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'\n"""
    redirect, route = routes(
        ingress(ports + action("ssl-redirect", text), to_action("ssl-redirect", "/"), ONE_PATH), service()
    )
    assert [item.port.value for item in redirect.listeners] == [80]
    assert [item.port.value for item in route.listeners] == [80, 443]
    (filter_,) = redirect.filters
    assert isinstance(filter_, RequestRedirect)
    assert (filter_.status, filter_.scheme, filter_.host, filter_.port, filter_.path) == (301, "https", None, 443, None)


def test_fixed_response_and_missing_action(routes: Routes) -> None:
    text = '{"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"410"}}'
    gone, missing = routes(ingress(action("gone", text), to_action("gone"), to_action("nothing", "/b")))
    assert [item.status for item in gone.filters if isinstance(item, FixedResponse)] == [410]
    assert [item.status for item in missing.filters if isinstance(item, FixedResponse)] == [503]
    assert not gone.backends
    assert not missing.backends


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"type":"forward"}', '{"type":"forward","forwardConfig":[]}', "3"])
def test_unusable_actions_do_no_harm(routes: Routes, text: str) -> None:
    (route,) = routes(ingress(action("bad", text), to_action("bad")))
    assert not route.backends


def test_conditions(routes: Routes) -> None:
    text = (
        '[{"field":"host-header","hostHeaderConfig":{"values":["b.example.com"]}},'
        '{"field":"path-pattern","pathPatternConfig":{"values":["/b/*"]}},'
        '{"field":"http-request-method","httpRequestMethodConfig":{"Values":["GET","HEAD"]}},'
        '{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Canary","values":["1","beta*"]}},'
        '{"field":"query-string","queryStringConfig":{"values":[{"key":"v","value":"2"}]}},'
        '{"field":"source-ip","sourceIpConfig":{"values":["10.0.0.0/8"]}}]'
    )
    (route,) = routes(ingress(f"conditions.web: '{text}'"), service())
    assert [item.value for item in route.hostnames] == ["a.example.com", "b.example.com"]
    assert [(item.path.value.value, item.method) for item in route.matches] == [
        ("/", "GET"),
        ("/", "HEAD"),
        ("/b/*", "GET"),
        ("/b/*", "HEAD"),
    ]
    assert route.matches[0].headers == (ValueMatch("X-Canary", "^(?:1|beta.*)$", "RegularExpression"),)
    assert route.matches[0].query == (ValueMatch("v", "2"),)


ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  strategy:
    canary:
      stableService: web
      canaryService: web-canary
      trafficRouting: {alb: {ingress: INGRESS, servicePort: 80, rootService: root}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: example/web}]}}
"""


def test_rollout_writes_the_action_that_its_ingress_lacks(routes: Routes) -> None:
    mine = (ingress("", to_action("root")), service(), service(name="web-canary"))
    (route,) = routes(*mine, ROLLOUT.replace("INGRESS", "web"))
    assert not route.filters
    assert [(item.name, item.weight) for item in route.backends] == [("web", 100), ("web-canary", 0)]
    (route,) = routes(*mine, ROLLOUT.replace("INGRESS", "another"))
    assert [item.status for item in route.filters if isinstance(item, FixedResponse)] == [503]


def test_transforms(routes: Routes) -> None:
    text = (
        '[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/api/(.*)$","replace":"/$1"}]}},'
        '{"type":"host-header-rewrite","hostHeaderRewriteConfig":{"rewrites":[{"regex":"^(.+)[.]com$","replace":"$1.org"}]}},'
        '{"type":"something-else"}]'
    )
    (route,) = routes(ingress(f"transforms.web: '{text}'"), service())
    sent = upstream(Request("http", "a.example.com", 80, path="/api/1"), route.filters, route.matches[0])
    assert (sent.host, sent.path) == ("a.example.org", "/1")
    left = upstream(Request("http", "a.example.net", 80, path="/web"), route.filters, route.matches[0])
    assert (left.host, left.path) == ("a.example.net", "/web"), "what no expression fits stays"


NLB = "service.beta.kubernetes.io/aws-load-balancer-"


def test_nlb_of_a_load_balancer_class(routes: Routes) -> None:
    first, second = routes(service(type_="LoadBalancer", more="loadBalancerClass: service.k8s.aws/nlb"), DEPLOYMENT)
    (backend,), (listener,) = first.backends, first.listeners
    check = backend.health_check
    assert check is not None
    assert said(first.controller) == ("aws-load-balancer-controller", "explicit", "service.k8s.aws/nlb")
    assert (first.gateway, listener.port.value, listener.protocol.value) == ("NLB", 80, "TCP")
    assert second.listeners[0].port.value == 9000
    assert said(backend.target)[:2] == (TargetKind.NODE, "default")
    assert backend.protocol.value is AppProtocol.TCP
    assert (check.protocol.value, check.path, check.port, check.codes) == ("TCP", None, None, None)
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [10, 10]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [3, 3]
    assert check.resolved_port == 30080
    assert said(backend.proxy_protocol)[:2] == (False, "default")


def test_nlb_with_local_traffic_policy_asks_kube_proxy(routes: Routes) -> None:
    found = routes(
        service(
            f"{NLB}type: external\n{NLB}nlb-target-type: instance",
            type_="LoadBalancer",
            more="externalTrafficPolicy: Local\nhealthCheckNodePort: 31000",
        )
    )
    check = found[0].backends[0].health_check
    assert check is not None
    assert said(check.protocol) == ("HTTP", "derived", "Local")
    assert said(check.path) == ("/healthz", "derived", "Local")
    assert said(check.port) == (31000, "derived", "31000")
    assert check.resolved_port == 31000
    assert [said(v)[0] for v in (check.interval, check.timeout)] == [10, 6]
    assert [said(v)[0] for v in (check.healthy_threshold, check.unhealthy_threshold)] == [2, 2]


def test_nlb_with_an_unknown_health_check_node_port_does_not_ask_the_traffic_port(routes: Routes) -> None:
    found = routes(service(f"{NLB}type: nlb", type_="LoadBalancer", more="externalTrafficPolicy: Local"))
    check = found[0].backends[0].health_check
    assert check is not None
    assert check.port is not None
    assert check.resolved_port is None


def test_nlb_targets_pods(routes: Routes) -> None:
    for chosen in (f"{NLB}type: nlb-ip", f"{NLB}type: external\n{NLB}nlb-target-type: ip"):
        first, _ = routes(service(chosen, type_="LoadBalancer", more="externalTrafficPolicy: Local"), DEPLOYMENT)
        check = first.backends[0].health_check
        assert check is not None
        assert said(first.backends[0].target)[:2] == (TargetKind.POD, "explicit")
        assert (check.protocol.value, check.resolved_port) == ("TCP", 8080)


def test_nlb_tls_and_proxy_protocol(routes: Routes) -> None:
    first, second = routes(
        service(
            f"{NLB}type: nlb-ip\n{NLB}ssl-cert: arn:cert\n{NLB}ssl-ports: http\n{NLB}backend-protocol: ssl\n"
            f"{NLB}proxy-protocol: '*'\n{NLB}healthcheck-protocol: http\n{NLB}healthcheck-path: /ready",
            type_="LoadBalancer",
        )
    )
    assert [item.listeners[0].protocol.value for item in (first, second)] == ["TLS", "TCP"]
    assert first.listeners[0].tls is not None
    assert first.listeners[0].tls.certificates[0].name == "arn:cert"
    assert said(first.backends[0].protocol) == (AppProtocol.TLS, "explicit", "ssl")
    assert said(second.backends[0].protocol)[:2] == (AppProtocol.TCP, "derived")
    assert said(first.backends[0].proxy_protocol) == (True, "explicit", "'*'")
    check = first.backends[0].health_check
    assert check is not None
    assert (check.protocol.value, said(check.path), said(check.codes)[0]) == (
        "HTTP",
        ("/ready", "explicit", "/ready"),
        "200-399",
    )


def test_ssl_cert_without_ssl_ports_covers_all_ports(routes: Routes) -> None:
    found = routes(
        service(f"{NLB}type: external\n{NLB}nlb-target-type: ip\n{NLB}ssl-cert: arn:cert", type_="LoadBalancer")
    )
    assert [item.listeners[0].protocol.value for item in found] == ["TLS", "TLS"]


def test_only_what_is_known_where_the_type_is_not_written(routes: Routes) -> None:
    first, _ = routes(service(f"{NLB}backend-protocol: http\n{NLB}internal: 'true'", type_="LoadBalancer"))
    check = first.backends[0].health_check
    assert check is not None
    assert first.gateway == "AWS load balancer"
    assert first.controller.origin.value == "derived"
    assert (check.timeout, check.healthy_threshold, check.codes) == (None, None, None)
    assert first.backends[0].protocol.value is AppProtocol.HTTP


@pytest.mark.parametrize(
    ("annotations", "more", "type_"),
    [
        ("", "", "LoadBalancer"),
        ("cloud.google.com/l4-rbs: enabled", "", "LoadBalancer"),
        (f"{NLB}type: external", "loadBalancerClass: example.com/other", "LoadBalancer"),
        (f"{NLB}type: external", "", "ClusterIP"),
    ],
)
def test_other_services_are_no_load_balancers_of_aws(routes: Routes, annotations: str, more: str, type_: str) -> None:
    found = routes(
        service(annotations, type_=type_, more=more).replace(", nodePort: 30080", "").replace(", nodePort: 30090", "")
    )
    assert not [route for route in found if route.controller.value == "aws-load-balancer-controller"]


def test_annotation_tables() -> None:
    spec = ALB_ANNOTATIONS.spec(f"{PREFIX}target-type")
    assert spec is not None
    assert spec.legal == ("instance", "ip")
    assert {scope.value for scope in spec.scopes} == {"Ingress", "Service"}
    for known in ("actions.ssl-redirect", "conditions.web", "listener-attributes.HTTP-80", "group.name"):
        assert ALB_ANNOTATIONS.spec(PREFIX + known), known
    assert ALB_ANNOTATIONS.spec(f"{PREFIX}healthcheck") is None
    assert NLB_ANNOTATIONS.spec(f"{NLB}ssl-cert")
    assert NLB_ANNOTATIONS.covers(f"{NLB}no-such-key")
    assert not NLB_ANNOTATIONS.covers("service.beta.kubernetes.io/azure-load-balancer-internal")


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [("alb-internal", "aws-load-balancer-controller"), ("aws", "aws-load-balancer-controller"), ("traefik", None)],
)
def test_a_class_of_another_name_needs_annotations_and_a_word_in_common(
    routes: Routes, class_name: str, expected: str | None
) -> None:
    spec = f"ingressClassName: {class_name}"
    assert all(
        route.controller.value != "aws-load-balancer-controller" for route in routes(ingress(spec=spec), service())
    )
    (route,) = routes(ingress("scheme: internal", spec=spec), service())
    if expected:
        assert said(route.controller)[:2] == (expected, "derived")
    else:
        assert route.controller.value != "aws-load-balancer-controller"
