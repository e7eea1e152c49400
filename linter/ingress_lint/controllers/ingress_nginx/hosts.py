"""What all Ingresses together say of one host, which to nginx is one server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence

from msgspec import Struct, field

from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.controllers.shared.base import IngressObject
from ingress_lint.load.document import Place
from ingress_lint.objects.networking import IngressRule, LegacyIngressRule
from ingress_lint.routes.listeners import CertificateRef
from ingress_lint.routes.matching import age
from ingress_lint.routes.sourced import Origin, Sourced


class Host(Struct):
    """What all paths of a host share, whichever Ingress says it (internal/ingress/controller/controller.go)."""

    regex: Sourced[str] | None = None
    """The annotation that makes every path a regular expression, with the Ingress it is on in words."""
    tls: Place | None = None
    """The TLS block that gives it a certificate, be it nginx's own."""
    certificates: list[CertificateRef] = field(default_factory=list)
    aliases: list[Sourced[str]] = field(default_factory=list)
    root: tuple[str, str, int | str | None] | None = None
    """Namespace, Service and port behind path /."""
    first: IngressObject | None = None
    """The Ingress that makes the server, so that its settings and default backend hold where no path fits."""
    catches_all: bool = False
    """Whether some path takes every request, in place of the server's own location /."""


def gather(hosts: MutableMapping[str, Host], ingress: IngressObject, settings: Settings) -> None:
    """Add what an Ingress, which is no canary, says of its hosts."""
    use_regex, rewrite = settings.boolean("use-regex", False), settings.text("rewrite-target")
    aliases = settings.list("server-alias")
    for rule in ingress.body.spec.rules:
        host = hosts[rule.host or ""]
        if host.first is None or age(ingress)[0] < age(host.first)[0]:
            host.first = ingress
        host.aliases = host.aliases or [alias for alias in aliases if alias.value != rule.host]
        for path in rule.http.paths if rule.http else ():
            reference = path.backend.reference()
            if (path.path or "/") == "/" and reference is not None:
                host.catches_all = host.catches_all or path.path_type != "Exact"
                host.root = ingress.namespace, reference.service, reference.port
            if host.regex is None and use_regex.value:
                host.regex = Sourced(f"`use-regex` of Ingress `{ingress.name}`", Origin.EXPLICIT, use_regex.place)
            if host.regex is None and rewrite is not None and rewrite.value != path.path:
                host.regex = Sourced(f"`rewrite-target` of Ingress `{ingress.name}`", Origin.EXPLICIT, rewrite.place)
        for index, block in enumerate(ingress.body.spec.tls):
            if rule.host and _covers(block.hosts, rule.host):
                place = ingress.at("spec", "tls", index)
                host.tls = host.tls or place
                if block.secret_name:
                    names = tuple(
                        Sourced(name, Origin.EXPLICIT, place.at("hosts", number))
                        for number, name in enumerate(block.hosts)
                    )
                    secret = place.at("secretName")
                    host.certificates.append(
                        CertificateRef("Secret", ingress.namespace, block.secret_name, secret, names)
                    )


def made_by(ingress: IngressObject, hosts: Mapping[str, Host]) -> Iterator[Sourced[str]]:
    """The hosts that an Ingress makes the servers of."""
    rules: Sequence[IngressRule | LegacyIngressRule] = ingress.body.spec.rules
    for index, rule in enumerate(rules):
        if rule.host and hosts[rule.host].first is ingress:
            yield Sourced(rule.host, Origin.EXPLICIT, ingress.at("spec", "rules", index, "host"))


def _covers(names: Sequence[str], host: str) -> bool:
    """Whether a TLS block is for a host: by name, by a wildcard that its certificate will carry, or by naming none."""
    return not names or host in names or f"*.{host.partition('.')[2]}" in names
