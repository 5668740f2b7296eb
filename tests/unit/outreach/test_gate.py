"""The contact gate, one rule of the table at a time."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bot.clock import SHANGHAI
from bot.outreach.gate import (
    CLOCKS_APART,
    Decision,
    HoldKind,
    Limits,
    PastNotice,
    Purpose,
    Recipient,
    Verdict,
    may_send,
)
from bot.outreach.wishes import ContactWishes

NOTICES = (Purpose.PLAN_NOTICE, Purpose.DUE_NOTICE, Purpose.COLLECTION)
ANSWERS = (Purpose.REPLY, Purpose.SAFETY)
NEW = Recipient(is_right_party=True, history=(), holds=frozenset(), last_inbound_at=None)


def at(hour: int, minute: int = 0, second: int = 0, day: int = 25) -> datetime:
    """A moment of November 2026 in Shanghai."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI)


def told(*moments: datetime, replied: datetime | None = None, due_key: str | None = None) -> Recipient:
    return replace(NEW, history=tuple(PastNotice(moment, due_key) for moment in moments), last_inbound_at=replied)


def ask(
    recipient: Recipient = NEW,
    now: datetime | None = at(10),  # noqa: B008
    purpose: Purpose = Purpose.PLAN_NOTICE,
    due_key: str | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Decision:
    return may_send(purpose, due_key, recipient, now, limits)


@pytest.mark.parametrize("purpose", NOTICES)
def test_a_first_notice_by_day_is_allowed(purpose: Purpose) -> None:
    assert ask(purpose=purpose) == Decision(Verdict.ALLOWED, "within_limits")


@pytest.mark.parametrize(
    ("now", "rule", "until"),
    [
        (at(22), "T1", at(9, day=26)),
        (at(23, 59, 59), "T1", at(9, day=26)),
        (at(0), "T1", at(9)),
        (at(3, 30), "T1", at(9)),
        (at(7, 59, 59), "T1", at(9)),
        (at(8), "T2", at(9)),
        (at(8, 59, 59), "T2", at(9)),
        (at(20), "T2", at(9, day=26)),
        (at(21, 59, 59), "T2", at(9, day=26)),
    ],
)
def test_outside_the_window_a_notice_waits_for_its_next_opening(now: datetime, rule: str, until: datetime) -> None:
    assert ask(now=now) == Decision(Verdict.DEFERRED, rule, until)


@pytest.mark.parametrize("now", [at(9), at(12), at(19, 59, 59)])
def test_inside_the_window_a_notice_goes_out(now: datetime) -> None:
    assert ask(now=now).verdict is Verdict.ALLOWED


def test_the_clock_on_the_wall_in_shanghai_counts_wherever_the_server_is() -> None:
    assert ask(now=datetime(2026, 11, 25, 15, 0, tzinfo=UTC)).rule == "T1"
    assert ask(now=datetime(2026, 11, 25, 1, 0, tzinfo=UTC)).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("purpose", ANSWERS)
@pytest.mark.parametrize("hold", HoldKind)
def test_answers_are_given_at_any_hour_and_under_any_hold(purpose: Purpose, hold: HoldKind) -> None:
    assert ask(replace(NEW, holds=frozenset({hold})), at(2), purpose).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("purpose", NOTICES)
@pytest.mark.parametrize(
    ("hold", "rule"),
    [
        (HoldKind.DISPUTE, "F6"),
        (HoldKind.COMPLAINT, "F6"),
        (HoldKind.DISTRESS, "F6"),
        (HoldKind.DECEASED, "F6"),
        (HoldKind.INCAPACITY, "F6"),
        (HoldKind.MINOR, "F6"),
        (HoldKind.PAUSE, "F6"),
        (HoldKind.PERSON, "F6"),
        (HoldKind.OPT_OUT, "F5"),
    ],
)
def test_a_silencing_hold_refuses_every_notice(purpose: Purpose, hold: HoldKind, rule: str) -> None:
    assert ask(replace(NEW, holds=frozenset({hold})), purpose=purpose) == Decision(Verdict.REFUSED, rule)


@pytest.mark.parametrize("purpose", NOTICES)
@pytest.mark.parametrize("hold", [HoldKind.PLAN, HoldKind.PAYMENT_SOUGHT])
def test_under_a_plan_and_while_a_payment_is_sought_only_notices_of_a_plan_go_out(
    purpose: Purpose, hold: HoldKind
) -> None:
    verdict = ask(replace(NEW, holds=frozenset({hold})), purpose=purpose).verdict
    assert verdict is (Verdict.ALLOWED if purpose is Purpose.PLAN_NOTICE else Verdict.REFUSED)


def test_nobody_but_the_verified_debtor_is_written_to() -> None:
    assert ask(replace(NEW, is_right_party=False)) == Decision(Verdict.REFUSED, "P1")


NAIVE = datetime(2026, 11, 25, 10)  # noqa: DTZ001
UNKNOWN: dict[str, tuple[Recipient, datetime | None]] = {
    "no clock": (NEW, None),
    "a clock without a zone": (NEW, NAIVE),
    "a clock at the end of the calendar": (NEW, datetime.max.replace(tzinfo=UTC)),
    "no history": (replace(NEW, history=None), at(10)),
    "wishes that cannot be read": (replace(NEW, wishes=None), at(10)),
    "a notice from the future": (told(at(10) + CLOCKS_APART + timedelta(milliseconds=1)), at(10)),
    "a notice without a zone": (told(NAIVE), at(10)),
    "a reply without a zone": (told(at(10, day=20), replied=NAIVE), at(10)),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_unknown_is_refused(case: str) -> None:
    recipient, now = UNKNOWN[case]
    assert ask(recipient, now) == Decision(Verdict.REFUSED, "unknown")


def test_a_second_notice_waits_a_whole_day() -> None:
    assert ask(told(at(10, 30, day=24)), at(10)) == Decision(Verdict.DEFERRED, "F1", at(10, 30))
    assert ask(told(at(10, 30, day=24)), at(10, 30)).verdict is Verdict.ALLOWED


def test_a_notice_dated_by_a_clock_a_little_ahead_is_waited_for() -> None:
    sent_at = at(10) + CLOCKS_APART
    assert ask(told(sent_at), at(10)) == Decision(Verdict.DEFERRED, "F1", sent_at + timedelta(days=1))


def test_a_notice_put_off_for_a_day_is_not_put_off_into_the_evening() -> None:
    late = at(19, 59, 59, day=24) + timedelta(seconds=30)
    assert ask(told(late), at(10)) == Decision(Verdict.DEFERRED, "F1", at(9, day=26))


def test_a_fourth_notice_within_seven_days_waits_for_the_first_to_be_seven_days_old() -> None:
    recipient = told(at(10, day=20), at(10, day=22), at(10, day=24), replied=at(11, day=24))
    assert ask(recipient, at(10)) == Decision(Verdict.DEFERRED, "F1", at(10, day=27))
    assert ask(recipient, at(10, day=27)).verdict is Verdict.ALLOWED


def test_after_two_unanswered_notices_seven_days_pass() -> None:
    recipient = told(at(10, day=20), at(10, day=22))
    assert ask(recipient, at(10)) == Decision(Verdict.DEFERRED, "F3", at(10, day=29))
    assert ask(recipient, at(10, day=29)).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("replied", [at(12, day=20), at(12, day=22)])
def test_a_reply_ends_the_silence(replied: datetime) -> None:
    assert ask(told(at(10, day=20), at(10, day=22), replied=replied), at(10)).verdict is Verdict.ALLOWED


def test_an_older_reply_does_not_end_the_silence() -> None:
    assert ask(told(at(10, day=20), at(10, day=22), replied=at(9, day=20)), at(10)).rule == "F3"


def test_a_due_date_is_announced_twice_at_most() -> None:
    recipient = told(at(10, day=11), at(10, day=13), due_key="instalment:1")
    assert ask(recipient, due_key="instalment:1") == Decision(Verdict.REFUSED, "F4")
    assert ask(recipient, due_key="instalment:2").verdict is Verdict.ALLOWED


HOLIDAY = datetime(2026, 10, 5, 10, tzinfo=SHANGHAI)
"""Within the National Day holiday of 2026, which ends on the 7th."""
AFTER_IT = datetime(2026, 10, 8, 9, tzinfo=SHANGHAI)


def test_a_collection_notice_waits_for_the_end_of_a_public_holiday() -> None:
    assert ask(now=HOLIDAY, purpose=Purpose.COLLECTION) == Decision(Verdict.DEFERRED, "D1", AFTER_IT)
    assert ask(now=AFTER_IT, purpose=Purpose.COLLECTION).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("purpose", [Purpose.PLAN_NOTICE, Purpose.DUE_NOTICE])
def test_what_helps_to_keep_a_date_goes_out_on_holidays_too(purpose: Purpose) -> None:
    assert ask(now=HOLIDAY, purpose=purpose).verdict is Verdict.ALLOWED


def test_the_night_before_a_holiday_defers_a_collection_notice_past_it() -> None:
    eve = datetime(2026, 9, 30, 21, tzinfo=SHANGHAI)
    assert ask(now=eve, purpose=Purpose.COLLECTION) == Decision(Verdict.DEFERRED, "T2", AFTER_IT)


def test_a_lender_may_leave_holidays_alone() -> None:
    limits = Limits(rest_on_holidays=False)
    assert ask(now=HOLIDAY, purpose=Purpose.COLLECTION, limits=limits).verdict is Verdict.ALLOWED


def wishing(**wishes: Any) -> Recipient:
    return replace(NEW, wishes=ContactWishes(**wishes))


def test_in_the_borrowers_quiet_hours_a_notice_waits_for_their_end() -> None:
    noon = wishing(quiet_from=time(12), quiet_to=time(14))
    assert ask(noon, at(12, 30)) == Decision(Verdict.DEFERRED, "W1", at(14))
    assert ask(noon, at(14)).verdict is Verdict.ALLOWED


def test_quiet_hours_over_midnight_put_off_to_the_next_day() -> None:
    evening = wishing(quiet_from=time(18), quiet_to=time(10))
    assert ask(evening, at(19)) == Decision(Verdict.DEFERRED, "W1", at(10, day=26))
    assert ask(evening, at(21)) == Decision(Verdict.DEFERRED, "T2", at(10, day=26))


def test_quiet_hours_that_leave_nothing_of_the_window_refuse() -> None:
    never = wishing(quiet_from=time(9), quiet_to=time(20))
    assert ask(never, at(10)) == Decision(Verdict.REFUSED, "W1")
    assert ask(never, at(3)) == Decision(Verdict.REFUSED, "W1")


def test_a_notice_waits_for_the_wished_hour_of_its_day_and_not_for_the_next_day() -> None:
    evening = wishing(send_at=time(19))
    assert ask(evening, at(10)) == Decision(Verdict.DEFERRED, "W1", at(19))
    assert ask(evening, at(19, 30)).verdict is Verdict.ALLOWED
    assert ask(evening, at(20)) == Decision(Verdict.DEFERRED, "T2", at(19, day=26))


@pytest.mark.parametrize("hour", [7, 20, 23])
def test_a_wished_hour_outside_the_window_never_widens_it(hour: int) -> None:
    assert ask(wishing(send_at=time(hour)), at(10)).verdict is Verdict.ALLOWED
    assert ask(wishing(send_at=time(hour)), at(hour, 30)).verdict is Verdict.DEFERRED


def test_whoever_wants_fewer_gets_fewer() -> None:
    once = replace(told(at(10, day=20), replied=at(11, day=20)), wishes=ContactWishes(per_seven_days=1))
    assert ask(once, at(10)) == Decision(Verdict.DEFERRED, "W1", at(10, day=27))
    assert ask(once, at(10, day=27)).verdict is Verdict.ALLOWED


def test_whoever_wants_more_gets_no_more() -> None:
    recipient = told(at(10, day=20), at(10, day=22), at(10, day=24), replied=at(11, day=24))
    assert ask(replace(recipient, wishes=ContactWishes(per_seven_days=9)), at(10)).rule == "F1"


WRONG_LIMITS: list[dict[str, Any]] = [
    {"hard_start": time(22, 30)},
    {"hard_end": time(7, 30)},
    {"soft_start": time(7, 30)},
    {"soft_end": time(22, 30)},
    {"soft_start": time(20), "soft_end": time(20)},
    {"soft_start": time(21), "soft_end": time(9)},
    {"soft_start": time(9, tzinfo=UTC)},
    {"per_seven_days": 0},
    {"per_due_date": 0},
    {"unanswered_before_pause": 0},
    {"apart": timedelta(0)},
    {"pause": timedelta(days=-1)},
]


@pytest.mark.parametrize("changes", WRONG_LIMITS, ids=str)
def test_limits_that_loosen_the_ban_or_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"window|counts|spans|zone"):
        Limits(**changes)


def test_limits_can_be_made_stricter() -> None:
    strict = Limits(hard_start=time(20), hard_end=time(9), soft_start=time(10), soft_end=time(18), per_seven_days=1)
    assert ask(now=at(9, 30), limits=strict) == Decision(Verdict.DEFERRED, "T2", at(10))
    assert ask(now=at(20), limits=strict).rule == "T1"
