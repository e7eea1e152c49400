"""The load stage: files in, documents and problems out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct, field

from ingress_lint.load import files
from ingress_lint.load.document import Document, Place, Problem, ProblemKind, SourceFile
from ingress_lint.load.faults import DuplicateKey, YAMLError
from ingress_lint.load.splitting import seems_of_a_kind, split
from ingress_lint.load.values import ValueReader
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import ENCRYPTED, has_actions, is_ytt, without_actions

_LOOKS_LIKE_MANIFEST: Final = deferred(r"""^[ \t]*["']?apiVersion["']?[ \t]*:""", re.MULTILINE)
_CONTROL: Final = deferred(r"\{%|\{\{-? *(?:block|define|else|end|if|include|range|template|toYaml|with)\b")
_SOPS: Final = deferred(r"""^[ \t{]*["']?sops["']?[ \t]*:|"sops"[ \t]*:""", re.MULTILINE)
_MERGE_CONFLICT: Final = deferred(r"^<{7} ", re.MULTILINE)
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

Wanted = Callable[[str, str], bool]
OnFile = Callable[[int, int], None]
OnDocument = Callable[[Document], None]


class Loaded(Struct):
    """All that the load stage found."""

    files: list[SourceFile] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    encrypted: dict[str, None] = field(default_factory=dict)
    """The files that SOPS or git-crypt has encrypted."""
    templates: dict[str, None] = field(default_factory=dict)
    """The files with templates that nobody has rendered, outside of charts."""
    binary: list[str] = field(default_factory=list)
    """The other files that are no text."""
    missing_paths: list[str] = field(default_factory=list)
    """Paths given by the user that do not exist or cannot be opened, each with the reason."""


class Loader:
    """Reads files into one `Loaded`, each once.

    `wanted(kind, text)` says which documents to parse. `on_document` is called with each, and may let its value go.
    `on_file` is called after each file, with how many are read and known, for a progress display.
    """

    def __init__(
        self,
        wanted: Wanted,
        on_file: OnFile = lambda _done, _total: None,
        on_document: OnDocument = lambda _document: None,
    ) -> None:
        self._wanted = wanted
        self._on_file = on_file
        self._on_document = on_document
        self._values = ValueReader()
        self._read: dict[str, tuple[Document, ...]] = {}
        self._known = 0
        self.loaded = Loaded()
        self.texts: dict[str, SourceFile] = {}
        """The files that were read, by their real paths."""

    def expect(self, number: int) -> None:
        """Says that so many more files will be read, as far as is known."""
        self._known += number

    def read(self, item: files.Found, *, reported: bool = True) -> tuple[Document, ...]:
        """The documents of a file; those of a file that was read before, by whatever name, are the same ones."""
        if item.real not in self._read:
            self._read[item.real] = tuple(self._read_file(item, reported))
            self.loaded.documents.extend(self._read[item.real])
            self._on_file(len(self._read), max(self._known, len(self._read)))
        return self._read[item.real]

    def adopt(self, documents: Iterable[Document]) -> tuple[Document, ...]:
        """Takes in documents that stand in no file, as a build gives them."""
        adopted = tuple(documents)
        for document in adopted:
            self._on_document(document)
        return adopted

    def _read_file(self, item: files.Found, reported: bool) -> list[Document]:
        try:
            file = files.read(item)
        except files.BinaryError as error:
            return self._binary(item, error)
        except files.UnreadableError as error:
            return [self._unreadable(item.display, f"{item.display}: {error}")]
        self.loaded.files.append(file)
        self.texts[item.real] = file
        if ENCRYPTED in file.text and _SOPS.search(file.text):
            self.loaded.encrypted[file.path] = None
        documents = self._documents(file, reported)
        of_ytt = is_ytt(file.text)
        for document in documents:
            document.template_language = document.template_language or of_ytt
            if document.template_language:
                self.loaded.templates[file.path] = None
                if item.named:
                    self._report_template(document)
        if not documents and (item.named or _LOOKS_LIKE_MANIFEST.search(file.text)):
            documents = self._documents(file, reported, kindless=True)
        if documents and _REPLACEMENT in file.text:
            self._report_undecodable(documents[0])
        for document in documents:
            self._on_document(document)
        return documents

    def _documents(self, file: SourceFile, reported: bool, *, kindless: bool = False) -> list[Document]:
        """The documents that hold Kubernetes objects, and where `kindless` says so the others too."""
        documents = split(file, reported, self._wanted, kindless=kindless)
        return [document for document in documents if not document.parsed or self._parse(document, kindless=kindless)]

    def _parse(self, document: Document, *, kindless: bool) -> bool:
        """Reads a document's value; False where it is no Kubernetes object, unless `kindless` asks for it all the same."""
        text = document.text
        try:
            value, duplicates = self._values.read(text)
        except YAMLError as error:
            if not (document.kind or kindless or seems_of_a_kind(text)):
                document.parsed = False
                return False
            value, document.template_language = self._of_template(text, error)
            if value is None:
                document.parsed = False
                if not document.template_language:
                    self._report_syntax(document, error)
                return True
            duplicates = ()
        if not (isinstance(value, dict) and "kind" in value):
            document.value = value
            return kindless
        kind = value["kind"]
        if not document.kind and isinstance(kind, str):
            document.kind = kind
            document.parsed = self._wanted(kind, text)
        if document.parsed:
            document.value = value
            self._report_duplicates(document, duplicates)
        return True

    def _of_template(self, text: str, error: YAMLError) -> tuple[Any, bool]:
        """What a text that is no YAML says beside what a template engine fills in, and whether it is a template.

        A fault that has nothing to do with what is filled in makes it none.
        """
        if not has_actions(text):
            return None, False
        try:
            value, _ = self._values.read(without_actions(text))
        except YAMLError as other:
            return None, str(other) != str(error) or _CONTROL.search(text) is not None
        return (value, True) if isinstance(value, dict) else (None, True)

    def _report_unseparated(self, document: Document, duplicate: DuplicateKey) -> None:
        start, end = (document.start + offset for offset in duplicate.second)
        self.loaded.problems.append(
            Problem(
                ProblemKind.DUPLICATE_KEY,
                Place(document, duplicate.pointer, "key", (start, end)),
                "another object begins here without a `---` before it, so that both are one mapping, in which each key counts "
                "once: Kubernetes keeps only the last object, and the others do not exist",
                fix="put a line with `---` before it",
            )
        )

    def _report_duplicates(self, document: Document, duplicates: Sequence[DuplicateKey]) -> None:
        separated = _unseparated(duplicates)
        for duplicate in separated:
            self._report_unseparated(document, duplicate)
        for duplicate in duplicates:
            if separated and len(duplicate.pointer) == 1:
                continue
            first, second = (
                Place(document, duplicate.pointer, "key", (document.start + start, document.start + end))
                for start, end in (duplicate.first, duplicate.second)
            )
            key, same = duplicate.pointer[-1], duplicate.same_value
            self.loaded.problems.append(
                Problem(
                    ProblemKind.DUPLICATE_KEY,
                    second,
                    f"the key `{key}` stands twice in one mapping, with the same value both times; kustomize and strict "
                    "readers refuse the file"
                    if same
                    else f"the key `{key}` stands twice in one mapping: Kubernetes keeps only this later one, and what "
                    "the first one says has no effect",
                    related=((f"`{key}` stands here first" if same else f"dropped: `{key}` is set here first", first),),
                    fix=f"remove one of the two `{key}` entries" if same else f"merge the two `{key}` entries into one",
                    level="warning" if same else "error",
                )
            )

    def _report_syntax(self, document: Document, error: YAMLError) -> None:
        file = document.file
        offset = min(document.start + error.offset, len(file.text))
        line, column = file.line_and_column(offset)
        message = f"this is not valid YAML, so kubectl refuses it and nothing in this document was checked: {error}"
        fix = _syntax_fix(str(error), file.line_text(line), column)
        if _MERGE_CONFLICT.search(document.text):
            fix = "resolve the merge conflict"
        span = (offset, min(offset + 1, len(file.text)))
        self.loaded.problems.append(
            Problem(ProblemKind.YAML_SYNTAX, Place(document, (), "value", span), message, fix=fix)
        )

    def _report_template(self, document: Document) -> None:
        """Says of a file that was named outright that it is a template."""
        span = (document.start, min(document.start + 1, document.end))
        self.loaded.problems.append(
            Problem(
                ProblemKind.YAML_SYNTAX,
                Place(document, (), "value", span),
                "this is a template that was not rendered, so nothing in it was checked",
                fix="render it first, for example `helm template my-release ./chart | ingress-lint -`",
                level="note",
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

    def _binary(self, item: files.Found, error: files.BinaryError) -> list[Document]:
        """Passes over what is no text; whoever named the file outright is told."""
        if error.encrypted:
            self.loaded.encrypted[item.display] = None
            return [Document(SourceFile(item.display, ""), 0, 0, 0)]
        if item.named:
            return [self._unreadable(item.display, f"{item.display}: {error}")]
        self.loaded.binary.append(item.display)
        return []

    def _unreadable(self, path: str, message: str) -> Document:
        document = Document(SourceFile(path, ""), 0, 0, 0)
        self.loaded.problems.append(
            Problem(ProblemKind.YAML_SYNTAX, Place(document, span=(0, 0)), message, unreadable=True)
        )
        return document


def _syntax_fix(error: str, line: str, column: int) -> str:
    """What most often causes a parser's complaint about this line."""
    if "\t" in line[: max(column, len(line) - len(line.lstrip()))]:
        return "indent with spaces; YAML takes no tabs there"
    if "mapping values are not allowed" in error:
        return "put the value in quotes if it holds `: `, else check the indentation"
    if "cannot start any token" in error:
        return "put the value in quotes"
    if "expected key" in error or "expected ':'" in error or "block end" in error or "expected '-' indicator" in error:
        return "check the indentation of this line against the lines above it"
    return ""


def _unseparated(duplicates: Sequence[DuplicateKey]) -> list[DuplicateKey]:
    """Where a second object begins in the mapping of a first, as both have a kind and a version."""
    own = [duplicate for duplicate in duplicates if duplicate.pointer in (("apiVersion",), ("kind",))]
    whole = len({duplicate.pointer for duplicate in own}) > 1
    first = min(own, key=lambda duplicate: duplicate.second, default=None)
    return [duplicate for duplicate in own if whole and first and duplicate.pointer == first.pointer]
