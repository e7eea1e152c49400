"""The Gateway API of a set's own definitions, held against what its controllers need and its objects use.

Which release a controller is made for: gateway.envoyproxy.io/news/releases/matrix (Envoy Gateway). Others, and releases
that the table does not list, are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.definitions import Definition
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.values.numbers import release
from ingress_lint.values.patterns import deferred

_STANDARD: Final = "standard"
_GATEWAY: Final = "Gateway"
_OF_ENVOY_GATEWAY: Final[Mapping[tuple[int, ...], tuple[int, ...]]] = {
    (1, 0): (1, 0),
    (1, 1): (1, 1),
    (1, 2): (1, 2),
    (1, 3): (1, 2),
    (1, 4): (1, 3),
    (1, 5): (1, 3),
    (1, 6): (1, 4),
    (1, 7): (1, 4),
}
_MADE_FOR: Final = {"envoyproxy/gateway": ("Envoy Gateway", _OF_ENVOY_GATEWAY)}
"""By how an image is called: the controller, and for each of its releases that of the API."""
_TAG: Final = deferred(r":v?([0-9]+\.[0-9]+)")


def definition_verdicts(graph: ObjectGraph) -> Iterator[Verdict]:
    """Definitions that are older than a controller needs, or lack a version or kind that an object has."""
    defined = {found.kind: found for found in graph.context.definitions}
    if _GATEWAY not in defined:
        return
    yield from _of_objects(graph, defined)
    yield from _of_controllers(graph, defined[_GATEWAY])


def _of_objects(graph: ObjectGraph, defined: Mapping[str, Definition]) -> Iterator[Verdict]:
    gateway = defined[_GATEWAY]
    told: set[tuple[str, str]] = set()
    for item in graph.objects:
        key = item.api_version, item.kind
        if item.group != GATEWAY_GROUP or key in told:
            continue
        found, version = defined.get(item.kind), item.api_version.rpartition("/")[2]
        if found is None and gateway.channel == _STANDARD:
            told.add(key)
            yield _lacking(
                item,
                gateway,
                f"the standard channel of the Gateway API {gateway.bundle}, which these manifests install, has no kind "
                f"{item.kind}",
                f"install the experimental channel, or a release whose standard channel has {item.kind}",
            )
        elif found is not None and found.served and version not in found.served:
            told.add(key)
            served = " and ".join(sorted(found.served))
            yield _lacking(
                item,
                found,
                f"the Gateway API {found.bundle} that these manifests install serves {item.kind} as {served}, not as "
                f"{version}",
                f"install a release that serves {version}, or write {served}",
            )


def _lacking(item: AnyObject, definition: Definition, why: str, fix: str) -> Verdict:
    return Verdict(
        Reason.VERSION_SKEW,
        item,
        item.at("apiVersion"),
        f"{why}: the API server refuses {item.kind} `{item.name}`, and its requests get 404",
        related=((f"the release is {definition.bundle}", definition.place),),
        fix=fix,
    )


def _of_controllers(graph: ObjectGraph, gateway: Definition) -> Iterator[Verdict]:
    installed = release(gateway.bundle) or ()
    for workload in graph.workloads:
        for container in workload.containers:
            image = container.container.image
            found = next((row for name, row in _MADE_FOR.items() if f"/{name}:" in f"/{image}"), None)
            tag = _TAG.search(image)
            if found is None or tag is None:
                continue
            title, needs = found
            wanted = needs.get(release(tag[1]) or ())
            if wanted is None or installed[:2] >= wanted:
                continue
            name = ".".join(map(str, wanted))
            yield Verdict(
                Reason.VERSION_SKEW,
                workload.object,
                gateway.place,
                f"these manifests install the Gateway API {gateway.bundle}, and {title} {tag[1]} is made for {name}: kinds "
                f"and fields that it reads are not there, and it may not start or leave routes unprogrammed (404)",
                related=((f"{title} {tag[1]}", container.at("image")),),
                fix=f"install the definitions of release {name} or a later one that it supports",
            )
