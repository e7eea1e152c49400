"""HTTPProxies: virtual hosts, what they include from others, and the routes at the ends.

A root has a virtual host; it is invalid as a whole, and serves nothing, for some faults, and other faults cost it all
of its own routes. projectcontour/contour:internal/dag/httpproxy_processor.go.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.contour.conditions import PlacedConditions, merged, path_fault
from ingress_lint.controllers.contour.envoy import CONTROLLER, GROUP, Delegations, Ports, certificate
from ingress_lint.controllers.contour.prefix_replacement import in_both_forms
from ingress_lint.controllers.contour.refusals import refused_host, refused_routes
from ingress_lint.controllers.contour.services import RouteParts, Services
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.contour import HTTPProxy, TCPProxy, VirtualHost
from ingress_lint.objects.group_kind import SECRET, GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import FixedResponse, RequestRedirect
from ingress_lint.routes.listeners import ClientValidation, Listener, ListenerTLS
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import Attachment, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

Proxy = KubernetesObject[HTTPProxy]
_HTTP_PROXY: Final = GroupKind(GROUP, "HTTPProxy")
_EXTENSION_SERVICE: Final = GroupKind(GROUP, "ExtensionService")

_NOT_SERVED: Final = "Contour serves none of it, and clients get 404 or no TLS at all"
_MOST_INCLUSIONS: Final = 50
_NO_ROUTES: Final = "Contour drops all routes of this HTTPProxy, and clients get 404"


class _Root(Struct, frozen=True):
    """A virtual host, and how clients reach it."""

    proxy: Proxy
    host: Sourced[str] | None
    plain: Listener | None
    secure: Listener | None
    virtual_host: VirtualHost | None
    refused: Sourced[str] | None = None
    """TLS passthrough that cannot work."""
    attached: tuple[Attachment, ...] = ()
    refusals: tuple[Verdict, ...] = ()
    """What is wrong with the virtual host."""


class Analysis:
    """The HTTPProxies of one graph, worked out once."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        self._graph = graph
        self._services = Services(graph, resolver)
        self._delegations = Delegations(graph)
        self._proxies: list[Proxy] = list(graph.of(HTTPProxy))
        self._included: set[Proxy] = set()
        self._times: Counter[tuple[Proxy, Proxy]] = Counter()
        """How often each proxy was followed below each root: two includes of one child at each level double them."""
        self._faulty: set[Proxy] = set()
        self.verdicts: list[Verdict] = []
        roots = [proxy for proxy in self._proxies if proxy.body.spec.virtualhost is not None]
        losers = self._losers(roots)
        self.routes = [route for proxy in roots for route in self._root(proxy, served=proxy not in losers)]
        for proxy in self._proxies:
            if proxy.body.spec.virtualhost is None and proxy not in self._included:
                self.routes += self._orphan(proxy)

    # -- roots --------------------------------------------------------------------------------------------------------

    def _losers(self, roots: Sequence[Proxy]) -> set[Proxy]:
        """The roots whose host an older one has taken; without timestamps, the first name in the alphabet has it."""
        by_host: defaultdict[str, list[Proxy]] = defaultdict(list)
        for proxy in roots:
            if proxy.body.spec.virtualhost is not None:
                by_host[proxy.body.spec.virtualhost.fqdn.lower()].append(proxy)
        losers = set()
        for host, rivals in by_host.items():
            first, *others = sorted(rivals, key=age)
            for proxy in others:
                losers.add(proxy)
                self._refuse(
                    Reason.HOSTNAME_CONFLICT,
                    proxy,
                    proxy.at("spec", "virtualhost", "fqdn"),
                    f"host `{host}` belongs to HTTPProxy `{first.namespace}/{first.name}`, which is older or comes first "
                    f"by name, so {_NOT_SERVED}",
                    related=(("the host is taken here", first.at("spec", "virtualhost", "fqdn")),),
                    fix="let one HTTPProxy have the host, and include the other from it",
                )
        return losers

    def _root(self, proxy: Proxy, *, served: bool) -> Iterator[Route]:
        virtual_host = proxy.body.spec.virtualhost
        if virtual_host is None:
            return
        place = proxy.at("spec", "virtualhost")
        served = self._tls_is_valid(proxy, virtual_host) and served
        host = Sourced(virtual_host.fqdn, Origin.EXPLICIT, place.at("fqdn"))
        ports = Ports(place)
        tls = virtual_host.tls
        secure = refused = None
        if tls is not None and tls.passthrough and proxy.body.spec.tcpproxy is None:
            why = "without `tcpproxy` Contour passes no TLS through"
            refused = Sourced(why, Origin.EXPLICIT, place.at("tls", "passthrough"))
        elif tls is not None:
            protocol = "TLS" if proxy.body.spec.tcpproxy is not None else "HTTPS"
            secure = ports.secure(host, self._listener_tls(proxy, virtual_host), protocol, usable=served)
        plain = ports.plain(place.at("fqdn"), usable=served)
        attached = tuple(self._attached(proxy))
        root = _Root(proxy, host, plain, secure, virtual_host, refused, attached, refused_host(proxy))
        self.verdicts += root.refusals
        for route in self._tcp(root, proxy, ()):
            yield replace(route, refusals=root.refusals)
        yield from in_both_forms(self._routes(root, proxy, (), ()))

    def _tls_is_valid(self, proxy: Proxy, virtual_host: VirtualHost) -> bool:
        tls, place = virtual_host.tls, proxy.at("spec", "virtualhost", "tls")
        if tls is None:
            if proxy.body.spec.tcpproxy is None:
                return True
            message = (
                f"`tcpproxy` of HTTPProxy `{proxy.name}` needs `virtualhost.tls`, and there is none; {_NOT_SERVED}"
            )
            self._refuse(Reason.UNSUPPORTED_VALUE, proxy, proxy.at("spec", "tcpproxy"), message)
            return False
        if bool(tls.secret_name.strip()) is tls.passthrough:
            both = (
                "both `secretName` and `passthrough`" if tls.passthrough else "neither `secretName` nor `passthrough`"
            )
            message = f"`tls` of HTTPProxy `{proxy.name}` has {both}; {_NOT_SERVED}"
            self._refuse(Reason.UNSUPPORTED_VALUE, proxy, place, message, fix="keep one of the two")
            return False
        namespace, _, secret = tls.secret_name.rpartition("/")
        if namespace and not self._delegations.permits(namespace, secret, proxy.namespace):
            known = self._delegations.known(namespace) or self._graph.context.assume == "complete"
            self._refuse(
                Reason.REF_NOT_PERMITTED,
                proxy,
                place.at("secretName"),
                f"HTTPProxy `{proxy.namespace}/{proxy.name}` uses Secret `{namespace}/{secret}`, and no "
                f"TLSCertificateDelegation of namespace `{namespace}` lends it; {_NOT_SERVED}",
                Certainty.KNOWN if known else Certainty.UNKNOWN,
                fix=f"add a TLSCertificateDelegation in namespace `{namespace}`",
            )
            return not known
        return True

    def _listener_tls(self, proxy: Proxy, virtual_host: VirtualHost) -> ListenerTLS:
        tls, place = virtual_host.tls, proxy.at("spec", "virtualhost", "tls")
        if tls is None or tls.passthrough:
            return ListenerTLS(Sourced("Passthrough", Origin.EXPLICIT, place.at("passthrough")))
        host = Sourced(virtual_host.fqdn, Origin.EXPLICIT, proxy.at("spec", "virtualhost", "fqdn"))
        shown = certificate(proxy.namespace, tls.secret_name, place.at("secretName"), (host,))
        clients = None
        if (wanted := tls.client_validation) is not None and not wanted.skip_client_cert_validation:
            clients = ClientValidation(place.at("clientValidation"), not wanted.optional_client_certificate)
        return ListenerTLS(Sourced("Terminate", Origin.EXPLICIT, place.at("secretName")), (shown,), clients)

    def _attached(self, proxy: Proxy) -> Iterator[Attachment]:
        virtual_host = proxy.body.spec.virtualhost
        checked = virtual_host.tls.client_validation if virtual_host and virtual_host.tls else None
        if checked is not None and checked.ca_secret and "/" not in checked.ca_secret:
            place = proxy.at("spec", "virtualhost", "tls", "clientValidation", "caSecret")
            found = self._graph.resolve(SECRET, proxy.namespace, checked.ca_secret)
            yield Attachment(place, SECRET, proxy.namespace, checked.ca_secret, found, _NOT_SERVED)
        reference = virtual_host.authorization.extension_ref if virtual_host and virtual_host.authorization else None
        if reference is not None and reference.name:
            namespace = reference.namespace or proxy.namespace
            place = proxy.at("spec", "virtualhost", "authorization", "extensionRef", "name")
            found = self._graph.resolve(_EXTENSION_SERVICE, namespace, reference.name)
            yield Attachment(place, _EXTENSION_SERVICE, namespace, reference.name, found, _NOT_SERVED)

    def _orphan(self, proxy: Proxy) -> Iterator[Route]:
        """A part that no root of the set includes: one from elsewhere may, so that its backends still count."""
        if proxy.body.spec.routes or proxy.body.spec.includes or proxy.body.spec.tcpproxy:
            self._refuse(
                Reason.NO_MATCHING_PARENT,
                proxy,
                proxy.name_place,
                f"HTTPProxy `{proxy.name}` has no virtual host, and no HTTPProxy of these manifests includes it; unless "
                f"another does, Contour serves none of it",
                Certainty.KNOWN if self._graph.context.assume == "complete" else Certainty.UNKNOWN,
                fix="give it a `virtualhost`, or include it from an HTTPProxy that has one",
            )
        root = _Root(proxy, None, None, None, None)
        yield from self._tcp(root, proxy, ())
        yield from in_both_forms(self._routes(root, proxy, (), ()))

    # -- routes -------------------------------------------------------------------------------------------------------

    def _routes(
        self, root: _Root, proxy: Proxy, chain: tuple[PlacedConditions, ...], visited: tuple[Proxy, ...]
    ) -> Iterator[Route]:
        """The routes of a proxy and of what it includes, `chain` being the conditions that led to it."""
        visited = (*visited, proxy)
        for index in range(len(proxy.body.spec.includes)):
            yield from self._include(root, proxy, index, chain, visited)
        if self._is_faulty(proxy):
            return
        refusals = root.refusals if root.virtual_host is None else (*root.refusals, *refused_routes(proxy, root.proxy))
        for index, written in enumerate(proxy.body.spec.routes):
            place = proxy.at("spec", "routes", index)
            placed = (*chain, PlacedConditions(written.conditions, place.at("conditions")))
            match = merged(placed, place)
            parts = self._services.parts(proxy, index, match)
            for route in self._served(root, proxy, index, parts):
                yield replace(route, refusals=refusals) if refusals else route

    def _include(
        self,
        root: _Root,
        proxy: Proxy,
        index: int,
        chain: tuple[PlacedConditions, ...],
        visited: tuple[Proxy, ...],
    ) -> Iterator[Route]:
        include = proxy.body.spec.includes[index]
        place = proxy.at("spec", "includes", index)
        namespace = include.namespace or proxy.namespace
        fault = path_fault(include.conditions, of_include=True)
        if fault is not None:
            message = (
                f"include `{include.name}` of HTTPProxy `{proxy.name}` is left out, for {fault[0]}: clients get 404"
            )
            self._refuse(Reason.UNSUPPORTED_VALUE, proxy, place.at("conditions", fault[1]), message)
            return
        placed = (*chain, PlacedConditions(include.conditions, place.at("conditions")))
        found = self._graph.named(HTTPProxy, namespace, include.name)
        if found is None:
            resolution: Resolution[Any] = self._graph.resolve(_HTTP_PROXY, namespace, include.name)
            if resolution.object is not None:
                return
            self._refuse(
                Reason.TARGET_NOT_FOUND,
                proxy,
                place.at("name"),
                f"HTTPProxy `{proxy.name}` includes HTTPProxy `{namespace}/{include.name}`, which "
                + ("does not exist" if resolution.missing else f"is not in these manifests ({resolution.why})")
                + "; without it clients get 502 or 404",
                Certainty.of_missing(resolution.existence),
            )
            if resolution.missing and include.conditions:
                yield self._bad_gateway(root, proxy, index, placed)
        elif found in visited:
            message = (
                f"HTTPProxy `{proxy.name}` includes HTTPProxy `{include.name}`, which leads back to it; clients get 404"
            )
            self._refuse(Reason.UNSUPPORTED_VALUE, proxy, place.at("name"), message)
        elif found.body.spec.virtualhost is not None:
            message = (
                f"HTTPProxy `{proxy.name}` includes HTTPProxy `{include.name}`, which has a virtual host of its own; "
                f"clients get 502"
            )
            related = (("its virtual host is here", found.at("spec", "virtualhost")),)
            self._refuse(Reason.NOT_ALLOWED, proxy, place.at("name"), message, related=related)
            if include.conditions:
                yield self._bad_gateway(root, proxy, index, placed)
        elif self._times[root.proxy, found] == _MOST_INCLUSIONS:
            message = (
                f"HTTPProxy `{include.name}` is included in more than {_MOST_INCLUSIONS} ways below HTTPProxy "
                f"`{root.proxy.name}`, of which no more are followed here"
            )
            self._refuse(Reason.UNSUPPORTED_VALUE, proxy, place.at("name"), message, Certainty.UNKNOWN)
        else:
            self._times[root.proxy, found] += 1
            self._included.add(found)
            yield from in_both_forms(self._routes(root, found, placed, visited))

    def _bad_gateway(self, root: _Root, proxy: Proxy, index: int, chain: tuple[PlacedConditions, ...]) -> Route:
        place = proxy.at("spec", "includes", index)
        listeners = tuple(listener for listener in (root.plain, root.secure) if listener is not None)
        return Route(
            controller=_controller(proxy),
            owner=proxy,
            rule=index,
            place=place,
            listeners=listeners,
            hostnames=(root.host,) if root.host else (),
            matches=(merged(chain, place),),
            backends=(),
            filters=(FixedResponse(place.at("name"), 502),),
        )

    def _is_faulty(self, proxy: Proxy) -> bool:
        """Whether a fault in one route costs the proxy all of them; said once, however often it is included."""
        for index, route in enumerate(proxy.body.spec.routes):
            place = proxy.at("spec", "routes", index)
            fault = path_fault(route.conditions, of_include=False)
            actions = sum(
                1 for found in (route.services, route.request_redirect_policy, route.direct_response_policy) if found
            )
            rewritten = route.path_rewrite_policy is not None and route.path_rewrite_policy.replace_prefix
            why, at = "", place
            if fault is not None:
                why, at = fault[0], place.at("conditions", fault[1])
            elif actions != 1:
                why = "a route must have exactly one of services, requestRedirectPolicy and directResponsePolicy"
            elif rewritten and any(condition.exact or condition.regex for condition in route.conditions):
                why, at = "a prefix can be replaced only where the path is a prefix", place.at("pathRewritePolicy")
            elif sum(service.mirror for service in route.services) > 1:
                why, at = "only one service of a route may be a mirror", place.at("services")
            if why:
                if proxy not in self._faulty:
                    self._faulty.add(proxy)
                    message = f"HTTPProxy `{proxy.name}` is invalid, for {why}; {_NO_ROUTES}"
                    self._refuse(Reason.UNSUPPORTED_VALUE, proxy, at, message)
                return True
        return False

    def _served(self, root: _Root, proxy: Proxy, index: int, parts: RouteParts) -> Iterator[Route]:
        """A route as Envoy gets it: over TLS, with a redirect to there on port 80, where the host has TLS."""
        written = proxy.body.spec.routes[index]
        virtual_host = root.virtual_host
        enforced = virtual_host is not None and virtual_host.tls is not None and not written.permit_insecure
        over_tls = root.secure if proxy.body.spec.tcpproxy is None and root.proxy.body.spec.tcpproxy is None else None
        listeners = (over_tls,) if enforced else (root.plain, over_tls)
        bare = Route(
            controller=_controller(proxy),
            owner=proxy,
            rule=index,
            place=proxy.at("spec", "routes", index),
            listeners=(),
            hostnames=(root.host,) if root.host else (),
            matches=(parts.match,),
            backends=(),
        )
        yield replace(
            bare,
            listeners=tuple(listener for listener in listeners if listener is not None),
            backends=parts.backends,
            filters=(*self._services.cors(root.proxy), *parts.filters),
            retries=parts.retries,
            allowed_sources=parts.allowed_sources or self._services.allowed(root.proxy),
            passthrough_refused=root.refused if parts.backends else None,
            attached=root.attached,
        )
        if enforced and root.plain is not None:
            redirect = RequestRedirect(root.proxy.at("spec", "virtualhost", "tls"), 301, scheme="https")
            yield replace(bare, listeners=(root.plain,), filters=(redirect,))

    # -- connections --------------------------------------------------------------------------------------------------

    def _tcp(self, root: _Root, proxy: Proxy, visited: tuple[Proxy, ...]) -> Iterator[Route]:
        """`tcpproxy`, which may be included from another HTTPProxy."""
        written: TCPProxy | None = proxy.body.spec.tcpproxy
        if written is None or proxy in visited:
            return
        place = proxy.at("spec", "tcpproxy")
        include = written.include or written.includes
        if written.services:
            passed = root.secure is None or (
                root.secure.tls is not None and root.secure.tls.mode.value == "Passthrough"
            )
            yield Route(
                controller=_controller(proxy),
                owner=proxy,
                rule=0,
                place=place,
                listeners=(root.secure,) if root.secure else (),
                hostnames=(root.host,) if root.host else (),
                matches=(),
                backends=self._services.streams(proxy, written, place, passed=passed),
            )
        elif include is not None:
            name = "include" if written.include is not None else "includes"
            namespace = include.namespace or proxy.namespace
            found = self._graph.named(HTTPProxy, namespace, include.name)
            if found is not None and found.body.spec.virtualhost is None:
                self._included.add(found)
                yield from self._tcp(root, found, (*visited, proxy))
            elif found is None:
                resolution: Resolution[Any] = self._graph.resolve(_HTTP_PROXY, namespace, include.name)
                self._refuse(
                    Reason.TARGET_NOT_FOUND,
                    proxy,
                    place.at(name, "name"),
                    f"`tcpproxy` of HTTPProxy `{proxy.name}` includes HTTPProxy `{namespace}/{include.name}`, which is "
                    f"not there; connections are closed",
                    Certainty.of_missing(resolution.existence),
                )

    def _refuse(
        self,
        reason: Reason,
        item: AnyObject,
        place: Place,
        message: str,
        certainty: Certainty = Certainty.KNOWN,
        related: tuple[tuple[str, Place], ...] = (),
        fix: str = "",
    ) -> None:
        self.verdicts.append(Verdict(reason, item, place, message, certainty, related, fix))


def _controller(proxy: Proxy) -> Sourced[str]:
    return Sourced(CONTROLLER, Origin.EXPLICIT, proxy.at("kind"), "only Contour reads an HTTPProxy")


@once_per_graph
def analyse(graph: ObjectGraph, resolver: BackendResolver) -> Analysis:
    """The analysis of a graph."""
    return Analysis(graph, resolver)
