"""Linkerd's policies of who may connect to what (group policy.linkerd.io).

linkerd/linkerd2:policy-controller/k8s/api/src/policy/{server,server_authorization,authorization_policy,
meshtls_authentication,network_authentication}.rs.
"""

from __future__ import annotations

from msgspec import field

from ingress_lint.objects.model import IntOrString, LabelSelector, Many, Model


class ServerSpec(Model):
    """A port of some pods; `access_policy` tells who gets in that no policy names."""

    pod_selector: LabelSelector | None = None
    port: IntOrString = 0
    access_policy: str = "deny"


class Server(Model):
    """A Server."""

    spec: ServerSpec = ServerSpec()


class Reference(Model):
    """An object of the policy's namespace, or of another where that may be."""

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class AuthorizationPolicySpec(Model):
    """Who may use a target: whoever all of the authentications know."""

    target_ref: Reference = Reference()
    required_authentication_refs: Many[Reference] = ()


class AuthorizationPolicy(Model):
    """An AuthorizationPolicy of Linkerd."""

    spec: AuthorizationPolicySpec = AuthorizationPolicySpec()


class MeshTLSAuthenticationSpec(Model):
    """Clients by the mesh's certificates."""

    identities: Many[str] = ()
    identity_refs: Many[Reference] = ()


class MeshTLSAuthentication(Model):
    """A MeshTLSAuthentication."""

    spec: MeshTLSAuthenticationSpec = MeshTLSAuthenticationSpec()


class Network(Model):
    """A range of addresses, less some."""

    cidr: str = ""
    except_: Many[str] = field(default=(), name="except")


class NetworkAuthenticationSpec(Model):
    """Clients by their addresses."""

    networks: Many[Network] = ()


class NetworkAuthentication(Model):
    """A NetworkAuthentication."""

    spec: NetworkAuthenticationSpec = NetworkAuthenticationSpec()


class MeshTLS(Model):
    """Clients by the mesh's certificates, as a ServerAuthorization has them."""

    unauthenticated_tls: bool = field(default=False, name="unauthenticatedTLS")
    identities: Many[str] = ()
    service_accounts: Many[Reference] = ()


class Client(Model):
    """Who may use a Server."""

    unauthenticated: bool = False
    mesh_tls: MeshTLS | None = field(default=None, name="meshTLS")
    networks: Many[Network] = ()


class ServerReference(Model):
    """Servers of the same namespace, by name or label."""

    name: str = ""
    selector: LabelSelector | None = None


class ServerAuthorizationSpec(Model):
    """Who may use some Servers."""

    server: ServerReference = ServerReference()
    client: Client = Client()


class ServerAuthorization(Model):
    """A ServerAuthorization."""

    spec: ServerAuthorizationSpec = ServerAuthorizationSpec()
