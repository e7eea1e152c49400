"""Annotations of Ingresses and Services against the tables of the controllers that serve them.

An annotation under a controller's prefix is known to it or not, counts on that kind of object or not, has a value that
it takes or not; or it is under the prefix of a controller that does not serve the object. Annotations of other software
(cert-manager, external-dns, Argo CD, Helm) are under nobody's prefix here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Generator, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from ingress_lint.controllers.refusals.annotation_owners import AnnotationOwners, Owner
from ingress_lint.controllers.refusals.consequences import consequence
from ingress_lint.controllers.refusals.ingress_classes import CLASS_ANNOTATION
from ingress_lint.controllers.refusals.misplaced_settings import on_wrong_kind
from ingress_lint.controllers.registry import GATEWAY_API, INGRESS, ISTIO, REGISTRY
from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.numbers import whole
from ingress_lint.values.placeholders import is_placeholder
from ingress_lint.values.spelling import close_matches, likeness

_PORTABLE: Final = 3
"""So many families of annotations on one object are there on purpose, for whichever controller there is."""
_ALIKE: Final = 0.75
_NOT_RENDERED: Final = "<no value>"
"""What templates of Go print for a value that is not there."""


class AnnotationVerdicts:
    """The annotations of one set."""

    def __init__(self, graph: ObjectGraph, owners: AnnotationOwners) -> None:
        self._graph = graph
        self._owners = owners

    def verdicts(self, claims: Iterable[Claim], routes: Iterable[Route]) -> Iterator[Verdict]:
        """What is wrong with the annotations of the Ingresses claimed, and of the set's Services."""
        for claim in claims:
            if claim.ingress.annotations:
                yield from self._of_ingress(claim)
        foreign: list[tuple[KubernetesObject[Service], Mapping[Owner, list[str]]]] = []
        for service in self._graph.services:
            if service.annotations:
                found = yield from self._of_service(service)
                if found:
                    foreign.append((service, found))
        if foreign and not self._graph.incomplete:
            serving = _serving(routes)
            for service, found in foreign:
                yield from self._foreign_to_service(service, serving.get(service, {}), found)
                yield from self._of_no_load_balancer(service, serving.get(service, {}), found)

    # -- Ingresses ----------------------------------------------------------------------------------------------------

    def _of_ingress(self, claim: Claim) -> Iterator[Verdict]:
        ingress = claim.ingress
        serving = REGISTRY[claim.controller.value].controller
        table = serving.annotations
        prefixes = serving.annotation_prefixes(self._graph, ingress)
        foreign: defaultdict[Owner, list[str]] = defaultdict(list)
        for key in ingress.annotations:
            prefix, slash, name = key.partition("/")
            if slash and prefix in prefixes:
                own = key if prefix in table.prefixes else f"{table.prefixes[0]}/{name}"
                yield from self._own(ingress, key, own, serving.title, table, Scope.INGRESS)
                sharing = self._owners.sharing(key, table, Scope.INGRESS) if table.spec(own) is None else None
                if sharing is not None:
                    foreign[sharing].append(key)
                continue
            owner = self._owners.of(key)
            if owner is None:
                yield from self._of_nobody(claim, serving, key)
            elif owner.of_load_balancers:
                spec = owner.table.spec(key)
                if spec is not None and Scope.INGRESS not in spec.scopes:
                    yield on_wrong_kind(ingress, key, owner, spec, Certainty.LIKELY)
            elif serving.name == INGRESS:
                if owner.table.spec(key) is None and not _doubtful(ingress, owner.table):
                    yield from self._unknown(ingress, key, owner.title, owner.table, Scope.INGRESS, only_near=True)
            elif key not in serving.also_reads:
                foreign[owner].append(key)
        yield from self._foreign(claim, serving, prefixes, foreign)
        if claim.controller.origin is not Origin.DEFAULT:
            yield from serving.refused_annotations(self._graph, ingress)

    def _foreign(
        self, claim: Claim, serving: Controller, prefixes: tuple[str, ...], found: Mapping[Owner, list[str]]
    ) -> Iterator[Verdict]:
        """One verdict for each family of annotations that the serving controller does not read."""
        ingress = claim.ingress
        if not found:
            return
        families = {*found, *(owner for key in ingress.annotations if (owner := self._owners.of(key)))}
        if claim.controller.origin is Origin.DEFAULT or len(families) >= _PORTABLE:
            return
        others = {key for keys in found.values() for key in keys}
        own = [key for key in ingress.annotations if key.partition("/")[0] in prefixes and key not in others]
        for owner, keys in found.items():
            certainty = self._sure(claim, owner, own)
            alone = [key for key in keys if not _twin(key, own)]
            if certainty is None or not alone:
                continue
            if owner.table is serving.annotations:
                cause = f"this installation of {serving.title} reads `{prefixes[0]}/` only (`--annotations-prefix`)"
                fix = f"write `{prefixes[0]}/{alone[0].partition('/')[2]}`"
            elif owner.controller in claim.rivals:
                cause = (
                    f"that is {owner.title}'s annotation{_count(alone)} beside {serving.title}'s, and whichever of the "
                    f"two serves its class passes over the other's"
                )
                fix = f"keep to the annotations of one of them; {_fix(alone[0], serving, ingress)}"
            else:
                why = f" ({claim.controller.why})" if claim.controller.why else ""
                cause = (
                    f"that is {owner.title}'s annotation{_count(alone)}, and {serving.title} serves the Ingress{why}"
                )
                fix = _fix(alone[0], serving, ingress)
            yield _not_read(ingress, alone, cause, certainty, fix)

    def _sure(self, claim: Claim, owner: Owner, own: Sequence[str]) -> Certainty | None:
        """How sure it is that the serving controller is another than `owner`."""
        if owner.controller not in claim.rivals:
            return Certainty.LIKELY if own else Certainty.KNOWN
        by_field = claim.ingress.body.spec.ingress_class_name
        name = by_field or claim.ingress.annotations.get(CLASS_ANNOTATION)
        both = name and REGISTRY[owner.controller].claims_class(name, by_field=bool(by_field))
        return Certainty.LIKELY if both else None

    def _of_nobody(self, claim: Claim, serving: Controller, key: str) -> Iterator[Verdict]:
        """A key under a prefix that is misspelt, or that others share and the serving controller does not read."""
        ingress = claim.ingress
        meant = self._owners.meant(key, Scope.INGRESS)
        if meant is not None:
            yield _misspelt(ingress, key, *meant)
            return
        prefix, _, name = key.partition("/")
        spec = serving.annotations.specs.get(name)
        if (
            self._owners.shares(prefix)
            and spec is not None
            and Scope.INGRESS in spec.scopes
            and key not in serving.also_reads
            and claim.controller.origin is not Origin.DEFAULT
        ):
            full = serving.annotations.full_key(name)
            if full not in ingress.annotations:
                yield Verdict(
                    Reason.FOREIGN_ANNOTATION,
                    ingress,
                    ingress.annotation_place(key).key(),
                    f"`{key}` has no effect on Ingress `{ingress.name}`: {serving.title} serves it, and reads no "
                    f"annotation under `{prefix}/`; {consequence(name)}",
                    Certainty.LIKELY if claim.rivals else Certainty.KNOWN,
                    fix=f"write `{full}`",
                )

    # -- Services -----------------------------------------------------------------------------------------------------

    def _of_service(self, service: KubernetesObject[Service]) -> Generator[Verdict, None, Mapping[Owner, list[str]]]:
        """What is wrong with the keys as such; returns those that only some controllers read."""
        foreign: defaultdict[Owner, list[str]] = defaultdict(list)
        for key in service.annotations:
            owner = self._owners.of(key)
            if owner is None:
                meant = self._owners.meant(key, Scope.SERVICE)
                if meant is not None:
                    yield _misspelt(service, key, *meant)
                continue
            yield from self._own(service, key, key, owner.title, owner.table, Scope.SERVICE)
            if owner.of_load_balancers or owner.table.closed:
                foreign[owner].append(key)
        return foreign

    def _foreign_to_service(
        self, service: KubernetesObject[Service], serving: Mapping[str, Route], found: Mapping[Owner, list[str]]
    ) -> Iterator[Verdict]:
        """What the controllers whose routes lead to a Service do not read; others may lead there from elsewhere."""
        if not serving or any(map(_is_unsure, serving)) or not _settled(service, serving):
            return
        for owner, keys in found.items():
            if owner.of_load_balancers:
                continue
            known = [key for key in keys if (spec := owner.table.spec(key)) and Scope.SERVICE in spec.scopes]
            if known and len(found) < _PORTABLE and not set(serving) & self._owners.readers(owner):
                name, route = next(iter(serving.items()))
                reader = REGISTRY[name].controller
                cause = (
                    f"that is {owner.title}'s annotation{_count(known)}, and the routes that lead here are "
                    f"{reader.title}'s ({route.owner.kind} `{route.owner.name}`)"
                )
                yield _not_read(service, known, cause, Certainty.LIKELY, _fix(known[0], reader, service))

    def _of_no_load_balancer(
        self, service: KubernetesObject[Service], serving: Mapping[str, Route], found: Mapping[Owner, list[str]]
    ) -> Iterator[Verdict]:
        """What only a Service that is a load balancer itself may say, on one that an Ingress leads to instead."""
        if service.body.spec.type == "LoadBalancer" or not serving or not _settled(service, serving):
            return
        for owner, keys in found.items():
            known = [key for key in keys if owner.of_load_balancers and owner.table.spec(key)]
            if known and not any(map(_is_gateway, serving)):
                name, route = next(iter(serving.items()))
                reader = REGISTRY[name].controller
                cause = (
                    f"a Service of type {service.body.spec.type} gets no load balancer of its own, and {reader.title} "
                    f"does not read it{_count(known)} for {route.owner.kind} `{route.owner.name}`, which leads here"
                )
                yield _not_read(service, known, cause, Certainty.KNOWN, _fix(known[0], reader, service))

    # -- a controller's own -------------------------------------------------------------------------------------------

    def _own(
        self, item: AnyObject, key: str, own: str, title: str, table: AnnotationTable, scope: Scope
    ) -> Iterator[Verdict]:
        """A key under the prefix of a table; `own` is the key as the table spells it."""
        spec = table.spec(own)
        if spec is None:
            if table.covers(own) and not _doubtful(item, table):
                yield from self._unknown(item, key, title, table, scope)
        elif spec.dropped:
            instead = f"write `{table.full_key(spec.successor)}` instead" if spec.successor else "remove it"
            yield Verdict(
                Reason.UNKNOWN_ANNOTATION,
                item,
                item.annotation_place(key).key(),
                f"{title} has not read `{key}` since {spec.dropped}; {consequence(key)}",
                Certainty.LIKELY,
                fix=instead,
            )
        elif scope not in spec.scopes:
            owner = self._owners.of(own)
            if owner is not None and not _doubtful(item, table):
                yield on_wrong_kind(item, key, owner, spec, Certainty.KNOWN)
        elif (wanted := _refused(item.annotations[key], spec)) and table.covers(own) and not _doubtful(item, table):
            yield _of_value(item, key, title, spec, wanted)

    def _unknown(
        self, item: AnyObject, key: str, title: str, table: AnnotationTable, scope: Scope, *, only_near: bool = False
    ) -> Iterator[Verdict]:
        near = table.nearest(key, scope)
        other = self._owners.having(key.partition("/")[2], table, scope)
        if near is None and (only_near or not (table.closed or other)):
            return
        meant, fix = "", "check the key against the controller's documentation"
        if near is not None:
            fix = f"did you mean `{near}`?"
        elif other is not None:
            meant = f", though {other.title} has `{other.table.full_key(key.partition('/')[2])}`"
        yield Verdict(
            Reason.UNKNOWN_ANNOTATION,
            item,
            item.annotation_place(key).key(),
            f"{title} knows no annotation `{key}`{meant}, so that it has no effect; {consequence(near or key)}",
            Certainty.LIKELY if only_near or not (near or other) else Certainty.KNOWN,
            fix=fix,
        )


def _refused(value: str, spec: AnnotationSpec) -> str | None:
    """What the controller takes instead, where it does not take a value that is really there."""
    wanted = spec.wanted(value)
    if wanted is None or not value.strip() or _NOT_RENDERED in value or is_placeholder(value):
        return None
    return wanted


def _of_value(item: AnyObject, key: str, title: str, spec: AnnotationSpec, wanted: str) -> Verdict:
    value = item.annotations[key]
    written = f"`{value}`" if len(value) <= 40 and "\n" not in value else "this text"
    return Verdict(
        Reason.UNKNOWN_ANNOTATION,
        item,
        item.annotation_place(key),
        f"`{key}` is {written}, and {title} takes {wanted}, so that it refuses or ignores the annotation; "
        f"{consequence(key)}",
        fix=_legal_value(value, spec, wanted),
    )


def _serving(routes: Iterable[Route]) -> Mapping[KubernetesObject[Service], dict[str, Route]]:
    """The controllers whose routes lead to each Service, each with the first of them."""
    found: defaultdict[KubernetesObject[Service], dict[str, Route]] = defaultdict(dict)
    for route in routes:
        for backend in route.all_backends:
            if backend.service.object is not None:
                found[backend.service.object].setdefault(route.controller.value, route)
    return found


def _settled(service: KubernetesObject[Service], serving: Mapping[str, Route]) -> bool:
    """Whether the manifests say which controllers lead to a Service, and none of them serves the Service itself."""
    return not any(route.assumed or route.owner is service for route in serving.values())


def _not_read(item: AnyObject, keys: Sequence[str], cause: str, certainty: Certainty, fix: str) -> Verdict:
    """One verdict for all annotations of one family."""
    first, *more = keys
    return Verdict(
        Reason.FOREIGN_ANNOTATION,
        item,
        item.annotation_place(first).key(),
        f"`{first}` has no effect on {item.kind} `{item.name}`: {cause}; {consequence(first)}",
        certainty,
        tuple((f"`{key}` neither", item.annotation_place(key).key()) for key in more),
        fix,
    )


def _is_gateway(name: str) -> bool:
    """Whether routes of this controller hang on Gateways; those of the Gateway API have their implementation's name."""
    return name in (GATEWAY_API, ISTIO) or name not in REGISTRY


def _is_unsure(name: str) -> bool:
    """Whether nobody knows which annotations of Services a controller reads."""
    return name == INGRESS or _is_gateway(name)


def _count(keys: Sequence[str]) -> str:
    return f" (with {len(keys) - 1} more)" if len(keys) > 1 else ""


def _legal_value(value: str, spec: AnnotationSpec, wanted: str) -> str:
    near = close_matches(value.strip().lower(), [item.lower() for item in spec.legal], 1, 0.6)
    if near:
        return f"did you mean `{next(item for item in spec.legal if item.lower() == near[0])}`?"
    digits = value.strip().rstrip("smhd")
    if spec.type is ValueType.INTEGER and whole(digits) is not None and digits != value.strip():
        return f"write the number alone, such as `{digits}`"
    return "write valid JSON" if spec.type is ValueType.JSON else f"write {wanted}"


def _misspelt(item: AnyObject, key: str, owner: Owner, meant: str) -> Verdict:
    return Verdict(
        Reason.UNKNOWN_ANNOTATION,
        item,
        item.annotation_place(key).key(),
        f"no controller reads `{key}`: {owner.title}'s annotation is `{meant}`, so that this one has no effect; "
        f"{consequence(meant)}",
        fix=f"did you mean `{meant}`?",
    )


def _doubtful(item: AnyObject, table: AnnotationTable) -> bool:
    """Whether another project is meant that reads annotations under the same prefixes."""
    return bool(table.namesakes) and _names_namesake(tuple(item.annotations), table.prefixes, table.namesakes)


@lru_cache(maxsize=16)
def _names_namesake(keys: Sequence[str], prefixes: Container[str], namesakes: Container[str]) -> bool:
    parts = (key.partition("/") for key in keys)
    return any(
        prefix in prefixes and (name in namesakes or f"{name.partition('.')[0]}.*" in namesakes)
        for prefix, _, name in parts
    )


def _twin(key: str, own: Iterable[str]) -> bool:
    """Whether the object says the same to its own controller."""
    name = key.partition("/")[2]
    return any(likeness(name, found.partition("/")[2]) >= _ALIKE for found in own)


def _fix(key: str, serving: Controller, item: AnyObject) -> str:
    name = key.partition("/")[2]
    scope = Scope.SERVICE if item.kind == "Service" else Scope.INGRESS
    spec = serving.annotations.specs.get(name)
    if spec is not None and scope in spec.scopes:
        return f"write `{serving.annotations.full_key(name)}`"
    if not serving.annotations.own_prefixes:
        return f"{serving.title} takes no such annotations: use its own objects"
    return f"use what {serving.title} has for it under `{serving.annotations.prefixes[0]}/`, or name the class that is meant"
