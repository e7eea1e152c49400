"""The conntrack settings of kube-proxy: its configuration file, in a ConfigMap or alone, its flags, kOps' fields.

kubernetes/kubernetes:staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.facts.evidence.settings import Setting
from ingress_lint.facts.overlay.sources import Sources, Tree
from ingress_lint.load.document import Place
from ingress_lint.values.numbers import whole

_KIND: Final = "KubeProxyConfiguration"
_FIELDS: Final = {
    "max": "maximum",
    "maxPerCore": "max_per_core",
    "min": "minimum",
    "tcpCloseWaitTimeout": "close_wait",
    "tcpEstablishedTimeout": "established",
    "udpTimeout": "udp",
    "udpStreamTimeout": "udp_stream",
}
_FLAGS: Final = {
    "conntrack_max": "maximum",
    "conntrack_max_per_core": "max_per_core",
    "conntrack_min": "minimum",
    "conntrack_tcp_timeout_close_wait": "close_wait",
    "conntrack_tcp_timeout_established": "established",
    "conntrack_udp_timeout": "udp",
    "conntrack_udp_timeout_stream": "udp_stream",
}
_KOPS: Final = {
    "conntrackMaxPerCore": "max_per_core",
    "conntrackMin": "minimum",
}


class Said(Struct, frozen=True):
    """A setting as it is written: `setting` is its name there, `text` its value."""

    setting: str
    text: str
    place: Place

    @property
    def number(self) -> int | None:
        """Its value as a whole number."""
        return whole(self.text)


class Conntrack(Struct, frozen=True):
    """What one kube-proxy configuration says of the conntrack table. None is left to kube-proxy."""

    maximum: Said | None = None
    max_per_core: Said | None = None
    minimum: Said | None = None
    close_wait: Said | None = None
    established: Said | None = None
    udp: Said | None = None
    udp_stream: Said | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__struct_fields__)


def conntracks(sources: Sources) -> Iterator[Conntrack]:
    """The settings of every kube-proxy that the set configures."""
    for configuration in sources.of_kind(_KIND):
        yield _from_file(configuration)
    for item in sources.config_maps:
        for key, text in item.body.data.items():
            if isinstance(text, str) and _KIND in text and "conntrack" in text:
                configuration = Tree(text, item.at("data", key)).file()
                if configuration.at("kind").text == _KIND:
                    yield _from_file(configuration)
    for container in sources.containers("kube-proxy"):
        options = sources.options(container)
        yield Conntrack(**{field: _flag(options[flag]) for flag, field in _FLAGS.items() if flag in options})
    for cluster in sources.of_kind("Cluster"):
        yield _from_fields(cluster.at("spec", "kubeProxy"), _KOPS)


def _from_file(configuration: Tree) -> Conntrack:
    return _from_fields(configuration.at("conntrack"), _FIELDS)


def _from_fields(tree: Tree, names: dict[str, str]) -> Conntrack:
    found = {field: tree.at(name) for name, field in names.items()}
    return Conntrack(
        **{
            field: Said(
                str(value.place.inner[-1] if value.place.inner else value.place.pointer[-1]), value.text, value.place
            )
            for field, value in found.items()
            if value.text
        }
    )


def _flag(option: Setting) -> Said:
    return Said(option.written, option.value, option.place)
