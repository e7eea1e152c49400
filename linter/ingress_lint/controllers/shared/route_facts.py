"""What the backends of a rule need to know of their route."""

from __future__ import annotations

from msgspec import Struct

from ingress_lint.controllers.shared.implementations import Implementation
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.traffic import Timeouts


class RouteFacts(Struct, frozen=True):
    """One rule of a route, and the Gateway that serves it."""

    owner: AnyObject
    implementation: Implementation
    tls_mode: str | None
    """How the listeners of a TLSRoute treat TLS; None where that is unknown."""
    timeouts: Timeouts
    """What the rule itself says."""
    rule_place: Place
    rule_name: str | None = None
    gateway: KubernetesObject[Gateway] | None = None
    listeners: tuple[tuple[AnyObject, str], ...] = ()
    """The listeners that it hangs on: the Gateway or ListenerSet that declares each, and its name there."""

    @property
    def of_requests(self) -> bool:
        """Whether the Gateway reads requests, and does not merely pass on connections."""
        return self.owner.kind in ("HTTPRoute", "GRPCRoute")
