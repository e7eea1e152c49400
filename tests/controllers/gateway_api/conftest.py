"""Manifests of the Gateway API, and what becomes of requests to their gateways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ingress_lint.controllers.lowering.conducts import conduct_of
from ingress_lint.engine import Options, read
from ingress_lint.load.positions import Locator
from ingress_lint.manifests import ManifestSet
from ingress_lint.routes.answering import Answer, answer
from ingress_lint.routes.choosing import RouteTable
from ingress_lint.routes.matching import SPECIFIED_CONDUCT, Request
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: example.net/gateways}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  gatewayClassName: edge
  listeners:
    - {name: web, port: 80, protocol: HTTP}
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: blue, namespace: shop}
spec: {ports: [{name: http, port: 80}], selector: {app: blue}}
---
apiVersion: v1
kind: Service
metadata: {name: green, namespace: shop}
spec: {ports: [{name: http, port: 80}], selector: {app: green}}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: bank}
spec: {ports: [{name: http, port: 80}], selector: {app: ledger}}
"""


@dataclass(frozen=True)
class World:
    """What the linter makes of some manifests."""

    held: ManifestSet

    @property
    def routes(self) -> tuple[Route, ...]:
        return self.held.routes

    @property
    def verdicts(self) -> list[tuple[str, str, str]]:
        """Each verdict's reason, the object it is about, and how sure it is."""
        return [(v.reason.value, v.object.name, v.certainty.value) for v in self.held.verdicts]

    def verdict(self, reason: str) -> Verdict:
        (found,) = [v for v in self.held.verdicts if v.reason.value == reason]
        return found

    def text_at(self, reason: str) -> str:
        """The text that the only verdict for `reason` points at, up to the end of its line."""
        place = self.verdict(reason).place
        at = Locator().locate(place)
        return place.document.file.line_text(at.line)[at.column - 1 :].strip()

    def ask(self, url: str, gateway: str = "front", **more: object) -> Answer:
        """What becomes of a request; `protocol` is `http` unless the URL or the caller says otherwise."""
        parts = urlsplit(url)
        secure = parts.scheme in ("https", "tls")
        protocol = more.pop("protocol", "http" if parts.scheme.startswith("http") else parts.scheme)
        (frontend,) = [item for item in self.held.frontends if item.owner.name == gateway]
        request = Request(
            protocol,  # type: ignore[arg-type]
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            secure=secure,
            path=parts.path or "/",
            query_string=parts.query,
            **more,  # type: ignore[arg-type]
        )
        conduct = next((conduct_of(route) for route in self.held.routes), SPECIFIED_CONDUCT)
        return answer(request, RouteTable(frontend, self.held.routes, conduct))

    def backend(self, url: str, gateway: str = "front", **more: object) -> str | int | None:
        """The backend that answers, else the status."""
        found = self.ask(url, gateway, **more)
        return found.backends[0].backend.name if found.outcome == "backend" else found.status


Load = Callable[..., World]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads documents, each given as its text."""

    def loaded(*documents: str, **options: object) -> World:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
        found = read(Options(paths=["manifest.yaml"], **options))  # type: ignore[arg-type]
        assert not found.problems, found.problems
        return World(found.sets[0])

    return loaded


def gateway(listeners: str, name: str = "front", more: str = "") -> str:
    """A Gateway in namespace shop with these listeners, one flow mapping a line."""
    lines = "\n".join(f"    - {line.strip()}" for line in listeners.strip().splitlines())
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: shop}}
spec:
  gatewayClassName: edge
{more}
  listeners:
{lines}
"""


def route(rules: str, name: str = "web", kind: str = "HTTPRoute", namespace: str = "shop", spec: str = "") -> str:
    """A route in namespace shop that hangs on Gateway front unless `spec` says otherwise."""
    parents = "" if "parentRefs" in spec else "parentRefs: [{name: front, namespace: shop}]"
    lines = "\n".join(f"    - {line.strip()}" for line in rules.strip().splitlines())
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  {parents}
  {spec}
  rules:
{lines}
"""


TO_BLUE = "backendRefs: [{name: blue, port: 80}]"
TO_GREEN = "backendRefs: [{name: green, port: 80}]"
