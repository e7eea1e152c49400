"""What Argo CD gives to helm for a chart: values, parameters, the names of release and namespace.

In helm's order: the chart's own values, values files, `valuesObject` or else `values`, parameters
(argoproj/argo-cd:reposerver/repository/repository.go, helmTemplate; docs/user-guide/helm.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.helm import Release, Values, merged, read_values
from ingress_lint.build.sources import Sources
from ingress_lint.load.document import Document, Pointer
from ingress_lint.units.argo_cd.application import Application
from ingress_lint.units.argo_cd.reading import items, mapping, text
from ingress_lint.values.patterns import deferred

_SCHEME: Final = deferred(r"[a-z][a-z0-9+.-]*://", 0)
_WILD: Final = deferred(r"[*?\[]")
_STEP: Final = deferred(r"(?:[^.\\]|\\.)+")
_COMMA: Final = deferred(r"(?<!\\),")
_VARIABLE: Final = deferred(r"\$(?:\{(ARGOCD_\w+)\}|(ARGOCD_\w+))")
_CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class Options(Struct, frozen=True):
    """What a source's `helm` says, and where its document has it."""

    value: Mapping[str, Any]
    document: Document
    pointer: Pointer


class Places(Struct, frozen=True):
    """Where values files are looked for, all real paths.

    In `folder`, below `top` where their names start with a slash, and below one of `roots` where they start with its name
    (`$values/...`); in these alone for a chart that is not here, which has no folder.
    """

    folder: str | None
    top: str
    roots: Mapping[str, str]


class Given(Struct, frozen=True):
    """The values of a release. `missing` says of the first source of values that cannot be read why, empty where all can."""

    layers: tuple[Values, ...]
    settings: tuple[str, ...]
    missing: str

    def known(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """All values over those of a chart, as far as parameters name them by plain paths."""
        values = dict(defaults)
        for layer in self.layers:
            values = merged(values, layer.value)
        for flag, setting in zip(self.settings[::2], self.settings[1::2], strict=True):
            name, _, value = setting.partition("=")
            _set(values, name, _CONSTANTS.get(value, value) if flag == "--set" else value)
        return values


def given(options: Options, places: Places, variables: Mapping[str, str], sources: Sources) -> Given:
    """What an Application gives for its chart; `variables` are those of its build environment."""
    layers: list[Values] = []
    missing: dict[str, None] = {}
    lenient = options.value.get("ignoreMissingValueFiles") is True
    for name in items(options.value, "valueFiles"):
        found = list(_files(_filled(str(name), variables), places))
        for path in found:
            values = read_values(path, sources)
            if isinstance(values, Values):
                layers.append(values)
            else:
                missing[values.message] = None
        if not (found or lenient):
            missing[f"its values file {name} is not here"] = None
    for key in ("valuesObject", "values"):
        own = options.value.get(key)
        value = sources.value(own) if isinstance(own, str) else own
        if value:
            if isinstance(value, dict):
                layers.append(Values(options.document, (*options.pointer, key), value))
            else:
                missing[f"its `{key}` is no mapping"] = None
            break
    if items(options.value, "fileParameters"):
        missing["its fileParameters are not read here"] = None
    settings: list[str] = []
    for parameter in items(options.value, "parameters"):
        forced = mapping(parameter).get("forceString") is True
        value = _filled(text(parameter, "value"), variables)
        settings += ("--set-string" if forced else "--set", f"{text(parameter, 'name')}={_escaped(value)}")
    return Given(tuple(layers), tuple(settings), next(iter(missing), ""))


def release(base: Release, options: Options, given: Given, application: Application) -> Release:
    """What helm is to render: `base`, as an Application has it."""
    versions = [str(version) for version in items(options.value, "apiVersions")]
    namespace = text(options.value, "namespace") or text(mapping(application.spec, "destination"), "namespace")
    return replace(
        base,
        name=text(options.value, "releaseName") or application.name,
        namespace=namespace or base.namespace,
        values=given.layers,
        settings=given.settings,
        kube_version=text(options.value, "kubeVersion") or base.kube_version,
        api_versions=(*base.api_versions, *versions),
    )


def variables(application: Application, source: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a build that are known without a cluster (argoproj/argo-cd:docs/user-guide/build-environment.md)."""
    return {
        "ARGOCD_APP_NAME": application.name,
        "ARGOCD_APP_NAMESPACE": text(mapping(application.spec, "destination"), "namespace"),
        "ARGOCD_APP_SOURCE_PATH": text(source, "path"),
        "ARGOCD_APP_SOURCE_REPO_URL": text(source, "repoURL"),
        "ARGOCD_APP_SOURCE_TARGET_REVISION": text(source, "targetRevision"),
    }


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """A text with the variables of the build environment that are known."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[0]), text)


def _escaped(value: str) -> str:
    """A parameter's value for `--set`, which cuts it at commas (argoproj/argo-cd:util/helm/cmd.go, cleanSetParameters)."""
    is_list = value.startswith("{") and value.endswith("}")
    return value if is_list else _COMMA.sub(r"\\,", value)


def _set(values: dict[str, Any], name: str, value: Any) -> None:
    """Sets one value by its path, `ingress.enabled`; what a path says of items of lists is passed over."""
    *above, last = [step.replace("\\", "") for step in _STEP.findall(name)] or [""]
    if "[" in name or not last:
        return
    at = values
    for step in above:
        inner = at.get(step)
        at[step] = dict(inner) if isinstance(inner, dict) else {}
        at = at[step]
    at[last] = value


def _files(name: str, places: Places) -> Iterator[str]:
    """The files that a values file's name means, in helm's order; none where there are none here.

    (argoproj/argo-cd:reposerver/repository/repository.go, getResolvedValueFiles)
    """
    first, _, rest = name.partition("/")
    if _SCHEME.match(name):
        return
    if first.startswith("$"):
        if first not in places.roots:
            return
        base, name = places.roots[first], rest
    elif places.folder is None:
        return
    else:
        base = places.top if name.startswith("/") else places.folder
    path = os.path.join(base, name.lstrip("/"))
    if "\0" in path:
        return
    for found in inputs.matching(path) if _WILD.search(name) else [path]:
        real = os.path.realpath(found)
        if inputs.is_file(real) and real.startswith(os.path.join(places.top, "")):
            yield real
