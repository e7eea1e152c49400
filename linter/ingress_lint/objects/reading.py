"""The objects stage: documents to typed objects, and every way they do not fit as a problem people understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Any, Final

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import replace

from ingress_lint.load.document import Document, Place, Pointer, Problem, ProblemKind
from ingress_lint.load.unknown import is_unknown, may_be_unknown, unknown_values
from ingress_lint.objects.api_checks import check, check_labels
from ingress_lint.objects.foreign_kinds import is_client_side, is_manifest, is_patch
from ingress_lint.objects.group_kind import group_kind
from ingress_lint.objects.kinds import CLUSTER_SCOPED, CONFIGURATION_FILES, model_of
from ingress_lint.objects.known_fields import unknown_fields
from ingress_lint.objects.model import AnyObject, KubernetesObject, Model, fields_of, pointer_in_text
from ingress_lint.objects.schema_messages import LEFT_OUT, REFUSED, SchemaError, as_text, describe, explain
from ingress_lint.objects.texts import not_text
from ingress_lint.objects.workloads import Workload

DEFAULT_NAMESPACE: Final = "default"
_MAX_REPAIRS: Final = 25
_EMPTY: Final[Mapping[str, str]] = {}


class Reading(Struct, eq=False):
    """What one document holds, before it is known in which namespace the objects of its set live that name none."""

    objects: list[AnyObject] = field(default_factory=list)
    """In order, the items of `List` kinds each on their own."""
    namespaced: list[bool] = field(default_factory=list)
    """Of each, whether it lives in a namespace; that of one which names none is empty."""
    problems: list[Problem] = field(default_factory=list)
    placeholders: int = 0
    """How many values of its objects stand for others that are not known."""
    release_namespace: str = ""
    """The namespace that the document names, where helm rendered it."""


class ObjectReader:
    """Reads one set after another.

    `namespace` is that of objects which name none. Without it, those of a rendered chart live where the chart's other
    objects do, and all others in `default`.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self._given_namespace = namespace
        self._settled: dict[Reading, None] = {}

    @property
    def problems(self) -> list[Problem]:
        """The faults of all that was settled, each once."""
        return [problem for reading in self._settled for problem in reading.problems]

    @property
    def placeholders(self) -> int:
        """How many values of what was settled stand for others that are not known."""
        return sum(reading.placeholders for reading in self._settled)

    def read(self, documents: Iterable[Document], moved_to: str = "") -> list[AnyObject]:
        """The objects of a set's documents, in order."""
        return self.settle(map(read_document, documents), moved_to)

    def settle(self, readings: Iterable[Reading], moved_to: str = "", default: str = "") -> list[AnyObject]:
        """The objects of a set, in order, each in its namespace.

        `moved_to` is the namespace that the set's build moves all of them to, if any, and `default` the one that it gives
        to those which name none.
        """
        readings = list(readings)
        told = bool(moved_to or default)
        default = default or self._given_namespace or _release_namespace(readings) or DEFAULT_NAMESPACE
        found: list[AnyObject] = []
        for reading in readings:
            self._settled[reading] = None
            for item, namespaced in zip(reading.objects, reading.namespaced, strict=True):
                namespace = (moved_to or item.namespace or default) if namespaced else ""
                if item.namespace != namespace or (told and namespaced and not item.names_namespace):
                    named = told or item.names_namespace
                    found.append(replace(item, namespace=namespace, names_namespace=named))
                else:
                    found.append(item)
        return found


def read_document(document: Document) -> Reading:
    """The objects of a document, and every way they do not fit."""
    reader = _DocumentReader(document)
    if document.value is not None:
        reader.read()
    return reader.reading


class _DocumentReader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.reading = Reading()

    def read(self) -> None:
        """Reads everything."""
        document, value = self.document, self.document.value
        if document.template and isinstance(value, dict):
            metadata = value.get("metadata")
            namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
            self.reading.release_namespace = namespace if isinstance(namespace, str) else ""
        self._objects(value, ())

    def _objects(self, value: Any, base: Pointer) -> None:
        if not isinstance(value, dict):
            if base:
                self.report(base, f"an item of a List must be an object, and this is {describe(value)}")
            return
        api_version, kind = value.get("apiVersion"), value.get("kind")
        if not is_manifest(value):
            return
        if not isinstance(kind, str) or not isinstance(api_version, str):
            if "kind" in value and "apiVersion" in value and (base or "metadata" in value):
                which = "kind" if not isinstance(kind, str) else "apiVersion"
                self.report((*base, which), f"`{which}` must be text, and this is {describe(value[which])}")
            elif base or ("kind" in value and isinstance(value.get("metadata"), dict)):
                lacking = "apiVersion" if "kind" in value else "kind"
                self.report(base, f"this object has no `{lacking}`, so the API server cannot tell what it is")
            return
        if is_client_side(api_version, kind) or is_patch(api_version, kind, value):
            return
        if kind.endswith("List") and isinstance(value.get("items"), list):
            of_core = api_version == "v1"
            for index, item in enumerate(value["items"]):
                if of_core or isinstance(item, dict):
                    self._objects(_listed(item, api_version, kind), (*base, "items", index))
            return
        self._object(value, base, api_version, kind)

    def _object(self, value: dict[str, Any], base: Pointer, api_version: str, kind: str) -> None:
        if self.document.template_language:
            self._called(value, base, api_version, kind)
            return
        metadata = value.get("metadata")
        if metadata is None and (api_version.rpartition("/")[0], kind) in CONFIGURATION_FILES:
            item: AnyObject = KubernetesObject(
                api_version, kind, "", kind, _EMPTY, _EMPTY, self.document, base, None, not_text=not_text(value)
            )
            self._add(item, namespaced=False)
            return
        if not isinstance(metadata, dict):
            if "metadata" in value or model_of(api_version, kind) is not None:
                found = "is missing" if metadata is None else f"must be a mapping, and this is {describe(metadata)}"
                self.report((*base, "metadata"), f"`metadata` of this {kind} {found}; without a name it cannot exist")
            return
        name = self._name(base, kind, metadata)
        if name is None:
            return
        namespace = metadata.get("namespace")
        names_namespace = bool(namespace)
        if namespace is not None and not isinstance(namespace, str):
            message = f"`namespace` must be text, and this is {describe(namespace)}{REFUSED}"
            self.report((*base, "metadata", "namespace"), message, "put it in quotes")
            namespace = as_text(namespace)
        namespaced = group_kind(api_version, kind) not in CLUSTER_SCOPED
        known = model_of(api_version, kind)
        model = known or (Workload if _has_pod_template(value) else None)
        reports = _Reports(self, base) if known is not None else None
        if known is not None and may_be_unknown(self.document):
            self.reading.placeholders += sum(1 for _ in unknown_values(value, base))
        body, left_out = _validated(model, value, reports) if model is not None else (None, ())
        if reports is not None:
            for fault in _further_faults(api_version, kind, body, value):
                reports.add(fault, left_out)
        item = KubernetesObject(
            api_version=api_version,
            kind=kind,
            namespace=(namespace or "") if namespaced else "",
            name=name,
            labels=string_map(metadata.get("labels")),
            annotations=string_map(metadata.get("annotations")),
            document=self.document,
            base=base,
            body=body,
            broken=model is not None and body is None,
            left_out=left_out,
            not_text=not_text(value, known=known is not None),
            created=str(metadata.get("creationTimestamp") or ""),
            names_namespace=names_namespace,
        )
        self._add(item, namespaced=namespaced)

    def _add(self, item: AnyObject, *, namespaced: bool) -> None:
        self.reading.objects.append(item)
        self.reading.namespaced.append(namespaced)

    def _called(self, value: dict[str, Any], base: Pointer, api_version: str, kind: str) -> None:
        """Adds the object of a template: what it is called, and nothing more."""
        metadata = value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(metadata, dict) or not isinstance(name, str):
            return
        namespaced = group_kind(api_version, kind) not in CLUSTER_SCOPED
        namespace = as_text(metadata.get("namespace")) if namespaced else ""
        item: AnyObject = KubernetesObject(
            api_version, kind, namespace, name, _EMPTY, _EMPTY, self.document, base, None, broken=True
        )
        self._add(item, namespaced=namespaced)

    def _name(self, base: Pointer, kind: str, metadata: dict[str, Any]) -> str | None:
        name = metadata.get("name")
        if isinstance(name, str) and name:
            return name
        generated = metadata.get("generateName")
        if name is None and isinstance(generated, str):
            return generated
        found = "is missing" if name in (None, "") else f"must be text, and this is {describe(name)}"
        self.report((*base, "metadata", "name"), f"`metadata.name` of this {kind} {found}{REFUSED}")
        return as_text(name) if isinstance(name, (bool, int, float)) else None

    def report(self, pointer: Pointer, message: str, fix: str = "", *, key: bool = False) -> None:
        """Adds a problem, unless what stands there is not known."""
        place = Place(self.document, pointer, "key" if key else "auto")
        if not is_unknown(place):
            self.reading.problems.append(Problem(ProblemKind.SCHEMA_VIOLATION, place, message, fix=fix))


class _Reports:
    """Passes the faults of one object on, each once."""

    def __init__(self, reader: _DocumentReader, base: Pointer) -> None:
        self._reader = reader
        self._base = base
        self._known: set[tuple[Pointer, str]] = set()

    def _at(self, pointer: Pointer) -> Place:
        return Place(self._reader.document, (*self._base, *pointer))

    def add(self, fault: SchemaError, left_out: tuple[Pointer, ...]) -> bool:
        """Reports a fault whose pointer leads into the value without the list items `left_out`.

        False where it is none, since the value is not known.
        """
        pointer = pointer_in_text(fault.pointer, left_out)
        if fault.absent and is_unknown(self._at(pointer_in_text(fault.absent, left_out))):
            return False
        if is_unknown(self._at(pointer)):
            return False
        if fault.message and (pointer, fault.message) not in self._known:
            self._known.add((pointer, fault.message))
            self._reader.report((*self._base, *pointer), fault.message, fault.fix, key=fault.at_key)
        return True


def _validated(
    model: type[Model], value: dict[str, Any], reports: _Reports | None
) -> tuple[Model | None, tuple[Pointer, ...]]:
    """The typed body, and the list items it lacks because they do not fit; no body where too little remains."""
    if not isinstance(value.get("spec", {}), dict) and any(field.encode_name == "spec" for field in fields_of(model)):
        if reports is not None:
            message = f"`spec` must be a mapping, and this is {describe(value['spec'])}{REFUSED}"
            reports.add(SchemaError(("spec",), message, ()), ())
        return None, ()
    try:
        return convert(value, model), ()
    except ValidationError:
        value = _without_nulls(value)
    left_out: tuple[Pointer, ...] = ()
    for _ in range(_MAX_REPAIRS):
        try:
            return convert(value, model), left_out
        except ValidationError:
            from ingress_lint.objects.error_models import errors_of  # with pydantic, which right manifests do without
        before = left_out
        for fault in list(explain(model, value, errors_of(model, value))):
            if reports is not None and not reports.add(fault, before) and _takes_an_item(fault):
                return None, ()  # of an item that is there, nothing could be said
            value = _repaired(value, fault.repair, fault.instead)
            if _takes_an_item(fault):
                left_out = (*left_out, fault.repair)
    return None, left_out


def _takes_an_item(fault: SchemaError) -> bool:
    """Whether what repairs a fault leaves an item of a list out."""
    return fault.instead is LEFT_OUT and bool(fault.repair) and isinstance(fault.repair[-1], int)


def _further_faults(api_version: str, kind: str, body: Model | None, value: dict[str, Any]) -> Iterator[SchemaError]:
    yield from unknown_fields(api_version, kind, value)
    metadata = value["metadata"]
    for name in ("labels", "annotations"):
        found = metadata.get(name)
        if found is not None and not isinstance(found, dict):
            message = f"`{name}` must be a mapping, and this is {describe(found)}{REFUSED}"
            yield SchemaError(("metadata", name), message, ())
    if isinstance(metadata.get("labels"), dict):
        yield from check_labels(("metadata", "labels"), metadata["labels"])
    if body is not None:
        yield from check(api_version, body, value)


def _listed(item: Any, api_version: str, kind: str) -> Any:
    """An item of a list; a `ServiceList` says for its items what they are (apimachinery: unstructuredJSONScheme)."""
    if kind == "List" or not isinstance(item, dict) or "kind" in item or "apiVersion" in item:
        return item
    return {"apiVersion": api_version, "kind": kind.removesuffix("List"), **item}


def string_map(value: Any) -> Mapping[str, str]:
    """Labels or annotations; a value that is no text, which the API server refuses, becomes the text it stands for."""
    if not isinstance(value, dict):
        return _EMPTY
    for item in value.values():
        if not isinstance(item, str):
            return {key: as_text(item) for key, item in value.items()}
    return value


def _release_namespace(readings: Iterable[Reading]) -> str | None:
    """The namespace that most objects of a rendered chart name; helm puts those that name none there as well."""
    named = Counter(reading.release_namespace for reading in readings if reading.release_namespace)
    return max(named, key=lambda namespace: (named[namespace], namespace)) if named else None


def _has_pod_template(value: dict[str, Any]) -> bool:
    spec = value.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    pod = template.get("spec") if isinstance(template, dict) else None
    return isinstance(pod, dict) and isinstance(pod.get("containers"), list)


def _without_nulls(value: Any) -> Any:
    """`value` without the mapping entries that are null, which Kubernetes reads as absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _repaired(value: Any, pointer: Pointer, instead: Any) -> Any:
    """`value` with `instead` where `pointer` leads, or without what is there; as it is where it leads nowhere."""
    if not pointer:
        return {}
    inner = value
    for step in pointer[:-1]:
        if not _holds(inner, step):
            return value
        inner = inner[step]
    last = pointer[-1]
    if _holds(inner, last) or (isinstance(inner, dict) and isinstance(last, str) and instead is not LEFT_OUT):
        if instead is LEFT_OUT:
            del inner[last]
        else:
            inner[last] = copy(instead)
    return value


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return isinstance(step, str) and step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)
