"""Which kinds the linter reads, by which model, and which documents are worth parsing at all."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from msgspec import Struct

from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import Model

GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
EXPERIMENTAL_GROUP: Final = "gateway.networking.x-k8s.io"
LEGACY_INGRESS_VERSIONS: Final = frozenset({"extensions/v1beta1", "networking.k8s.io/v1beta1"})

_APPS: Final = "workloads:AppsWorkload"
_WORKLOAD: Final = "workloads:Workload"
_KINDS: Final[dict[tuple[str, str], str]] = {
    ("", "Service"): "core:Service",
    ("", "Endpoints"): "core:Endpoints",
    ("discovery.k8s.io", "EndpointSlice"): "core:EndpointSlice",
    ("", "ConfigMap"): "core:ConfigMap",
    ("", "Secret"): "core:Secret",
    ("", "Namespace"): "core:Namespace",
    ("", "Pod"): "workloads:Pod",
    ("", "ReplicationController"): _WORKLOAD,
    ("apps", "Deployment"): _APPS,
    ("apps", "StatefulSet"): _APPS,
    ("apps", "DaemonSet"): _APPS,
    ("apps", "ReplicaSet"): _APPS,
    ("extensions", "Deployment"): _WORKLOAD,
    ("extensions", "DaemonSet"): _WORKLOAD,
    ("extensions", "ReplicaSet"): _WORKLOAD,
    ("batch", "Job"): _WORKLOAD,
    ("batch", "CronJob"): "workloads:CronJob",
    ("argoproj.io", "Rollout"): "argo_rollouts:Rollout",
    ("autoscaling", "HorizontalPodAutoscaler"): "workloads:Scaler",
    ("keda.sh", "ScaledObject"): "workloads:Scaler",
    ("networking.k8s.io", "Ingress"): "networking:Ingress",
    ("extensions", "Ingress"): "networking:LegacyIngress",
    ("networking.k8s.io", "IngressClass"): "networking:IngressClass",
    ("networking.k8s.io", "NetworkPolicy"): "networking:NetworkPolicy",
    ("extensions", "NetworkPolicy"): "networking:NetworkPolicy",
    ("elbv2.k8s.aws", "IngressClassParams"): "aws:IngressClassParams",
    ("eks.amazonaws.com", "IngressClassParams"): "aws:IngressClassParams",
    ("cloud.google.com", "BackendConfig"): "gke:BackendConfig",
    ("networking.gke.io", "FrontendConfig"): "gke:FrontendConfig",
    ("cert-manager.io", "Issuer"): "cert_manager:Issuer",
    ("cert-manager.io", "ClusterIssuer"): "cert_manager:Issuer",
    ("cert-manager.io", "Certificate"): "cert_manager:Certificate",
    ("certmanager.k8s.io", "Certificate"): "cert_manager:Certificate",
    ("networking.internal.knative.dev", "Certificate"): "cert_manager:Certificate",
    ("secrets-store.csi.x-k8s.io", "SecretProviderClass"): "secrets_store:SecretProviderClass",
    ("traefik.io", "IngressRoute"): "traefik:IngressRoute",
    ("traefik.io", "IngressRouteTCP"): "traefik:IngressRouteTCP",
    ("traefik.io", "IngressRouteUDP"): "traefik:IngressRouteUDP",
    ("traefik.io", "Middleware"): "traefik:Middleware",
    ("traefik.io", "MiddlewareTCP"): "traefik:MiddlewareTCP",
    ("traefik.io", "ServersTransport"): "traefik:ServersTransport",
    ("traefik.io", "TLSOption"): "traefik:TLSOption",
    ("traefik.io", "TraefikService"): "traefik:TraefikService",
    ("traefik.containo.us", "IngressRoute"): "traefik:IngressRoute",
    ("traefik.containo.us", "IngressRouteTCP"): "traefik:IngressRouteTCP",
    ("traefik.containo.us", "IngressRouteUDP"): "traefik:IngressRouteUDP",
    ("traefik.containo.us", "Middleware"): "traefik:Middleware",
    ("traefik.containo.us", "MiddlewareTCP"): "traefik:MiddlewareTCP",
    ("traefik.containo.us", "ServersTransport"): "traefik:ServersTransport",
    ("traefik.containo.us", "TLSOption"): "traefik:TLSOption",
    ("traefik.containo.us", "TraefikService"): "traefik:TraefikService",
    ("networking.istio.io", "Gateway"): "istio:Gateway",
    ("networking.istio.io", "VirtualService"): "istio:VirtualService",
    ("networking.istio.io", "DestinationRule"): "istio:DestinationRule",
    ("networking.istio.io", "ServiceEntry"): "istio:ServiceEntry",
    ("security.istio.io", "PeerAuthentication"): "istio_security:PeerAuthentication",
    ("security.istio.io", "AuthorizationPolicy"): "istio_security:AuthorizationPolicy",
    ("cilium.io", "CiliumNetworkPolicy"): "cilium:CiliumPolicy",
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): "cilium:CiliumPolicy",
    ("projectcalico.org", "NetworkPolicy"): "calico:CalicoPolicy",
    ("projectcalico.org", "GlobalNetworkPolicy"): "calico:CalicoPolicy",
    ("projectcalico.org", "Tier"): "calico:Tier",
    ("crd.projectcalico.org", "NetworkPolicy"): "calico:CalicoPolicy",
    ("crd.projectcalico.org", "GlobalNetworkPolicy"): "calico:CalicoPolicy",
    ("crd.projectcalico.org", "Tier"): "calico:Tier",
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): "cluster_network_policies:AdminNetworkPolicy",
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): "cluster_network_policies:BaselineAdminNetworkPolicy",
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): "cluster_network_policies:AdminNetworkPolicy",
    ("policy.linkerd.io", "Server"): "linkerd:Server",
    ("policy.linkerd.io", "AuthorizationPolicy"): "linkerd:AuthorizationPolicy",
    ("policy.linkerd.io", "MeshTLSAuthentication"): "linkerd:MeshTLSAuthentication",
    ("policy.linkerd.io", "NetworkAuthentication"): "linkerd:NetworkAuthentication",
    ("policy.linkerd.io", "ServerAuthorization"): "linkerd:ServerAuthorization",
    ("configuration.konghq.com", "KongIngress"): "kong:KongIngress",
    ("configuration.konghq.com", "KongPlugin"): "kong:KongPlugin",
    ("configuration.konghq.com", "KongClusterPlugin"): "kong:KongPlugin",
    ("configuration.konghq.com", "KongUpstreamPolicy"): "kong:KongUpstreamPolicy",
    ("configuration.konghq.com", "IngressClassParameters"): "kong:IngressClassParameters",
    ("configuration.konghq.com", "TCPIngress"): "kong:TCPIngress",
    ("configuration.konghq.com", "UDPIngress"): "kong:UDPIngress",
    ("projectcontour.io", "HTTPProxy"): "contour:HTTPProxy",
    ("projectcontour.io", "TLSCertificateDelegation"): "contour:TLSCertificateDelegation",
    ("projectcontour.io", "ExtensionService"): "contour:ExtensionService",
    ("k8s.nginx.org", "VirtualServer"): "nginx_inc:VirtualServer",
    ("k8s.nginx.org", "VirtualServerRoute"): "nginx_inc:VirtualServerRoute",
    ("k8s.nginx.org", "TransportServer"): "nginx_inc:TransportServer",
    ("k8s.nginx.org", "GlobalConfiguration"): "nginx_inc:GlobalConfiguration",
    ("k8s.nginx.org", "Policy"): "nginx_inc:Policy",
    ("gateway.networking.k8s.io", "GatewayClass"): "gateway:GatewayClass",
    ("gateway.networking.k8s.io", "Gateway"): "gateway:Gateway",
    ("gateway.networking.k8s.io", "ListenerSet"): "gateway:ListenerSet",
    ("gateway.networking.x-k8s.io", "XListenerSet"): "gateway:ListenerSet",
    ("gateway.networking.k8s.io", "HTTPRoute"): "gateway_routes:HTTPRoute",
    ("gateway.networking.k8s.io", "GRPCRoute"): "gateway_routes:GRPCRoute",
    ("gateway.networking.k8s.io", "TLSRoute"): "gateway_routes:TLSRoute",
    ("gateway.networking.k8s.io", "TCPRoute"): "gateway_routes:TCPRoute",
    ("gateway.networking.k8s.io", "UDPRoute"): "gateway_routes:UDPRoute",
    ("gateway.networking.k8s.io", "ReferenceGrant"): "gateway:ReferenceGrant",
    ("gateway.networking.k8s.io", "ReferencePolicy"): "gateway:ReferenceGrant",
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): "gateway:BackendTLSPolicy",
    ("networking.gke.io", "HealthCheckPolicy"): "gateway_policies:HealthCheckPolicy",
    ("networking.gke.io", "GCPBackendPolicy"): "gateway_policies:GCPBackendPolicy",
    ("networking.gke.io", "GCPGatewayPolicy"): "gateway_policies:GCPGatewayPolicy",
    ("alb.networking.azure.io", "HealthCheckPolicy"): "azure:HealthCheckPolicy",
    ("alb.networking.azure.io", "RoutePolicy"): "azure:RoutePolicy",
    ("alb.networking.azure.io", "FrontendTLSPolicy"): "azure:FrontendTLSPolicy",
    ("gateway.k8s.aws", "TargetGroupConfiguration"): "gateway_policies:TargetGroupConfiguration",
    ("gateway.k8s.aws", "LoadBalancerConfiguration"): "gateway_policies:LoadBalancerConfiguration",
    ("gateway.envoyproxy.io", "BackendTrafficPolicy"): "gateway_policies:BackendTrafficPolicy",
    ("gateway.envoyproxy.io", "ClientTrafficPolicy"): "gateway_policies:ClientTrafficPolicy",
    ("gateway.envoyproxy.io", "SecurityPolicy"): "gateway_policies:EnvoyPolicy",
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): "gateway_policies:EnvoyPolicy",
    ("gateway.envoyproxy.io", "HTTPRouteFilter"): "gateway_policies:ExtendedFilter",
    ("gateway.nginx.org", "ClientSettingsPolicy"): "gateway_policies:NginxPolicy",
    ("gateway.nginx.org", "ObservabilityPolicy"): "gateway_policies:NginxPolicy",
    ("gateway.nginx.org", "ProxySettingsPolicy"): "gateway_policies:NginxPolicy",
    ("gateway.nginx.org", "RateLimitPolicy"): "gateway_policies:NginxPolicy",
    ("gateway.nginx.org", "UpstreamSettingsPolicy"): "gateway_policies:NginxPolicy",
    ("gateway.kgateway.dev", "TrafficPolicy"): "gateway_policies:KgatewayPolicy",
    ("gateway.kgateway.dev", "DirectResponse"): "gateway_policies:DirectResponse",
}

_CLUSTER_SCOPED: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "Namespace",
        "Node",
        "PersistentVolume",
    ),
    "networking.k8s.io": ("IngressClass",),
    "gateway.networking.k8s.io": ("GatewayClass",),
    "storage.k8s.io": (
        "StorageClass",
        "CSIDriver",
    ),
    "scheduling.k8s.io": ("PriorityClass",),
    "rbac.authorization.k8s.io": (
        "ClusterRole",
        "ClusterRoleBinding",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "admissionregistration.k8s.io": (
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ),
    "node.k8s.io": ("RuntimeClass",),
    "policy": ("PodSecurityPolicy",),
    "policy.networking.k8s.io": (
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
    ),
    "cert-manager.io": ("ClusterIssuer",),
    "external-secrets.io": ("ClusterSecretStore",),
    "operator.tigera.io": ("Installation",),
    "projectcalico.org": (
        "FelixConfiguration",
        "GlobalNetworkPolicy",
        "Tier",
    ),
    "crd.projectcalico.org": (
        "FelixConfiguration",
        "GlobalNetworkPolicy",
        "Tier",
    ),
    "cilium.io": ("CiliumClusterwideNetworkPolicy",),
    "elbv2.k8s.aws": ("IngressClassParams",),
    "eks.amazonaws.com": ("IngressClassParams",),
    "configuration.konghq.com": ("KongClusterPlugin",),
}
CLUSTER_SCOPED: Final = frozenset(GroupKind(group, kind) for group, kinds in _CLUSTER_SCOPED.items() for kind in kinds)
"""Kinds whose objects are in no namespace."""

CONFIGURATION_FILES: Final = frozenset(
    {("kubeproxy.config.k8s.io", "KubeProxyConfiguration"), ("kubelet.config.k8s.io", "KubeletConfiguration")}
)
"""Groups and kinds of files that a node's component reads, and no API server: they have no metadata."""

UNREAD_KINDS: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "ClusterRole",
        "ClusterRoleBinding",
        "ControllerRevision",
        "CustomResourceDefinition",
        "Event",
        "Lease",
        "LimitRange",
        "MutatingWebhookConfiguration",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "PodMonitor",
        "PodMonitoring",
        "PodSecurityPolicy",
        "PriorityClass",
        "PrometheusRule",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "ServiceAccount",
        "ServiceMonitor",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeSnapshot",
    }
)
"""Kinds that no stage looks into; their documents are counted and never parsed."""


def wanted(kind: str, _text: str) -> bool:
    """Whether a document of this kind is worth parsing."""
    return kind not in UNREAD_KINDS


@cache
def model_of(api_version: str, kind: str) -> type[Model] | None:
    """The model that reads objects of this version and kind, None where only their metadata is read."""
    if kind == "Ingress" and api_version in LEGACY_INGRESS_VERSIONS:
        reader: str | None = "networking:LegacyIngress"
    elif kind == "BackendTLSPolicy" and api_version == "gateway.networking.k8s.io/v1alpha2":
        reader = "gateway:LegacyBackendTLSPolicy"
    else:
        reader = _KINDS.get((api_version.rpartition("/")[0], kind))
    if reader is None:
        return None
    module, _, name = reader.partition(":")
    model: type[Model] = getattr(import_module(f"ingress_lint.objects.{module}"), name)
    return model


class Removal(Struct, frozen=True):
    """When an apiVersion stopped being served, and what serves the kind since."""

    removed_in: str
    use: str
    served_since: str
    changes: str = ""
    """The fields that the new version calls otherwise."""


_INGRESS_V1: Final = "`backend` is `defaultBackend`, `serviceName` is `service.name`, and `pathType` is required"

REMOVED: Final[dict[tuple[str, str], Removal]] = {
    ("extensions/v1beta1", "Ingress"): Removal("1.22", "networking.k8s.io/v1", "1.19", _INGRESS_V1),
    ("networking.k8s.io/v1beta1", "Ingress"): Removal("1.22", "networking.k8s.io/v1", "1.19", _INGRESS_V1),
    ("networking.k8s.io/v1beta1", "IngressClass"): Removal("1.22", "networking.k8s.io/v1", "1.19"),
    ("extensions/v1beta1", "NetworkPolicy"): Removal("1.16", "networking.k8s.io/v1", "1.8"),
    ("extensions/v1beta1", "Deployment"): Removal("1.16", "apps/v1", "1.9"),
    ("extensions/v1beta1", "DaemonSet"): Removal("1.16", "apps/v1", "1.9"),
    ("extensions/v1beta1", "ReplicaSet"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta1", "Deployment"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta1", "StatefulSet"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta1", "ReplicaSet"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta2", "Deployment"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta2", "StatefulSet"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta2", "DaemonSet"): Removal("1.16", "apps/v1", "1.9"),
    ("apps/v1beta2", "ReplicaSet"): Removal("1.16", "apps/v1", "1.9"),
    ("batch/v2alpha1", "CronJob"): Removal("1.21", "batch/v1", "1.21"),
    ("batch/v1beta1", "CronJob"): Removal("1.25", "batch/v1", "1.21"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): Removal("1.25", "discovery.k8s.io/v1", "1.21"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): Removal("1.25", "autoscaling/v2", "1.23"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): Removal("1.26", "autoscaling/v2", "1.23"),
}
"""kubernetes/website:content/en/docs/reference/using-api/deprecation-guide.md"""
