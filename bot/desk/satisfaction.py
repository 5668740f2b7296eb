"""How it went, in the borrower's own judgement: one tap from 1 to 5 when something has come to its end.

Nobody is asked twice for the same thing, and nobody whose mind is on something heavier: see ``may_ask``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

SCORES = range(1, 6)
"""1 is very bad, 5 very good."""

ASK_AGAIN_AFTER = timedelta(days=30)
"""Whoever was asked, over whichever channel, is left alone for so long, whether they answered or not."""

STILL_THERE = timedelta(hours=1)
"""Somebody who wrote within this time is still in the conversation; to anybody else the question would come unasked."""


class Moment(StrEnum):
    """What has come to its end."""

    HANDED_BACK = "handed_back"
    AGREED = "agreed"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a conversation at such a moment; instants are aware.

    ``is_held``: some reason for silence stands. ``has_open_case``: a complaint, dispute or request that nobody has
    decided. ``is_waiting``: for a person, or with one. ``weighs_offer``: a plan lies before the borrower to answer.
    ``last_asked_at`` is over all conversations of this person.
    """

    is_held: bool
    has_open_case: bool
    is_waiting: bool
    weighs_offer: bool
    last_asked_at: datetime | None
    last_inbound_at: datetime | None


def may_ask(situation: Situation, now: datetime) -> bool:
    """Tell whether to ask: never under a hold, beside a case or an offer, while a person is waited for, or twice."""
    if situation.is_waiting or situation.has_open_case or situation.is_held or situation.weighs_offer:
        return False
    if situation.last_inbound_at is None or now - situation.last_inbound_at > STILL_THERE:
        return False
    return situation.last_asked_at is None or now - situation.last_asked_at >= ASK_AGAIN_AFTER


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of asking so many times; ``counts`` holds every score, the lowest first."""

    asked: int
    counts: tuple[tuple[int, int], ...]

    @property
    def answered(self) -> int:
        """How many gave a score."""
        return sum(count for _, count in self.counts)

    @property
    def mean(self) -> Decimal | None:
        """The mean score to two places; None without any."""
        if not self.answered:
            return None
        whole = sum(score * count for score, count in self.counts)
        return (Decimal(whole) / self.answered).quantize(Decimal("0.01"))

    @property
    def satisfied_percent(self) -> int | None:
        """How many of a hundred answers were 4 or 5, rounded down; None without any."""
        good = sum(count for score, count in self.counts if score >= SCORES.stop - 2)
        return good * 100 // self.answered if self.answered else None


def tally(scores: Iterable[int | None]) -> Tally:
    """Count scores, one for each time somebody was asked; None where nobody answered."""
    given = list(scores)
    counted = Counter(score for score in given if score is not None)
    return Tally(len(given), tuple((score, counted[score]) for score in SCORES))
