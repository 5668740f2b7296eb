"""Events on their way to the core system: signed, in order, tried again, given up and seen. Against both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.channels import webhook_sender
from bot.channels.webhook_sender import LEASE, WebhookSender
from bot.outreach.gate import HoldKind
from bot.services import api_clients, desk_gauges, lender_events, webhooks
from bot.services.deps import Deps
from bot.services.webhooks import GIVEN_UP_AFTER, NewWebhook, WebhookRefusal, retry_delay
from bot.store.tables import Hold, Webhook, WebhookDelivery
from tests.builders.desk import SetClock
from tests.builders.lender import a_key
from tests.doubles.core_system import CoreSystem


@pytest.fixture
def core() -> Iterator[CoreSystem]:
    with CoreSystem() as double:
        yield double


@pytest.fixture
def webhook(deps: Deps, core: CoreSystem) -> NewWebhook:
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    made = webhooks.register(deps, "core", core.url)
    assert isinstance(made, NewWebhook)
    core.secret = made.secret
    return made


@pytest.fixture
async def sender(deps: Deps) -> AsyncIterator[WebhookSender]:
    made = WebhookSender(deps)
    yield made
    await made.stop()


def happens(deps: Deps, borrower: str, times: int = 1) -> None:
    with deps.begin() as session:
        for _ in range(times):
            session.add(Hold(borrower_id=borrower, kind=HoldKind.COMPLAINT, placed_at=deps.now()))
    lender_events.sweep(deps)
    webhooks.prepare(deps)


async def rounds(sender: WebhookSender) -> int:
    attempted = 0
    while count := await sender.round():
        attempted += count
    return attempted


async def test_events_are_posted_signed_and_in_order(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender
) -> None:
    happens(deps, borrower, 3)
    assert webhooks.prepare(deps) == 0
    assert await rounds(sender) == 3
    assert [event["seq"] for event in core.taken] == [1, 2, 3]
    assert core.taken == [event.to_json() for event in lender_events.feed(deps, 0)]
    assert [(one.pending, one.dead) for one in webhooks.listing(deps)] == [(0, 0)]


async def test_without_the_secret_nothing_is_believed(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender
) -> None:
    core.secret = "another secret"
    happens(deps, borrower)
    await rounds(sender)
    assert (core.requests, core.taken) == (1, [])
    with deps.read() as session:
        assert webhook.secret not in session.scalars(select(Webhook.secret_sealed)).one()


async def test_what_was_not_taken_is_tried_again_later_and_the_rest_waits_behind_it(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender, clock: SetClock
) -> None:
    core.answers = [503, 0, 302]
    happens(deps, borrower, 2)
    for attempt in (1, 2, 3):
        assert await rounds(sender) == 1
        assert core.taken == []
        clock.move(retry_delay(attempt) - timedelta(seconds=1))
        assert await rounds(sender) == 0
        clock.move(timedelta(seconds=1))
    assert await rounds(sender) == 2
    assert [event["seq"] for event in core.taken] == [1, 2]


async def test_what_is_never_taken_is_given_up_seen_and_can_be_sent_again(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender, clock: SetClock
) -> None:
    core.answers = [500] * GIVEN_UP_AFTER
    happens(deps, borrower, 2)
    for attempt in range(1, GIVEN_UP_AFTER + 1):
        await rounds(sender)
        clock.move(retry_delay(attempt))
    assert [event["seq"] for event in core.taken] == [2], "the next one is not held up for ever"
    (dead,) = webhooks.dead_letters(deps)
    assert (dead.seq, dead.attempts, dead.last_error) == (1, GIVEN_UP_AFTER, "http_500")
    assert [(one.pending, one.dead) for one in webhooks.listing(deps)] == [(0, 1)]
    assert webhooks.send_again(deps, ["another"]) == 0
    assert webhooks.send_again(deps) == 1
    await rounds(sender)
    assert [event["seq"] for event in core.taken] == [2, 1]
    assert webhooks.dead_letters(deps) == ()


async def test_an_answer_that_this_event_is_wrong_is_final(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender
) -> None:
    core.answers = [422]
    happens(deps, borrower, 2)
    await rounds(sender)
    assert [event["seq"] for event in core.taken] == [2]
    assert webhooks.dead_letters(deps)[0].last_error == "http_422"


async def test_an_address_that_cannot_even_be_asked_counts_as_an_attempt(
    deps: Deps, borrower: str, debt: str, webhook: NewWebhook, sender: WebhookSender, clock: SetClock
) -> None:
    with deps.begin() as session:
        session.get_one(Webhook, webhook.id).url = "https://xn--/events"
    happens(deps, borrower)
    for attempt in range(1, GIVEN_UP_AFTER + 1):
        assert await sender.round() == 1
        clock.move(retry_delay(attempt))
    assert len(webhooks.dead_letters(deps)) == 1


async def test_two_gateways_share_the_work_and_a_dead_ones_claim_ends(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender, clock: SetClock
) -> None:
    happens(deps, borrower)
    assert len(webhooks.claim_due(deps, 8, LEASE)) == 1  # and that gateway dies
    assert await rounds(sender) == 0
    clock.move(LEASE)
    assert await rounds(sender) == 1
    assert len(core.taken) == 1


def test_a_claim_that_has_passed_on_changes_nothing(
    deps: Deps, borrower: str, debt: str, webhook: NewWebhook, clock: SetClock
) -> None:
    happens(deps, borrower)
    (late,) = webhooks.claim_due(deps, 8, LEASE)
    clock.move(LEASE)
    (current,) = webhooks.claim_due(deps, 8, LEASE)
    webhooks.failed(deps, late, "late", is_final=True)
    assert webhooks.dead_letters(deps) == ()
    webhooks.delivered(deps, current)
    assert [(one.pending, one.dead) for one in webhooks.listing(deps)] == [(0, 0)]


async def test_a_closed_address_and_a_closed_client_are_called_no_more(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender
) -> None:
    happens(deps, borrower)
    api_clients.close(deps, "core")
    assert await rounds(sender) == 0
    assert webhooks.close(deps, webhook.id) is None
    assert webhooks.close(deps, webhook.id) is WebhookRefusal.UNKNOWN
    assert core.requests == 0


def left(deps: Deps) -> tuple[int, int]:
    """How many events wait or were given up, as the alerts see it."""
    gauges = desk_gauges.measure(deps)
    return gauges.events.count, gauges.events_given_up


@pytest.mark.parametrize("by", ["webhook", "client"])
async def test_what_a_closed_address_did_not_take_waits_for_nobody(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender, by: str
) -> None:
    core.answers = [422, 503]
    happens(deps, borrower, 3)
    await rounds(sender)
    assert left(deps) == (2, 1)
    if by == "webhook":
        webhooks.close(deps, webhook.id)
    else:
        api_clients.close(deps, "core")
    assert left(deps) == (0, 0)
    assert [(one.pending, one.dead) for one in webhooks.listing(deps)] == [(0, 0)]
    assert webhooks.dead_letters(deps) == ()
    assert webhooks.send_again(deps) == 0
    happens(deps, borrower)
    assert left(deps) == (0, 0)


def test_what_was_left_by_an_address_closed_long_ago_is_not_counted(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook
) -> None:
    happens(deps, borrower, 2)
    with deps.begin() as session:
        session.get_one(Webhook, webhook.id).closed_at = deps.now()
        session.scalars(select(WebhookDelivery).limit(1)).one().state = "dead"
    assert left(deps) == (0, 0)
    assert webhooks.dead_letters(deps) == ()
    assert webhooks.send_again(deps) == 0


async def test_an_answer_that_drips_holds_nobody_else_up(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    monkeypatch.setattr(webhook_sender, "SECONDS", 0.5)
    with CoreSystem(drips="header") as slow:
        for double in (slow, core):
            made = webhooks.register(deps, "core", double.url)
            assert isinstance(made, NewWebhook)
            double.secret = made.secret
        happens(deps, borrower)
        async with asyncio.timeout(10):
            assert await sender.round() == 2
    assert len(core.taken) == 1
    with deps.read() as session:
        waiting = session.scalars(select(WebhookDelivery).where(WebhookDelivery.state == "pending")).one()
    assert (waiting.last_error, waiting.claimed_until) == ("too_slow", None)


async def test_a_body_without_an_end_is_not_read(
    deps: Deps, borrower: str, debt: str, core: CoreSystem, webhook: NewWebhook, sender: WebhookSender
) -> None:
    core.drips, core.answers = "body", [200]  # a 204 has none
    happens(deps, borrower)
    async with asyncio.timeout(5):
        assert await sender.round() == 1
    assert [(one.pending, one.dead) for one in webhooks.listing(deps)] == [(0, 0)]


def test_an_attempt_ends_well_before_its_claim() -> None:
    assert timedelta(seconds=2 * webhook_sender.SECONDS) < LEASE


def test_a_new_address_is_told_what_comes_or_everything(deps: Deps, borrower: str, debt: str, core: CoreSystem) -> None:
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    happens(deps, borrower, 2)
    webhooks.register(deps, "core", core.url)
    assert webhooks.prepare(deps) == 0
    webhooks.register(deps, "core", core.url, from_beginning=True)
    assert webhooks.prepare(deps) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://core.example.cn/events",
        "ftp://core.example.cn",
        "https://",
        "https://user:password@core.example.cn/",
        "https://core.example.cn:99999/",
        "https://[",
        "core.example.cn",
        "https://core.example.cn/" + "x" * 500,
    ],
)
def test_only_an_address_that_nobody_can_listen_to_is_taken(deps: Deps, url: str) -> None:
    a_key(deps, api_clients.Scope.EVENTS_READ, name="core")
    assert webhooks.register(deps, "core", url) is WebhookRefusal.BAD_URL
    assert webhooks.register(deps, "nobody", "https://core.example.cn/") is WebhookRefusal.UNKNOWN_CLIENT
    assert isinstance(webhooks.register(deps, "core", "https://core.example.cn/"), NewWebhook)


def test_the_waits_grow_and_end_after_about_two_days() -> None:
    waits = [retry_delay(attempt) for attempt in range(1, GIVEN_UP_AFTER)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=1)
    assert timedelta(days=2) < sum(waits, timedelta(0)) < timedelta(days=3)
