"""The controllers of a set as far as it and the configuration show them. Flags: kubernetes/ingress-nginx:pkg/flags/flags.go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.ingress_nginx.annotations import ANNOTATIONS, PREFIX
from ingress_lint.controllers.registry import runs
from ingress_lint.controllers.shared.annotations import Scope
from ingress_lint.controllers.shared.classes.declared import declared_config_map, declared_installations
from ingress_lint.facts.app_servers import named_config_map
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.units.configured import Declared
from ingress_lint.values.numbers import release, whole
from ingress_lint.values.patterns import deferred

GATEWAY: Final = "ingress-nginx"
DEFAULT_CONTROLLER_CLASS: Final = "k8s.io/ingress-nginx"
DEFAULT_CLASS: Final = "nginx"
CONTROLLER: Final = "ingress-nginx"
TRUE: Final = frozenset({"true", "1", "t", "T", "TRUE", "True"})
"""What switches on, as a flag and in the ConfigMap (golang/go:src/strconv/atob.go)."""

_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_TAG: Final = deferred(r":v?([0-9]+(?:\.[0-9]+)+)")
_BINARY: Final = "/nginx-ingress-controller"
_CONVENTIONAL: Final = frozenset(
    {"ingress-nginx-controller", "nginx-ingress-controller", "nginx-configuration", "nginx-load-balancer-conf"}
)
"""The names that the project's own manifests, its chart, its older manifests and microk8s give the ConfigMap."""


class Installation(Struct, frozen=True, dict=True):
    """A controller as far as the set shows it; what it does not show is None."""

    config: KubernetesObject[ConfigMap] | None = None
    passthrough: Sourced[bool] | None = None
    """Whether it passes TLS through: `--enable-ssl-passthrough`, off without it (pkg/flags/flags.go)."""
    prefix: str = PREFIX
    class_name: str = DEFAULT_CLASS
    controller_class: str = DEFAULT_CONTROLLER_CLASS
    seen: bool = False
    """Whether all of its options are known, as its workload is in the set or the configuration tells them."""
    declared: bool = False
    """Whether the configuration says that it serves `class_name`."""
    told: bool = False
    """Whether its ConfigMap is in the set, or it is given none, so that defaults are known to hold."""
    http_port: int = 80
    https_port: int = 443
    version: tuple[int, ...] = ()
    """By the tag of its image, empty where that does not tell."""
    webhook: bool = True
    """Whether it may refuse Ingresses: `--validating-webhook` starts its admission webhook (pkg/flags/flags.go)."""

    @cached_property
    def configured(self) -> Mapping[str, Sourced[str]]:
        """What its ConfigMap says, by key."""
        data = self.config.body.data if self.config is not None else {}
        return {
            key: Sourced(str(value), Origin.EXPLICIT, self.config.at("data", key))
            for key, value in data.items()
            if self.config is not None and counts(key, Scope.CONFIG_MAP)
        }

    def takes_proxy_protocol(self, absent: Place) -> Sourced[bool] | None:
        """`use-proxy-protocol` of its ConfigMap, for all that comes; None where that is not in the set."""
        key = "use-proxy-protocol"
        if self.config is not None and key in self.config.body.data:
            value = str(self.config.body.data[key])
            return Sourced(value in TRUE, Origin.EXPLICIT, self.config.at("data", key))
        place = self.config.at("data") if self.config is not None else absent
        return Sourced(False, Origin.DEFAULT, place, f"`{key}` is off by default") if self.told else None

    def serves(self, class_name: str | None, controller_class: str | None) -> bool:
        """Whether an Ingress of this class, which an IngressClass may map to `controller_class`, is its own."""
        if controller_class is not None:
            return not self.seen or controller_class == self.controller_class
        return not self.seen or class_name is None or class_name == self.class_name


@once_per_graph
def installations(graph: ObjectGraph) -> tuple[Installation, ...]:
    """The controllers that the configuration describes, and those of the set, by image or program.

    Else the one whose ConfigMap alone is there.
    """
    running = tuple(_running(graph))
    alone = None if running else _lone_config_map(graph)
    described = (_described(name, said, alone) for name, said in declared_installations(graph, CONTROLLER))
    found = (*filter(None, described), *running)
    return found or ((Installation(alone),) if alone is not None else ())


def _running(graph: ObjectGraph) -> Iterator[Installation]:
    return (
        installed(container, graph)
        for workload in graph.workloads
        for container in workload.containers
        if runs(CONTROLLER, container.container.image)
        or any(str(word).endswith(_BINARY) for word in (*container.container.command, *container.container.args))
    )


def _described(class_name: str, declared: Declared, alone: KubernetesObject[ConfigMap] | None) -> Installation | None:
    """What the configuration says of the controller of a class; None where that is its name alone.

    Options that are told count as all that there are. Its ConfigMap is `alone` in the set, where it is not told.
    """
    said = declared.installed
    config = declared_config_map(declared)
    if not (said.version or said.flags or config):
        return None
    place = Place(declared.document, declared.pointer)
    told: dict[str, tuple[str, Place]] = {}
    for index, word in enumerate(said.flags):
        name, _, value = word.partition("=")
        told[name.lstrip("-")] = value, place.at("flags", index)
    installation = _of_flags(told, config or alone, place) if told else Installation(config or alone)
    return replace(
        installation,
        class_name=class_name,
        declared=True,
        told=config is not None,
        version=release((said.version or "").removeprefix("v")) or (),
    )


def serving(
    found: Sequence[Installation], ingress: KubernetesObject[Ingress | LegacyIngress], graph: ObjectGraph
) -> Installation:
    """The installation that serves an Ingress; one that shows nothing where the set leaves it open."""
    class_name = ingress.body.spec.ingress_class_name or ingress.annotations.get(_CLASS_ANNOTATION)
    said = next(
        (installation for installation in found if installation.declared and installation.class_name == class_name),
        None,
    )
    if said is not None:
        return said
    defined = graph.ingress_classes.get(class_name or "")
    controller_class = defined.body.spec.controller if defined is not None else None
    candidates = [one for one in found if not one.declared and one.serves(class_name, controller_class)]
    return candidates[0] if len(candidates) == 1 else Installation()


def installed(container: WorkloadContainer, graph: ObjectGraph) -> Installation:
    """What a container of the controller is told. Flags: pkg/flags/flags.go."""
    flags: dict[str, tuple[str, Place]] = {}
    for word, place in listening_evidence(graph).of(container).words:
        name, _, value = word.partition("=")
        if name.startswith("-"):
            flags[name.lstrip("-")] = value, place
    config = named_config_map(container, graph)
    return replace(
        _of_flags(flags, config, container.at("args")),
        told=config is not None or "configmap" not in flags,
        version=(release(tag[1]) or ()) if (tag := _TAG.search(container.container.image)) else (),
    )


def _of_flags(
    flags: Mapping[str, tuple[str, Place]], config: KubernetesObject[ConfigMap] | None, place: Place
) -> Installation:
    """A controller that is told these options and no others; `place` is where more would stand."""
    enabled = flags.get("enable-ssl-passthrough")
    return Installation(
        config=config,
        passthrough=Sourced(enabled[0] in TRUE | {""}, Origin.EXPLICIT, enabled[1])
        if enabled
        else Sourced(False, Origin.DEFAULT, place, "--enable-ssl-passthrough is not given"),
        prefix=flags["annotations-prefix"][0] if "annotations-prefix" in flags else PREFIX,
        class_name=flags["ingress-class"][0] if "ingress-class" in flags else DEFAULT_CLASS,
        controller_class=flags["controller-class"][0] if "controller-class" in flags else DEFAULT_CONTROLLER_CLASS,
        seen=True,
        http_port=_port(flags, "http-port", 80),
        https_port=_port(flags, "https-port", 443),
        webhook="validating-webhook" in flags,
    )


def _port(flags: Mapping[str, tuple[str, Place]], name: str, default: int) -> int:
    number = whole(flags[name][0]) if name in flags else None
    return default if number is None else number


def _lone_config_map(graph: ObjectGraph) -> KubernetesObject[ConfigMap] | None:
    configs = [item for item in graph.of(ConfigMap) if _is_conventional(item)]
    return configs[0] if len(configs) == 1 else None


def _is_conventional(item: KubernetesObject[ConfigMap]) -> bool:
    named = item.name in _CONVENTIONAL or item.labels.get("app.kubernetes.io/name") == "ingress-nginx"
    return named and any(counts(key, Scope.CONFIG_MAP) for key in item.body.data)


def counts(key: str, scope: Scope) -> bool:
    """Whether a key is one that it reads there."""
    spec = ANNOTATIONS.specs.get(key)
    return spec is not None and scope in spec.scopes
