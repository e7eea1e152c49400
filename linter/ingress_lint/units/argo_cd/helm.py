"""What Argo CD gives to helm: the values of a release, as far as they are known here.

In helm's order: the chart's own, values files, `valuesObject` or else `values`, parameters
(argoproj/argo-cd:reposerver/repository/repository.go, helmTemplate; docs/user-guide/helm.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.build.sources import Sources
from ingress_lint.units.argo_cd.reading import items, mapping, text
from ingress_lint.values.patterns import deferred

_SCHEME: Final = deferred(r"[a-z][a-z0-9+.-]*://", 0)
_WILD: Final = deferred(r"[*?\[]")
_STEP: Final = deferred(r"(?:[^.\\]|\\.)+")
_CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class Values:
    """The values of a release. `missing` says of the first source of values that cannot be read why, empty where all can."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.merged: dict[str, Any] = {}
        self.missing = ""

    def add_file(self, path: str) -> None:
        """Lays the values of a file, a real path, over those known."""
        file = self._sources.file(path)
        value = None if file is None else self._sources.value(file.text)
        if isinstance(value, dict):
            self._lay_over(value)

    def add_options(self, options: Mapping[str, Any], folder: str, top: str, roots: Mapping[str, str]) -> None:
        """Lays what a source's `helm` gives over those known.

        Values files lie in `folder`, below `top` where they start with a slash, and below one of `roots` where they start
        with its name (`$values/...`); all are real paths.
        """
        lenient = options.get("ignoreMissingValueFiles") is True
        for name in items(options, "valueFiles"):
            found = list(_files(str(name), folder, top, roots))
            for path in found:
                self.add_file(path)
            if not (found or lenient or self.missing):
                self.missing = f"its values file {name} is not here"
        own = options.get("valuesObject") or self._sources.value(text(options, "values"))
        if isinstance(own, dict):
            self._lay_over(own)
        for parameter in items(options, "parameters"):
            value = text(parameter, "value")
            forced = mapping(parameter).get("forceString") is True
            self._set(text(parameter, "name"), value if forced else _CONSTANTS.get(value, value))

    def _lay_over(self, value: Mapping[str, Any]) -> None:
        waiting = [(self.merged, value)]
        while waiting:
            known, given = waiting.pop()
            for key, item in given.items():
                if isinstance(known.get(key), dict) and isinstance(item, dict):
                    known[key] = dict(known[key])
                    waiting.append((known[key], item))
                else:
                    known[key] = item

    def _set(self, name: str, value: Any) -> None:
        """Sets one value by its path, `ingress.enabled`; what a path says of items of lists is passed over."""
        *above, last = [step.replace("\\", "") for step in _STEP.findall(name)] or [""]
        if "[" in name or not last:
            return
        at = self.merged
        for step in above:
            inner = at.get(step)
            at[step] = dict(inner) if isinstance(inner, dict) else {}
            at = at[step]
        at[last] = value


def _files(name: str, folder: str, top: str, roots: Mapping[str, str]) -> Iterator[str]:
    """The files that a values file's name means, in helm's order; none where there are none here.

    (argoproj/argo-cd:reposerver/repository/repository.go, getResolvedValueFiles)
    """
    first, _, rest = name.partition("/")
    if _SCHEME.match(name):
        return
    if first.startswith("$"):
        if first not in roots:
            return
        base, name = roots[first], rest
    else:
        base = top if name.startswith("/") else folder
    path = os.path.join(base, name.lstrip("/"))
    if "\0" in path:
        return
    for found in inputs.matching(path) if _WILD.search(name) else [path]:
        real = os.path.realpath(found)
        if inputs.is_file(real) and real.startswith(os.path.join(top, "")):
            yield real
