"""One model beside another on the same messages: what would be understood otherwise. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.nlu_scores import CALLED_OUT, FALLBACK, Prediction

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """Messages that one model reads as ``before`` and the other as ``after``; some of them as examples."""

    before: str
    after: str
    count: int
    examples: tuple[str, ...]

    @property
    def may_hurt(self) -> bool:
        """Whether a label is involved where a miss may hurt somebody."""
        return self.before in CALLED_OUT or self.after in CALLED_OUT


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a candidate makes of messages that the served model has read; both counted on the same texts."""

    texts: int
    same: int
    fallback_before: int
    fallback_after: int
    changes: tuple[Change, ...]

    def to_text(self) -> str:
        """Write the comparison for a terminal; changes that may hurt somebody come first, marked with ``!``."""
        lines = [
            f"{self.texts} messages, {self.same} read alike, {self.texts - self.same} otherwise",
            f"not understood: {self.fallback_before} now, {self.fallback_after} with the candidate",
        ]
        for change in self.changes:
            mark = "!" if change.may_hurt else " "
            lines.append(f"{mark} {change.before} -> {change.after}: {change.count}")
            lines += [f"      {text}" for text in change.examples]
        return "\n".join(lines)


def compare(texts: Sequence[str], served: Sequence[Prediction], candidate: Sequence[Prediction]) -> Shadow:
    """Compare two readings of the same texts, in order."""
    counted: Counter[tuple[str, str]] = Counter()
    examples: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for text, before, after in zip(texts, served, candidate, strict=True):
        if before.label == after.label:
            continue
        pair = (before.label, after.label)
        counted[pair] += 1
        if len(examples[pair]) < _EXAMPLES:
            examples[pair].append(text)
    changes = [Change(*pair, count, tuple(examples[pair])) for pair, count in counted.items()]
    return Shadow(
        texts=len(texts),
        same=len(texts) - counted.total(),
        fallback_before=sum(one.label == FALLBACK for one in served),
        fallback_after=sum(one.label == FALLBACK for one in candidate),
        changes=tuple(sorted(changes, key=lambda one: (not one.may_hurt, -one.count, one.before, one.after))),
    )
