"""The generators of ApplicationSets, as far as the repository answers them: parameters, one mapping for each Application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ingress_lint.units.argo_cd.functions import TemplateError, normalized, printed
from ingress_lint.units.argo_cd.reading import completed, items, mapping, text
from ingress_lint.units.argo_cd.repository_files import Files
from ingress_lint.units.argo_cd.templates import filled, filler
from ingress_lint.values.globs import PatternError

MOST: Final = 20_000
"""How many Applications one ApplicationSet may make here."""
_MOST_LOOKED_AT: Final = 10 * MOST
"""How many sets of parameters are made on the way."""
_ASKS: Final = {
    "clusterDecisionResource": "the decisions of a live cluster",
    "clusters": "which clusters Argo CD knows",
    "plugin": "a plugin",
    "pullRequest": "a forge for pull requests",
    "scmProvider": "a forge for repositories",
}
_NOT_GENERATORS: Final = frozenset({"selector"})

Params = dict[str, Any]


class UnexpandableError(Exception):
    """An ApplicationSet, or a generator of one, that cannot be expanded here; the message says why."""


class Generators:
    """Answers the generators of one ApplicationSet. `here` tells whether a repository and revision are the files at hand."""

    def __init__(self, files: Files, here: Callable[[str, str], str], *, go: bool, strict: bool) -> None:
        self._files = files
        self._not_here = here
        self._go = go
        self._strict = strict
        self._looked_at = 0

    def parameters(self, generator: Any) -> Iterator[tuple[Params, Mapping[str, Any]]]:
        """The parameters of a generator, each with the template that it overrides parts of the ApplicationSet's with.

        A generator is answered as argoproj/argo-cd:applicationset/generators/generator_spec_processor.go does, where its
        `selector` chooses among what it gives. Raises `UnexpandableError`.
        """
        try:
            for kind, value in _kinds(generator):
                for params in self._selected(kind, value, generator):
                    yield params, mapping(value, "template")
        except (TemplateError, PatternError) as error:
            raise UnexpandableError(f"{error}") from None

    def _selected(self, kind: str, value: Any, generator: Any) -> list[Params]:
        found = self._answered(kind, value)
        self._looked_at += len(found) + 1
        if len(found) > MOST or self._looked_at > _MOST_LOOKED_AT:
            raise UnexpandableError(f"it makes more than {MOST} Applications")
        selector = generator.get("selector")
        return [params for params in found if selector is None or _fits(params, selector)]

    def _answered(self, kind: str, value: Any) -> list[Params]:
        if kind == "list":
            return self._list(value)
        if kind == "git":
            return self._git(value)
        if kind == "matrix":
            return self._matrix(items(value, "generators"))
        if kind == "merge":
            return self._merge(items(value, "generators"), items(value, "mergeKeys"))
        if kind in _ASKS:
            raise UnexpandableError(f"its generator asks {_ASKS[kind]}")
        raise UnexpandableError(f"its generator `{kind}` is not known here")

    def _list(self, value: Any) -> list[Params]:
        """argoproj/argo-cd:applicationset/generators/list.go."""
        elements = items(value, "elements")
        found = [element if self._go else _flat_element(element) for element in elements if isinstance(element, dict)]
        if text(value, "elementsYaml"):
            more = self._files.value_of(text(value, "elementsYaml"))
            if not isinstance(more, list):
                raise UnexpandableError("its `elementsYaml` is no list")
            found += (element for element in more if isinstance(element, dict))
        return found

    def _git(self, value: Any) -> list[Params]:
        """argoproj/argo-cd:applicationset/generators/git.go."""
        why = self._not_here(text(value, "repoURL"), text(value, "revision"))
        if why:
            raise UnexpandableError(f"its git generator reads {why}")
        directories, files = items(value, "directories"), items(value, "files")
        wanted = [text(item, "path") for item in directories or files if not mapping(item).get("exclude")]
        unwanted = [text(item, "path") for item in directories or files if mapping(item).get("exclude")]
        prefix = text(value, "pathParamPrefix")
        found: list[Params] = []
        if directories:
            for path in self._files.folders(wanted, unwanted):
                found.append(self._located({}, path, "", prefix))
        else:
            for path in self._files.files(wanted, unwanted):
                folder, _, name = path.rpartition("/")
                for content in self._contents(path):
                    found.append(self._located(content, folder or ".", name, prefix))
                    if len(found) > MOST:
                        break
        return [self._with_values(params, mapping(value, "values")) for params in found]

    def _contents(self, path: str) -> list[Params]:
        content = self._files.content(path)
        several = content if isinstance(content, list) else [{} if content is None else content]
        if not all(isinstance(one, dict) for one in several):
            raise UnexpandableError(f"its file {path} holds no mapping")
        return several

    def _located(self, content: Params, folder: str, name: str, prefix: str) -> Params:
        """The parameters of a file's content with those of its path, or those of a folder."""
        base = folder.rpartition("/")[2]
        about = {"path": folder, "basename": base, "basenameNormalized": normalized(base)}
        if name:
            about |= {"filename": name, "filenameNormalized": normalized(name)}
        segments = folder.split("/")
        if self._go:
            path = {**about, "segments": segments}
            return {**content, **({prefix: {"path": path}} if prefix else {"path": path})}
        key = f"{prefix}.path" if prefix else "path"
        flat: Params = {name: printed(item) for name, item in _flattened(content)}
        flat[key] = about.pop("path")
        flat |= {f"{key}.{part}": item for part, item in about.items()}
        flat |= {f"{key}[{index}]": segment for index, segment in enumerate(segments)}
        return flat

    def _with_values(self, params: Params, values: Mapping[str, Any]) -> Params:
        """Parameters with the generator's own `values`, which may name them (value_interpolation.go)."""
        if not values:
            return params
        given = filled(dict(values), filler(params, go=self._go, strict=self._strict))
        own = {key: printed(item) for key, item in given.items()}
        return {**params, "values": own} if self._go else params | {f"values.{key}": item for key, item in own.items()}

    def _matrix(self, generators: Sequence[Any]) -> list[Params]:
        """Each of the first with each of the second, whose texts may name parameters of the first (matrix.go)."""
        if len(generators) != 2:
            raise UnexpandableError("its matrix has not two generators")
        first, second = generators
        found: list[Params] = []
        for one in self._nested(first):
            for other in self._nested(self._interpolated(second, one)):
                found.append(completed(one, other) if self._go else _combined(one, other))
                if len(found) > MOST:
                    return found
        return found

    def _interpolated(self, generator: Any, params: Params) -> Any:
        if not params:
            return generator
        fill = filler(params, go=self._go, strict=True)

        def fill_known(template: str) -> str:
            try:
                return fill(template)
            except TemplateError:
                return template

        kept = {key: value for key, value in mapping(generator).items() if key in _NOT_GENERATORS}
        result = {key: filled(value, fill) for key, value in mapping(generator).items() if key in kept}
        for key, value in mapping(generator).items():
            if key in kept:
                continue
            own = mapping(value)
            result[key] = filled({name: item for name, item in own.items() if name not in ("template", "values")}, fill)
            if "values" in own:
                result[key]["values"] = filled(own["values"], fill_known)
        return result

    def _merge(self, generators: Sequence[Any], keys: Sequence[Any]) -> list[Params]:
        """The first with what the others give for the same keys (merge.go)."""
        if len(generators) < 2 or not keys:
            raise UnexpandableError("its merge has not two generators and a key")
        base, *others = [self._by_keys(self._nested(generator), keys) for generator in generators]
        for other in others:
            for key, params in other.items():
                if key in base:
                    base[key] = completed(params, base[key]) if self._go else {**base[key], **params}
        return list(base.values())

    def _by_keys(self, several: Sequence[Params], keys: Sequence[Any]) -> dict[str, Params]:
        found: dict[str, Params] = {}
        for params in several:
            key = json.dumps([params.get(name) if isinstance(name, str) else None for name in keys], default=str)
            if key in found:
                raise UnexpandableError("its merge has two sets of parameters with the same keys")
            found[key] = params
        return found

    def _nested(self, generator: Any) -> list[Params]:
        kinds = list(_kinds(generator))
        if len(kinds) != 1:
            raise UnexpandableError("a generator within its matrix or merge is not one generator")
        ((kind, value),) = kinds
        return self._selected(kind, value, generator)


def _kinds(generator: Any) -> Iterator[tuple[str, Any]]:
    found = mapping(generator)
    for key, value in found.items():
        if key not in _NOT_GENERATORS and value is not None:
            yield key, value


def _flat_element(element: Params) -> Params:
    flat: Params = {}
    for key, value in element.items():
        if key == "values" and isinstance(value, dict):
            flat |= {f"values.{name}": item for name, item in value.items()}
        else:
            flat[key] = value
    if not all(isinstance(value, str) for value in flat.values()):
        raise UnexpandableError("an element of its list is no text, which only Go templates take")
    return flat


def _combined(one: Params, other: Params) -> Params:
    first, second = ({key: printed(value) for key, value in params.items()} for params in (one, other))
    if any(first[key] != second[key] for key in first.keys() & second.keys()):
        raise UnexpandableError("the two generators of its matrix give one parameter different values")
    return first | second


def _flattened(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The scalars in a value by their way there, keys and indices with dots between (jeremywohl/flatten)."""
    waiting = [(path, value)]
    while waiting:
        at, found = waiting.pop()
        if isinstance(found, dict) and found:
            waiting += ((f"{at}.{key}" if at else str(key), item) for key, item in found.items())
        elif isinstance(found, list) and found:
            waiting += ((f"{at}.{index}" if at else str(index), item) for index, item in enumerate(found))
        elif at:
            yield at, found


def _fits(params: Params, selector: Any) -> bool:
    """Whether a label selector chooses parameters, which are labels once they are flattened (utils/selector.go)."""
    labels = {key: printed(value) for key, value in _flattened(params)}
    wanted = mapping(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_fits_expression(labels, expression) for expression in items(selector, "matchExpressions"))


def _fits_expression(labels: Mapping[str, str], expression: Any) -> bool:
    key, operator = text(expression, "key"), text(expression, "operator")
    among = labels.get(key) in items(expression, "values")
    known = {
        "In": key in labels and among,
        "NotIn": not among,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    if operator not in known:
        raise UnexpandableError(f"its selector has the operator `{operator}`")
    return known[operator]
