"""Annotations of Services by which GKE does something for a port, where they name ports that the Service does not have.

Sources: kubernetes/ingress-gce:pkg/annotations/service.go (`backend-config` goes by number or name, `app-protocols` by
name alone), pkg/neg/controller.go (`exposed_ports` by number; one that is not there stops the whole Service).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ingress_lint.controllers.google.annotations import GKE_ANNOTATIONS
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.ports import is_number
from ingress_lint.values.spelling import close_matches

_NO_CONFIG: Final = "no port gets that BackendConfig, and the load balancer keeps its own health check and timeout"
_PLAIN: Final = "the load balancer speaks plain HTTP to that port, and clients get 502 if it expects TLS"
_NO_GROUP: Final = "GKE makes no network endpoint groups for the Service, and load balancers find no targets in them"


def unknown_ports(services: Iterable[KubernetesObject[Service]]) -> Iterator[Verdict]:
    """One verdict for each port that an annotation names and its Service lacks."""
    for service in services:
        if service.annotations and service.body.spec.ports:
            yield from _of_backend_config(service)
            yield from _of_app_protocols(service)
            yield from _of_groups(service)


def _of_backend_config(service: KubernetesObject[Service]) -> Iterator[Verdict]:
    """Where a port of the Service goes without, for other keys may be left over from ports that it had."""
    written = GKE_ANNOTATIONS.reader(service).json("backend-config")
    named = _keys(written, "ports")
    if written is None or not named or written.value.get("default"):
        return
    ports = service.body.spec.ports
    if any(str(port.port) not in named and port.name not in named for port in ports):
        for key in named:
            if key not in {text for port in ports for text in (str(port.port), port.name)}:
                yield _verdict(service, written, "backend-config", key, _NO_CONFIG, Reason.TARGET_NOT_FOUND)


def _of_app_protocols(service: KubernetesObject[Service]) -> Iterator[Verdict]:
    """Where a key is meant for a port that the Service has: by its number, or by a name that is nearly its own."""
    written = GKE_ANNOTATIONS.reader(service).json("app-protocols")
    ports = service.body.spec.ports
    names = [port.name for port in ports if port.name]
    without = [port for port in ports if port.name not in _keys(written)]
    for key, protocol in _keys(written).items():
        meant = any(key == str(port.port) or not port.name for port in without)
        near = close_matches(key, [port.name for port in without if port.name], 1, 0.6)
        if written is not None and key not in names and protocol != "HTTP" and (meant or near):
            yield _verdict(service, written, "app-protocols", key, _PLAIN, Reason.UNKNOWN_ANNOTATION)


def _of_groups(service: KubernetesObject[Service]) -> Iterator[Verdict]:
    written = GKE_ANNOTATIONS.reader(service).json("neg")
    numbers = {str(port.port) for port in service.body.spec.ports}
    for key in _keys(written, "exposed_ports"):
        if written is not None and key not in numbers:
            yield _verdict(service, written, "neg", key, _NO_GROUP, Reason.UNKNOWN_ANNOTATION)


def _keys(written: Sourced[Any] | None, field: str = "") -> Mapping[str, Any]:
    value = written.value if written is not None and isinstance(written.value, dict) else {}
    inner = value.get(field) if field else value
    return inner if isinstance(inner, dict) else {}


def _verdict(
    service: KubernetesObject[Service], written: Sourced[Any], annotation: str, key: str, then: str, reason: Reason
) -> Verdict:
    ports = service.body.spec.ports
    held = ", ".join(_title(port) for port in ports)
    target = next((port for port in ports if str(port.target_port) == key), None)
    hint = f"; {key} is the target port of port {target.port}" if target else ""
    own = ports[0]
    by_name = annotation == "app-protocols"
    if by_name and not own.name:
        fix = f"name the port, and write that name in `{annotation}`"
    else:
        fix = (
            f"write `{own.name if by_name else (target or own).port}`"
            if len(ports) == 1 or target
            else f"name one of {held}"
        )
    how = ", which goes by the names of ports" if by_name and is_number(key) else ""
    return Verdict(
        reason,
        service,
        written.place,
        f"`{annotation}` of Service `{service.name}` names port `{key}`{how}, and the Service has {held}{hint}; {then}",
        Certainty.KNOWN,
        fix=fix,
    )


def _title(port: ServicePort) -> str:
    return f"port {port.port} (`{port.name}`)" if port.name else f"port {port.port} without a name"
