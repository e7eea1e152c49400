"""What every object has in common, and the base of the models that read its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from inspect import get_annotations
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, dataclass_transform

from msgspec import Meta, Struct, field
from msgspec.structs import FieldInfo, fields

from ingress_lint.load.document import Document, Place, Pointer
from ingress_lint.objects.group_kind import GroupKind, group_kind


def camel_case(name: str) -> str:
    """A field's name as Kubernetes writes it."""
    first, *more = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in more)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Model(Struct, frozen=True, gc=False, rename=camel_case):
    """A part of an object. Fields carry Kubernetes' names in snake case; fields the linter does not read are ignored.

    A model holds what a document says, which never leads back to it, so that nothing is left to the garbage collector.
    """


class ClosedModel(Model, forbid_unknown_fields=True):
    """A part whose fields are all listed here, so that any other field is a mistake."""


@cache
def fields_of(model: type[Model]) -> tuple[FieldInfo, ...]:
    """The fields of a model as they are defined, those of its bases first; `encode_name` is Kubernetes' name."""
    defined = [name for base in reversed(model.__mro__) for name in get_annotations(base)]
    order = {name: index for index, name in reversed([*enumerate(defined)])}
    return tuple(sorted(fields(model), key=lambda found: order[found.name]))


Item = TypeVar("Item")
Many = tuple[Item, ...]
"""A list in the manifest, immutable here."""
IntOrString = int | str
Port = Annotated[int, Meta(ge=1, le=65535)]

Body_co = TypeVar("Body_co", bound=Model, covariant=True)


class ObjectKey(NamedTuple):
    """What names an object within a set; `namespace` is empty for cluster-scoped kinds."""

    group: str
    kind: str
    namespace: str
    name: str


class KubernetesObject(Struct, Generic[Body_co], frozen=True, eq=False):
    """An object of a manifest: its identity and metadata, its place in a document, and its fields as `body`.

    `body` is None where the linter reads no more than the metadata of this kind, or where the object is `broken`: it
    does not fit its schema even with the offending fields left out.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    document: Document
    base: Pointer
    body: Body_co
    broken: bool = False
    left_out: tuple[Pointer, ...] = ()
    """The list items, in the order they were taken out, that `body` lacks because they do not fit."""
    not_text: tuple[Pointer, ...] = ()
    """The labels, annotations and terms of selectors that are written as something else than text."""
    created: str = ""
    """When it was made, as the API server wrote it in RFC 3339; empty for what never was in a cluster."""
    names_namespace: bool = False
    """Whether its namespace is written, and not the one where it happens to be applied."""

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def group_kind(self) -> GroupKind:
        """What it is: its kind, by the group that this kind is in today."""
        return group_kind(self.api_version, self.kind)

    @property
    def names_itself(self) -> bool:
        """Whether its name is written, and not left to the API server (`generateName`)."""
        return "name" in self.mapping("metadata")

    @property
    def assigned_addresses(self) -> Iterator[str]:
        """The addresses and names that the cluster gave it, as its status has them."""
        for pointer, name in ((("status",), "addresses"), (("status", "loadBalancer"), "ingress")):
            given = self.mapping(*pointer).get(name)
            for item in given if isinstance(given, list) else ():
                for key in ("value", "ip", "hostname"):
                    if isinstance(item, dict) and (found := item.get(key)):
                        yield str(found)

    def mapping(self, *pointer: str) -> Mapping[str, Any]:
        """The mapping that is written at a pointer, whether or not it fits; empty where there is none."""
        value = self.written(*pointer)
        return value if isinstance(value, dict) else {}

    def text(self, *pointer: str) -> str:
        """The text that is written at a pointer; empty where there is none."""
        value = self.written(*pointer)
        return value if isinstance(value, str) else ""

    def says_the_same(self, other: AnyObject) -> bool:
        """Whether both are written with the same fields and values."""
        return self.mapping() == other.mapping()

    def written(self, *pointer: str | int) -> Any:
        """The value that is written at a pointer, whether or not it fits; None where there is none."""
        value = self.document.whole()
        for step in self.base:
            value = value[step]
        for step in pointer:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    @property
    def key(self) -> ObjectKey:
        """What names this object within its set."""
        return ObjectKey(self.group, self.kind, self.namespace, self.name)

    def at(self, *pointer: str | int) -> Place:
        """The place of one of its fields, by the pointer into `body`."""
        if self.left_out:
            pointer = pointer_in_text(pointer, self.left_out)
        return Place(self.document, (*self.base, *pointer) if self.base else pointer)

    def annotation_place(self, key: str) -> Place:
        """The place of an annotation's value."""
        return self.at("metadata", "annotations", key)

    @property
    def name_place(self) -> Place:
        """Where its name stands."""
        return self.at("metadata", "name")

    def __str__(self) -> str:
        owner = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {owner}"


AnyObject = KubernetesObject[Any]


def pointer_in_text(pointer: Pointer, left_out: tuple[Pointer, ...]) -> Pointer:
    """Where a part stands in the text whose list items `left_out` are lacking in the value `pointer` leads into."""
    for *parent, index in reversed(left_out):
        depth = len(parent)
        if len(pointer) > depth and list(pointer[:depth]) == parent:
            step = pointer[depth]
            if isinstance(step, int) and isinstance(index, int) and step >= index:
                pointer = (*pointer[:depth], step + 1, *pointer[depth + 1 :])
    return pointer


class LabelSelectorRequirement(ClosedModel):
    """One expression of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Many[str] = ()


class LabelSelector(ClosedModel):
    """A label selector; without any term it selects everything."""

    match_labels: dict[str, Any] = field(default_factory=dict)
    match_expressions: Many[LabelSelectorRequirement] = ()
