"""F5 NGINX Ingress Controller (annotations nginx.org/* and nginx.com/*), not to be taken for ingress-nginx.

Both are called class `nginx`, and neither reads the other's annotations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar
from weakref import WeakKeyDictionary

from ingress_lint.controllers.nginx_inc import CONTROLLER
from ingress_lint.controllers.nginx_inc.annotations import ANNOTATIONS, OLD_SSL_REDIRECT
from ingress_lint.controllers.nginx_inc.hosts import Hosts
from ingress_lint.controllers.nginx_inc.ingress import NginxIngresses, ingress_hosts
from ingress_lint.controllers.nginx_inc.listeners import Listeners
from ingress_lint.controllers.nginx_inc.settings import GATEWAY, installation
from ingress_lint.controllers.nginx_inc.transport_server import passthrough_hosts, transport_routes
from ingress_lint.controllers.nginx_inc.virtual_server import VirtualServers, server_hosts
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.controllers.shared.redirects.to_slash import slash_redirects
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import BrokenBackends
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, is_exact, is_expression, path_length
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import NGINX
from ingress_lint.routes.verdicts import Verdict


def _before_expressions(candidate: Candidate) -> bool:
    return candidate.match is not None and candidate.match.path.value.before_expressions


def _prefix_length(candidate: Candidate) -> int:
    """The length of a prefix; regular expressions are tried as they are written."""
    return 0 if is_expression(candidate) else path_length(candidate)


class NginxIngressController(Controller):
    """Claims Ingresses by class; objects of k8s.nginx.org are nobody else's."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "F5 NGINX Ingress Controller"
    gateway: ClassVar[str] = GATEWAY
    takes_resources: ClassVar[bool] = False
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    also_reads: ClassVar[frozenset[str]] = frozenset({OLD_SSL_REDIRECT})
    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(lambda c: c.route.priority.value if c.route.priority else 0, "an answer for the whole server"),
            Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
            Criterion(is_exact, "an exact path"),
            Criterion(_before_expressions, "`^~`, which keeps nginx from regular expressions"),
            Criterion(is_expression, "a regular expression, which nginx tries before prefixes"),
            Criterion(_prefix_length, "a longer path"),
            Criterion(lambda c: -c.position, "the earlier route"),
        ),
        hosts_apart=True,
        paths=NGINX,
    )
    """nginx.org/en/docs/http/ngx_http_core_module.html#location. Of the conditions of one path the first that fits counts
(nginx/kubernetes-ingress:internal/configs/virtualserver.go, generateMatchesConfig)."""
    broken: ClassVar[BrokenBackends] = BrokenBackends.always(502)
    """Without endpoints it asks a server of its own (internal/configs/version1/config.go, NewUpstreamWithDefaultServer)."""

    def __init__(self) -> None:
        self._verdicts: WeakKeyDictionary[ObjectGraph, tuple[Verdict, ...]] = WeakKeyDictionary()

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """What it takes there."""
        return installation(graph).proxy_port(port)

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Routes of Ingresses, VirtualServers and TransportServers, which compete for hosts."""
        hosts = Hosts((*ingress_hosts(claims), *server_hosts(graph), *passthrough_hosts(graph)))
        found = installation(graph)
        ingresses = NginxIngresses(graph, claims, found, hosts)
        listeners = Listeners(graph, found)
        servers = VirtualServers(graph, backends, found, hosts, listeners)
        requests = (*ingresses.routes(backends), *servers.routes())
        streams = transport_routes(graph, backends, found, hosts, listeners)
        routes = (*requests, *slash_redirects(requests), *streams)
        self._verdicts[graph] = (*hosts.verdicts, *ingresses.refusals, *servers.refusals)
        return routes

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """What it refuses; known once the graph is lowered, since Ingresses and VirtualServers compete for hosts."""
        return self._verdicts.get(graph, ())
