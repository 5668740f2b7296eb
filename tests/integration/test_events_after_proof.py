"""What somebody asked for before they had proved who they are is told once they have. Against both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.clock import business_date
from bot.outreach.gate import HoldKind
from bot.services import contact_wishes, crisis, holds, identity, lender_events
from bot.services.deps import Deps
from bot.services.lender_event_sources import EventKind
from bot.services.lender_events import EventView
from bot.store.tables import Hold
from tests.builders.accounts import verified
from tests.builders.cases import a_complaint
from tests.builders.desk import SetClock, a_borrower


def new(deps: Deps, after: int = 0) -> list[EventView]:
    lender_events.sweep(deps)
    return list(lender_events.feed(deps, after))


def proves(deps: Deps, chat: str, borrower_id: str) -> None:
    with deps.begin() as session:
        identity.bind(session, deps, chat, borrower_id)


@pytest.fixture
def chat(deps: Deps) -> str:
    """A conversation of nobody in particular."""
    return verified(deps, None)


_ASKED: dict[str, Callable[[Deps, str], object]] = {
    "opt_out": contact_wishes.opt_out,
    "pause": lambda deps, chat: contact_wishes.pause(deps, chat, business_date(deps.now()) + timedelta(days=20)),
    "complaint": a_complaint,
    "care": crisis.respond,
}


@pytest.mark.parametrize("reason", _ASKED)
def test_a_silence_asked_for_before_the_proof_is_told_after_it(
    deps: Deps, borrower: str, debt: str, chat: str, clock: SetClock, reason: str
) -> None:
    _ASKED[reason](deps, chat)
    assert [one for one in new(deps) if one.kind != EventKind.CASE_OPENED] == []
    clock.move(timedelta(days=2))
    before = lender_events.feed(deps, 0)
    proves(deps, chat, borrower)
    told = [one for one in new(deps, len(before)) if one.kind.startswith("silence")]
    assert [(one.kind, one.detail["reason"], one.happened_at) for one in told] == [
        (EventKind.SILENCE_BEGAN, reason, deps.now())
    ]
    assert len(told[0].detail["debts"]) == 1
    clock.move(timedelta(hours=1))
    proves(deps, chat, borrower)
    assert [one for one in new(deps, told[0].seq) if one.kind.startswith("silence")] == []


@pytest.mark.parametrize("kind", HoldKind)
def test_every_kind_of_hold_is_told_once_its_borrower_is_known_and_again_when_it_ends(
    deps: Deps, borrower: str, debt: str, chat: str, clock: SetClock, kind: HoldKind
) -> None:
    with deps.begin() as session:
        hold_id = holds.place(session, deps.now(), kind, conversation_id=chat).hold_id
    clock.move(timedelta(minutes=1))  # within the time that a sweep looks back over
    assert new(deps) == []
    proves(deps, chat, borrower)
    began = next(one for one in new(deps) if one.kind == EventKind.SILENCE_BEGAN)
    clock.move(timedelta(days=1))
    with deps.begin() as session:
        assert holds.lift(session, deps, hold_id, lifted_by=None)
    (ended,) = new(deps, lender_events.feed(deps, 0)[-1].seq)
    assert ended.kind == EventKind.SILENCE_ENDED
    assert (began.detail["silence"], began.detail["debts"]) == (ended.detail["silence"], ended.detail["debts"])
    assert began.detail["debts"] != []


def test_a_case_opened_before_the_proof_is_told_again_with_its_debts(
    deps: Deps, borrower: str, debt: str, chat: str, clock: SetClock
) -> None:
    a_complaint(deps, chat)
    (opened,) = new(deps)
    assert (opened.kind, opened.detail["debts"]) == (EventKind.CASE_OPENED, [])
    clock.move(timedelta(days=1))
    proves(deps, chat, borrower)
    (again,) = (one for one in new(deps, opened.seq) if one.kind == EventKind.CASE_OPENED)
    assert again.detail["case"] == opened.detail["case"]
    assert len(again.detail["debts"]) == 1


def test_another_end_of_a_silence_is_told(deps: Deps, borrower: str, debt: str, clock: SetClock) -> None:
    chat, today = verified(deps, borrower), business_date(deps.now())
    contact_wishes.pause(deps, chat, today + timedelta(days=5))
    (began,) = new(deps)
    clock.move(timedelta(hours=1))
    contact_wishes.pause(deps, chat, today + timedelta(days=50))
    (changed,) = new(deps, began.seq)
    assert changed.kind == EventKind.SILENCE_CHANGED
    assert {**changed.detail, "until": None} == {**began.detail, "until": None}
    assert changed.detail["until"] > began.detail["until"]
    assert new(deps, changed.seq) == []


def test_what_ended_before_the_proof_began_nothing(
    deps: Deps, borrower: str, debt: str, chat: str, clock: SetClock
) -> None:
    contact_wishes.pause(deps, chat, business_date(deps.now()) + timedelta(days=1))
    clock.move(timedelta(days=2))
    proves(deps, chat, borrower)
    assert [one.kind for one in new(deps)] == [EventKind.IDENTITY_PROVED]


def test_what_was_asked_before_the_number_changed_hands_stays_with_whoever_asked(
    deps: Deps, borrower: str, debt: str, chat: str, clock: SetClock
) -> None:
    other = a_borrower(deps, phone="13800000009", id_number="110101199001010099")
    contact_wishes.opt_out(deps, chat)
    proves(deps, chat, other)
    identity.release_binding(deps, chat, "number_changed_hands")
    clock.move(timedelta(days=1))
    seen = new(deps)[-1].seq
    proves(deps, chat, borrower)
    assert [one.kind for one in new(deps, seen)] == [EventKind.IDENTITY_PROVED]
    with deps.read() as session:
        assert session.scalars(select(Hold.borrower_id)).all() == [other]
