"""Istio's policies of who may connect to what (group security.istio.io).

istio/api:security/v1beta1/{peer_authentication,authorization_policy}.proto and type/v1beta1/selector.proto; every served
version has the same fields. Every release adds some, so that an unknown one is no mistake here.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import Many, Model


class MutualTLS(Model):
    """UNSET, DISABLE, PERMISSIVE or STRICT."""

    mode: str = "UNSET"


class WorkloadSelector(Model):
    """The pods that a policy is for, by label."""

    match_labels: dict[str, Any] = field(default_factory=dict)


class PeerAuthenticationSpec(Model):
    """Whether sidecars take connections without the mesh's TLS, for all ports and for some by number."""

    selector: WorkloadSelector | None = None
    mtls: MutualTLS | None = None
    port_level_mtls: dict[str | int, MutualTLS] = field(default_factory=dict)


class PeerAuthentication(Model):
    """A PeerAuthentication."""

    spec: PeerAuthenticationSpec = PeerAuthenticationSpec()


class PolicyTargetReference(Model):
    """What a policy is for instead of pods: a Gateway, a GatewayClass, a Service or a ServiceEntry."""

    group: str = ""
    kind: str = ""
    name: str = ""


class Source(Model):
    """Where a request comes from; every field that is there must hold, by one of its values."""

    principals: Many[str] = ()
    not_principals: Many[str] = ()
    request_principals: Many[str] = ()
    not_request_principals: Many[str] = ()
    namespaces: Many[str] = ()
    not_namespaces: Many[str] = ()
    service_accounts: Many[str] = ()
    not_service_accounts: Many[str] = ()
    ip_blocks: Many[str] = ()
    not_ip_blocks: Many[str] = ()
    remote_ip_blocks: Many[str] = ()
    not_remote_ip_blocks: Many[str] = ()


class RuleFrom(Model):
    """One of the sources of a rule."""

    source: Source = Source()


class Operation(Model):
    """What a request asks for; every field that is there must hold, by one of its values."""

    hosts: Many[str] = ()
    not_hosts: Many[str] = ()
    ports: Many[str] = ()
    not_ports: Many[str] = ()
    methods: Many[str] = ()
    not_methods: Many[str] = ()
    paths: Many[str] = ()
    not_paths: Many[str] = ()


class RuleTo(Model):
    """One of the operations of a rule."""

    operation: Operation = Operation()


class Condition(Model):
    """Something else that must hold of a request."""

    key: str = ""
    values: Many[str] = ()
    not_values: Many[str] = ()


class AuthorizationRule(Model):
    """Requests, by source, operation and conditions; what is absent is any."""

    from_: Many[RuleFrom] = field(default=(), name="from")
    to: Many[RuleTo] = ()
    when: Many[Condition] = ()


class AuthorizationPolicySpec(Model):
    """What becomes of the requests that one of the rules means: ALLOW, DENY, AUDIT or CUSTOM."""

    selector: WorkloadSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: Many[PolicyTargetReference] = ()
    rules: Many[AuthorizationRule] = ()
    action: str = "ALLOW"

    @property
    def targets(self) -> Many[PolicyTargetReference]:
        """What it is for instead of pods."""
        return (*self.target_refs, *((self.target_ref,) if self.target_ref is not None else ()))


class AuthorizationPolicy(Model):
    """An AuthorizationPolicy; without a spec it allows nothing."""

    spec: AuthorizationPolicySpec = AuthorizationPolicySpec()
