"""Attachment: which listeners a route hangs on, and why not on those that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.gateway_api.gateways.listeners import BoundListener, Declarer
from ingress_lint.controllers.gateway_api.gateways.views import Gateways, GatewayView
from ingress_lint.controllers.gateway_api.selection import Answer, namespace_selected
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway_routes import AnyRoute, HTTPRoute, ParentReference
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import EXPERIMENTAL_GROUP, GATEWAY_GROUP
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_PARENT_KINDS: Final = {
    (GATEWAY_GROUP, "Gateway"): "Gateway",
    (GATEWAY_GROUP, "ListenerSet"): "ListenerSet",
    (EXPERIMENTAL_GROUP, "XListenerSet"): "XListenerSet",
}

_SEEN: Final = {
    "GRPCRoute": "clients get UNIMPLEMENTED",
    "TLSRoute": "the TLS handshake fails",
    "TCPRoute": "connections are refused or reset",
    "UDPRoute": "packets are dropped",
}
"""What clients see of a route that hangs on no listener."""

RouteObject = KubernetesObject[AnyRoute]


def _seen(route: RouteObject) -> str:
    return _SEEN.get(route.kind, "clients get 404")


class Attachment(Struct, frozen=True):
    """What a route hangs on. `of_mesh` where its parents are Services, whose traffic no gateway carries."""

    listeners: tuple[tuple[GatewayView, BoundListener], ...]
    verdicts: tuple[Verdict, ...]
    of_mesh: bool = False


class Attacher:
    """Attaches the routes of one graph."""

    def __init__(self, graph: ObjectGraph, gateways: Gateways) -> None:
        self._graph = graph
        self._gateways = gateways

    def attach(self, route: RouteObject) -> Attachment:
        """The listeners that a route hangs on, through any of its parents."""
        spec = route.body.spec
        found: dict[BoundListener, GatewayView] = {}
        verdicts: list[Verdict] = []
        for index, reference in enumerate(spec.parent_refs):
            place = route.at("spec", "parentRefs", index)
            attached = self._attach_to(route, reference, place)
            if isinstance(attached, Verdict):
                verdicts.append(attached)
            else:
                found.update({listener: view for view, listener in attached})
        if spec.use_default_gateways == "All":
            for view in self._gateways.views:
                if view.gateway.body.spec.default_scope == "All":
                    found.update({listener: view for view, listener in self._serving(route, view.gateway)})
        elif not spec.parent_refs and not self._is_delegated_to(route):
            verdicts.append(_no_parents(route))
        of_mesh = bool(spec.parent_refs) and all(item.kind == "Service" for item in spec.parent_refs)
        return Attachment(tuple((view, listener) for listener, view in found.items()), tuple(verdicts), of_mesh)

    def _is_delegated_to(self, route: RouteObject) -> bool:
        """Whether another route hands requests to this one, which then needs no parent."""
        return not self._delegated.isdisjoint({(route.namespace, route.name), (route.namespace, "*")})

    @cached_property
    def _delegated(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of the routes that HTTPRoutes have as backends; `*` for all of a namespace."""
        return frozenset(
            (reference.namespace or item.namespace, reference.name)
            for item in self._graph.of(HTTPRoute)
            for rule in item.body.spec.rules
            for reference in rule.backend_refs
            if (reference.group, reference.kind) == (GATEWAY_GROUP, "HTTPRoute")
        )

    def _serving(self, route: RouteObject, declarer: Declarer) -> Iterator[tuple[GatewayView, BoundListener]]:
        for view, listener in self._gateways.declared_by(declarer):
            if self._allowed(listener, route) is None and self._shares_host(listener, route):
                yield view, listener

    def _attach_to(
        self, route: RouteObject, reference: ParentReference, place: Place
    ) -> Verdict | Sequence[tuple[GatewayView, BoundListener]]:
        """The listeners that one parent offers, or why there is none; nothing for what the set cannot tell."""
        kind = _PARENT_KINDS.get((reference.group, reference.kind))
        if kind is None:
            return ()
        namespace = reference.namespace or route.namespace
        declarer: Declarer | None = (
            self._gateways.by_name.get((namespace, reference.name))
            if kind == "Gateway"
            else self._gateways.listener_sets.get((kind, namespace, reference.name))
        )
        if declarer is None:
            return self._no_parent(route, reference, namespace, place) or ()
        offered = self._gateways.declared_by(declarer)
        if not offered:
            return ()
        named = [item for item in offered if _named(item[1], reference)]
        if not named:
            return _no_listener(route, reference, declarer, [listener for _, listener in offered], place)
        refusals = [(listener, self._allowed(listener, route)) for _, listener in named]
        allowed = [item for item, (_, refusal) in zip(named, refusals, strict=True) if refusal is None]
        if not allowed:
            return _not_allowed(route, declarer, refusals, place)
        attached = [item for item in allowed if self._shares_host(item[1], route)]
        return attached or _no_common_host(route, declarer, [listener for _, listener in allowed])

    def _allowed(self, listener: BoundListener, route: RouteObject) -> str | None:
        """Why a listener does not take a route, None where it does or may."""
        if not listener.carries(route.group, route.kind):
            return f"speaks {listener.protocol_words}, which carries no {route.kind}"
        if not listener.takes_kind(route.group, route.kind):
            kinds = [item.kind for item in listener.entry.allowed_routes.kinds] or listener.carried_kinds
            return f"takes only {' and '.join(kinds) or 'other kinds of routes'}"
        allowed = listener.entry.allowed_routes.namespaces
        own = listener.declarer.namespace
        answer = namespace_selected(self._graph, allowed.from_, allowed.selector, own, route.namespace)
        if answer is not Answer.NO:
            return None
        return f"takes only routes of {f'namespace `{own}`' if allowed.from_ == 'Same' else 'selected namespaces'}"

    @staticmethod
    def _shares_host(listener: BoundListener, route: RouteObject) -> bool:
        own = _hostnames(route)
        return not own or any(hostnames.intersection(item, listener.hostname) is not None for item in own)

    def _no_parent(
        self, route: RouteObject, reference: ParentReference, namespace: str, place: Place
    ) -> Verdict | None:
        existence = self._gateways.existence(GroupKind(reference.group, reference.kind), namespace, reference.name)
        if existence is Existence.EXTERNAL:
            return None
        known = self._gateways.by_name if reference.kind == "Gateway" else {}
        near = [name for space, name in known if space == namespace]
        elsewhere = [space for space, name in known if name == reference.name]
        fix = f"name {_listed(near)}" if near else f"add {reference.kind} `{reference.name}` to namespace `{namespace}`"
        certainty = Certainty.of_missing(existence)
        if elsewhere:
            fix = f"add `namespace: {elsewhere[0]}` to the parentRef"
            certainty = Certainty.LIKELY if certainty is Certainty.UNKNOWN else certainty
        return Verdict(
            Reason.NO_MATCHING_PARENT,
            route,
            place.at("name"),
            f"{route.kind} `{route.name}` hangs on {reference.kind} `{reference.name}`, which namespace `{namespace}` "
            f"does not have; no gateway takes the route, and {_seen(route)}",
            certainty,
            related=tuple(
                (
                    f"{reference.kind} `{reference.name}` is in namespace `{space}`",
                    known[space, reference.name].name_place,
                )
                for space in elsewhere
            ),
            fix=fix,
        )


def _hostnames(route: RouteObject) -> Sequence[str]:
    return getattr(route.body.spec, "hostnames", ())


def _named(listener: BoundListener, reference: ParentReference) -> bool:
    return reference.section_name in (None, "", listener.entry.name) and reference.port in (None, listener.entry.port)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _no_parents(route: RouteObject) -> Verdict:
    return Verdict(
        Reason.NO_MATCHING_PARENT,
        route,
        route.at("spec", "parentRefs"),
        f"{route.kind} `{route.name}` has no parentRefs; no gateway takes the route, and {_seen(route)}",
        Certainty.UNKNOWN,
        fix="name the Gateway under `parentRefs`",
    )


def _no_listener(
    route: RouteObject,
    reference: ParentReference,
    declarer: Declarer,
    offered: Sequence[BoundListener],
    place: Place,
) -> Verdict:
    by_name = [listener for listener in offered if reference.section_name in (None, "", listener.entry.name)]
    if not by_name:
        what, field = f"listener `{reference.section_name}`", "sectionName"
        known = _listed([listener.entry.name for listener in offered])
    else:
        on = f" `{reference.section_name}`" if reference.section_name else ""
        what, field = f"listener{on} on port {reference.port}", "port"
        known = _listed([str(listener.entry.port) for listener in by_name])
    return Verdict(
        Reason.NO_MATCHING_PARENT,
        route,
        place.at(field),
        f"{route.kind} `{route.name}` hangs on {what} of {declarer.kind} `{declarer.name}`, which has {known}; no "
        f"listener takes the route, and {_seen(route)}",
        related=tuple((f"listener `{listener.entry.name}`", listener.place) for listener in offered),
        fix=f"set `{field}` to {known}, or drop it to hang on every listener",
    )


def _not_allowed(
    route: RouteObject,
    declarer: Declarer,
    refusals: Sequence[tuple[BoundListener, str | None]],
    place: Place,
) -> Verdict:
    by_kind = all(not listener.takes_kind(route.group, route.kind) for listener, _ in refusals)
    by_protocol = all(not listener.carries(route.group, route.kind) for listener, _ in refusals)
    sure = by_kind or (route.names_namespace and declarer.names_namespace)
    words = " and ".join(dict.fromkeys(f"listener `{listener.entry.name}` {why}" for listener, why in refusals))
    return Verdict(
        Reason.NOT_ALLOWED_BY_LISTENERS,
        route,
        place,
        f"{route.kind} `{route.name}` of namespace `{route.namespace}` hangs on {declarer.kind} `{declarer.name}`, whose "
        f"{words}; no listener takes the route, and {_seen(route)}",
        Certainty.KNOWN if sure else Certainty.LIKELY,
        related=tuple(
            (
                f"listener `{listener.entry.name}` {why}",
                listener.place.at("protocol" if by_protocol else "allowedRoutes"),
            )
            for listener, why in refusals
        ),
        fix=f"hang it on a listener for {route.kind}s"
        if by_protocol
        else f"widen `allowedRoutes` of {declarer.kind} `{declarer.name}`",
    )


def _no_common_host(route: RouteObject, declarer: Declarer, listeners: Sequence[BoundListener]) -> Verdict:
    served = _listed(list(dict.fromkeys(listener.hostname for listener in listeners)))
    own = _hostnames(route)
    return Verdict(
        Reason.NO_MATCHING_LISTENER_HOSTNAME,
        route,
        route.at("spec", "hostnames", 0) if len(own) == 1 else route.at("spec", "hostnames"),
        f"{route.kind} `{route.name}` serves {_listed(own)}, and {declarer.kind} `{declarer.name}` listens for {served} "
        f"only; no listener takes the route, and {_seen(route)}",
        related=tuple(
            (f"listener `{listener.entry.name}` is for `{listener.hostname}`", listener.place.at("hostname"))
            for listener in listeners
        ),
        fix=f"use a hostname under {served}, or add a listener for {_listed(own)}",
    )
