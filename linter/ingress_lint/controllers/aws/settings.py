"""What is set for a whole class of Ingresses or for the whole AWS Load Balancer Controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ingress_lint.controllers.shared.base import IngressObject
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.aws import IngressClassParams
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import TargetKind

AUTO_MODE: Final = "eks.amazonaws.com/alb"
_DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_FLAG: Final = "--default-target-type"
_IMAGES: Final = ("aws-load-balancer-controller", "aws-alb-ingress-controller")
_KINDS: Final = {"ip": TargetKind.POD, "instance": TargetKind.NODE}


def class_name(graph: ObjectGraph, ingress: IngressObject) -> str | None:
    """The IngressClass object that an Ingress refers to; a class annotation refers to none."""
    named = ingress.body.spec.ingress_class_name
    if named or ingress.annotations.get(_CLASS_ANNOTATION):
        return named
    classes = graph.ingress_classes.items()
    return next((name for name, item in classes if item.annotations.get(_DEFAULT_CLASS) == "true"), None)


def class_params(graph: ObjectGraph, ingress: IngressObject) -> KubernetesObject[IngressClassParams] | None:
    """The IngressClassParams of an Ingress's class, whose fields beat its annotations.

    Source: kubernetes-sigs/aws-load-balancer-controller:docs/guide/ingress/ingress_class.md.
    """
    found = graph.ingress_classes.get(class_name(graph, ingress) or "")
    parameters = found.body.spec.parameters if found else None
    if not isinstance(parameters, dict) or parameters.get("kind") != "IngressClassParams":
        return None
    return graph.named(IngressClassParams, "", str(parameters.get("name", "")))


def default_target(graph: ObjectGraph) -> Callable[[IngressObject, Place], Sourced[TargetKind]]:
    """What Ingresses of this set target where neither they nor their class say so.

    `instance`, unless the controller runs with `--default-target-type` (docs/deploy/configurations.md); EKS Auto Mode
    is taken to target pods.
    """
    flag = target_flag(graph)

    def target(ingress: IngressObject, place: Place) -> Sourced[TargetKind]:
        if flag is not None:
            return flag
        found = graph.ingress_classes.get(class_name(graph, ingress) or "")
        if found is not None and found.body.spec.controller == AUTO_MODE:
            return Sourced(TargetKind.POD, Origin.DEFAULT, place, "EKS Auto Mode targets pods")
        return Sourced(TargetKind.NODE, Origin.DEFAULT, place, "nothing sets target-type, which is `instance` then")

    return target


def target_flag(graph: ObjectGraph) -> Sourced[TargetKind] | None:
    """What the controller of this set is told to target, None where no such controller is in it or it is not told."""
    for name, value, place in controller_arguments(graph):
        if name == _FLAG and value in _KINDS:
            return Sourced(_KINDS[value], Origin.DERIVED, place, f"the controller runs with {name}={value}")
    return None


def controller_arguments(graph: ObjectGraph) -> Iterator[tuple[str, str, Place]]:
    """The options that the controllers of this set are started with: name, value and place of each."""
    for workload in graph.workloads:
        for container in workload.containers:
            if not any(image in container.container.image for image in _IMAGES):
                continue
            for index, argument in enumerate(container.container.args):
                name, _, value = str(argument).partition("=")
                yield name, value, container.at("args", index)
