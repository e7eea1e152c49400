"""Paths of Ingresses that lead to another object than a Service, on controllers that take nothing else.

kubernetes/ingress-nginx:internal/ingress/controller/controller.go skips them, F5's
nginx/kubernetes-ingress:internal/k8s/validation.go refuses the Ingress, and
traefik/traefik:pkg/provider/kubernetes/ingress/kubernetes.go says "resource backends are not supported".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingress_lint.controllers.shared.base import Claim, Controller, IngressObject
from ingress_lint.load.document import Place
from ingress_lint.objects.networking import (
    DEFAULT_BACKEND_FIELD,
    HTTPIngressPath,
    IngressBackend,
    IngressRule,
    LegacyHTTPIngressPath,
    LegacyIngressBackend,
    LegacyIngressRule,
)
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict


def resource_verdicts(claims: Iterable[tuple[Controller, Claim]]) -> Iterator[Verdict]:
    """One verdict for each such path."""
    for controller, claim in claims:
        if controller.takes_resources:
            continue
        ingress = claim.ingress
        certainty = Certainty.LIKELY if claim.controller.origin is Origin.DEFAULT else Certainty.KNOWN
        for backend, what, place in _backends(ingress):
            if backend.resource is not None:
                yield Verdict(
                    Reason.INVALID_KIND,
                    ingress,
                    place.at("resource", "kind"),
                    f"{what} of Ingress `{ingress.name}` leads to {backend.resource.kind} `{backend.resource.name}`, and "
                    f"{controller.title} sends requests to Services only; clients get 404",
                    certainty,
                    fix="name a Service, or use a controller that serves this kind",
                )


def _backends(ingress: IngressObject) -> Iterator[tuple[IngressBackend | LegacyIngressBackend, str, Place]]:
    spec = ingress.body.spec
    rules: Sequence[IngressRule | LegacyIngressRule] = spec.rules
    for i, rule in enumerate(rules):
        paths: Sequence[HTTPIngressPath | LegacyHTTPIngressPath] = rule.http.paths if rule.http else ()
        for j, path in enumerate(paths):
            place = ingress.at("spec", "rules", i, "http", "paths", j, "backend")
            yield path.backend, f"path `{path.path or '/'}`", place
    if spec.default_backend is not None:
        yield spec.default_backend, "the default backend", ingress.at("spec", DEFAULT_BACKEND_FIELD[type(ingress.body)])
