"""F5 NGINX Ingress Controller: Ingresses, and its own VirtualServers and TransportServers."""

from __future__ import annotations

from typing import Final

CONTROLLER: Final = "nginx-ingress"
