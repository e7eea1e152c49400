"""Classes that controllers, their charts and clouds make themselves, so that an application's manifests never define
them.

Each pattern stands with what makes it; `*` stands for any text. Classes that somebody must write (`eg`, `aws-alb`) are
not among them, however usual their names.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

_INGRESS: Final = (
    # charts of controllers, each with its default
    "alb",  # kubernetes-sigs/aws-load-balancer-controller:helm/aws-load-balancer-controller/values.yaml, ingressClass
    "ambassador",
    "apisix",
    "azure-application-gateway",  # Azure/application-gateway-kubernetes-ingress:helm/ingress-azure
    "cilium",  # cilium/cilium:install/kubernetes/cilium/templates/cilium-ingress-class.yaml
    "citrix",
    "cloudflare-tunnel",
    "contour",  # projectcontour/helm-charts:charts/contour/values.yaml, contour.ingressClass
    "emissary",
    "haproxy",  # haproxytech/helm-charts:kubernetes-ingress, haproxy-ingress/charts:haproxy-ingress
    "higress",
    "istio",
    "kong",  # Kong/charts:charts/kong/values.yaml, ingressController.ingressClass
    "nginx",  # kubernetes/ingress-nginx:charts/ingress-nginx, nginx/kubernetes-ingress:charts/nginx-ingress
    "ngrok",
    "pomerium",
    "skipper",
    "tailscale",
    "traefik",  # traefik/traefik-helm-chart:traefik/values.yaml, ingressClass
    "voyager",
    # clouds and distributions
    "azure-alb-*",  # learn.microsoft.com/azure/application-gateway/for-containers
    "cce",
    "ibm-cloud",
    "openshift-default",
    "public",  # canonical/microk8s-core-addons:addons/ingress
    "webapprouting.kubernetes.azure.com",
)
_GATEWAY: Final = (
    # controllers and their charts
    "agentgateway*",  # kgateway-dev/kgateway:pkg/kgateway/deployer/gateway_class.go
    "cilium*",  # cilium/cilium:install/kubernetes/cilium/templates/cilium-gateway-api-class.yaml
    "consul*",  # hashicorp/consul-k8s:charts/consul/templates/gateway-gatewayclass.yaml
    "higress",
    "istio*",  # istio/istio:pilot/pkg/config/kube/gateway/gatewayclass.go: istio, istio-remote, istio-waypoint
    "kgateway*",  # kgateway-dev/kgateway:pkg/kgateway/deployer/gateway_class.go
    "nginx",  # nginx/nginx-gateway-fabric:charts/nginx-gateway-fabric/templates/gatewayclass.yaml
    "traefik",  # traefik/traefik-helm-chart:traefik/templates/gatewayclass.yaml
    # clouds and distributions
    "amazon-vpc-lattice",  # aws/aws-application-networking-k8s:files/controller-installation/gatewayclass.yaml
    "approuting-istio",  # learn.microsoft.com/azure/aks/app-routing-gateway-api
    "asm-*",
    "azure-alb-*",  # learn.microsoft.com/azure/application-gateway/for-containers
    "ck-gateway",  # canonical.com/juju/docs/gateway-api-integrator-charm, how to select a gateway class
    "gke-*",  # docs.cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
    "ncloud-alb",  # guide.ncloud-docs.com/docs/en/gateway-api-use.md
    "openshift-default",  # openshift/cluster-ingress-operator:pkg/operator/controller/names.go
)


def brings_ingress_class(name: str) -> bool:
    """Whether an installation or the cloud makes the IngressClass of this name."""
    return any(fnmatchcase(name, pattern) for pattern in _INGRESS)


def brings_gateway_class(name: str) -> bool:
    """Whether an installation or the cloud makes the GatewayClass of this name."""
    return any(fnmatchcase(name, pattern) for pattern in _GATEWAY)
