"""Deciding recorded turns anew: what counts as the same, and what shows. Against both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot import cli_model
from bot.cli import app
from bot.release import replaying
from bot.services import recorded_turns, rule_archive, shadow_turns
from bot.services.conversations import Author, Reply
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.recorded_turns import Judged, Recorded, Remade, Verdict
from bot.services.rule_versions import rule_versions
from bot.store.tables import AuditEntry, Message
from tests.builders.desk import Said, Talk, a_borrower, a_conversation

MODEL = "test"
AGAIN = Remade("greet", 0.91234, ("utter_greet",), (Reply("您好。"),))


@pytest.fixture
def chat(deps: Deps) -> str:
    said = (
        Said("在吗", intent="greet", confidence=0.9123, actions=("utter_greet",)),
        Said("您好。", Author.BOT),
    )
    chat = a_conversation(deps, Talk(said))
    with deps.begin() as session:
        first, answer = session.scalars(
            select(Message).where(Message.conversation_id == chat).order_by(Message.seq)
        ).all()
        answer.in_reply_to = first.id
        first.understanding = {**(first.understanding or {}), "rules": dict(rule_versions(deps))}
    rule_archive.keep(deps)
    return chat


def of(deps: Deps, chat: str) -> Recorded:
    found = recorded_turns.recorded(deps, chat)
    assert found is not None
    return found


def verdict(deps: Deps, chat: str, again: Remade | None, models: frozenset[str] = frozenset({MODEL})) -> Verdict:
    conversation = of(deps, chat)
    (judged,) = recorded_turns.judge(deps, conversation, {conversation.turns[0].message_id: again}, models)
    assert judged.missing == ()
    return judged.verdict


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda again: again, Verdict.SAME),
        (lambda again: replace(again, intent="thank"), Verdict.OTHER_READING),
        (lambda again: replace(again, confidence=0.9124), Verdict.OTHER_READING),
        (lambda again: replace(again, actions=("utter_thank",)), Verdict.OTHER_ACTIONS),
        (lambda again: replace(again, replies=(Reply("您好!"),)), Verdict.OTHER_WORDS),
        (lambda again: replace(again, replies=()), Verdict.OTHER_WORDS),
        (
            lambda again: replace(again, knowledge=("an answer that no article of that day gave",)),
            Verdict.OTHER_KNOWLEDGE,
        ),
    ],
)
def test_whatever_differs_shows(deps: Deps, chat: str, change: Callable[[Remade], Remade], expected: Verdict) -> None:
    assert verdict(deps, chat, change(AGAIN)) is expected


def test_a_traditional_record_is_compared_in_its_script(deps: Deps, chat: str) -> None:
    with deps.begin() as session:
        answer = session.scalars(select(Message).where(Message.author == "bot")).one()
        answer.text = "還款計劃"
    assert verdict(deps, chat, replace(AGAIN, replies=(Reply("还款计划"),))) is Verdict.SAME


def test_what_can_no_longer_be_decided_is_no_difference(deps: Deps, chat: str) -> None:
    assert verdict(deps, chat, AGAIN, frozenset()) is Verdict.NO_MODEL
    assert verdict(deps, chat, None) is Verdict.NOT_RECORDED
    assert not Verdict.NO_MODEL.differs
    assert Verdict.OTHER_WORDS.differs


@pytest.mark.parametrize(
    ("judged", "code"),
    [
        ((), 0),
        ((Verdict.SAME,), 0),
        ((Verdict.SAME, Verdict.NOT_RECORDED), 3),
        ((Verdict.NO_MODEL, Verdict.OTHER_WORDS), 1),
    ],
)
def test_the_command_does_not_call_the_same_what_it_could_not_decide(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, judged: tuple[Verdict, ...], code: int
) -> None:
    report = replaying.ReplayReport(tuple(Judged(n, MODEL, each) for n, each in enumerate(judged)))
    monkeypatch.setattr(replaying, "replay", lambda *_: report)
    monkeypatch.setattr(cli_model, "settings_or_stop", lambda: deps.settings)
    monkeypatch.setattr(cli_model, "deps_or_stop", lambda _: deps)
    said = CliRunner().invoke(app, ["replay", "a" * 32])
    assert said.exit_code == code
    assert ("can no longer be decided anew" in said.output) is (report.undecided > 0)


def test_the_crisis_guard_of_that_day_is_asked_again(deps: Deps, chat: str) -> None:
    with deps.begin() as session:
        message = session.scalars(select(Message).where(Message.author == "borrower")).one()
        message.text, message.intent = "我不想活了", "express_distress"
        sign = deps.crisis_guard.check("我不想活了")
        assert sign is not None
        message.understanding = {**(message.understanding or {}), "model": f"guard:{sign.kind}"}
    assert verdict(deps, chat, None) is Verdict.SAME
    with deps.begin() as session:
        session.scalars(select(Message).where(Message.author == "borrower")).one().text = "今天天气不错"
    assert verdict(deps, chat, None) is Verdict.OTHER_GUARD


def test_rules_that_are_not_kept_are_named(deps: Deps, chat: str) -> None:
    with deps.begin() as session:
        message = session.scalars(select(Message).where(Message.author == "borrower")).one()
        message.understanding = {**(message.understanding or {}), "rules": {"rights": "before there was an archive"}}
    conversation = of(deps, chat)
    (judged,) = recorded_turns.judge(deps, conversation, {conversation.turns[0].message_id: AGAIN}, frozenset({MODEL}))
    assert judged.missing == ("rights",)


def test_the_engines_record_is_read_in_order_and_looking_is_on_record(deps: Deps, chat: str, tmp_path: Path) -> None:
    assert recorded_turns.recorded(deps, "nobody") is None
    with sqlite3.connect(tmp_path / "rasa-tracker.sqlite3") as tracker:
        tracker.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id TEXT, timestamp FLOAT, data TEXT)")
        for number, sender in enumerate((chat, "another", chat)):
            row = (sender, number, json.dumps({"event": "user", "text": str(number)}))
            tracker.execute("INSERT INTO events (sender_id, timestamp, data) VALUES (?, ?, ?)", row)
    tracker.close()
    assert [event["text"] for event in of(deps, chat).events] == ["0", "2"]
    with deps.read() as session:
        assert session.scalars(
            select(AuditEntry.subject_id).where(AuditEntry.event == "conversation_decided_anew")
        ).all()


def test_texts_for_comparing_models_point_to_nobody_and_hold_no_proof(deps: Deps) -> None:
    borrower = a_borrower(deps)
    said = (
        Said("我是王小明,想分期", intent="negotiate", confidence=0.9),
        Said("我是王小明,想分期", intent="negotiate", confidence=0.9),
        Said("010014", intent="verify_identity", confidence=0.9, actions=("verify_form",)),
        Said("电话13800000001打不通", intent="greet", confidence=0.5),
        Said("很久以前", intent="greet", confidence=0.5, minutes_ago=100_000),
        Said("好的", Author.BOT),
    )
    a_conversation(deps, Talk(said, borrower_id=borrower))
    texts = shadow_turns.texts_since(deps, deps.now() - timedelta(days=30), 10)
    assert len(texts) == 2
    assert not any("王小明" in text or "1380000" in text for text in texts)
    assert len(shadow_turns.texts_since(deps, deps.now() - timedelta(days=30), 1)) == 1


def test_what_the_guard_answered_names_the_rules_it_judged_by(deps: Deps) -> None:
    rule_archive.keep(deps)
    chat = a_conversation(deps)
    record_text(deps, chat, "a key", "我不想活了")
    (judged,) = recorded_turns.judge(deps, of(deps, chat), {}, frozenset())
    assert (judged.verdict, judged.missing) == (Verdict.SAME, ())
