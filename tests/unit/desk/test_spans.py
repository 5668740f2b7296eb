"""Days, weeks and months of Shanghai, and a wait counts from the first time somebody was put into the queue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from bot.desk.spans import HandOver, Span, Step, Unit, Wait, ranked, share, spans_until, waits

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_a_week_is_monday_to_sunday_in_shanghai() -> None:
    (last, this) = spans_until(date(2026, 11, 22), Unit.WEEK, 2)
    assert (last.first, this.first, this.last) == (date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 22))
    assert this.begins == datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
    assert last.ends == this.begins
    assert spans_until(date(2026, 11, 23), Unit.WEEK, 1) == (Span(date(2026, 11, 23), date(2026, 11, 29)),)


def test_days_and_months_follow_one_another_without_a_gap() -> None:
    assert spans_until(date(2026, 3, 1), Unit.DAY, 2) == (
        Span(date(2026, 2, 28), date(2026, 2, 28)),
        Span(date(2026, 3, 1), date(2026, 3, 1)),
    )
    months = spans_until(date(2026, 3, 31), Unit.MONTH, 14)
    assert months[-2:] == (Span(date(2026, 2, 1), date(2026, 2, 28)), Span(date(2026, 3, 1), date(2026, 3, 31)))
    assert months[0].first == date(2025, 2, 1)
    assert all(one.ends == other.begins for one, other in pairwise(months))


def test_asking_again_does_not_begin_the_wait_anew_and_leaving_ends_it() -> None:
    steps = [
        HandOver("one", Step.QUEUED, AT),
        HandOver("two", Step.QUEUED, AT + minutes(1)),
        HandOver("one", Step.QUEUED, AT + minutes(5)),
        HandOver("two", Step.LEFT, AT + minutes(6)),
        HandOver("one", Step.TAKEN, AT + minutes(9)),
        HandOver("two", Step.TAKEN, AT + minutes(10)),
        HandOver("one", Step.QUEUED, AT + minutes(20)),
        HandOver("one", Step.TAKEN, AT + minutes(22)),
    ]
    assert waits(steps) == (Wait("one", AT + minutes(9), minutes(9)), Wait("one", AT + minutes(22), minutes(2)))


def test_percentiles_are_values_there_were() -> None:
    lasted = [minutes(number) for number in (9, 1, 3, 5, 7, 2, 4, 6, 8, 10)]
    assert (ranked(lasted, 50), ranked(lasted, 90), ranked(lasted, 100)) == (minutes(5), minutes(9), minutes(10))
    assert ranked([minutes(4)], 50) == minutes(4)
    assert ranked([], 90) is None


def test_a_share_of_nothing_is_none() -> None:
    assert (share(2, 3), share(0, 3), share(0, 0)) == (66, 0, None)
