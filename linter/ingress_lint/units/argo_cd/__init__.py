"""What Argo CD deploys: Applications, and the ApplicationSets that make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingress_lint.units.plan import Plan
from ingress_lint.units.site import Site

_KINDS: Final = ("Application", "ApplicationSet")


def plans(site: Site, deployed: Sequence[Plan] = ()) -> list[Plan]:
    """The plans of all Applications in the repository, and of those among the documents of what is `deployed` otherwise."""
    written = {document: path for path in site.files for document in site.read(path) if document.kind in _KINDS}
    if not written and not any(document.kind in _KINDS for plan in deployed for document in plan.documents):
        return []
    from ingress_lint.units.argo_cd.planning import planned

    return planned(site, written, deployed)
