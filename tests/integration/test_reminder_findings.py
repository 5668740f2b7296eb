"""Breaches of the contact rules that were found by looking for them, against both databases; each stays mended."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.clock import SHANGHAI, business_date
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind, Purpose
from bot.services import handoff, notice_planning, reminders
from bot.services.deps import Deps
from bot.services.reminders import Swept
from bot.store.tables import Borrower, Conversation, Hold, Message, Reminder
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.desk import SetClock, a_borrower, an_operator


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    return verified(deps, borrower, "telegram")


@pytest.fixture
def operator(deps: Deps) -> str:
    return an_operator(deps, role=Role.SUPERVISOR)


@pytest.fixture
def step(deps: Deps, clock: SetClock, borrower: str, chat: str) -> datetime:
    """A step of the ladder, planned for ten on a working Wednesday, long after the borrower wrote."""
    debt_id = a_debt_of(deps, borrower, Owed(days_late=10))
    at = datetime.combine(business_date(deps.now()) + timedelta(days=4), time(10), tzinfo=SHANGHAI)
    with deps.begin() as session:
        session.add(
            Reminder(
                key=f"overdue:{debt_id}:15",
                borrower_id=borrower,
                purpose=Purpose.COLLECTION.value,
                topic="overdue",
                subject=f"debt:{debt_id}",
                stage="s1",
                due_on=at.date(),
                send_at=at,
                created_at=deps.now(),
            )
        )
    clock.instant = at
    return at


def begun(deps: Deps, chat: str) -> int:
    """How many messages of a chat the borrower did not ask for."""
    with deps.read() as session:
        contacts = select(Message.id).where(Message.conversation_id == chat, Message.purpose == "collection")
        return len(session.scalars(contacts).all())


def test_a_step_of_the_ladder_is_sent_when_nobody_wrote_before(deps: Deps, chat: str, step: datetime) -> None:
    assert reminders.sweep(deps) == Swept(sent=1)
    assert begun(deps, chat) == 1


def test_a_step_of_the_ladder_keeps_a_day_from_what_an_operator_has_just_written(
    deps: Deps, clock: SetClock, chat: str, operator: str, step: datetime
) -> None:
    clock.instant = step - timedelta(minutes=30)
    handoff.take(deps, chat, operator)
    handoff.reply(deps, chat, operator, "您好,方便的时候可以联系我。", "one")
    before = begun(deps, chat)
    assert before > 0
    clock.instant = step
    assert reminders.sweep(deps).sent == 0
    assert begun(deps, chat) == before


def test_an_operator_and_a_step_of_the_ladder_at_once_are_one_contact(
    deps: Deps, chat: str, operator: str, step: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_say, swept = handoff.say, list[Future[Swept]]()  # type: ignore[attr-defined]

    def say_slowly(*args: object, **named: object) -> Message | None:
        """Let a scheduler look while the operator's words are allowed but not stored yet."""
        if not swept:
            swept.append(pool.submit(reminders.sweep, deps))
            wait(swept, timeout=1.0)
        return really_say(*args, **named)  # type: ignore[arg-type]

    with deps.begin() as session:
        session.get_one(Conversation, chat).owner = "human"
        session.get_one(Conversation, chat).owner_operator_id = operator
    monkeypatch.setattr(handoff, "say", say_slowly)
    with ThreadPoolExecutor(1) as pool:
        handoff.reply(deps, chat, operator, "您好,方便的时候可以联系我。", "one")
        assert swept[0].result().failed == 0
    assert begun(deps, chat) == 1


def test_a_hold_on_a_chat_that_changed_hands_does_not_keep_the_new_owner_from_being_planned(
    deps: Deps, borrower: str, chat: str
) -> None:
    earlier = a_borrower(deps, "李雷", "13800000002", "110101199001010022")
    a_debt_of(deps, borrower, Owed(days_late=1))
    with deps.begin() as session:
        session.add(
            Hold(borrower_id=earlier, conversation_id=chat, kind=HoldKind.COMPLAINT.value, placed_at=deps.now())
        )
        for row in session.scalars(select(Borrower)):
            row.notices_due_at = deps.now() if row.id == borrower else None
    assert notice_planning.sweep(deps).borrowers == 1


def test_somebody_who_cannot_be_planned_does_not_keep_the_others_from_being(
    deps: Deps, borrower: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_borrower(deps, "李雷", "13800000002", "110101199001010022")
    with deps.begin() as session:
        for row in session.scalars(select(Borrower)):
            row.notices_due_at = deps.now() - timedelta(minutes=row.id == borrower)
    really_plan = notice_planning.plan_notices  # type: ignore[attr-defined]
    calls = []

    def plan(facts: object, *rest: object) -> object:
        calls.append(facts)
        if len(calls) == 1:  # the first of the page, however often the page is tried
            raise ValueError("nobody has thought of this")
        return really_plan(facts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(notice_planning, "plan_notices", plan)
    notice_planning.sweep(deps)
    with deps.read() as session:
        due = session.scalars(select(Borrower.id).where(Borrower.notices_due_at <= deps.now())).all()
    assert other not in due


def test_who_could_not_be_told_that_notices_begin_again_is_told_before_the_ladder_goes_on(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    a_debt_of(deps, borrower, Owed(days_late=5))
    chat = verified(deps, borrower)  # in a browser, of which no session lives any more
    with deps.begin() as session:
        ended, now = deps.now() + timedelta(days=2), deps.now()
        session.add(
            Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT.value, placed_at=now, lifted_at=ended, lifted_by=None)
        )
        for row in session.scalars(select(Borrower)):
            row.notices_due_at = now
    for day in range(1, 70):
        for hour in (2, 10):
            clock.instant = datetime.combine(business_date(now) + timedelta(days=day), time(hour, 5), tzinfo=SHANGHAI)
            notice_planning.sweep(deps)
            reminders.sweep(deps)
        if day == 8:
            with deps.begin() as session:
                session.get_one(Conversation, chat).channel = "telegram"
    with deps.read() as session:
        sent = session.scalars(
            select(Reminder.topic).where(Reminder.state == "sent").order_by(Reminder.decided_at)
        ).all()
    assert sent[:1] == ["resumed"]
