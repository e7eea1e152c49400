"""The routers that Traefik does not make, so that the next one answers, or nobody does.

traefik/traefik:pkg/provider/kubernetes/ingress/kubernetes.go, loadConfigurationFromIngresses; crd/kubernetes_http.go,
loadIngressRouteConfiguration and loadServers; pkg/server/router/router.go, buildRouterHandler. Of several services one
that is missing is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.traefik.installation import NO_ROUTER, Installation
from ingress_lint.controllers.traefik.middlewares import CRD_PROVIDER
from ingress_lint.facts.endpoints import emptiness
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.answering import lacks_port
from ingress_lint.routes.model import BackendRef, RequestMirror, Route
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.verdicts import Certainty, Fate, Reason, Verdict

INGRESS_PROVIDER: Final = "kubernetesingress"


def with_refusals(route: Route, graph: ObjectGraph, installation: Installation) -> Route:
    """A route with what keeps Traefik from making a router of it."""
    is_ingress = isinstance(route.owner.body, Ingress | LegacyIngress)
    provider = INGRESS_PROVIDER if is_ingress else CRD_PROVIDER
    allowed = installation.switch(f"providers.{provider}.allowemptyservices")
    empty_allowed = allowed is not None and allowed.value
    found = [
        Verdict(Reason.NO_ROUTER, route.owner, place, f"{why}; {NO_ROUTER}", fate=Fate.DROPPED)
        for place, why in _faults(route, graph, provider, empty_allowed=empty_allowed)
    ]
    found += [
        replace(backend.refusal, fate=Fate.DROPPED)
        for backend in _loaded(route)
        if backend.refusal is not None and backend.refusal.certainty is Certainty.KNOWN
    ]
    return replace(route, refusals=(*route.refusals, *found)) if found else route


def _loaded(route: Route) -> Iterator[BackendRef]:
    """The backends without which there is no router."""
    yield from route.backends
    if route.fallback is not None:
        yield route.fallback
    yield from (step.backend for step in route.filters if isinstance(step, RequestMirror))


def _faults(route: Route, graph: ObjectGraph, provider: str, *, empty_allowed: bool) -> Iterator[tuple[Place, str]]:
    for backend in _loaded(route):
        service = backend.service.object
        if backend.service.missing:
            yield backend.place, f"{backend} does not exist"
        elif service is not None and isinstance(service.body, Service):
            external = service.body.spec.type == "ExternalName"
            if external and route.external_names_refused:
                yield backend.place, f"{backend} is of type ExternalName"
            elif lacks_port(backend) or (external and backend.service_port is None and provider == INGRESS_PROVIDER):
                yield backend.place, f"{backend.kind} {backend.namespace}/{backend.name} has no such port"
            elif not empty_allowed and not external and (why := _empty(backend, graph)):
                yield backend.place, f"{backend} has no endpoints: {why}"
    for item in route.attached:
        if item.object.missing and item.consequence == NO_ROUTER:
            yield item.place, f"{item.kind.kind} {item.name} does not exist"


def _empty(backend: BackendRef, graph: ObjectGraph) -> str:
    """Why a backend is known to have no endpoints; it asks for none of what it reaches by its cluster IP or by nodes."""
    service, port = backend.service.object, backend.service_port
    if service is None or port is None or backend.target.value is not TargetKind.POD:
        return ""
    found = emptiness(service, graph, port.port)
    if found is not None:
        return found.why
    nameless = port.endpoints and all(endpoint.number is None for endpoint in port.endpoints)
    return f"no container of its pods has a port named `{port.target}`" if nameless else ""
