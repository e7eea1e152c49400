"""What is worked out for a graph once, and kept as long as that graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from ingress_lint.graph.graph import ObjectGraph

Further = ParamSpec("Further")
Result = TypeVar("Result")


def once_per_graph(
    make: Callable[Concatenate[ObjectGraph, Further], Result],
) -> Callable[Concatenate[ObjectGraph, Further], Result]:
    """`make`, which is called for the first request of each graph; later ones get the same result."""

    @wraps(make)
    def made(graph: ObjectGraph, /, *further: Further.args, **named: Further.kwargs) -> Result:
        kept = graph.kept
        if make not in kept:
            kept[make] = make(graph, *further, **named)
        result: Result = kept[make]
        return result

    return made
