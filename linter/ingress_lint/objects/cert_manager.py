"""cert-manager's Certificates, and its issuers as far as they answer ACME challenges through the cluster's own routes."""

from __future__ import annotations

from typing import Any

from msgspec import field

from ingress_lint.objects.model import Many, Model


class IngressSolver(Model):
    """How challenges get an Ingress: a new one of a class, or the one of that name."""

    class_name: str | None = field(default=None, name="class")
    ingress_class_name: str | None = None
    name: str | None = None
    ingress_template: dict[str, Any] | None = None


class SolverParent(Model):
    """What the route of a challenge hangs on, a Gateway unless it says otherwise."""

    kind: str = "Gateway"
    namespace: str | None = None
    name: str = ""
    section_name: str | None = None


class GatewaySolver(Model):
    """How challenges get an HTTPRoute."""

    parent_refs: Many[SolverParent] = ()


class HTTPSolver(Model):
    """How HTTP-01 challenges are answered."""

    ingress: IngressSolver | None = None
    gateway_route: GatewaySolver | None = field(default=None, name="gatewayHTTPRoute")


class Solver(Model):
    """One way to answer challenges; without `http01` it is by DNS."""

    http01: HTTPSolver | None = None


class ACMEIssuer(Model):
    """An account with an ACME server."""

    solvers: Many[Solver] = ()


class IssuerSpec(Model):
    """How certificates are issued."""

    acme: ACMEIssuer | None = None


class Issuer(Model):
    """An Issuer of one namespace, or a ClusterIssuer of all."""

    spec: IssuerSpec = IssuerSpec()


class IssuerReference(Model):
    """Who issues a certificate."""

    name: str = ""
    kind: str = "Issuer"


class CertificateSpec(Model):
    """The Secret to fill, and the hosts of the certificate in it."""

    secret_name: str = ""
    dns_names: Many[str] | None = None
    issuer_ref: IssuerReference = IssuerReference()


class Certificate(Model):
    """A Certificate."""

    spec: CertificateSpec = CertificateSpec()
