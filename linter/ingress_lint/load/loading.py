"""The load stage as one function: paths in, documents and problems out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from yaml._yaml import CParser

from ingress_lint.load import files
from ingress_lint.load.composing import Constructor, YAMLError, compose, composer
from ingress_lint.load.document import Document, Loaded, Place, Problem, ProblemKind, SourceFile
from ingress_lint.load.splitting import split

_LOOKS_LIKE_MANIFEST: Final = re.compile(r"""^\s*["']?apiVersion["']?\s*:""", re.MULTILINE)
_TEMPLATE_DIRECTIVE: Final = re.compile(r"\{\{-?\s*[\w.$(\"/]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

Wanted = Callable[[str, str], bool]
OnFile = Callable[[int, int], None]


class Loader:
    """Reads paths into one `Loaded`.

    `wanted(kind, text)` says which documents to parse. `on_file` is called after each file, with how many are read and known, for a
    progress display.
    """

    def __init__(self, wanted: Wanted, on_file: OnFile = lambda _done, _total: None) -> None:
        self._wanted = wanted
        self._on_file = on_file
        self._composer = composer(CParser)
        self._constructor = Constructor()
        self._seen: set[str] = set()
        self._known = 0
        self.loaded = Loaded()

    def load(self, paths: Iterable[str], *, set_name: str = "", reported: bool = True) -> None:
        """Adds what lies under `paths`; a path that cannot be opened is noted in `missing_paths`."""
        for path in paths:
            try:
                found = list(files.find(path))
            except OSError as error:
                self.loaded.missing_paths.append(f"{path}: {error.strerror or error}")
                continue
            self._known += len(found)
            for item in found:
                if item.chart:
                    self._refuse_chart(item)
                else:
                    self._load_file(item, set_name, reported)

    def _load_file(self, item: files.Found, set_name: str, reported: bool) -> None:
        display = files.display_path(item.path)
        if display in self._seen:
            return
        self._seen.add(display)
        try:
            file = files.read(item.path)
        except files.UnreadableError as error:
            self._unreadable(display, f"{display}: {error}")
            return
        self.loaded.files.append(file)
        documents = list(split(file, set_name, reported, self._wanted))
        if not documents and (item.named or _LOOKS_LIKE_MANIFEST.search(file.text)):
            documents = [Document(file, 0, 0, len(file.text), parsed=True, set_name=set_name, reported=reported)]
        if documents and _REPLACEMENT in file.text:
            self._report_undecodable(documents[0])
        for document in documents:
            if document.parsed:
                self._parse(document)
        self.loaded.documents.extend(documents)
        self._on_file(len(self._seen), self._known)

    def _parse(self, document: Document) -> None:
        text = document.text
        try:
            root = compose(self._composer, text)
            if root is None:
                return
            document.value = self._constructor.construct(root, aliased="&" in text and "*" in text)
            duplicates = list(self._constructor.duplicate_keys(root))
        except YAMLError as error:
            document.value = None
            document.parsed = False
            self._report_syntax(document, error)
            return
        for duplicate in duplicates:
            first, second = (
                Place(document, duplicate.pointer, "key", (document.start + start, document.start + end))
                for start, end in (duplicate.first, duplicate.second)
            )
            key = duplicate.pointer[-1]
            self.loaded.problems.append(
                Problem(
                    ProblemKind.DUPLICATE_KEY,
                    second,
                    f"the key `{key}` stands twice in one mapping; Kubernetes keeps only this later one",
                    related=((f"`{key}` is set here first, and silently dropped", first),),
                    fix=f"merge the two `{key}` entries into one",
                )
            )

    def _report_syntax(self, document: Document, error: YAMLError) -> None:
        offset = min(document.start + error.offset, len(document.file.text))
        line, _ = document.file.line_and_column(offset)
        message = f"this is not valid YAML, so nothing in this document was checked: {error}"
        fix = ""
        if _TEMPLATE_DIRECTIVE.search(document.text):
            message = f"this looks like a template that was not rendered ({error}), so nothing in it was checked"
            fix = "render it first, for example `helm template my-release ./chart | ingress-lint -`"
        end = offset + max(1, len(document.file.line_text(line)[:1]))
        self.loaded.problems.append(
            Problem(
                ProblemKind.YAML_SYNTAX,
                Place(document, (), "value", (offset, min(end, len(document.file.text)))),
                message,
                fix=fix,
            )
        )

    def _report_undecodable(self, document: Document) -> None:
        offset = document.file.text.index(_REPLACEMENT)
        self.loaded.problems.append(
            Problem(
                ProblemKind.YAML_SYNTAX,
                Place(document, (), "value", (offset, offset + 1)),
                "a byte here is not UTF-8, the only encoding Kubernetes reads besides UTF-16",
                fix="save the file as UTF-8",
            )
        )

    def _unreadable(self, path: str, message: str) -> None:
        document = Document(SourceFile(path, ""), 0, 0, 0)
        self.loaded.documents.append(document)
        self.loaded.problems.append(
            Problem(ProblemKind.YAML_SYNTAX, Place(document, span=(0, 0)), message, unreadable=True)
        )

    def _refuse_chart(self, item: files.Found) -> None:
        folder = files.display_path(item.path)
        document = Document(SourceFile(f"{folder}/Chart.yaml", ""), 0, 0, 0)
        self.loaded.documents.append(document)
        self.loaded.problems.append(
            Problem(
                ProblemKind.RENDER_FAILED,
                Place(document, span=(0, 0)),
                f"{folder} is a Helm chart; its templates are no manifests until they are rendered, so they were not read",
                fix=f"helm template my-release {folder} | ingress-lint -",
                unreadable=item.named,
            )
        )
