"""Applications as they are written, and those that ApplicationSets make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.load.document import Document, Pointer
from ingress_lint.units.argo_cd.functions import TemplateError
from ingress_lint.units.argo_cd.generators import MOST, Generators, Params, UnexpandableError
from ingress_lint.units.argo_cd.reading import completed, items, mapping, patched, text
from ingress_lint.units.argo_cd.repository_files import Files
from ingress_lint.units.argo_cd.templates import filled, filler

APPLICATION: Final = "Application"
APPLICATION_SET: Final = "ApplicationSet"
KINDS: Final = (APPLICATION, APPLICATION_SET)
GROUP: Final = "argoproj.io/"
_UNFILLED: Final = "{{"


class Source(Struct, frozen=True):
    """One source of an Application, and where its document has it."""

    value: Mapping[str, Any]
    pointer: Pointer


def sources_of(spec: Mapping[str, Any], pointer: Pointer = ()) -> list[Source]:
    """The sources of a spec; `sources` stand in for `source` (argoproj/argo-cd:pkg/apis/application/v1alpha1/types.go)."""
    several = items(spec, "sources")
    if several:
        return [Source(mapping(one), (*pointer, "sources", index)) for index, one in enumerate(several)]
    if isinstance(spec.get("sourceHydrator"), dict):
        dry = mapping(spec, "sourceHydrator", "drySource")
        return [Source(dry, (*pointer, "sourceHydrator", "drySource"))]
    return [Source(mapping(spec, "source"), (*pointer, "source"))]


class Application(Struct, frozen=True):
    """An Application. `document` is where it is written, or where the ApplicationSet is that makes it."""

    name: str
    namespace: str
    """As written; empty where it is not."""
    spec: Mapping[str, Any]
    document: Document
    pointer: Pointer = ("spec",)
    """Where the document has its spec."""

    @property
    def sources(self) -> list[Source]:
        """What it deploys."""
        return sources_of(self.spec, self.pointer)

    @property
    def references(self) -> dict[str, Source]:
        """The sources that others name in paths, as `$name`."""
        return {f"${name}": source for source in self.sources if (name := text(source.value, "ref"))}


class Unexpanded(Struct, frozen=True):
    """An ApplicationSet of which some generators cannot be answered here."""

    name: str
    namespace: str
    document: Document
    reason: str
    makes_in: str | None
    """The namespace that its Applications fill, None where that may be any."""


def is_deployer(value: Mapping[str, Any]) -> bool:
    """Whether an object is an Application or ApplicationSet of Argo CD, rather than of another group."""
    return str(value.get("apiVersion", "")).startswith(GROUP) and value.get("kind") in KINDS


NotHere = Callable[[str, str], str]
"""Says of a repository's address and a revision why they are not the files at hand; empty where they are."""


def applications(
    value: Mapping[str, Any], document: Document, files: Files, not_here: NotHere
) -> Iterator[Application | Unexpanded]:
    """What an Application or ApplicationSet stands for."""
    name, namespace = text(mapping(value, "metadata"), "name"), text(mapping(value, "metadata"), "namespace")
    spec = mapping(value, "spec")
    if value.get("kind") == APPLICATION:
        yield Application(name, namespace, spec, document)
        return
    made: dict[str, Application] = {}
    reasons: dict[str, None] = {}
    for generator in items(spec, "generators"):
        try:
            for application in _made(spec, generator, files, not_here, namespace, document):
                made.setdefault(application.name, application)
                if len(made) > MOST:
                    raise UnexpandableError(f"it makes more than {MOST} Applications")
        except UnexpandableError as error:
            reasons[str(error)] = None
    yield from made.values()
    if reasons:
        target = text(mapping(spec, "template", "spec", "destination"), "namespace")
        makes_in = target if target and _UNFILLED not in target else None
        yield Unexpanded(name, namespace, document, "; ".join(reasons), makes_in)


def _made(
    spec: Mapping[str, Any], generator: Any, files: Files, not_here: NotHere, namespace: str, document: Document
) -> Iterator[Application]:
    """The Applications of one generator (argoproj/argo-cd:applicationset/controllers/template/template.go)."""
    go = spec.get("goTemplate") is True
    strict = "missingkey=error" in items(spec, "goTemplateOptions")
    generators = Generators(files, not_here, go=go, strict=strict)
    bases: dict[int, dict[str, Any]] = {}
    patch = text(spec, "templatePatch")
    try:
        for params, override in generators.parameters(generator):
            if id(override) not in bases:
                bases[id(override)] = completed(override, mapping(spec, "template"))
            made = _rendered(bases[id(override)], params, go, strict)
            if patch:
                change = files.value_of(filler(params, go=go, strict=strict)(patch))
                if not isinstance(change, dict):
                    raise UnexpandableError("its templatePatch gives no mapping")
                made = patched(made, change)
            name = text(mapping(made, "metadata"), "name")
            yield Application(name, namespace, mapping(made, "spec"), document, ("spec", "template", "spec"))
    except TemplateError as error:
        raise UnexpandableError(f"its template is not filled in here: {error}") from None


def _rendered(template: dict[str, Any], params: Params, go: bool, strict: bool) -> dict[str, Any]:
    return mapping(filled(template, filler(params, go=go, strict=strict)) if params else template)
