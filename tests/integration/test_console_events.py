"""The console's page of what the lender's systems did not take: seen, sent again, counted for whoever watches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import api_clients, desk_gauges, lender_events, webhooks
from bot.store.tables import AuditEntry, Hold
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_borrower, a_desk
from tests.builders.lender import a_key

ADDRESS = "https://core.example.cn/events"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleBrowser]:
    clock = SetClock()
    deps = a_desk(tmp_path, clock)
    yield ConsoleBrowser(deps, clock, "/events")
    deps.database.engine.dispose()


def given_up(console: ConsoleBrowser, times: int) -> None:
    """Let so many events happen, and be refused for good by the only address there is."""
    deps = console.deps
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    webhooks.register(deps, "core", ADDRESS)
    borrower_id = a_borrower(deps)
    with deps.begin() as session:
        session.add_all(
            Hold(borrower_id=borrower_id, kind=HoldKind.COMPLAINT, placed_at=deps.now()) for _ in range(times)
        )
    lender_events.sweep(deps)
    webhooks.prepare(deps)
    for _ in range(times):
        (parcel,) = webhooks.claim_due(deps, 1, timedelta(minutes=1))
        webhooks.failed(deps, parcel, "http_422", is_final=True)


def test_what_was_given_up_is_shown_with_the_reason_and_sent_again_one_by_one_or_all(console: ConsoleBrowser) -> None:
    given_up(console, 3)
    operator_id = console.log_in_as(Role.ADMIN)
    page = console.shown()
    assert page.count("http_422") == 3
    assert "等待 0 条，放弃 3 条" in page

    first = webhooks.dead_letters(console.deps)[0]
    assert console.send("/again", delivery=first.delivery_id).status_code == 303
    assert "等待 1 条，放弃 2 条" in console.shown()
    assert console.send("/again", delivery=first.delivery_id).status_code == 303, "a second press harms nothing"
    assert console.send("/again").status_code == 303
    assert webhooks.dead_letters(console.deps) == ()
    assert "没有被放弃的事件" in console.shown()
    with console.deps.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.event == "webhooks_sent_again")).all()
        assert {entry.actor_id for entry in entries} == {operator_id}
        assert sorted(entry.detail["count"] for entry in entries) == [0, 1, 2]


def test_they_are_counted_for_the_alerts(console: ConsoleBrowser) -> None:
    given_up(console, 2)
    assert desk_gauges.measure(console.deps).events_given_up == 2
    webhooks.send_again(console.deps)
    console.clock.move(timedelta(hours=7))
    found = desk_gauges.measure(console.deps)
    assert (found.events_given_up, found.events.count) == (0, 2)
    assert found.events.oldest_seconds >= 7 * 3600


def test_without_an_address_the_page_says_how_to_make_one(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.SUPERVISOR)
    assert "bot webhook add" in console.shown()


@pytest.mark.parametrize("role", [Role.AGENT, Role.COMPLIANCE])
def test_it_is_no_page_for_everybody(console: ConsoleBrowser, role: Role) -> None:
    console.log_in_as(role)
    assert console.browser.get("/console/events").status_code == 403
    assert 'href="/console/events"' not in console.browser.get("/console/").text
