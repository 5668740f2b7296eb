"""The gate against the rule table, by enumeration: every minute of a week in every class of cells.

``pytest -s`` prints how many cells there were.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.outreach import gate, wishes
from bot.outreach.gate import HoldKind, Limits, PastNotice, Purpose, Recipient, may_send
from tests.proof.contact_cells import (
    ANSWERS,
    CELLS,
    EDGE_HISTORIES,
    EDGE_WISHES,
    EVERY_CELL,
    EVERY_HOLD_SET,
    EVERY_MINUTE,
    HISTORIES,
    HOLDS,
    KINDS,
    PURPOSES,
    WISHES,
    Examined,
    Panel,
)
from tests.proof.contact_oracle import MONDAY, Case, at_any_time

DAYS = 7
"""The enumeration is asked a day at a time: two workers then share it."""

QUARTERS = EVERY_MINUTE[::15]
NEW = {"never written to": HISTORIES["never written to"]}
NO_WISH = {"none": WISHES["none"]}
NO_HOLD = {"none": HOLDS["none"]}


@pytest.fixture
def examined() -> Examined:
    return Examined(gate, wishes)


def first(examined: Examined, panel: Panel) -> object:
    """The first disagreement, if there is one."""
    return next(examined.disagreements(panel), None)


@pytest.mark.parametrize("day", range(DAYS))
def test_in_every_minute_of_a_week_every_class_of_cells_is_answered_by_the_table(examined: Examined, day: int) -> None:
    assert first(examined, replace(EVERY_CELL, minutes=EVERY_MINUTE[day * 1440 : (day + 1) * 1440])) is None
    assert examined.cells == CELLS // DAYS
    assert 0 < examined.allowed < examined.cells
    print(  # noqa: T201
        f"\nday {day + 1} of {DAYS}, {examined.cells:,} of {CELLS:,} cells: {examined.allowed:,} allowed, "
        "none of them forbidden by the table"
    )


def test_the_days_are_the_whole_week() -> None:
    days = [EVERY_MINUTE[day * 1440 : (day + 1) * 1440] for day in range(DAYS)]
    assert [minute for day in days for minute in day] == list(EVERY_CELL.minutes) == list(range(7 * 24 * 60))


PANELS: dict[str, Panel] = {
    "the last second of every minute": Panel(EVERY_MINUTE, NEW, NO_WISH, NO_HOLD, second=59),
    "answers at every minute": Panel(EVERY_MINUTE, NEW, NO_WISH, HOLDS, purposes=ANSWERS),
    "histories at the edges": Panel(QUARTERS, EDGE_HISTORIES, WISHES, NO_HOLD),
    "wishes at the edges": Panel(QUARTERS, HISTORIES, EDGE_WISHES, NO_HOLD),
    "notices about no due date": Panel(QUARTERS, HISTORIES, NO_WISH, NO_HOLD, due_key=None),
    "no rest on holidays": Panel(QUARTERS, HISTORIES, WISHES, NO_HOLD, rests=False),
    "every set of holds": Panel(range(60, 7 * 1440, 7 * 60), NEW, NO_WISH, EVERY_HOLD_SET, PURPOSES + ANSWERS),
}


@pytest.mark.parametrize("name", PANELS)
def test_what_lies_at_the_edges_of_the_classes_is_answered_by_the_table(examined: Examined, name: str) -> None:
    assert first(examined, PANELS[name]) is None


def test_the_classes_cover_every_hold_and_every_purpose() -> None:
    assert set(KINDS) == {kind.value for kind in HoldKind}
    assert {*PURPOSES, *ANSWERS} == {purpose.value for purpose in Purpose}
    assert len(EVERY_HOLD_SET) == 2 ** len(HoldKind)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_nobody_else_and_nothing_unknown_is_written_to_in_any_minute(purpose: str) -> None:
    nobody = Recipient(is_right_party=False, history=(), holds=frozenset(), last_inbound_at=None)
    unread = Recipient(is_right_party=True, history=None, holds=frozenset(), last_inbound_at=None)
    unwished = Recipient(is_right_party=True, history=(), holds=frozenset(), last_inbound_at=None, wishes=None)
    cases = {
        nobody: Case(purpose, right_party=False),
        unread: Case(purpose, history=None),
        unwished: Case(purpose, wish=None),
    }
    for recipient, case in cases.items():
        for minute in EVERY_MINUTE:
            made = may_send(Purpose(purpose), None, recipient, MONDAY + timedelta(minutes=minute), Limits())
            assert (made.verdict, made.rule, made.until) == at_any_time(case)


def test_a_history_without_a_zone_is_unknown() -> None:
    naive = datetime(2026, 10, 1, 10)  # noqa: DTZ001
    recipient = Recipient(True, (PastNotice(naive, None),), frozenset(), None)
    assert (
        may_send(Purpose.PLAN_NOTICE, None, recipient, datetime(2026, 10, 8, 4, tzinfo=UTC), Limits()).rule == "unknown"
    )
