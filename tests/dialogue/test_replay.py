"""A conversation of the running desk, decided anew with the model and the rules of its day: byte for byte the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from bot.release.replaying import replay
from bot.release.shelf import Shelf
from bot.services.recorded_turns import Verdict
from bot.settings import ROOT
from bot.store.tables import Message
from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk

pytestmark = pytest.mark.running


def test_a_conversation_comes_out_the_same_but_for_the_word_that_was_changed(
    desk: RunningDesk, borrower: Callable[..., Borrower]
) -> None:
    person = borrower()
    person.say("你好")
    person.verify("13800000001", "1001")
    person.say("我還欠多少錢？")
    person.say("催收打电话给我家人合法吗")
    person.say("想分期还，失业了")
    person.say("不想活了")
    with desk.deps.begin() as session:
        asked = session.scalars(
            select(Message).where(Message.text == "催收打电话给我家人合法吗").order_by(Message.created_at.desc())
        ).first()
        assert asked is not None
        chat, seq = asked.conversation_id, asked.seq
        answer = session.scalars(select(Message.id).where(Message.in_reply_to == asked.id)).first()
        session.execute(update(Message).where(Message.id == answer).values(text="被改过的话"))
    report = replay(desk.deps, Shelf(ROOT / "models"), chat)
    assert report is not None
    verdicts = {turn.seq: turn.verdict for turn in report.turns}
    assert verdicts.pop(seq) is Verdict.OTHER_WORDS
    assert set(verdicts.values()) == {Verdict.SAME}, report.to_text()
    assert len(verdicts) >= 7
    assert not any(turn.missing for turn in report.turns)
    assert report.differs
