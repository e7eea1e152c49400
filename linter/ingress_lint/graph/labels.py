"""Label selectors by Kubernetes' definition, and an inverted index from labels to what carries them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from ingress_lint.objects.model import LabelSelector, LabelSelectorRequirement

Labels = Mapping[str, str]
Carrier = TypeVar("Carrier")


def selects(selector: LabelSelector, labels: Labels) -> bool:
    """Whether a label selector matches; all of its terms must hold, and none means everything."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _holds(requirement, labels) for requirement in selector.match_expressions
    )


def _holds(requirement: LabelSelectorRequirement, labels: Labels) -> bool:
    match requirement.operator:
        case "In":
            return labels.get(requirement.key) in requirement.values if requirement.key in labels else False
        case "NotIn":
            return requirement.key not in labels or labels[requirement.key] not in requirement.values
        case "Exists":
            return requirement.key in labels
        case "DoesNotExist":
            return requirement.key not in labels
        case _:
            return False


class LabelIndex(Generic[Carrier]):
    """Finds the carriers of labels without comparing every selector with every carrier."""

    def __init__(self, carriers: Iterable[tuple[Labels, Carrier]]) -> None:
        self._carriers: list[tuple[Labels, Carrier]] = list(carriers)
        self._by_label: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (labels, _) in enumerate(self._carriers):
            for label in labels.items():
                self._by_label[label].append(number)

    def matching(self, labels: Labels) -> list[Carrier]:
        """The carriers that have all of `labels`, in the order they came; all carriers where `labels` is empty."""
        if not labels:
            return [carrier for _, carrier in self._carriers]
        by_label = self._by_label
        rarest: list[int] | None = None
        for label in labels.items():
            numbers = by_label.get(label)
            if numbers is None:
                return []
            if rarest is None or len(numbers) < len(rarest):
                rarest = numbers
        carriers = self._carriers
        if len(labels) == 1:
            return [carriers[number][1] for number in rarest or ()]
        wanted = labels.items()
        return [carriers[number][1] for number in rarest or () if wanted <= carriers[number][0].items()]

    def nearest(self, labels: Labels) -> tuple[Carrier, int] | None:
        """The carrier that has most of `labels`, with how many it has; None where none has any."""
        hits: defaultdict[int, int] = defaultdict(int)
        for label in labels.items():
            for number in self._by_label.get(label, ()):
                hits[number] += 1
        if not hits:
            return None
        best = max(hits, key=lambda number: (hits[number], -number))
        return self._carriers[best][1], hits[best]
