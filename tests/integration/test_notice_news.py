"""Who wrote, or got a hold, is planned again by the next round, whatever the clock did."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from bot.outreach.gate import HoldKind
from bot.outreach.notice import Topic
from bot.services import holds, notice_news, notice_planning
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.store.tables import Borrower, Reminder
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.desk import SetClock, a_borrower

HOUR = timedelta(hours=1)


def a_person(deps: Deps, number: int = 0) -> tuple[str, str]:
    """Somebody ten days late, with a chat; planned, and with nothing new about them."""
    person = a_borrower(deps, "演示", f"1390000{number:04d}", f"11010119900202{number:04d}")
    a_debt_of(deps, person, Owed(days_late=10))
    chat = verified(deps, person, "telegram")
    with deps.begin() as session:
        notice_planning.touch(session, person, deps.now())
    notice_planning.sweep(deps)
    return person, chat


def taken_in(deps: Deps, clock: SetClock) -> None:
    """Let the scheduler have seen everything so far."""
    clock.move(HOUR)
    notice_news.take_in(deps)
    notice_planning.sweep(deps)


def due(deps: Deps) -> set[str]:
    with deps.read() as session:
        return set(session.scalars(select(Borrower.id).where(Borrower.notices_due_at <= deps.now())))


def steps(deps: Deps, person: str) -> int:
    planned = select(Reminder).where(Reminder.borrower_id == person, Reminder.state == "planned")
    with deps.read() as session:
        return sum(row.topic == Topic.OVERDUE for row in session.scalars(planned))


def test_only_whoever_wrote_is_planned_again(deps: Deps, clock: SetClock) -> None:
    (writer, chat), _ = a_person(deps, 0), a_person(deps, 1)
    taken_in(deps, clock)
    assert due(deps) == set()
    clock.move(HOUR)
    record_text(deps, chat, "k", "你好")
    assert notice_news.take_in(deps) == 1
    assert due(deps) == {writer}


def test_a_hold_on_a_conversation_calls_off_what_was_planned(deps: Deps, clock: SetClock) -> None:
    person, chat = a_person(deps)
    taken_in(deps, clock)
    assert steps(deps, person) > 0
    clock.move(HOUR)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        holds.place(session, deps.now(), HoldKind.COMPLAINT, conversation_id=chat)
    assert notice_news.take_in(deps) == 1
    notice_planning.sweep(deps)
    assert steps(deps, person) == 0


def test_what_is_new_is_taken_in_once(deps: Deps, clock: SetClock) -> None:
    _, chat = a_person(deps)
    taken_in(deps, clock)
    record_text(deps, chat, "k", "你好")
    clock.move(HOUR)
    assert notice_news.take_in(deps) == 1
    clock.move(HOUR)
    assert notice_news.take_in(deps) == 0


def test_nothing_is_left_out_after_an_outage_of_days_or_a_clock_that_was_wrong(deps: Deps, clock: SetClock) -> None:
    person, chat = a_person(deps)
    truly = clock.instant
    clock.move(timedelta(days=3))
    taken_in(deps, clock)  # the clock ran ahead
    clock.instant = truly + HOUR
    taken_in(deps, clock)
    record_text(deps, chat, "k", "你好")
    clock.move(timedelta(days=5))
    with deps.begin() as session:
        session.execute(update(Borrower).values(notices_due_at=None))
    assert notice_news.take_in(deps) == 1
    assert due(deps) == {person}
