"""The policies with which implementations of the Gateway API go beyond it.

The models are open: these APIs gain fields with each release, and only what decides a route is read. Sources:
GoogleCloudPlatform/gke-networking-recipes:gateway-api/config/servicepolicies/crd/standard,
kubernetes-sigs/aws-load-balancer-controller:apis/gateway/v1beta1, envoyproxy/gateway:api/v1alpha1,
nginx/nginx-gateway-fabric:apis/v1alpha1, kgateway-dev/kgateway.dev:content/docs/about/policies/trafficpolicy.md.
"""

from __future__ import annotations

from msgspec import field

from ingress_lint.objects.model import LabelSelectorRequirement, Many, Model


class PolicyTarget(Model, kw_only=True):
    """What a policy is for; `section_name` is a listener of a Gateway or a rule of a route."""

    group: str = ""
    kind: str = "Service"
    name: str
    section_name: str | None = None


class TargetSelector(Model, kw_only=True):
    """The Gateways or routes of a kind that carry some labels."""

    group: str = "gateway.networking.k8s.io"
    kind: str
    match_labels: dict[str, str] = field(default_factory=dict)
    match_expressions: Many[LabelSelectorRequirement] = ()


class PolicyTargets(Model):
    """What a policy is for; `target_ref` is the field's earlier form."""

    target_ref: PolicyTarget | None = None
    target_refs: Many[PolicyTarget] = ()
    target_selectors: Many[TargetSelector] = ()
    merge_type: str | None = None
    """How a policy of Envoy Gateway takes what it lacks from the next farther one; None where it does not."""


class AttachedPolicy(Model):
    """A policy of which only what it is for matters here, and which fields it sets."""

    spec: PolicyTargets


# -- GKE --------------------------------------------------------------------------------------------------------------


class GoogleProtocolCheck(Model):
    """What a health check of one protocol asks for."""

    port: int | None = None
    port_name: str | None = None
    port_specification: str | None = None
    request_path: str | None = None
    host: str | None = None


class GoogleCheckConfig(Model):
    """A health check's protocol, and the settings under that protocol's name."""

    type: str | None = None
    http_health_check: GoogleProtocolCheck | None = None
    https_health_check: GoogleProtocolCheck | None = None
    http2_health_check: GoogleProtocolCheck | None = field(default=None, name="http2HealthCheck")
    tcp_health_check: GoogleProtocolCheck | None = None
    grpc_health_check: GoogleProtocolCheck | None = None


class HealthCheckPolicyDefault(Model):
    """A health check; times in seconds."""

    check_interval_sec: int | None = None
    timeout_sec: int | None = None
    healthy_threshold: int | None = None
    unhealthy_threshold: int | None = None
    config: GoogleCheckConfig | None = None


class HealthCheckPolicySpec(PolicyTargets, kw_only=True):
    """A Service and its health check."""

    default: HealthCheckPolicyDefault | None = None
    target_ref: PolicyTarget


class HealthCheckPolicy(Model):
    """A HealthCheckPolicy of GKE."""

    spec: HealthCheckPolicySpec


class GCPConnectionDraining(Model):
    """How long a leaving backend may finish its requests, in seconds."""

    draining_timeout_sec: int | None = None


class GCPBackendPolicyDefault(Model):
    """Settings of a Service's backend services; times in seconds."""

    timeout_sec: int | None = None
    connection_draining: GCPConnectionDraining | None = None


class GCPBackendPolicySpec(PolicyTargets, kw_only=True):
    """A Service and the settings of its backend services."""

    default: GCPBackendPolicyDefault | None = None
    target_ref: PolicyTarget


class GCPBackendPolicy(Model):
    """A GCPBackendPolicy of GKE."""

    spec: GCPBackendPolicySpec


class GCPGatewayPolicy(AttachedPolicy):
    """A GCPGatewayPolicy of GKE."""


# -- AWS --------------------------------------------------------------------------------------------------------------


class HealthCheckMatcher(Model):
    """The codes of a healthy target."""

    http_code: str | None = None
    grpc_code: str | None = None


class TargetGroupHealthCheck(Model):
    """The health check of a target group; times in seconds."""

    healthy_threshold_count: int | None = None
    health_check_interval: int | None = None
    health_check_path: str | None = None
    health_check_port: str | None = None
    health_check_protocol: str | None = None
    health_check_timeout: int | None = None
    unhealthy_threshold_count: int | None = None
    matcher: HealthCheckMatcher | None = None


class TargetGroupAttribute(Model):
    """An attribute of a target group."""

    key: str
    value: str


class TargetGroupProps(Model):
    """The properties of a target group."""

    target_group_attributes: Many[TargetGroupAttribute] = ()
    health_check_config: TargetGroupHealthCheck | None = None
    target_type: str | None = None
    protocol: str | None = None
    protocol_version: str | None = None


class RouteIdentifier(Model):
    """A route, all of a namespace, or all of a kind."""

    kind: str = ""
    namespace: str = ""
    name: str = ""


class RouteTargetGroup(Model):
    """The target group's properties for some routes."""

    route_identifier: RouteIdentifier = RouteIdentifier()
    target_group_props: TargetGroupProps = TargetGroupProps()


class TargetGroupConfigurationSpec(Model):
    """The target groups of a Service; without a target, defaults that a LoadBalancerConfiguration names."""

    target_reference: PolicyTarget | None = None
    default_configuration: TargetGroupProps | None = None
    route_configurations: Many[RouteTargetGroup] = ()


class TargetGroupConfiguration(Model):
    """A TargetGroupConfiguration."""

    spec: TargetGroupConfigurationSpec


class NamedReference(Model):
    """An object of the same namespace."""

    name: str


class LoadBalancerAttribute(Model):
    """An attribute of a load balancer."""

    key: str
    value: str


class LoadBalancerConfigurationSpec(Model):
    """Settings of the load balancer of a Gateway, or of all Gateways of a class."""

    default_target_group_configuration: NamedReference | None = None
    load_balancer_attributes: Many[LoadBalancerAttribute] = ()
    security_groups: Many[str] = ()
    manage_backend_security_group_rules: bool | None = None
    merging_mode: str | None = None


class LoadBalancerConfiguration(Model):
    """A LoadBalancerConfiguration."""

    spec: LoadBalancerConfigurationSpec = LoadBalancerConfigurationSpec()


# -- Envoy Gateway ----------------------------------------------------------------------------------------------------


class HTTPChecker(Model):
    """What an active health check asks for over HTTP."""

    path: str | None = None
    hostname: str | None = None
    expected_statuses: Many[int] = ()


class ActiveHealthCheckOverrides(Model):
    """Where an active health check asks, if not at the port of the traffic."""

    port: int | None = None


class ActiveHealthCheck(Model):
    """An active health check."""

    type: str | None = None
    timeout: str | None = None
    interval: str | None = None
    healthy_threshold: int | None = None
    unhealthy_threshold: int | None = None
    http: HTTPChecker | None = None
    overrides: ActiveHealthCheckOverrides | None = None


class BackendHealthCheck(Model):
    """How backends are checked."""

    active: ActiveHealthCheck | None = None


class TCPTimeout(Model):
    """Timeouts of connections."""

    connect_timeout: str | None = None


class HTTPTimeout(Model):
    """Timeouts of requests to backends."""

    connection_idle_timeout: str | None = None
    request_timeout: str | None = None


class BackendTimeout(Model):
    """Timeouts towards backends."""

    tcp: TCPTimeout | None = None
    http: HTTPTimeout | None = None


class RetryOn(Model):
    """What is tried again."""

    triggers: Many[str] = ()


class BackendRetry(Model):
    """When requests are tried again."""

    num_retries: int | None = None
    retry_on: RetryOn | None = None


class BackendTrafficPolicySpec(PolicyTargets):
    """How requests reach the backends of some routes."""

    health_check: BackendHealthCheck | None = None
    timeout: BackendTimeout | None = None
    retry: BackendRetry | None = None


class BackendTrafficPolicy(Model):
    """A BackendTrafficPolicy."""

    spec: BackendTrafficPolicySpec


class HTTPClientTimeout(Model):
    """Timeouts of clients' connections."""

    idle_timeout: str | None = None


class ClientTimeout(Model):
    """Timeouts towards clients."""

    http: HTTPClientTimeout | None = None


class ClientTrafficPolicySpec(PolicyTargets):
    """How clients reach some listeners."""

    timeout: ClientTimeout | None = None


class ClientTrafficPolicy(Model):
    """A ClientTrafficPolicy."""

    spec: ClientTrafficPolicySpec


class EnvoyPolicy(AttachedPolicy):
    """SecurityPolicy and EnvoyExtensionPolicy."""


class DirectAnswer(Model):
    """An answer that the gateway gives by itself."""

    status_code: int = 200


class RegexReplacement(Model):
    """A text that an expression finds, and what takes its place."""

    pattern: str = ""
    substitution: str = ""


class RewrittenPath(Model):
    """How a path is changed."""

    replace_regex_match: RegexReplacement | None = None


class ExtendedRewrite(Model):
    """What is changed of a request beyond what an HTTPRoute can say."""

    path: RewrittenPath | None = None


class CookieMatch(Model, kw_only=True):
    """A cookie that must have a value."""

    type: str = "Exact"
    name: str
    value: str = ""


class ExtendedMatch(Model):
    """What else a request must look like."""

    cookies: Many[CookieMatch] = ()


class ExtendedFilterSpec(Model):
    """What a filter of Envoy Gateway's own does."""

    direct_response: DirectAnswer | None = None
    url_rewrite: ExtendedRewrite | None = None
    matches: Many[ExtendedMatch] = ()


class ExtendedFilter(Model):
    """An HTTPRouteFilter."""

    spec: ExtendedFilterSpec


# -- NGINX Gateway Fabric and kgateway ---------------------------------------------------------------------------------


class NginxPolicy(AttachedPolicy):
    """The policies of NGINX Gateway Fabric that can clash."""


class KgatewayPolicy(AttachedPolicy):
    """A TrafficPolicy of kgateway."""


class DirectResponseSpec(Model, kw_only=True):
    """An answer that the gateway gives by itself."""

    status: int


class DirectResponse(Model):
    """A DirectResponse of kgateway, or of agentgateway."""

    spec: DirectResponseSpec
