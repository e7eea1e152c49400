"""How to ask a port of the cluster for what a proxy asks it for, by the protocol that is spoken there."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Final

from msgspec import Struct

from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.runbook import shell

_GRPC: Final = (AppProtocol.GRPC, AppProtocol.GRPCS)
_CURL_OPTIONS: Final[Mapping[AppProtocol, tuple[str, str]]] = {
    AppProtocol.HTTPS: ("https", " --insecure"),
    AppProtocol.HTTP2: ("https", " --insecure --http2"),
    AppProtocol.H2C: ("http", " --http2-prior-knowledge"),
}


class Question(Struct, frozen=True):
    """A request as it reaches a port. For what is no HTTP, only the connection is tried."""

    protocol: AppProtocol
    method: str
    host: str
    path: str
    headers: Mapping[str, str]

    @property
    def is_http(self) -> bool:
        """Whether curl can ask it."""
        return self.protocol in _CURL_OPTIONS or self.protocol in (
            AppProtocol.HTTP,
            AppProtocol.AUTO,
            AppProtocol.UNKNOWN,
        )

    @property
    def healthy(self) -> str:
        """A healthy answer in words."""
        if self.is_http:
            return (
                "the application's own status for this path (200, a redirect, or 401 where it wants a login), at once"
            )
        if self.protocol in _GRPC:
            return "a list of services, or that the server has no reflection API: it answers either way"
        if self.protocol is AppProtocol.TLS:
            return "a certificate that names the host, and no error"
        if self.protocol is AppProtocol.UDP:
            return "no error; UDP tells no more than that, so look at the application's log as well"
        return "`open`"

    def ask(self, namespace: str, host: str, port: str) -> tuple[str, ...]:
        """The command that asks, from a pod. `host` and `port` are words for within double quotes of a shell."""
        if self.is_http:
            scheme, options = _CURL_OPTIONS.get(self.protocol, ("http", ""))
            sent = shell.headers(self.headers, self.host)
            url = f'"{scheme}://{host}:{port}"{quote(shell.path(self.path))}'
            command = f"{shell.CURL} {shell.TIMED}{options}{shell.method(self.method)}{sent} {url}"
            return shell.in_pod(namespace, shell.CURL_IMAGE, command)
        if self.protocol in _GRPC:
            option = "-insecure" if self.protocol.over_tls else "-plaintext"
            authority = f"-authority {quote(self.host)} " if self.host else ""
            command = f'{option} -max-time 10 {authority}"{host}:{port}" list'
            return shell.in_pod(namespace, shell.GRPCURL_IMAGE, command)
        if self.protocol is AppProtocol.TLS:
            name = f" -servername {quote(self.host)}" if self.host else ""
            command = f's_client -connect "{host}:{port}"{name} -brief < /dev/null'
            return shell.in_pod(namespace, shell.OPENSSL_IMAGE, command)
        datagrams = " -u" if self.protocol is AppProtocol.UDP else ""
        return shell.in_pod(namespace, shell.BUSYBOX_IMAGE, f'nc{datagrams} -z -v -w 5 "{host}" "{port}"')
