"""What a Service port's name or appProtocol tells Istio.

istio/istio:pkg/config/kube/conversion.go, pkg/config/protocol/instance.go. A gateway does not sniff: without a word it
speaks HTTP/1.1 (istio.io/docs/ops/configuration/traffic-management/protocol-selection).
"""

from __future__ import annotations

from typing import Final

from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol

_NAMES: Final = {
    "grpc": AppProtocol.GRPC,
    "http2": AppProtocol.H2C,
    "http": AppProtocol.HTTP,
    "http_proxy": AppProtocol.HTTP,
    "https": AppProtocol.HTTPS,
    "tls": AppProtocol.TLS,
    "tcp": AppProtocol.TCP,
    "mongo": AppProtocol.TCP,
    "mysql": AppProtocol.TCP,
    "redis": AppProtocol.TCP,
}
_STANDARD: Final = {
    "kubernetes.io/h2c": AppProtocol.H2C,
    "kubernetes.io/ws": AppProtocol.HTTP,
    "kubernetes.io/wss": AppProtocol.HTTPS,
}
_NEVER_SNIFFED: Final = frozenset({25, 53, 3306, 27017})
_WEB_GRPC: Final = "grpc-web"


def declared(port: ResolvedPort) -> Sourced[AppProtocol]:
    """What Istio takes a Service port for; unknown where neither appProtocol nor the name tells."""
    spec = port.port
    if spec.protocol == "UDP":
        return Sourced(AppProtocol.UDP, Origin.DERIVED, port.at("protocol"), "a UDP port")
    if spec.app_protocol is not None:
        word, origin, place = spec.app_protocol.lower(), Origin.EXPLICIT, port.at("appProtocol")
        why = f"appProtocol {spec.app_protocol}"
    else:
        word, origin, place = spec.name.lower(), Origin.DERIVED, port.at("name")
        why = f"port name {spec.name}"
    found = _STANDARD.get(word) or _of_word(word)
    if found is not None:
        return Sourced(found, origin, place, why)
    if spec.port in _NEVER_SNIFFED:
        return Sourced(AppProtocol.TCP, Origin.DERIVED, port.at("port"), f"port {spec.port} is never looked into")
    return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, port.at("port"), "neither its name nor appProtocol tells")


def _of_word(word: str) -> AppProtocol | None:
    if word.startswith(_WEB_GRPC):
        return AppProtocol.GRPC
    return _NAMES.get(word.partition("-")[0])
