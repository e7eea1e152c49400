"""Cilium's policies: who is denied stays out; who is allowed adds up with what NetworkPolicies allow.

cilium/cilium:pkg/policy/api/{rule,ingress,entity}.go, pkg/k8s/apis/cilium.io/utils/utils.go (the namespace that selectors
of a namespaced policy are bound to), Documentation/security/policy/language.rst (an empty rule allows nobody; ranges of
addresses mean no pods).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.facts.network_policies.clauses import Clause, Stage, Visit, port_number
from ingress_lint.graph.control_plane import CONTROL_PLANE_LABELS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.cilium import CiliumPolicy, CiliumRule, PortRule, Rule
from ingress_lint.objects.model import KubernetesObject, LabelSelector
from ingress_lint.values.three_valued import either, every

CILIUM_GROUP: Final = "cilium.io"
_NAMESPACE: Final = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS: Final = "io.cilium.k8s.namespace.labels."
_ACCOUNT: Final = "io.cilium.k8s.policy.serviceaccount"
_CLUSTER: Final = "io.cilium.k8s.policy.cluster"
_SOURCES: Final = ("k8s:", "any:")
_HOSTS: Final = frozenset({"host", "remote-node"})
_IN_CLUSTER: Final = frozenset({"pod", "host", "ingress"})
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})

Policy = KubernetesObject[CiliumPolicy]


def cilium_stage(visit: Visit, graph: ObjectGraph) -> Stage:
    """What the policies for a pod say, those that deny first."""
    denying: list[Clause] = []
    allowing: list[Clause] = []
    isolating: list[Policy] = []
    for policy in graph.of(CiliumPolicy):
        for rule, place in _rules(policy):
            if not _is_for(policy, rule, visit.workload, graph):
                continue
            denying += _clauses(policy, rule.ingress_deny or (), place.at("ingressDeny"), visit, graph, denies=True)
            allowing += _clauses(policy, rule.ingress or (), place.at("ingress"), visit, graph, denies=False)
            told = rule.enable_default_deny.ingress
            if told or (told is None and (rule.ingress is not None or rule.ingress_deny is not None)):
                isolating.append(policy)
    return Stage([*denying, *allowing], isolating)


def _rules(policy: Policy) -> Iterator[tuple[CiliumRule, Place]]:
    if policy.body.spec is not None:
        yield policy.body.spec, policy.at("spec")
    for index, rule in enumerate(policy.body.specs):
        yield rule, policy.at("specs", index)


def _is_for(policy: Policy, rule: CiliumRule, workload: Workload, graph: ObjectGraph) -> bool:
    """Whether a rule selects a pod; one that nobody can tell does not count."""
    if rule.endpoint_selector is None or workload.pod.host_network:
        return False
    if policy.namespace and policy.namespace != workload.object.namespace:
        return False
    return _selects(rule.endpoint_selector, workload, graph) is True


def _clauses(
    policy: Policy, rules: tuple[Rule, ...], place: Place, visit: Visit, graph: ObjectGraph, *, denies: bool
) -> Iterator[Clause]:
    for index, rule in enumerate(rules):
        peers, where, wants = _peers(policy, rule, place.at(index), visit, graph)
        ports = True if rule.to_ports is None else any(_opens(port, visit) for port in rule.to_ports)
        if ports is False and peers is not False:
            where, wants = _other_ports(rule, place.at(index, "toPorts")), "other ports"
        yield Clause(policy, where, "Deny" if denies else "Allow", every((peers, ports)), wants)


def _other_ports(rule: Rule, place: Place) -> Place:
    """The port that a rule opens, or the list of them."""
    opened = [
        place.at(outer, "ports", inner, "port")
        for outer, group in enumerate(rule.to_ports or ())
        for inner in range(len(group.ports))
    ]
    return opened[0] if len(opened) == 1 else place


def _peers(
    policy: Policy, rule: Rule, place: Place, visit: Visit, graph: ObjectGraph
) -> tuple[bool | None, Place, str]:
    """Whether a rule means a visitor, with the place of whom it means."""
    if not rule.names_peers:
        return rule.to_ports is not None or rule.icmps is not None, place, ""
    kind = _kind(visit)
    answers: list[bool | None] = []
    where, wants = place, ""
    for number, selector in enumerate(rule.from_endpoints or ()):
        answers.append(_is_endpoint(policy, selector, visit, graph))
        where, wants = _place_of(selector, place.at("fromEndpoints", number)), _pods(policy, selector)
    if rule.from_entities is not None:
        answers.append(_is_entity(frozenset(rule.from_entities), kind))
        where, wants = place.at("fromEntities"), ", ".join(f"`{entity}`" for entity in rule.from_entities)
    blocks = [*(rule.from_cidr or ()), *(item.cidr for item in rule.from_cidr_set or () if not item.except_)]
    if rule.from_cidr is not None or rule.from_cidr_set is not None:
        whole = bool(_EVERYWHERE.intersection(blocks))
        answers.append(False if kind in ("pod", "ingress") else True if kind == "world" and whole else None)
        where, wants = (
            place.at("fromCIDR" if rule.from_cidr is not None else "fromCIDRSet"),
            "addresses, which mean no pods",
        )
    if rule.from_nodes is not None or rule.from_groups is not None or rule.from_requires is not None:
        answers.append(None)
    return either(answers), where, wants


def _place_of(selector: LabelSelector, place: Place) -> Place:
    """The first label that a selector asks for, else the selector."""
    return place.at("matchLabels", next(iter(selector.match_labels))) if selector.match_labels else place


def _pods(policy: Policy, selector: LabelSelector) -> str:
    """The pods of a selector in words."""
    terms = [f"`{key}: {value}`" for key, value in selector.match_labels.items()]
    terms += [f"`{term.key}`" for term in selector.match_expressions]
    named = f"pods with {' and '.join(terms)}" if terms else "pods"
    bound = policy.namespace and not _names_namespace(selector)
    return f"{named} of namespace `{policy.namespace}`" if bound else named


def _names_namespace(selector: LabelSelector) -> bool:
    keys = {_plain(key) for key in _keys(selector)}
    return any(key == _NAMESPACE or key.startswith(_NAMESPACE_LABELS) for key in keys)


def _kind(visit: Visit) -> str:
    """What a visitor is to Cilium: `pod`, `host` or an entity; empty where that is not known."""
    if visit.visitor is not None:
        return "host" if visit.visitor.pod.host_network else "pod"
    return visit.entity


def _is_entity(entities: frozenset[str], kind: str) -> bool | None:
    if "all" in entities:
        return True
    if not kind:
        return None
    if "cluster" in entities and kind in _IN_CLUSTER:
        return True
    if kind == "host":
        named = entities & _HOSTS
        return True if named == _HOSTS else None if named else False
    return kind in entities


def _is_endpoint(policy: Policy, selector: LabelSelector, visit: Visit, graph: ObjectGraph) -> bool | None:
    """A selector of a namespaced policy means pods of that namespace, unless it names one itself."""
    keys = {_plain(key) for key in _keys(selector)}
    reserved = {key for key in keys if key.startswith("reserved:")}
    if reserved:
        return _is_entity(frozenset(key.removeprefix("reserved:") for key in reserved), _kind(visit))
    kind, visitor = _kind(visit), visit.visitor
    if not kind:
        return None
    if kind == "ingress" and not keys and not policy.namespace:
        return None
    if kind != "pod" or visitor is None:
        return False
    if policy.namespace and not _names_namespace(selector) and visitor.object.namespace != policy.namespace:
        return False
    return _selects(selector, visitor, graph)


def _selects(selector: LabelSelector, workload: Workload, graph: ObjectGraph) -> bool | None:
    """Whether a selector means pods, by their labels and those that Cilium gives them."""
    keys = {_plain(key) for key in _keys(selector)}
    namespace = graph.namespace(workload.object.namespace)
    if keys & CONTROL_PLANE_LABELS or _CLUSTER in keys or any(":" in key for key in keys):
        return None
    if namespace is None and any(key.startswith(_NAMESPACE_LABELS) for key in keys - {_OWN_NAME}):
        return None
    plain = LabelSelector(
        {_plain(key): value for key, value in selector.match_labels.items()},
        tuple(type(term)(_plain(term.key), term.operator, term.values) for term in selector.match_expressions),
    )
    return selects(plain, _labels(workload, namespace.labels if namespace is not None else {}))


_OWN_NAME: Final = f"{_NAMESPACE_LABELS}kubernetes.io/metadata.name"


def _labels(workload: Workload, of_namespace: Mapping[str, str]) -> Mapping[str, str]:
    return {
        **workload.labels,
        **{f"{_NAMESPACE_LABELS}{key}": value for key, value in of_namespace.items()},
        _OWN_NAME: workload.object.namespace,
        _NAMESPACE: workload.object.namespace,
        _ACCOUNT: workload.pod.service_account_name or "default",
    }


def _keys(selector: LabelSelector) -> Iterator[str]:
    yield from selector.match_labels
    yield from (term.key for term in selector.match_expressions)


def _plain(key: str) -> str:
    """A label's key without the source that Cilium writes before it; `k8s.` is one, too."""
    for source in (*_SOURCES, "k8s."):
        if key.startswith(source):
            return key[len(source) :]
    return key


def _opens(rule: PortRule, visit: Visit) -> bool:
    if not rule.ports:
        return True
    for port in rule.ports:
        if port.protocol.upper() not in ("ANY", visit.protocol):
            continue
        first = port_number(port.port, visit.workload, visit.protocol)
        if 0 in first or visit.number in first:
            return True
        if port.end_port is not None and any(number <= visit.number <= port.end_port for number in first):
            return True
    return False
