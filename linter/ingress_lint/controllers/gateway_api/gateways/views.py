"""Gateways: their class, their listeners with those of ListenerSets, and which of these clash or cannot open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.gateway_api.gateways.class_evidence import ClassEvidence
from ingress_lint.controllers.gateway_api.gateways.frontend_tls import FrontendTLS
from ingress_lint.controllers.gateway_api.gateways.listeners import (
    ROUTE_KINDS,
    BoundListener,
    Declarer,
    conflict_of,
    conflict_verdict,
    kind_verdicts,
    protocol_verdicts,
)
from ingress_lint.controllers.gateway_api.selection import Answer, namespace_selected
from ingress_lint.controllers.shared.classes.declared import SAID, declared_implementation
from ingress_lint.controllers.shared.classes.installed_classes import brings_gateway_class
from ingress_lint.controllers.shared.implementations import (
    SPECIFICATION,
    Implementation,
    by_class_name,
    by_controller_name,
)
from ingress_lint.controllers.shared.references import References, Site
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.objects.gateway import Gateway, GatewayClass, ListenerEntry, ListenerSet
from ingress_lint.objects.group_kind import GATEWAY, GATEWAY_CLASS, GroupKind
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.listeners import Frontend, Listener, ListenerTLS
from ingress_lint.routes.matching import age
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_ADDRESS_TYPES: Final = ("IPAddress", "Hostname", "NamedAddress")
"""kubernetes-sigs/gateway-api:apis/v1/shared_types.go, AddressType"""
_CERTMAP_ANNOTATION: Final = "networking.gke.io/certmap"


class GatewayView(Struct, frozen=True, eq=False):
    """A Gateway as its implementation sees it."""

    gateway: KubernetesObject[Gateway]
    implementation: Implementation
    class_source: Sourced[str]
    """Which implementation serves it, and how that is known."""
    listeners: tuple[BoundListener, ...]

    @property
    def frontend(self) -> Frontend:
        """What clients connect to."""
        return Frontend(
            self.gateway,
            tuple(listener.model for listener in self.listeners),
            isolated=self.implementation.isolated_listeners,
            opens_unused=self.implementation.opens_unused,
        )


class Gateways:
    """Every Gateway of a graph; `verdicts` holds what is wrong with them."""

    def __init__(self, graph: ObjectGraph, references: References) -> None:
        self._graph = graph
        self._references = references
        self._classes = {item.name: item for item in graph.of(GatewayClass)}
        self.by_name = {(item.namespace, item.name): item for item in graph.of(Gateway)}
        self._class_evidence = ClassEvidence(self.by_name.values(), graph)
        self.listener_sets = {(item.kind, item.namespace, item.name): item for item in graph.of(ListenerSet)}
        self.verdicts: list[Verdict] = []
        self.accepted_sets: set[KubernetesObject[ListenerSet]] = set()
        sets = self._sets_by_gateway()
        self.views = tuple(self._view(gateway, sets.get(gateway, ())) for gateway in self.by_name.values())
        self._declared: defaultdict[Declarer, list[tuple[GatewayView, BoundListener]]] = defaultdict(list)
        for view in self.views:
            for listener in view.listeners:
                self._declared[listener.declarer].append((view, listener))

    def declared_by(self, declarer: Declarer) -> Sequence[tuple[GatewayView, BoundListener]]:
        """The listeners that an object declares, each with its Gateway."""
        return self._declared.get(declarer, ())

    def existence(self, kind: GroupKind, namespace: str, name: str) -> Existence:
        """Whether a Gateway or ListenerSet exists; an Istio Gateway of the same name is another kind of object."""
        known = self.by_name if kind == GATEWAY else {key[1:]: item for key, item in self.listener_sets.items()}
        existence = self._graph.resolve(kind, namespace, name).existence
        if (namespace, name) in known:
            return Existence.FOUND
        if existence is Existence.EXTERNAL or self._graph.context.assume == "complete":
            return Existence.MISSING if existence is Existence.FOUND else existence
        if existence is Existence.PARTIAL:
            return Existence.PARTIAL
        return Existence.MISSING if any(key[0] == namespace for key in known) else Existence.PARTIAL

    # -- gateways and their classes ---------------------------------------------------------------------------------

    def _view(self, gateway: KubernetesObject[Gateway], sets: Sequence[KubernetesObject[ListenerSet]]) -> GatewayView:
        implementation, source = self._implementation(gateway)
        frontend_tls = FrontendTLS(gateway, self._references)
        self._check_parameters(gateway, implementation)
        self._check_addresses(gateway)
        self.verdicts += frontend_tls.backend_verdicts()
        kept: list[BoundListener] = []
        taken = sets if implementation.listener_sets else ()
        self.verdicts += [_unread_set(item, gateway, implementation) for item in sets if item not in taken]
        declarers: tuple[Declarer, ...] = (gateway, *taken)
        for declarer in declarers:
            bound = [
                self._bind(gateway, declarer, index, entry, implementation, frontend_tls)
                for index, entry in enumerate(declarer.body.spec.listeners)
            ]
            kept += self._without_conflicts(bound, kept)
        return GatewayView(gateway, implementation, source, tuple(kept))

    def _implementation(self, gateway: KubernetesObject[Gateway]) -> tuple[Implementation, Sourced[str]]:
        name = gateway.body.spec.gateway_class_name
        place = gateway.at("spec", "gatewayClassName")
        declared = declared_implementation(self._graph, name)
        if declared is not None:
            return declared, Sourced(declared.name, Origin.EXPLICIT, place, f"class {name}, {SAID}")
        defined, existence = self._classes.get(name), self._graph.resolve(GATEWAY_CLASS, "", name).existence
        if defined is not None:
            found = by_controller_name(defined.body.spec.controller_name)
            where = defined.at("spec", "controllerName")
            return found, Sourced(found.name, Origin.EXPLICIT, where, f"class {name}")
        found = by_class_name(name)
        told = self._class_evidence.of(name) if found is SPECIFICATION else None
        if _may_be_missing(name, existence, found):
            known = ", ".join(f"`{item}`" for item in self._classes)
            self.verdicts.append(
                Verdict(
                    Reason.NO_GATEWAY_CLASS,
                    gateway,
                    place,
                    f"Gateway `{gateway.name}` is of class `{name}`, which these manifests do not define"
                    + (f" although they define {known}" if known else "")
                    + "; a Gateway without its class gets no address, and clients cannot connect",
                    self._class_certainty(existence, found),
                    tuple((f"GatewayClass `{item.name}`", item.name_place) for item in self._classes.values()),
                    f"name one of {known}, or add GatewayClass `{name}`" if known else f"add GatewayClass `{name}`",
                )
            )
        if told is not None:
            source = Sourced(told.implementation.name, Origin.DERIVED, told.place, f"class {name}, and {told.why}")
            return told.implementation, source
        origin = Origin.DEFAULT if found is SPECIFICATION else Origin.DERIVED
        return found, Sourced(found.name, origin, place, f"class {name}")

    def _class_certainty(self, existence: Existence, found: Implementation) -> Certainty:
        """A class that an implementation's installation makes by itself is seldom in the set."""
        if self._graph.context.assume == "complete":
            return Certainty.KNOWN if not self._classes or found is SPECIFICATION else Certainty.UNKNOWN
        return Certainty.KNOWN if existence is Existence.MISSING and found is SPECIFICATION else Certainty.UNKNOWN

    def _check_parameters(self, gateway: KubernetesObject[Gateway], implementation: Implementation) -> None:
        infrastructure = gateway.body.spec.infrastructure
        reference = infrastructure.parameters_ref if infrastructure else None
        if reference is None:
            return
        resolution = self._graph.resolve(GroupKind(reference.group, reference.kind), gateway.namespace, reference.name)
        if resolution.existence in (Existence.MISSING, Existence.PARTIAL):
            certainty = Certainty.of_missing(resolution.existence)
            end = "without it the Gateway is not accepted, and clients cannot connect"
            of_class = self._classes.get(gateway.body.spec.gateway_class_name)
            if implementation.parameters_of_class and of_class and of_class.mapping("spec", "parametersRef"):
                certainty, end = Certainty.UNKNOWN, "those of its class count instead"
            self.verdicts.append(
                Verdict(
                    Reason.INVALID_PARAMETERS,
                    gateway,
                    gateway.at("spec", "infrastructure", "parametersRef", "name"),
                    f"Gateway `{gateway.name}` takes its parameters from {reference.kind} `{reference.name}`, which "
                    f"namespace `{gateway.namespace}` does not have; {end}",
                    certainty,
                    fix=f"add {reference.kind} `{reference.name}`, or drop `parametersRef`",
                )
            )

    def _check_addresses(self, gateway: KubernetesObject[Gateway]) -> None:
        """Types of addresses are standard, or begin with the domain of the implementation whose own they are."""
        for index, address in enumerate(gateway.body.spec.addresses):
            domain, slash, _ = address.type.partition("/")
            if address.type in _ADDRESS_TYPES:
                continue
            known, owner = f"{', '.join(_ADDRESS_TYPES[:-1])} or {_ADDRESS_TYPES[-1]}", ""
            if slash:
                defined = self._classes.get(gateway.body.spec.gateway_class_name)
                owner = defined.body.spec.controller_name.partition("/")[0] if defined else ""
                if not owner or f".{domain}".endswith(f".{owner}") or f".{owner}".endswith(f".{domain}"):
                    continue
            why = f"which `{owner}`, who serves it, does not know" if owner else f"and the types are {known}"
            self.verdicts.append(
                Verdict(
                    Reason.UNSUPPORTED_ADDRESS,
                    gateway,
                    gateway.at("spec", "addresses", index, "type"),
                    f"Gateway `{gateway.name}` asks for an address of type `{address.type}`, {why}; the Gateway is not "
                    f"accepted, and clients cannot connect",
                    Certainty.LIKELY if owner else Certainty.KNOWN,
                    fix=f"use type {known}, or drop the address",
                )
            )

    # -- ListenerSets -----------------------------------------------------------------------------------------------

    def _sets_by_gateway(self) -> Mapping[KubernetesObject[Gateway], list[KubernetesObject[ListenerSet]]]:
        found: defaultdict[KubernetesObject[Gateway], list[KubernetesObject[ListenerSet]]] = defaultdict(list)
        for item in sorted(self.listener_sets.values(), key=age):
            reference = item.body.spec.parent_ref
            if (reference.group, reference.kind) != (GATEWAY_GROUP, "Gateway"):
                continue
            namespace = reference.namespace or item.namespace
            gateway = self.by_name.get((namespace, reference.name))
            if gateway is None:
                self._report_missing_gateway(item, namespace, reference.name)
            elif self._allows_set(gateway, item):
                self.accepted_sets.add(item)
                found[gateway].append(item)
        return found

    def _report_missing_gateway(self, item: KubernetesObject[ListenerSet], namespace: str, name: str) -> None:
        existence = self.existence(GATEWAY, namespace, name)
        if existence is not Existence.EXTERNAL:
            self.verdicts.append(
                Verdict(
                    Reason.NO_MATCHING_PARENT,
                    item,
                    item.at("spec", "parentRef", "name"),
                    f"{item.kind} `{item.name}` adds listeners to Gateway `{name}`, which namespace `{namespace}` does "
                    f"not have; nobody opens them, and clients cannot connect",
                    Certainty.of_missing(existence),
                    fix=f"name a Gateway that exists, or add `{name}` to namespace `{namespace}`",
                )
            )

    def _allows_set(self, gateway: KubernetesObject[Gateway], item: KubernetesObject[ListenerSet]) -> bool:
        allowed = gateway.body.spec.allowed_listeners.namespaces
        answer = namespace_selected(self._graph, allowed.from_, allowed.selector, gateway.namespace, item.namespace)
        if answer is not Answer.NO:
            return True
        of = {
            "None": "takes no ListenerSets, which it must allow under `allowedListeners`",
            "Same": f"takes ListenerSets of its own namespace `{gateway.namespace}` only",
        }.get(allowed.from_, "takes ListenerSets of selected namespaces only")
        self.verdicts.append(
            Verdict(
                Reason.NOT_ALLOWED,
                item,
                item.at("spec", "parentRef"),
                f"{item.kind} `{item.name}` of namespace `{item.namespace}` adds listeners to Gateway "
                f"`{gateway.name}`, which {of}; nobody opens them, and clients cannot connect",
                related=((f"Gateway `{gateway.name}`", gateway.at("spec", "allowedListeners")),),
                fix=f"set `allowedListeners.namespaces.from` of Gateway `{gateway.name}` so that it takes "
                f"namespace `{item.namespace}`",
            )
        )
        return False

    # -- listeners --------------------------------------------------------------------------------------------------

    def _bind(
        self,
        gateway: KubernetesObject[Gateway],
        declarer: Declarer,
        index: int,
        entry: ListenerEntry,
        implementation: Implementation,
        frontend_tls: FrontendTLS,
    ) -> BoundListener:
        place = declarer.at("spec", "listeners", index)
        protocol = entry.protocol.upper() if entry.protocol.upper() in ROUTE_KINDS else entry.protocol
        model = Listener(
            gateway=f"Gateway {gateway.name}",
            port=Sourced(entry.port, Origin.EXPLICIT, place.at("port")),
            protocol=Sourced(protocol, Origin.EXPLICIT, place.at("protocol")),
            hostname=Sourced(entry.hostname, Origin.EXPLICIT, place.at("hostname")) if entry.hostname else None,
            instance=f"{gateway.namespace}/{gateway.name}",
            name=entry.name,
            place=place,
            misdirected=implementation.misdirected,
        )
        site = Site(declarer, place, entry.name)
        verdicts = list(protocol_verdicts(site, entry, protocol, implementation, gateway.body.spec.gateway_class_name))
        usable = not verdicts
        mode: Literal["Terminate", "Passthrough"] = (entry.tls.mode if entry.tls else None) or "Terminate"
        if protocol in ("HTTPS", "TLS"):
            elsewhere = self._may_have_own_certificates(gateway, implementation)
            certificates, faults, opens = frontend_tls.certificates(site, entry, mode, elsewhere)
            usable = usable and opens
            clients, client_faults = frontend_tls.clients(site, entry, protocol)
            verdicts += [*faults, *client_faults]
            origin = Origin.EXPLICIT if entry.tls and entry.tls.mode else Origin.DEFAULT
            source = Sourced(mode, origin, place.at("tls", "mode"))
            model = replace(model, tls=ListenerTLS(source, certificates, clients))
        bound = BoundListener(gateway, declarer, entry, replace(model, usable=usable))
        self.verdicts += [*verdicts, *kind_verdicts(site, bound)]
        return bound

    def _may_have_own_certificates(
        self, gateway: KubernetesObject[Gateway], implementation: Implementation
    ) -> bool | None:
        """Whether a Gateway may get certificates that no listener names; None where nobody knows what serves it."""
        if implementation.own_certificates or _CERTMAP_ANNOTATION in gateway.annotations:
            return True
        unknown = implementation is SPECIFICATION and gateway.body.spec.gateway_class_name not in self._classes
        return None if unknown else False

    def _without_conflicts(
        self, bound: Sequence[BoundListener], earlier: Sequence[BoundListener]
    ) -> list[BoundListener]:
        """One object's listeners, those in conflict marked unusable: earlier objects win, within one nobody does."""
        losers: dict[BoundListener, tuple[Reason, BoundListener]] = {}
        standing = [listener for listener in earlier if listener.model.usable]
        for listener in bound:
            if conflict := conflict_of(listener, standing):
                losers[listener] = conflict
        rest = [listener for listener in bound if listener not in losers]
        for listener in rest:
            if conflict := conflict_of(listener, (other for other in rest if other is not listener)):
                losers[listener] = conflict
        for listener, (reason, other) in losers.items():
            self.verdicts.append(conflict_verdict(listener, reason, other))
        return [
            replace(listener, model=replace(listener.model, usable=False)) if listener in losers else listener
            for listener in bound
        ]


def _may_be_missing(name: str, existence: Existence, found: Implementation) -> bool:
    """Whether to say that a class is not there; one that an installation makes is not asked for in a set without any."""
    if brings_gateway_class(name):
        return False
    return existence is Existence.MISSING or (existence is Existence.PARTIAL and found is SPECIFICATION)


def _unread_set(
    item: KubernetesObject[ListenerSet], gateway: KubernetesObject[Gateway], implementation: Implementation
) -> Verdict:
    return Verdict(
        Reason.NOT_ALLOWED,
        item,
        item.at("spec", "parentRef"),
        f"{item.kind} `{item.name}` adds listeners to Gateway `{gateway.name}`, and {implementation.title} does not read "
        f"{item.kind}s; nobody opens them, and clients cannot connect",
        fix=f"write the listeners into Gateway `{gateway.name}`",
    )
