"""Who serves a class as the configuration says, and what that installation sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.units.configured import Declared

if TYPE_CHECKING:
    from ingress_lint.controllers.shared.implementations import Implementation

SAID: Final = "as the configuration says"


def declared_controller(graph: ObjectGraph, class_name: str) -> str | None:
    """The controller, as the registry calls it, that is said to serve Ingresses of a class; None where nobody says."""
    declared = graph.context.controllers.get(class_name)
    if declared is None:
        return None
    from ingress_lint.controllers.shared.implementations import by_name

    name = declared.installed.name
    implementation = by_name(name)
    if implementation is None or implementation.controller == name:
        return name
    return implementation.controller or None


def declared_implementation(graph: ObjectGraph, class_name: str) -> Implementation | None:
    """The implementation of the Gateway API that is said to serve Gateways of a class; None where nobody says."""
    declared = graph.context.controllers.get(class_name)
    if declared is None:
        return None
    from ingress_lint.controllers.shared.implementations import by_name

    return by_name(declared.installed.name)


def declared_installations(graph: ObjectGraph, controller: str) -> Iterator[tuple[str, Declared]]:
    """What is said of the installations of a controller, each with the class that it serves."""
    for class_name, declared in graph.context.controllers.items():
        if declared_controller(graph, class_name) == controller:
            yield class_name, declared


def one_declared_config_map(graph: ObjectGraph, controller: str) -> KubernetesObject[ConfigMap] | None:
    """The ConfigMap of a controller of which one installation alone is described."""
    said = [declared for _, declared in declared_installations(graph, controller)]
    return declared_config_map(said[0]) if len(said) == 1 else None


def declared_config_map(declared: Declared) -> KubernetesObject[ConfigMap] | None:
    """The ConfigMap of an installation, None where nobody says what it sets."""
    given = declared.installed.config_map
    if not given:
        return None
    data = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
    name = declared.installed.name
    body = ConfigMap(data=data)
    base = (*declared.pointer, "config-map")
    return KubernetesObject("v1", "ConfigMap", "", name, {}, {}, declared.document, base, body)
