"""What values the actions of templates are made of, found by following fields, variables, blocks and included templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.build.templates.actions import Action
from ingress_lint.build.templates.expressions import (
    DOT,
    Call,
    Expression,
    Field,
    Literal,
    Pipeline,
    Variable,
    pipeline,
)
from ingress_lint.build.templates.scopes import Keys, Scope
from ingress_lint.build.templates.template import Block, Template
from ingress_lint.load.document import SourceFile

_MOST_PATHS: Final = 24
_MOST_STEPS: Final = 100_000
"""More is not followed for one place."""
_DEEPEST: Final = 30
_LONGEST_KEYS: Final = 30


class Path(Struct, frozen=True):
    """A value of a chart: `.Values` of a scope, and the keys below it."""

    scope: Scope
    keys: Keys = ()


class Known(Struct, frozen=True):
    """What is known of something in a template: the values that it may be, and what it holds.

    `root` is the scope where it is a chart's root context; `fields` are those of a `dict`, `text` is that of a literal.
    """

    paths: tuple[Path, ...] = ()
    root: Scope | None = None
    fields: Mapping[str, Known] = {}
    text: str | None = None

    def field(self, name: str | None) -> Known:
        """What a field is, or any item where `name` is None."""
        found = [
            Known(tuple(Path(path.scope, (*path.keys, name)) for path in self.paths if len(path.keys) < _LONGEST_KEYS))
        ]
        if self.root is not None and name is not None:
            if name == "Values":
                return Known((Path(self.root),))
            if name == "Subcharts":
                return Known(fields=_Subcharts(self.root))
            return Known()
        if name is None:
            found += self.fields.values()
        elif name in self.fields:
            found.insert(0, self.fields[name])
        return union(found)

    @property
    def all(self) -> tuple[Path, ...]:
        """The values that it is, or that it holds."""
        return union((self, *(Known(item.paths) for item in self.fields.values()))).paths


class _Subcharts(dict[str, Known]):
    """The parts of a chart, by their names."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __getitem__(self, name: str) -> Known:
        return Known(root=(*self._scope, name))


def union(items: Iterable[Known]) -> Known:
    """What may be any of several."""
    several = [item for item in items if item != NOTHING]
    if len(several) < 2:
        return several[0] if several else NOTHING
    paths = dict.fromkeys(path for item in several for path in item.paths)
    fields: dict[str, Known] = {}
    for item in several:
        for name, value in item.fields.items():
            fields[name] = union((fields[name], value)) if name in fields else value
    root = next((item.root for item in several if item.root is not None), None)
    return Known(tuple(paths)[:_MOST_PATHS], root, fields)


NOTHING: Final = Known()
_Variables = dict[str, Known]


class Printed(Struct, frozen=True):
    """An action that prints, with what it is made of."""

    action: Action
    known: Known


class Tracer:
    """Follows templates; `definitions` are those of all charts by name, `text_at` gives the texts that stand at a value."""

    def __init__(self, definitions: Mapping[str, Block], text_at: Callable[[Path], Sequence[str]]) -> None:
        self._definitions = definitions
        self._text_at = text_at
        self._steps = 0
        self._results: dict[tuple[str, Scope | None, tuple[Path, ...]], Known] = {}

    def printed(self, block: Block, dot: Known) -> list[Printed]:
        """What the actions of a file or definition print when it is run with `dot`."""
        self._steps = 0
        found: list[Printed] = []
        self._run(block, dot, {"$": dot}, found, 0)
        return found

    def contexts(self, known: Expression, name: str, dot: Known, variables: _Variables) -> list[Known]:
        """What a definition is run with where an expression includes it."""
        found: list[Known] = []
        stack = [known]
        while stack and len(found) < _MOST_PATHS:
            expression = stack.pop()
            if isinstance(expression, Field):
                stack.append(expression.of)
            elif isinstance(expression, Call):
                given = expression.arguments
                if expression.name == "include" and given and given[0] == Literal(name):
                    found.append(self._of(given[1], dot, variables, 0) if len(given) > 1 else NOTHING)
                stack += given
        return found

    def calls(self, block: Block, dot: Known, action: Action, name: str) -> list[Known]:
        """What a definition is run with where an action of a block includes it."""
        self._steps = 0
        found: list[Known] = []

        def visit(one: Action, there: Known, variables: _Variables) -> None:
            if one is action:
                expression = pipeline(one.code).expression
                if one.word == "template" and isinstance(expression, Call):
                    expression = Call("include", expression.arguments)
                if expression is not None:
                    found.extend(self.contexts(expression, name, there, variables))

        self._run(block, dot, {"$": dot}, [], 0, visit)
        return found

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _run(
        self,
        block: Block,
        dot: Known,
        variables: _Variables,
        found: list[Printed],
        depth: int,
        visit: Callable[[Action, Known, _Variables], None] | None = None,
    ) -> None:
        for item in block.items:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                return
            if isinstance(item, Action):
                if visit is not None:
                    visit(item, dot, variables)
                self._act(item, dot, variables, found, depth)
                continue
            if item.name and item.word == "define":
                continue
            inner, changed = dot, dict(variables)
            if item.opening is not None and item.word != "block":
                inner = self._entered(item, dot, changed, depth)
            self._run(item, inner, changed, found, depth, visit)
            for name in variables:  # what the block set it to, or not
                if changed.get(name) is not variables[name]:
                    variables[name] = union((changed.get(name, NOTHING), variables[name]))

    def _entered(self, block: Block, dot: Known, variables: _Variables, depth: int) -> Known:
        """The dot within a block, whose variables are added."""
        word, code = block.word, block.opening.code if block.opening is not None else ""
        if word == "else":
            for chained in ("if", "with"):
                if code.startswith(chained):
                    word, code = chained, code[len(chained) :]
        if word not in ("if", "with", "range"):
            return dot
        line = pipeline(code)
        known = self._of(line.expression, dot, variables, depth)
        if word == "range":
            known = known.field(None)
        for name in line.variables:
            variables[name] = known
        return dot if word == "if" else known

    def _act(self, action: Action, dot: Known, variables: _Variables, found: list[Printed], depth: int) -> None:
        line: Pipeline = pipeline(action.code)
        expression = line.expression
        if action.word == "template" and isinstance(expression, Call):
            expression = Call("include", expression.arguments)
        known = self._of(expression, dot, variables, depth)
        for name in line.variables:
            variables[name] = known
        if action.prints:
            found.append(Printed(action, known))
        elif isinstance(expression, Call) and expression.name == "set" and len(expression.arguments) > 1:
            target = expression.arguments[0]
            if isinstance(target, Variable):
                variables[target.name] = known

    # -- expressions --------------------------------------------------------------------------------------------------

    def _of(self, expression: Expression | None, dot: Known, variables: _Variables, depth: int) -> Known:
        self._steps += 1
        if expression is None or depth > _DEEPEST or self._steps > _MOST_STEPS:
            return NOTHING
        if isinstance(expression, Literal):
            return Known(text=expression.text)
        if isinstance(expression, Variable):
            return dot if expression == DOT else variables.get(expression.name, NOTHING)
        if isinstance(expression, Field):
            known = self._of(expression.of, dot, variables, depth + 1)
            for name in expression.names:
                known = known.field(name)
            return known
        given = [self._of(argument, dot, variables, depth + 1) for argument in expression.arguments]
        return self._called(expression.name, given, depth)

    def _called(self, name: str, given: list[Known], depth: int) -> Known:
        if name in ("include", "tpl") and given:
            text = given[0].text
            if name == "include":
                return self._included(text or "", given[1] if len(given) > 1 else NOTHING, depth)
            return union((given[0], self._of_texts(given, depth)))
        if name in ("dict", "set", "list"):
            return _made(name, given)
        if name in ("get", "index", "pluck", "dig") and len(given) > 1:
            return _taken(name, given)
        if name == "default" and len(given) > 1:
            return union((given[-1], given[0]))
        if name in ("merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite", "deepCopy", "mustDeepCopy"):
            return union(given)
        if name == "ternary":
            return union(Known(one.paths, fields=one.fields) for one in given)
        return union(Known(one.all) for one in given)

    def _included(self, name: str, dot: Known, depth: int) -> Known:
        """What a definition prints that is run with `dot`."""
        block = self._definitions.get(name)
        if block is None or depth > _DEEPEST:
            return NOTHING
        key = name, dot.root, dot.paths
        if not dot.fields and key in self._results:
            return self._results[key]
        found: list[Printed] = []
        self._run(block, dot, {"$": dot}, found, depth + 3)
        result = union(Known(one.known.all) for one in found)
        if not dot.fields and self._steps <= _MOST_STEPS:
            self._results[key] = result
        return result

    def _of_texts(self, given: list[Known], depth: int) -> Known:
        """What the templates are made of that stand in values."""
        dot = given[1] if len(given) > 1 else NOTHING
        found: list[Known] = []
        for path in given[0].all[:3]:
            for text in self._text_at(path):
                block = Template(SourceFile("", text)).root
                printed: list[Printed] = []
                self._run(block, dot, {"$": dot}, printed, depth + 3)
                found += (Known(one.known.all) for one in printed)
        return union(found)


def _made(name: str, given: list[Known]) -> Known:
    if name == "list":
        return union(Known(one.paths, fields=one.fields) for one in given)
    known = given.pop(0) if name == "set" and given else NOTHING
    fields: defaultdict[str, Known] = defaultdict(Known, known.fields)
    for key, value in zip(given[::2], given[1::2], strict=False):
        if key.text is not None:
            fields[key.text] = value
    return replace(known, fields=dict(fields), text=None)


def _taken(name: str, given: list[Known]) -> Known:
    if name in ("pluck", "dig"):
        *keys, last = given
        default = [keys.pop()] if name == "dig" and keys else []
        keys = keys[:1] if name == "pluck" else keys
        return union((_steps(last, keys), *default))
    return _steps(given[0], given[1:])


def _steps(known: Known, keys: Sequence[Known]) -> Known:
    for key in keys:
        known = known.field(key.text)
    return known
