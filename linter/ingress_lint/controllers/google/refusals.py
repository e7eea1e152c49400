"""What GKE leaves out of an Ingress that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingress_lint.controllers.shared.base import IngressObject, PathContext
from ingress_lint.objects.networking import IngressRule, LegacyIngressRule
from ingress_lint.routes.verdicts import Fate, Reason, Verdict


def last_rules(ingress: IngressObject) -> Mapping[str, int]:
    """The last rule of an Ingress with paths for each host, which is the one that counts."""
    rules: Sequence[IngressRule | LegacyIngressRule] = ingress.body.spec.rules
    return {rule.host or "": index for index, rule in enumerate(rules) if rule.http and rule.http.paths}


def replaced_rule(context: PathContext, last: Mapping[str, int]) -> Verdict | None:
    """Why the paths of a rule are not there: a later rule for the same host replaces them.

    kubernetes/ingress-gce:pkg/utils/gceurlmap.go, PutPathRulesForHost ("Overwriting path rules for host").
    """
    ingress, host = context.ingress, context.host.value if context.host else ""
    if context.is_default or last[host] == context.rule:
        return None
    named = f"host `{host}`" if host else "any host"
    return Verdict(
        Reason.UNSUPPORTED_VALUE,
        ingress,
        ingress.at("spec", "rules", context.rule),
        f"Ingress `{ingress.name}` has several rules for {named}, of which GKE takes the last; the paths of this one are left "
        f"out, and clients get the answer of another path, or 404",
        related=(("this rule replaces it", ingress.at("spec", "rules", last[host])),),
        fix="write all paths of the host in one rule",
        fate=Fate.DROPPED,
    )
