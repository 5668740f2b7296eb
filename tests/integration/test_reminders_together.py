"""Notices that are claimed together are decided together: in few statements, and just as one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.services import notice_validity, reminders
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.reminders import Swept
from bot.store.tables import Conversation, Message, Reminder
from tests.builders.accounts import a_debt_of, verified
from tests.builders.desk import SetClock, a_borrower, a_desk
from tests.builders.threads import at_once
from tests.simulation.log import decision_log
from tests.simulation.year import NOTHING_GOES_WRONG, Year


def a_morning(deps: Deps, clock: SetClock, people: int) -> list[str]:
    """Have a notice fall due now for each of some borrowers, who wrote long ago; returns the notices' ids."""
    clock.instant = datetime.combine(business_date(clock.now()) + timedelta(days=10), time(10), tzinfo=SHANGHAI)
    made = []
    for number in range(people):
        borrower_id = a_borrower(deps, f"演示{number}", f"139{number:08d}", f"110101{10**11 + number:012d}")
        debt_id = a_debt_of(deps, borrower_id)
        chat = verified(deps, borrower_id, "telegram")
        with deps.begin() as session:
            session.get_one(Conversation, chat).last_inbound_at = deps.now() - timedelta(days=9)
            notice = Reminder(
                key=f"overdue:{debt_id}:1",
                borrower_id=borrower_id,
                purpose="collection",
                topic="overdue",
                subject=f"debt:{debt_id}",
                stage="s1",
                send_at=deps.now(),
                created_at=deps.now(),
            )
            session.add(notice)
            session.flush()
            made.append(notice.id)
    return made


def ended(deps: Deps) -> dict[str, tuple[str, str | None]]:
    with deps.read() as session:
        return {row.id: (row.state, row.rule) for row in session.scalars(select(Reminder))}


@contextmanager
def counted(deps: Deps) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(deps.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(deps.database.engine, "before_cursor_execute", note)


def test_many_notices_need_hardly_more_statements_than_a_few(deps: Deps, clock: SetClock) -> None:
    a_morning(deps, clock, 12)
    with counted(deps) as for_three:
        assert reminders.sweep(deps, 3) == Swept(sent=3)
    with counted(deps) as for_nine:
        assert reminders.sweep(deps) == Swept(sent=9)
    assert len(for_nine) <= len(for_three) + 3


def test_one_that_cannot_be_decided_keeps_none_of_the_others_from_being(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *whole = a_morning(deps, clock, 4)
    truly = notice_validity.with_point

    def fail(session: Session, deps: Deps, some: Sequence[Reminder]) -> set[str]:
        if any(each.id == broken for each in some):
            raise ZeroDivisionError
        return truly(session, deps, some)

    monkeypatch.setattr(notice_validity, "with_point", fail)
    assert reminders.sweep(deps) == Swept(sent=3, failed=1)
    states = ended(deps)
    assert states[broken] == ("planned", None)
    assert {states[each][0] for each in whole} == {"sent"}


def test_of_two_notices_to_one_person_the_second_sees_the_first(deps: Deps, clock: SetClock) -> None:
    first, *_ = a_morning(deps, clock, 3)
    with deps.begin() as session:
        row = session.get_one(Reminder, first)
        columns = (row.borrower_id, row.purpose, row.topic, row.subject, row.stage)
        borrower_id, purpose, topic, subject, stage = columns
        session.add(
            Reminder(
                key="overdue:again",
                borrower_id=borrower_id,
                purpose=purpose,
                topic=topic,
                subject=subject,
                stage=stage,
                send_at=row.send_at,
                created_at=deps.now(),
            )
        )
    assert reminders.sweep(deps) == Swept(sent=3, deferred=1)


@pytest.mark.parametrize("batch", [1, 2, 3, 50])
@pytest.mark.parametrize("key", ["0 first by key", "z last by key"])
def test_of_two_that_fall_due_together_the_one_about_what_is_to_come_goes_first(
    deps: Deps, clock: SetClock, monkeypatch: pytest.MonkeyPatch, batch: int, key: str
) -> None:
    monkeypatch.setattr(reminders, "BATCH", batch)
    monkeypatch.setattr(notice_validity, "with_point", lambda _session, _deps, some: {each.id for each in some})
    for overdue in a_morning(deps, clock, 5):
        with deps.begin() as session:
            row = session.get_one(Reminder, overdue)
            announcement = Reminder(
                key=f"{key} {overdue}",
                borrower_id=row.borrower_id,
                purpose="due_notice",
                topic="due",
                subject=row.subject,
                stage="D-1",
                due_on=business_date(deps.now()) + timedelta(days=1),
                send_at=row.send_at,
                created_at=deps.now(),
            )
            session.add(announcement)
    assert reminders.sweep(deps) == Swept(sent=5, deferred=5)
    with deps.read() as session:
        assert {row.topic for row in session.scalars(select(Reminder).where(Reminder.state == "sent"))} == {"due"}


def test_sweepers_at_once_share_the_notices_and_send_each_once(deps: Deps, clock: SetClock) -> None:
    a_morning(deps, clock, 6)
    swept = at_once(3, lambda _: reminders.sweep(deps))
    assert sum(each.sent for each in swept) == 6
    with deps.read() as session:
        keys = session.scalars(select(Message.client_key).where(Message.purpose == "collection")).all()
    assert len(keys) == len(set(keys)) == 6


def test_a_conversation_that_somebody_holds_is_not_waited_for_with_the_others_locked(
    deps: Deps, clock: SetClock
) -> None:
    """Whoever waits while holding many rows may wait in a circle: that notice is decided after the others, alone."""
    if deps.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    held, *free = a_morning(deps, clock, 3)
    with deps.read() as session:
        borrower_id = session.get_one(Reminder, held).borrower_id
        chat = session.scalars(select(Conversation.id).where(Conversation.borrower_id == borrower_id)).one()
    with deps.begin() as session:
        assert locked(session, chat) is not None
        decided = reminders._decide_together(deps, [held, *free])
    assert decided == dict.fromkeys(free, "sent")
    assert reminders.sweep(deps) == Swept(sent=1)


def test_days_decided_together_are_the_same_days_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lived(name: str) -> list[str]:
        clock = SetClock()
        deps = a_desk(tmp_path / name, clock)
        assert Year(deps, clock, 12, 8, 2, NOTHING_GOES_WRONG).run().findings == []
        return decision_log(deps)

    together = lived("together")
    monkeypatch.setattr(reminders, "BATCH", 1)
    assert lived("one by one") == together
    assert sum(" notice " in line and ": sent " in line for line in together) > 3
