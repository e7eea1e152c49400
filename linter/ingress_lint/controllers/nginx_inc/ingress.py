"""Ingresses that F5 NGINX serves: regular ones, and masters whose host minions fill with paths.

Sources are in nginx/kubernetes-ingress: internal/configs/ingress.go, version1/nginx.ingress.tmpl and template_helper.go,
internal/k8s/configuration.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.nginx_inc.annotations import ANNOTATIONS, MERGEABLE, OLD_SSL_REDIRECT, ORG
from ingress_lint.controllers.nginx_inc.hosts import HostClaim, Hosts
from ingress_lint.controllers.nginx_inc.settings import GATEWAY, Installation, MinionSettings, Settings
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.networking import HTTPIngressPath, IngressRule, LegacyHTTPIngressPath, LegacyIngressRule
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import Attachment, Filter, ResolvedPort, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind, Timeouts
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

CHECKER: Final = "NGINX Plus controller"
HEALTHY: Final = "200-399"
"""What NGINX Plus takes for healthy without a `match` (nginx.org, ngx_http_upstream_hc_module)."""
_REWRITE: Final = deferred(r"(?<!\S)serviceName=(\S++)\s+rewrite=(\S+)")
_DEFAULT_CODE: Final = 301


def _rules(ingress: IngressObject) -> Sequence[IngressRule | LegacyIngressRule]:
    return ingress.body.spec.rules


def ingress_hosts(claims: Sequence[Claim]) -> Iterator[HostClaim]:
    """The hosts that Ingresses want; a minion has none of its own."""
    for claim in claims:
        ingress = claim.ingress
        if ingress.annotations.get(MERGEABLE) != "minion":
            for index, rule in enumerate(_rules(ingress)):
                if rule.host:
                    yield HostClaim(rule.host, ingress, ingress.at("spec", "rules", index, "host"))


class NginxIngresses(IngressController):
    """One run over one set: masters, minions and settings are worked out once."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, graph: ObjectGraph, claims: Sequence[Claim], installation: Installation, hosts: Hosts) -> None:
        self._graph = graph
        self._installation = installation
        self._hosts = hosts
        self._masters: dict[str, IngressObject] = {}
        self._settings: dict[IngressObject, Settings] = {}
        self._listeners: dict[tuple[IngressObject, str], tuple[Listener, ...]] = {}
        self.refusals: list[Verdict] = []
        for claim in claims:
            ingress = claim.ingress
            if ingress.annotations.get(MERGEABLE) == "master":
                for rule in _rules(ingress)[:1]:
                    self._masters.setdefault(rule.host or "", ingress)
        self._claims = [claim for claim in claims if self._takes_part(claim.ingress)]

    def _takes_part(self, ingress: IngressObject) -> bool:
        """Whether it gives nginx any path: a master gives none, and a minion without a master is left out."""
        role = ingress.annotations.get(MERGEABLE)
        if role == "minion" and self._master(ingress) is None:
            complete = self._graph.context.assume == "complete"
            self.refusals.append(
                Verdict(
                    Reason.NO_MATCHING_PARENT,
                    ingress,
                    ingress.annotation_place(MERGEABLE),
                    f"Ingress `{ingress.name}` is a minion, and no master of these manifests has its host; without one, F5 "
                    f"NGINX leaves it out, and clients get 404",
                    Certainty.KNOWN if complete else Certainty.UNKNOWN,
                    fix="add an Ingress with the same host and `nginx.org/mergeable-ingress-type: master`",
                )
            )
        return role != "master"

    def _master(self, ingress: IngressObject) -> IngressObject | None:
        if ingress.annotations.get(MERGEABLE) != "minion":
            return None
        rules = _rules(ingress)
        return self._masters.get(rules[0].host or "") if rules else None

    def _server(self, ingress: IngressObject) -> IngressObject:
        """The Ingress that decides on host and TLS."""
        return self._master(ingress) or ingress

    def _of(self, context: PathContext) -> Settings:
        ingress = context.ingress
        found = self._settings.get(ingress)
        if found is None:
            own, absent = ANNOTATIONS.reader(ingress), context.default_place()
            master = self._master(ingress)
            found = (
                Settings(self._installation, (own,), absent)
                if master is None
                else MinionSettings(self._installation, own, ANNOTATIONS.reader(master), absent)
            )
            self._settings[ingress] = found
        return found

    # -- routes -------------------------------------------------------------------------------------------------------

    def routes(self, backends: BackendResolver) -> Iterator[Route]:
        """One route for each path, and what nginx answers by itself for the host."""
        answered: set[tuple[IngressObject, str]] = set()
        for claim in self._claims:
            for context in self.paths(self._graph, claim, backends):
                if context.is_default:
                    yield from self._defaults(context)
                    continue
                route = self.route(self._graph, context)
                host = context.host.value if context.host else ""
                server = self._server(context.ingress), host
                if server not in answered:
                    answered.add(server)
                    yield from self._own_answers(route, context)
                yield route

    def _defaults(self, context: PathContext) -> Iterator[Route]:
        """The default backend: path / of each host that has none; nobody's in a minion."""
        if context.ingress.annotations.get(MERGEABLE) == "minion":
            return
        for index, rule in enumerate(_rules(context.ingress)):
            paths: Sequence[HTTPIngressPath | LegacyHTTPIngressPath] = rule.http.paths if rule.http else ()
            if rule.host and not any((path.path or "/") == "/" for path in paths):
                place = context.ingress.at("spec", "rules", index, "host")
                host = Sourced(rule.host, Origin.EXPLICIT, place)
                yield self.route(self._graph, replace(context, host=host))

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path."""
        return replace(super().route(graph, context), attached=tuple(self._attached(context)))

    def _attached(self, context: PathContext) -> Iterator[Attachment]:
        for key in ("basic-auth-secret", "jwt-key"):
            named = self._of(context).text(key)
            if named is not None:
                namespace = context.ingress.namespace
                found = self._graph.resolve(SECRET, namespace, named.value)
                yield Attachment(named.place, SECRET, namespace, named.value, found, "clients get 403 or 500")

    def _own_answers(self, route: Route, context: PathContext) -> Iterator[Route]:
        """The redirect to HTTPS by the connection's scheme, that by X-Forwarded-Proto, and `app-root`."""
        settings = self._of(context)
        everything = PathMatch(PathMatchType.PREFIX, "/")
        code = settings.integer("http-redirect-code", _DEFAULT_CODE).value
        bare = replace(route, backends=(), filters=(), attached=())
        forced = self._ssl_redirect(context)
        if forced is not None:
            match = Match(Sourced(everything, Origin.DERIVED, forced.place, "ssl-redirect"))
            redirect = RequestRedirect(forced.place, code, scheme="https")
            plain = tuple(self._plain(context, usable=self._usable(context)))
            yield replace(bare, listeners=plain, matches=(match,), filters=(redirect,))
        asked = settings.boolean("redirect-to-https", default=False)
        if asked.value:
            path = Sourced(everything, Origin.DERIVED, asked.place, "redirect-to-https")
            match = Match(path, headers=(ValueMatch("X-Forwarded-Proto", "http"),))
            first = Sourced(1, Origin.DERIVED, asked.place, "nginx looks at it before any path")
            redirect = RequestRedirect(asked.place, code, scheme="https")
            yield replace(bare, matches=(match,), filters=(redirect,), priority=first)
        root = settings.text("app-root")
        if root is not None:
            path = Sourced(PathMatch(PathMatchType.EXACT, "/"), Origin.DERIVED, root.place, "app-root")
            yield replace(bare, matches=(Match(path),), filters=(RequestRedirect(root.place, 302, path=root.value),))

    # -- the client's side --------------------------------------------------------------------------------------------

    def _usable(self, context: PathContext) -> bool:
        host = context.host.value if context.host else ""
        role = context.ingress.annotations.get(MERGEABLE)
        if role == "minion" and self._master(context.ingress) is None:
            return False
        return not host or self._hosts.serves(host, self._server(context.ingress))

    def _tls(self, context: PathContext) -> tuple[Place, CertificateRef | None] | None:
        """The last TLS block that names the host exactly, and its certificate (addSSLConfig)."""
        server = self._server(context.ingress)
        found = None
        for index, block in enumerate(server.body.spec.tls):
            if context.host is not None and context.host.value in block.hosts:
                place = server.at("spec", "tls", index)
                hosts = tuple(
                    Sourced(host, Origin.EXPLICIT, place.at("hosts", number)) for number, host in enumerate(block.hosts)
                )
                secret = (
                    CertificateRef("Secret", server.namespace, block.secret_name, place.at("secretName"), hosts)
                    if block.secret_name
                    else None
                )
                found = place, secret
        return found

    def _ssl_redirect(self, context: PathContext) -> Sourced[bool] | None:
        """Whether plain requests are sent to HTTPS: yes for a host with TLS, unless somebody says no."""
        if self._tls(context) is None:
            return None
        found = self._of(context).boolean("ssl-redirect", default=True)
        server = self._server(context.ingress)
        old = server.annotations.get(OLD_SSL_REDIRECT, "").lower()
        if old in ("true", "false") and f"{ORG}/ssl-redirect" not in server.annotations:
            found = Sourced(old == "true", Origin.EXPLICIT, server.annotation_place(OLD_SSL_REDIRECT))
        return found if found.value else None

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, unless it only redirects, and 443 for a host that a TLS block names exactly."""
        host = context.host.value if context.host else ""
        key = context.ingress, host
        if key not in self._listeners:
            self._listeners[key] = tuple(self._opened(context))
        return self._listeners[key]

    def _opened(self, context: PathContext) -> Iterator[Listener]:
        usable = self._usable(context)
        if self._ssl_redirect(context) is None:
            yield from self._plain(context, usable=usable)
        found = self._tls(context)
        if found is None:
            return
        place, secret = found
        tls = ListenerTLS(Sourced("Terminate", Origin.EXPLICIT, place), (secret,) if secret else ())
        usable = usable and (secret is not None or self._has_wildcard(context, place))
        for port in self._ports(context, "listen-ports-ssl", 443):
            yield self._of(context).listener(port, Sourced("HTTPS", Origin.DERIVED, place), tls, usable=usable)

    def _has_wildcard(self, context: PathContext, place: Place) -> bool:
        """Whether a certificate for hosts without a Secret may be there; without one nginx rejects handshakes."""
        known = self._installation.container is not None
        if self._installation.option("wildcard-tls-secret") is not None:
            return True
        host = context.host.value if context.host else ""
        self.refusals.append(
            Verdict(
                Reason.INVALID_CERTIFICATE_REF,
                self._server(context.ingress),
                place,
                f"TLS for host `{host}` names no Secret, and unless F5 NGINX runs with -wildcard-tls-secret it rejects "
                f"every TLS handshake for it",
                Certainty.KNOWN if known else Certainty.UNKNOWN,
                fix="name a Secret in `secretName`",
            )
        )
        return not known

    def _plain(self, context: PathContext, *, usable: bool) -> Iterator[Listener]:
        for port in self._ports(context, "listen-ports", 80):
            protocol = Sourced("HTTP", Origin.DEFAULT, context.default_place())
            yield self._of(context).listener(port, protocol, None, usable=usable)

    def _ports(self, context: PathContext, key: str, default: int) -> Iterator[Sourced[int]]:
        settings = self._of(context)
        numbers = [(number, item) for item in settings.items(key) if (number := whole(item.value)) is not None]
        if not numbers:
            yield settings.default(default)
        for number, item in numbers:
            yield Sourced(number, item.origin, item.place)

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """`Exact` exactly, all else by characters; `path-regex` makes them regular expressions from the start on."""
        value = context.path_value or "/"
        place = context.place if context.is_default else context.place.at("path")
        regex = self._of(context).text("path-regex")
        kind = PathMatchType.EXACT if context.path_type == "Exact" else PathMatchType.STRING_PREFIX
        if regex is not None and regex.value == "exact" and not context.is_default:
            kind = PathMatchType.EXACT
        elif regex is not None and regex.value in ("case_sensitive", "case_insensitive") and not context.is_default:
            match = PathMatch(
                PathMatchType.REGULAR_EXPRESSION, value, ignore_case=regex.value == "case_insensitive", open_end=True
            )
            return Sourced(match, Origin.DERIVED, place, f"`path-regex: {regex.value}`")
        return Sourced(PathMatch(kind, value), Origin.EXPLICIT, place)

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """`rewrites`, which beats `rewrite-target`, and the headers that requests get."""
        settings = self._of(context)
        found: list[Filter] = []
        rewrites, target = settings.text("rewrites"), settings.text("rewrite-target")
        if rewrites is not None:
            wanted = dict(_REWRITE.findall(rewrites.value.replace(";", " ; "))).get(context.reference.service)
            if wanted is not None:
                found.append(URLRewrite(rewrites.place, path=wanted, replace_prefix=True))
        elif target is not None:
            match = self.path_match(graph, context).value
            anchor = "" if match.type is PathMatchType.EXACT else "^"
            found.append(URLRewrite(target.place, path=target.value, regex=f"{anchor}{match.value}"))
        for header in settings.items("proxy-set-headers"):
            name, colon, value = header.value.partition(":")
            if colon:
                found.append(HeaderModifier(header.place, set=((name.strip(), value.strip()),)))
        return tuple(found)

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """Whether `ssl-services` and `grpc-services` name the Service; ports and appProtocol are never looked at.

        gRPC needs `http2` in the ConfigMap, and is ignored without it.
        """
        settings = self._of(context)
        secure = self._named(settings, "ssl-services", context)
        grpc = self._named(settings, "grpc-services", context)
        if grpc is not None and self._installation.config is not None:
            http2 = settings.boolean("http2", default=False)
            if not http2.value:
                why = "`grpc-services` is ignored without `http2` in the ConfigMap"
                protocol = AppProtocol.HTTPS if secure is not None else AppProtocol.HTTP
                return Sourced(protocol, Origin.DERIVED, grpc.place, why)
        if grpc is not None:
            return Sourced(AppProtocol.GRPCS if secure is not None else AppProtocol.GRPC, grpc.origin, grpc.place)
        if secure is not None:
            return Sourced(AppProtocol.HTTPS, secure.origin, secure.place)
        why = "`nginx.org/ssl-services` does not name it"
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, settings.absent, why)

    @staticmethod
    def _named(settings: Settings, key: str, context: PathContext) -> Sourced[str] | None:
        return next((item for item in settings.items(key) if item.value == context.reference.service), None)

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods, or the cluster IP by `use-cluster-ip`."""
        asked = self._of(context).boolean("use-cluster-ip", default=False)
        if asked.value:
            return Sourced(TargetKind.CLUSTER_IP, asked.origin, asked.place)
        return super().target(graph, context)

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """`health-checks`, of NGINX Plus only: what the pods' readiness probe asks over HTTP."""
        asked = self._of(context).boolean("health-checks", default=False)
        if not asked.value or self._installation.plus is False or context.service_port is None:
            return None
        return _probed(context.service_port)

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations that name the Service (docs.nginx.com: advanced configuration with annotations)."""
        name = context.reference.service
        return Remedies(
            protocols={
                AppProtocol.HTTPS: f"set `nginx.org/ssl-services: {name}`",
                AppProtocol.GRPC: f"set `nginx.org/grpc-services: {name}`",
            },
            read_timeout="set `nginx.org/proxy-read-timeout: {}s`",
            body_limit="set `nginx.org/client-max-body-size: '{}'`",
            header_limit="set `nginx.org/proxy-buffer-size: {}` and `nginx.org/proxy-buffers: 8 {}`",
        )

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """nginx's."""
        return self._of(context).timeouts

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """nginx's; the number of kept connections is the master's for all minions (generateNginxCfg…Mergeable…)."""
        return self._of(context).keep_alive()

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """nginx's."""
        return self._of(context).body_limit

    def header_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """nginx's."""
        return self._of(context).header_limit


def _probed(port: ResolvedPort) -> HealthCheck | None:
    """The check that the readiness probe of the container behind a port makes (controller.go, findProbeForPods)."""
    for endpoint in port.endpoints:
        container = endpoint.container
        probe = container.container.readiness_probe if container is not None else None
        if container is None or probe is None or probe.http_get is None:
            continue
        if container.port_number(probe.http_get.port) != endpoint.number:
            continue
        place = container.at("readinessProbe")
        why = "the readiness probe"
        return HealthCheck(
            by=CHECKER,
            protocol=Sourced(str(probe.http_get.scheme), Origin.DERIVED, place.at("httpGet", "scheme"), why),
            path=Sourced(probe.http_get.path, Origin.DERIVED, place.at("httpGet", "path"), why),
            port=None,
            codes=Sourced(HEALTHY, Origin.DEFAULT, place, "NGINX Plus's default"),
            interval=as_seconds(Sourced(probe.period_seconds, Origin.DERIVED, place.at("periodSeconds"), why)),
            timeout=as_seconds(Sourced(probe.timeout_seconds, Origin.DERIVED, place.at("timeoutSeconds"), why)),
            healthy_threshold=Sourced(probe.success_threshold, Origin.DERIVED, place.at("successThreshold"), why),
            unhealthy_threshold=Sourced(probe.failure_threshold, Origin.DERIVED, place.at("failureThreshold"), why),
            resolved_port=endpoint.number,
        )
    return None
