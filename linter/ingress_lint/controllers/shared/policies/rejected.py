"""What makes a controller reject a policy that is there: a value, or a reference within it that leads nowhere.

A controller lists the fields in tables: where a field stands in `spec`, and why what is written there will not do. Values
that nobody can know from the manifests are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.shared.references import Reference, References, Site
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place, Pointer
from ingress_lint.load.unknown import is_unknown
from ingress_lint.objects.core import ConfigMap, Secret, Service
from ingress_lint.objects.group_kind import CONFIG_MAP, SECRET, SERVICE, GroupKind
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Fate, Reason, Verdict
from ingress_lint.values.numbers import whole

EACH: Final = "*"
"""Stands in a path for every item of a list."""
_LONGEST: Final = 60
Path = tuple[str, ...]


class Value(Struct, frozen=True):
    """A field below `spec`, and why its value will not do, None where it will.

    The words follow "is `VALUE`, ", or the name of the field where its value is too large to be shown.
    """

    path: Path
    fault: Callable[[Any], str | None]
    fix: str = ""


class Inner(Struct, frozen=True):
    """A field below `spec` that refers to another object."""

    path: Path
    kind: GroupKind | None = None
    """What it leads to, whatever group the reference gives; None where that says so itself, and means a Service where it
    does not."""
    keys: tuple[str, ...] = ()
    """Of these keys of a Secret or ConfigMap it must have one."""
    any_key: bool = False
    """Whether any other key does as well."""


class Refused(Struct, frozen=True):
    """By whom policies are rejected, and what that does to the requests of the routes that they are for."""

    by: str
    condition: str
    """What their status says, such as `Accepted: False, reason Invalid`."""
    consequence: str
    """What clients see."""
    fate: Fate = Fate.GOES_ON
    status: int | None = None

    def verdict(
        self,
        item: AnyObject,
        place: Place,
        what: str,
        *,
        related: tuple[tuple[str, Place], ...] = (),
        fix: str = "",
    ) -> Verdict:
        """The verdict on an object, for what is said of the field at `place`."""
        message = f"{what}; {self.by} rejects the {item.kind} ({self.condition}), so that {self.consequence}"
        return Verdict(
            Reason.INVALID, item, place, message, related=related, fix=fix, fate=self.fate, status=self.status
        )


def spec(item: AnyObject) -> Place:
    """Where the `spec` of an object stands."""
    return Place(item.document, (*item.base, "spec"))


def occurrences(start: Place, path: Path) -> Iterator[tuple[Place, Any]]:
    """Where the part at a place has a field, and what is written there, as far as that is known."""
    value: Any = start.document.whole()
    for at in start.pointer:
        try:
            value = value[at]
        except (KeyError, IndexError, TypeError):
            return
    found: list[tuple[Pointer, Any]] = [(start.pointer, value)]
    for step in path:
        if step == EACH:
            found = [
                ((*at, index), inner)
                for at, value in found
                if isinstance(value, list)
                for index, inner in enumerate(value)
            ]
        else:
            found = [((*at, step), value[step]) for at, value in found if isinstance(value, dict) and step in value]
    for pointer, value in found:
        place = Place(start.document, pointer)
        if value is not None and not is_unknown(place, parts=True):
            yield place, value


def wrong_values(
    item: AnyObject, table: Iterable[Value], refused: Refused, start: Place | None = None
) -> Iterator[Verdict]:
    """The values that make a controller reject an object; the paths lead from `start`, its `spec` unless told otherwise."""
    for field in table:
        for place, value in occurrences(start or spec(item), field.path):
            why = field.fault(value)
            if why is not None:
                what = f"`{dotted(place)}` of {item.kind} `{item.name}` {_is(value)}{why}"
                yield refused.verdict(item, place, what, fix=field.fix)


class InnerReferences:
    """Follows the references within the policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._references = References(graph)

    def broken(self, item: AnyObject, table: Iterable[Inner], refused: Refused) -> Iterator[Verdict]:
        """The references of an object that lead nowhere, or where they may not."""
        for inner in table:
            for place, written in occurrences(spec(item), inner.path):
                reference = _reference(written, inner.kind)
                if reference is not None:
                    yield from self._of(item, place, reference, written, inner, refused)

    def _of(
        self,
        item: AnyObject,
        place: Place,
        reference: Reference,
        written: Mapping[str, Any],
        inner: Inner,
        refused: Refused,
    ) -> Iterator[Verdict]:
        forbidden = self._references.refusal(Site(item, place), reference, reference.kind, refused.consequence)
        if forbidden is not None:
            yield _with_fate(forbidden, refused)
            return
        namespace = reference.namespace or item.namespace
        resolution = self._graph.resolve(reference.group_kind, namespace, reference.name)
        what = f"{item.kind} `{item.name}` refers to {reference.kind} `{reference.name}` in `{dotted(place)}`, "
        if resolution.existence is Existence.MISSING:
            yield refused.verdict(
                item,
                place.at("name"),
                f"{what}which namespace `{namespace}` does not have",
                fix=f"create {reference.kind} `{reference.name}`, or name one that exists",
            )
            return
        found = resolution.object
        fault = _content_fault(found, written, inner) if found is not None else None
        if found is not None and fault is not None:
            yield refused.verdict(
                item,
                place.at("port") if reference.group_kind == SERVICE else place.at("name"),
                f"{what}which {fault}",
                related=((f"{reference.kind} `{found.name}`", found.name_place),),
                fix=f"add that to {reference.kind} `{reference.name}`, or name another one",
            )


def dotted(place: Place) -> str:
    """A field below `spec` in words: `jwt.providers[0].issuer`."""
    text = ""
    for step in place.pointer[place.pointer.index("spec") + 1 :]:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _with_fate(verdict: Verdict, refused: Refused) -> Verdict:
    return replace(verdict, fate=refused.fate, status=refused.status)


def _reference(written: Any, kind: GroupKind | None) -> Reference | None:
    """A reference as it is written; None where it is none that could be read."""
    if not isinstance(written, dict):
        return None
    name, namespace = written.get("name"), written.get("namespace")
    group, own = written.get("group") or "", written.get("kind") or (kind or SERVICE).kind
    if not all(isinstance(text, str) for text in (name, group, own, namespace or "")):
        return None
    if kind is not None and own != kind.kind:
        return None
    return Reference(kind.group if kind else group, own, str(name), namespace)


def _content_fault(found: AnyObject, written: Mapping[str, Any], inner: Inner) -> str | None:
    """What the object that a reference leads to lacks, in words that follow "which"."""
    body = found.body
    if isinstance(body, Service):
        number = whole(str(written.get("port") or ""))
        if body.spec.type == "ExternalName" or any(port.port == number for port in body.spec.ports):
            return None
        return f"has no port {number}" if number is not None else None
    if found.group_kind not in (SECRET, CONFIG_MAP) or not inner.keys:
        return None
    if isinstance(body, Secret):
        if body.sops is not None:
            return None
        held = {**body.data, **body.string_data}
    elif isinstance(body, ConfigMap):
        held = body.data
    else:
        return None
    if any(key in held for key in inner.keys) or (inner.any_key and held):
        return None
    return f"has no key {' or '.join(f'`{key}`' for key in inner.keys)}"


def _is(value: Any) -> str:
    """What is said of a value that can be shown, before what is wrong with it."""
    if value == "":
        return "is empty, "
    text = str(value)
    if isinstance(value, dict | list) or len(text) > _LONGEST:
        return ""
    return f"is `{text}`, "
