"""Which controller serves an Ingress: its class, else what its annotations tell, else what the set tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Final

from ingress_lint.controllers.refusals.ingress_classes import (
    CLASS_ANNOTATION,
    CLASS_FLAGS,
    DEFAULT_CLASS_ANNOTATION,
    class_options,
)
from ingress_lint.controllers.registry import INGRESS, REGISTRY, class_controller, running
from ingress_lint.controllers.shared.base import IngressObject
from ingress_lint.controllers.shared.classes.declared import SAID, declared_controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.patterns import deferred

_FALLBACK: Final = "ingress-nginx"
_WORD: Final = deferred(r"[a-z0-9]+")
_GENERIC: Final = frozenset(
    {
        *("api", "application", "balancer", "cluster", "controller", "external", "gateway", "ingress", "internal"),
        *("load", "multi", "network", "plus", "private", "public", "regional"),
    }
)
"""Words that tell nothing of who serves a class."""


def _claiming(class_name: str, by_field: bool) -> tuple[str, ...]:
    """The controllers that serve a class of this name which no IngressClass defines."""
    return tuple(name for name, found in REGISTRY.items() if found.claims_class(class_name, by_field=by_field))


def _hinted(key: str) -> tuple[str, ...]:
    """The controllers that an annotation of this key on an Ingress tells of."""
    return tuple(name for name, found in REGISTRY.items() if found.hinted_by(key))


@cache
def _words(name: str) -> frozenset[str]:
    """The words that a controller and the classes of its own go by, and no class by what it is for."""
    texts = (name, *REGISTRY[name].class_names)
    return frozenset(word for text in texts for word in _WORD.findall(text)) - _GENERIC


def _named_by(class_name: str) -> set[str]:
    """The controllers of whose words a class's name has one."""
    words = set(_WORD.findall(class_name))
    return {name for name in REGISTRY if not words.isdisjoint(_words(name))}


class Chooser:
    """Chooses for the Ingresses of one graph; `preferred` is the controller of those whose class says nothing."""

    def __init__(self, graph: ObjectGraph, preferred: str | None) -> None:
        self._graph = graph
        self._preferred = preferred
        self._claiming = cache(_claiming)
        self._hinted = cache(_hinted)

    def choose(self, ingress: IngressObject) -> Sourced[str]:
        """The name of the controller that serves an Ingress, with what tells so."""
        by_annotation = ingress.annotations.get(CLASS_ANNOTATION)
        by_field = ingress.body.spec.ingress_class_name
        if by_field:
            return self._of_class(ingress, by_field, by_field=True)
        if by_annotation:
            return self._of_class(ingress, by_annotation, by_field=False)
        if self._default_class is not None:
            item = self._graph.ingress_classes[self._default_class]
            name = class_controller(self._graph, item)
            return Sourced(name, Origin.DERIVED, item.annotation_place(DEFAULT_CLASS_ANNOTATION), "the default class")
        if self._preferred:
            return Sourced(self._preferred, Origin.DERIVED, ingress.name_place, "--controller")
        hinted = self._by_annotation_prefix(ingress)
        if hinted:
            return Sourced(hinted, Origin.DERIVED, ingress.name_place, "annotations that only it reads")
        by_service = self._by_services(ingress)
        if by_service:
            return by_service
        if len(self.running) == 1:
            name, place = next(iter(self.running.items()))
            return Sourced(name, Origin.DERIVED, place, "it is the one controller whose image the set runs")
        return Sourced(_FALLBACK, Origin.DEFAULT, ingress.name_place, "no class, and nothing else tells")

    def _of_class(self, ingress: IngressObject, class_name: str, *, by_field: bool) -> Sourced[str]:
        place = ingress.at("spec", "ingressClassName") if by_field else ingress.annotation_place(CLASS_ANNOTATION)
        declared = declared_controller(self._graph, class_name)
        if declared is not None:
            return Sourced(declared, Origin.EXPLICIT, place, f"class {class_name}, {SAID}")
        defined = self._graph.ingress_classes.get(class_name)
        if defined is not None:
            name = class_controller(self._graph, defined)
            return Sourced(name, Origin.EXPLICIT, defined.at("spec", "controller"), f"class {class_name}")
        hinted = self._by_annotation_prefix(ingress)
        candidates = self._claiming(class_name, by_field)
        if len(candidates) == 1:
            return Sourced(candidates[0], Origin.EXPLICIT, place, f"class {class_name}")
        if candidates:
            running = self._running_for(class_name, candidates)
            if len(running) == 1:
                return Sourced(running[0], Origin.EXPLICIT, place, f"class {class_name}, and its image is in the set")
            if hinted in candidates:
                return Sourced(hinted, Origin.EXPLICIT, place, f"class {class_name}")
            return Sourced(candidates[0], Origin.DERIVED, place, f"class {class_name}, which others use as well")
        hinted = self._by_class_annotations(class_name)
        named = _named_by(class_name)
        if hinted and (not named or hinted in named) and (REGISTRY[hinted].reads_class_name_field or not by_field):
            return Sourced(hinted, Origin.DERIVED, place, f"class {class_name} and annotations that only it reads")
        return Sourced(INGRESS, Origin.DERIVED, place, f"class {class_name}")

    def rivals(self, ingress: IngressObject, chosen: str) -> frozenset[str]:
        """The controllers that may serve an Ingress as well as the one chosen."""
        by_field = ingress.body.spec.ingress_class_name
        name = by_field or ingress.annotations.get(CLASS_ANNOTATION)
        others = (other for key in ingress.annotations for other in self._hinted(key))
        if name:
            if declared_controller(self._graph, name) is not None:
                return frozenset()
            candidates = self._claiming(name, bool(by_field))
            if name in self._graph.ingress_classes or len(self._running_for(name, candidates)) == 1:
                return frozenset()
            return frozenset(candidates or others) - {chosen}
        if self._default_class is not None or self._preferred:
            return frozenset()
        return frozenset(others) - {chosen}

    def _running_for(self, class_name: str, candidates: Sequence[str]) -> list[str]:
        """Those that the set runs, and not for another class."""
        return [
            name
            for name in candidates
            if name in self.running and (not self._classes_run[name] or class_name in self._classes_run[name])
        ]

    def _by_annotation_prefix(self, ingress: IngressObject) -> str | None:
        counts = Counter(name for key in ingress.annotations for name in self._hinted(key))
        return max(counts, key=lambda name: (counts[name], name)) if counts else None

    def _by_class_annotations(self, class_name: str) -> str | None:
        """The one controller of which the annotations of a class's Ingresses tell."""
        hinted = self._class_hints.get(class_name, ())
        return next(iter(hinted)) if len(hinted) == 1 else None

    @cached_property
    def _class_hints(self) -> Mapping[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for ingress in self._graph.ingresses:
            name = ingress.body.spec.ingress_class_name or ingress.annotations.get(CLASS_ANNOTATION)
            if name:
                found[name].update(hinted for key in ingress.annotations for hinted in self._hinted(key))
        return found

    def _by_services(self, ingress: IngressObject) -> Sourced[str] | None:
        """The one controller whose own annotations the Services behind an Ingress carry."""
        found: dict[str, Sourced[str]] = {}
        for service in self._services(ingress):
            for key in service.annotations:
                for name, registered in REGISTRY.items():
                    if key.startswith(registered.service_hints):
                        why = f"an annotation of Service {service.name} that only it reads"
                        found.setdefault(name, Sourced(name, Origin.DERIVED, service.annotation_place(key), why))
        return next(iter(found.values())) if len(found) == 1 else None

    def _services(self, ingress: IngressObject) -> Iterator[KubernetesObject[Service]]:
        spec = ingress.body.spec
        backends = [path.backend for rule in spec.rules if rule.http for path in rule.http.paths]
        for backend in (*backends, spec.default_backend):
            reference = backend.reference() if backend else None
            service = self._graph.service(ingress.namespace, reference.service) if reference else None
            if service is not None:
                yield service

    @cached_property
    def running(self) -> Mapping[str, Place]:
        """The controllers that workloads of the set run, each with the place of its image."""
        return {name: container.at("image") for name, container in self.containers}

    @cached_property
    def containers(self) -> Sequence[tuple[str, WorkloadContainer]]:
        """The containers of the set that run a controller, each with the controller's name."""
        return [
            (registered.name, container)
            for workload in self._graph.workloads
            for container in workload.containers
            for registered in running(container.container.image)
        ]

    @cached_property
    def _classes_run(self) -> Mapping[str, set[str]]:
        """The classes that the controllers of the set are told to serve, none where they keep to their default."""
        found: dict[str, set[str]] = {name: set() for name in self.running}
        for name, container in self.containers:
            found[name].update(value for flag, value in class_options(container) if flag.endswith(CLASS_FLAGS))
        return found

    @cached_property
    def _default_class(self) -> str | None:
        return next(
            (
                name
                for name, item in self._graph.ingress_classes.items()
                if item.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"
            ),
            None,
        )
