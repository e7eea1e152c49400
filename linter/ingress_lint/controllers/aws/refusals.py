"""What keeps the AWS Load Balancer Controller from making or changing the load balancer of a whole group of Ingresses."""

from __future__ import annotations

from ingress_lint.controllers.shared.base import PathContext
from ingress_lint.routes.verdicts import Fate, Reason, Verdict

_WILDCARDS = frozenset("*?")


def refused_path(context: PathContext, group: str) -> Verdict | None:
    """Why no model is built for a group: a path of type Exact or Prefix has a wildcard.

    kubernetes-sigs/aws-load-balancer-controller:pkg/ingress/model_build_listener_rules.go, "shouldn't contain wildcards".
    """
    value, ingress = context.path_value or "", context.ingress
    if context.is_default or context.path_type not in ("Exact", "Prefix") or _WILDCARDS.isdisjoint(value):
        return None
    whole = f"group `{group}`" if "/" not in group else "this Ingress"
    plain = value.rstrip("*").rstrip("/") or "/"
    return Verdict(
        Reason.CONFIGURATION_REFUSED,
        ingress,
        context.place.at("path"),
        f"path `{value}` of Ingress `{ingress.name}` has a wildcard, which the AWS Load Balancer Controller takes with "
        f"pathType ImplementationSpecific alone; it builds nothing for {whole} (event FailedBuildModel), so that no later "
        f"change of it arrives, and clients reach what was there before, or nothing",
        fix="use `pathType: ImplementationSpecific`"
        + (f", or write `{plain}`" if context.path_type == "Prefix" and _WILDCARDS.isdisjoint(plain) else ""),
        fate=Fate.NOT_APPLIED,
    )
