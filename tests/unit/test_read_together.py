"""Messages that are compared come as one where each would ring a phone."""

from __future__ import annotations

from bot.services.conversations import ONE_OF_SEVERAL, QuickReply, Reply
from bot.services.turns import read_together

PART = (QuickReply("", ONE_OF_SEVERAL),)


def test_a_run_of_parts_becomes_one_message_between_what_stands_around_it() -> None:
    replies = [
        Reply("算好了。"),
        Reply("方案1", PART),
        Reply("方案2", PART),
        Reply("选哪个？", (QuickReply("方案1", "/x"),)),
    ]

    assert read_together(replies) == [replies[0], Reply("方案1\n\n方案2", PART), replies[3]]


def test_two_runs_stay_two() -> None:
    replies = [Reply("方案1", PART), Reply("方案2", PART), Reply("或者："), Reply("方案3", PART), Reply("方案4", PART)]

    assert [reply.text for reply in read_together(replies)] == ["方案1\n\n方案2", "或者：", "方案3\n\n方案4"]


def test_nothing_else_is_put_together() -> None:
    replies = [Reply("一"), Reply("二"), Reply("方案1", PART)]

    assert read_together(replies) == replies
