"""What is deleted when it has been kept long enough, and what is not, against both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.cases.course import CaseState
from bot.cases.kinds import CaseKind
from bot.outreach.gate import HoldKind
from bot.services import cases, identity, negotiation, retention
from bot.services.conversations import Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.services.retention import Retained
from bot.store.tables import (
    AuditEntry,
    Button,
    CaseFile,
    CaseNote,
    ChannelBinding,
    Conversation,
    Hold,
    Message,
    Negotiation,
    Outbox,
    VerificationAttempt,
    WebSession,
)
from tests.builders.accounts import Owed, a_debt_of, a_payment, a_plan, verified
from tests.builders.desk import SetClock, Talk, a_borrower, a_conversation

MONTH, YEAR = timedelta(days=31), timedelta(days=366)


def messages(deps: Deps, chat: str) -> int:
    with deps.read() as session:
        return len(session.scalars(select(Message).where(Message.conversation_id == chat)).all())


def answered(deps: Deps, chat: str) -> None:
    """Let the bot answer with a button, over a channel that is pushed to."""
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("您好", (QuickReply("查", "/ask_balance"),)), author=Author.BOT)


def a_bound_talk(deps: Deps, borrower_id: str) -> str:
    chat = a_conversation(deps, Talk(borrower_id=borrower_id, channel="telegram"))
    with deps.begin() as session:
        session.add(ChannelBinding(conversation_id=chat, borrower_id=borrower_id, bound_at=deps.now()))
    answered(deps, chat)
    return chat


def test_talk_with_nobody_goes_after_six_months_with_its_address(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps, Talk(channel="telegram"))
    answered(deps, chat)
    with deps.read() as session:
        address = session.get_one(Conversation, chat).address_hash
    clock.move(timedelta(days=182))
    assert retention.run(deps) == Retained()
    clock.move(timedelta(days=2))
    assert retention.run(deps) == Retained(anonymous_messages=2)
    assert messages(deps, chat) == 0
    with deps.read() as session:
        assert not session.scalars(select(Button)).all()
        assert not session.scalars(select(Outbox)).all()
        assert session.get_one(Conversation, chat).address_hash != address


def test_a_second_run_finds_nothing_and_leaves_no_record(deps: Deps, clock: SetClock) -> None:
    a_conversation(deps)
    clock.move(timedelta(days=200))
    assert retention.run(deps) == Retained(anonymous_messages=1)
    assert retention.run(deps) == Retained()
    with deps.read() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.event == "retention_run"))
        assert entry.detail["anonymous_messages"] == 1


@pytest.mark.parametrize("talk", [Talk(holds=(HoldKind.DISTRESS,)), Talk(borrower_id="theirs")])
def test_talk_that_somebody_has_to_look_at_or_that_is_a_borrowers_stays(
    deps: Deps, clock: SetClock, talk: Talk
) -> None:
    chat = a_bound_talk(deps, a_borrower(deps)) if talk.borrower_id else a_conversation(deps, talk)
    before = messages(deps, chat)
    clock.move(YEAR)
    retention.run(deps)
    assert messages(deps, chat) == before


def test_a_borrowers_talk_goes_after_five_years_or_with_settlement_if_that_is_later(
    deps: Deps, clock: SetClock
) -> None:
    borrower = a_borrower(deps)
    debt = a_debt_of(deps, borrower, Owed(principal_fen=50_000, annual_rate="0", penalty_annual_rate="0"))
    chat = a_bound_talk(deps, borrower)
    clock.move(5 * YEAR)
    assert retention.run(deps).borrower_messages == 0
    a_payment(deps, debt, 50_000)
    assert retention.run(deps).borrower_messages == 2
    assert messages(deps, chat) == 0


def test_newer_talk_of_a_settled_borrower_stays(deps: Deps, clock: SetClock) -> None:
    chat = a_bound_talk(deps, a_borrower(deps))
    clock.move(4 * YEAR)
    answered(deps, chat)
    clock.move(YEAR)
    assert retention.run(deps).borrower_messages == 2
    assert messages(deps, chat) == 1


def test_means_told_for_no_plan_go_and_those_behind_a_plan_stay(deps: Deps, clock: SetClock) -> None:
    kept, gone = a_borrower(deps), a_borrower(deps, "孙兰", "13800000002", "110101199001010022")
    for borrower in (kept, gone):
        a_debt_of(deps, borrower)
    a_plan(deps, verified(deps, kept))
    chat = verified(deps, gone)
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    clock.move(MONTH)
    assert retention.run(deps).means == 0  # still open
    identity.lapse(deps, chat)
    with deps.begin() as session:
        for row in session.scalars(select(Negotiation).where(Negotiation.borrower_id == gone)):
            row.active_key, row.state = None, "ended"
    assert retention.run(deps).means == 1
    with deps.read() as session:
        told = {row.borrower_id: row.monthly_income_fen for row in session.scalars(select(Negotiation))}
    assert told == {kept: 600_000, gone: None}


def test_answers_to_identity_questions_and_dead_sessions_go(deps: Deps, clock: SetClock) -> None:
    chat = a_bound_talk(deps, a_borrower(deps))
    with deps.begin() as session:
        session.add(VerificationAttempt(conversation_id=chat, factor="code", passed=False, at=deps.now()))
        session.add(
            WebSession(
                token_hash="a" * 64,
                conversation_id=chat,
                created_at=deps.now(),
                expires_at=deps.now() + timedelta(days=30),
            )
        )
    clock.move(timedelta(days=32))
    assert retention.run(deps) == Retained(sessions=1)
    clock.move(5 * YEAR)
    assert retention.run(deps).identity_rows == 1


def test_what_was_told_for_a_complaint_stays_with_it_when_the_talk_goes(deps: Deps, clock: SetClock) -> None:
    chat = a_conversation(deps)
    with deps.read() as session:
        message_id = session.scalars(select(Message.id).where(Message.conversation_id == chat)).one()
    done = cases.complain(deps, chat, CaseKind.TONE, "骂人", message_id)
    assert done is not None
    clock.move(timedelta(days=200))
    assert retention.run(deps).anonymous_messages == 0, "an answer is still owed"

    with deps.begin() as session:
        session.get_one(CaseFile, done.case.case_id).state = CaseState.REJECTED
        session.execute(update(Hold).where(Hold.conversation_id == chat).values(lifted_at=deps.now()))
        session.get_one(Conversation, chat).owner = "bot"
    assert retention.run(deps).anonymous_messages >= 1
    with deps.read() as session:
        [note] = session.scalars(select(CaseNote))
        assert note.message_id is None
