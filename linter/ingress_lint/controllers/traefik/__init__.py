"""Traefik: Ingresses, and its own IngressRoutes, Middlewares and TraefikServices."""

from __future__ import annotations

from typing import Final

GROUPS: Final = ("traefik.io", "traefik.containo.us")
"""The API groups of its own kinds, the one of today first; it takes both as one."""
