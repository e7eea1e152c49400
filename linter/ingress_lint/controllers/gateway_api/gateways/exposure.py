"""Whether clients get to the ports that a Gateway listens on, where its proxy and its Service are there beforehand.

Implementations that make a proxy for each Gateway give its Service the listeners' ports. Those that serve Gateways by a
proxy which is installed once cannot: Traefik knows the ports of its entry points alone (said in its own folder), Kong
and Contour those of the Service in front of them (Kong/
kubernetes-ingress-controller:internal/controllers/gateway/gateway_utils.go, getListenerStatus), NGINX Gateway Fabric 1.x
too. Istio takes the Service that a Gateway names as its address (istio.io/latest/docs/tasks/traffic-management/ingress/
gateway-api, manual deployment).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from typing import Final

from ingress_lint.controllers.gateway_api.gateways.listeners import BoundListener
from ingress_lint.controllers.gateway_api.gateways.views import GatewayView
from ingress_lint.controllers.registry import runs, runs_proxy
from ingress_lint.controllers.shared.gateway_listeners import Declared
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.values.patterns import deferred

_NGINX_PROXY: Final = deferred(r"nginx-gateway-fabric/nginx(-plus)?([:@]|$)")
_SERVICE_NAME: Final = deferred(r"([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc(?:\.[a-z0-9.-]+)?)?")
_LISTENER_REFUSALS: Final = {"traefik-gateway": "traefik"}
"""By implementation, the folder of the controller that tells which listeners it refuses."""
_PROVISIONER: Final = "gateway-provisioner"
_UNREACHED: Final = "clients cannot connect"


class Exposure:
    """The proxies of one graph that serve Gateways without being made for them."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    def verdicts(self, views: Iterable[GatewayView]) -> Iterator[Verdict]:
        """The listeners that no client gets to."""
        for view in views:
            if (folder := _LISTENER_REFUSALS.get(view.implementation.name)) is not None:
                module = import_module(f"ingress_lint.controllers.{folder}.gateway")
                listeners = [Declared(listener.declarer, listener.model) for listener in view.listeners]
                yield from module.refused_listeners(self._graph, view.gateway, listeners)
                continue
            services = self._services(view)
            ports = {port.port for service in services for port in service.body.spec.ports}
            for listener in view.listeners:
                if services and listener.model.usable and listener.model.port.value not in ports:
                    yield _unexposed(listener, services[0], ports)

    def _services(self, view: GatewayView) -> list[KubernetesObject[Service]]:
        """The Services that lead to a Gateway's proxy; none where it makes them, or where they are not in the set."""
        match view.implementation.name:
            case "istio":
                return self._named(view)
            case "kong-gateway" if view.class_source.explicit:
                return self._in_front_of(partial(runs_proxy, "kong"))
            case "nginx-gateway-fabric":
                return self._in_front_of(_is_nginx_proxy)
            case "contour-gateway" if self._runs_contour_alone:
                return self._in_front_of(partial(runs_proxy, "contour"))
        return []

    def _named(self, view: GatewayView) -> list[KubernetesObject[Service]]:
        addresses = view.gateway.body.spec.addresses
        names = [_SERVICE_NAME.fullmatch(item.value or "") for item in addresses if item.type == "Hostname"]
        found = [self._graph.service(name[2], name[1]) for name in names if name is not None]
        return [service for service in found if service is not None] if len(found) == len(addresses) else []

    def _in_front_of(self, is_proxy: Callable[[str], bool]) -> list[KubernetesObject[Service]]:
        proxies = [workload for workload in self._graph.workloads if _runs(workload, is_proxy)]
        if len(proxies) != 1:
            return []
        found = [item for item in self._graph.services if proxies[0] in self._graph.selected_by(item)]
        return sorted(found, key=lambda item: item.body.spec.type != "LoadBalancer")

    @property
    def _runs_contour_alone(self) -> bool:
        """Whether a Contour of the set serves Gateways by the Envoy beside it, and nothing makes further ones."""
        contours = [workload for workload in self._graph.workloads if _runs(workload, partial(runs, "contour"))]
        return bool(contours) and not any(
            _PROVISIONER in word
            for workload in contours
            for container in workload.containers
            for word in (*container.container.command, *container.container.args)
        )


def _runs(workload: Workload, is_image: Callable[[str], bool]) -> bool:
    return any(is_image(item.container.image) for item in workload.containers)


def _is_nginx_proxy(image: str) -> bool:
    return _NGINX_PROXY.search(image) is not None


def _unexposed(listener: BoundListener, service: KubernetesObject[Service], ports: set[int]) -> Verdict:
    port = listener.model.port.value
    has = " and ".join(str(number) for number in sorted(ports)) or "no port"
    return Verdict(
        Reason.PORT_UNAVAILABLE,
        listener.declarer,
        listener.model.port.place,
        f"listener `{listener.model.name}` of Gateway `{listener.gateway.name}` is on port {port}, and Service "
        f"`{service.name}`, which leads to the gateway's pods, has {has}; {_UNREACHED}",
        related=((f"Service `{service.name}` has {has}", service.at("spec", "ports")),),
        fix=f"add port {port} to Service `{service.name}`, or listen on one that it has",
        listener=listener.model.name,
    )
