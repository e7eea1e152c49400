"""Traefik's middlewares as filters, and everything else that they do to a route.

traefik/traefik:docs/content/reference/routing-configuration/http/middlewares. Middlewares that only count, compress or
buffer are no filters; those whose effect is known at run time alone (plugins, passwords, redirects by a regular
expression of the whole URL) are `ExtensionFilter`s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct, field

from ingress_lint.controllers.shared.external_auth import asked_service
from ingress_lint.controllers.traefik import GROUPS
from ingress_lint.controllers.traefik.installation import NO_ROUTER, Installation
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SECRET, GroupKind
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.traefik import (
    Headers,
    LoadBalancerSpec,
    Middleware,
    MiddlewareTCP,
    ObjectReference,
    RedirectScheme,
)
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRedirect, URLRewrite
from ingress_lint.routes.model import Attachment, BackendRef, ExternalAuth, Filter
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import Retries
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.values.expressions import compiled, fault
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import is_number

CRD_PROVIDER: Final = "kubernetescrd"
_ANSWER_PASSED_ON: Final = "clients get that answer instead of the page"
"""pkg/middlewares/auth/forward.go: every answer but 2xx goes to the client, and redirects are not followed."""
_MAX_DEPTH: Final = 8
_REFERENCE: Final = deferred(r"\$(?:\{(\w+)\}|(\w+))")

BackendOf = Callable[[LoadBalancerSpec, str, Place], BackendRef]
"""A backend that an object of a namespace names at a place."""


class Named(Struct, frozen=True):
    """A reference to an object of Traefik's, as somebody wrote it."""

    name: str
    namespace: str
    place: Place


class Steps(Struct):
    """What a chain of middlewares does to requests."""

    filters: list[Filter] = field(default_factory=list)
    allowed_sources: tuple[Sourced[str], ...] = ()
    allowed_by_peer: bool = False
    retries: Retries | None = None
    body_limit: Sourced[int] | None = None
    attached: list[Attachment] = field(default_factory=list)


def references(named: Iterable[ObjectReference], namespace: str, place: Place) -> Iterator[Named]:
    """References below a place, to objects of `namespace` unless they say otherwise."""
    for index, reference in enumerate(named):
        yield Named(reference.name, reference.namespace or namespace, place.at(index, "name"))


def annotated(names: Iterable[Sourced[str]]) -> Iterator[Named]:
    """References in an annotation: `namespace-name@kubernetescrd`, or another provider's."""
    return (Named(item.value, "", item.place) for item in names)


def find(graph: ObjectGraph, kind: str, named: Named) -> Resolution[Any]:
    """What a reference to one of Traefik's own kinds means. Without a namespace it must be `namespace-name@kubernetescrd`, of which no dash tells
    where the namespace ends; without `@` it means the Ingress provider's own, which has none
    (traefik/traefik:pkg/server/provider/provider.go, GetQualifiedName).
    """
    kinds = [GroupKind(group, kind) for group in GROUPS]
    name, at, provider = named.name.rpartition("@")
    if not at and named.namespace:
        return graph.resolve_any(kinds, named.namespace, named.name)
    if not at and (kind, named.name) == ("TLSOption", "default"):
        return Resolution(Existence.EXTERNAL, why="Traefik always has it")
    if not at:
        return Resolution(Existence.MISSING, why=f"`@{CRD_PROVIDER}` and the namespace in front are missing")
    if provider != CRD_PROVIDER:
        return Resolution(Existence.EXTERNAL, why=f"provider `{provider}` has it")
    for item in graph.of_kind(*kinds):
        if f"{item.namespace}-{item.name}" == name:
            return Resolution(Existence.FOUND, item)
    for item in graph.of_kind(*kinds):
        if name == item.name:
            return Resolution(Existence.MISSING, why=f"its name there is `{item.namespace}-{item.name}@{CRD_PROVIDER}`")
    spaces = {space for own in kinds for space in graph.namespaces_of(own) if name.startswith(f"{space}-")}
    for space in sorted(spaces, key=len, reverse=True):
        return graph.resolve_any(kinds, space, name.removeprefix(f"{space}-"))
    return Resolution(Existence.PARTIAL, why=f"the set holds no {kind} of that namespace")


class Middlewares:
    """The middlewares of one graph."""

    def __init__(
        self, graph: ObjectGraph, resolver: BackendResolver, installation: Installation, backend_of: BackendOf
    ) -> None:
        self._graph = graph
        self._installation = installation
        self._resolver = resolver
        self._backend_of = backend_of
        self._broken: dict[Place, Verdict] = {}

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What Traefik refuses of the middlewares that routes have named so far."""
        return tuple(self._broken.values())

    def steps(self, named: Iterable[Named], kind: str = "Middleware") -> Steps:
        """What the middlewares of a route do, in order."""
        found = Steps()
        for reference in named:
            self._add(found, reference, kind, 0)
        return found

    def _add(self, steps: Steps, named: Named, kind: str, depth: int) -> None:
        resolution = self._found(kind, named)
        item = resolution.object
        steps.attached.append(
            Attachment(
                named.place,
                item.group_kind if item else GroupKind(GROUPS[0], kind),
                item.namespace if item else named.namespace,
                item.name if item else named.name,
                resolution,
                NO_ROUTER,
            )
        )
        if item is not None and isinstance(item.body, Middleware):
            self._middleware(steps, item, depth)
        elif item is not None and isinstance(item.body, MiddlewareTCP):
            self._sources(steps, item)
        elif resolution.existence is not Existence.MISSING:
            steps.filters.append(ExtensionFilter(named.place, "traefik.io", kind, named.name))

    def _found(self, kind: str, named: Named) -> Resolution[Any]:
        """What a reference means to a Traefik that may run without the provider of these objects."""
        owner = self._graph.object_at(named.place)
        if owner is None or not named.name.endswith(f"@{CRD_PROVIDER}") or not self._installation.lacks(CRD_PROVIDER):
            return find(self._graph, kind, named)
        self._broken[named.place] = Verdict(
            Reason.EXTENSION_NOT_FOUND,
            owner,
            named.place,
            f"{owner.kind} `{owner.name}` hangs on {kind} `{named.name}`, and Traefik runs without "
            f"`--providers.{CRD_PROVIDER}`, so that it knows of none; {NO_ROUTER}",
            fix=f"run Traefik with `--providers.{CRD_PROVIDER}`",
        )
        return Resolution(Existence.EXTERNAL, why="its provider is off")

    def _middleware(self, steps: Steps, item: KubernetesObject[Middleware], depth: int) -> None:
        spec = item.body.spec
        if spec.chain is not None and depth < _MAX_DEPTH:
            place = item.at("spec", "chain", "middlewares")
            for reference in references(spec.chain.middlewares, item.namespace, place):
                self._add(steps, reference, "Middleware", depth + 1)
        self._broken.update((verdict.place, verdict) for verdict in _broken(item))
        steps.filters += rewrites(item)
        steps.filters += self._redirects(item)
        if spec.headers is not None:
            steps.filters += _headers(spec.headers, item.at("spec", "headers"))
        self._sources(steps, item)
        self._logins(steps, item)
        if spec.errors is not None and spec.errors.service is not None:
            backend = self._backend_of(spec.errors.service, item.namespace, item.at("spec", "errors", "service"))
            steps.attached.append(_of_backend(backend))
        if spec.buffering is not None and spec.buffering.max_request_body_bytes:
            place = item.at("spec", "buffering", "maxRequestBodyBytes")
            steps.body_limit = Sourced(spec.buffering.max_request_body_bytes, Origin.EXPLICIT, place)
        if spec.retry is not None:
            steps.retries = Retries(item.at("spec", "retry"), attempts=spec.retry.attempts)
        if spec.plugin is not None:
            steps.filters.append(_unknown(item, "plugin"))

    @staticmethod
    def _sources(steps: Steps, item: KubernetesObject[Middleware] | KubernetesObject[MiddlewareTCP]) -> None:
        spec = item.body.spec
        for key, ranges in (("ipAllowList", spec.ip_allow_list), ("ipWhiteList", spec.ip_white_list)):
            if ranges is not None:
                steps.allowed_by_peer = ranges.ip_strategy is None
                steps.allowed_sources = tuple(
                    Sourced(value, Origin.EXPLICIT, item.at("spec", key, "sourceRange", index))
                    for index, value in enumerate(ranges.source_range)
                )

    @staticmethod
    def _redirects(item: KubernetesObject[Middleware]) -> Iterator[Filter]:
        spec = item.body.spec
        if spec.redirect_scheme is not None:
            yield _scheme_redirect(spec.redirect_scheme, item.at("spec", "redirectScheme"))
        if spec.redirect_regex is not None:
            written = spec.redirect_regex
            status = 301 if written.permanent else 302
            place = item.at("spec", "redirectRegex")
            yield URLRedirect(place, written.regex, _template(written.replacement), status)
        if spec.headers is not None and spec.headers.ssl_redirect:
            status = 302 if spec.headers.ssl_temporary_redirect else 301
            yield RequestRedirect(item.at("spec", "headers", "sslRedirect"), status, scheme="https")

    def _logins(self, steps: Steps, item: KubernetesObject[Middleware]) -> None:
        spec = item.body.spec
        for key, login in (("basicAuth", spec.basic_auth), ("digestAuth", spec.digest_auth)):
            if login is not None:
                place = item.at("spec", key, "secret")
                found = self._graph.resolve(SECRET, item.namespace, login.secret)
                steps.attached.append(Attachment(place, SECRET, item.namespace, login.secret, found, NO_ROUTER))
                steps.filters.append(_unknown(item, key))
        if spec.forward_auth is not None:
            place = item.at("spec", "forwardAuth", "address")
            url = spec.forward_auth.address
            asked = asked_service(self._graph, self._resolver, url, item.namespace, place)
            steps.filters.append(ExternalAuth(place, asked, url, _ANSWER_PASSED_ON))


def _of_backend(backend: BackendRef) -> Attachment:
    return Attachment(
        backend.place,
        GroupKind(backend.group, backend.kind),
        backend.namespace,
        backend.name,
        backend.service,
        NO_ROUTER,
    )


def _unknown(item: KubernetesObject[Middleware], key: str) -> ExtensionFilter:
    return ExtensionFilter(item.at("spec", key), item.group, f"Middleware {key}", item.name)


def _scheme_redirect(written: RedirectScheme, place: Place) -> RequestRedirect:
    return RequestRedirect(
        place,
        301 if written.permanent else 302,
        scheme=written.scheme or "https",
        port=whole(written.port),
        keeps_method=True,
    )


def _broken(item: KubernetesObject[Middleware]) -> Iterator[Verdict]:
    """The expressions that do not compile: pkg/middlewares/{stripprefixregex,replacepathregex,redirect}, New."""
    spec = item.body.spec
    stripped = spec.strip_prefix_regex.regex if spec.strip_prefix_regex is not None else ()
    written = [(item.at("spec", "stripPrefixRegex", "regex", index), text) for index, text in enumerate(stripped)]
    for key, replacement in (("replacePathRegex", spec.replace_path_regex), ("redirectRegex", spec.redirect_regex)):
        if replacement is not None:
            written.append((item.at("spec", key, "regex"), replacement.regex))
    for place, text in written:
        why = fault(text, "RE2")
        if why is not None:
            message = (
                f"the regular expression `{text}` of Middleware `{item.name}` does not compile ({why}); Traefik "
                "makes no router of what names it, and clients get 404"
            )
            yield Verdict(Reason.UNSUPPORTED_VALUE, item, place, message, fix="correct the expression")


def rewrites(item: KubernetesObject[Middleware]) -> Iterator[URLRewrite]:
    """What a middleware makes of the path."""
    spec = item.body.spec
    if spec.add_prefix is not None and spec.add_prefix.prefix:
        prefix = spec.add_prefix.prefix
        yield URLRewrite(item.at("spec", "addPrefix"), path=f"{prefix}$1", regex="^(.*)$")
    if spec.strip_prefix is not None and spec.strip_prefix.prefixes:
        prefixes = "|".join("".join(map(_escaped_or_not, prefix)) for prefix in spec.strip_prefix.prefixes)
        yield URLRewrite(item.at("spec", "stripPrefix"), path="$1", regex=f"^(?:{prefixes})(.*)$", rooted=True)
    if spec.strip_prefix_regex is not None and spec.strip_prefix_regex.regex:
        prefixes = "|".join(expression.removeprefix("^") for expression in spec.strip_prefix_regex.regex)
        expression = compiled(prefixes)
        if expression is not None:
            group = expression.groups + 1
            place = item.at("spec", "stripPrefixRegex")
            yield URLRewrite(place, path=f"${group}", regex=f"^(?:{prefixes})(.*)$", rooted=True)
    if spec.replace_path is not None:
        yield URLRewrite(item.at("spec", "replacePath"), path=spec.replace_path.path)
    if spec.replace_path_regex is not None:
        written = spec.replace_path_regex
        place = item.at("spec", "replacePathRegex")
        yield URLRewrite(place, path=_template(written.replacement), regex=written.regex, in_place=True)


def _escaped_or_not(character: str) -> str:
    """What finds a character of a prefix, which is compared with the decoded path (pkg/middlewares/stripprefix)."""
    return (
        re.escape(character) if character.isalnum() else f"(?:{re.escape(character)}|(?i:{quote(character, safe='')}))"
    )


def _template(written: str) -> str:
    """A replacement as Go reads it: `${1}` and `$1`, and `$1x` for a group of that name, which there is none."""
    return _REFERENCE.sub(lambda found: f"${found[1] or found[2]}" if is_number(found[1] or found[2]) else "", written)


def _headers(headers: Headers, place: Place) -> Iterator[Filter]:
    host = next((value for name, value in headers.custom_request_headers.items() if name.lower() == "host"), "")
    if host:
        yield URLRewrite(place.at("customRequestHeaders"), host=host)
    for key, written, of_response in (
        ("customRequestHeaders", headers.custom_request_headers, False),
        ("customResponseHeaders", headers.custom_response_headers, True),
    ):
        if written:
            yield HeaderModifier(
                place.at(key),
                set=tuple((name, value) for name, value in written.items() if value),
                remove=tuple(name for name, value in written.items() if not value),
                of_response=of_response,
            )
    if headers.access_control_allow_origin_list or headers.access_control_allow_origin_list_regex:
        yield CORS(
            place,
            (*headers.access_control_allow_origin_list, *headers.access_control_allow_origin_list_regex),
            headers.access_control_allow_methods,
            headers.access_control_allow_headers,
            headers.access_control_expose_headers,
            headers.access_control_allow_credentials,
            headers.access_control_max_age,
        )
