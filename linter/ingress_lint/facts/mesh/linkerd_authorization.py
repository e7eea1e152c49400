"""Whom Linkerd's policies let in.

A Server takes the connections that one of its authorizations means, else what its `accessPolicy` says, `deny` by default;
a port without a Server takes what `config.linkerd.io/default-inbound-policy` says. Requests of others are answered with
403 (linkerd/linkerd2:policy-controller/k8s/index/src/inbound/index.rs; linkerd/linkerd2-proxy:linkerd/app/inbound/src/
policy/http.rs; linkerd.io/2/reference/authorization-policy).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from ingress_lint.facts.mesh.calls import Call, Caller, Refusal
from ingress_lint.facts.mesh.membership import LINKERD
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.linkerd import (
    AuthorizationPolicy,
    MeshTLSAuthentication,
    Network,
    NetworkAuthentication,
    Reference,
    Server,
    ServerAuthorization,
)
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.values.three_valued import either, every

_DEFAULT_POLICY: Final = "config.linkerd.io/default-inbound-policy"
LINKERD_GROUP: Final = "policy.linkerd.io"
_ROUTES: Final = (GroupKind(LINKERD_GROUP, "HTTPRoute"), GroupKind(LINKERD_GROUP, "GRPCRoute"))
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_IDENTITY: Final = ".serviceaccount.identity."

ServerObject = KubernetesObject[Server]


class _Policies(Struct, frozen=True):
    """The policies of one namespace."""

    servers: list[ServerObject] = field(default_factory=list)
    by_target: dict[tuple[str, str], list[KubernetesObject[AuthorizationPolicy]]] = field(default_factory=dict)
    authorizations: list[KubernetesObject[ServerAuthorization]] = field(default_factory=list)


class LinkerdDefault(Struct, frozen=True):
    """Who may connect to the ports that no Server is for, and what says so."""

    policy: str
    object: AnyObject
    place: Place


def linkerd_default(workload: Workload, graph: ObjectGraph) -> LinkerdDefault | None:
    """What the annotation of a pod, else that of its namespace says; None where neither has it."""
    item, namespace = workload.object, graph.namespace(workload.object.namespace)
    if (policy := workload.annotations.get(_DEFAULT_POLICY)) is not None:
        return LinkerdDefault(policy, item, item.at(*workload.labels_pointer[:-1], "annotations", _DEFAULT_POLICY))
    if namespace is not None and (policy := namespace.annotations.get(_DEFAULT_POLICY)) is not None:
        return LinkerdDefault(policy, namespace, namespace.annotation_place(_DEFAULT_POLICY))
    return None


@once_per_graph
def _policies(graph: ObjectGraph) -> Mapping[str, _Policies]:
    found: defaultdict[str, _Policies] = defaultdict(_Policies)
    for server in graph.of(Server):
        found[server.namespace].servers.append(server)
    for policy in graph.of(AuthorizationPolicy):
        target = policy.body.spec.target_ref
        found[policy.namespace].by_target.setdefault((target.kind, target.name), []).append(policy)
    for item in graph.of(ServerAuthorization):
        found[item.namespace].authorizations.append(item)
    return found


def server_of(workload: Workload, number: int, graph: ObjectGraph) -> ServerObject | None:
    """The Server of a port of a pod; Linkerd takes no two for one port."""
    if LINKERD_GROUP not in graph.groups:
        return None
    own = _policies(graph).get(workload.object.namespace)
    return next((server for server in own.servers if _is_for(server, workload, number)), None) if own else None


def _is_for(server: ServerObject, workload: Workload, number: int) -> bool:
    spec = server.body.spec
    if spec.pod_selector is None or not selects(spec.pod_selector, workload.labels):
        return False
    return any(container.port_number(spec.port) == number for container in workload.containers)


def refusal(workload: Workload, number: int, call: Call, graph: ObjectGraph) -> Refusal | None:
    """Why Linkerd's proxy refuses a call to a port of a pod; None where it takes it, or may."""
    server = server_of(workload, number, graph)
    if server is None:
        default = linkerd_default(workload, graph)
        return _by_default(default, call) if default is not None else None
    if any(graph.holds(kind, server.namespace) for kind in _ROUTES):
        return None
    answers = list(_authorizations(server, call.caller, graph))
    if any(admits is not False for _, _, admits in answers) or _access(server.body.spec.access_policy, call.caller):
        return None
    if not answers:
        return Refusal(
            server,
            server.at("spec", "port"),
            f"takes no connections to port {number} but those that a policy allows, and none does",
            f"add an AuthorizationPolicy whose `targetRef` is Server `{server.name}`",
        )
    policy, place, _ = answers[0]
    who = str(call.caller) if call.caller is not None else "the proxy"
    known = call.caller is not None and call.caller.mesh == LINKERD
    why = "and no other policy allows it" if known else "which has no identity, as it is outside of the mesh"
    return Refusal(
        policy, place, f"does not allow {who}, {why}", f"allow {who}" if known else f"take {who} into the mesh"
    )


def _by_default(default: LinkerdDefault, call: Call) -> Refusal | None:
    """What the inbound policy denies of its own; those that ask for the mesh's TLS are `mutual_tls.demand`'s."""
    if default.policy != "deny":
        return None
    why = f"denies all connections by its inbound policy `{default.policy}`, and no Server is for port {call.port}"
    return Refusal(default.object, default.place, why, "add a Server for the port, and an AuthorizationPolicy for it")


def _access(policy: str, who: Caller | None) -> bool:
    """Whether a Server's own policy lets somebody in, or may."""
    if policy.endswith("-authenticated"):
        return who is None or who.mesh == LINKERD
    return policy != "deny"


def _authorizations(
    server: ServerObject, who: Caller | None, graph: ObjectGraph
) -> Iterator[tuple[AnyObject, Place, bool | None]]:
    """What is said of who may use a Server, with the place of it, and whether it means somebody."""
    own = _policies(graph)[server.namespace]
    named = (("Server", server.name), ("Namespace", server.namespace))
    for policy in (policy for target in named for policy in own.by_target.get(target, ())):
        references = policy.body.spec.required_authentication_refs
        answers = [_authenticates(reference, policy.namespace, who, graph) for reference in references]
        place = policy.at("spec", "requiredAuthenticationRefs")
        failing = next((n for n, answer in enumerate(answers) if answer is False), None)
        yield policy, place.at(failing) if failing is not None else place, every(answers)
    for item in own.authorizations:
        target = item.body.spec.server
        if target.name == server.name or (target.selector is not None and selects(target.selector, server.labels)):
            yield item, item.at("spec", "client"), _is_client(item, who)


def _authenticates(reference: Reference, namespace: str, who: Caller | None, graph: ObjectGraph) -> bool | None:
    space = reference.namespace or namespace
    if reference.kind == "ServiceAccount":
        return _is_account(reference, space, who)
    if reference.kind == "MeshTLSAuthentication":
        mesh = graph.named(MeshTLSAuthentication, space, reference.name)
        return None if mesh is None else _is_known(mesh, who)
    networks = graph.named(NetworkAuthentication, space, reference.name)
    return None if networks is None else either(map(_is_in, networks.body.spec.networks))


def _is_known(mesh: KubernetesObject[MeshTLSAuthentication], who: Caller | None) -> bool | None:
    spec = mesh.body.spec
    named = [_is_identity(identity, who) for identity in spec.identities]
    for reference in spec.identity_refs:
        space = reference.namespace or mesh.namespace
        if reference.kind == "Namespace":
            named.append(_is_of(who, reference.name, None))
        else:
            named.append(_is_account(reference, space, who))
    return either(named)


def _is_client(item: KubernetesObject[ServerAuthorization], who: Caller | None) -> bool | None:
    client = item.body.spec.client
    if client.unauthenticated:
        holds: bool | None = True
    elif client.mesh_tls is None:
        holds = False
    elif client.mesh_tls.unauthenticated_tls:
        holds = None
    else:
        named = [_is_identity(identity, who) for identity in client.mesh_tls.identities]
        accounts = client.mesh_tls.service_accounts
        named += [_is_account(account, account.namespace or item.namespace, who) for account in accounts]
        holds = either(named)
    return every((holds, either(map(_is_in, client.networks)) if client.networks else True))


def _is_identity(pattern: str, who: Caller | None) -> bool | None:
    """`ACCOUNT.NAMESPACE.serviceaccount.identity.CONTROL_PLANE.TRUST_DOMAIN`, or `*` and the end of one."""
    if who is None:
        return None
    if who.mesh != LINKERD:
        return False
    if pattern == "*":
        return True
    name, identity, _ = pattern.partition(_IDENTITY)
    if not identity:
        return None
    own = f"{who.account}.{who.namespace}"
    return own.endswith(name[1:]) if name.startswith("*") else own == name


def _is_account(reference: Reference, namespace: str, who: Caller | None) -> bool | None:
    return _is_of(who, namespace, reference.name)


def _is_of(who: Caller | None, namespace: str, account: str | None) -> bool | None:
    if who is None:
        return None
    return who.mesh == LINKERD and who.namespace == namespace and account in (None, who.account)


def _is_in(network: Network) -> bool | None:
    return True if network.cidr in _EVERYWHERE and not network.except_ else None
