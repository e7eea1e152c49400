"""YAML text to a node tree through libyaml, and node trees to values.

Two libraries wrap the same libyaml. PyYAML's composer is the faster one and reads every document's values;
ruamel.yaml's composes the documents that have findings, for their positions. Both are stripped here of the resolver
that costs more than the parsing, and both trees are read by the same `construct`.
"""

from __future__ import annotations

import binascii
import operator
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from ingress_lint.load.anchors import compose_events
from ingress_lint.load.document import Pointer
from ingress_lint.load.faults import DuplicateKey, YAMLError
from ingress_lint.load.nodes import PLAIN, QUOTED
from ingress_lint.load.scalars import Scalar, resolve_key, resolve_plain

MAX_DEPTH: Final = 200
"""Deeper nesting than any manifest needs, and far from where a parser's own stack would overflow."""
MAX_NODES: Final = 2_000_000
"""How many values the documents of a run may expand to through their aliases, beyond those that are written."""
_LIBYAML_DEPTH: Final = "exceeded maximum nesting depth"
"""What libyaml itself says of text that nests past a limit of its own, a thousand levels and more."""
_ANCHOR_AGAIN: Final = "found duplicate anchor"
"""How the libraries' composers complain of an anchor that is defined a second time, which go-yaml takes."""
_OPENERS: Final = ("[", "{", " -", " ?", " :")

_CORE_TAG: Final = "tag:yaml.org,2002:"
_MERGE_KEY: Final = "<<"
_MERGE_TAG: Final = f"{_CORE_TAG}merge"


class NestingError(Exception):
    """The text nests deeper than `MAX_DEPTH`; raised from inside the parser."""


def composer(parser: type[Any]) -> type[Any]:
    """A composer over `parser`, the `CParser` of PyYAML or of ruamel.yaml.

    A scalar without a tag of its own gets the tag `PLAIN` or `QUOTED`.
    """

    class Composer(parser):  # type: ignore[misc]
        depth = 0
        shallow: type[Any]
        processing_version = (1, 1)  # ruamel.yaml asks its resolver for these
        resolver = property(lambda self: self)

        def resolve(self, _kind: type[Any], _value: str | None, implicit: Any) -> str:
            return PLAIN if implicit and implicit is not True and implicit[0] else QUOTED

        def descend_resolver(self, _parent: Any, _index: Any) -> None:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise NestingError

        def ascend_resolver(self) -> None:
            self.depth -= 1

    class Shallow(Composer):
        """For text that cannot nest deeply: the hooks, called for every node, are built-ins without an effect."""

        descend_resolver = operator.is_  # type: ignore[assignment]
        ascend_resolver = tuple  # type: ignore[assignment]

    Composer.shallow = Shallow
    return Composer


@cache
def values_composer() -> type[Any]:
    """The faster of the two, for values; PyYAML is imported when first asked for, as most manifests need it not."""
    from yaml._yaml import CParser

    return composer(CParser)


def compose(composer_class: type[Any], text: str) -> Any:
    """The root node of `text`, None where it holds no document; raises `YAMLError`."""
    try:
        try:
            return (composer_class if _may_nest_deeply(text) else composer_class.shallow)(text).get_single_node()
        except Exception as error:
            if not (getattr(error, "context", None) or "").startswith(_ANCHOR_AGAIN):
                raise
            return compose_events(composer_class(text))
    except NestingError:
        raise _too_deep() from None
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            if error.problem == _LIBYAML_DEPTH:  # type: ignore[attr-defined]
                raise _too_deep() from None
            context = getattr(error, "context", None) or ""
            message = f"{error.problem} ({context})" if context else str(error.problem)  # type: ignore[attr-defined]
            raise YAMLError(message, min(mark.index, len(text))) from None
        if hasattr(error, "character") or isinstance(error, UnicodeError):
            raise _unreadable_character(text) from None
        raise


def _too_deep() -> YAMLError:
    return YAMLError(f"the text nests deeper than {MAX_DEPTH} levels", 0)


def _may_nest_deeply(text: str) -> bool:
    """Whether `text` may nest deeper than `MAX_DEPTH`, guessed cheaply and never wrongly denied.

    Each column of indentation holds two levels at most, a mapping and a list in it. All others are opened by a bracket,
    or by an indicator that follows another on one line, after a space.
    """
    indentation = " " * (MAX_DEPTH // 5)
    return "\t" in text or indentation in text or sum(map(text.count, _OPENERS)) > MAX_DEPTH // 2


def _unreadable_character(text: str) -> YAMLError:
    for offset, character in enumerate(text):
        if not (character.isprintable() or character in "\t\n\r\x85"):
            return YAMLError(f"the character U+{ord(character):04X} is not allowed in YAML", offset)
    return YAMLError("a character that is not allowed in YAML", 0)


class _PlainScalars(dict[str, Scalar]):
    def __missing__(self, text: str) -> Scalar:
        value = self[text] = resolve_plain(text)
        return value


class _PlainKeys(dict[str, str | None]):
    def __missing__(self, text: str) -> str | None:
        key = self[text] = resolve_key(text)
        return key


class Constructor:
    """Turns node trees to values. Keeps what it learned of scalars, so one serves many documents."""

    def __init__(self) -> None:
        self._scalars = _PlainScalars()
        self._keys = _PlainKeys()
        self._repeating: list[Any] = []
        self._nodes_left = MAX_NODES

    def construct(self, root: Any, *, aliased: bool) -> Any:
        """The value of a tree; `aliased` where its text may hold anchors. Raises `YAMLError`."""
        self._repeating = []
        if aliased:
            self._bound_aliases(root)
        return self._value(root)

    def duplicate_keys(self, root: Any) -> Iterator[DuplicateKey]:
        """The keys that mappings of the tree last constructed repeat; costs nothing where there are none."""
        if not self._repeating:
            return
        wanted = {id(node) for node in self._repeating}
        for node, pointer in walk(root):
            if id(node) not in wanted:
                continue
            wanted.discard(id(node))
            seen: dict[str, tuple[Any, Any]] = {}
            for key_node, value_node in node.value:
                key = self.key(key_node)
                if key in seen and not _merges(key_node):
                    first_key, first_value = seen[key]
                    same = self._value(first_value) == self._value(value_node)
                    yield DuplicateKey((*pointer, key), _span(first_key), _span(key_node), same)
                seen[key] = key_node, value_node

    def key(self, node: Any) -> str:
        """The text of a mapping's key, as JSON would have it."""
        if node.id != "scalar":
            raise YAMLError(
                f"a {node.id} stands where a key belongs",
                node.start_mark.index,
            )
        key = self._keys[node.value] if node.tag == PLAIN else node.value
        if key is None:
            found = "an empty key" if node.value in ("", "~") else f"the key {node.value}"
            raise YAMLError(f"{found} is neither text nor a small number, and no key of JSON", node.start_mark.index)
        return key

    def _value(self, node: Any) -> Any:
        kind = node.id
        if kind == "scalar":
            tag = node.tag
            if tag == PLAIN:
                return self._scalars[node.value]
            return node.value if tag == QUOTED else self._tagged(node, tag)
        if kind == "sequence":
            return [self._value(item) for item in node.value]
        pairs = node.value
        keys = self._keys
        result: dict[str, Any] = {}
        merged = False
        for key_node, value_node in pairs:
            key = (keys[key_node.value] if key_node.id == "scalar" and key_node.tag == PLAIN else None) or self.key(
                key_node
            )
            value = self._value(value_node)
            if key == _MERGE_KEY and _merges(key_node):
                merged = True
                self._merge(result, value, key_node)
            else:
                result[key] = value
        if merged or len(result) < len(pairs):
            self._repeating.append(node)
        return result

    def _merge(self, result: dict[str, Any], inherited: Any, key_node: Any) -> None:
        """Adds what a merge key names; it takes the place of what stands above it (kubernetes-sigs/yaml:goyaml.v2)."""
        sources = inherited if isinstance(inherited, list) else [inherited]
        if not all(isinstance(source, dict) for source in sources):
            raise YAMLError(
                "a merge key (<<) must name a mapping or a list of mappings",
                key_node.start_mark.index,
            )
        for source in reversed(sources):
            result.update(source)

    def _tagged(self, node: Any, tag: str) -> Scalar:
        text: str = node.value
        kind = tag.removeprefix(_CORE_TAG)
        if kind in ("int", "float", "bool", "null"):
            return self._scalars[text]
        if kind == "binary":
            import base64

            try:
                return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
            except binascii.Error:
                raise YAMLError("!!binary that is not base64", node.start_mark.index) from None
        return text

    def _bound_aliases(self, root: Any) -> None:
        """Refuses trees that contain themselves, or whose aliases expand past `MAX_NODES` or nest past `MAX_DEPTH`."""
        measures: dict[int, tuple[int, int] | None] = {}
        written = 0

        def measure(node: Any) -> tuple[int, int]:
            """How many values a node expands to, and how deep they nest."""
            nonlocal written
            if node.id == "scalar":
                written += 1
                return 1, 0
            identity = id(node)
            if identity in measures:
                known = measures[identity]
                if known is None:
                    raise YAMLError("an anchor contains itself", node.start_mark.index)
                return known
            measures[identity] = None
            written += 1
            size, depth = 1, 0
            for item in node.value:
                for part in item if isinstance(item, tuple) else (item,):
                    part_size, part_depth = measure(part)
                    size += part_size
                    depth = max(depth, part_depth)
            depth += 1
            if size - written > self._nodes_left:
                raise YAMLError(
                    f"aliases expand to more than {MAX_NODES:,} values in all that is read", node.start_mark.index
                )
            if depth > MAX_DEPTH:
                raise YAMLError(f"aliases nest deeper than {MAX_DEPTH} levels", node.start_mark.index)
            measures[identity] = size, depth
            return size, depth

        expanded, _ = measure(root)
        self._nodes_left -= max(0, expanded - written)


def _merges(key_node: Any) -> bool:
    """Whether a key is the merge key, which it is not in quotes."""
    return bool(key_node.value == _MERGE_KEY and key_node.tag in (PLAIN, _MERGE_TAG))


def walk(root: Any) -> Iterator[tuple[Any, Pointer]]:
    """Every mapping and list of a tree with the pointer to it; what aliases share is visited once."""
    seen: set[int] = set()
    keys = _PlainKeys()
    pending: list[tuple[Any, Pointer]] = [(root, ())]
    while pending:
        node, pointer = pending.pop()
        if node.id == "scalar" or id(node) in seen:
            continue
        seen.add(id(node))
        yield node, pointer
        if node.id == "mapping":
            for key_node, value_node in node.value:
                key = keys[key_node.value] if key_node.tag == PLAIN else key_node.value
                pending.append((value_node, (*pointer, key or "")))
        else:
            pending.extend((item, (*pointer, index)) for index, item in enumerate(node.value))


def _span(node: Any) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index
