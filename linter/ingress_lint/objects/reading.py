"""The objects stage: documents to typed objects, and every way they do not fit as a problem people understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from ingress_lint.load.document import Document, Place, Pointer, Problem, ProblemKind
from ingress_lint.objects.kinds import CLUSTER_SCOPED, model_of
from ingress_lint.objects.model import AnyObject, KubernetesObject, Model
from ingress_lint.objects.schema_messages import SchemaError, as_text, describe, explain
from ingress_lint.objects.workloads import Workload

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
        self.problems: list[Problem] = []

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
        if not isinstance(kind, str) or not isinstance(api_version, str):
            if "kind" in value and "apiVersion" in value:
                which = "kind" if not isinstance(kind, str) else "apiVersion"
                self._report(document, (*base, which), f"`{which}` must be text, and this is {describe(value[which])}")
            elif base or ("kind" in value and ("metadata" in value or "spec" in value)):
                lacking = "apiVersion" if "kind" in value else "kind"
                self._report(
                    document, base, f"this object has no `{lacking}`, so the API server cannot tell what it is"
                )
            return
        if kind.endswith("List") and isinstance(value.get("items"), list):
            for index, item in enumerate(value["items"]):
                yield from self._objects(document, item, (*base, "items", index))
            return
        read = self._object(document, value, base, api_version, kind)
        if read is not None:
            yield read

    def _object(
        self, document: Document, value: dict[str, Any], base: Pointer, api_version: str, kind: str
    ) -> AnyObject | None:
        metadata = value.get("metadata")
        if not isinstance(metadata, dict):
            if "metadata" in value or model_of(api_version, kind) is not None:
                found = "is missing" if metadata is None else f"must be a mapping, and this is {describe(metadata)}"
                self._report(
                    document, (*base, "metadata"), f"`metadata` of this {kind} {found}; without a name it cannot exist"
                )
            return None
        name = metadata.get("name")
        if not isinstance(name, str) or not name:
            if not isinstance(metadata.get("generateName"), str):
                found = "is missing" if name is None else f"must be text, and this is {describe(name)}"
                self._report(document, (*base, "metadata", "name"), f"`metadata.name` of this {kind} {found}")
                return None
            name = metadata["generateName"]
        namespace = metadata.get("namespace")
        if kind in CLUSTER_SCOPED:
            namespace = ""
        elif self._moved_to:
            namespace = self._moved_to
        elif not isinstance(namespace, str) or not namespace:
            namespace = self._default_namespace
        model = model_of(api_version, kind) or (Workload if _has_pod_template(value) else None)
        body = self._validate(model, document, value, base) if model is not None else None
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
        )

    def _validate(self, model: type[Model], document: Document, value: dict[str, Any], base: Pointer) -> Model | None:
        """The typed body; fields that do not fit are reported and left out, None where too little remains."""
        try:
            return model.model_validate(value)
        except ValidationError:
            value = _without_nulls(value)
        reported: set[tuple[Pointer, str]] = set()
        for _ in range(_MAX_REPAIRS):
            try:
                return model.model_validate(value)
            except ValidationError as error:
                faults = explain(model, value, error)
            for fault in faults:
                self._report_fault(document, base, fault, reported)
                value = _without(value, fault.leave_out)
        return None

    def _report_fault(
        self, document: Document, base: Pointer, fault: SchemaError, reported: set[tuple[Pointer, str]]
    ) -> None:
        if (fault.pointer, fault.message) not in reported:
            reported.add((fault.pointer, fault.message))
            self._report(document, (*base, *fault.pointer), fault.message, fault.fix, key=fault.at_key)

    def _report(self, document: Document, pointer: Pointer, message: str, fix: str = "", *, key: bool = False) -> None:
        place = Place(document, pointer, "key" if key else "auto")
        self.problems.append(Problem(ProblemKind.SCHEMA_VIOLATION, place, message, fix=fix))


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


def _without(value: Any, pointer: Pointer) -> Any:
    """A copy of `value` without what `pointer` leads to; `value` itself where it leads nowhere."""
    if not pointer:
        return {}
    step, *rest = pointer
    if isinstance(value, dict) and step in value:
        if not rest:
            return {key: item for key, item in value.items() if key != step}
        return {**value, step: _without(value[step], tuple(rest))}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        if not rest:
            return [*value[:step], *value[step + 1 :]]
        return [*value[:step], _without(value[step], tuple(rest)), *value[step + 1 :]]
    return value
