"""Secrets that hold a certificate with its key: whether they exist, who makes them, what is wrong with those in the set.

Manifests seldom hold them: certificates come from cert-manager, a vault or a command. So a Secret that is not there is
known to be missing only where the set keeps other certificates of the same namespace.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.cert_manager import Certificate
from ingress_lint.objects.core import Secret
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.secrets_store import SecretProviderClass
from ingress_lint.routes.verdicts import Certainty
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import GIT_CRYPT, is_placeholder
from ingress_lint.values.spelling import close_matches

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
TYPE: Final = "kubernetes.io/tls"
_MARKERS: Final = ((CERTIFICATE, "CERTIFICATE-----"), (KEY, "PRIVATE KEY-----"))

_ISSUER_ANNOTATIONS: Final = (
    "cert-manager.io/issuer",
    "cert-manager.io/cluster-issuer",
    "certmanager.k8s.io/issuer",
    "certmanager.k8s.io/cluster-issuer",
    "kubernetes.io/tls-acme",
    "cert.gardener.cloud/purpose",
)
"""How annotations start that have the Secret made which their object names."""
_SERVING_CERTIFICATE: Final = (
    "service.beta.openshift.io/serving-cert-secret-name",
    "service.alpha.openshift.io/serving-cert-secret-name",
)
"""Annotations of a Service that name the Secret which OpenShift makes for it."""
_COPYING: Final = ("reflector.", "replicator.", "replicate", "kubed", "config-syncer", "syncer", "clone")
"""Parts of the annotations by which tools copy Secrets into other namespaces."""
_REFERENCE: Final = deferred(r"REDACTED|\bref\+|^(?:op|vault|ssm|awssm|secretref):", re.I)
"""How values are written that tools fetch from a vault, beside placeholders."""


class SecretFault(Struct, frozen=True):
    """Why a Secret is of no use. `words` continue "Secret `x`, " and `related` shows further places with captions."""

    words: str
    certainty: Certainty
    related: tuple[tuple[str, Place], ...] = ()
    fix: str = ""


_GENERATED: Final = deferred(r"-[bcdfghkmt2456789]{10}")
"""The hash that kustomize adds to the name of what it generates (kubernetes-sigs/kustomize:api/hasher/hasher.go)."""


class TLSSecrets:
    """Answers what is known of the Secrets that listeners of one graph take their certificates from."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    def fault(self, owner: AnyObject, namespace: str, name: str) -> SecretFault | None:
        """What is wrong with a Secret that `owner` takes a certificate from, None where nothing is known to be."""
        if self.made_later(owner, namespace, name):
            return None
        secret = self._graph.secret(namespace, name)
        return content_fault(secret) if secret is not None else self._missing(namespace, name)

    def made_later(self, owner: AnyObject, namespace: str, name: str) -> bool:
        """Whether something fills the Secret at run time: an issuer, a Certificate, an ExternalSecret, a copier."""
        asked = any(key.startswith(_ISSUER_ANNOTATIONS) for key in owner.annotations)
        return asked or self.maker(namespace, name) is not None

    def maker(self, namespace: str, name: str) -> AnyObject | None:
        """The object that has a Secret made."""
        return self._makers.get((namespace, name))

    @cached_property
    def _makers(self) -> Mapping[tuple[str, str], AnyObject]:
        makers: dict[tuple[str, str], AnyObject] = {}
        for item in self._graph.objects:
            for name in filter(None, _made_by(item)):
                makers.setdefault((item.namespace, name), item)
        return makers

    @cached_property
    def _certificates(self) -> Mapping[str, list[AnyObject]]:
        """The Certificates of all namespaces, by the names of their Secrets."""
        found: dict[str, list[AnyObject]] = {}
        for (_, name), item in self._makers.items():
            if isinstance(item.body, Certificate):
                found.setdefault(name, []).append(item)
        return found

    # -- Secrets that are not there -----------------------------------------------------------------------------------

    def _missing(self, namespace: str, name: str) -> SecretFault | None:
        graph = self._graph
        existence = graph.resolve(SECRET, namespace, name).existence
        if existence not in (Existence.MISSING, Existence.PARTIAL) or graph.context.assume == "partial":
            return None
        elsewhere = [
            found for space in graph.namespaces_with(SECRET, name) if (found := graph.secret(space, name)) is not None
        ]
        if any(_is_copied(secret.annotations) for secret in elsewhere):
            return None
        certainty = self._certainty(namespace, existence)
        if elsewhere:
            found = elsewhere[0]
            return SecretFault(
                f"which is in namespace `{found.namespace}` and not in `{namespace}`",
                max(certainty, Certainty.LIKELY, key=_SURENESS.index),
                ((f"Secret `{found.name}` of namespace `{found.namespace}`", found.name_place),),
                f"put the Secret into namespace `{namespace}` as well",
            )
        makers = self._certificates.get(name, ())
        if any(_is_copied(item.mapping("spec", "secretTemplate", "annotations")) for item in makers):
            return None
        if makers:
            maker = makers[0]
            return SecretFault(
                f"which {maker.kind} `{maker.name}` makes in namespace `{maker.namespace}` and not in `{namespace}`",
                max(certainty, Certainty.LIKELY, key=_SURENESS.index),
                ((f"{maker.kind} `{maker.name}` of namespace `{maker.namespace}`", maker.name_place),),
                f"make the Secret in namespace `{namespace}` as well",
            )
        alike = (graph.secret(namespace, other) for other in graph.names_like(SECRET, namespace, name))
        own = [secret for secret in alike if secret is not None and secret.body.type == TYPE]
        for secret in own:
            if _GENERATED.fullmatch(secret.name.removeprefix(name)):
                return SecretFault(
                    f"which is generated as `{secret.name}`: kustomize follows no reference from here",
                    Certainty.KNOWN,
                    ((f"Secret `{secret.name}`", secret.name_place),),
                    "set `disableNameSuffixHash: true` in the generator's options, or give kustomize a nameReference",
                )
        close = close_matches(name, [secret.name for secret in own], 1, 0.75)
        for secret in own:
            if secret.name in close:
                return SecretFault(
                    f"which namespace `{namespace}` does not have",
                    max(certainty, Certainty.LIKELY, key=_SURENESS.index),
                    ((f"the nearest name is Secret `{secret.name}`", secret.name_place),),
                    f"did you mean `{secret.name}`?",
                )
        words = (
            "which is not in these manifests"
            if certainty is Certainty.UNKNOWN
            else f"which namespace `{namespace}` does not have"
        )
        kept = self._kept.get(namespace)
        return SecretFault(
            words,
            certainty,
            ((f"these manifests hold the certificates of namespace `{namespace}`, such as this", kept.name_place),)
            if kept and certainty is Certainty.KNOWN
            else (),
            f"create Secret `{name}` of type {TYPE} in namespace `{namespace}`, or name one that exists",
        )

    def _certainty(self, namespace: str, existence: Existence) -> Certainty:
        if self._graph.context.assume == "complete":
            return Certainty.KNOWN
        return Certainty.KNOWN if existence is Existence.MISSING and namespace in self._kept else Certainty.UNKNOWN

    @cached_property
    def _kept(self) -> Mapping[str, KubernetesObject[Secret]]:
        """By namespace, a Secret of the set that a listener takes its certificate from."""
        graph = self._graph
        named = {
            (ingress.namespace, block.secret_name) for ingress in graph.ingresses for block in ingress.body.spec.tls
        }
        named.update(_gateway_certificates(graph))
        kept: dict[str, KubernetesObject[Secret]] = {}
        for secret in graph.of(Secret):
            if (secret.namespace, secret.name) in named:
                kept.setdefault(secret.namespace, secret)
        return kept


def _gateway_certificates(graph: ObjectGraph) -> Iterator[tuple[str, str]]:
    """Namespace and name of the Secrets that the Gateway API's listeners name."""
    if not any(group.startswith("gateway.networking.") for group in graph.groups):
        return
    from ingress_lint.objects.gateway import Gateway, ListenerSet

    gateways: tuple[KubernetesObject[Gateway | ListenerSet], ...] = (*graph.of(Gateway), *graph.of(ListenerSet))
    for item in gateways:
        for entry in item.body.spec.listeners:
            for reference in entry.tls.certificate_refs if entry.tls else ():
                yield reference.namespace or item.namespace, reference.name


_OTHER_KEYS: Final = (("cert", "key"), ("rsa.crt", "rsa.key"), ("ecdsa.crt", "ecdsa.key"))
"""What Istio and the HAProxy Kubernetes Ingress Controller read as well."""
_SURENESS: Final = (Certainty.UNKNOWN, Certainty.LIKELY, Certainty.KNOWN)


def _made_by(item: AnyObject) -> Iterable[str]:
    """The names of the Secrets that a custom resource fills, by the fields in which such resources name them."""
    if item.kind == "SealedSecret":
        yield item.name
    elif item.kind == "Service":
        yield from (item.annotations[key] for key in _SERVING_CERTIFICATE if key in item.annotations)
    elif isinstance(item.body, Certificate):
        yield item.body.spec.secret_name
    elif isinstance(item.body, SecretProviderClass):
        yield from (copy.secret_name for copy in item.body.spec.secret_objects)
    if item.body is not None or not item.mapping("spec"):
        return
    yield item.text("spec", "secretName")
    if item.kind.endswith("Secret"):
        yield item.name
    for key in ("target", "destination", "secretRef", "managedSecretReference", "template"):
        yield item.text("spec", key, "name")
        yield item.text("spec", key, "secretName")


def _is_copied(annotations: Iterable[str]) -> bool:
    """Whether a tool copies a Secret with such annotations into other namespaces, or fills it with a copy."""
    return any(part in key for key in annotations for part in _COPYING)


# -- Secrets that are there -------------------------------------------------------------------------------------------


def text_of(secret: KubernetesObject[Secret], key: str) -> str | None:
    """The text under a key; None where there is none or it is not base64."""
    body = secret.body
    if key in body.string_data:
        return str(body.string_data[key])
    if key not in body.data:
        return None
    import base64

    try:
        return base64.b64decode(str(body.data[key]), validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None


def place_of(secret: KubernetesObject[Secret], key: str) -> Place:
    """Where the value under a key stands."""
    return secret.at("stringData" if key in secret.body.string_data else "data", key)


def is_filled_in(secret: KubernetesObject[Secret]) -> bool:
    """Whether the values are encrypted or stand for others that a tool puts in their place."""
    body = secret.body
    if secret.body.sops is not None or _is_copied(secret.annotations):
        return True
    written = (*body.data.values(), *body.string_data.values())
    texts = (text_of(secret, key) or "" for key in (*body.data, *body.string_data))
    return any(_stands_open(str(value)) for value in written) or any(
        _stands_open(text) for text in texts if "-----BEGIN" not in text
    )


def _stands_open(text: str) -> bool:
    if text.startswith(GIT_CRYPT):
        return True
    return _REFERENCE.search(text) is not None or any(map(is_placeholder, text.splitlines()))


def content_fault(secret: KubernetesObject[Secret]) -> SecretFault | None:
    """What makes a Secret useless as a certificate with its key; empty values are filled later."""
    if is_filled_in(secret):
        return None
    fix = f"put a PEM certificate under `{CERTIFICATE}` and its key under `{KEY}`"
    body = secret.body
    held = [*body.data, *body.string_data]
    if any(set(names) <= set(held) for names in _OTHER_KEYS):
        return None
    caption = f"Secret `{secret.name}`"
    for key, marker in _MARKERS:
        if key not in body.string_data and key not in body.data:
            only = f", only {', '.join(f'`{name}`' for name in held)}" if held else ""
            typed = f", and is of type {body.type}" if body.type not in (TYPE, "Opaque") else ""
            certainty = Certainty.KNOWN if held or typed else Certainty.LIKELY
            return SecretFault(
                f"which has no key `{key}`{only}{typed}", certainty, ((caption, secret.name_place),), fix
            )
        text = text_of(secret, key)
        place = place_of(secret, key)
        if text is None:
            return SecretFault(f"whose `{key}` is not base64", Certainty.KNOWN, ((caption, place),), fix)
        if text.strip() and ("-----BEGIN " not in text or marker not in text):
            return SecretFault(f"whose `{key}` holds no PEM text", Certainty.KNOWN, ((caption, place),), fix)
    return None
