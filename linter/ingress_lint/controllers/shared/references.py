"""References of the Gateway API: who may refer across namespaces, and what the Secrets and ConfigMaps named hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from msgspec import Struct

from ingress_lint.controllers.shared.classes.declared import declared_implementation
from ingress_lint.controllers.shared.implementations import by_class_name, by_controller_name
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import (
    Gateway,
    GatewayClass,
    LocalObjectReference,
    ObjectReference,
    ReferenceGrant,
    SecretObjectReference,
)
from ingress_lint.objects.gateway_routes import BackendObjectReference
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.tls_secrets import TYPE as SECRET_TYPE
from ingress_lint.routes.tls_secrets import SecretFault, TLSSecrets
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_TRUST_BUNDLE: Final = "ClusterTrustBundle"
"""What some take certificate authorities from beside ConfigMaps, whatever its group says
(envoyproxy/gateway:internal/gatewayapi/backendtlspolicy.go)."""

AnyReference = LocalObjectReference | ObjectReference | SecretObjectReference | BackendObjectReference


class Reference(NamedTuple):
    """Any reference; without a namespace, to an object of the one that it stands in."""

    group: str
    kind: str
    name: str
    namespace: str | None

    @classmethod
    def of(cls, written: AnyReference) -> Reference:
        """A reference as it is written."""
        namespace = None if isinstance(written, LocalObjectReference) else written.namespace
        return cls("" if written.group == "core" else written.group, written.kind, written.name, namespace)

    @property
    def group_kind(self) -> GroupKind:
        """The kind that it leads to."""
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class Site(Struct, frozen=True):
    """Where a reference stands: the object that makes it, its place, and the listener it is for."""

    owner: AnyObject
    place: Place
    listener: str = ""

    @property
    def of_listener(self) -> str:
        """Who refers, as messages name it."""
        owner = f"{self.owner.kind} `{self.owner.name}`"
        return f"listener `{self.listener}` of {owner}" if self.listener else owner

    def verdict(
        self,
        reason: Reason,
        message: str,
        certainty: Certainty = Certainty.KNOWN,
        *,
        place: Place | None = None,
        related: tuple[tuple[str, Place], ...] = (),
        fix: str = "",
    ) -> Verdict:
        """A verdict on this reference."""
        return Verdict(reason, self.owner, place or self.place, message, certainty, related, fix, self.listener)


class References:
    """Follows the references of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self.graph = graph
        grants: defaultdict[str, list[KubernetesObject[ReferenceGrant]]] = defaultdict(list)
        for grant in graph.of(ReferenceGrant):
            grants[grant.namespace].append(grant)
        self._grants: Mapping[str, list[KubernetesObject[ReferenceGrant]]] = grants
        self._secrets = TLSSecrets(graph)

    def refusal(self, site: Site, reference: Reference, what: str, consequence: str) -> Verdict | None:
        """Why a reference may not lead where it does, None where it may.

        `what` names the target in words; without a grant in sight it is sure only where the set holds the like of it.
        """
        namespace = reference.namespace or site.owner.namespace
        if namespace == site.owner.namespace or self._granted(site.owner, reference, namespace):
            return None
        nearest = self._nearest_grant(reference, namespace)
        covered = bool(self._grants.get(namespace)) or self.graph.holds(reference.group_kind, namespace)
        unsure = self.graph.context.assume != "complete" and (not covered or self.graph.context.unparsed)
        certainty = Certainty.KNOWN if site.owner.names_namespace else Certainty.LIKELY
        name = reference.name
        return site.verdict(
            Reason.REF_NOT_PERMITTED,
            f"{site.of_listener} refers to {what} `{name}` of namespace `{namespace}`, and no ReferenceGrant there lets "
            f"{site.owner.kind}s of `{site.owner.namespace}` do so; {consequence}",
            Certainty.UNKNOWN if unsure else certainty,
            place=site.place.at("namespace"),
            related=(
                (f"`{name}` is named here", site.place.at("name")),
                *(((f"this ReferenceGrant allows something else: {nearest[1]}", nearest[0]),) if nearest else ()),
            ),
            fix=f"add a ReferenceGrant to namespace `{namespace}`: from {site.owner.kind} in "
            f"`{site.owner.namespace}`, to {reference.kind} `{name}`",
        )

    def _granted(self, owner: AnyObject, reference: Reference, namespace: str) -> bool:
        for grant in self._grants.get(namespace, ()):
            spec = grant.body.spec
            if any(
                source.group == owner.group and source.kind == owner.kind and source.namespace == owner.namespace
                for source in spec.from_
            ) and any(_covers(target.group, target.kind, target.name, reference) for target in spec.to):
                return True
        return False

    def _nearest_grant(self, reference: Reference, namespace: str) -> tuple[Place, str] | None:
        for grant in self._grants.get(namespace, ()):
            for index, source in enumerate(grant.body.spec.from_):
                for target in grant.body.spec.to:
                    if _covers(target.group, target.kind, target.name, reference):
                        seen = f"from {source.kind} in `{source.namespace}`"
                        return grant.at("spec", "from", index), seen
        return None

    # -- certificates ------------------------------------------------------------------------------------------------

    def certificate(self, site: Site, written: SecretObjectReference, reason: Reason) -> Verdict | None:
        """What is wrong with a reference to a certificate and its key, None where nothing is known to be."""
        consequence = (
            "the listener cannot open TLS, so clients get a connection reset"
            if site.listener
            else "the Gateway has no certificate to show to backends, which refuse the connection: clients get 503"
        )
        reference = Reference.of(written)
        if (reference.group, reference.kind) != ("", "Secret"):
            core = reference.group in ("", GATEWAY_GROUP)
            return site.verdict(
                reason,
                f"{site.of_listener} takes its certificate from {reference} `{reference.name}`, and only a Secret holds one; {consequence}",
                Certainty.KNOWN if core else Certainty.LIKELY,
                place=site.place.at("group" if reference.group else "kind"),
                fix="name a Secret of type kubernetes.io/tls",
            )
        if refusal := self.refusal(site, reference, "Secret", consequence):
            return refusal
        namespace = reference.namespace or site.owner.namespace
        fault = self._secrets.fault(site.owner, namespace, reference.name) or self._other_type(
            namespace, reference.name
        )
        if fault is None:
            return None
        unless = "unless the cluster has it, " if fault.certainty is Certainty.UNKNOWN else ""
        return site.verdict(
            reason,
            f"{site.of_listener} takes its certificate from Secret `{reference.name}`, {fault.words}; {unless}{consequence}",
            fault.certainty,
            place=site.place.at("name"),
            related=fault.related,
            fix=fault.fix,
        )

    def _other_type(self, namespace: str, name: str) -> SecretFault | None:
        """A Secret of another type than the specification asks for.

        NGINX Gateway Fabric refuses it (nginx/nginx-gateway-fabric:internal/controller/state/graph/secret.go).
        """
        secret = self.graph.secret(namespace, name)
        if secret is None or secret.body.type == SECRET_TYPE:
            return None
        return SecretFault(
            f"which is of type {secret.body.type} and not {SECRET_TYPE}, as some implementations demand",
            Certainty.LIKELY,
            ((f"Secret `{name}`", secret.at("type")),),
            f"set its `type` to {SECRET_TYPE}; the type of a Secret cannot be changed, so make it anew",
        )

    # -- certificate authorities --------------------------------------------------------------------------------------

    def authorities(
        self, sites: Iterable[tuple[Site, AnyReference]], reasons: tuple[Reason, Reason], consequence: str
    ) -> tuple[bool, tuple[Verdict, ...]]:
        """Whether any reference to certificate authorities can be read, and what is wrong with the others.

        `reasons` are those for a ConfigMap that is not there or holds none, and for another kind of object.
        """
        usable, verdicts, any_named = False, [], False
        for site, written in sites:
            any_named = True
            verdict = self._authority(site, Reference.of(written), reasons, consequence)
            if verdict is None or verdict.certainty is Certainty.UNKNOWN:
                usable = True
            if verdict is not None:
                verdicts.append(verdict)
        return usable or not any_named, tuple(verdicts)

    @cached_property
    def _any_authority_key(self) -> bool:
        """Whether an implementation of the set takes authorities from whichever key there is."""
        defined = {
            item.name: by_controller_name(item.body.spec.controller_name) for item in self.graph.of(GatewayClass)
        }
        named = {item.body.spec.gateway_class_name for item in self.graph.of(Gateway)} - defined.keys()
        told = (declared_implementation(self.graph, name) or by_class_name(name) for name in named)
        return any(found.any_authority_key for found in (*defined.values(), *told))

    def _authority(
        self, site: Site, reference: Reference, reasons: tuple[Reason, Reason], consequence: str
    ) -> Verdict | None:
        missing, wrong_kind = reasons
        if reference.kind == _TRUST_BUNDLE:
            return None
        if (reference.group, reference.kind) not in (("", "ConfigMap"), ("", "Secret")):
            return site.verdict(
                wrong_kind,
                f"{site.of_listener} takes its certificate authorities from {reference} `{reference.name}`, and only a "
                f"ConfigMap holds any; {consequence}",
                Certainty.KNOWN if not reference.group else Certainty.LIKELY,
                place=site.place.at("kind"),
                fix="name a ConfigMap with the certificates under `ca.crt`",
            )
        if refusal := self.refusal(site, reference, reference.kind, consequence):
            return refusal
        namespace = reference.namespace or site.owner.namespace
        resolution = self.graph.resolve(reference.group_kind, namespace, reference.name)
        if resolution.existence is Existence.EXTERNAL or self._secrets.maker(namespace, reference.name):
            return None
        data = getattr(getattr(resolution.object, "body", None), "data", None)
        if resolution.object is not None and (data is None or "ca.crt" in data or reference.kind == "Secret"):
            return None
        if data and site.owner.kind == "BackendTLSPolicy" and self._any_authority_key:
            return None
        found = resolution.object is not None
        words = "has no key `ca.crt`" if found else f"namespace `{namespace}` does not have"
        return site.verdict(
            missing,
            f"{site.of_listener} takes its certificate authorities from {reference.kind} `{reference.name}`, which "
            f"{words}; {consequence}",
            Certainty.KNOWN if found else Certainty.of_missing(resolution.existence),
            place=site.place.at("name"),
            related=((f"{reference.kind} `{reference.name}`", resolution.object.name_place),)
            if resolution.object
            else (),
            fix=f"put the certificates under `ca.crt` of {reference.kind} `{reference.name}`",
        )


def _covers(group: str, kind: str, name: str | None, reference: Reference) -> bool:
    """Whether a grant's target covers a reference."""
    return group == reference.group and kind == reference.kind and name in (None, "", reference.name)
