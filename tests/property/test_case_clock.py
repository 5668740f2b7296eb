"""The clock of a case for any day of receipt: holidays, long weekends, leap days and year ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.clock import (
    COMPLAINT_DAYS,
    DATA_DAYS,
    DISPUTE_DAYS,
    SOON,
    Alarm,
    act_by,
    alarm_on,
    due_on,
    is_worse,
    most_extensions,
)
from bot.cases.course import OPEN, CaseAct, CaseState, NotPossible, after, keeps_silence, possible
from bot.cases.kinds import Family
from bot.cases.number import new_number, read_number
from bot.outreach.workdays import is_working_day

DAY = timedelta(days=1)
DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
FAMILIES = st.sampled_from(Family)


@st.composite
def clocks(draw: st.DrawFn) -> tuple[Family, date, int]:
    family = draw(FAMILIES)
    return family, draw(DAYS), draw(st.integers(0, most_extensions(family)))


@given(clocks())
def test_an_answer_is_due_after_the_days_of_the_rule_and_never_later(clock: tuple[Family, date, int]) -> None:
    family, received_on, extensions = clock
    days = {Family.COMPLAINT: COMPLAINT_DAYS, Family.DISPUTE: DISPUTE_DAYS, Family.DATA: DATA_DAYS}[family]
    assert due_on(family, received_on, extensions) - received_on == timedelta(days=days[extensions])


@given(clocks())
def test_within_the_desk_it_is_due_on_the_last_working_day_before(clock: tuple[Family, date, int]) -> None:
    last = due_on(*clock)
    end = act_by(last, is_working_day)
    assert end <= last
    assert is_working_day(end)
    assert not any(is_working_day(end + n * DAY) for n in range(1, (last - end).days + 1))
    assert end > clock[1], "no holiday is as long as the shortest clock"


@given(clocks())
def test_each_alarm_comes_once_in_order_and_the_first_leaves_three_working_days(
    clock: tuple[Family, date, int],
) -> None:
    received_on, last = clock[1], due_on(*clock)
    alarms = [alarm_on(last, received_on + n * DAY, is_working_day) for n in range((last - received_on).days + 3)]
    assert [one for place, one in enumerate(alarms) if place == 0 or alarms[place - 1] is not one] == list(Alarm)
    soon = received_on + alarms.index(Alarm.SOON) * DAY
    end = act_by(last, is_working_day)
    assert sum(is_working_day(soon + n * DAY) for n in range((end - soon).days)) == SOON
    assert alarms[(last - received_on).days] is Alarm.LAST_DAY
    assert alarms[-1] is Alarm.OVERDUE


@pytest.mark.parametrize(
    ("received", "extensions", "due", "within_the_desk"),
    [
        (date(2026, 11, 22), 0, date(2026, 12, 7), date(2026, 12, 7)),
        (date(2026, 9, 19), 0, date(2026, 10, 4), date(2026, 9, 30)),  # ends in the week of the national day
        (date(2026, 12, 18), 0, date(2027, 1, 2), date(2026, 12, 31)),  # ends in the holiday of the new year
        (date(2026, 12, 3), 2, date(2027, 2, 1), date(2027, 2, 1)),
        (date(2028, 2, 14), 0, date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_days_worked_out_by_hand(received: date, extensions: int, due: date, within_the_desk: date) -> None:
    last = due_on(Family.COMPLAINT, received, extensions)
    assert (last, act_by(last, is_working_day)) == (due, within_the_desk)


@given(FAMILIES, DAYS, st.integers(-3, 9))
def test_more_extensions_than_the_rule_knows_are_refused(family: Family, day: date, extensions: int) -> None:
    if 0 <= extensions <= most_extensions(family):
        assert due_on(family, day, extensions) > day
    else:
        with pytest.raises(ValueError, match="extensions"):
            due_on(family, day, extensions)


def test_alarms_have_an_order() -> None:
    alarms = list(Alarm)
    assert all(is_worse(late, early) for place, early in enumerate(alarms) for late in alarms[place + 1 :])
    assert not any(is_worse(one, one) for one in alarms)


# The course ----------------------------------------------------------------------------------------------------------


@given(FAMILIES, st.sampled_from(CaseState), st.sampled_from(CaseAct))
def test_the_table_is_total_and_says_what_is_possible(family: Family, state: CaseState, act: CaseAct) -> None:
    result = after(family, state, act)
    assert isinstance(result, NotPossible) == (act not in possible(family, state))


@given(FAMILIES, st.lists(st.sampled_from(CaseAct), max_size=12))
def test_no_course_decides_unseen_or_reopens_what_is_over(family: Family, acts: list[CaseAct]) -> None:
    state = CaseState.DRAFT if family is Family.DISPUTE else CaseState.RECEIVED
    seen = False
    for act in acts:
        result = after(family, state, act)
        if isinstance(result, NotPossible):
            continue
        seen = seen or act in (CaseAct.REVIEW, CaseAct.ASK_BORROWER)
        if result in (CaseState.UPHELD, CaseState.PARTLY_UPHELD, CaseState.REJECTED):
            assert seen
        if keeps_silence(family, result):
            assert state in (CaseState.DRAFT, *OPEN), "silence that has ended never comes back"
        state = result


@pytest.mark.parametrize("state", list(CaseState))
def test_only_what_is_open_or_has_to_be_corrected_keeps_silence(state: CaseState) -> None:
    assert not keeps_silence(Family.DATA, state)
    assert keeps_silence(Family.COMPLAINT, state) == (state in OPEN)
    assert keeps_silence(Family.DISPUTE, state) == (state in (*OPEN, CaseState.UPHELD, CaseState.PARTLY_UPHELD))


# Numbers -------------------------------------------------------------------------------------------------------------

DRAWN = st.integers(0, 89_999_999)


@given(DRAWN, st.sampled_from(["{}", "编号{}", "我的案件是 {} 谢谢", "（{}）"]), st.sampled_from(["-", " ", ""]))
def test_a_number_is_read_however_it_is_written(drawn: int, around: str, between: str) -> None:
    number = new_number(lambda _: drawn)
    assert read_number(around.format(number.replace("-", between))) == number


@given(DRAWN, st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_makes_no_number(drawn: int, place: int, by: int) -> None:
    digits = list(new_number(lambda _: drawn).replace("-", ""))
    digits[place] = str((int(digits[place]) + by) % 10)
    assert read_number("".join(digits)) is None


@given(DRAWN, st.integers(0, 8))
def test_two_digits_that_changed_places_make_no_number(drawn: int, place: int) -> None:
    digits = list(new_number(lambda _: drawn).replace("-", ""))
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    number = new_number(lambda _: drawn)
    assert read_number("".join(digits)) in (None, number)


@pytest.mark.parametrize("text", ["", "13800000001", "110101199001010014", "6222 0000 1111 2222 333", "编号"])
def test_other_figures_are_no_case_numbers(text: str) -> None:
    assert read_number(text) is None
