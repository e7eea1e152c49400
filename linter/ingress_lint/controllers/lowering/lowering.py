"""Graph to routes: decides which controller serves each object, and lets that controller lower what it claims."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.aws.controller import AWSLoadBalancerController
from ingress_lint.controllers.azure.controller import ApplicationGatewayIngressController
from ingress_lint.controllers.azure.load_balancer import AzureLoadBalancer
from ingress_lint.controllers.cilium.controller import Cilium
from ingress_lint.controllers.contour.controller import Contour
from ingress_lint.controllers.digitalocean.controller import DigitalOceanLoadBalancer
from ingress_lint.controllers.gateway_api.controller import GatewayAPI
from ingress_lint.controllers.google.controller import GKEIngress
from ingress_lint.controllers.google.network_load_balancer import GoogleNetworkLoadBalancer
from ingress_lint.controllers.haproxy.community.controller import HAProxyIngress
from ingress_lint.controllers.haproxy.technologies.controller import HAProxy
from ingress_lint.controllers.ingress_nginx.controller import IngressNginx
from ingress_lint.controllers.istio.controller import Istio
from ingress_lint.controllers.kong.controller import Kong
from ingress_lint.controllers.lowering.fronts import with_fronts
from ingress_lint.controllers.nginx_inc.controller import NginxIngressController
from ingress_lint.controllers.oracle.controller import OracleLoadBalancer
from ingress_lint.controllers.plain_ingress.controller import PlainIngress
from ingress_lint.controllers.refusals.annotation_owners import AnnotationOwners
from ingress_lint.controllers.refusals.annotations import AnnotationVerdicts
from ingress_lint.controllers.refusals.ingress_classes import (
    CLASS_ANNOTATION,
    CLASS_FLAGS,
    DEFAULT_CLASS_ANNOTATION,
    IngressClasses,
    class_options,
)
from ingress_lint.controllers.refusals.misplaced_settings import MisplacedSettings
from ingress_lint.controllers.refusals.resource_backends import resource_verdicts
from ingress_lint.controllers.refusals.retirement import retirement_verdicts
from ingress_lint.controllers.shared.base import Claim, Controller, IngressObject
from ingress_lint.controllers.shared.certificates import certificate_verdicts
from ingress_lint.controllers.traefik.controller import Traefik
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import Frontend, ProxyPort
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Verdict

CONTROLLERS: Final[Mapping[str, Controller]] = {
    controller.name: controller
    for controller in (
        IngressNginx(),
        AWSLoadBalancerController(),
        GKEIngress(),
        ApplicationGatewayIngressController(),
        Traefik(),
        HAProxyIngress(),
        HAProxy(),
        NginxIngressController(),
        Kong(),
        Contour(),
        Istio(),
        Cilium(),
        PlainIngress(),
        GatewayAPI(),
        AzureLoadBalancer(),
        DigitalOceanLoadBalancer(),
        GoogleNetworkLoadBalancer(),
        OracleLoadBalancer(),
    )
}
_OWNERS: Final = AnnotationOwners(CONTROLLERS.values())
_FALLBACK: Final = "ingress-nginx"
_WORD: Final = re.compile(r"[a-z0-9]+")


class Lowered(Struct, frozen=True):
    """What all controllers together make of a set."""

    routes: tuple[Route, ...]
    verdicts: tuple[Verdict, ...]
    frontends: tuple[Frontend, ...]


def lower(graph: ObjectGraph, preferred: str | None = None) -> Lowered:
    """Every route of a set. `preferred` names the controller of objects whose class says nothing."""
    claims: defaultdict[str, list[Claim]] = defaultdict(list)
    chooser = _Chooser(graph, preferred)
    for ingress in graph.ingresses:
        controller = chooser.choose(ingress)
        claims[controller.value].append(Claim(ingress, controller, chooser.rivals(ingress, controller.value)))
    backends = BackendResolver(graph)
    controllers = {name: found for name, found in CONTROLLERS.items() if found.concerned(graph, claims[name])}
    lowered = {
        name: chooser.with_proxies(name, found.lower(graph, claims[name], backends))
        for name, found in controllers.items()
    }
    routes = with_fronts(graph, lowered)
    classes = IngressClasses(graph, CONTROLLERS, chooser.running)
    annotations = AnnotationVerdicts(graph, CONTROLLERS, _OWNERS)
    claimed = [claim for own in claims.values() for claim in own]
    every_route = tuple(route for own in routes.values() for route in own)
    return Lowered(
        every_route,
        (
            *classes.verdicts(claimed, preferred),
            *annotations.verdicts(claimed, every_route),
            *MisplacedSettings(graph, _OWNERS).verdicts(),
            *_solver_verdicts(graph, classes, claimed, every_route),
            *retirement_verdicts((CONTROLLERS[name], own) for name, own in claims.items()),
            *resource_verdicts((CONTROLLERS[name], claim) for name, own in claims.items() for claim in own),
            *(verdict for found in controllers.values() for verdict in found.verdicts(graph, backends)),
            *certificate_verdicts(
                graph, (route for name, own in routes.items() if name != GatewayAPI.name for route in own)
            ),
        ),
        tuple(frontend for found in controllers.values() for frontend in found.frontends(graph, backends)),
    )


def _solver_verdicts(
    graph: ObjectGraph, classes: IngressClasses, claims: Sequence[Claim], routes: Sequence[Route]
) -> Iterator[Verdict]:
    """What keeps ACME challenges from being answered, where the set has issuers."""
    if "cert-manager.io" in graph.groups:
        from ingress_lint.controllers.refusals.acme import Solvers

        yield from Solvers(graph, CONTROLLERS, classes).verdicts(claims, routes)


@lru_cache(4096)
def _claiming(class_name: str, by_field: bool) -> tuple[str, ...]:
    """The controllers that serve a class of this name which no IngressClass defines."""
    return tuple(name for name, found in CONTROLLERS.items() if found.claims_class(class_name, by_field=by_field))


@lru_cache(4096)
def _hinted(key: str) -> tuple[str, ...]:
    """The controllers that an annotation of this key on an Ingress tells of."""
    return tuple(name for name, found in CONTROLLERS.items() if name != PlainIngress.name and found.hinted_by(key))


class _Chooser:
    """Which controller serves an Ingress: its class, else what its annotations tell, else what the set tells."""

    def __init__(self, graph: ObjectGraph, preferred: str | None) -> None:
        self._graph = graph
        self._preferred = preferred

    def choose(self, ingress: IngressObject) -> Sourced[str]:
        by_annotation = ingress.annotations.get(CLASS_ANNOTATION)
        by_field = ingress.body.spec.ingress_class_name
        if by_field:
            return self._of_class(ingress, by_field, by_field=True)
        if by_annotation:
            return self._of_class(ingress, by_annotation, by_field=False)
        if self._default_class is not None:
            item = self._graph.ingress_classes[self._default_class]
            name = self._by_controller_string(item.body.spec.controller) or PlainIngress.name
            return Sourced(name, Origin.DERIVED, item.annotation_place(DEFAULT_CLASS_ANNOTATION), "the default class")
        if self._preferred:
            return Sourced(self._preferred, Origin.DERIVED, ingress.name_place, "--controller")
        hinted = self._by_annotation_prefix(ingress)
        if hinted:
            return Sourced(hinted, Origin.DERIVED, ingress.name_place, "annotations that only it reads")
        by_service = self._by_services(ingress)
        if by_service:
            return by_service
        if len(self.running) == 1:
            name, place = next(iter(self.running.items()))
            return Sourced(name, Origin.DERIVED, place, "it is the one controller whose image the set runs")
        return Sourced(_FALLBACK, Origin.DEFAULT, ingress.name_place, "no class, and nothing else tells")

    def _of_class(self, ingress: IngressObject, class_name: str, *, by_field: bool) -> Sourced[str]:
        place = ingress.at("spec", "ingressClassName") if by_field else ingress.annotation_place(CLASS_ANNOTATION)
        defined = self._graph.ingress_classes.get(class_name)
        if defined is not None:
            name = self._by_controller_string(defined.body.spec.controller) or PlainIngress.name
            return Sourced(name, Origin.EXPLICIT, defined.at("spec", "controller"), f"class {class_name}")
        hinted = self._by_annotation_prefix(ingress)
        candidates = _claiming(class_name, by_field)
        if len(candidates) == 1:
            return Sourced(candidates[0], Origin.EXPLICIT, place, f"class {class_name}")
        if candidates:
            running = self._running_for(class_name, candidates)
            if len(running) == 1:
                return Sourced(running[0], Origin.EXPLICIT, place, f"class {class_name}, and its image is in the set")
            if hinted in candidates:
                return Sourced(hinted, Origin.EXPLICIT, place, f"class {class_name}")
            return Sourced(candidates[0], Origin.DERIVED, place, f"class {class_name}, which others use as well")
        if hinted and (not by_field or set(_WORD.findall(class_name)) & self._words(hinted)):
            return Sourced(hinted, Origin.DERIVED, place, f"class {class_name} and annotations that only it reads")
        return Sourced(PlainIngress.name, Origin.DERIVED, place, f"class {class_name}")

    def rivals(self, ingress: IngressObject, chosen: str) -> frozenset[str]:
        """The controllers that may serve an Ingress as well as the one chosen."""
        by_field = ingress.body.spec.ingress_class_name
        name = by_field or ingress.annotations.get(CLASS_ANNOTATION)
        others = (other for key in ingress.annotations for other in _hinted(key))
        if name:
            candidates = _claiming(name, bool(by_field))
            if name in self._graph.ingress_classes or len(self._running_for(name, candidates)) == 1:
                return frozenset()
            return frozenset(candidates or others) - {chosen}
        if self._default_class is not None or self._preferred:
            return frozenset()
        return frozenset(others) - {chosen}

    def _running_for(self, class_name: str, candidates: Sequence[str]) -> list[str]:
        """Those that the set runs, and not for another class."""
        return [
            name
            for name in candidates
            if name in self.running and (not self._classes_run[name] or class_name in self._classes_run[name])
        ]

    @staticmethod
    def _words(name: str) -> set[str]:
        """The words that a controller and the classes of its own go by, as far as `ingressClassName` may say them."""
        controller = CONTROLLERS[name]
        classes = (item for item in controller.class_names if controller.claims_class(item, by_field=True))
        return {word for text in (name, *classes) for word in _WORD.findall(text)}

    @staticmethod
    def _by_controller_string(text: str) -> str | None:
        return next((name for name, found in CONTROLLERS.items() if found.claims_controller(text)), None)

    @staticmethod
    def _by_annotation_prefix(ingress: IngressObject) -> str | None:
        counts = Counter(name for key in ingress.annotations for name in _hinted(key))
        return max(counts, key=lambda name: (counts[name], name)) if counts else None

    def _by_services(self, ingress: IngressObject) -> Sourced[str] | None:
        """The one controller whose own annotations the Services behind an Ingress carry."""
        found: dict[str, Sourced[str]] = {}
        for service in self._services(ingress):
            for key in service.annotations:
                for name, controller in CONTROLLERS.items():
                    if key.startswith(controller.service_hints):
                        why = f"an annotation of Service {service.name} that only it reads"
                        found.setdefault(name, Sourced(name, Origin.DERIVED, service.annotation_place(key), why))
        return next(iter(found.values())) if len(found) == 1 else None

    def _services(self, ingress: IngressObject) -> Iterator[KubernetesObject[Service]]:
        spec = ingress.body.spec
        backends = [path.backend for rule in spec.rules if rule.http for path in rule.http.paths]
        for backend in (*backends, spec.default_backend):
            reference = backend.reference() if backend else None
            service = self._graph.service(ingress.namespace, reference.service) if reference else None
            if service is not None:
                yield service

    @cached_property
    def running(self) -> Mapping[str, Place]:
        """The controllers that workloads of the set run, each with the place of its image."""
        return {name: container.at("image") for name, container in self._containers}

    def with_proxies(self, name: str, routes: Iterable[Route]) -> tuple[Route, ...]:
        """The routes of a controller with the workloads that run it, where these carry the requests."""
        routes = map(self._in_front, routes) if self._containers else routes
        if CONTROLLERS[name].outside:
            refused = CONTROLLERS[name].external_names_refused
            return tuple(replace(route, from_outside=True, external_names_refused=refused) for route in routes)
        proxies = (
            tuple(dict.fromkeys(container.workload for found, container in self._containers if found == name))
            if CONTROLLERS[name].proxies_itself
            else ()
        )
        return tuple(replace(route, proxies=proxies) for route in routes) if proxies else tuple(routes)

    def _in_front(self, route: Route) -> Route:
        """A route with what the proxies take that its backends lead to."""
        backends = tuple(replace(backend, proxy_port=self._proxy_port(backend)) for backend in route.backends)
        return route if all(backend.proxy_port is None for backend in backends) else replace(route, backends=backends)

    def _proxy_port(self, backend: BackendRef) -> ProxyPort | None:
        if len(backend.endpoints) != 1 or (number := backend.endpoints[0].number) is None:
            return None
        for name, container in self._containers:
            if container.workload == backend.endpoints[0].workload:
                return CONTROLLERS[name].proxy_port(container, number, self._graph)
        return None

    @cached_property
    def _containers(self) -> Sequence[tuple[str, WorkloadContainer]]:
        return [
            (name, container)
            for workload in self._graph.workloads
            for container in workload.containers
            for name, controller in CONTROLLERS.items()
            if controller.image is not None and controller.image.search(container.container.image)
        ]

    @cached_property
    def _classes_run(self) -> Mapping[str, set[str]]:
        """The classes that the controllers of the set are told to serve, none where they keep to their default."""
        found: dict[str, set[str]] = {name: set() for name in self.running}
        for name, container in self._containers:
            found[name].update(value for flag, value in class_options(container) if flag.endswith(CLASS_FLAGS))
        return found

    @cached_property
    def _default_class(self) -> str | None:
        return next(
            (
                name
                for name, item in self._graph.ingress_classes.items()
                if item.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"
            ),
            None,
        )
