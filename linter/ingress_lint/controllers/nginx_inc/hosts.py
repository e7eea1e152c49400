"""Who has a host. F5 NGINX makes one server of one resource: the oldest that names a host has it, all of it.

Minions share their master's. nginx/kubernetes-ingress:internal/k8s/configuration.go (buildHostsAndResources,
chooseObjectMetaWinner: of two of the same second the greater UID wins, which no manifest shows).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Reason, Verdict


class HostClaim(Struct, frozen=True):
    """An object that wants a host, and where it names it."""

    host: str
    owner: AnyObject
    place: Place


class Hosts:
    """The hosts of one graph."""

    def __init__(self, claims: Iterable[HostClaim]) -> None:
        by_host: defaultdict[str, list[HostClaim]] = defaultdict(list)
        for claim in claims:
            rivals = by_host[claim.host]
            if all(claim.owner is not rival.owner for rival in rivals):
                rivals.append(claim)
        self._by_host = by_host

    def winner(self, host: str) -> AnyObject | None:
        """Who has a host; None where the manifests do not tell."""
        rivals = self._by_host.get(host, [])
        if len(rivals) == 1:
            return rivals[0].owner
        created = sorted((claim.owner.created, index) for index, claim in enumerate(rivals))
        if not created or not created[0][0] or created[0][0] == created[1][0]:
            return None
        return rivals[created[0][1]].owner

    def serves(self, host: str, owner: AnyObject) -> bool:
        """Whether an object may have a host, as far as the manifests tell."""
        return self.winner(host) in (None, owner)

    @property
    def verdicts(self) -> Iterator[Verdict]:
        """One for each object that does not get its host, or may not."""
        for host, rivals in self._by_host.items():
            if len(rivals) < 2:
                continue
            winner = self.winner(host)
            first = next((claim for claim in rivals if claim.owner is winner), rivals[0])
            for claim in rivals:
                if claim is first:
                    continue
                known = winner is not None
                outcome = (
                    f"belongs to {first.owner}, the older one"
                    if known
                    else f"is also named by {first.owner}, and only the older one gets it"
                )
                yield Verdict(
                    Reason.HOSTNAME_CONFLICT,
                    claim.owner,
                    claim.place,
                    f"F5 NGINX serves a host from one resource only: `{host}` of {claim.owner} {outcome}; the other's paths "
                    f"answer 404",
                    related=((f"{first.owner} names the host here", first.place),),
                    fix="put the paths into one resource, or share the host between a master and minions "
                    "(`nginx.org/mergeable-ingress-type`)",
                )
