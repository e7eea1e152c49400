"""## What it does
Checks that hosts are host names: without scheme, port or path, in lower case, no IP address, with a wildcard only as
the whole first label.

## What you see
`kubectl apply` refuses an Ingress or HTTPRoute (`a lowercase RFC 1123 subdomain must consist of ...`), so that what
served before goes on or nothing does. Where nobody checks, the route is there and answers 404: no request ever has such
a host.

## Why it breaks
A route is found by the Host header without its port, compared as a whole. A scheme, port or path is never part of it.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - host: https://shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```

## Fix
Write the host alone, in lower case. Leave `host` out for all hosts and for requests by IP address.

## Prove it
```sh
kubectl apply --dry-run=server -f MANIFEST
```

## How sure
An error, as the API server refuses it or no request can match. A warning for an IP address in the Gateway API, which
its schema lets pass. A note for what looks like a placeholder in capitals. Silent where the host holds a variable.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards
- https://gateway-api.sigs.k8s.io/reference/spec/#hostname
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final, NamedTuple

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import INGRESSES
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import Ingress, IngressRule, LegacyIngress, LegacyIngressRule
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.addresses import address
from ingress_lint.values.hosts import LONGEST_NAME, is_subdomain
from ingress_lint.values.patterns import deferred

_VARIABLE: Final = deferred(r"\$|\{\{|<[^<>]*>|%[^%]+%|@@|\(\(")
_PLACEHOLDER: Final = deferred(r"(^|\.)[A-Z][A-Z0-9_-]*(\.|$)|__")
_SCHEME: Final = deferred(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT: Final = deferred(r":[0-9]*\Z")
_ROUTES_WITH_HOSTS = ("GRPCRoute", "HTTPRoute", "TLSRoute")


class _Fault(NamedTuple):
    words: str
    meant: str
    """What was probably meant, empty where that is unknown."""
    fix: str = "write a host name such as `shop.example.com`"
    """What to do where nothing is known to be meant."""


class InvalidHost(Rule):
    """A host that is no host name."""

    code: ClassVar[str] = "IL107"
    name: ClassVar[str] = "invalid-host"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a host is no host name: it has a scheme, port, path, capitals or a misplaced wildcard"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause("no request ever carries such a host", often=("404", "no-route"), sometimes=("apply-refused",)),
    )
    kinds: ClassVar[frozenset[tuple[str, str]]] = INGRESSES | {
        (GATEWAY_GROUP, kind) for kind in (*_ROUTES_WITH_HOSTS, "Gateway")
    }

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what the API server refuses."""
        body = item.body
        if isinstance(body, Ingress | LegacyIngress):
            rules: Sequence[IngressRule | LegacyIngressRule] = body.spec.rules
            for index, rule in enumerate(rules):
                yield from self._refused(item, rule.host, item.at("spec", "rules", index, "host"))
            for index, block in enumerate(body.spec.tls):
                for number, host in enumerate(block.hosts):
                    yield from self._refused(item, host, item.at("spec", "tls", index, "hosts", number))
        elif item.kind in _ROUTES_WITH_HOSTS and body is not None:
            for index, host in enumerate(body.spec.hostnames):
                yield from self._refused(item, host, item.at("spec", "hostnames", index))
        elif item.kind == "Gateway":
            listeners = getattr(getattr(body, "spec", None), "listeners", ())
            for index, listener in enumerate(listeners):
                yield from self._refused(item, listener.hostname, item.at("spec", "listeners", index, "hostname"))

    def _refused(self, item: AnyObject, host: str | None, place: Place) -> Iterator[Finding]:
        if not host or not is_subdomain(host.removeprefix("*.")) or len(host) > LONGEST_NAME:
            fault = _fault(host) if host and not _VARIABLE.search(host) else None
            if host and fault is not None:
                unfilled = _PLACEHOLDER.search(host) is not None
                yield self.finding(
                    place,
                    f"host `{host}` of {item.kind} `{item.name}` {fault.words}; the API server refuses the "
                    f"{item.kind}, and clients get 404"
                    + (", unless it is a placeholder that gets filled in" if unfilled else ""),
                    severity=Severity.NOTE if unfilled else self.severity,
                    fix=_fix(fault),
                )
        elif _is_address(host):
            of_ingress = item.group != GATEWAY_GROUP
            if of_ingress and "tls" in place.pointer:
                return  # only hosts of rules are compared with addresses
            outcome = (
                "the API server refuses the Ingress, and clients get 404"
                if of_ingress
                else "the Gateway API allows none, and clients get 404 from gateways that hold to that"
            )
            yield self.finding(
                place,
                f"host `{host}` of {item.kind} `{item.name}` is an IP address; {outcome}",
                severity=self.severity if of_ingress else Severity.WARNING,
                fix="leave the host out to serve requests by address, or write a name",
            )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports hosts of controllers' own objects that no request can have."""
        if isinstance(route.owner.body, Ingress | LegacyIngress) or route.owner.group == GATEWAY_GROUP:
            return
        for hostname in route.hostnames:
            host = hostname.value
            if not hostname.explicit or _VARIABLE.search(host):
                continue
            fault = _never_asked_for(host)
            if fault is not None:
                yield self.finding(
                    hostname.place,
                    f"host `{host}` of {route.owner.kind} `{route.owner.name}` {fault.words}; no request has such a "
                    f"host, and clients get 404",
                    path=way_in(route, "no request has such a host"),
                    fix=_fix(fault),
                )


def _fix(fault: _Fault) -> str:
    return f"write `{fault.meant}`" if fault.meant else fault.fix


def _is_address(host: str) -> bool:
    return address(host) is not None


def _meant(host: str) -> str:
    """The host name in what is written, empty where there is none."""
    scheme = _SCHEME.match(host)
    host = host[scheme.end() if scheme else 0 :].partition("/")[0]
    host = _PORT.sub("", host).rstrip(".").strip().lower()
    return host if is_subdomain(host.removeprefix("*.")) else ""


def _never_asked_for(host: str) -> _Fault | None:
    """What makes a host one that no Host header carries, whoever reads it."""
    meant = _meant(host)
    if _SCHEME.match(host):
        return _Fault("has a scheme", meant)
    if "/" in host:
        return _Fault("has a path", meant)
    if any(char.isspace() or char == "," for char in host):
        return _Fault("has a space or comma", "")
    if _PORT.search(host) and host.count(":") == 1:
        return _Fault("has a port", meant)
    return None


def _fault(host: str) -> _Fault | None:
    """What is wrong with a host that the API server does not take for a name."""
    wrong = _never_asked_for(host)
    if wrong is not None:
        return wrong
    if _is_address(host.strip("[]")):
        return _Fault("is an IP address", "")
    if host == "*":
        return _Fault("is a bare wildcard", "", "leave `host` out to serve every host")
    if "*" in host.removeprefix("*."):
        return _Fault("has a wildcard that is not the whole first label", "")
    if host.endswith("."):
        return _Fault("ends in a dot", _meant(host))
    if "_" in host:
        return _Fault("has an underscore", host.lower().replace("_", "-"))
    if host != host.lower():
        return _Fault("has capitals", _meant(host))
    if len(host) > LONGEST_NAME:
        return _Fault(f"has more than {LONGEST_NAME} characters", "")
    return _Fault("is no DNS name", "")
