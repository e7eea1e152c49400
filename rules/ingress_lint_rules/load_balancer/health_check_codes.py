"""## What it does
Checks the answer that a load balancer's health check wants: whether its success codes can be met by what the pod is
known to return, whether they are codes of that protocol at all, and whether timeout and interval fit each other.

## What you see
Every target is unhealthy with a status code as the reason ("Health checks failed with these codes: [301]"), although
the pods are Ready. Or the load balancer is never made: the cloud refuses the check and the controller repeats
"ValidationError" in its events.

## Why it breaks
The kubelet takes any answer from 200 to 399 and follows redirects, and it sends the headers that a probe lists. A load
balancer takes the codes it is told, follows nothing, and sends headers of its own. An application that redirects plain
HTTP answers 301 unless `X-Forwarded-Proto` says otherwise, one that serves only its own host name answers 400 to a
request for an IP address, one that wants a login answers 401: the probe brings what is needed, the check does not.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
    alb.ingress.kubernetes.io/healthcheck-interval-seconds: "5"
    alb.ingress.kubernetes.io/healthcheck-timeout-seconds: "5"
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
    alb.ingress.kubernetes.io/healthcheck-interval-seconds: "5"
    alb.ingress.kubernetes.io/healthcheck-timeout-seconds: "2"
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
```

## Fix
Serve a path that answers 200 to anybody, without login, redirect or host name, and let probes and load balancer ask for
it. Where that cannot be, add the code to the success codes. Keep the timeout below the interval.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/WORKLOAD 8080:PORT &
curl -s -o /dev/null -w '%{http_code} %{redirect_url}\\n' -H 'Host: 10.0.0.1' http://localhost:8080/PATH
kubectl -n NAMESPACE describe ingress NAME
```

## How sure
An error where the check can never pass or is refused: codes that leave out everything a probe of the same path accepts,
text that is no list of codes, gRPC codes above 99, a timeout that the load balancer refuses. A warning where a probe
needs a header that the check does not send, where the image is known to redirect or refuse visitors at `/`, and where a
timeout longer than the interval is taken but cannot be met. Silent where the codes allow the answer in question, and
where check and probe ask for different paths (IL201).

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
- https://cloud.google.com/load-balancing/docs/health-check-concepts#criteria-protocol-http
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.answers import KnownAnswer, RootAnswer, root_answer, same_path
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.health import Landing, accepts, code_ranges, landings, without_healthy_targets
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_GRPC_CODES: Final = range(100)
_HTTP_CODES: Final = range(100, 600)
_PROBE_ACCEPTS: Final = (200, 399)


class HealthCheckCodes(Rule):
    """A health check that no answer of the pod can satisfy."""

    code: ClassVar[str] = "IL205"
    name: ClassVar[str] = "health-check-codes"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the health check's success codes or timing cannot be met by what the pod returns"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the pod returns a status that the health check does not take for success, or later than it waits",
            often=("check-wrong-status", "no-healthy-upstream"),
            sometimes=("502", "503", "check-timeout"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"health_check"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at codes, then at the headers that they take for granted, then at the timing."""
        for backend in route.backends:
            check = backend.health_check
            if check is None:
                continue
            refused = list(self._refused_codes(route, backend, check))
            yield from refused or self._unmet(route, backend, check)
            yield from self._timing(route, backend, check)

    def _refused_codes(self, route: Route, backend: BackendRef, check: HealthCheck) -> Iterator[Finding]:
        codes = check.codes
        if codes is None or not codes.explicit:
            return
        ranges = code_ranges(codes.value)
        grpc = check.protocol.value == "GRPC"
        legal = _GRPC_CODES if grpc else _HTTP_CODES
        if ranges is None:
            fault = "which is no list of status codes"
        elif any(first > last for first, last in ranges):
            fault = "where a range runs backwards"
        elif any(first not in legal or last not in legal for first, last in ranges):
            kind = "gRPC" if grpc else "HTTP"
            fault = f"while the codes of {kind} are {legal.start} to {legal.stop - 1}"
        else:
            return
        yield self.finding(
            codes.place,
            f"the {check.by} counts `{codes.value}` as healthy, {fault}: it refuses the health check, and the route never "
            "gets a healthy target",
            severity=Severity.ERROR,
            path=way(route, backend, Hop.LOAD_BALANCER),
            fix="write codes such as 0 or 0-99" if grpc else "write codes such as 200, 200,204 or 200-399",
        )

    def _unmet(self, route: Route, backend: BackendRef, check: HealthCheck) -> Iterator[Finding]:
        if check.path is None or not check.asks_path:
            return
        for landing in landings(backend):
            named = [answer for answer in landing.here if answer.path]
            same = [answer for answer in named if same_path(answer.path, check.path.value)]
            root = root_answer(landing.container) if landing.container and same_path(check.path.value, "/") else None
            if root is not None and len(same) == len(named) and landing.on_traffic_port:
                if not accepts(check, root.status):
                    yield self._root(route, backend, check, check.path, landing, root)
            elif same and check.codes is not None and not _overlaps(check.codes.value):
                yield self._excluded(route, backend, check, check.codes, landing, same[0])
            elif same and all(_missing(answer, check) for answer in same):
                yield self._header(route, backend, check, landing, same[0])

    def _root(
        self,
        route: Route,
        backend: BackendRef,
        check: HealthCheck,
        path: Sourced[str],
        landing: Landing,
        root: RootAnswer,
    ) -> Finding:
        why = f" ({path.why})" if path.why and not path.explicit else ""
        codes = check.codes.value if check.codes else "200"
        related = (Related(f"the image is {root.title}", landing.container.at("image")),) if landing.container else ()
        return self.finding(
            path.place,
            f"the {check.by} asks for `{path.value}`{why}, where {root.title} in {landing.workload} answers {root.status} "
            f"unless it is set up otherwise, while only `{codes}` counts as healthy: {without_healthy_targets(route)}",
            related=related,
            path=way(route, backend, Hop.POD, landing.endpoint),
            fix=told(
                backend.remedies.check_path, root.health_path, f"set the health check's path to `{root.health_path}`"
            ),
        )

    def _excluded(
        self,
        route: Route,
        backend: BackendRef,
        check: HealthCheck,
        codes: Sourced[str],
        landing: Landing,
        answer: KnownAnswer,
    ) -> Finding:
        return self.finding(
            codes.place,
            f"the {check.by} counts only `{codes.value}` as healthy, while the {answer.title} of {landing.workload} "
            f"passes only where `{answer.path}` answers 200-399: no pod is ready and healthy at once, and clients get "
            "502 or 503",
            severity=Severity.ERROR,
            related=(Related(f"the {answer.title} asks for `{answer.path}`", answer.place),),
            path=way(route, backend, Hop.POD, landing.endpoint),
            fix=told(backend.remedies.check_codes, 200, "count 200 as healthy"),
        )

    def _header(
        self, route: Route, backend: BackendRef, check: HealthCheck, landing: Landing, answer: KnownAnswer
    ) -> Finding:
        name, likely = next(iter(_missing(answer, check)))
        codes = check.codes.value if check.codes else "200"
        place = check.codes.place if check.codes else check.protocol.place
        index = next(i for i, (known, _) in enumerate(answer.headers) if known == name.lower())
        return self.finding(
            place,
            f"the {answer.title} of {landing.workload} asks for `{answer.path}` with the header `{name}`, which the "
            f"{check.by} does not send: if the application needs it, the answer is {likely[0]} where only `{codes}` counts "
            f"as healthy, {without_healthy_targets(route)}",
            related=(
                Related(
                    f"the {answer.title} sends `{name}`",
                    answer.container.at(answer.field, answer.kind, "httpHeaders", index),
                ),
            ),
            path=way(route, backend, Hop.POD, landing.endpoint),
            fix=f"serve `{answer.path}` to requests without that header as well",
        )

    def _timing(self, route: Route, backend: BackendRef, check: HealthCheck) -> Iterator[Finding]:
        timeout, interval = check.timeout, check.interval
        if timeout is None or interval is None or timeout.origin is interval.origin is Origin.DEFAULT:
            return
        if timeout.value < interval.value or (timeout.value == interval.value and not check.strict_timeout):
            return
        written = interval if timeout.origin is Origin.DEFAULT else timeout
        relation = "no longer than" if timeout.value == interval.value else "shorter than"
        effect = (
            "the check is refused, and the load balancer is not updated"
            if check.strict_timeout
            else "the next check begins before the last one has failed, or the load balancer refuses the check"
        )
        yield self.finding(
            written.place,
            f"the {check.by} checks health every {interval.value:g} s{_by_default(interval)}, {relation} the "
            f"{timeout.value:g} s{_by_default(timeout)} that it waits for an answer: {effect}",
            severity=Severity.ERROR if check.strict_timeout else Severity.WARNING,
            related=(Related("the other of the two", (timeout if written is interval else interval).place),),
            path=way(route, backend, Hop.LOAD_BALANCER),
            fix=f"set a timeout below {interval.value:g} s, or a longer interval",
        )


def _overlaps(codes: str) -> bool:
    """Whether the codes allow any answer that a probe accepts; text that is no list of codes is no concern here."""
    ranges = code_ranges(codes)
    low, high = _PROBE_ACCEPTS
    return ranges is None or any(first <= high and last >= low for first, last in ranges)


def _missing(answer: KnownAnswer, check: HealthCheck) -> list[tuple[str, tuple[int, ...]]]:
    """The headers that the probe sends and the check does not, each with the codes of an application that needs it."""
    needed: list[tuple[str, tuple[int, ...]]] = []
    if answer.header("host") and check.host is None:
        needed.append(("Host", (400, 404, 421)))
    if answer.header("authorization"):
        needed.append(("Authorization", (401, 403)))
    if answer.header("x-forwarded-proto").lower() == "https":
        needed.append(("X-Forwarded-Proto", (301, 302, 307, 308)))
    return [(name, statuses) for name, statuses in needed if not accepts(check, *statuses)]


def _by_default(value: Sourced[float]) -> str:
    return " (default)" if value.origin is Origin.DEFAULT else ""
