"""The objects stage: documents to typed objects, and every way they do not fit as a problem people understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import ValidationError, convert

from ingress_lint.load.document import Document, Place, Pointer, Problem, ProblemKind, SourceFile
from ingress_lint.load.unknown import is_unknown, unknown_values
from ingress_lint.objects.api_checks import check, check_labels
from ingress_lint.objects.foreign_kinds import is_client_side, is_manifest
from ingress_lint.objects.group_kind import group_kind
from ingress_lint.objects.kinds import CLUSTER_SCOPED, CONFIGURATION_FILES, model_of
from ingress_lint.objects.known_fields import unknown_fields
from ingress_lint.objects.model import AnyObject, KubernetesObject, Model, fields_of, pointer_in_text
from ingress_lint.objects.schema_messages import LEFT_OUT, REFUSED, SchemaError, as_text, describe, explain
from ingress_lint.objects.workloads import Workload
from ingress_lint.values.placeholders import occur_in

DEFAULT_NAMESPACE: Final = "default"
_MAX_REPAIRS: Final = 25
_EMPTY: Final[Mapping[str, str]] = {}


class ObjectReader:
    """Reads the documents of one set after another; `problems` collects what does not fit.

    `namespace` is that of objects which name none. Without it, those of a rendered chart live where the chart's other
    objects do, and all others in `default`.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self._given_namespace = namespace
        self._default_namespace = namespace or DEFAULT_NAMESPACE
        self._moved_to = ""
        self._last_file: SourceFile | None = None
        self._last_open = False
        self.problems: list[Problem] = []
        self.placeholders = 0
        """How many values of the objects read stand for others that are not known."""

    def read(self, documents: Iterable[Document], moved_to: str = "") -> Iterator[AnyObject]:
        """The objects of a set's documents, in order; the items of `List` kinds each on their own.

        `moved_to` is the namespace that the set's build moves all of them to, if any.
        """
        documents = [document for document in documents if document.value is not None]
        self._moved_to = moved_to
        self._default_namespace = self._given_namespace or _release_namespace(documents) or DEFAULT_NAMESPACE
        for document in documents:
            yield from self._objects(document, document.value, ())

    def _objects(self, document: Document, value: Any, base: Pointer) -> Iterator[AnyObject]:
        if not isinstance(value, dict):
            if base:
                self._report(document, base, f"an item of a List must be an object, and this is {describe(value)}")
            return
        api_version, kind = value.get("apiVersion"), value.get("kind")
        if not is_manifest(value):
            return
        if not isinstance(kind, str) or not isinstance(api_version, str):
            if "kind" in value and "apiVersion" in value:
                which = "kind" if not isinstance(kind, str) else "apiVersion"
                self._report(document, (*base, which), f"`{which}` must be text, and this is {describe(value[which])}")
            elif base or ("kind" in value and isinstance(value.get("metadata"), dict)):
                lacking = "apiVersion" if "kind" in value else "kind"
                self._report(
                    document, base, f"this object has no `{lacking}`, so the API server cannot tell what it is"
                )
            return
        if is_client_side(api_version, kind):
            return
        if kind.endswith("List") and isinstance(value.get("items"), list):
            of_core = api_version == "v1"
            for index, item in enumerate(value["items"]):
                if of_core or isinstance(item, dict):
                    yield from self._objects(document, _listed(item, api_version, kind), (*base, "items", index))
            return
        read = self._object(document, value, base, api_version, kind)
        if read is not None:
            yield read

    def _object(
        self, document: Document, value: dict[str, Any], base: Pointer, api_version: str, kind: str
    ) -> AnyObject | None:
        if document.template_language:
            return self._called(document, value, base, api_version, kind)
        metadata = value.get("metadata")
        if metadata is None and (api_version.rpartition("/")[0], kind) in CONFIGURATION_FILES:
            return KubernetesObject(api_version, kind, "", kind, _EMPTY, _EMPTY, document, base, None)
        if not isinstance(metadata, dict):
            if "metadata" in value or model_of(api_version, kind) is not None:
                found = "is missing" if metadata is None else f"must be a mapping, and this is {describe(metadata)}"
                self._report(
                    document, (*base, "metadata"), f"`metadata` of this {kind} {found}; without a name it cannot exist"
                )
            return None
        name = self._name(document, base, kind, metadata)
        if name is None:
            return None
        namespace = metadata.get("namespace")
        if namespace is not None and not isinstance(namespace, str):
            message = f"`namespace` must be text, and this is {describe(namespace)}{REFUSED}"
            self._report(document, (*base, "metadata", "namespace"), message, "put it in quotes")
            namespace = as_text(namespace)
        if group_kind(api_version, kind) in CLUSTER_SCOPED:
            namespace = ""
        elif self._moved_to:
            namespace = self._moved_to
        elif not namespace:
            namespace = self._default_namespace
        known = model_of(api_version, kind)
        model = known or (Workload if _has_pod_template(value) else None)
        reports = _Reports(self, document, base) if known is not None else None
        if known is not None and self._is_open(document.file):
            self.placeholders += sum(1 for _ in unknown_values(value, base))
        body, left_out = _validated(model, value, reports) if model is not None else (None, ())
        if reports is not None:
            for fault in _further_faults(api_version, kind, body, value):
                reports.add(fault, left_out)
        return KubernetesObject(
            api_version=api_version,
            kind=kind,
            namespace=namespace,
            name=name,
            labels=string_map(metadata.get("labels")),
            annotations=string_map(metadata.get("annotations")),
            document=document,
            base=base,
            body=body,
            broken=model is not None and body is None,
            left_out=left_out,
        )

    def _is_open(self, file: SourceFile) -> bool:
        """Whether it is worth looking for placeholders in the objects of a file; each is asked about in a row."""
        if file is not self._last_file:
            self._last_file, self._last_open = file, occur_in(file.text)
        return self._last_open

    def _called(
        self, document: Document, value: dict[str, Any], base: Pointer, api_version: str, kind: str
    ) -> AnyObject | None:
        """The object of a template: what it is called, and nothing more."""
        metadata = value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(metadata, dict) or not isinstance(name, str):
            return None
        namespace = self._moved_to or as_text(metadata.get("namespace")) or self._default_namespace
        if group_kind(api_version, kind) in CLUSTER_SCOPED:
            namespace = ""
        return KubernetesObject(api_version, kind, namespace, name, _EMPTY, _EMPTY, document, base, None, broken=True)

    def _name(self, document: Document, base: Pointer, kind: str, metadata: dict[str, Any]) -> str | None:
        name = metadata.get("name")
        if isinstance(name, str) and name:
            return name
        generated = metadata.get("generateName")
        if name is None and isinstance(generated, str):
            return generated
        found = "is missing" if name in (None, "") else f"must be text, and this is {describe(name)}"
        self._report(document, (*base, "metadata", "name"), f"`metadata.name` of this {kind} {found}{REFUSED}")
        return as_text(name) if isinstance(name, (bool, int, float)) else None

    def _report(self, document: Document, pointer: Pointer, message: str, fix: str = "", *, key: bool = False) -> None:
        place = Place(document, pointer, "key" if key else "auto")
        if is_unknown(place):
            return
        self.problems.append(Problem(ProblemKind.SCHEMA_VIOLATION, place, message, fix=fix))


class _Reports:
    """Passes the faults of one object on, each once."""

    def __init__(self, reader: ObjectReader, document: Document, base: Pointer) -> None:
        self._reader = reader
        self._document = document
        self._base = base
        self._known: set[tuple[Pointer, str]] = set()

    def _at(self, pointer: Pointer) -> Place:
        return Place(self._document, (*self._base, *pointer))

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
            self._reader._report(self._document, (*self._base, *pointer), fault.message, fault.fix, key=fault.at_key)
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
        for fault in explain(model, value, errors_of(model, value)):
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
    for field in ("labels", "annotations"):
        found = metadata.get(field)
        if found is not None and not isinstance(found, dict):
            message = f"`{field}` must be a mapping, and this is {describe(found)}{REFUSED}"
            yield SchemaError(("metadata", field), message, ())
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


def _release_namespace(documents: Iterable[Document]) -> str | None:
    """The namespace that most objects of a rendered chart name; helm puts those that name none there as well."""
    named: Counter[str] = Counter()
    for document in documents:
        if document.template and isinstance(document.value, dict):
            metadata = document.value.get("metadata")
            namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
            if isinstance(namespace, str) and namespace:
                named[namespace] += 1
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
    """A copy of `value` with `instead` where `pointer` leads, or without what is there; `value` if it leads nowhere."""
    if not pointer:
        return {}
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, dict) and isinstance(step, str) and (step in value or (not rest and instead is not LEFT_OUT)):
        if rest:
            return {**value, step: _repaired(value[step], rest, instead)}
        if instead is LEFT_OUT:
            return {key: item for key, item in value.items() if key != step}
        return {**value, step: instead}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        if rest:
            return [*value[:step], _repaired(value[step], rest, instead), *value[step + 1 :]]
        return [*value[:step], *([] if instead is LEFT_OUT else [instead]), *value[step + 1 :]]
    return value
