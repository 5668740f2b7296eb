"""What an open page of the console is told while it is open."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from bot.console.live import LiveFeed, changes, events
from bot.desk.ownership import Owner, QueueReason
from bot.outreach.gate import HoldKind
from bot.services import handoff, inbox
from bot.services.deps import Deps
from bot.services.inbound import record_text
from tests.builders.console import Console
from tests.builders.desk import (
    Said,
    Talk,
    a_conversation,
    an_operator,
)


@pytest.fixture
def one_look_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the feed look only when the test says so."""
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 3600)


def test_the_update_holds_only_newer_turns(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(said=(Said("一"), Said("二"), Said("三"))))
    page = console.browser.get(f"/console/c/{conversation}/turns?after=2").text
    assert re.findall(r'data-seq="(\d+)"', page) == ["3"]


def test_a_listener_is_told_of_every_kind_of_change_and_of_nothing_else(
    console: Console, one_look_at_a_time: None
) -> None:
    deps = console.deps
    me = an_operator(deps)
    quiet, writes, asks, withdraws, taken = (
        a_conversation(deps, Talk(owner=owner, reason=reason))
        for owner, reason in (
            (Owner.BOT, None),
            (Owner.BOT, None),
            (Owner.BOT, None),
            (Owner.QUEUED, QueueReason.ASKED),
            (Owner.QUEUED, QueueReason.ASKED),
        )
    )
    long_quiet = a_conversation(
        deps, Talk((Said("在", minutes_ago=300),), owner=Owner.QUEUED, reason=QueueReason.ASKED)
    )

    async def follow() -> tuple[set[str], set[str], set[str]]:
        feed = LiveFeed(deps, lambda: False)
        async with feed.listening() as listener:
            record_text(deps, writes, "a key", "有人吗")
            handoff.ask_human(deps, asks, QueueReason.ASKED)
            handoff.withdraw(deps, withdraws)
            handoff.withdraw(deps, long_quiet)
            handoff.take(deps, taken, me)
            await feed.look()
            first = await listener.next(0)
            await feed.look()
            second = await listener.next(0)
            console.clock.move(timedelta(hours=1))
            await feed.look()
            return first, second, await listener.next(0)

    first, second, later = asyncio.run(follow())
    assert first == {writes, asks, withdraws, taken, long_quiet}
    assert quiet not in first
    assert second == set()
    assert later == set()


def test_a_sign_of_distress_while_a_person_answers_is_a_change() -> None:
    calm = inbox.Pulse(3, Owner.HUMAN, None, "me", in_danger=False)
    danger = inbox.Pulse(3, Owner.HUMAN, None, "me", in_danger=True)
    assert changes({"a": calm, "b": calm}, {"a": danger, "b": calm}) == {"a"}


def test_a_stream_names_what_changed_and_ends_when_the_feed_closes(console: Console, one_look_at_a_time: None) -> None:
    conversation = a_conversation(console.deps)

    async def follow() -> list[str]:
        feed = LiveFeed(console.deps, lambda: False)
        stream = events(feed)
        frames = [await anext(stream)]
        record_text(console.deps, conversation, "a key", "有人吗")
        await feed.look()
        frames.append(await anext(stream))
        feed.close()
        frames.extend([frame async for frame in stream])
        return frames

    frames = asyncio.run(asyncio.wait_for(follow(), 5))
    assert frames[1] == f'event: changed\ndata: ["{conversation}"]\n\n'
    assert all(frame.startswith(":") for frame in frames[2:])


def test_streams_end_when_the_server_stops(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 0)

    async def follow() -> list[str]:
        return [frame async for frame in events(LiveFeed(console.deps, lambda: True))]

    frames = asyncio.run(asyncio.wait_for(follow(), 5))
    assert not any("changed" in frame for frame in frames)


def test_a_stream_ends_after_its_time_so_that_a_session_that_ended_is_noticed(console: Console) -> None:
    async def follow() -> list[str]:
        return [frame async for frame in events(LiveFeed(console.deps, lambda: False), stream_seconds=0.05)]

    assert asyncio.run(asyncio.wait_for(follow(), 5))


def test_a_database_that_is_away_for_a_moment_does_not_end_the_looking(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def failing(_deps: Deps, _since: object) -> dict[str, inbox.Pulse]:
        looks.append(1)
        if len(looks) == 2:
            raise ConnectionError
        return {}

    monkeypatch.setattr(inbox, "pulse", failing)
    monkeypatch.setattr("bot.console.live.EVERY_SECONDS", 0)

    async def follow() -> None:
        feed = LiveFeed(console.deps, lambda: False)
        async with feed.listening():
            while len(looks) < 4:
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(follow(), 5))
    assert len(looks) >= 4


def test_danger_rings_for_the_queue_and_the_one_who_answers_but_not_for_colleagues(console: Console) -> None:
    me = an_operator(console.deps)
    other = an_operator(console.deps, login="li", name="李敏")
    console.log_in()
    distress = (HoldKind.DISTRESS,)
    waiting = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.DISTRESS, holds=distress))
    mine = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me, holds=distress))
    theirs = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=other, holds=distress))
    page = console.browser.get("/console/list").text
    rings = dict(re.findall(r'data-id="(\w+)" data-attention="(\w*)"', page))
    assert rings == {waiting: "danger", mine: "danger", theirs: ""}
    assert page.count("危急</span>") == 3
