"""Argo Rollouts: Deployments that hand over traffic step by step (argoproj/argo-rollouts:pkg/apis/rollouts/v1alpha1/types.go)."""

from __future__ import annotations

from ingress_lint.objects.model import IntOrString, Many, Model
from ingress_lint.objects.workloads import Workload, WorkloadSpec


class ALBTrafficRouting(Model):
    """Which Ingresses of an ALB it writes an action for, and under which name."""

    ingress: str = ""
    ingresses: Many[str] = ()
    service_port: IntOrString | None = None
    root_service: str = ""


class TrafficRouting(Model):
    """Who divides the traffic."""

    alb: ALBTrafficRouting | None = None


class CanaryStrategy(Model):
    """The Services of the old and of the new pods."""

    stable_service: str = ""
    canary_service: str = ""
    traffic_routing: TrafficRouting | None = None


class RolloutStrategy(Model):
    """How new pods take over."""

    canary: CanaryStrategy | None = None


class RolloutSpec(WorkloadSpec):
    """A Rollout's spec."""

    strategy: RolloutStrategy | None = None


class Rollout(Workload):
    """A Rollout."""

    spec: RolloutSpec = RolloutSpec()
