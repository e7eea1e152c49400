"""What the set shows of the Traefik that serves it: entry points and provider options, from its command line.

Static configuration comes from one source only, file, command line or environment (traefik/traefik:docs/content/
getting-started/configuration-overview.md), so that a command line which sets up a provider says everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from ingress_lint.controllers.registry import runs
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.listeners import CertificateRef, ClientValidation, Listener, ListenerTLS, ProxyPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Fate, Reason, Verdict
from ingress_lint.values.numbers import release, whole
from ingress_lint.values.patterns import deferred

CONTROLLER: Final = "traefik"
GATEWAY: Final = "Traefik"

_INTERNAL: Final = "traefik"
_CUSTOM: Final = {"web": 80, "websecure": 443}
"""The entry points of the project's chart and of k3s, and the ports at which their Service exposes them."""
_PORT: Final = deferred(r":([0-9]+)(?:/(tcp|udp))?\Z")
_TRUE: Final = frozenset({"", "true", "1", "t"})
_TAG: Final = deferred(r":v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)")
_NEWEST: Final = (1000,)
_EXTERNAL_NAMES_OFF_SINCE: Final = (2, 4, 9)
_ALLOW_CROSS_NAMESPACE: Final = "providers.kubernetescrd.allowcrossnamespace"
NO_ROUTER: Final = "Traefik makes no router of it, and clients get 404"
ANY_PORT: Final = 0


class EntryPoint(Struct, frozen=True):
    """A port on which Traefik listens; `port` is the one that clients connect to."""

    name: str
    port: Sourced[int]
    protocol: str = "tcp"
    tls: Sourced[bool] | None = None
    """Whether routers on it end TLS without asking for it; None where that is unknown."""
    redirects_to: Sourced[str] | None = None
    """The entry point that all its requests are redirected to."""
    is_default: bool = False
    pod_port: int | None = None
    """The port on the pod; None where the set does not define the entry point."""
    idle_timeout: Sourced[str] | None = None
    trusts_forwarded: Sourced[bool] | None = None
    takes_proxy_protocol: Sourced[bool] | None = None
    hidden_by: KubernetesObject[Service] | None = None
    """Traefik's own Service, where there is one and no port of any leads to it."""


class Installation(Struct, frozen=True):
    """A Traefik as far as the set shows it."""

    container: WorkloadContainer | None = None
    flags: Mapping[str, Sourced[str]] = field(default_factory=dict)
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)

    @property
    def told(self) -> bool:
        """Whether the command line is all there is to know."""
        return any(name.startswith("providers.") for name in self.flags) and "configfile" not in self.flags

    def switch(self, name: str) -> Sourced[bool] | None:
        """An option that is off by default; None where nothing tells."""
        found = self.flags.get(name)
        if found is not None:
            return Sourced(found.value.lower() in _TRUE, found.origin, found.place)
        if self.told and self.container is not None:
            return Sourced(False, Origin.DEFAULT, self.container.at("args"), f"`--{name}` is not given")
        return None

    @property
    def release(self) -> tuple[int, ...]:
        """Its version, by the tag of its image; one above all others where that is unknown."""
        tag = _TAG.search(self.container.container.image) if self.container is not None else None
        return (release(tag[1]) if tag is not None else None) or _NEWEST

    def lacks(self, provider: str) -> bool:
        """Whether it surely runs without a provider, so that it knows of nothing that this would bring."""
        return self.told and not any(name.startswith(f"providers.{provider}") for name in self.flags)

    def elsewhere(
        self, owner: AnyObject, does: str, kind: str, namespace: str, name: str, place: Place
    ) -> Verdict | None:
        """Why an object of its own may not name one of another namespace, None where it may.

        `does` says what it does with that one, `place` is where the namespace stands
        (pkg/provider/kubernetes/crd/kubernetes.go, resolveReference and isNamespaceAllowed).
        """
        allowed = self.switch(_ALLOW_CROSS_NAMESPACE)
        if namespace == owner.namespace or (allowed is not None and allowed.value):
            return None
        message = (
            f"{owner.kind} `{owner.namespace}/{owner.name}` {does} {kind} `{namespace}/{name}`, and Traefik follows "
            f"references to other namespaces only with `allowCrossNamespace`; {NO_ROUTER}"
        )
        return Verdict(
            Reason.REF_NOT_PERMITTED,
            owner,
            place,
            message,
            Certainty.UNKNOWN if allowed is None else Certainty.KNOWN,
            related=(("Traefik's options are here", allowed.place),) if allowed else (),
            fix=f"move the {owner.kind} to namespace `{namespace}`, or run Traefik with `--{_ALLOW_CROSS_NAMESPACE}`",
            fate=Fate.DROPPED,
        )

    def external_names_refused(self, provider: str) -> str:
        """See `Route`: off by default since 2.4.9 and 2.5 (doc.traefik.io, migration notes of v2)."""
        option = f"providers.{provider}.allowexternalnameservices"
        allowed = self.switch(option)
        if allowed is None or allowed.value or self.container is None:
            return ""
        if self.release < _EXTERNAL_NAMES_OFF_SINCE:
            return ""
        return f"Traefik takes none without `--{option}`; it {NO_ROUTER.removeprefix('Traefik ')}"

    @property
    def client_idle(self) -> Sourced[str] | None:
        """How long clients' connections are kept, where an entry point says so."""
        return next((item.idle_timeout for item in self.entry_points.values() if item.idle_timeout), None)

    def proxy_port(self, port: int) -> ProxyPort:
        """What a port of the pod takes; without TLS at the entry point each router decides by itself."""
        found = next((item for item in self.entry_points.values() if item.pod_port == port), None)
        if found is None:
            return ProxyPort(GATEWAY)
        tls = found.tls if found.tls is not None and found.tls.value else None
        return ProxyPort(GATEWAY, tls, found.takes_proxy_protocol if self.told else None)

    def unreached(self, owner: AnyObject, names: Iterable[Sourced[str]]) -> Iterator[Verdict]:
        """The entry points that an object names and no client gets to; Traefik's own is meant to be hidden.

        pkg/server/routerfactory.go: a router on an entry point that does not exist is left out there.
        """
        if not self.told or not self.entry_points or self.container is None:
            return
        for name in names:
            found, certainty = self.entry_points.get(name.value.lower()), Certainty.KNOWN
            if found is None:
                known = ", ".join(f"`{item}`" for item in self.entry_points)
                why = f"and Traefik has {known}; it makes no router there, and clients get 404"
                related = ("Traefik's entry points", self.container.at("args"))
            elif found.hidden_by is not None and name.value != _INTERNAL:
                why = f"to which no port of Service `{found.hidden_by.name}` leads; clients cannot connect"
                certainty = Certainty.LIKELY
                related = (f"Service `{found.hidden_by.name}`", found.hidden_by.at("spec", "ports"))
            else:
                continue
            message = f"{owner.kind} `{owner.name}` is on entry point `{name.value}`, {why}"
            fix = "name an entry point that clients reach, or add this one to Traefik and to its Service"
            yield Verdict(Reason.PORT_UNAVAILABLE, owner, name.place, message, certainty, (related,), fix)

    # -- listeners ----------------------------------------------------------------------------------------------------

    def http_listeners(
        self, names: Iterable[Sourced[str]], tls: ListenerTLS | None, absent: Place
    ) -> tuple[Listener, ...]:
        """Where an HTTP router listens, `tls` being what it says of TLS itself."""
        chosen = list(self._chosen(names, absent, "tcp"))
        if not chosen:
            why = "no entry points are named, so it is on all of them"
            wanted = _CUSTOM if tls is None else ("websecure",)
            chosen = [self._custom(Sourced(name, Origin.DEFAULT, absent, why)) for name in wanted]
        return tuple(self._http_listener(entry_point, tls, absent) for entry_point in chosen)

    def _http_listener(self, entry_point: EntryPoint, tls: ListenerTLS | None, absent: Place) -> Listener:
        if tls is None and entry_point.tls is not None and entry_point.tls.value:
            mode = Sourced("Terminate", Origin.DERIVED, entry_point.tls.place, entry_point.tls.why)
            tls = ListenerTLS(mode)  # type: ignore[arg-type]
        protocol = (
            Sourced("HTTPS", tls.mode.origin, tls.mode.place, tls.mode.why)
            if tls is not None
            else Sourced("HTTP", Origin.DEFAULT, absent, "nothing asks for TLS")
        )
        return self._listener(entry_point, protocol, tls)

    def stream_listeners(
        self, names: Iterable[Sourced[str]], protocol: Sourced[str], tls: ListenerTLS | None, absent: Place
    ) -> tuple[Listener, ...]:
        """Where a TCP or UDP router listens; at any port where nothing tells."""
        transport = "udp" if protocol.value == "UDP" else "tcp"
        unknown = Sourced(ANY_PORT, Origin.DEFAULT, absent, "no entry points are named")
        chosen = list(self._chosen(names, absent, transport)) or [EntryPoint("", unknown)]
        return tuple(self._listener(entry_point, protocol, tls) for entry_point in chosen)

    @staticmethod
    def _listener(entry_point: EntryPoint, protocol: Sourced[str], tls: ListenerTLS | None) -> Listener:
        return Listener(
            GATEWAY,
            entry_point.port,
            protocol,
            tls=tls,
            name=entry_point.name,
            takes_proxy_protocol=entry_point.takes_proxy_protocol,
            trusts_forwarded=entry_point.trusts_forwarded,
        )

    def _chosen(self, names: Iterable[Sourced[str]], absent: Place, transport: str) -> Iterator[EntryPoint]:
        """The entry points of these names; the default ones without names, none where those are unknown."""
        named = tuple(names)
        for name in named:
            yield self.entry_points.get(name.value) or self._custom(name)
        if named:
            return
        usable = [item for item in self.entry_points.values() if item.protocol == transport and item.name != _INTERNAL]
        yield from [item for item in usable if item.is_default] or usable

    @staticmethod
    def _custom(name: Sourced[str]) -> EntryPoint:
        """An entry point that the set does not define: by its name, if that is one of those that everybody uses."""
        port = _CUSTOM.get(name.value)
        if port is None:
            why = f"entry point `{name.value}` is defined in Traefik's own configuration, which is not in this set"
            return EntryPoint(name.value, Sourced(ANY_PORT, Origin.DEFAULT, name.place, why))
        why = f"entry point `{name.value}` is port {port} in the project's chart"
        tls = None
        if port == 443:
            tls = Sourced(True, Origin.DEFAULT, name.place, "the project's chart turns TLS on at `websecure`")
        return EntryPoint(name.value, Sourced(port, Origin.DEFAULT, name.place, why), tls=tls)


def terminated(
    asked: Sourced[bool],
    certificates: tuple[CertificateRef, ...] = (),
    clients: ClientValidation | None = None,
) -> ListenerTLS:
    """TLS that Traefik ends because a router asks for it."""
    return ListenerTLS(Sourced("Terminate", asked.origin, asked.place, asked.why), certificates, clients)


# -- reading --------------------------------------------------------------------------------------------------------


def installation(graph: ObjectGraph) -> Installation:
    """The Traefik of a set; one that shows nothing where there is none, or more than one."""
    found = [
        container
        for workload in graph.workloads
        for container in workload.containers
        if runs(CONTROLLER, container.container.image)
    ]
    return _read(found[0], graph) if len(found) == 1 else Installation()


def _read(container: WorkloadContainer, graph: ObjectGraph) -> Installation:
    flags: dict[str, Sourced[str]] = {}
    for word, place in listening_evidence(graph).of(container).words:
        name, _, value = word.partition("=")
        if name.startswith("--"):
            flags[name.removeprefix("--").lower()] = Sourced(value, Origin.EXPLICIT, place)
    names = {name.split(".")[1]: name for name in flags if name.startswith("entrypoints.") and name.count(".") > 1}
    points = {}
    for name in names:
        point = _entry_point(name, flags, container, graph)
        if point is not None:
            points[name] = point
    return Installation(container, flags, points)


def _entry_point(
    name: str, flags: Mapping[str, Sourced[str]], container: WorkloadContainer, graph: ObjectGraph
) -> EntryPoint | None:
    prefix = f"entrypoints.{name}"
    address = flags.get(f"{prefix}.address")
    parsed = _PORT.search(address.value) if address else None
    number = whole(parsed[1]) if parsed else None
    if address is None or parsed is None or number is None:
        return None
    own = _own_services(container, graph)
    exposed = _exposed(name, number, container, own)
    port = exposed or Sourced(number, Origin.EXPLICIT, address.place)
    tls = flags.get(f"{prefix}.http.tls")
    on = any(flag.startswith(f"{prefix}.http.tls") for flag in flags) and (tls is None or tls.value.lower() in _TRUE)
    place = tls.place if tls else address.place
    trusted = flags.get(f"{prefix}.forwardedheaders.insecure") or flags.get(f"{prefix}.forwardedheaders.trustedips")
    proxy = flags.get(f"{prefix}.proxyprotocol.insecure") or flags.get(f"{prefix}.proxyprotocol.trustedips")
    default = flags.get(f"{prefix}.asdefault")
    return EntryPoint(
        name,
        port,
        parsed[2] or "tcp",
        tls=Sourced(on, Origin.EXPLICIT if on else Origin.DEFAULT, place, "" if on else f"`--{prefix}.http.tls`"),
        redirects_to=flags.get(f"{prefix}.http.redirections.entrypoint.to"),
        pod_port=number,
        is_default=default is not None and default.value.lower() in _TRUE,
        idle_timeout=flags.get(f"{prefix}.transport.respondingtimeouts.idletimeout"),
        trusts_forwarded=Sourced(True, trusted.origin, trusted.place)
        if trusted
        else Sourced(False, Origin.DEFAULT, address.place, "no forwardedHeaders option"),
        takes_proxy_protocol=None
        if proxy
        else Sourced(False, Origin.DEFAULT, address.place, "no proxyProtocol option"),
        hidden_by=own[0] if own and exposed is None else None,
    )


def _own_services(container: WorkloadContainer, graph: ObjectGraph) -> list[KubernetesObject[Service]]:
    """Traefik's own Services, load balancers before others."""
    own = [item for item in graph.services if container.workload in graph.selected_by(item)]
    return sorted(own, key=lambda item: item.body.spec.type != "LoadBalancer")


def _exposed(
    name: str, number: int, container: WorkloadContainer, own: Iterable[KubernetesObject[Service]]
) -> Sourced[int] | None:
    """The port of Traefik's own Service that leads to an entry point."""
    for service in own:
        for index, port in enumerate(service.body.spec.ports):
            if _leads_to(port, name, number, container):
                return Sourced(port.port, Origin.EXPLICIT, service.at("spec", "ports", index, "port"))
    return None


def _leads_to(port: ServicePort, name: str, number: int, container: WorkloadContainer) -> bool:
    target = port.port if port.target_port is None else port.target_port
    return target == name or container.port_number(target) == number
