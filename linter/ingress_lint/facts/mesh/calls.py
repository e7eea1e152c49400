"""A request as a mesh's proxy sees it, and what a policy makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.facts.mesh.membership import membership
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject


class Caller(Struct, frozen=True):
    """Who opens a connection, by the certificate that its mesh gave it.

    `mesh` is empty for who is in none and so shows no certificate. `account` is the service account.
    """

    mesh: str = ""
    namespace: str = ""
    account: str = ""
    name: str = ""
    """What messages call it."""

    def __str__(self) -> str:
        return self.name or f"service account `{self.account}` of namespace `{self.namespace}`"


OUTSIDER: Final = Caller(name="the client")


def caller(workload: Workload, graph: ObjectGraph, mesh: str = "") -> Caller | None:
    """Who the pods of a workload are; None where nothing tells whether they are in a mesh.

    `mesh` names it where that is known otherwise. A pod that names no service account has `default`.
    """
    found = membership(workload, graph)
    if not mesh and not found.settled:
        return None
    account = workload.pod.service_account_name or "default"
    return Caller(mesh or found.mesh, workload.object.namespace, account, str(workload))


class Call(Struct, frozen=True):
    """A request to a port of a pod; `caller` and `port` are None where they are not known. `path` is without the query."""

    caller: Caller | None
    port: int | None
    method: str
    host: str
    path: str
    headers: Mapping[str, str] = {}
    knows_headers: bool = False
    """Whether it has no others but those that proxies add."""


class Refusal(Struct, frozen=True):
    """A policy that lets no such request through: the place that a person would change, and why, in words.

    `why` goes on after "it"; `status` is what a proxy answers itself, None where the connection is closed.
    """

    policy: AnyObject
    place: Place
    why: str
    fix: str
    status: int | None = 403
