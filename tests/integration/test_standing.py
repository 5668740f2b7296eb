"""Where a conversation stands: how many wait for a person before whom, in the console's order."""

from __future__ import annotations

from datetime import timedelta

from bot.desk.ownership import Owner, QueueReason
from bot.services import handoff
from bot.services.deps import Deps
from bot.services.standing import Standing, standings
from bot.services.web_sessions import open_session
from tests.builders.desk import SetClock, an_operator


def test_who_waits_longer_or_more_urgently_comes_first(deps: Deps, clock: SetClock) -> None:
    chats = [open_session(deps).conversation_id for _ in range(5)]
    reasons = [QueueReason.ASKED, QueueReason.ASKED, QueueReason.COMPLAINT, QueueReason.DISTRESS]
    for chat, reason in zip(chats, reasons, strict=False):
        handoff.ask_human(deps, chat, reason)
        clock.move(timedelta(minutes=1))

    found = standings(deps, [*chats, "unknown"])
    assert [found[chat].ahead for chat in chats] == [2, 3, 1, None, None]
    assert [found[chat].owner for chat in chats] == [Owner.QUEUED] * 4 + [Owner.BOT]
    assert "unknown" not in found

    handoff.take(deps, chats[0], an_operator(deps))
    found = standings(deps, chats[:2])
    assert found[chats[0]] == Standing(found[chats[0]].last_seq, Owner.HUMAN, is_verified=False)
    assert found[chats[1]].ahead == 2
