"""Where CNIs and nodes are configured: ConfigMaps and the files in them, custom resources, Helm values, containers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from ingress_lint.facts.evidence.settings import Setting, environment, settings, words
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.facts.overlay.kinds import CONFIGURATIONS, POD_KINDS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.load.embedded import parse_embedded
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.values.numbers import whole

_CONTAINERS: Final = frozenset({"calico-node", "weave", "kube-router", "aws-node", "kube-proxy"})
_CONFIGURED_BY: Final = frozenset({"veth_mtu", "net-conf.json", "cni-conf.json", "cni-config", "antrea-agent.conf"})
_DEEPEST: Final = 4
"""Plugins within plugins; YAML can make a list a part of itself."""
_WIDEST: Final = 64
"""Of so many bits is the largest number that a field of Kubernetes holds."""
_CONFIG_MAPS: Final = frozenset({"cilium-config", "ovn-config"})


class Tree(Struct, frozen=True):
    """A value of a manifest or of a file in it, with its place. What is absent is None."""

    value: Any
    place: Place

    def at(self, *steps: str | int) -> Tree:
        """What stands some keys further down."""
        value = self.value
        for step in steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else None
        return Tree(value, self.place.at(*steps))

    def items(self) -> Iterator[Tree]:
        """The items of a list; none where it is no list."""
        for index in range(len(self.value) if isinstance(self.value, list) else 0):
            yield self.at(index)

    def file(self) -> Tree:
        """The YAML or JSON in a text."""
        value = parse_embedded(self.value) if isinstance(self.value, str) else None
        return Tree(value, self.place.inside(()))

    @property
    def number(self) -> int | None:
        """A whole number from 0 on, also one in quotes."""
        return whole(self.text.strip())

    @property
    def text(self) -> str:
        """A scalar as text, empty where it is absent."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, int) and self.value.bit_length() > _WIDEST:
            return ""
        return "" if self.value is None or isinstance(self.value, (dict, list)) else str(self.value)

    @property
    def on(self) -> bool:
        """Whether it is true, in quotes or not."""
        return self.text.lower() == "true"


class Sources:
    """Every place of a set that may configure the pod network or the nodes, found in one pass."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._by_kind: defaultdict[str, list[AnyObject]] = defaultdict(list)
        self.config_maps: list[KubernetesObject[ConfigMap]] = []
        for item in graph.objects:
            if isinstance(item.body, ConfigMap):
                self.config_maps.append(item)
            elif (item.group, item.kind) in CONFIGURATIONS:
                self._by_kind[item.kind].append(item)

    def of_kind(self, kind: str) -> Iterator[Tree]:
        """The objects of a kind, among those that configure networks or nodes."""
        for item in self._by_kind.get(kind, ()):
            yield Tree(item.mapping(), item.at())

    @cached_property
    def network_config_maps(self) -> list[KubernetesObject[ConfigMap]]:
        """The ConfigMaps that may configure a CNI."""
        return [
            item
            for item in self.config_maps
            if item.name in _CONFIG_MAPS or not _CONFIGURED_BY.isdisjoint(item.body.data)
        ]

    def data(self, *, holding: str = "", name: str = "") -> Iterator[Tree]:
        """The data of the CNI's ConfigMaps that hold a key, or have a name."""
        for item in self.network_config_maps:
            if (holding and holding in item.body.data) or (name and item.name == name):
                yield Tree(item.body.data, item.at("data"))

    @cached_property
    def _containers(self) -> Mapping[str, list[WorkloadContainer]]:
        found: defaultdict[str, list[WorkloadContainer]] = defaultdict(list)
        for workload in self._graph.workloads:
            if (workload.object.group, workload.object.kind) in POD_KINDS:
                for container in workload.containers:
                    if container.name in _CONTAINERS:
                        found[container.name].append(container)
        return found

    def containers(self, name: str) -> list[WorkloadContainer]:
        """The containers of DaemonSets and bare Pods that have the name of a network component."""
        return self._containers.get(name, [])

    def variables(self, container: WorkloadContainer) -> dict[str, Tree]:
        """A container's environment, as far as the set shows it."""
        return {name: Tree(value, place) for name, (value, place) in environment(container, self._graph).items()}

    def options(self, container: WorkloadContainer) -> dict[str, Setting]:
        """A container's command line options, by their names in snake case."""
        found = environment(container, self._graph)
        return {option.name: option for option in settings(words(container, found), {})}

    def values(self, *charts: str) -> Iterator[Tree]:
        """The values that Helm releases of the set give to charts of these names (K3s and RKE2, Flux, Argo CD)."""
        for chart, tree in self._releases:
            if chart in charts:
                values = tree.file() if isinstance(tree.value, str) else tree
                if isinstance(values.value, dict):
                    yield values

    @cached_property
    def _releases(self) -> list[tuple[str, Tree]]:
        found: list[tuple[str, Tree]] = []
        for kind in ("HelmChartConfig", "HelmChart"):
            for item in self.of_kind(kind):
                chart = item.at("spec", "chart").text.rpartition("/")[2] or item.at("metadata", "name").text
                found.append((chart, item.at("spec", "valuesContent")))
        for item in self.of_kind("HelmRelease"):
            chart = item.at("spec", "chart", "spec", "chart").text or item.at("metadata", "name").text
            found.append((chart, item.at("spec", "values")))
        for item in self.of_kind("Application"):
            for source in (item.at("spec", "source"), *item.at("spec", "sources").items()):
                found.append((source.at("chart").text, source.at("helm", "valuesObject")))
                found.append((source.at("chart").text, source.at("helm", "values")))
        return found

    def plugins(self, plugin_type: str) -> Iterator[Tree]:
        """The CNI plugins of one type in the configuration lists that ConfigMaps hold."""
        for item in self.network_config_maps:
            data = Tree(item.body.data, item.at("data"))
            for key, text in item.body.data.items():
                if isinstance(text, str) and '"mtu"' in text and f'"{plugin_type}"' in text:
                    yield from _plugins(data.at(key).file(), plugin_type)


@once_per_graph
def node_sources(graph: ObjectGraph) -> Sources:
    """What the set says of its nodes."""
    return Sources(graph)


def _plugins(configuration: Tree, plugin_type: str, depth: int = 0) -> Iterator[Tree]:
    """The plugins of one type in a CNI configuration: itself, one of its list, or one that Multus delegates to."""
    if configuration.at("type").text == plugin_type:
        yield configuration
    for field in ("plugins", "delegates") if depth < _DEEPEST else ():
        for plugin in configuration.at(field).items():
            yield from _plugins(plugin, plugin_type, depth + 1)
