"""ACME challenges: whether the Ingress or HTTPRoute that cert-manager makes for one would be served at the host's address.

cert-manager/cert-manager:pkg/issuer/acme/http/{ingress,httproute}.go. A challenge gets an Ingress of its own, of the
solver's class, unless the solver names one to edit; the annotations of the Ingress that asks for the certificate may say
otherwise (pkg/controller/certificate-shim/sync.go and pkg/apis/acme/v1/types.go). Let's Encrypt asks on port 80.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Final, NamedTuple

from ingress_lint.controllers.refusals.ingress_classes import CLASS_ANNOTATION, IngressClasses, class_place
from ingress_lint.controllers.registry import INGRESS, REGISTRY
from ingress_lint.controllers.shared.base import Claim, IngressObject
from ingress_lint.controllers.shared.classes.declared import declared_controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.cert_manager import Certificate, IngressSolver, Issuer, SolverParent
from ingress_lint.objects.gateway import Gateway, GatewayListener, ListenerSet
from ingress_lint.objects.group_kind import GATEWAY, GroupKind
from ingress_lint.objects.group_kind import INGRESS as INGRESS_KIND
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Reason, Verdict

_EDIT_IN_PLACE: Final = "acme.cert-manager.io/http01-edit-in-place"
_CLASS_OVERRIDES: Final = (
    ("acme.cert-manager.io/http01-ingress-ingressclassname", True),
    ("acme.cert-manager.io/http01-ingress-class", False),
)
_UNISSUED: Final = "so that no certificate is issued, and browsers warn of the gateway's own"
_REDIRECTING: Final = frozenset({GroupKind("networking.istio.io", "Gateway")})
"""Kinds whose redirects come before every route."""
_SOLVER: Final = ("spec", "acme", "solvers")


class _Class(NamedTuple):
    """The class that the Ingress of a challenge gets."""

    name: str
    by_field: bool
    place: Place


class _Asking(NamedTuple):
    """An Ingress whose certificate an issuer issues."""

    claim: Claim
    place: Place

    @property
    def ingress(self) -> IngressObject:
        """The Ingress."""
        return self.claim.ingress


class Solvers:
    """The HTTP-01 solvers of one graph."""

    def __init__(self, graph: ObjectGraph, classes: IngressClasses) -> None:
        self._graph = graph
        self._classes = classes

    def verdicts(self, claims: Sequence[Claim], routes: Sequence[Route]) -> Iterator[Verdict]:
        """What keeps challenges from being answered."""
        for issuer in self._graph.of(Issuer):
            solvers = issuer.body.spec.acme.solvers if issuer.body.spec.acme else ()
            asking = _asking(issuer, claims) if len(solvers) == 1 else ()
            if len(solvers) == 1:
                yield from self._redirected(issuer, asking, routes)
            for index, solver in enumerate(solvers):
                place = issuer.at(*_SOLVER, index, "http01")
                if solver.http01 and solver.http01.ingress:
                    yield from self._ingress(issuer, solver.http01.ingress, place.at("ingress"), asking, routes)
                elif solver.http01 and solver.http01.gateway_route:
                    for number, parent in enumerate(solver.http01.gateway_route.parent_refs):
                        yield from self._gateway(issuer, parent, place.at("gatewayHTTPRoute", "parentRefs", number))

    def _redirected(
        self, issuer: KubernetesObject[Issuer], asking: Sequence[_Asking], routes: Sequence[Route]
    ) -> Iterator[Verdict]:
        """Challenges that a gateway redirects to HTTPS before it looks at any route.

        The ACME server follows there, where the challenge's Ingress is not served (istio/istio: issues 27643, 33593).
        """
        solver = issuer.body.spec.acme.solvers[0].http01 if issuer.body.spec.acme else None
        place = issuer.at(*_SOLVER, 0, "http01", "ingress")
        wanted = _class_of(solver.ingress, place) if solver and solver.ingress else None
        if wanted is None:
            return
        serving = self._serving(wanted)
        hosts = {host.lower() for item in asking for block in item.ingress.body.spec.tls for host in block.hosts}
        hosts |= {host.lower() for host in self._certified(issuer)}
        for route in routes:
            if route.owner.group_kind not in _REDIRECTING or route.controller.value not in serving:
                continue
            redirect = next((item for item in route.filters if isinstance(item, RequestRedirect)), None)
            if redirect is None or redirect.scheme != "https":
                continue
            caught = sorted({host for name in route.hostnames for host in _of_pattern(name.value.lower(), hosts)})
            if caught:
                yield Verdict(
                    Reason.SOLVER_UNREACHABLE,
                    route.owner,
                    redirect.place,
                    f"{route.owner.kind} `{route.owner.name}` redirects every request for `{caught[0]}` to HTTPS before it "
                    f"looks at routes, and {issuer.kind} `{issuer.name}` answers challenges by an Ingress of class "
                    f"`{wanted.name}`, which is served by plain HTTP alone; challenges end there with 404 or a failed "
                    f"handshake, {_UNISSUED}",
                    related=(("the solver", wanted.place),),
                    fix="redirect in the VirtualService instead, for all paths but /.well-known/acme-challenge/; or solve by "
                    "DNS-01",
                )

    def _certified(self, issuer: KubernetesObject[Issuer]) -> Iterator[str]:
        """The hosts of the Certificates that an issuer issues."""
        for certificate in self._graph.of(Certificate):
            reference = certificate.body.spec.issuer_ref
            if (reference.name, reference.kind) == (issuer.name, issuer.kind) and issuer.namespace in (
                "",
                certificate.namespace,
            ):
                yield from certificate.body.spec.dns_names or ()

    # -- Ingresses ----------------------------------------------------------------------------------------------------

    def _ingress(
        self,
        issuer: KubernetesObject[Issuer],
        solver: IngressSolver,
        place: Place,
        asking: Sequence[_Asking],
        routes: Sequence[Route],
    ) -> Iterator[Verdict]:
        if solver.name:
            yield from self._named(issuer, solver.name, place.at("name"))
            return
        own = _class_of(solver, place)
        elsewhere = False
        for item in asking:
            if item.ingress.annotations.get(_EDIT_IN_PLACE) == "true":
                continue
            found = self._at_another(issuer, _overridden(item.ingress) or own, item)
            if found is not None:
                elsewhere = True
                yield found
            elif not solver.ingress_template:
                yield from self._at_its_own(issuer, _overridden(item.ingress) or own, item, routes)
        if not elsewhere:
            yield from self._unserved(issuer, own, place)

    def _named(self, issuer: KubernetesObject[Issuer], name: str, place: Place) -> Iterator[Verdict]:
        spaces = [issuer.namespace] if issuer.namespace else list(self._graph.namespaces_of(INGRESS_KIND))
        found = [self._graph.resolve(INGRESS_KIND, space, name).existence for space in spaces]
        if found and all(existence is Existence.MISSING for existence in found):
            where = f"which namespace `{issuer.namespace}` does not have" if issuer.namespace else "which is not there"
            yield Verdict(
                Reason.SOLVER_UNREACHABLE,
                issuer,
                place,
                f"{issuer.kind} `{issuer.name}` answers challenges by Ingress `{name}`, {where}; they get 404, {_UNISSUED}",
                fix="name an Ingress that exists, or a class for which cert-manager makes one",
            )

    def _at_another(self, issuer: KubernetesObject[Issuer], wanted: _Class | None, item: _Asking) -> Verdict | None:
        """Challenges of a class that another controller serves than the one that the host leads to."""
        serving = item.claim.controller
        if wanted is None or serving.origin is Origin.DEFAULT or wanted.name == _class_name(item.ingress):
            return None
        others = self._serving(wanted)
        if (
            serving.value == INGRESS
            or not others
            or serving.value in others
            or not others.isdisjoint(item.claim.rivals)
        ):
            return None
        title = REGISTRY[serving.value].controller.title
        theirs = " or ".join(sorted(REGISTRY[name].controller.title for name in others))
        return Verdict(
            Reason.SOLVER_UNREACHABLE,
            issuer if wanted.place.document is issuer.document else item.ingress,
            wanted.place,
            f"{issuer.kind} `{issuer.name}` answers challenges by an Ingress of class `{wanted.name}`, which {theirs} "
            f"serves, but Ingress `{item.ingress.name}` brings {_hosts(item.ingress)} to {title}; challenges get 404 "
            f"there, {_UNISSUED}",
            related=(("the Ingress that asks for the certificate", class_place(item.ingress)),),
            fix=f"solve by the class of Ingress `{item.ingress.name}`",
        )

    def _at_its_own(
        self, issuer: KubernetesObject[Issuer], wanted: _Class | None, item: _Asking, routes: Sequence[Route]
    ) -> Iterator[Verdict]:
        """Challenges whose Ingress gets a load balancer of its own, where each Ingress has one."""
        serving, ingress = item.claim.controller, item.ingress
        if REGISTRY[serving.value].controller.shared or serving.origin is Origin.DEFAULT:
            return
        if wanted is not None and not any(
            serving.value in self._serving(wanted._replace(by_field=by_field)) for by_field in (True, False)
        ):
            return
        alone = f"{ingress.namespace}/{ingress.name}"
        listeners = (listener for route in routes if route.owner is ingress for listener in route.listeners)
        first = next(listeners, None)
        if first is None or first.instance != alone:
            return
        yield Verdict(
            Reason.SOLVER_UNREACHABLE,
            ingress,
            item.place,
            f"{issuer.kind} `{issuer.name}` answers challenges by a new Ingress, for which "
            f"{REGISTRY[serving.value].controller.title} makes another load balancer if any, but clients of {_hosts(ingress)} "
            f"come to that of Ingress `{ingress.name}`; challenges get 404 there, {_UNISSUED}",
            related=(("the solver", wanted.place if wanted else issuer.at(*_SOLVER, 0, "http01", "ingress")),),
            fix=f'set `{_EDIT_IN_PLACE}: "true"` on the Ingress, or name the Ingress in the solver',
        )

    def _unserved(self, issuer: KubernetesObject[Issuer], wanted: _Class | None, place: Place) -> Iterator[Verdict]:
        """A class that nobody serves, or none where nobody takes that."""
        if wanted is not None:
            certainty = self._classes.missing(wanted.name, by_field=wanted.by_field)
            what, place = f"an Ingress of class `{wanted.name}`", wanted.place
        else:
            certainty = self._classes.refuses_classless() if self._graph.ingress_classes else None
            what = "an Ingress without a class"
        if certainty is None:
            return
        defined = self._classes.defined
        yield Verdict(
            Reason.SOLVER_UNREACHABLE,
            issuer,
            place,
            f"{issuer.kind} `{issuer.name}` answers challenges by {what}, and these manifests define only {defined}"
            f"{'' if wanted else ', of which none is the default'}; no controller takes it and challenges get 404, "
            f"{_UNISSUED}",
            certainty,
            tuple((f"IngressClass `{item.name}`", item.name_place) for item in self._graph.ingress_classes.values()),
            "name the class whose controller the hosts lead to (`ingressClassName`)",
        )

    def _serving(self, wanted: _Class) -> frozenset[str]:
        """The controllers that may serve a class."""
        declared = declared_controller(self._graph, wanted.name)
        if declared is not None:
            return frozenset({declared})
        defined = self._graph.ingress_classes.get(wanted.name)
        return frozenset(
            name
            for name, found in REGISTRY.items()
            if (
                found.claims_controller(defined.body.spec.controller)
                if defined is not None
                else found.claims_class(wanted.name, by_field=wanted.by_field)
            )
        )

    # -- Gateways -----------------------------------------------------------------------------------------------------

    def _gateway(self, issuer: KubernetesObject[Issuer], parent: SolverParent, place: Place) -> Iterator[Verdict]:
        graph, space = self._graph, parent.namespace or issuer.namespace
        if parent.kind != "Gateway" or not parent.name:
            return
        spaces = [space] if space else list(graph.namespaces_of(GATEWAY))
        found = [graph.resolve(GATEWAY, name, parent.name) for name in spaces]
        gateway = next((item.object for item in found if item.object is not None), None)
        why = fix = ""
        related: tuple[tuple[str, Place], ...] = ()
        if gateway is None:
            if found and all(item.missing for item in found):
                why = f"which namespace `{space}` does not have" if space else "which is not there"
                fix = "name a Gateway that exists, with its namespace"
        elif isinstance(gateway.body, Gateway):
            related = (("the Gateway", gateway.name_place),)
            plain = [item for item in gateway.body.spec.listeners if item.protocol == "HTTP"]
            named = [item for item in gateway.body.spec.listeners if item.name == parent.section_name]
            if parent.section_name and not named and not self._has_more_listeners:
                why = f"which has no listener `{parent.section_name}`"
                fix = "name its listener for plain HTTP"
            elif not plain and not self._has_more_listeners:
                why = "which has no listener for plain HTTP, where challenges are asked"
                fix = "add a listener of protocol HTTP on port 80"
            elif issuer.namespace and issuer.namespace != gateway.namespace and _closed(plain):
                why = f"whose listeners for plain HTTP take no routes of namespace `{issuer.namespace}`"
                fix = "allow routes of that namespace (`allowedRoutes.namespaces`)"
        if why:
            yield Verdict(
                Reason.SOLVER_UNREACHABLE,
                issuer,
                place.at("sectionName" if "no listener `" in why else "name"),
                f"{issuer.kind} `{issuer.name}` answers challenges through Gateway `{parent.name}`, {why}; they get 404 or "
                f"no answer, {_UNISSUED}",
                related=related,
                fix=fix,
            )

    @property
    def _has_more_listeners(self) -> bool:
        """Whether objects beside Gateways add listeners."""
        return any(True for _ in self._graph.of(ListenerSet))


def _of_pattern(pattern: str, hosts: Set[str]) -> Iterable[str]:
    """The hosts that a listener's name stands for."""
    if not hostnames.for_many(pattern):
        return {pattern} & hosts
    return (host for host in hosts if hostnames.matches(pattern, host))


def _asking(issuer: KubernetesObject[Issuer], claims: Iterable[Claim]) -> Sequence[_Asking]:
    """The Ingresses that an issuer issues certificates for."""
    key = f"cert-manager.io/{'issuer' if issuer.kind == 'Issuer' else 'cluster-issuer'}"
    return [
        _Asking(claim, claim.ingress.annotation_place(key))
        for claim in claims
        if claim.ingress.annotations.get(key) == issuer.name
        and issuer.namespace in ("", claim.ingress.namespace)
        and claim.ingress.body.spec.tls
    ]


def _class_of(solver: IngressSolver, place: Place) -> _Class | None:
    if solver.ingress_class_name:
        return _Class(solver.ingress_class_name, True, place.at("ingressClassName"))
    return _Class(solver.class_name, False, place.at("class")) if solver.class_name else None


def _overridden(ingress: IngressObject) -> _Class | None:
    """The class of challenges that the Ingress itself asks for."""
    return next(
        (
            _Class(ingress.annotations[key], by_field, ingress.annotation_place(key))
            for key, by_field in _CLASS_OVERRIDES
            if ingress.annotations.get(key)
        ),
        None,
    )


def _class_name(ingress: IngressObject) -> str:
    return ingress.body.spec.ingress_class_name or ingress.annotations.get(CLASS_ANNOTATION, "")


def _hosts(ingress: IngressObject) -> str:
    names = [f"`{host}`" for block in ingress.body.spec.tls for host in block.hosts]
    return " and ".join(names[:2]) or "its hosts"


def _closed(listeners: Iterable[GatewayListener]) -> bool:
    """Whether listeners take routes of their own namespace only."""
    return all(item.allowed_routes.namespaces.from_ == "Same" for item in listeners)
