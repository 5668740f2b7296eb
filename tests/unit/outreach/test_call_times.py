"""When somebody who asked for a call may be called, and when they asked for it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.outreach.call_asking import CallAsked, read_call_asked
from bot.outreach.call_times import (
    FARTHEST,
    FORBIDDING,
    LEAD,
    SLOT,
    Callee,
    CallRule,
    first_on,
    forbidden_by,
    is_late,
    is_staffed,
    open_times,
    refused_on,
)
from bot.outreach.gate import HoldKind, Limits
from bot.outreach.wishes import ContactWishes
from bot.text.normalize import normalize_text
from bot.text.values import extract

LIMITS = Limits()
ANYBODY = Callee(ContactWishes())


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """Return a time in November 2026; the 24th is a Tuesday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


NOW = at(11)


@pytest.mark.parametrize(
    ("when", "rule"),
    [
        (at(14), None),
        (at(19), None),
        (at(9, day=25), None),
        (at(10, 30), None),
        (at(9), CallRule.PAST),
        (at(9, day=9) + timedelta(days=30), CallRule.TOO_FAR),
        (at(22), CallRule.HARD_BAN),
        (at(21, 30), CallRule.HARD_BAN),
        (at(23, 30), CallRule.HARD_BAN),
        (at(7, 59, day=25), CallRule.HARD_BAN),
        (at(8, day=25), CallRule.SOFT_WINDOW),
        (at(19, 1), CallRule.SOFT_WINDOW),
        (at(20), CallRule.SOFT_WINDOW),
    ],
)
def test_a_call_is_arranged_within_the_hours_only(when: datetime, rule: CallRule | None) -> None:
    assert forbidden_by(when, NOW, ANYBODY, LIMITS) is rule


def test_the_borrowers_quiet_hours_are_kept() -> None:
    callee = Callee(ContactWishes(quiet_from=at(12).time(), quiet_to=at(14).time()))
    found = [forbidden_by(at(11, 15 * n), NOW, callee, LIMITS) for n in range(4)]
    assert found == [None, CallRule.WISH, CallRule.WISH, CallRule.WISH]
    assert forbidden_by(at(14), NOW, callee, LIMITS) is None


def test_nobody_is_called_twice_a_day() -> None:
    called = Callee(ContactWishes(), called_at=(at(9, 30),))
    assert forbidden_by(at(18), NOW, called, LIMITS) is CallRule.FREQUENCY
    assert forbidden_by(at(18, day=25), NOW, called, LIMITS) is None


@pytest.mark.parametrize("kind", HoldKind)
def test_some_are_not_called_at_all(kind: HoldKind) -> None:
    held = Callee(ContactWishes(), holds=frozenset({kind}))
    assert forbidden_by(at(14), NOW, held, LIMITS) is (CallRule.HOLD if kind in FORBIDDING else None)


def test_wishes_that_cannot_be_read_forbid() -> None:
    assert forbidden_by(at(14), NOW, Callee(None), LIMITS) is CallRule.UNKNOWN
    assert open_times(NOW, Callee(None), LIMITS) == ()


def test_the_next_hour_is_proposed_first_then_usual_ones() -> None:
    assert open_times(NOW, ANYBODY, LIMITS) == (at(12), at(14), at(18))
    assert open_times(at(23), ANYBODY, LIMITS) == (at(9, day=25), at(10, day=25), at(14, day=25))
    assert open_times(at(18, 45), ANYBODY, LIMITS)[0] == at(9, day=25)


def test_a_day_begins_at_ten_where_it_can() -> None:
    assert first_on(date(2026, 11, 25), NOW, ANYBODY, LIMITS) == at(10, day=25)
    assert first_on(date(2026, 11, 24), at(19, 30), ANYBODY, LIMITS) is None
    quiet = Callee(ContactWishes(quiet_from=at(10).time(), quiet_to=at(20).time()))
    assert first_on(date(2026, 11, 25), NOW, quiet, LIMITS) == at(9, day=25)


@pytest.mark.parametrize(
    ("day", "now", "callee", "rule"),
    [
        (date(2026, 11, 24), at(13, 5), Callee(ContactWishes(), called_at=(at(13, 5),)), CallRule.FREQUENCY),
        (date(2026, 12, 22), NOW, ANYBODY, CallRule.TOO_FAR),
        (date(2026, 11, 23), NOW, ANYBODY, CallRule.PAST),
        (date(2026, 11, 24), at(19, 30), ANYBODY, CallRule.PAST),
        (date(2026, 11, 25), NOW, Callee(ContactWishes(quiet_from=time(8), quiet_to=time(21))), CallRule.WISH),
        (date(2026, 11, 25), NOW, Callee(ContactWishes(), frozenset({HoldKind.MINOR})), CallRule.HOLD),
        (date(2026, 11, 25), NOW, Callee(None), CallRule.UNKNOWN),
    ],
)
def test_a_day_without_any_hour_is_refused_by_the_rule_that_is_true(
    day: date, now: datetime, callee: Callee, rule: CallRule
) -> None:
    assert first_on(day, now, callee, LIMITS) is None
    assert refused_on(day, now, callee, LIMITS) is rule


def test_only_a_day_whose_hours_are_just_too_short_is_outside_the_window() -> None:
    short = Limits(soft_start=time(13), soft_end=time(15))
    today = date(2026, 11, 24)
    assert first_on(today, at(14, 30), ANYBODY, short) is None
    assert refused_on(today, at(14, 30), ANYBODY, short) is CallRule.SOFT_WINDOW


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda naive: naive.replace(tzinfo=SHANGHAI)),  # noqa: DTZ001
    ahead=st.timedeltas(timedelta(hours=-2), FARTHEST + timedelta(days=1)),
    quiet=st.tuples(st.times(), st.times()).filter(lambda ends: ends[0] != ends[1]),
)
def test_no_call_ever_lies_outside_the_window_or_in_quiet_hours(
    now: datetime, ahead: timedelta, quiet: tuple[time, time]
) -> None:
    wishes = ContactWishes(quiet_from=quiet[0], quiet_to=quiet[1])
    callee = Callee(wishes)
    arranged = [when for when in (now + ahead,) if forbidden_by(when, now, callee, LIMITS) is None]
    for when in (*arranged, *open_times(now, callee, LIMITS)):
        begins, ends = when.astimezone(SHANGHAI), (when + SLOT).astimezone(SHANGHAI)
        assert LIMITS.soft_start <= begins.time() < ends.time() <= LIMITS.soft_end
        assert not wishes.quiet_at(begins.time())
    assert all(when >= now + LEAD for when in open_times(now, callee, LIMITS))


def test_the_desk_is_there_when_it_may_begin_to_speak() -> None:
    assert [is_staffed(at(hour), LIMITS) for hour in (8, 9, 19, 20, 23)] == [False, True, True, False, False]
    assert not is_late(at(12), at(12, 59))
    assert is_late(at(12), at(13))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("给我回个电话", CallAsked()),
        ("明天下午给我打电话", CallAsked(at=at(14, day=25))),
        ("明天上午九点半打给我", CallAsked(at=at(9, 30, day=25))),
        ("今晚7点打电话给我", CallAsked(at=at(19))),
        ("3点打给我", CallAsked(at=at(15))),
        ("上午10点回电", CallAsked(at=at(10, day=25))),
        ("后天打电话给我", CallAsked(on=date(2026, 11, 26))),
        ("两个小时以后打给我", CallAsked(at=at(13))),
        ("半小时后打过来", CallAsked(at=at(11, 30))),
        ("下班以后打给我", CallAsked(at=at(18))),
        ("晚上11点打给我", CallAsked(at=at(23))),
        ("不用打电话了", CallAsked(is_refused=True)),
        ("回电取消吧", CallAsked(is_refused=True)),
        ("不用打电话了,我晚上自己弄", CallAsked(is_refused=True)),
        ("不要打电话,发消息就行", CallAsked(is_refused=True)),
        ("别打了,我晚上打给你们", CallAsked(is_refused=True)),
        ("别给我打电话了再打我投诉", CallAsked(is_refused=True)),
        ("别打了,明天再打我就投诉", CallAsked(is_refused=True)),
        ("明天三点不行,不要三点打,改五点打", CallAsked(at=at(17, day=25))),
        ("上午别打,明天下午四点再打", CallAsked(at=at(16, day=25))),
        ("现在别打,今天晚上七点再打", CallAsked(at=at(19))),
        ("明天别打,改成后天上午", CallAsked(at=at(10, day=26))),
        ("先别打电话,等我下班再打", CallAsked(at=at(18))),
        ("不要打我老公电话,打我的", CallAsked()),
        ("别打座机,打手机", CallAsked()),
        ("", CallAsked()),
    ],
)
def test_when_a_call_is_wanted_is_read(text: str, asked: CallAsked) -> None:
    plain = normalize_text(text)
    assert read_call_asked(extract(plain, NOW), plain, NOW) == asked


@given(st.text())
def test_no_text_is_too_odd_to_read(text: str) -> None:
    plain = normalize_text(text)
    read_call_asked(extract(plain, NOW), plain, NOW)
