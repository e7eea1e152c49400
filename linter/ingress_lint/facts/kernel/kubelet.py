"""Which unsafe sysctls the set's kubelets allow: `allowedUnsafeSysctls` of their configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.sources import Sources, Tree

_KIND: Final = "KubeletConfiguration"


class Kubelets:
    """The kubelet configurations of a set."""

    def __init__(self, sources: Sources) -> None:
        configurations = list(_configurations(sources))
        self.configuration: Tree | None = next(iter(configurations), None)
        """One of them; None where the set holds none, so that what the kubelets allow is unknown."""
        self._patterns = tuple(
            pattern.text for found in configurations for pattern in found.at("allowedUnsafeSysctls").items()
        )

    def allow(self, name: str) -> bool:
        """Whether any of them lists a sysctl, as such or by a pattern that ends in `*`."""
        return any(
            name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in self._patterns
        )


def _configurations(sources: Sources) -> Iterator[Tree]:
    yield from sources.of_kind(_KIND)
    for item in sources.of_kind("KubeletConfig"):
        yield item.at("spec", "kubeletConfig")
    for kind in ("Cluster", "InstanceGroup"):
        for item in sources.of_kind(kind):
            if item.at("spec", "kubelet", "allowedUnsafeSysctls").value is not None:
                yield item.at("spec", "kubelet")
    for config_map in sources.config_maps:
        for key, text in config_map.body.data.items():
            if isinstance(text, str) and _KIND in text:
                configuration = Tree(text, config_map.at("data", key)).file()
                if configuration.at("kind").text == _KIND:
                    yield configuration
