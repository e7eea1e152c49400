"""BackendTLSPolicies: which Service port each one decides for, which lose to another, and what is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.shared.references import References, Site
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.gateway import (
    BackendTLSPolicy,
    BackendTLSPolicyConfig,
    BackendTLSPolicyValidation,
    LegacyBackendTLSPolicy,
    LegacyBackendTLSPolicySpec,
    PolicyTargetReference,
)
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import BackendTLS, ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_AUTHORITY_REASONS: Final = (Reason.INVALID_CA_CERTIFICATE_REF, Reason.INVALID_KIND)
_CONSEQUENCE: Final = "no connection to the backend succeeds, and clients get 502 or 503"

Policy = KubernetesObject[BackendTLSPolicy] | KubernetesObject[LegacyBackendTLSPolicy]


class _Target(Struct, frozen=True):
    """A Service, or one of its ports by name, that a policy is for."""

    policy: Policy
    reference: PolicyTargetReference
    place: Place
    tls: BackendTLS


class BackendTLSPolicies:
    """The policies of one graph; `verdicts` holds what is wrong with them."""

    def __init__(self, graph: ObjectGraph, references: References) -> None:
        self._graph = graph
        self._references = references
        self.verdicts: list[Verdict] = []
        targets: defaultdict[tuple[str, str, str], list[_Target]] = defaultdict(list)
        policies: list[Policy] = [*graph.of(BackendTLSPolicy), *graph.of(LegacyBackendTLSPolicy)]
        for policy in sorted(policies, key=age):
            for target in self._targets(policy):
                self._check_target(target)
                key = (policy.namespace, target.reference.name, target.reference.section_name or "")
                targets[key].append(target)
        for earlier, *others in targets.values():
            self.verdicts += [_conflict(target, earlier) for target in others]
        self._winners: Mapping[tuple[str, str, str], _Target] = {key: found[0] for key, found in targets.items()}

    def for_port(self, port: ResolvedPort) -> BackendTLS | None:
        """What the policies say of TLS towards a Service port; one that names the port goes before one that does not."""
        service = port.service
        for section in (port.port.name, ""):
            target = self._winners.get((service.namespace, service.name, section))
            if target is not None:
                return target.tls
        return None

    def _targets(self, policy: Policy) -> Iterator[_Target]:
        spec = policy.body.spec
        if isinstance(spec, LegacyBackendTLSPolicySpec):
            validation: BackendTLSPolicyValidation | BackendTLSPolicyConfig = spec.tls
            references: tuple[PolicyTargetReference, ...] = (spec.target_ref,)
            field, authorities = "tls", "caCertRefs"
        else:
            validation, references = spec.validation, spec.target_refs
            field, authorities = "validation", "caCertificateRefs"
        place = policy.at("spec", field)
        usable, verdicts = self._references.authorities(
            (
                (Site(policy, place.at(authorities, index)), reference)
                for index, reference in enumerate(validation.ca_certificate_refs)
            ),
            _AUTHORITY_REASONS,
            _CONSEQUENCE,
        )
        self.verdicts += verdicts
        if not usable and all(verdict.reason is Reason.INVALID_KIND for verdict in verdicts):
            sure = all(verdict.certainty is Certainty.KNOWN for verdict in verdicts)
            self.verdicts.append(_no_authority(policy, place.at(authorities), sure=sure))
        alternatives = (
            tuple(name for item in validation.subject_alt_names if (name := item.hostname or item.uri))
            if isinstance(validation, BackendTLSPolicyValidation)
            else ()
        )
        hostname = Sourced(validation.hostname, Origin.EXPLICIT, place.at("hostname"))
        tls = BackendTLS(policy, hostname, alternatives, usable)
        legacy = isinstance(policy.body, LegacyBackendTLSPolicy)
        for index, reference in enumerate(references):
            if (reference.group, reference.kind) == ("", "Service"):
                where = policy.at("spec", "targetRef") if legacy else policy.at("spec", "targetRefs", index)
                yield _Target(policy, reference, where, tls)

    def _check_target(self, target: _Target) -> None:
        policy, reference = target.policy, target.reference
        section = reference.section_name
        resolution = self._graph.resolve(SERVICE, policy.namespace, reference.name)
        service = self._graph.service(policy.namespace, reference.name)
        if service is not None:
            if section and not any(port.name == section for port in service.body.spec.ports):
                self.verdicts.append(_no_such_port(target, service))
        elif resolution.existence in (Existence.MISSING, Existence.PARTIAL):
            self.verdicts.append(
                Verdict(
                    Reason.TARGET_NOT_FOUND,
                    policy,
                    target.place.at("name"),
                    f"BackendTLSPolicy `{policy.name}` is for Service `{reference.name}`, which namespace "
                    f"`{policy.namespace}` does not have; it has no effect, and the Gateway speaks plain HTTP to a "
                    f"backend that expects TLS",
                    Certainty.of_missing(resolution.existence),
                    fix="name a Service of the policy's own namespace",
                )
            )


def _no_authority(policy: Policy, place: Place, *, sure: bool) -> Verdict:
    return Verdict(
        Reason.NO_VALID_CA_CERTIFICATE,
        policy,
        place,
        f"BackendTLSPolicy `{policy.name}` has no certificate authority to check certificates by; {_CONSEQUENCE}",
        Certainty.KNOWN if sure else Certainty.LIKELY,
        fix="name a ConfigMap with the certificates under `ca.crt`",
    )


def _no_such_port(target: _Target, service: KubernetesObject[Service]) -> Verdict:
    names = [f"`{port.name}`" for port in service.body.spec.ports if port.name]
    known = f"; it has {', '.join(names)}" if names else ", whose ports have no names"
    return Verdict(
        Reason.TARGET_NOT_FOUND,
        target.policy,
        target.place.at("sectionName"),
        f"BackendTLSPolicy `{target.policy.name}` is for port `{target.reference.section_name}` of Service "
        f"`{service.name}`{known}; the policy has no effect, and the Gateway speaks plain HTTP to a backend that "
        f"expects TLS",
        related=((f"Service `{service.name}`", service.at("spec", "ports")),),
        fix="give the port's name, not its number",
    )


def _conflict(loser: _Target, winner: _Target) -> Verdict:
    section = loser.reference.section_name
    what = f"port `{section}` of " if section else ""
    return Verdict(
        Reason.TLS_CONFLICTED,
        loser.policy,
        loser.place,
        f"BackendTLSPolicy `{loser.policy.name}` and `{winner.policy.name}` are both for {what}Service "
        f"`{loser.reference.name}`; the second counts, as it is older or comes first in the alphabet, so that "
        f"certificates are checked for `{winner.tls.hostname.value}` and not for `{loser.tls.hostname.value}`",
        related=((f"BackendTLSPolicy `{winner.policy.name}`", winner.place),),
        fix="keep one of them, or give each a port of its own with `sectionName`",
    )
