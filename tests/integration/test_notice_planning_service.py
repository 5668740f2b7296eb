"""Planning against both databases: facts change, the plan follows, and what falls due is read again when sent."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select, update

from bot import scheduler
from bot.clock import SHANGHAI, business_date, local
from bot.desk.ownership import Owner, QueueReason
from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.services import (
    demo,
    handoff,
    heartbeats,
    holds,
    negotiation,
    notice_news,
    notice_planning,
    notice_preview,
    reminders,
)
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.services.inbound import record_text
from bot.services.notice_planning import Planned
from bot.services.payments import Booked, IncomingPayment, receive
from bot.services.reminders import Swept
from bot.store.tables import Borrower, ContactWish, Contract, Conversation, Debt, Instalment, Outbox, Reminder
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock, a_borrower, an_operator
from tests.builders.threads import at_once

TEN_DAYS_LATE = Owed(days_late=10)
FIRST_STEP, SECOND_STEP = date(2026, 11, 26), date(2026, 12, 15)
"""Days 15 and 34 of a debt that is ten days late on 21 November 2026."""

THIRD_IN_SIGHT = date(2026, 12, 2)
"""In whose small hours day 55 lies within the days ahead that are planned."""


@pytest.fixture
def debt(deps: Deps, borrower: str) -> str:
    return a_debt_of(deps, borrower, TEN_DAYS_LATE)


@pytest.fixture
def chat(deps: Deps, borrower: str, debt: str) -> str:
    return verified(deps, borrower, "telegram")


def at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def planned_again(deps: Deps, borrower_id: str) -> Planned:
    with deps.begin() as session:
        notice_planning.touch(session, borrower_id, deps.now())
    return notice_planning.sweep(deps)


def rows(deps: Deps, topic: Topic | None = None, state: str = "planned") -> list[Reminder]:
    with deps.begin() as session:
        found = session.scalars(select(Reminder).where(Reminder.state == state).order_by(Reminder.send_at)).all()
        return [row for row in found if topic is None or row.topic == topic]


def days(deps: Deps, topic: Topic) -> list[date]:
    return [local(row.send_at).date() for row in rows(deps, topic)]


def due_at(deps: Deps, borrower_id: str) -> datetime | None:
    with deps.begin() as session:
        return session.get_one(Borrower, borrower_id).notices_due_at


def said(deps: Deps, chat: str) -> int:
    return sum(message.author == "bot" for message in messages_after(deps, chat, 0))


def a_hold(deps: Deps, borrower_id: str, kind: HoldKind, until: datetime | None = None) -> str:
    with deps.begin() as session:
        return holds.place(session, deps.now(), kind, borrower_id=borrower_id, until=until).hold_id


def release(deps: Deps, chat: str) -> None:
    """Let the conversation be nobody's any more: the phone is in other hands."""
    with deps.begin() as session:
        session.get_one(Conversation, chat).borrower_id = None


def all_paid(deps: Deps, debt_id: str) -> None:
    with deps.begin() as session:
        number = session.scalars(select(Contract.number).join(Debt).where(Debt.id == debt_id)).one()
    paid = IncomingPayment(number, business_date(deps.now()), 5_000_000, "p-1", "bank")
    assert isinstance(receive(deps, paid), Booked)


def let_pass(deps: Deps, clock: SetClock, end: datetime) -> None:
    """Let days pass: what is new is taken in, notices are planned in the small hours and decided at ten."""
    while clock.instant < end:
        day = local(clock.instant).date()
        rounds = (at(day, 2), at(day), at(day + timedelta(days=1), 2))
        clock.instant = min(end, next(instant for instant in rounds if instant > clock.instant))
        notice_news.take_in(deps)
        notice_planning.sweep(deps)
        reminders.sweep(deps)


# Planning ------------------------------------------------------------------------------------------------------------


def test_a_touched_borrower_is_planned_and_looked_at_again_when_time_may_change_the_plan(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    assert planned_again(deps, borrower) == Planned(1, 2, 0)
    assert days(deps, Topic.OVERDUE) == [FIRST_STEP, SECOND_STEP]
    assert due_at(deps, borrower) == at(THIRD_IN_SIGHT, 2)
    clock.instant = at(THIRD_IN_SIGHT - timedelta(days=1), 2)
    assert notice_planning.sweep(deps) == Planned()


def test_whoever_was_written_to_is_looked_at_in_the_next_small_hours(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    planned_again(deps, borrower)
    clock.instant = at(FIRST_STEP)
    assert reminders.sweep(deps) == Swept(sent=1)
    assert due_at(deps, borrower) == at(FIRST_STEP + timedelta(days=1), 2)


def test_a_hold_that_ends_by_itself_has_the_borrower_looked_at_that_night(deps: Deps, borrower: str, chat: str) -> None:
    a_hold(deps, borrower, HoldKind.PAUSE, until=at(date(2026, 11, 24)))
    planned_again(deps, borrower)
    assert due_at(deps, borrower) == at(date(2026, 11, 25), 2)


def test_planning_twice_plans_once(deps: Deps, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    assert planned_again(deps, borrower) == Planned(1, 0, 0)


def test_who_has_nothing_ahead_is_not_looked_at_again(deps: Deps, borrower: str) -> None:
    assert planned_again(deps, borrower) == Planned(1, 0, 0)
    assert due_at(deps, borrower) is None
    assert notice_planning.sweep(deps) == Planned()


@pytest.mark.parametrize(
    "owed",
    [
        Owed(days_late=10, limitation_known=False),
        Owed(days_late=1_200, lent_days_ago=1_300),
        Owed(days_late=10, disputed=True),
        Owed(days_late=10, principal_fen=900),
    ],
    ids=["dates unknown", "time-barred", "disputed", "a small rest"],
)
def test_such_a_debt_is_not_written_about(deps: Deps, borrower: str, owed: Owed) -> None:
    a_debt_of(deps, borrower, owed)
    assert planned_again(deps, borrower).planned == 0


def test_a_plan_takes_the_place_of_the_ladder(deps: Deps, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    plan = a_plan(deps, chat)
    assert rows(deps, Topic.OVERDUE) == []
    assert {row.rule for row in rows(deps, Topic.OVERDUE, "superseded")} == {notice_planning.REPLANNED}
    assert len(rows(deps, Topic.PLAN)) == 2 * len(plan.instalments)


def test_offers_are_recalled_before_they_end_and_not_once_they_are_agreed_to(
    deps: Deps, borrower: str, chat: str
) -> None:
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    notice_planning.sweep(deps)
    (notice,) = rows(deps, Topic.QUOTE)
    assert notice.due_on is not None
    assert local(notice.send_at).date() == notice.due_on - timedelta(days=1)
    a_plan(deps, chat)
    assert rows(deps, Topic.QUOTE) == []


def test_a_wish_moves_what_is_planned(deps: Deps, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    with deps.begin() as session:
        session.add(ContactWish(borrower_id=borrower, day_of_month=28, send_at=time(19), changed_at=deps.now()))
    planned_again(deps, borrower)
    assert [local(row.send_at) for row in rows(deps, Topic.OVERDUE)] == [at(date(2026, 11, 30), 19)]


def test_what_was_called_off_is_taken_up_again_under_its_key(deps: Deps, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    keys = {row.key for row in rows(deps, Topic.OVERDUE)}
    hold = a_hold(deps, borrower, HoldKind.PERSON)
    planned_again(deps, borrower)
    assert rows(deps, Topic.OVERDUE) == []
    with deps.begin() as session:
        holds.lift(session, deps, hold, lifted_by=None)
    notice_planning.sweep(deps)
    assert {row.key for row in rows(deps, Topic.OVERDUE)} == keys


def test_what_the_gate_put_off_is_left_where_it_is(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    clock.instant = at(FIRST_STEP, 21)
    assert reminders.sweep(deps) == Swept(deferred=1)
    planned_again(deps, borrower)
    first = rows(deps, Topic.OVERDUE)[0]
    assert (local(first.send_at), first.rule) == (at(FIRST_STEP + timedelta(days=1), 9), "T2")


def test_of_sweepers_at_once_each_borrower_is_planned_by_one(deps: Deps, clock: SetClock) -> None:
    whom = [a_borrower(deps, phone=f"1390000{n:04d}", id_number=f"11010119900202{n:04d}") for n in range(6)]
    for one in whom:
        a_debt_of(deps, one, TEN_DAYS_LATE)
        with deps.begin() as session:
            notice_planning.touch(session, one, deps.now())
    swept = at_once(3, lambda _: notice_planning.sweep(deps))
    assert sum(each.planned for each in swept) == len(rows(deps, Topic.OVERDUE))
    assert len({(row.borrower_id, row.key) for row in rows(deps)}) == 2 * len(whom)
    with deps.begin() as session:
        assert session.scalar(select(func.count()).where(Borrower.notices_due_at <= deps.now())) == 0


def test_accounts_that_are_written_in_are_planned_by_the_next_round(deps: Deps) -> None:
    demo.seed(deps)
    assert notice_planning.sweep(deps).borrowers > 0
    assert rows(deps, Topic.OVERDUE)


# Sending -------------------------------------------------------------------------------------------------------------


def test_a_step_is_sent_on_its_channel_and_says_nothing_a_stranger_could_learn_from(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    planned_again(deps, borrower)
    clock.instant = at(FIRST_STEP)
    assert reminders.sweep(deps) == Swept(sent=1)
    (sent,) = rows(deps, Topic.OVERDUE, "sent")
    assert (sent.stage, sent.channel, sent.purpose) == ("s1", "telegram", "collection")
    text = messages_after(deps, chat, 0)[-1].text
    assert not any(character.isdigit() for character in text)
    assert not any(word in text for word in "欠债还逾催")


def test_the_wished_channel_is_chosen_before_the_one_used_last(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    clock.move(timedelta(hours=1))
    later = verified(deps, borrower, "sms")
    with deps.begin() as session:
        session.add(ContactWish(borrower_id=borrower, channel="telegram", changed_at=deps.now()))
    planned_again(deps, borrower)
    before = said(deps, chat), said(deps, later)
    clock.instant = at(FIRST_STEP)
    assert reminders.sweep(deps) == Swept(sent=1)
    assert (said(deps, chat), said(deps, later)) == (before[0] + 1, before[1])


@pytest.mark.parametrize("told", [True, False], ids=["planned again", "found when it falls due"])
def test_a_paid_account_gets_nothing(
    deps: Deps, clock: SetClock, borrower: str, debt: str, chat: str, told: bool
) -> None:
    planned_again(deps, borrower)
    clock.instant = at(FIRST_STEP) - timedelta(hours=1)
    if told:
        all_paid(deps, debt)
    else:
        a_payment(deps, debt, 5_000_000)
    before = said(deps, chat)
    let_pass(deps, clock, at(SECOND_STEP + timedelta(days=1)))
    assert rows(deps, Topic.OVERDUE) == rows(deps, Topic.OVERDUE, "sent") == []
    assert said(deps, chat) == before
    assert {row.rule for row in rows(deps, Topic.OVERDUE, "superseded")} <= {notice_planning.REPLANNED, "nothing_due"}


def test_what_changed_since_the_last_round_is_planned_before_anything_is_sent(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    plan = a_plan(deps, chat)
    due_on = plan.instalments[0].due_on
    clock.instant = at(due_on - timedelta(days=3)) - timedelta(minutes=5)
    with deps.begin() as session:
        session.add(ContactWish(borrower_id=borrower, days_before=2, changed_at=deps.now()))
        notice_planning.touch(session, borrower, deps.now())
    clock.instant = at(due_on - timedelta(days=3))
    reminders.sweep(deps)
    with deps.begin() as session:
        part = session.scalars(select(Instalment.id).order_by(Instalment.number)).first()
        keys = session.scalars(select(Reminder.key).where(Reminder.instalment_id == part, Reminder.state == "planned"))
        assert list(keys) == [f"instalment:{part}:D-2"]


def test_a_step_that_an_outage_made_too_late_is_never_sent(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    planned_again(deps, borrower)
    clock.instant = at(FIRST_STEP + timedelta(days=deps.ladder.days_late + 1))
    assert reminders.sweep(deps) == Swept(superseded=1)
    assert [row.rule for row in rows(deps, Topic.OVERDUE, "superseded")] == ["nothing_due"]


def test_one_that_cannot_be_decided_keeps_no_other_from_it(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    other = a_borrower(deps, "李四四", "13800000002", "110101199001010022")
    a_debt_of(deps, other, TEN_DAYS_LATE)
    verified(deps, other, "telegram")
    planned_again(deps, borrower)
    planned_again(deps, other)
    with deps.begin() as session:
        session.execute(update(Reminder).where(Reminder.borrower_id == borrower).values(topic="no such topic"))
        session.execute(update(Borrower).values(notices_due_at=None))
    clock.instant = at(FIRST_STEP)
    assert reminders.sweep(deps) == Swept(sent=1, failed=1)


# Two unanswered ------------------------------------------------------------------------------------------------------


def test_after_two_unanswered_a_person_is_asked_once_and_nothing_more_is_sent(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    planned_again(deps, borrower)
    before = said(deps, chat)
    let_pass(deps, clock, at(date(2027, 1, 5)))
    assert said(deps, chat) == before + 2
    let_pass(deps, clock, at(date(2027, 3, 10)))
    assert said(deps, chat) == before + 2
    with deps.begin() as session:
        conversation = session.get_one(Conversation, chat)
        assert (conversation.owner, conversation.queue_reason) == (Owner.QUEUED, QueueReason.NO_ANSWER)
    assert [row.rule for row in rows(deps, Topic.OVERDUE, "superseded")].count("F3") == 1


def test_who_answers_is_written_to_again(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    planned_again(deps, borrower)
    before = said(deps, chat)
    let_pass(deps, clock, at(SECOND_STEP + timedelta(days=1)))
    record_text(deps, chat, "k", "查看")
    let_pass(deps, clock, at(date(2027, 1, 10)))
    assert said(deps, chat) == before + 3


# After a pause -------------------------------------------------------------------------------------------------------


def test_after_a_pause_the_first_word_is_that_notices_begin_again(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    hold = a_hold(deps, borrower, HoldKind.COMPLAINT)
    clock.move(timedelta(days=2))
    assert handoff.lift_hold(deps, hold, an_operator(deps))
    let_pass(deps, clock, at(date(2026, 12, 10)))
    sent = [(row.topic, row.decided_at) for row in rows(deps, state="sent")]
    assert [topic for topic, _ in sent] == [Topic.RESUMED, Topic.OVERDUE]
    assert sent[0][1] is not None
    assert sent[1][1] is not None
    assert sent[1][1] - sent[0][1] >= timedelta(days=3)


def test_the_borrowers_own_pause_ends_with_its_own_words(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    a_hold(deps, borrower, HoldKind.PAUSE, until=at(date(2026, 11, 25), 0))
    planned_again(deps, borrower)
    (resumed,) = rows(deps, Topic.RESUMED)
    assert (resumed.stage, local(resumed.send_at)) == ("pause", at(date(2026, 11, 25)))
    let_pass(deps, clock, at(date(2026, 11, 25), 11))
    assert [row.topic for row in rows(deps, state="sent")] == [Topic.RESUMED]


def test_a_pause_that_the_borrower_took_back_is_not_announced(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    hold = a_hold(deps, borrower, HoldKind.PAUSE, until=at(date(2026, 12, 25), 0))
    clock.move(timedelta(days=2))
    with deps.begin() as session:
        holds.lift(session, deps, hold, lifted_by=None)
    planned_again(deps, borrower)
    assert rows(deps, Topic.RESUMED) == []
    assert rows(deps, Topic.OVERDUE)


def test_the_word_that_notices_begin_again_is_not_forgotten_while_it_reaches_nobody(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    hold = a_hold(deps, borrower, HoldKind.DISPUTE)
    clock.move(timedelta(days=2))
    assert handoff.lift_hold(deps, hold, an_operator(deps))
    release(deps, chat)
    let_pass(deps, clock, at(date(2027, 4, 1)))
    assert rows(deps, state="sent") == []
    verified(deps, borrower, "telegram")
    let_pass(deps, clock, at(date(2027, 5, 20)))
    sent = [(row.topic, row.decided_at) for row in rows(deps, state="sent")]
    assert [topic for topic, _ in sent][:2] == [Topic.RESUMED, Topic.OVERDUE]
    assert sent[0][1] is not None
    assert sent[1][1] is not None
    assert sent[1][1] - sent[0][1] >= timedelta(days=3)


def test_a_pause_that_ended_under_another_is_announced_after_both(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    a_hold(deps, borrower, HoldKind.PAUSE, until=at(date(2026, 11, 25), 0))
    outer = a_hold(deps, borrower, HoldKind.PERSON)
    let_pass(deps, clock, at(date(2027, 1, 20)))
    assert rows(deps, state="sent") == []
    assert handoff.lift_hold(deps, outer, an_operator(deps))
    let_pass(deps, clock, at(date(2027, 2, 20)))
    assert [row.topic for row in rows(deps, state="sent")][:2] == [Topic.RESUMED, Topic.OVERDUE]


def test_who_asks_for_notices_again_needs_no_word_about_a_pause_before(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    a_hold(deps, borrower, HoldKind.PAUSE, until=at(date(2026, 11, 25), 0))
    stop = a_hold(deps, borrower, HoldKind.OPT_OUT)
    let_pass(deps, clock, at(date(2026, 12, 1)))
    with deps.begin() as session:
        holds.lift(session, deps, stop, lifted_by=None)
    planned_again(deps, borrower)
    assert rows(deps, Topic.RESUMED) == []
    assert rows(deps, Topic.OVERDUE)


def test_a_plans_notice_waits_for_the_word_that_notices_begin_again(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    plan = a_plan(deps, chat)
    due_on = plan.instalments[0].due_on
    hold = a_hold(deps, borrower, HoldKind.DISTRESS)
    clock.instant = at(due_on - timedelta(days=3), 8)
    assert handoff.lift_hold(deps, hold, an_operator(deps))
    clock.instant = at(due_on - timedelta(days=3))
    let_pass(deps, clock, at(due_on))
    assert [row.topic for row in rows(deps, state="sent")] == [Topic.RESUMED, Topic.PLAN]


# The scheduler -------------------------------------------------------------------------------------------------------


def test_two_schedulers_by_mistake_send_once(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    with deps.begin() as session:
        notice_planning.touch(session, borrower, deps.now())
    at_once(2, lambda _: scheduler.tick(deps))
    clock.instant = at(FIRST_STEP)
    before = said(deps, chat)
    at_once(2, lambda _: scheduler.tick(deps))
    assert said(deps, chat) == before + 1
    with deps.begin() as session:
        assert session.scalar(select(func.count()).select_from(Outbox)) == 1


def test_a_silent_scheduler_is_late_and_a_tick_is_a_sign_of_life(deps: Deps, clock: SetClock) -> None:
    assert heartbeats.scheduler_health(deps).is_late
    scheduler.tick(deps)
    assert heartbeats.scheduler_health(deps) == heartbeats.SchedulerHealth(deps.now(), is_late=False)
    clock.move(heartbeats.longest_silence(deps))
    assert not heartbeats.scheduler_health(deps).is_late
    clock.move(timedelta(seconds=1))
    assert heartbeats.scheduler_health(deps).is_late
    scheduler.tick(deps)
    assert not heartbeats.scheduler_health(deps).is_late


# Looking ahead -------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_will_happen_and_writes_nothing(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    lines = notice_preview.preview(deps, "13800000001", 40)
    assert not isinstance(lines, notice_preview.UnknownBorrower)
    assert [(line.topic, line.stage, line.outcome, line.channel) for line in lines] == [
        (Topic.OVERDUE, "s1", "sent", "telegram"),
        (Topic.OVERDUE, "s2", "sent", "telegram"),
    ]
    assert rows(deps) == []
    assert due_at(deps, borrower) is None
    planned_again(deps, borrower)
    let_pass(deps, clock, at(date(2026, 12, 20)))
    assert [row.decided_at for row in rows(deps, state="sent")] == [line.at for line in lines]


def test_a_preview_says_why_not(deps: Deps, borrower: str, chat: str) -> None:
    plan = a_plan(deps, chat)
    a_hold(deps, borrower, HoldKind.DISPUTE)
    lines = notice_preview.preview(deps, borrower, 60)
    assert not isinstance(lines, notice_preview.UnknownBorrower)
    assert {(line.outcome, line.rule) for line in lines} == {("refused", "F6")}
    assert len(lines) >= 2
    assert local(lines[0].at).date() == plan.instalments[0].due_on - timedelta(days=3)


def test_a_preview_of_nobody_is_refused(deps: Deps) -> None:
    assert notice_preview.preview(deps, "13900000000", 30) == notice_preview.UnknownBorrower()
