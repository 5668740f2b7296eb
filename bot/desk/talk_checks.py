"""What is looked for in every conversation without anybody asking. Pure: rules of words and hours are brought along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.desk.fulltext import fold, index_tokens
from bot.desk.owed_answers import OwedAnswer

SAME_IN_A_ROW = 3
"""So many times the same answer to different words is a loop."""

NEEDS_NO_ANSWER = frozenset({"goodbye", "thank"})
"""Intents after which silence is no neglect."""


class TalkFlaw(StrEnum):
    """What is wrong with a conversation."""

    FORBIDDEN_WORDS = "forbidden_words"
    OFF_HOURS = "off_hours"
    UNANSWERED = "unanswered"
    LOOP = "loop"
    MISSED_RIGHT = "missed_right"


@dataclass(frozen=True, slots=True)
class Line:
    """One message: ``is_ours`` by the bot or a person of the desk, ``by_person`` the latter. ``at`` is aware."""

    seq: int
    text: str
    at: datetime
    is_ours: bool
    by_person: bool = False
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class TalkFound:
    """A flaw at a message; ``rule`` is the rule of the tone gate that was broken, or the right nobody spoke of."""

    flaw: TalkFlaw
    seq: int
    rule: str | None = None


def check_talk(
    lines: Sequence[Line],
    forbidden: Callable[[Line], str | None],
    may_begin_at: Callable[[datetime], bool],
    answers_within: timedelta,
    owed: Sequence[OwedAnswer] = (),
) -> tuple[TalkFound, ...]:
    """Return what is wrong with a conversation that has gone quiet, in the order of its messages.

    ``forbidden`` names the rule that our words break. ``may_begin_at`` says whether an hour suits for writing to
    somebody; within ``answers_within`` of the borrower's own words any hour does. ``owed`` are the rights that somebody
    who speaks of them must be told of.
    """
    found = [*_said_wrong(lines, forbidden), *_at_night(lines, may_begin_at, answers_within), *_loops(lines)]
    found += _missed_rights(lines, owed)
    if (unanswered := _unanswered(lines)) is not None:
        found.append(TalkFound(TalkFlaw.UNANSWERED, unanswered))
    return tuple(sorted(found, key=lambda one: (one.seq, one.flaw)))


def _said_wrong(lines: Sequence[Line], forbidden: Callable[[Line], str | None]) -> list[TalkFound]:
    broken = [(line.seq, forbidden(line)) for line in lines if line.is_ours]
    return [TalkFound(TalkFlaw.FORBIDDEN_WORDS, seq, rule) for seq, rule in broken if rule is not None]


def _at_night(
    lines: Sequence[Line], may_begin_at: Callable[[datetime], bool], answers_within: timedelta
) -> list[TalkFound]:
    found = []
    heard: datetime | None = None
    for line in lines:
        if not line.is_ours:
            heard = line.at
        elif (heard is None or line.at - heard > answers_within) and not may_begin_at(line.at):
            found.append(TalkFound(TalkFlaw.OFF_HOURS, line.seq))
    # What opens a conversation answers somebody who has come to the desk.
    return [one for one in found if lines[0].seq != one.seq or not lines[0].is_ours]


def _loops(lines: Sequence[Line]) -> list[TalkFound]:
    """Find where the bot gives the same answer to one message after the other; each loop once."""
    found, last, times, heard = [], "", 0, False
    for line in lines:
        if line.by_person:
            last, times = "", 0
        elif not line.is_ours:
            heard = True
        elif heard:
            said = " ".join(index_tokens(line.text))
            times = times + 1 if said == last else 1
            last, heard = said, False
            if times == SAME_IN_A_ROW:
                found.append(TalkFound(TalkFlaw.LOOP, line.seq))
    return found


def _missed_rights(lines: Sequence[Line], owed: Sequence[OwedAnswer]) -> list[TalkFound]:
    """Find rights that the borrower spoke of and none of our later words leads on to; each at its first mention.

    Where nothing has been said since, there is no answer at all, which is a flaw of its own.
    """
    found = []
    folded = [(line, fold(line.text)) for line in lines]
    for right in owed:
        asked = (at for at, (line, text) in enumerate(folded) if not line.is_ours and right.asked.search(text))
        if (place := next(asked, None)) is None:
            continue
        answers = [text for line, text in folded[place + 1 :] if line.is_ours]
        if answers and not any(right.told.search(text) for text in answers):
            found.append(TalkFound(TalkFlaw.MISSED_RIGHT, folded[place][0].seq, right.id))
    return found


def _unanswered(lines: Sequence[Line]) -> int | None:
    """Return the first of the borrower's last words if nobody has said anything since."""
    waiting: list[Line] = []
    for line in lines:
        if line.is_ours:
            waiting = []
        else:
            waiting.append(line)
    asking = [line for line in waiting if line.intent not in NEEDS_NO_ANSWER]
    return asking[0].seq if asking else None
