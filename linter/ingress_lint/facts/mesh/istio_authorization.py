"""Whom Istio's AuthorizationPolicies let in.

Of the policies for a proxy those that deny are asked first; where any policies allow, one of their rules must fit
(istio/istio:pilot/pkg/security/authz/builder/builder.go; istio.io/latest/docs/concepts/security, implicit enablement).
What a rule compares: istio/api:security/v1beta1/authorization_policy.proto; how: istio/istio:pilot/pkg/security/authz/
matcher/string.go, and model/generator.go for each key. ztunnel reads no requests: it drops the rules that allow by them,
and takes those that deny for every request (istio/istio:pilot/pkg/serviceregistry/kube/controller/ambient/authorization.go).
CUSTOM asks somebody else, AUDIT denies nothing: neither has a say here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.facts.mesh.calls import OUTSIDER, Call, Caller, Refusal
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.istio_security import AuthorizationPolicy, AuthorizationRule, Condition, Operation, Source
from ingress_lint.objects.model import KubernetesObject, camel_case
from ingress_lint.objects.reading import string_map
from ingress_lint.values.expressions import compiled
from ingress_lint.values.three_valued import either, every, negated

ROOT_NAMESPACE: Final = "istio-system"
"""Whose policies are for every namespace, unless `meshConfig.rootNamespace` says otherwise."""
SECURITY_GROUP: Final = "security.istio.io"

Policy = KubernetesObject[AuthorizationPolicy]

_Test = Callable[[str], bool | None]
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_LOCAL_DOMAINS: Final = frozenset({"cluster.local", "*"})
"""What stands for the mesh's own trust domain, whatever its name (pkg/spiffe, and trustdomain/bundle.go)."""
_OF_REQUESTS: Final = (
    *("hosts", "not_hosts", "methods", "not_methods", "paths", "not_paths"),
    *("request_principals", "not_request_principals", "remote_ip_blocks", "not_remote_ip_blocks"),
)
_REQUEST_KEYS: Final = ("request.", "remote.", "connection.sni")
_ADDED_BY_PROXIES: Final = ("x-forwarded-", "x-envoy-", "x-original-", "x-real-ip", "x-request-id", "x-scheme", "x-b3-")
_OF_SOURCES: Final = frozenset({"principals", "namespaces", "service_accounts"})
_SHOWN: Final = 3


class Subject(Struct, frozen=True):
    """A proxy that policies are enforced at: its pods' labels, and what else policies may call it by."""

    namespace: str
    labels: Mapping[str, str]
    targets: tuple[tuple[str, str], ...] = ()
    """Kind and name of what it stands for: its Gateway, and the Service that it takes requests for."""
    waypoint: bool = False
    """Whether it enforces what names a target, and nothing that selects pods."""
    reads_requests: bool = True
    """Whether it knows more of a request than who sends it to which port."""


class RuleAt(Struct, frozen=True):
    """One rule of a policy."""

    policy: Policy
    rule: AuthorizationRule
    place: Place


def policies_for(subject: Subject, graph: ObjectGraph) -> tuple[Policy, ...]:
    """The policies that a proxy enforces; those that name a target are for nobody else."""
    if SECURITY_GROUP not in graph.groups:
        return ()
    by_namespace = _by_namespace(graph)
    spaces = dict.fromkeys((subject.namespace, ROOT_NAMESPACE))
    return tuple(policy for space in spaces for policy in by_namespace.get(space, ()) if _is_for(policy, subject))


@once_per_graph
def _by_namespace(graph: ObjectGraph) -> Mapping[str, list[Policy]]:
    found: defaultdict[str, list[Policy]] = defaultdict(list)
    for policy in graph.of(AuthorizationPolicy):
        found[policy.namespace].append(policy)
    return found


def _is_for(policy: Policy, subject: Subject) -> bool:
    spec = policy.body.spec
    if spec.targets:
        return any((target.kind, target.name) in subject.targets for target in spec.targets)
    if subject.waypoint:
        return False
    labels = string_map(spec.selector.match_labels) if spec.selector is not None else {}
    return labels.items() <= subject.labels.items()


class _Part(Struct, frozen=True):
    """Whether a part of a rule holds, with what it wants, in words, and the field and place of that."""

    holds: bool | None
    place: Place
    wants: str
    field: str


# -- one request ----------------------------------------------------------------------------------------------------


def refusal(policies: Sequence[Policy], subject: Subject, call: Call) -> Refusal | None:
    """Why a proxy that enforces `policies` refuses a call; None where it takes it, or may."""
    for found in rules(policies, "DENY"):
        if fits(found, subject, call) is True:
            return _denied(found, subject)
    allowing = [policy for policy in policies if policy.body.spec.action == "ALLOW"]
    if not allowing or any(policy.left_out for policy in allowing):
        return None
    own = list(rules(allowing, "ALLOW"))
    if any(fits(found, subject, call) is not False for found in own):
        return None
    return _not_allowed(allowing, own, subject, call)


def rules(policies: Iterable[Policy], action: str) -> Iterator[RuleAt]:
    """The rules of the policies with an action."""
    for policy in policies:
        if policy.body.spec.action == action:
            place = policy.at("spec", "rules")
            for index, rule in enumerate(policy.body.spec.rules):
                yield RuleAt(policy, rule, place.at(index))


def fits(found: RuleAt, subject: Subject, call: Call) -> bool | None:
    """Whether a rule means a call; None where that is not known."""
    if not subject.reads_requests and found.policy.body.spec.action == "ALLOW" and reads_requests(found.rule):
        return False
    return every(part.holds for part in _parts(found, subject, call))


def reads_requests(rule: AuthorizationRule) -> bool:
    """Whether a rule asks for more than who opens the connection and to which port."""
    fields = [field for item in rule.to for field in _OF_REQUESTS if getattr(item.operation, field, ())]
    fields += [field for item in rule.from_ for field in _OF_REQUESTS if getattr(item.source, field, ())]
    return bool(fields) or any(condition.key.startswith(_REQUEST_KEYS) for condition in rule.when)


def _parts(found: RuleAt, subject: Subject, call: Call) -> Iterator[_Part]:
    """Whether each part of a rule holds, with the place to change where it does not."""
    rule, place, reads = found.rule, found.place, subject.reads_requests
    if rule.from_:
        fields = [list(_source(item.source, call)) for item in rule.from_]
        yield _part(fields, rule.from_[0].source, place.at("from", 0, "source"))
    if rule.to:
        fields = [list(_operation(item.operation, call, reads=reads)) for item in rule.to]
        yield _part(fields, rule.to[0].operation, place.at("to", 0, "operation"))
    for index, condition in enumerate(rule.when):
        if reads or not condition.key.startswith(_REQUEST_KEYS):
            what = f"`{condition.key}` is {_listed_words(condition.values or condition.not_values)}"
            yield _Part(_condition(condition, call), place.at("when", index), what, "when")


def _part(fields: Sequence[Sequence[tuple[str, bool | None]]], first: Source | Operation, place: Place) -> _Part:
    """What several alternatives come to, of which the first is shown by its field that does not hold."""
    answer = either(every(holds for _, holds in own) for own in fields)
    name = next((name for name, holds in fields[0] if holds is not True), "")
    values = getattr(first, name) or getattr(first, f"not_{name}") if name else ()
    written = camel_case(name if not name or getattr(first, name) else f"not_{name}")
    where = place.at(written, 0) if len(values) == 1 else place.at(written)
    return _Part(answer, where if name else place, _listed_words(values), name)


def _source(source: Source, call: Call) -> Iterator[tuple[str, bool | None]]:
    who = call.caller
    yield "principals", _listed(source.principals, source.not_principals, lambda one: _is_principal(one, who))
    yield "namespaces", _listed(source.namespaces, source.not_namespaces, lambda one: _is_namespace(one, who))
    accounts = _listed(source.service_accounts, source.not_service_accounts, lambda one: _is_account(one, who))
    yield "service_accounts", accounts
    yield "ip_blocks", _listed(source.ip_blocks, source.not_ip_blocks, _is_everywhere)
    yield "remote_ip_blocks", _listed(source.remote_ip_blocks, source.not_remote_ip_blocks, _is_everywhere)
    yield "request_principals", _listed(source.request_principals, source.not_request_principals, lambda _: None)


def _operation(operation: Operation, call: Call, *, reads: bool) -> Iterator[tuple[str, bool | None]]:
    port, host = call.port, call.host.lower()
    yield "ports", _listed(operation.ports, operation.not_ports, lambda one: None if port is None else one == str(port))
    if reads:
        yield "hosts", _listed(operation.hosts, operation.not_hosts, lambda one: _is_host(one.lower(), host))
        yield "methods", _listed(operation.methods, operation.not_methods, lambda one: _is_text(one, call.method))
        yield "paths", _listed(operation.paths, operation.not_paths, lambda one: _is_path(one, call.path))


def _condition(condition: Condition, call: Call) -> bool | None:
    key, who = condition.key, call.caller
    name = key.removeprefix("request.headers[").removesuffix("]").lower()
    match key:
        case "source.principal":
            return _listed(condition.values, condition.not_values, lambda one: _is_principal(one, who))
        case "source.namespace":
            return _listed(condition.values, condition.not_values, lambda one: _is_namespace(one, who))
        case "source.ip" | "remote.ip":
            return _listed(condition.values, condition.not_values, _is_everywhere)
        case "destination.port":
            port = call.port
            return _listed(
                condition.values, condition.not_values, lambda one: None if port is None else one == str(port)
            )
        case _ if key.startswith("request.headers[") and (name in call.headers or _is_absent(name, call)):
            value = call.headers.get(name)
            return _listed(
                condition.values, condition.not_values, lambda one: value is not None and _is_text(one, value)
            )
    return None


def _is_absent(name: str, call: Call) -> bool:
    """Whether a request lacks a header that no proxy adds of its own."""
    return call.knows_headers and not name.startswith(_ADDED_BY_PROXIES)


def _listed(values: Sequence[str], not_values: Sequence[str], is_one: _Test) -> bool | None:
    """Whether one of `values` fits, if there are any, and none of `not_values`."""
    wanted = either(map(is_one, values)) if values else True
    return every((wanted, negated(either(map(is_one, not_values)))))


def _is_principal(pattern: str, who: Caller | None) -> bool | None:
    """`TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`; another trust domain than the usual one may be the mesh's."""
    if who is None:
        return None
    if not who.mesh:
        return False
    name = f"cluster.local/ns/{who.namespace}/sa/{who.account}"
    if _is_text(pattern, name):
        return True
    domain, slash, rest = pattern.partition("/")
    if not slash or domain in _LOCAL_DOMAINS:
        return False
    return None if _is_text(rest, name.partition("/")[2]) else False


def _is_namespace(pattern: str, who: Caller | None) -> bool | None:
    if who is None:
        return None
    return bool(who.mesh) and _is_text(pattern, who.namespace)


def _is_account(pattern: str, who: Caller | None) -> bool | None:
    """`NAMESPACE/ACCOUNT`, or an account of the policy's namespace, which is left open here."""
    if who is None or (who.mesh and "/" not in pattern and pattern == who.account):
        return None
    return bool(who.mesh) and pattern == f"{who.namespace}/{who.account}"


def _is_everywhere(block: str) -> bool | None:
    return True if block in _EVERYWHERE else None


def _is_host(pattern: str, host: str) -> bool:
    return _is_text(pattern, host) or (pattern.endswith(":*") and _is_text(pattern[:-2], host))


def _is_path(pattern: str, path: str) -> bool | None:
    """As a text, or a template with `{*}` for one segment and `{**}` for any number of them."""
    if "{" not in pattern:
        return _is_text(pattern, path)
    written = re.escape(pattern).replace(re.escape("{**}"), ".*").replace(re.escape("{*}"), "[^/]+")
    expression = compiled(written)
    return expression.fits(path) if expression is not None else None


def _is_text(pattern: str, text: str) -> bool:
    """`*` for any text at all, `abc*` and `*abc` for its beginning and end, everything else for itself."""
    if pattern == "*":
        return bool(text)
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text == pattern


# -- in words -------------------------------------------------------------------------------------------------------


def _denied(found: RuleAt, subject: Subject) -> Refusal:
    return Refusal(
        found.policy,
        found.place,
        "denies such requests",
        "leave such requests out of the rule",
        _status(subject),
    )


def _not_allowed(policies: Sequence[Policy], own: Sequence[RuleAt], subject: Subject, call: Call) -> Refusal:
    """The rule is to blame of which most parts hold; without any rule, the policy."""
    if not own:
        policy = policies[0]
        place = policy.at("spec", "rules") if policy.written("spec", "rules") is not None else policy.at("spec")
        return Refusal(
            policy,
            place,
            "allows nothing, as it has no rules, and no other policy allows these requests",
            f"add a policy whose rules allow {'them' if call.caller is OUTSIDER else _called(call.caller)}",
            _status(subject),
        )
    nearest = max(own, key=lambda found: sum(part.holds is True for part in _parts(found, subject, call)))
    part = next((part for part in _parts(nearest, subject, call) if part.holds is False), None)
    if part is None:
        return Refusal(
            nearest.policy,
            nearest.place,
            "allows by what a request asks for, which ztunnel does not read, and so nothing",
            "let a waypoint enforce it (`targetRefs`), or allow by identity and port alone",
            _status(subject),
        )
    who = call.caller
    why, fix = f"allows only {part.wants} of the {part.field}", "allow these requests as well"
    if part.field == "when":
        why = f"allows only requests whose {part.wants}"
    elif part.field == "ports":
        why, fix = f"allows only port {part.wants}, and requests arrive at {call.port}", f"allow port {call.port}"
    elif part.field in _OF_SOURCES and who is OUTSIDER:
        why = f"allows only {part.wants}, and clients from outside show no identity"
        fix = "select other pods than the gateway's, or allow requests without an identity there"
    elif part.field in _OF_SOURCES:
        known = who is None or bool(who.mesh)
        without = "is not among them" if known else "shows no identity, as it is outside of the mesh"
        why, fix = f"allows only {part.wants}, and {_called(who)} {without}", f"take {_called(who)} into the mesh"
        if who is not None and who.mesh:
            fix = f"allow {who}: `cluster.local/ns/{who.namespace}/sa/{who.account}`"
    return Refusal(nearest.policy, part.place, why, fix, _status(subject))


def _status(subject: Subject) -> int | None:
    return 403 if subject.reads_requests else None


def _called(who: Caller | None) -> str:
    return "the proxy" if who is None else str(who)


def _listed_words(values: Sequence[str]) -> str:
    shown = ", ".join(f"`{value}`" for value in values[:_SHOWN])
    return shown + (", ..." if len(values) > _SHOWN else "")
