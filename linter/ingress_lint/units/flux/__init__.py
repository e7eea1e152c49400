"""Flux: what its Kustomizations and HelmReleases put into which cluster."""

from __future__ import annotations

from typing import Final

from ingress_lint.units.flux.objects import in_file
from ingress_lint.units.plan import Plan
from ingress_lint.units.site import Site

_STARTING: Final = ("FluxInstance", "Kustomization", "HelmRelease")


def plans(site: Site) -> list[Plan]:
    """The plans of all that Flux applies from the repository: what it builds, and its releases.

    Roots are what nobody applies but itself or a person; from these on, Flux Kustomizations are built as
    kustomize-controller builds them, and what comes of them is followed.
    """
    objects = [found for path in site.files for found in in_file(site, path)]
    if not any(one.kind in _STARTING for one in objects):
        return []
    from ingress_lint.units.flux.following import follow

    return follow(objects, site)
