"""Whether the policies of a mesh let a route's requests through, at its gateway and at the pods behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.facts.mesh import istio_authorization, linkerd_authorization
from ingress_lint.facts.mesh.calls import OUTSIDER, Call, Caller, Refusal, caller
from ingress_lint.facts.mesh.istio_authorization import Policy, RuleAt, Subject
from ingress_lint.facts.mesh.membership import ISTIO, LINKERD, membership
from ingress_lint.facts.mesh.mutual_tls import bypasses_proxy, demand
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes import hostnames
from ingress_lint.routes.filters import URLRewrite
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.matching import Request, mismatch
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.upstream import Upstream, upstream

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SOME_HOST: Final = "host.invalid"
_MOST_WITNESSES: Final = 400


class Checkpoint(Struct, frozen=True):
    """A proxy of a mesh that requests of a route pass: the one of their gateway, or that of the pods behind it.

    `callers` are those who may open the connection, None for one that is not known.
    """

    callers: tuple[Caller | None, ...]
    sure: bool
    """Whether the set shows all that there is to know about it."""
    endpoint: Endpoint | None = None
    """The pods, None at the gateway and at a waypoint."""
    subject: Subject | None = None
    """The proxy as Istio knows it; None in Linkerd's mesh."""
    policies: tuple[Policy, ...] = ()

    def refusal(self, request: Request, sent: Upstream, graph: ObjectGraph, *, whole: bool) -> Refusal | None:
        """Why it refuses a request whoever of `callers` sends it; None where it takes it from one, or may.

        `whole` tells that the request has no headers but its own.
        """
        found = None
        for who in self.callers:
            found = self._refusal(self._call(who, request, sent, whole=whole), graph)
            if found is None:
                return None
        return found

    def may_allow(self, rule: RuleAt, request: Request, sent: Upstream) -> bool:
        """Whether a rule means a request from any of `callers`, or may."""
        subject = self.subject
        calls = (self._call(who, request, sent, whole=False) for who in self.callers)
        return subject is not None and any(istio_authorization.fits(rule, subject, call) is not False for call in calls)

    def _refusal(self, call: Call, graph: ObjectGraph) -> Refusal | None:
        if self.subject is not None:
            return istio_authorization.refusal(self.policies, self.subject, call)
        endpoint = self.endpoint
        if endpoint is None or endpoint.number is None:
            return None
        return linkerd_authorization.refusal(endpoint.workload, endpoint.number, call, graph)

    def _call(self, who: Caller | None, request: Request, sent: Upstream, *, whole: bool) -> Call:
        number = self.endpoint.number if self.endpoint is not None else None
        path = sent.path.partition("?")[0]
        return Call(who, number, request.method, sent.host, path, sent.headers, knows_headers=whole)


def denied(
    route: Route, backend: BackendRef | None, request: Request, graph: ObjectGraph | None, sent: Upstream | None = None
) -> Refusal | None:
    """Why no pod of a backend takes a request, or the gateway itself where `backend` is None; None where one does.

    Only what the set shows for certain counts, and what a proxy answers itself. `sent` is the request as the pods get it.
    """
    if graph is None:
        return None
    found: Refusal | None = None
    sent = sent or Upstream(request.host, request.path, request.headers)
    for checkpoint in checkpoints(route, backend, graph):
        found = checkpoint.refusal(request, sent, graph, whole=True) if checkpoint.sure else None
        if found is not None and checkpoint.endpoint is None:
            return found if found.status is not None else None
        if checkpoint.endpoint is not None and (found is None or found.status is None):
            return None
    return found


def never_let_in(route: Route, backend: BackendRef | None, graph: ObjectGraph) -> Iterator[tuple[Checkpoint, Refusal]]:
    """The proxies that refuse every request of a route, with why."""
    if any(listener.protocol.value not in ("HTTP", "HTTPS") for listener in route.listeners):
        return
    for checkpoint in checkpoints(route, backend, graph):
        refusal = _refuses_all(checkpoint, route, backend, graph)
        if refusal is not None:
            yield checkpoint, refusal


def checkpoints(route: Route, backend: BackendRef | None, graph: ObjectGraph) -> Iterator[Checkpoint]:
    """What requests pass that enforces policies: the gateway where `backend` is None, else waypoint and pods."""
    if backend is None:
        yield from _gateways(route, graph)
        return
    callers = _callers(route, graph)
    waypoint = _waypoint(route, backend, graph)
    if waypoint is not None:
        subject, own = waypoint
        policies = istio_authorization.policies_for(subject, graph)
        yield Checkpoint(callers, not graph.incomplete_in(subject.namespace), subject=subject, policies=policies)
        callers = (own,)
    for endpoint in backend.endpoints:
        yield from _at_pods(route, endpoint, callers, graph)


def _at_pods(
    route: Route, endpoint: Endpoint, callers: tuple[Caller | None, ...], graph: ObjectGraph
) -> Iterator[Checkpoint]:
    workload, number = endpoint.workload, endpoint.number
    inside = membership(workload, graph)
    if number is None or (inside.settled and not inside.mesh) or bypasses_proxy(workload, number):
        return
    outside = any(who is not None and not who.mesh for who in callers)
    if outside and demand(workload, number, graph) is not None:
        return
    sure = inside.settled and not route.assumed and not graph.incomplete_in(workload.object.namespace)
    if inside.mesh in (ISTIO, ""):
        subject = Subject(workload.object.namespace, workload.labels, reads_requests=not inside.ambient)
        if policies := istio_authorization.policies_for(subject, graph):
            yield Checkpoint(callers, sure, endpoint, subject, policies)
    if inside.mesh == LINKERD:
        yield Checkpoint(callers, sure, endpoint)


def _callers(route: Route, graph: ObjectGraph) -> tuple[Caller | None, ...]:
    if route.from_outside:
        return (OUTSIDER,)
    made = tuple(Caller(route.mesh, space, name, f"{route.gateway}") for space, name in route.service_accounts)
    return made or tuple(caller(proxy, graph, route.mesh) for proxy in route.proxies) or (None,)


def _gateways(route: Route, graph: ObjectGraph) -> Iterator[Checkpoint]:
    """The mesh's own gateways, whose clients have no identity in it."""
    if route.mesh != ISTIO:
        return
    for subject in _gateway_subjects(route):
        if policies := istio_authorization.policies_for(subject, graph):
            yield Checkpoint(
                (OUTSIDER,), not graph.incomplete_in(subject.namespace), subject=subject, policies=policies
            )


def _gateway_subjects(route: Route) -> Iterator[Subject]:
    for proxy in route.proxies:
        yield Subject(proxy.object.namespace, proxy.labels)
    made = {listener.instance for listener in route.listeners} if route.service_accounts else set()
    for space, _, name in (instance.partition("/") for instance in sorted(made)):
        labels = {"gateway.networking.k8s.io/gateway-name": name, "istio.io/gateway-name": name}
        yield Subject(space, labels, (("Gateway", name),))


def _waypoint(route: Route, backend: BackendRef, graph: ObjectGraph) -> tuple[Subject, Caller] | None:
    """The waypoint that Istio's gateways send requests of a Service through, and who it is to the pods.

    Only where `istio.io/ingress-use-waypoint` says so (istio.io/latest/docs/ambient/usage/waypoint).
    """
    service = backend.service.object
    if route.mesh != ISTIO or service is None:
        return None
    namespace = graph.namespace(service.namespace)
    labels = {**(namespace.labels if namespace is not None else {}), **service.labels}
    name = labels.get("istio.io/use-waypoint", "none")
    if labels.get("istio.io/ingress-use-waypoint") != "true" or name == "none":
        return None
    space = labels.get("istio.io/use-waypoint-namespace", service.namespace)
    targets = (("Service", service.name), ("Gateway", name))
    return Subject(service.namespace, {}, targets, waypoint=True), Caller(ISTIO, space, name, f"waypoint `{name}`")


# -- every request of a route -----------------------------------------------------------------------------------------


def _refuses_all(
    checkpoint: Checkpoint, route: Route, backend: BackendRef | None, graph: ObjectGraph
) -> Refusal | None:
    """Why a proxy refuses all requests of a route, by requests that stand for the others.

    They are what the route asks for, and for each rule what this asks for as far as the route takes it.
    """
    found: Refusal | None = None
    matches: Sequence[Match | None] = route.matches or (None,)
    for match in matches:
        steps = (*route.filters, *(backend.filters if backend is not None else ()))
        for request in _own_requests(route, match):
            sent = upstream(request, steps if backend is not None else (), match)
            refusal = checkpoint.refusal(request, sent, graph, whole=False)
            if refusal is None:
                return None
            found = found or refusal
        rewritten = backend is not None and any(isinstance(step, URLRewrite) for step in steps)
        for action in ("ALLOW", "DENY"):
            for rule in istio_authorization.rules(checkpoint.policies, action):
                if _leaves_some(rule, checkpoint, route, match, denies=action == "DENY", rewritten=rewritten):
                    return None
    return found


def _leaves_some(
    rule: RuleAt, checkpoint: Checkpoint, route: Route, match: Match | None, *, denies: bool, rewritten: bool
) -> bool:
    """Whether a rule lets some requests of a route through, or may."""
    operations = [item.operation for item in rule.rule.to]
    for operation in operations:
        paths = operation.not_paths if denies else operation.paths
        methods = operation.not_methods if denies else operation.methods
        hosts = operation.not_hosts if denies else operation.hosts
        if not (paths or methods or hosts):
            continue
        if rewritten or (paths and (_is_open(match) or any("{" in path for path in paths))):
            return True
        own = next(_own_requests(route, match))
        requests = [
            Request("http", host, own.port, path=path, method=method, headers=own.headers)
            for path in ([one for pattern in paths for one in _instances(pattern, own.path)] or [own.path])
            for method in ([one.rstrip("*") or "GET" for one in methods] or [own.method])
            for host in ([_instance_of_host(one) for one in hosts] or [own.host])
        ]
        if len(requests) > _MOST_WITNESSES:
            return True
        for request in requests:
            if not _takes(route, match, request):
                continue
            sent = Upstream(request.host, request.path, request.headers)
            if denies or checkpoint.may_allow(rule, request, sent):
                return True
    return False


def _own_requests(route: Route, match: Match | None) -> Iterator[Request]:
    """Requests that a route takes, the plainest first."""
    host = next((name.value for name in route.hostnames), None)
    host = _SOME_HOST if host in (None, hostnames.ANY, "*") else _instance_of_host(str(host))
    path = match.path.value.value if match is not None else "/"
    kind = match.path.value.type if match is not None else PathMatchType.PREFIX
    headers = (
        {item.name.lower(): item.value for item in match.headers if item.type == "Exact" and not item.inverted}
        if match
        else {}
    )
    paths = [path or "/"]
    if kind in (PathMatchType.PREFIX, PathMatchType.STRING_PREFIX):
        paths.append(f"{path.rstrip('/')}/x")
    methods = _METHODS if match is None or match.method is None else (match.method,)
    for asked in paths:
        for method in methods:
            yield Request("http", host, 80, path=asked, method=method, headers=headers)


def _is_open(match: Match | None) -> bool:
    """Whether paths are compared in a way that no single one stands for."""
    return match is not None and match.path.value.type in (PathMatchType.REGULAR_EXPRESSION, PathMatchType.GLOB)


def _takes(route: Route, match: Match | None, request: Request) -> bool:
    named = [name.value for name in route.hostnames]
    if named and not any(hostnames.matches(name, request.host) for name in named):
        return False
    return match is None or mismatch(request, match) is None


def _instances(pattern: str, base: str) -> tuple[str, ...]:
    """Paths that a pattern of a policy fits, below the path `base` where it leaves that open."""
    if pattern == "*":
        return (base,)
    if pattern.endswith("*"):
        return pattern[:-1], f"{pattern[:-1]}x"
    if pattern.startswith("*"):
        return (f"{base.rstrip('/')}/x{pattern[1:]}",)
    return (pattern,)


def _instance_of_host(pattern: str) -> str:
    return pattern.removesuffix(":*").replace("*", "a") if "*" in pattern else pattern
