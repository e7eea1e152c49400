"""CNIs of which one setting matters: Weave Net, kube-router, the AWS VPC CNI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.overlay.model import IP_IN_IP, Encapsulation, Meaning, Mtu, Overlay
from ingress_lint.facts.overlay.sources import Sources

_FAST_DATAPATH: Final = Encapsulation("Weave's fast datapath", 84)
_FOU: Final = Encapsulation("FoU", 28)
_REMOVE: Final = "nothing"


def overlays(sources: Sources) -> Iterator[Overlay]:
    """The networks of these CNIs."""
    yield from _weave(sources)
    yield from _kube_router(sources)
    yield from _aws(sources)


def _weave(sources: Sources) -> Iterator[Overlay]:
    """`WEAVE_MTU` is the pods'; the underlay must carry 84 to 87 bytes more (weaveworks/weave:site/tasks/manage/fastdp.md)."""
    for container in sources.containers("weave"):
        variables = sources.variables(container)
        mtu = variables.get("WEAVE_MTU")
        if mtu is not None and mtu.number and "WEAVE_NO_FASTDP" not in variables:
            yield Overlay(
                "Weave Net",
                (Mtu(mtu.number, "WEAVE_MTU", Meaning.POD, mtu.place),),
                (_FAST_DATAPATH,),
                automatic=_REMOVE,
                consequence="Weave Net falls back to its slow path through user space (sleeve), or drops large packets",
            )


def _kube_router(sources: Sources) -> Iterator[Overlay]:
    """The bridge's `mtu` in the CNI configuration, which counts only with `--auto-mtu=false`.

    Else kube-router writes the node's own over it (cloudnativelabs/kube-router:docs/user-guide.md).
    """
    for container in sources.containers("kube-router"):
        options = sources.options(container)
        automatic, overlay = options.get("auto_mtu"), options.get("enable_overlay")
        if automatic is None or automatic.switched_on:
            continue
        encap = options.get("overlay_encap")
        kind = _FOU if encap is not None and encap.value == "fou" else IP_IN_IP
        found = () if overlay is not None and not overlay.switched_on else (kind.at(encap.place if encap else None),)
        written = tuple(
            Mtu(mtu.number, "mtu", Meaning.POD, mtu.place)
            for plugin in sources.plugins("bridge")
            if (mtu := plugin.at("mtu")).number
        )
        if written:
            yield Overlay("kube-router", written, found, automatic=_REMOVE)


def _aws(sources: Sources) -> Iterator[Overlay]:
    """No encapsulation: `AWS_VPC_ENI_MTU` is set on the network cards, `POD_MTU` on the pods' interfaces.

    aws/amazon-vpc-cni-k8s:README.md
    """
    for container in sources.containers("aws-node"):
        variables = sources.variables(container)
        written = tuple(
            Mtu(variables[name].number or 0, name, meaning, variables[name].place)
            for name, meaning in (("POD_MTU", Meaning.POD), ("AWS_VPC_ENI_MTU", Meaning.CARD))
            if name in variables and variables[name].number
        )
        if written:
            yield Overlay("the AWS VPC CNI", written, automatic=_REMOVE)
