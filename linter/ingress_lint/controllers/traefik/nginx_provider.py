"""What Traefik's provider `kubernetesIngressNGINX` makes otherwise than the ingress-nginx in whose place it serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.traefik.installation import NO_ROUTER, Installation
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.values.numbers import release
from ingress_lint.values.patterns import deferred

_TAG: Final = deferred(r":v?([0-9]+\.[0-9]+\.[0-9]+)(-[a-z]+\.[0-9]+)?(?:@|\Z)")
_NO_PORT_SINCE: Final = (3, 6, 15)
_NEXT_MINOR: Final = (3, 7, 0)
_STILL_REQUIRED: Final = ("-ea.", "-rc.1")


def served(routes: Iterable[Route], installation: Installation) -> Iterator[Route]:
    """The routes as this release serves them.

    Up to 3.6.14 and 3.7.0-rc.1 a path makes no router where the ExternalName Service that it leads to does not list the
    port (traefik/traefik:pkg/provider/kubernetes/ingress-nginx/kubernetes.go, getBackendAddresses, in these releases;
    CHANGELOG.md, #13033).
    """
    named = _requiring_ports(installation)
    for route in routes:
        lacking = [backend for backend in route.backends if _lists_no_port(backend)] if named else []
        yield _refused(route, lacking, named) if lacking else route


def _refused(route: Route, lacking: Sequence[BackendRef], named: str) -> Route:
    ports = " and ".join(sorted({str(backend.port.value) for backend in lacking if backend.port is not None}))
    remedy = f"list port {ports} in `spec.ports` of the Service, or run a later Traefik"
    return replace(
        route,
        external_names_refused=f"does not list port {ports}, which Traefik {named} requires; {NO_ROUTER}",
        backends=tuple(
            replace(backend, remedies=replace(backend.remedies, external_name=remedy))
            if backend in lacking
            else backend
            for backend in route.backends
        ),
    )


def _requiring_ports(installation: Installation) -> str:
    """The release where it is known to require the ports, else empty."""
    found = _TAG.search(installation.container.container.image) if installation.container is not None else None
    number = release(found[1]) if found is not None else None
    if found is None or number is None:
        return ""
    candidate = found[2] or ""
    requires = number < _NO_PORT_SINCE or (number == _NEXT_MINOR and candidate.startswith(_STILL_REQUIRED))
    return found[1] + candidate if requires else ""


def _lists_no_port(backend: BackendRef) -> bool:
    service = backend.service.object
    return service is not None and service.body.spec.type == "ExternalName" and backend.service_port is None
