"""Where Kubernetes takes nothing but text: labels, annotations, node selectors, and the labels that are selected by."""

from __future__ import annotations

from typing import Any, Final

from ingress_lint.load.document import Pointer

_TEMPLATE: Final[Pointer] = ("spec", "template")
_JOB: Final[Pointer] = ("spec", "jobTemplate", "spec", "template")
_SELECTOR_FIELDS: Final = frozenset({"matchLabels", "matchExpressions"})


def not_text(value: dict[str, Any], *, known: bool = True) -> tuple[Pointer, ...]:
    """The pointers to what an object has there and is a boolean, a number, nothing or a collection instead.

    Of a kind that is not `known` only labels and annotations are looked at, which every object has; what its `selector`
    or `nodeSelector` takes is for the schema of the kind to say.
    """
    found: list[Pointer] = []
    if not known:
        _add_of_metadata(found, value.get("metadata"), ())
        return tuple(found)
    spec = value.get("spec")
    _add_of_pod(found, value, ())
    if isinstance(spec, dict):
        _add_of_pod(found, spec.get("template"), _TEMPLATE)
        job = spec.get("jobTemplate")
        job_spec = job.get("spec") if isinstance(job, dict) else None
        if isinstance(job_spec, dict):
            _add_of_pod(found, job_spec.get("template"), _JOB)
        for field in ("selector", "podSelector"):
            selector = spec.get(field)
            if isinstance(selector, dict):
                if "matchLabels" in selector:
                    _add_of_selector(found, selector["matchLabels"], ("spec", field, "matchLabels"))
                elif field == "selector":
                    _add_of_selector(found, selector, ("spec", field))
    return tuple(found)


def _add_of_pod(found: list[Pointer], pod: Any, pointer: Pointer) -> None:
    """Looks at an object, or at the template of its pods."""
    if isinstance(pod, dict):
        metadata, spec = pod.get("metadata"), pod.get("spec")
        _add_of_metadata(found, metadata, pointer)
        if isinstance(spec, dict):
            _add(found, spec.get("nodeSelector"), pointer, "spec", "nodeSelector")


def _add_of_metadata(found: list[Pointer], metadata: Any, pointer: Pointer) -> None:
    if isinstance(metadata, dict):
        _add(found, metadata.get("labels"), pointer, "metadata", "labels")
        _add(found, metadata.get("annotations"), pointer, "metadata", "annotations")


def _add_of_selector(found: list[Pointer], selector: Any, pointer: Pointer) -> None:
    """Looks at the labels that something is selected by; a selector with expressions has them a level further down."""
    if isinstance(selector, dict) and _SELECTOR_FIELDS.isdisjoint(selector):
        _add(found, selector, pointer)


def _add(found: list[Pointer], texts: Any, pointer: Pointer, *fields: str) -> None:
    if isinstance(texts, dict):
        for key, text in texts.items():
            if not isinstance(text, str):
                found.append((*pointer, *fields, key))
