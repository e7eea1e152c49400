"""The route model as JSON: every value with who decided it and where."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from typing import Any

from msgspec import Struct

from ingress_lint.graph.resolution import Resolution
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import KubernetesObject, Model, camel_case, fields_of
from ingress_lint.output.sanitize import json_text
from ingress_lint.routes.model import Filter, ResolvedPort, Route
from ingress_lint.units.plan import Unit


def render(routes: Iterable[tuple[Unit, Route]], locator: Locator) -> str:
    """The routes of units as one JSON document. Times are in seconds, sizes in bytes; an endless time is `null`."""
    encoder = _Encoder(locator)
    told = [{"unit": unit.name, "cluster": unit.cluster, **encoder.encode(route)} for unit, route in routes]
    return json_text({"version": 1, "routes": told})


class _Encoder:
    def __init__(self, locator: Locator) -> None:
        self._locator = locator

    def encode(self, value: Any) -> Any:
        match value:
            case Enum():
                return value.value
            case None | bool() | int() | str():
                return value
            case float():
                return value if math.isfinite(value) else None
            case Place():
                return self._place(value)
            case GroupKind():
                return value.kind
            case KubernetesObject():
                return _reference(value)
            case Workload():
                return _reference(value.object)
            case WorkloadContainer():
                return value.name
            case Resolution():
                return {"existence": value.existence.value, "why": value.why}
            case ResolvedPort():
                return {
                    "service": _reference(value.service),
                    "location": self._place(value.at("port")),
                    **self.encode(value.port),
                    "endpoints": self.encode(value.endpoints),
                }
            case Model():
                return self._body(value)
            case dict():
                return {str(key): self.encode(item) for key, item in value.items()}
            case list() | tuple() | frozenset():
                return [self.encode(item) for item in value]
        if isinstance(value, Struct):
            kind = {"filter": type(value).__name__} if isinstance(value, Filter) else {}
            told = (name for name in value.__struct_fields__ if name != "remedies")
            return {**kind, **{camel_case(name): self.encode(getattr(value, name)) for name in told}}
        return str(value)

    def _body(self, body: Model) -> dict[str, Any]:
        """A part of an object as Kubernetes writes it, without what nobody wrote and has no default."""
        written = ((field.encode_name, getattr(body, field.name)) for field in fields_of(type(body)))
        return {name: self.encode(value) for name, value in written if value is not None}

    def _place(self, place: Place) -> dict[str, Any]:
        found = self._locator.locate(place)
        return {"file": found.file, "line": found.line, "column": found.column, "pointer": found.pointer}


def _reference(item: KubernetesObject[Any]) -> dict[str, str]:
    return {"apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace, "name": item.name}
