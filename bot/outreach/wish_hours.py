"""Reading at what hours somebody wants to be written to, or not. Pure; see ``wish_reading``.

An hour without a part of the day is the one that the window allows (七点 is 19:00); where it allows neither, both ends
are offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time

from bot.outreach import wish_words as words
from bot.outreach.gate import Limits
from bot.outreach.wish_change import Impossible, Obstacle, Question, QuietHours, Unclear
from bot.text.clock import TimeOfDay
from bot.text.values import Value

_HALF_AN_HOUR = 30
_MIDNIGHT = time(0)
_NOON = 12
_DAWN = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in a message: when not to write, when to write, or why neither can be noted."""

    quiet: QuietHours | None = None
    send_at: time | None = None
    trouble: Impossible | Unclear | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of the message with one thing to say; ``start`` and ``end`` are places in the whole text."""

    start: int
    end: int
    text: str
    refuses: bool


def read_hours(values: Sequence[Value], text: str, limits: Limits) -> Hours:
    """Return the hours that a message asks for, the last ones said where it names several."""
    read = [hours for clause in _clauses(text) if (hours := _in_clause(clause, values, text, limits)) is not None]
    sends = [hours for hours in read if hours.send_at is not None or hours.trouble is not None]
    quiet = _joined([hours.quiet for hours in read if hours.quiet is not None])
    if not sends:
        return Hours(quiet=quiet)
    send_at = sends[-1].send_at
    if quiet is not None and send_at is not None and quiet.start == _MIDNIGHT and quiet.end <= send_at:
        quiet = None  # 早上别发 改中午: nothing comes before the wished hour anyway
    return Hours(quiet=quiet, send_at=send_at, trouble=sends[-1].trouble)


def last_half_hour(limits: Limits) -> time:
    """The latest hour that can be wished for: half an hour before the window closes."""
    return _time(_minutes(limits.soft_end) - _HALF_AN_HOUR)


def _joined(said: Sequence[QuietHours]) -> QuietHours | None:
    """Quiet until an hour and quiet from an hour are one span over midnight; of others the last one said counts."""
    until = [quiet.end for quiet in said if quiet.start == _MIDNIGHT]
    since = [quiet.start for quiet in said if quiet.end == _MIDNIGHT]
    if until and since and max(until) < min(since):
        return QuietHours(min(since), max(until))
    return said[-1] if said else None


def _clauses(text: str) -> Iterator[_Clause]:
    """Split where a new wish begins; words without a verb belong to what follows them."""
    start = 0
    ends = [match.start() for match in words.SPLIT.finditer(text)] + [len(text)]
    for end in ends:
        part = text[start:end]
        if not part.strip(" ,，。;!?"):
            continue
        if end != len(text) and not words.WANTED.search(part) and not words.NO_CONTACT.search(part):
            continue
        yield _Clause(
            start, end, part, words.NO_CONTACT.search(part) is not None or words.BARRED.search(part) is not None
        )
        start = end


def _in_clause(clause: _Clause, values: Sequence[Value], text: str, limits: Limits) -> Hours | None:
    times = [
        value for value in values if isinstance(value.payload, TimeOfDay) and clause.start <= value.start < clause.end
    ]
    if len(times) == 2 and words.RANGE.fullmatch(text, times[0].end, times[1].start):
        return _range(times[0], times[1], text, limits, refuses=clause.refuses)
    if times and (hours := _one_time(times[-1], text, limits, refuses=clause.refuses)) is not None:
        return hours
    spoken = words.ONE_OR_TWO.search(clause.text)
    if spoken is not None and not clause.refuses:
        return _send((time(13 if spoken["hour"] == "一" else 14),), limits)
    return _part_of_day(clause, limits)


def _range(first: Value, second: Value, text: str, limits: Limits, *, refuses: bool) -> Hours | None:
    start = _within(first, text, limits)
    end = next(
        (each for each in _readings(second, text) if _minutes(each) > _minutes(start)), _readings(second, text)[-1]
    )
    if start == end:
        return None
    if refuses:
        return Hours(quiet=QuietHours(start, end))
    if end <= limits.soft_start or start >= limits.soft_end or start > end:
        return Hours(trouble=_closed(start, limits))
    return Hours(quiet=QuietHours(end, start))


def _one_time(value: Value, text: str, limits: Limits, *, refuses: bool) -> Hours | None:
    readings = _readings(value, text)
    if words.AFTER.match(text, value.end):
        if refuses:
            return _quiet(readings[-1], _MIDNIGHT)
        return _send(readings, limits)
    if words.BEFORE.match(text, value.end):
        if refuses:
            return _quiet(_MIDNIGHT, next((each for each in readings if each.hour >= _DAWN), readings[0]))
        latest = next((each for each in readings if each > limits.soft_start), None)
        return _quiet(latest, _MIDNIGHT) if latest is not None else Hours(trouble=_closed(readings[0], limits))
    if refuses:
        return None
    return _send(readings, limits)


def _quiet(start: time, end: time) -> Hours | None:
    return Hours(quiet=QuietHours(start, end)) if start != end else None


def _send(readings: tuple[time, ...], limits: Limits) -> Hours:
    allowed = [each for each in readings if limits.soft_start <= each < limits.soft_end]
    if len(allowed) == 1 or (len(readings) == 1 and allowed):
        return Hours(send_at=allowed[0])
    if allowed:  # both halves of the day are open: only where the window is longer than half a day
        return Hours(trouble=Unclear(Question.HOUR, tuple(allowed)))
    if len(readings) == 1:
        return Hours(trouble=_closed(readings[0], limits))
    return Hours(trouble=Unclear(Question.HOUR, (limits.soft_start, last_half_hour(limits))))


def _closed(asked: time, limits: Limits) -> Impossible:
    nearest = limits.soft_start if asked < limits.soft_start else last_half_hour(limits)
    return Impossible(Obstacle.HOUR_CLOSED, asked=asked, nearest=nearest)


def _part_of_day(clause: _Clause, limits: Limits) -> Hours | None:
    for pattern, (start, end), when in words.PARTS:
        match = pattern.search(clause.text)
        if match is None or clause.text[match.end() : match.end() + 1] == "班":
            continue
        if clause.refuses:
            return Hours(quiet=QuietHours(start, end))
        if when is None or not words.SENDING.search(clause.text):
            return None
        return _send((when,), limits)
    return None


def _readings(value: Value, text: str) -> tuple[time, ...]:
    """The times that may be meant, earlier first: both halves of the day where no part of it was named."""
    clock = value.payload.value if isinstance(value.payload, TimeOfDay) else _MIDNIGHT
    said = text[max(0, value.start - 3) : value.end]
    if not 1 <= clock.hour < _NOON or words.DAY_PART.search(said):
        return (clock,)
    return (clock, clock.replace(hour=clock.hour + _NOON))


def _within(value: Value, text: str, limits: Limits) -> time:
    readings = _readings(value, text)
    return next((each for each in readings if limits.soft_start <= each < limits.soft_end), readings[-1])


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _time(minutes: int) -> time:
    return time(*divmod(minutes % (24 * 60), 60))
