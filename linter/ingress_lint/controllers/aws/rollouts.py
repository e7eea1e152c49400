"""The actions that Argo Rollouts writes on Ingresses of ALBs.

argoproj/argo-rollouts:docs/features/traffic-management/alb.md, utils/ingress/ingress.go (ALBActionAnnotationKey,
GetRolloutIngressKeys): `actions.NAME` for the root Service, else the stable one, with two target groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.aws.actions import Action, ForwardTarget
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.argo_rollouts import Rollout

_ALL: Final = 100


def rollout_actions(graph: ObjectGraph) -> Iterator[tuple[tuple[str, str, str], Action]]:
    """By namespace, Ingress and Service of a path: all to the stable Service, as it is while no rollout runs."""
    for item in graph.of(Rollout):
        strategy = item.body.spec.strategy
        canary = strategy.canary if strategy is not None else None
        alb = canary.traffic_routing.alb if canary is not None and canary.traffic_routing is not None else None
        if canary is None or alb is None or alb.service_port is None:
            continue
        place = item.at("spec", "strategy", "canary", "trafficRouting", "alb")
        targets = (
            ForwardTarget(canary.stable_service, alb.service_port, _ALL),
            ForwardTarget(canary.canary_service, alb.service_port, 0),
        )
        for ingress in dict.fromkeys((alb.ingress, *alb.ingresses)):
            if ingress:
                key = item.namespace, ingress, alb.root_service or canary.stable_service
                yield key, Action(place, targets=tuple(target for target in targets if target.service))
