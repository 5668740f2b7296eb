"""Quality reviews: the card, which conversations are drawn, how far two reviewers agree, who needs coaching. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256

RANDOM_PER_OPERATOR = 3
"""Conversations of each operator that are drawn in a week at random."""

SECOND_OPINION_EVERY = 5
"""One in so many drawn conversations is judged twice, by different people."""

FAILS_FOR_COACHING = 2
"""So many fails of one criterion, over the reviews looked at, call for coaching; a critical one at once."""


class Criterion(StrEnum):
    """What a conversation is judged by."""

    IDENTITY_FIRST = "identity_first"
    FIGURES_RIGHT = "figures_right"
    TONE = "tone"
    RIGHTS_TOLD = "rights_told"
    NEXT_STEP = "next_step"
    RECORDED = "recorded"


CRITICAL = frozenset({Criterion.IDENTITY_FIRST, Criterion.TONE})
"""Whoever fails one of these fails the whole card."""


class Mark(StrEnum):
    """A judgement on one criterion."""

    PASS = "pass"  # noqa: S105  # a mark, no secret
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


class DrawReason(StrEnum):
    """Why a conversation was drawn."""

    FLAW = "flaw"
    DISTRESS = "distress"
    COMPLAINT = "complaint"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A conversation of the week that may be drawn; ``operator_id`` spoke last in it, None for the bot alone."""

    conversation_id: str
    operator_id: str | None
    has_flaw: bool = False
    in_distress: bool = False
    complained: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A conversation to be reviewed, by one person or by two."""

    candidate: Candidate
    reason: DrawReason
    twice: bool


def draw(candidates: Sequence[Candidate], week: str) -> tuple[Drawn, ...]:
    """Choose what is reviewed of a week (``2026-W47``): all with a flaw, distress or a complaint, and some at random.

    Chance is a hash of week and conversation: nobody can steer it, and drawing again draws the same.
    """
    by_operator: dict[str | None, list[Candidate]] = defaultdict(list)
    drawn: list[tuple[Candidate, DrawReason]] = []
    for candidate in candidates:
        if (reason := _must_be_seen(candidate)) is not None:
            drawn.append((candidate, reason))
        else:
            by_operator[candidate.operator_id].append(candidate)
    for rest in by_operator.values():
        lots = sorted(rest, key=lambda one: _lot(week, one.conversation_id))
        drawn += [(candidate, DrawReason.RANDOM) for candidate in lots[:RANDOM_PER_OPERATOR]]
    drawn.sort(key=lambda one: _lot(week, one[0].conversation_id))
    return tuple(
        Drawn(candidate, reason, place % SECOND_OPINION_EVERY == 0) for place, (candidate, reason) in enumerate(drawn)
    )


def score(marks: Mapping[Criterion, Mark]) -> int | None:
    """Return the passed share of what applies, in whole percent: 0 with a critical fail, None if nothing applies."""
    if any(marks.get(criterion) is Mark.FAIL for criterion in CRITICAL):
        return 0
    applies = [mark for mark in marks.values() if mark is not Mark.NOT_APPLICABLE]
    return 100 * applies.count(Mark.PASS) // len(applies) if applies else None


def to_coach(cards: Sequence[Mapping[Criterion, Mark]]) -> tuple[Criterion, ...]:
    """Return the criteria that somebody with these reviews should be coached in, in the order of the card."""
    fails = Counter(criterion for card in cards for criterion, mark in card.items() if mark is Mark.FAIL)
    enough = {criterion: 1 if criterion in CRITICAL else FAILS_FOR_COACHING for criterion in Criterion}
    return tuple(criterion for criterion in Criterion if fails[criterion] >= enough[criterion])


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Fraction | None:
    """Return Cohen's kappa of two raters' judgements on the same things, exactly; None without any.

    1 is full agreement, 0 what chance alone would give, less is worse than chance. Where both always said the same one
    thing, chance explains everything and kappa has no value: that counts as 1.
    """
    if not pairs:
        return None
    total = len(pairs)
    agreed = Fraction(sum(first == second for first, second in pairs), total)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = Fraction(sum(count * seconds[label] for label, count in firsts.items()), total * total)
    return Fraction(1) if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)


def _must_be_seen(candidate: Candidate) -> DrawReason | None:
    if candidate.in_distress:
        return DrawReason.DISTRESS
    if candidate.has_flaw:
        return DrawReason.FLAW
    return DrawReason.COMPLAINT if candidate.complained else None


def _lot(week: str, conversation_id: str) -> bytes:
    return sha256(f"{week} {conversation_id}".encode()).digest()
