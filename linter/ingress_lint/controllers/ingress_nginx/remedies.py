"""How somebody tells ingress-nginx to treat a backend otherwise."""

from __future__ import annotations

from functools import cache

from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.traffic import AppProtocol


@cache
def remedies(prefix: str) -> Remedies:
    """How somebody tells it so by annotations of a prefix (docs/user-guide/nginx-configuration/annotations.md)."""
    spoken = {
        AppProtocol.HTTPS: "HTTPS",
        AppProtocol.HTTP: "HTTP",
        AppProtocol.GRPC: "GRPC",
        AppProtocol.FASTCGI: "FCGI",
    }
    return Remedies(
        protocols={protocol: f"set `{prefix}/backend-protocol: {value}`" for protocol, value in spoken.items()},
        read_timeout=f"set `{prefix}/proxy-read-timeout: '{{}}'`",
        body_limit=f"set `{prefix}/proxy-body-size: '{{}}'`",
        header_limit=f"set `{prefix}/proxy-buffer-size: {{}}`",
    )
