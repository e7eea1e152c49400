"""Ingresses that no controller takes: a class that is not there, no class and no default, or two defaults.

kubernetes/kubernetes:plugin/pkg/admission/network/defaultingressclass/admission.go gives an Ingress without a class the
default one, and refuses it where there are several. The annotation `kubernetes.io/ingress.class` is older than
IngressClasses and needs none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from ingress_lint.controllers.registry import INGRESS, REGISTRY, class_controller
from ingress_lint.controllers.shared.base import Claim, IngressObject
from ingress_lint.controllers.shared.classes.declared import declared_controller
from ingress_lint.controllers.shared.classes.installed_classes import brings_ingress_class
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GATEWAY_CLASS, INGRESS_CLASS
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import IngressClass
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.spelling import close_matches

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
DEFAULT_CLASS_ANNOTATION: Final = "ingressclass.kubernetes.io/is-default-class"

_CLASSLESS_FLAGS: Final = ("watch-ingress-without-class", "empty-ingress-class", "process-classless")
"""How options start by which controllers take Ingresses without a class (ingress-nginx, HAProxy's two, Kong)."""
CLASS_FLAGS: Final = ("ingress-class", "ingress.class", "ingress-class-name", "ingressclass")
"""How options end that name the class of which a controller takes Ingresses."""
_CONTROLLER_FLAG: Final = "controller-class"
"""How an ingress-nginx is told which controller of IngressClasses it is."""
_OF_CLASS: Final = "no controller takes Ingresses of this class, and clients get 404"
_UNSERVED: Final = "no controller takes it, and clients get 404 or no answer at all"


class IngressClasses:
    """The classes of one graph against the Ingresses that name them or none."""

    def __init__(self, graph: ObjectGraph, running: Collection[str]) -> None:
        self._graph = graph
        self._running = running
        self._classes = tuple(graph.ingress_classes.values())
        self._defaults = [item for item in self._classes if item.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"]

    def verdicts(self, claims: Sequence[Claim], preferred: str | None) -> Iterator[Verdict]:
        """What keeps Ingresses from a controller; `preferred` is the one that the user says takes those without class."""
        classless: list[Claim] = []
        for claim in claims:
            ingress = claim.ingress
            by_field = bool(ingress.body.spec.ingress_class_name)
            name = _class_name(ingress)
            if not name:
                classless.append(claim)
            elif (verdict := self._named(ingress, name, by_field=by_field)) is not None:
                yield verdict
        yield from self._started_otherwise({_class_name(claim.ingress) for claim in claims})
        if preferred is None:
            yield from self._classless(classless)
        if len(self._defaults) > 1:
            yield self._several_defaults(any_classless=bool(classless))

    # -- a class by name ----------------------------------------------------------------------------------------------

    def missing(self, name: str, *, by_field: bool) -> Certainty | None:
        """How sure it is that nothing serves a class of this name; None where something does, or may well."""
        if self._graph.resolve(INGRESS_CLASS, "", name).existence is not Existence.MISSING:
            return None
        if declared_controller(self._graph, name) is not None:
            return None
        if any(value == name for flag, value in self._options if flag.endswith(CLASS_FLAGS)):
            return None
        owners = {owner for owner, found in REGISTRY.items() if found.claims_class(name, by_field=by_field)}
        return self._certainty(owners, brought=brings_ingress_class(name), by_field=by_field)

    @property
    def defined(self) -> str:
        """The classes that the set defines, in words."""
        return _listed([item.name for item in self._classes])

    def _named(self, ingress: IngressObject, name: str, *, by_field: bool) -> Verdict | None:
        certainty = self.missing(name, by_field=by_field)
        if certainty is None:
            return None
        known = [item.name for item in self._classes]
        near = close_matches(name, known, 1, 0.5) or (known if len(known) == 1 else [])
        gateway_class = self._graph.get(GATEWAY_CLASS, "", name)
        fix = f"add IngressClass `{name}`" + (f", or name `{near[0]}`" if near else "")
        if gateway_class is not None:
            fix = f"`{name}` is a GatewayClass: use it in a Gateway, or name an IngressClass"
        others = f"these manifests define only {self.defined}" if known else "these manifests do not define"
        what = f"Ingress `{ingress.name}` is of class `{name}`, "
        what += f"and {others}" if known else f"which {others}"
        unless = "unless the cluster has it, " if certainty is Certainty.UNKNOWN else ""
        rests = (
            "" if by_field else "; some controllers take the annotation by an option of their own, and then it works"
        )
        return Verdict(
            Reason.NO_INGRESS_CLASS,
            ingress,
            ingress.at("spec", "ingressClassName") if by_field else ingress.annotation_place(CLASS_ANNOTATION),
            f"{what}; {unless}{_UNSERVED}{rests}",
            certainty,
            tuple((f"IngressClass `{item.name}`", item.name_place) for item in self._classes)
            + (((f"GatewayClass `{name}`", gateway_class.name_place),) if gateway_class is not None else ()),
            fix,
        )

    def _certainty(self, owners: Collection[str], *, brought: bool, by_field: bool) -> Certainty | None:
        """How sure it is that a class is not in the cluster: installations bring classes of well-known names along."""
        if not by_field:
            return None if owners or brought else Certainty.LIKELY
        if self._graph.context.assume == "complete":
            return Certainty.KNOWN
        if self._defined & set(owners):
            return Certainty.LIKELY
        if brought:
            return None
        return Certainty.UNKNOWN if owners else Certainty.KNOWN

    def _started_otherwise(self, used: Collection[str]) -> Iterator[Verdict]:
        """Classes whose controller is none of those as which the set's controllers of that product are started.

        kubernetes/ingress-nginx:internal/ingress/controller/store/store.go: a class of another controller is ignored.
        """
        by_name = any(flag == "ingress-class-by-name" for flag, _ in self._options)
        started = {value for flag, value in self._options if flag == _CONTROLLER_FLAG and not by_name}
        for item in self._classes if started else ():
            controller = item.body.spec.controller or ""
            alike = sorted(value for value in started if _product(value) == _product(controller))
            if (
                item.name in used
                and alike
                and controller not in started
                and class_controller(self._graph, item) == INGRESS
            ):
                yield Verdict(
                    Reason.NO_INGRESS_CLASS,
                    item,
                    item.at("spec", "controller"),
                    f"IngressClass `{item.name}` is of controller `{controller}`, and the one of these manifests is started "
                    f"as {_listed(alike)} (`--{_CONTROLLER_FLAG}`); unless another runs in the cluster, {_OF_CLASS}",
                    Certainty.UNKNOWN if self._graph.incomplete else Certainty.LIKELY,
                    fix=f"set `controller: {alike[0]}`, or start the controller with `--{_CONTROLLER_FLAG}={controller}`",
                )

    # -- no class -----------------------------------------------------------------------------------------------------

    def refuses_classless(self, told: Collection[str] = ()) -> Certainty | None:
        """How sure it is that nobody takes an Ingress without a class; None where somebody does.

        `told` are controllers that something else says are there.
        """
        elsewhere = self._graph.context.elsewhere.get(INGRESS_CLASS, {})
        if self._defaults or any(self._graph.get(INGRESS_CLASS, *name) is None for name in elsewhere):
            return None
        if any(flag.startswith(_CLASSLESS_FLAGS) and value != "false" for flag, value in self._options):
            return None
        serving = {*self._defined, *self._running, *told}
        if any(REGISTRY[name].controller.serves_classless for name in serving):
            return None
        if not self._classes:
            return Certainty.UNKNOWN
        known = all(REGISTRY[name].controller.serves_classless is False for name in serving)
        return Certainty.KNOWN if known and serving and not self._graph.incomplete else Certainty.LIKELY

    def _classless(self, claims: Iterable[Claim]) -> Iterator[Verdict]:
        """What keeps Ingresses without a class from a controller: one verdict for all where the set has no class."""
        unsure: list[IngressObject] = []
        for claim in claims:
            told = () if claim.controller.origin is Origin.DEFAULT else (claim.controller.value,)
            sure = self.refuses_classless(told)
            if sure is None:
                continue
            if self._classes:
                yield self._without_default(claim.ingress, sure)
            else:
                unsure.append(claim.ingress)
        if unsure:
            yield self._without_classes(*unsure)

    def _without_default(self, ingress: IngressObject, sure: Certainty) -> Verdict:
        return Verdict(
            Reason.NO_INGRESS_CLASS,
            ingress,
            ingress.at("spec", "ingressClassName"),
            f"Ingress `{ingress.name}` names no class, and of {self.defined} none is the default; {_UNSERVED}",
            sure,
            tuple((f"IngressClass `{item.name}`", item.name_place) for item in self._classes),
            f"set `ingressClassName` to {' or '.join(f'`{item.name}`' for item in self._classes)}",
        )

    @staticmethod
    def _without_classes(ingress: IngressObject, *more: IngressObject) -> Verdict:
        others = f" (with {len(more)} more)" if more else ""
        return Verdict(
            Reason.NO_INGRESS_CLASS,
            ingress,
            ingress.at("spec", "ingressClassName"),
            f"Ingress `{ingress.name}`{others} names no class, and these manifests define no default IngressClass; "
            f"unless the cluster has one, {_UNSERVED}",
            Certainty.UNKNOWN,
            tuple((f"Ingress `{item.name}` names none either", item.name_place) for item in more),
            "set `ingressClassName` to the controller's class",
        )

    # -- classes ------------------------------------------------------------------------------------------------------

    def _several_defaults(self, *, any_classless: bool) -> Verdict:
        first, *others = self._defaults
        last = others[-1]
        certainty = Certainty.KNOWN if any_classless else Certainty.LIKELY
        return Verdict(
            Reason.SEVERAL_DEFAULT_CLASSES,
            last,
            last.annotation_place(DEFAULT_CLASS_ANNOTATION),
            f"IngressClasses {' and '.join(f'`{item.name}`' for item in self._defaults)} are each the default; the API "
            f"server refuses every new Ingress without a class, and clients of its hosts get 404",
            certainty,
            tuple(_default_of(item) for item in (first, *others[:-1])),
            f"leave `{DEFAULT_CLASS_ANNOTATION}` on one of them",
        )

    @cached_property
    def _defined(self) -> frozenset[str]:
        """The controllers of the set's classes; the plain one stands for those that nobody knows."""
        return frozenset(class_controller(self._graph, item) for item in self._classes)

    @cached_property
    def _options(self) -> Sequence[tuple[str, str]]:
        """Every option of the set's containers that may be about classes, in small letters, with its value."""
        return [
            option
            for workload in self._graph.workloads
            for container in workload.containers
            for option in class_options(container)
        ]


def class_options(container: WorkloadContainer) -> Iterator[tuple[str, str]]:
    """Every option of a container that may be about classes, in small letters, with its value."""
    words = [*container.container.command, *container.container.args]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        flag, given, value = str(word).lstrip("-").partition("=")
        if str(word).startswith("-") and "class" in flag.lower():
            yield flag.lower(), value if given else str(following)


def class_place(ingress: IngressObject) -> Place:
    """Where an Ingress names its class; its name where it names none."""
    if ingress.body.spec.ingress_class_name:
        return ingress.at("spec", "ingressClassName")
    return ingress.annotation_place(CLASS_ANNOTATION) if CLASS_ANNOTATION in ingress.annotations else ingress.name_place


def _default_of(item: KubernetesObject[IngressClass]) -> tuple[str, Place]:
    return f"IngressClass `{item.name}` is the default as well", item.annotation_place(DEFAULT_CLASS_ANNOTATION)


def _product(controller: str) -> str:
    """The domain of whoever makes a controller."""
    return controller.partition("/")[0]


def _class_name(ingress: IngressObject) -> str:
    return ingress.body.spec.ingress_class_name or ingress.annotations.get(CLASS_ANNOTATION) or ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
