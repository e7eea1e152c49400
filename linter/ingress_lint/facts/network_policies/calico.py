"""Calico's policies: tier by tier, in each by `order`, and the first rule that means a connection decides.

projectcalico/calico:felix/calc/{policy_sorter,policy_resolver}.go, libcalico-go/lib/backend/k8s/conversion/conversion.go
(NetworkPolicies have order 1000 in the tier `default`), calico/network-policy/policy-tiers/tiered-policy of its
documentation (what a tier's policies select and none of their rules means, is denied).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.facts.network_policies.clauses import NAMESPACE_NAME_LABEL, Action, Clause, Stage, Visit, port_number
from ingress_lint.graph.control_plane import CONTROL_PLANE_LABELS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.calico import CalicoPolicy, EntityRule, Rule, Tier
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.values.label_expressions import label_expression
from ingress_lint.values.numbers import whole
from ingress_lint.values.three_valued import every, negated

CALICO_GROUPS: Final = frozenset({"projectcalico.org", "crd.projectcalico.org"})
DEFAULT_TIER: Final = "default"
_ACTIONS: Final[dict[str, Action]] = {"allow": "Allow", "deny": "Deny", "pass": "Pass"}
_LAST: Final = float("inf")
_OF_NAMESPACES: Final = ("projectcalico.org/namespace", "projectcalico.org/name", NAMESPACE_NAME_LABEL)
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_DEFAULT_ORDER: Final = 1_000_000.0
_OF_KUBERNETES: Final = 1_000.0

Policy = KubernetesObject[CalicoPolicy]


def calico_tiers(visit: Visit, graph: ObjectGraph, of_kubernetes: Stage) -> tuple[list[Stage], Stage, list[Stage]]:
    """The tiers before the default one, that one with what NetworkPolicies say, and those after it."""
    policies: defaultdict[str, list[Policy]] = defaultdict(list)
    for policy in graph.of(CalicoPolicy):
        policies[policy.body.spec.tier or DEFAULT_TIER].append(policy)
    tiers = {tier.name: tier for tier in graph.of(Tier)}
    orders = {name: _order_of(tiers.get(name)) for name in policies}
    before = sorted((name for name in policies if orders[name] < _DEFAULT_ORDER), key=lambda name: (orders[name], name))
    after = sorted(name for name in policies if orders[name] >= _DEFAULT_ORDER and name != DEFAULT_TIER)
    nothing = Stage(())
    staged = {
        name: _stage(found, tiers.get(name), visit, graph, of_kubernetes if name == DEFAULT_TIER else nothing)
        for name, found in policies.items()
    }
    return (
        [staged[name] for name in before if name != DEFAULT_TIER],
        staged.get(DEFAULT_TIER, of_kubernetes),
        [staged[name] for name in after],
    )


def _order_of(tier: KubernetesObject[Tier] | None) -> float:
    order = tier.body.spec.order if tier is not None else None
    return _LAST if order is None else order


def _stage(
    policies: list[Policy], tier: KubernetesObject[Tier] | None, visit: Visit, graph: ObjectGraph, of_kubernetes: Stage
) -> Stage:
    """The clauses of a tier, and the policies that isolate a pod where none of them means a connection."""
    clauses: list[tuple[float, Clause]] = [(_OF_KUBERNETES, clause) for clause in of_kubernetes.clauses]
    isolating: list[AnyObject] = list(of_kubernetes.isolating)
    passing = tier is not None and tier.body.spec.default_action == "Pass"
    for policy in sorted(policies, key=lambda item: (_order(item), item.name)):
        selected = _is_for(policy, visit.workload, graph)
        if selected is False or not _of_ingress(policy):
            continue
        clauses += [(_order(policy), clause) for clause in _clauses(policy, selected, visit, graph)]
        if selected and not passing:
            isolating.append(policy)
    return Stage([clause for _, clause in sorted(clauses, key=lambda item: item[0])], isolating)


def _order(policy: Policy) -> float:
    order = policy.body.spec.order
    return _LAST if order is None else order


def _of_ingress(policy: Policy) -> bool:
    spec = policy.body.spec
    if spec.pre_dnat or spec.do_not_track or spec.apply_on_forward:
        return False
    if spec.types is not None:
        return "Ingress" in spec.types
    return spec.ingress is not None or spec.egress is None


def _is_for(policy: Policy, workload: Workload, graph: ObjectGraph) -> bool | None:
    spec, space = policy.body.spec, workload.object.namespace
    if workload.pod.host_network:
        return False
    if policy.namespace:
        where: bool | None = policy.namespace == space
    else:
        where = _is_in(spec.namespace_selector, space, graph) if spec.namespace_selector else True
    return every((where, _are_pods(spec.selector, workload), None if spec.service_account_selector else True))


def _clauses(policy: Policy, selected: bool | None, visit: Visit, graph: ObjectGraph) -> Iterator[Clause]:
    for index, rule in enumerate(policy.body.spec.ingress or ()):
        action = _ACTIONS.get(rule.action.lower())
        if action is None:
            continue
        source, field = _is_source(policy, rule.source, visit, graph)
        place = policy.at("spec", "ingress", index)
        opens = _opens(rule, visit)
        where, wants = (
            place.at("source", field) if field else place,
            f"`{rule.source.selector or rule.source.namespace_selector}`" if field else "",
        )
        if opens is False:
            opened = place.at("destination", "ports")
            where, wants = opened.at(0) if len(rule.destination.ports) == 1 else opened, "other ports"
        unread = None if rule.http is not None or rule.icmp is not None else True
        yield Clause(policy, where, action, every((selected, source, opens, unread)), wants)


def _opens(rule: Rule, visit: Visit) -> bool | None:
    protocol = rule.protocol
    if protocol is not None and str(protocol).upper() not in (
        visit.protocol,
        str({"TCP": 6, "UDP": 17}.get(visit.protocol)),
    ):
        return False
    there = rule.destination
    answers: list[bool | None] = [None if rule.not_protocol is not None else True]
    if there.ports:
        answers.append(any(_is_port(port, visit) for port in there.ports))
    if there.not_ports:
        answers.append(not any(_is_port(port, visit) for port in there.not_ports))
    if there.selector or there.namespace_selector or there.nets or there.not_nets or there.services:
        answers.append(None)
    return every(answers)


def _is_port(port: int | str, visit: Visit) -> bool:
    if isinstance(port, str) and ":" in port:
        first, _, last = port.partition(":")
        low, high = whole(first), whole(last)
        return low is not None and high is not None and low <= visit.number <= high
    return visit.number in port_number(port, visit.workload, visit.protocol)


def _is_source(policy: Policy, source: EntityRule, visit: Visit, graph: ObjectGraph) -> tuple[bool | None, str]:
    """Whether a rule means a visitor, with the field that says whom it means."""
    answers: list[tuple[bool | None, str]] = []
    visitor = visit.visitor
    known = visitor is not None and not visitor.pod.host_network
    if source.selector or source.not_selector or source.namespace_selector:
        field = "selector" if source.selector else "namespaceSelector"
        answers.append((_is_peer(policy, source, visitor, graph) if known and visitor else _no_pod(visit), field))
    if source.nets:
        everywhere = bool(_EVERYWHERE.intersection(source.nets))
        answers.append((True if everywhere else None, "nets"))
    if (
        source.not_nets
        or source.ports
        or source.not_ports
        or source.service_accounts
        or source.services
        or source.domains
    ):
        answers.append((None, ""))
    failing = next((field for answer, field in answers if answer is not True), "")
    return every(answer for answer, _ in answers), failing


def _no_pod(visit: Visit) -> bool | None:
    """Whether selectors mean who is no pod: hosts may be endpoints of their own."""
    return False if visit.entity == "world" else None


def _is_peer(policy: Policy, source: EntityRule, visitor: Workload, graph: ObjectGraph) -> bool | None:
    """A selector alone means pods of the policy's namespace, or of every one where it is for all of them."""
    space = visitor.object.namespace
    if source.namespace_selector:
        where = _is_in(source.namespace_selector, space, graph)
    else:
        where = not policy.namespace or policy.namespace == space
    without = negated(_are_pods(source.not_selector, visitor)) if source.not_selector else True
    return every((where, _are_pods(source.selector, visitor), without))


def _is_in(selector: str, namespace: str, graph: ObjectGraph) -> bool | None:
    item = graph.namespace(namespace)
    names = dict.fromkeys(_OF_NAMESPACES, namespace)
    return _holds(
        selector, {**(item.labels if item else {}), **names}, settled=item is not None, known=frozenset(names)
    )


def _are_pods(selector: str, workload: Workload) -> bool | None:
    account = workload.pod.service_account_name or "default"
    given = {
        "projectcalico.org/namespace": workload.object.namespace,
        "projectcalico.org/orchestrator": "k8s",
        "projectcalico.org/serviceaccount": account,
    }
    return _holds(selector, {**workload.labels, **given}, settled=True)


def _holds(
    selector: str, labels: Mapping[str, str], *, settled: bool, known: frozenset[str] = frozenset()
) -> bool | None:
    found = label_expression(selector)
    if found is None:
        return None
    test, keys = found
    if keys & CONTROL_PLANE_LABELS or any(key.startswith("pcsa.") for key in keys):
        return None
    return test(labels) if settled or keys <= known else None
