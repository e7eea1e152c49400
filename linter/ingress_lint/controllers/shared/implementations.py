"""Who serves a Gateway: what implementations do in their own way where the specification leaves it to them.

What a project does not support is from its newest conformance report (kubernetes-sigs/gateway-api:conformance/reports).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.shared.envoy.precedences import BY_KIND, ENVOY_GATEWAY, ISTIO, KGATEWAY, TRAEFIK
from ingress_lint.routes.broken_backends import SPECIFIED as BROKEN_AS_SPECIFIED
from ingress_lint.routes.broken_backends import BrokenBackends
from ingress_lint.routes.matching import SPECIFIED as SPECIFIED_PRECEDENCE
from ingress_lint.routes.matching import SPECIFIED_CONDUCT, Conduct, Criterion, Precedence, is_expression, path_length
from ingress_lint.routes.paths import ENVOY, ENVOY_MERGING, GO, NGINX
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.traffic import AppProtocol

_READ_TIMEOUT: Final = "set `timeouts.request: {}s` in the rule"
_H2C: Final = "set `appProtocol: kubernetes.io/h2c` at the Service's port"
SPECIFIED: Final = Remedies(
    protocols={
        AppProtocol.HTTPS: "make a BackendTLSPolicy for the Service",
        AppProtocol.GRPC: f"make it a GRPCRoute, or {_H2C}",
    },
    read_timeout=_READ_TIMEOUT,
)
"""What the specification itself offers."""
_OF_GKE: Final = Remedies(
    check_path="set `httpHealthCheck.requestPath: {}` in a HealthCheckPolicy for the Service",
    check_port="set `httpHealthCheck.port: {}` in a HealthCheckPolicy for the Service",
    check_protocol="set `config.type: {}` in a HealthCheckPolicy for the Service",
    protocols={
        AppProtocol.HTTPS: "set `appProtocol: HTTPS` at the Service's port",
        AppProtocol.GRPC: "set `appProtocol: HTTP2` at the Service's port",
    },
    read_timeout="set `timeoutSec: {}` in a GCPBackendPolicy for the Service",
)
_OF_AWS: Final = Remedies(
    check_path="set `healthCheckConfig.healthCheckPath: {}` in a TargetGroupConfiguration for the Service",
    check_port="set `healthCheckConfig.healthCheckPort: '{}'` in a TargetGroupConfiguration for the Service",
    check_protocol="set `healthCheckConfig.healthCheckProtocol: {}` in a TargetGroupConfiguration for the Service",
    check_codes="set `healthCheckConfig.matcher.httpCode: '{}'` in a TargetGroupConfiguration for the Service",
    target_pods="set `targetType: ip` in a TargetGroupConfiguration for the Service",
    protocols={
        AppProtocol.HTTPS: "set `protocol: HTTPS` in a TargetGroupConfiguration for the Service",
        AppProtocol.GRPC: "make it a GRPCRoute",
    },
    read_timeout="set `idle_timeout.timeout_seconds` to {} in the LoadBalancerConfiguration",
)
_OF_AGC: Final = replace(
    SPECIFIED,
    check_path="set `default.http.path: {}` in a HealthCheckPolicy for the Service",
    check_port="set `default.port: {}` in a HealthCheckPolicy for the Service",
)
_OF_ENVOY_GATEWAY: Final = replace(
    SPECIFIED, check_path="set `healthCheck.active.http.path: {}` in its BackendTrafficPolicy"
)


class Implementation(Struct, frozen=True):
    """One implementation; the defaults are what the specification says, or unknown where it says nothing."""

    name: str
    title: str
    controller_names: tuple[str, ...] = ()
    """The values of a GatewayClass's `spec.controllerName` that mean it."""
    class_names: tuple[str, ...] = ()
    """The names of the GatewayClasses that its installation makes; one that ends in `-` is a prefix."""
    domains: tuple[str, ...] = ()
    """Its own API groups, and the prefixes of annotations and types of addresses that it alone reads on Gateways."""
    controller: str = ""
    """The name, in the registry, of the same product's controller of Ingresses; empty where it has none."""
    outside: bool = False
    """Whether its gateways stand outside of the cluster, so that no pod sends their requests."""
    mesh: str = ""
    """The mesh that its gateways are part of."""
    makes_accounts: bool = False
    """Whether each of its gateways runs as service account `GATEWAY-CLASS` of the Gateway's namespace."""
    isolated_listeners: bool = True
    makes_empty_rules: bool = True
    """Whether a rule without backends takes requests, which clients get an error for."""
    opens_unused: bool = True
    """Whether it listens on a port that no route uses."""
    backend_tls_policy: bool = True
    timeouts: bool = True
    """Whether HTTPRoute timeouts have an effect."""
    own_certificates: bool = False
    """Whether HTTPS listeners may get their certificates from elsewhere than `certificateRefs`."""
    parameters_of_class: bool = False
    """Whether the parameters of its GatewayClass count where those that a Gateway names are not there."""
    any_authority_key: bool = False
    """Whether it takes certificate authorities from a ConfigMap's first key where that has no `ca.crt`."""
    app_protocols: Mapping[str, AppProtocol] | None = None
    """What it makes of a Service port's appProtocol beyond the standard ones; None where that is unknown."""
    request_timeout: float | None = None
    """Its deadline for a request where nothing sets one; None is unknown, infinity is none."""
    upstream_idle: float | None = None
    """How long it keeps an idle connection to a pod, in seconds."""
    remedies: Remedies = SPECIFIED
    """How somebody tells it to treat a backend otherwise."""
    broken: BrokenBackends = BROKEN_AS_SPECIFIED
    """What it answers where no backend of a rule can."""
    retries_idempotent: bool = False
    """Whether it repeats a request that may be repeated when a reused connection to a pod turns out closed."""
    mirrors_required: bool = False
    """Whether a rule whose copies go nowhere answers 500; else the copies are dropped."""
    copies_requests: bool = True
    """Whether it knows the filter RequestMirror; else it answers 500 to a rule that has one."""
    listener_sets: bool = True
    """Whether ListenerSets add listeners to its Gateways."""
    external_names_refused: str = ""
    """What comes of a backend of type ExternalName where it takes none; empty where it does, or may."""
    misdirected: str = ""
    """See `Listener.misdirected`."""
    conduct: Conduct = SPECIFIED_CONDUCT
    """How it chooses among routes, and what it makes of requests before."""


_KONG: Final[Precedence] = (
    *SPECIFIED_PRECEDENCE[:2],
    Criterion(is_expression, "a regular expression"),
    Criterion(path_length, "a longer path"),
    *SPECIFIED_PRECEDENCE[3:],
)
"""Kong/kubernetes-ingress-controller:internal/dataplane/translator/subtranslator/httproute_atc.go, EncodeToPriority."""
_NONE: Final[Mapping[str, AppProtocol]] = {}
_INFINITE: Final = float("inf")


IMPLEMENTATIONS: Final = (
    Implementation(
        # envoyproxy/gateway:internal/gatewayapi/route.go, internal/xds/translator/route.go; hosts apart: issue 5500;
        # authorities: internal/gatewayapi/backendtlspolicy.go, getOrFirstFromData; mirrors: filters.go; names: validate.go
        "envoy-gateway",
        "Envoy Gateway",
        ("gateway.envoyproxy.io/gatewayclass-controller",),
        ("eg", "envoy-gateway"),
        ("gateway.envoyproxy.io",),
        mirrors_required=True,
        external_names_refused="clients get 500",
        parameters_of_class=True,
        any_authority_key=True,
        app_protocols={"grpc": AppProtocol.GRPC, "https": AppProtocol.HTTP},
        conduct=Conduct(
            ENVOY_GATEWAY,
            hosts_apart=True,
            listeners_apart=True,
            paths=replace(ENVOY_MERGING, escaped_slash=307, bare_prefix_stays=True),  # internal/xds/translator
        ),
        request_timeout=15,
        upstream_idle=3600,
        remedies=_OF_ENVOY_GATEWAY,
    ),
    Implementation(
        # istio/istio:pilot/pkg/config/kube/gateway (the service account: deploymentcontroller.go, getDefaultName)
        "istio",
        "Istio",
        ("istio.io/gateway-controller", "istio.io/mesh-controller", "istio.io/unmanaged-gateway"),
        ("istio", "istio-remote", "istio-waypoint", "asm-gateway"),
        ("networking.istio.io",),
        controller="istio",
        conduct=Conduct(ISTIO, hosts_apart=True, paths=ENVOY),  # meshConfig.pathNormalization, BASE by default
        mesh="Istio",
        makes_accounts=True,
        request_timeout=_INFINITE,
        upstream_idle=3600,
        misdirected="404",
    ),
    Implementation(
        # cilium/cilium:operator/pkg/gateway-api; it looks for Services and not for their ports (routechecks/route_checks.go,
        # checkIsExistingService), so that a cluster without endpoints answers: cozystack/cozystack#3235
        "cilium",
        "Cilium",
        ("io.cilium/gateway-controller",),
        ("cilium",),
        ("cilium.io",),
        controller="cilium",
        mesh="Cilium",
        conduct=Conduct(BY_KIND, hosts_apart=True),  # operator/pkg/model/translation/types.go, SortableRoute
        app_protocols={"https": AppProtocol.HTTP},
        upstream_idle=60,
        broken=BrokenBackends(no_port=503),  # "no healthy upstream": issue 32089
    ),
    Implementation(
        # docs.cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
        "gke-gateway",
        "GKE Gateway",
        ("networking.gke.io/gateway",),
        ("gke-l7-", "gke-td", "gke-persistent-"),
        ("networking.gke.io",),
        controller="gke",
        outside=True,
        isolated_listeners=False,
        timeouts=False,
        own_certificates=True,
        app_protocols={"HTTPS": AppProtocol.HTTPS, "HTTP2": AppProtocol.HTTP2},
        request_timeout=30,
        upstream_idle=600,
        remedies=_OF_GKE,
    ),
    Implementation(
        # kubernetes-sigs/aws-load-balancer-controller:docs/guide/gateway
        "aws-gateway",
        "AWS Load Balancer Controller",
        ("gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"),
        ("aws-alb", "aws-nlb", "alb", "nlb"),
        ("gateway.k8s.aws",),
        controller="aws-load-balancer-controller",
        outside=True,
        backend_tls_policy=False,
        own_certificates=True,
        remedies=_OF_AWS,
    ),
    Implementation(
        # MicrosoftDocs/azure-docs:articles/application-gateway/for-containers; its time-out of a route is 60 s
        "agc",
        "Application Gateway for Containers",
        ("alb.networking.azure.io/alb-controller",),
        ("azure-alb-",),
        ("alb.networking.azure.io",),
        outside=True,
        request_timeout=60,
        remedies=_OF_AGC,
    ),
    Implementation(
        # traefik/traefik:pkg/provider/kubernetes/gateway; mirrors: httproute.go, loadMiddlewares; weights:
        # pkg/server/service/loadbalancer/wrr/wrr.go
        "traefik-gateway",
        "Traefik",
        ("traefik.io/gateway-controller",),
        ("traefik",),
        ("traefik.io",),
        controller="traefik",
        conduct=Conduct(TRAEFIK, paths=GO, tells_misdirected=False),
        broken=BrokenBackends(no_weight=503),
        copies_requests=False,
        listener_sets=False,
        isolated_listeners=False,
        timeouts=False,
        app_protocols={"http": AppProtocol.HTTP, "https": AppProtocol.HTTPS},
        request_timeout=_INFINITE,
        upstream_idle=90,
        retries_idempotent=True,
    ),
    Implementation(
        # nginx/nginx-gateway-fabric:internal/controller/state/graph/backend_refs.go
        "nginx-gateway-fabric",
        "NGINX Gateway Fabric",
        ("gateway.nginx.org/nginx-gateway-controller",),
        ("nginx",),
        ("gateway.nginx.org",),
        conduct=Conduct(hosts_apart=True, paths=NGINX),
        timeouts=False,
        app_protocols=_NONE,
    ),
    Implementation(
        # kgateway-dev/kgateway:internal/kgateway/wellknown/controller.go
        "kgateway",
        "kgateway",
        ("kgateway.dev/kgateway", "kgateway.dev/agentgateway"),
        ("kgateway", "agentgateway", "kgateway-waypoint"),
        ("gateway.kgateway.dev", "agentgateway.dev"),
        # internal/kgateway/translator/irtranslator/fc.go, initializeHCM; krtcollections/builtin.go, prefixReplace
        conduct=Conduct(KGATEWAY, hosts_apart=True, paths=replace(ENVOY, bare_prefix_stays=True)),
        request_timeout=15,
        upstream_idle=3600,
    ),
    Implementation(
        # projectcontour/contour:internal/dag/gatewayapi_processor.go
        "contour-gateway",
        "Contour",
        ("projectcontour.io/gateway-controller",),
        ("contour",),
        ("projectcontour.io",),
        controller="contour",
        # paths: internal/envoy/v3/listener.go; empty rules: httpClusters, and "/" for a prefix: handlePathRewritePrefixRemoval
        conduct=Conduct(BY_KIND, hosts_apart=True, paths=replace(ENVOY_MERGING, bare_prefix_stays=True)),
        makes_empty_rules=False,
        opens_unused=False,
        backend_tls_policy=False,
        request_timeout=15,
        upstream_idle=3600,
        misdirected="421",
    ),
    Implementation(
        # Kong/kubernetes-ingress-controller:internal/dataplane/translator/subtranslator/httproute.go
        # certificates: Kong's own where a listener names none: internal/controllers/gateway/gateway_utils.go;
        # BackendTLSPolicy: internal/dataplane/translator/ingressrules.go, handleBackendTLSPolices
        "kong-gateway",
        "Kong",
        ("konghq.com/kic-gateway-controller", "konghq.com/gateway-operator"),
        ("kong",),
        ("configuration.konghq.com", "gateway-operator.konghq.com", "konghq.com"),
        controller="kong",
        conduct=Conduct(_KONG, paths=replace(ENVOY_MERGING, above_root=400)),  # Kong/kong:kong/tools/uri.lua, normalize
        own_certificates=True,
        broken=BrokenBackends(no_weight=503, none=503),  # "failure to get a peer from the ring-balancer": issue 6733
    ),
    Implementation(
        # jcmoraisjr/haproxy-ingress:docs/content/en/docs/configuration/gateway-api.md
        "haproxy-ingress-gateway",
        "HAProxy Ingress",
        ("haproxy-ingress.github.io/controller",),
        ("haproxy",),
        controller="haproxy-ingress",
        backend_tls_policy=False,
        timeouts=False,
        app_protocols=_NONE,
    ),
    Implementation(
        # haproxytech/kubernetes-ingress:deploy/tests/config/experimental/gwapi-resources.yaml
        "haproxytech-gateway",
        "HAProxy Kubernetes Ingress Controller",
        ("haproxy.org/gateway-controller",),
        controller="haproxy",
    ),
)
SPECIFICATION: Final = Implementation("gateway-api", "the Gateway API implementation")
"""Any conformant implementation."""

_BY_CONTROLLER_NAME: Final = {
    name: implementation for implementation in IMPLEMENTATIONS for name in implementation.controller_names
}


def by_controller_name(controller_name: str) -> Implementation:
    """The implementation behind a GatewayClass's `spec.controllerName`."""
    return _BY_CONTROLLER_NAME.get(controller_name, SPECIFICATION)


def by_class_name(class_name: str) -> Implementation:
    """The implementation that makes a GatewayClass of this name, by custom."""
    for implementation in IMPLEMENTATIONS:
        for name in implementation.class_names:
            if class_name == name or (name.endswith("-") and class_name.startswith(name)):
                return implementation
    return SPECIFICATION


def by_name(name: str) -> Implementation | None:
    """The implementation of a name, its own or its product's as a controller of Ingresses; None where there is none."""
    known = (SPECIFICATION, *IMPLEMENTATIONS)
    return next(
        (implementation for implementation in known if name in (implementation.name, implementation.controller)), None
    )


def by_domain(domain: str) -> Implementation | None:
    """The implementation whose own an API group or a prefix is."""
    return next((implementation for implementation in IMPLEMENTATIONS if domain in implementation.domains), None)
