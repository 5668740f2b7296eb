"""What a browser can send that a person cannot: odd frames, replays, two tabs, sessions that ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from bot.store.tables import Message, WebSession
from tests.builders.people import a_person
from tests.dialogue.conftest import NewLine
from tests.dialogue.lines import WebLine
from tests.dialogue.proving import prove, words
from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


def stored(desk: RunningDesk, line: WebLine, author: str = "borrower") -> int:
    with desk.deps.begin() as session:
        mine = select(func.count()).select_from(Message).where(Message.conversation_id == line.conversation_id)
        return session.scalar(mine.where(Message.author == author)) or 0


def problem_after(line: WebLine, data: str | bytes) -> dict[str, object]:
    before = len(line.borrower.problems)
    line.borrower.send_raw(data)
    RunningDesk.wait_until(lambda: _listen(line) > before, 10, "the problem to be told")
    return line.borrower.problems[-1]


def _listen(line: WebLine) -> int:
    line.borrower.listen(0.02)
    return len(line.borrower.problems)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x00\x01\xff", "bad_frame"),
        ("not json", "bad_frame"),
        ("[]", "bad_frame"),
        ("{}", "bad_frame"),
        ('{"type":"restart"}', "bad_frame"),
        ('{"type":"say","key":"short","text":"你好"}', "bad_frame"),
        ('{"type":"say","key":"long-enough-key","text":7}', "bad_frame"),
        ('{"type":"press","key":"unknown-button","token":"made-up"}', "unknown_button"),
        ('{"type":"say","key":"five-thousand","text":"%s"}' % ("还" * 5000), "too_long"),
        ("x" * 70_000, "too_long"),
    ],
)
def test_an_odd_frame_gets_a_clear_sentence_and_the_line_lives_on(
    desk: RunningDesk, web_line: NewLine, data: str | bytes, code: str
) -> None:
    line = web_line()
    problem = problem_after(line, data)
    assert problem["code"] == code
    assert "Error" not in str(problem["text"])
    assert len(str(problem["text"])) > 8
    assert stored(desk, line) == 0
    assert "我在" in words(line.say("你好"))


def test_a_replayed_key_is_stored_once_and_answered_once(desk: RunningDesk, web_line: NewLine) -> None:
    line = web_line()
    line.say("你好")
    answers = stored(desk, line, "bot")
    key = next(iter(line.borrower.acked))
    seq = line.borrower.acked.pop(key)
    for _ in range(3):
        line.borrower.send({"type": "say", "key": key, "text": "你好"})
    RunningDesk.wait_until(lambda: bool(_acked(line, key)), 10, "the replay to be acknowledged")
    assert line.borrower.acked[key] == seq
    line.borrower.listen(0.5)
    assert stored(desk, line) == 1
    assert stored(desk, line, "bot") == answers


def _acked(line: WebLine, key: str) -> bool:
    line.borrower.listen(0.02)
    return key in line.borrower.acked


def test_a_used_button_says_so(web_line: NewLine) -> None:
    line = web_line()
    line.say("你好")
    token = next(iter(line.heard[-1].buttons.values()))
    line.press("查我欠多少")
    assert problem_after(line, _press(token))["code"] == "stale_button"


def test_a_button_of_another_session_opens_nothing(desk: RunningDesk, web_line: NewLine) -> None:
    mine, other = web_line(), web_line()
    prove(mine, a_person(desk.deps))
    mine.say("我欠多少钱")
    token = next(token for said in reversed(mine.heard) for token in said.buttons.values())
    assert problem_after(other, _press(token))["code"] == "unknown_button"
    assert stored(desk, other) == 0
    assert "这些数怎么来的" not in words(other.heard)
    assert "本金：" in words(mine.press("这些数怎么来的")), "the owner could not press it any more"


def test_both_tabs_of_a_session_show_the_same(web_line: NewLine, borrower: Callable[..., Borrower]) -> None:
    line = web_line()
    other = borrower(line.borrower.cookie)
    line.say("你好")
    other.wait_for("我在")
    RunningDesk.wait_until(lambda: _caught_up(other, line.borrower), 10, "the second tab to catch up")
    shown = {said.seq: said.text for said in line.heard}
    assert {said.seq: said.text for said in other.heard} == shown
    other.say("谢谢")
    line.wait_for("不客气")
    assert len({said.seq for said in line.heard}) == len(line.heard), "a message was shown twice"


def test_both_tabs_speaking_at_once_are_both_answered(
    desk: RunningDesk, web_line: NewLine, borrower: Callable[..., Borrower]
) -> None:
    line = web_line()
    other = borrower(line.borrower.cookie)
    line.borrower.send({"type": "say", "key": uuid4().hex, "text": "会上征信吗"})
    other.send({"type": "say", "key": uuid4().hex, "text": "谢谢"})
    line.wait_for("征信业管理条例")
    line.wait_for("不客气")
    assert stored(desk, line) == 2


def _caught_up(one: Borrower, other: Borrower) -> bool:
    one.listen(0.02)
    return one.last_seq == other.last_seq


def test_an_expired_session_is_told_to_reload_and_shows_nothing(
    desk: RunningDesk, web_line: NewLine, borrower: Callable[..., Borrower]
) -> None:
    line = web_line()
    prove(line, a_person(desk.deps))
    line.say("我欠多少钱")
    line.borrower.disconnect()
    with desk.deps.begin() as session:
        row = session.get_one(WebSession, desk.deps.vault.lookup("web_session", line.borrower.cookie))
        row.expires_at = desk.deps.now() - timedelta(minutes=1)
    before = stored(desk, line)
    late = borrower(line.borrower.cookie)
    late.send({"type": "say", "key": uuid4().hex, "text": "我还在"})
    RunningDesk.wait_until(lambda: bool(late.listen(0.02) or late.problems), 10, "the problem to be told")
    assert late.problems[-1]["code"] == "session_expired"
    assert late.heard == []
    assert stored(desk, line) == before


def test_a_made_up_cookie_opens_nothing(borrower: Callable[..., Borrower]) -> None:
    stranger = borrower("made-up-cookie")
    stranger.send({"type": "say", "key": uuid4().hex, "text": "我欠多少钱"})
    RunningDesk.wait_until(lambda: bool(stranger.listen(0.02) or stranger.problems), 10, "the problem to be told")
    assert stranger.problems[-1]["code"] == "session_expired"
    assert stranger.heard == []


def test_everything_is_there_again_after_a_reload(
    desk: RunningDesk, web_line: NewLine, borrower: Callable[..., Borrower]
) -> None:
    line = web_line()
    prove(line, a_person(desk.deps))
    again = borrower(line.borrower.cookie)
    RunningDesk.wait_until(lambda: _caught_up(again, line.borrower), 10, "the history")
    # What proves identity is hidden on every open page a moment after it was said.
    RunningDesk.wait_until(
        lambda: [said.text for said in again.heard] == [said.text for said in line.heard], 10, "the same words"
    )


def _press(token: str) -> str:
    return f'{{"type":"press","key":"{uuid4().hex}","token":"{token}"}}'
