"""Which controllers there are, by what names a set tells that one is meant, and where each lives.

This is a table of names: it imports no controller before something in the set calls for it. Where two controllers share
a class name (`nginx`, `haproxy`), the first one in the table wins unless something else tells. Sources stand with the
controllers themselves, in `controller.py` of their folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ingress_lint.controllers.shared.classes.declared import declared_controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import IngressClass

if TYPE_CHECKING:
    from ingress_lint.controllers.shared.base import Controller

INGRESS: Final = "ingress"
"""The controller that stands for those which no folder here knows."""
GATEWAY_API: Final = "gateway-api"
ISTIO: Final = "istio"


class Registration(Struct, frozen=True, dict=True):
    """A controller by the names that it goes by. In some `*` stands for anything but a slash."""

    name: str
    """As `--controller` takes it."""
    module: str
    """Its class, below `ingress_lint.controllers`."""
    class_controllers: tuple[str, ...] = ()
    """The values of an IngressClass's `spec.controller` that mean it."""
    not_class_controllers: tuple[str, ...] = ()
    """Those among them that mean another one."""
    class_names: tuple[str, ...] = ()
    """The class names that mean it by custom, where the set has no such IngressClass."""
    reads_class_name_field: bool = True
    """Whether `ingressClassName` may name them, and not the annotation alone."""
    prefixes: tuple[str, ...] = ()
    """The prefixes of annotations that only it reads."""
    shared_prefixes: tuple[str, ...] = ()
    """Further prefixes of annotations that it reads as others do."""
    ingress_hints: tuple[str, ...] = ()
    """Annotations of Ingresses that only this controller reads or writes, beside those under its prefixes."""
    service_hints: tuple[str, ...] = ()
    """Annotations of an Ingress's Services that only this controller reads, or how they start."""
    balancer_prefixes: tuple[str, ...] = ()
    """The prefixes of annotations of Services that are load balancers, where it makes load balancers of Services."""
    shares_balancer_prefixes: bool = False
    """Whether nothing tells its keys under these from those of others."""
    images: tuple[str, ...] = ()
    """How the names of its container images end, whatever the registry, with a slash before the first part."""
    proxy_images: tuple[str, ...] = ()
    """The images of the pods that carry requests, where those are others."""
    groups: tuple[str, ...] = ()
    """The API groups of objects that it serves besides Ingresses."""

    @cached_property
    def controller(self) -> Controller:
        """The controller itself, imported when first asked for."""
        module, _, name = self.module.partition(":")
        found: Controller = getattr(import_module(f"ingress_lint.controllers.{module}"), name)()
        return found

    def claims_class(self, class_name: str, *, by_field: bool) -> bool:
        """Whether it serves a class of this name that no IngressClass of the set defines."""
        return (self.reads_class_name_field or not by_field) and _any(self.class_names, class_name)

    def claims_controller(self, controller: str) -> bool:
        """Whether an IngressClass with this `spec.controller` is its own."""
        return _any(self.class_controllers, controller) and not _any(self.not_class_controllers, controller)

    def hinted_by(self, key: str) -> bool:
        """Whether an annotation of this key on an Ingress tells that this controller is meant."""
        return key.partition("/")[0] in self.prefixes or key in self.ingress_hints

    def runs(self, image: str) -> bool:
        """Whether a container image is one of its own."""
        return _named(image).endswith(self.images)

    def proxies_by(self, image: str) -> bool:
        """Whether pods of a container image carry its requests."""
        return _named(image).endswith(self.proxy_images or self.images)

    def concerned(self, graph: ObjectGraph) -> bool:
        """Whether a set holds anything for it besides Ingresses."""
        return not graph.groups.isdisjoint(self.groups) or (
            bool(self.balancer_prefixes)
            and any(
                service.body.spec.type == "LoadBalancer"
                or any(key.partition("/")[0] in self.balancer_prefixes for key in service.annotations)
                for service in graph.services
            )
        )


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(_fits(pattern, text) if "*" in pattern else text == pattern for pattern in patterns)


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern whose `*` stands for anything but a slash."""
    patterns, texts = pattern.split("/"), text.split("/")
    return len(patterns) == len(texts) and all(map(fnmatchcase, texts, patterns))


def _named(image: str) -> str:
    """The name of an image without its tag and digest, a slash before it."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"/{folder}{slash}{last.partition(':')[0]}"


_REGISTRATIONS: Final = (
    Registration(
        "ingress-nginx",
        "ingress_nginx.controller:IngressNginx",
        # further installations take names such as k8s.io/internal-ingress-nginx (docs/user-guide/multiple-ingress.md)
        class_controllers=("*/*ingress-nginx*", "*ingress-nginx*"),
        class_names=("nginx", "ingress-nginx", "nginx-internal", "nginx-external", "nginx-public", "nginx-private"),
        prefixes=("nginx.ingress.kubernetes.io",),
        images=("ingress-nginx/controller", "nginx-ingress-controller"),
    ),
    Registration(
        "aws-load-balancer-controller",
        "aws.controller:AWSLoadBalancerController",
        class_controllers=("ingress.k8s.aws/alb", "eks.amazonaws.com/alb"),
        class_names=("alb",),
        prefixes=("alb.ingress.kubernetes.io",),
        service_hints=("alb.ingress.kubernetes.io/",),
        balancer_prefixes=("service.beta.kubernetes.io", "service.kubernetes.io"),
    ),
    Registration(
        "gke",
        "google.controller:GKEIngress",
        class_names=("gce", "gce-internal", "gce-regional-external", "gce-multi-cluster"),
        # `ingressClassName` is ignored, whatever it says (kubernetes/ingress-gce:pkg/utils, IsGCEIngress)
        reads_class_name_field=False,
        prefixes=("cloud.google.com", "networking.gke.io", "ingress.gcp.kubernetes.io", "beta.cloud.google.com"),
        ingress_hints=(
            "ingress.kubernetes.io/forwarding-rule",
            "ingress.kubernetes.io/https-forwarding-rule",
            "ingress.kubernetes.io/https-target-proxy",
            "ingress.kubernetes.io/target-proxy",
            "ingress.kubernetes.io/url-map",
            "kubernetes.io/ingress.global-static-ip-name",
            "kubernetes.io/ingress.regional-static-ip-name",
        ),
        service_hints=(
            "cloud.google.com/neg",
            "cloud.google.com/backend-config",
            "beta.cloud.google.com/backend-config",
            "cloud.google.com/app-protocols",
        ),
    ),
    Registration(
        "agic",
        "azure.controller:ApplicationGatewayIngressController",
        class_controllers=("azure/application-gateway",),
        # the second is the class that the AKS add-on installs
        class_names=("azure/application-gateway", "azure-application-gateway"),
        prefixes=("appgw.ingress.kubernetes.io",),
    ),
    Registration(
        "traefik",
        "traefik.controller:Traefik",
        class_controllers=("traefik.io/ingress-controller",),
        # further installations take names such as traefik-internal
        class_names=("traefik", "traefik-*", "*-traefik"),
        prefixes=("traefik.ingress.kubernetes.io",),
        service_hints=("traefik.ingress.kubernetes.io/",),
        images=("/traefik", "-traefik"),
        groups=("traefik.io", "traefik.containo.us"),
    ),
    Registration(
        "haproxy-ingress",
        "haproxy.community.controller:HAProxyIngress",
        # that and a suffix (command-line.md, controller-class)
        class_controllers=("haproxy-ingress.github.io/controller", "haproxy-ingress.github.io/controller/*"),
        class_names=("haproxy", "haproxy-ingress"),
        prefixes=("haproxy-ingress.github.io",),
        shared_prefixes=("ingress.kubernetes.io",),
        service_hints=("haproxy-ingress.github.io/",),
        images=("jcmoraisjr/haproxy-ingress",),
    ),
    Registration(
        "haproxy",
        "haproxy.technologies.controller:HAProxy",
        # that and the value of `--ingress.class` (documentation/ingressclass.md)
        class_controllers=("haproxy.org/ingress-controller", "haproxy.org/ingress-controller/*"),
        class_names=("haproxy",),
        prefixes=("haproxy.org", "haproxy.com"),
        shared_prefixes=("ingress.kubernetes.io",),
        service_hints=("haproxy.org/", "haproxy.com/"),
        images=("haproxytech/kubernetes-ingress",),
    ),
    Registration(
        "nginx-ingress",
        "nginx_inc.controller:NginxIngressController",
        class_controllers=("nginx.org/ingress-controller",),
        class_names=("nginx", "nginx-plus"),
        prefixes=("nginx.org", "nginx.com"),
        images=("/nginx-ingress", "/nginx-plus-ingress"),
        groups=("k8s.nginx.org",),
    ),
    Registration(
        "kong",
        "kong.controller:Kong",
        class_controllers=("ingress-controllers.konghq.com/kong",),
        # further installations take names such as kong-internal
        class_names=("kong", "kong-*", "*-kong"),
        prefixes=("konghq.com",),
        ingress_hints=("configuration.konghq.com", "plugins.konghq.com"),
        service_hints=("konghq.com/",),
        images=("/kong", "/kong-gateway", "/kong/kubernetes-ingress-controller"),
        proxy_images=("/kong", "/kong-gateway"),
        groups=("configuration.konghq.com",),
    ),
    Registration(
        "contour",
        "contour.controller:Contour",
        # IngressClasses name it as they like; no part of Contour reads `spec.controller`
        class_controllers=("projectcontour.io/*",),
        not_class_controllers=("*/*gateway-controller",),
        # further installations take names such as contour-internal
        class_names=("contour", "contour-*", "*-contour"),
        prefixes=("projectcontour.io", "contour.heptio.com"),
        service_hints=("projectcontour.io/upstream-protocol.",),
        images=("/contour",),
        proxy_images=("/envoy",),
        groups=("projectcontour.io",),
    ),
    Registration(
        ISTIO,
        "istio.controller:Istio",
        class_controllers=("istio.io/ingress-controller",),
        class_names=("istio",),
        groups=("networking.istio.io",),
    ),
    Registration(
        "cilium",
        "cilium.controller:Cilium",
        class_controllers=("cilium.io/ingress-controller",),
        class_names=("cilium",),
        prefixes=("ingress.cilium.io", "io.cilium.ingress"),
    ),
    Registration(INGRESS, "plain_ingress.controller:PlainIngress"),
    Registration(
        GATEWAY_API,
        "gateway_api.controller:GatewayAPI",
        groups=("gateway.networking.k8s.io", "gateway.networking.x-k8s.io"),
    ),
    Registration(
        "azure-load-balancer",
        "azure.load_balancer:AzureLoadBalancer",
        balancer_prefixes=("service.beta.kubernetes.io",),
    ),
    Registration(
        "digitalocean-load-balancer",
        "digitalocean.controller:DigitalOceanLoadBalancer",
        balancer_prefixes=("service.beta.kubernetes.io", "service.kubernetes.io"),
    ),
    Registration(
        "google-network-load-balancer",
        "google.network_load_balancer:GoogleNetworkLoadBalancer",
        balancer_prefixes=(
            "cloud.google.com",
            "networking.gke.io",
            "ingress.gcp.kubernetes.io",
            "beta.cloud.google.com",
        ),
    ),
    Registration(
        "oracle-load-balancer",
        "oracle.controller:OracleLoadBalancer",
        balancer_prefixes=(
            "service.beta.kubernetes.io",
            "oci.oraclecloud.com",
            "oci-network-load-balancer.oraclecloud.com",
        ),
        shares_balancer_prefixes=True,
    ),
    Registration(
        "cloud-load-balancer",
        "other_clouds.controller:OtherClouds",
        balancer_prefixes=(
            "kubernetes.civo.com",
            "lb.stackit.cloud",
            "load-balancer.hetzner.cloud",
            "loadbalancer.openstack.org",
            "service.beta.kubernetes.io",
            "service.cloud.tencent.com",
            "service.kubernetes.io",
        ),
        shares_balancer_prefixes=True,
    ),
)
REGISTRY: Final[Mapping[str, Registration]] = {found.name: found for found in _REGISTRATIONS}


def controller_named(name: str) -> Controller | None:
    """The controller of a name, None where there is none; routes of no controller here have names of their own."""
    found = REGISTRY.get(name)
    return found.controller if found is not None else None


def class_controller(graph: ObjectGraph, item: KubernetesObject[IngressClass]) -> str:
    """The name of the controller whose own an IngressClass is: by what the user says, else by its `spec.controller`."""
    declared = declared_controller(graph, item.name)
    return declared if declared is not None else claiming_controller(item.body.spec.controller)


def claiming_controller(controller: str) -> str:
    """The name of the one whose own an IngressClass with this `spec.controller` is."""
    return next((name for name, found in REGISTRY.items() if found.claims_controller(controller)), INGRESS)


def runs(name: str, image: str) -> bool:
    """Whether a container image is one of a controller's own."""
    return REGISTRY[name].runs(image)


def runs_proxy(name: str, image: str) -> bool:
    """Whether pods of a container image carry a controller's requests."""
    return REGISTRY[name].proxies_by(image)


def running(image: str) -> Iterator[Registration]:
    """Those of which a container image is one."""
    name = _named(image)
    return (found for found in REGISTRY.values() if name.endswith(found.images))
