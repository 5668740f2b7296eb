"""The pause ledger, on both databases: placing a hold, its own end, lifting it, and who did so and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.outreach.gate import HoldKind
from bot.services import holds
from bot.services.deps import Deps
from bot.services.holds import OpenHolds, PausedBy, Placed
from bot.store.tables import AuditEntry, Borrower, Hold
from tests.builders.desk import SetClock, Talk, a_conversation, an_operator

DAY = timedelta(days=1)


@pytest.fixture
def chat(deps: Deps, borrower: str) -> str:
    return a_conversation(deps, Talk(borrower_id=borrower))


def place(deps: Deps, kind: HoldKind, **details: object) -> Placed:
    with deps.begin() as session:
        return holds.place(session, deps.now(), kind, **details)  # type: ignore[arg-type]


def lift(deps: Deps, hold_id: str, lifted_by: str | None = None) -> bool:
    with deps.begin() as session:
        return holds.lift(session, deps, hold_id, lifted_by=lifted_by)


def standing(deps: Deps, borrower: str) -> OpenHolds:
    with deps.read() as session:
        return holds.open_holds(session, borrower, deps.now())


def ledger(deps: Deps, borrower: str) -> tuple[holds.Pause, ...]:
    with deps.read() as session:
        return holds.ledger_of(session, borrower)


def audited(deps: Deps) -> list[tuple[str, str | None, str]]:
    with deps.read() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.event.startswith("hold_")).order_by(AuditEntry.id)
        )
        return [(entry.actor_kind, entry.actor_id, entry.event) for entry in entries]


def test_a_hold_stands_from_its_placing_until_it_is_lifted(deps: Deps, borrower: str) -> None:
    placed = place(deps, HoldKind.COMPLAINT, borrower_id=borrower)
    assert placed.is_new
    assert standing(deps, borrower).kinds == {HoldKind.COMPLAINT}
    assert lift(deps, placed.hold_id)
    assert standing(deps, borrower).kinds == frozenset()
    assert not lift(deps, placed.hold_id)


def test_a_hold_with_an_end_ends_of_itself(deps: Deps, clock: SetClock, borrower: str) -> None:
    placed = place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + DAY)
    clock.move(DAY - timedelta(seconds=1))
    assert standing(deps, borrower).kinds == {HoldKind.PAUSE}
    clock.move(timedelta(seconds=1))
    assert standing(deps, borrower).kinds == frozenset()
    assert not lift(deps, placed.hold_id)


def test_placed_again_while_it_stands_it_is_the_same_hold(deps: Deps, borrower: str, chat: str) -> None:
    first = place(deps, HoldKind.DISTRESS, conversation_id=chat)
    again = place(deps, HoldKind.DISTRESS, conversation_id=chat, borrower_id=borrower)
    assert again == Placed(first.hold_id, is_new=False)
    with deps.read() as session:
        assert session.scalars(select(Hold.borrower_id)).all() == [borrower]
    assert audited(deps) == [("bot", None, "hold_placed"), ("bot", None, "hold_joined")]


def test_placed_again_with_another_end_the_last_word_counts_and_is_audited(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + DAY)
    place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + 7 * DAY)
    place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + 7 * DAY)
    [pause] = ledger(deps, borrower)
    assert pause.until == clock.instant + 7 * DAY
    assert audited(deps) == [("borrower", None, "hold_placed"), ("borrower", None, "hold_changed")]


def test_after_its_end_it_is_placed_anew(deps: Deps, clock: SetClock, borrower: str) -> None:
    first = place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + DAY)
    clock.move(2 * DAY)
    second = place(deps, HoldKind.PAUSE, borrower_id=borrower, until=clock.instant + DAY)
    assert second.is_new
    assert second.hold_id != first.hold_id


def test_holds_of_every_conversation_and_of_none_concern_the_borrower(deps: Deps, borrower: str, chat: str) -> None:
    place(deps, HoldKind.DISTRESS, conversation_id=chat)
    place(deps, HoldKind.PLAN, borrower_id=borrower)
    stranger = a_conversation(deps)
    place(deps, HoldKind.COMPLAINT, conversation_id=stranger)
    assert standing(deps, borrower).kinds == {HoldKind.DISTRESS, HoldKind.PLAN}


def test_death_on_record_and_an_unknown_borrower_count_as_deceased(deps: Deps, borrower: str) -> None:
    with deps.begin() as session:
        session.get_one(Borrower, borrower).deceased = True
    assert standing(deps, borrower).kinds == {HoldKind.DECEASED}
    assert standing(deps, "nobody").kinds == {HoldKind.DECEASED}


def test_a_hold_on_nothing_is_refused(deps: Deps) -> None:
    with pytest.raises(ValueError, match="borrower or on a conversation"):
        place(deps, HoldKind.PLAN)


def test_the_ledger_tells_who_paused_why_until_when_and_who_lifted_it(
    deps: Deps, clock: SetClock, borrower: str, chat: str
) -> None:
    agent = an_operator(deps)
    start = clock.instant
    stopped = place(deps, HoldKind.OPT_OUT, borrower_id=borrower, conversation_id=chat)
    clock.move(DAY)
    place(deps, HoldKind.PLAN, borrower_id=borrower)
    clock.move(DAY)
    ill = place(deps, HoldKind.PERSON, borrower_id=borrower, reason="住院", placed_by=agent, until=start + 30 * DAY)
    clock.move(DAY)
    assert lift(deps, stopped.hold_id)
    assert lift(deps, ill.hold_id, agent)

    lines = ledger(deps, borrower)

    assert [(line.kind, line.paused_by, line.operator_id, line.reason) for line in lines] == [
        (HoldKind.OPT_OUT, PausedBy.BORROWER, None, None),
        (HoldKind.PLAN, PausedBy.DESK, None, None),
        (HoldKind.PERSON, PausedBy.OPERATOR, agent, "住院"),
    ]
    assert [line.since for line in lines] == [start, start + DAY, start + 2 * DAY]
    assert [line.lifted_by for line in lines] == [None, None, agent]
    assert [line.ended_at(clock.instant) for line in lines] == [start + 3 * DAY, None, start + 3 * DAY]
    assert audited(deps) == [
        ("borrower", None, "hold_placed"),
        ("bot", None, "hold_placed"),
        ("operator", agent, "hold_placed"),
        ("borrower", None, "hold_lifted"),
        ("operator", agent, "hold_lifted"),
    ]


def test_a_pause_that_ran_out_ended_at_its_end_and_one_that_was_lifted_before(
    deps: Deps, clock: SetClock, borrower: str
) -> None:
    end = clock.instant + DAY
    place(deps, HoldKind.PAUSE, borrower_id=borrower, until=end)
    [pause] = ledger(deps, borrower)
    assert pause.ended_at(end - timedelta(seconds=1)) is None
    assert pause.ended_at(end + DAY) == end
    assert lift(deps, pause.hold_id)
    [pause] = ledger(deps, borrower)
    assert pause.ended_at(end + DAY) == clock.instant
