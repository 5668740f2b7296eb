"""What the core system is told: each fact once, in order, without personal data. Against both databases."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot import cli_lender
from bot.cli import app
from bot.desk.calls import CallOutcome, CallState
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import audit, call_backs, holds, lender_events
from bot.services.call_backs import Arranged
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.lender_event_sources import EventKind
from bot.services.lender_events import EventView
from bot.store.tables import (
    Agreement,
    CaseFile,
    Conversation,
    Hold,
    Instalment,
    LenderEvent,
    PlanEvent,
    Promise,
    Reminder,
)
from tests.builders.accounts import a_plan
from tests.builders.approvals import an_operator_view
from tests.builders.desk import Said, SetClock, Talk, a_conversation, an_operator


def told(deps: Deps) -> list[EventView]:
    lender_events.sweep(deps)
    return list(lender_events.feed(deps, 0))


def kinds(deps: Deps) -> list[str]:
    return [event.kind for event in told(deps)]


@pytest.fixture
def everything(deps: Deps, borrower: str, debt: str, chat: str) -> None:
    """A desk on which each kind of fact has happened once."""
    now = deps.now()
    a_plan(deps, chat)
    operator = an_operator(deps)
    said = (Said("13800000001 王小明,我记得", Author.OPERATOR, operator_id=operator),)
    a_conversation(deps, Talk(said, borrower_id=borrower))
    with deps.begin() as session:
        agreement = session.scalars(select(Agreement.id)).one()
        for kind in ("missed", "broken", "completed", "breach"):
            session.add(PlanEvent(key=kind, agreement_id=agreement, kind=kind, happened_on=now.date(), recorded_at=now))
        for state in ("open", "kept", "partly_kept", "broken", "draft"):
            session.add(
                Promise(
                    borrower_id=borrower,
                    conversation_id=chat,
                    state=state,
                    debt_ids=[debt],
                    policy_code="x",
                    amount_fen=5_000,
                    due_on=now.date(),
                    created_at=now,
                    made_at=None if state == "draft" else now,
                    judged_at=None if state in ("draft", "open") else now,
                )
            )
        file = CaseFile(
            number="D2611210001",
            family="dispute",
            kind="amount",
            state="decided",
            conversation_id=chat,
            borrower_id=borrower,
            debt_ids=[debt],
            created_at=now - timedelta(days=9),
            due_on=now.date(),
            decided_at=now,
        )
        session.add(file)
        session.flush()
        audit.record(session, now, audit.BOT, "case_opened", ("case", file.id))
        audit.record(session, now, audit.BOT, "identity_proved", ("conversation", chat), borrower=borrower)
        audit.record(session, now, audit.BOT, "call_no_answer", ("conversation", chat), borrower=borrower)
        for hold in (HoldKind.DISTRESS, HoldKind.DISPUTE):
            session.add(Hold(borrower_id=borrower, kind=hold, placed_at=now, lifted_at=now, reason="不想活了"))
        holds.place(session, now, HoldKind.PAUSE, borrower_id=borrower, until=now + timedelta(days=3))
        holds.place(session, now, HoldKind.PAUSE, borrower_id=borrower, until=now + timedelta(days=9))
        for number, state in enumerate(("sent", "refused", "planned", "superseded")):
            session.add(
                Reminder(
                    key=f"n{number}",
                    borrower_id=borrower,
                    purpose="collection",
                    topic="overdue",
                    channel="web",
                    send_at=now,
                    state=state,
                    rule="H1",
                    created_at=now,
                    decided_at=now,
                )
            )


@pytest.mark.usefixtures("everything")
class TestEverything:
    """Every kind of fact."""

    def test_every_kind_is_told_and_none_twice(self, deps: Deps, clock: SetClock) -> None:
        first = told(deps)
        assert {event.kind for event in first} == {kind.value for kind in EventKind} - {EventKind.RESTORED}
        assert [event.seq for event in first] == list(range(1, len(first) + 1))
        for step in (timedelta(0), timedelta(seconds=5), timedelta(days=1)):
            clock.move(step)
            assert lender_events.sweep(deps) == 0

    def test_nothing_personal_is_told(self, deps: Deps) -> None:
        text = json.dumps([event.to_json() for event in told(deps)], ensure_ascii=False)
        assert not any(word in text for word in ("王小明", "1380000", "不想活了", "110101", "distress"))
        silences = [event.detail["reason"] for event in told(deps) if event.kind == EventKind.SILENCE_BEGAN]
        assert sorted(silences)[:2] == ["care", "dispute"]

    def test_debts_are_named_by_the_lenders_own_numbers(self, deps: Deps) -> None:
        for event in told(deps):
            (debt,) = event.detail["debts"]
            assert debt["contract_number"].startswith("contract of")
            assert set(debt) == {"contract_number", "reference"}

    def test_an_agreement_is_told_with_every_instalment_to_the_fen(self, deps: Deps) -> None:
        (accepted,) = (event for event in told(deps) if event.kind == EventKind.AGREEMENT_ACCEPTED)
        with deps.read() as session:
            agreement = session.scalars(select(Agreement)).one()
            parts = session.scalars(select(Instalment).order_by(Instalment.number)).all()
        assert accepted.detail["total_fen"] == agreement.total_fen
        assert [one["amount_fen"] for one in accepted.detail["instalments"]] == [part.amount_fen for part in parts]
        assert accepted.detail["text_sha256"] == agreement.text_hash

    def test_many_are_told_in_several_sweeps_and_all(self, deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lender_events, "_MOST_READ", 1)
        sweeps = 0
        while lender_events.sweep(deps):
            sweeps += 1
        assert sweeps > 1
        monkeypatch.undo()
        assert lender_events.sweep(deps) == 0
        assert {event.kind for event in lender_events.feed(deps, 0)} == set(EventKind) - {EventKind.RESTORED}

    def test_the_file_holds_what_the_feed_holds(self, deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
        events = told(deps)
        monkeypatch.setattr(cli_lender, "settings_or_stop", lambda: deps.settings)
        monkeypatch.setattr(cli_lender, "deps_or_stop", lambda _: deps)
        done = CliRunner().invoke(app, ["events", "export", "--after", "3"])
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert [int(row["seq"]) for row in rows] == [event.seq for event in events[3:]]
        assert json.loads(rows[0]["detail"]) == events[3].detail


@pytest.mark.parametrize("outcome", [CallOutcome.SPOKEN, CallOutcome.NO_ANSWER])
def test_a_call_is_told_with_its_outcome_and_the_word_of_its_time_as_a_notice(
    deps: Deps, borrower: str, debt: str, clock: SetClock, outcome: CallOutcome
) -> None:
    chat = a_conversation(deps, Talk((Said("在吗", minutes_ago=24 * 60),), borrower_id=borrower))
    caller = an_operator_view(deps, Role.AGENT, "chen")
    assert isinstance(call_backs.arrange_for(deps, caller, chat, deps.now() + timedelta(hours=2)), Arranged)
    clock.move(timedelta(hours=2))
    call = call_backs.of_conversation(deps, chat)
    assert call is not None
    assert isinstance(call_backs.settle(deps, caller, chat, call.made, outcome), CallState)
    with deps.read() as session:
        assert session.scalar(select(func.count()).select_from(Reminder).where(Reminder.state == "sent")) == 2
    with deps.begin() as session:
        # Let go before the sweep: the call was theirs all the same.
        session.get_one(Conversation, chat).borrower_id = None
    word, made = told(deps)
    assert (word.kind, word.detail["topic"], word.detail["channel"]) == (EventKind.NOTICE_SENT, "call", "web")
    assert word.detail["debts"] == made.detail["debts"] != []
    assert (made.kind, made.detail["answered"]) == (EventKind.CALLED, outcome is CallOutcome.SPOKEN)


def test_what_was_committed_late_is_told_too(deps: Deps, borrower: str, debt: str, clock: SetClock) -> None:
    lender_events.sweep(deps)
    began = deps.now()
    clock.move(timedelta(minutes=5))
    lender_events.sweep(deps)
    with deps.begin() as session:  # its transaction began before the sweep and ends after it
        session.add(Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT, placed_at=began))
    assert kinds(deps) == [EventKind.SILENCE_BEGAN]


def test_pages_follow_each_other_without_a_gap(deps: Deps, borrower: str, debt: str) -> None:
    with deps.begin() as session:
        for _ in range(5):
            session.add(Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT, placed_at=deps.now()))
    lender_events.sweep(deps)
    pages = [lender_events.feed(deps, after, 2) for after in (0, 2, 4)]
    assert [[event.seq for event in page] for page in pages] == [[1, 2], [3, 4], [5]]


def test_events_are_forgotten_when_they_have_been_kept_long_enough(
    deps: Deps, borrower: str, debt: str, clock: SetClock
) -> None:
    with deps.begin() as session:
        session.add(Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT, placed_at=deps.now()))
    lender_events.sweep(deps)
    assert lender_events.forget_old(deps) == 0
    clock.move(lender_events.KEPT + timedelta(days=1))
    lender_events.sweep(deps)
    assert lender_events.forget_old(deps) == 1
    assert lender_events.sweep(deps) == 0, "what was forgotten is not told again"
    with deps.read() as session:
        assert session.scalar(select(func.count()).select_from(LenderEvent)) == 0
