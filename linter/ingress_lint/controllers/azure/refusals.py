"""What makes an Application Gateway refuse all that its ingress controller gives it."""

from __future__ import annotations

from collections.abc import Iterator

from ingress_lint.load.unknown import is_unknown
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Fate, Reason, Verdict


def refused_checks(route: Route) -> Iterator[Verdict]:
    """The health checks of a route whose path has no slash at its start.

    The path of an annotation or a readiness probe is handed on as it is, and the gateway answers
    ApplicationGatewayProbePathIsInvalid (Azure/application-gateway-kubernetes-ingress#1167).
    """
    for backend in route.backends:
        path = backend.health_check.path if backend.health_check is not None else None
        if path is None or path.value.startswith("/") or path.origin is Origin.DEFAULT or is_unknown(path.place):
            continue
        owner = route.owner
        yield Verdict(
            Reason.CONFIGURATION_REFUSED,
            owner,
            path.place,
            f"the health check of {owner.kind} `{owner.name}` asks for `{path.value}`, a path without a slash at its start; "
            f"Application Gateway refuses its whole configuration (ApplicationGatewayProbePathIsInvalid), so that no later "
            f"change of any Ingress arrives, and clients get 502",
            fix=f"write `/{path.value}`",
            fate=Fate.NOT_APPLIED,
            status=502,
        )
