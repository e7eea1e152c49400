"""What the policies of one vendor make of the rules of Gateway API routes."""

from __future__ import annotations

from collections.abc import Iterable

from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.verdicts import Verdict


class Treatment:
    """The policies of one vendor in one graph; they change nothing unless told otherwise."""

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The backend as the policies leave it."""
        return backend

    def extended(self, route: Route) -> Route:
        """A rule with what its filters come to, among them those that name objects of the vendor's own."""
        return route

    def refusals(self, facts: RouteFacts) -> Iterable[Verdict]:
        """What the implementation refuses of a rule and of the policies for it."""
        return ()

    def verdicts(self) -> list[Verdict]:
        """What is wrong with the policies, asked when every rule has been treated."""
        return []
