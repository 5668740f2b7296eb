"""A consent of its own before files about health or means are taken: asked for, given, refused, taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.care.vulnerability import CARE, Vulnerability
from bot.desk.uploads import Brought
from bot.services import care, case_desk, case_files, consents, evidence, negotiation, retention
from bot.services.circumstances import REMEMBERED, Pace, pace
from bot.services.consents import Answer
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.services.inbound import record_press, record_text
from bot.store.tables import AuditEntry, Button, CaseNote, EvidenceConsent, Message
from bot.workout.policy_sections import HardshipKind
from tests.builders.accounts import verified
from tests.builders.cases import a_complaint, somebody
from tests.builders.desk import SetClock, a_conversation

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def case_id(deps: Deps, chat: str) -> str:
    return a_complaint(deps, chat)


@pytest.fixture
def ill(deps: Deps, chat: str, case_id: str) -> str:
    """The chat of somebody who is ill, with an open case."""
    care.name(deps, somebody(deps), chat, Vulnerability.ILLNESS)
    return chat


def says(deps: Deps, chat: str, text: str) -> str:
    """Write something; returns what the desk itself answers."""
    before = max((message.seq for message in messages_after(deps, chat, 0)), default=0)
    record_text(deps, chat, f"key-{before:08d}", text)
    return "\n".join(each.text for each in messages_after(deps, chat, before) if each.author != Author.BORROWER)


def brings(deps: Deps, chat: str, content: bytes = PNG) -> object:
    return evidence.bring(deps, chat, "诊断书.png", content)


def files(deps: Deps, *, kept: bool = True) -> int:
    with deps.read() as session:
        found = session.scalars(select(CaseNote).where(CaseNote.kind == "file")).all()
        return sum((note.content_sealed is not None) is kept for note in found)


def test_who_told_of_nothing_is_not_asked(deps: Deps, chat: str, case_id: str) -> None:
    assert evidence.hindrance(deps, chat) is None
    assert brings(deps, chat) is Brought.KEPT


@pytest.mark.parametrize("kind", [kind for kind in Vulnerability if CARE[kind].is_sensitive])
def test_a_file_about_health_or_means_waits_for_the_consent(
    deps: Deps, chat: str, case_id: str, kind: Vulnerability
) -> None:
    care.name(deps, somebody(deps), chat, kind)
    assert evidence.hindrance(deps, chat) is Brought.NO_CONSENT
    assert (brings(deps, chat), files(deps)) == (Brought.NO_CONSENT, 0)


@pytest.mark.parametrize("hardship", [HardshipKind.ILLNESS, HardshipKind.JOB_LOSS])
def test_what_was_told_in_the_talk_about_plans_counts_as_well(
    deps: Deps, chat: str, case_id: str, hardship: HardshipKind
) -> None:
    negotiation.open_negotiation(deps, chat)
    negotiation.tell_hardship(deps, chat, hardship)
    assert brings(deps, chat) is Brought.NO_CONSENT


def test_it_is_asked_once_a_file_with_its_purpose_its_end_and_a_no(deps: Deps, ill: str) -> None:
    assert consents.ask(deps, ill, "upload-1")
    assert not consents.ask(deps, ill, "upload-1")
    asked = messages_after(deps, ill, 0)[-1].text
    assert all(words in asked for words in ("单独同意", "90 天后删除", "不同意也照样办", "随时可以撤回"))
    with deps.read() as session:
        open_now = session.scalars(select(Button.payload).where(Button.conversation_id == ill)).all()
    assert {Answer.GIVE.value, Answer.REFUSE.value} <= set(open_now)


def test_given_by_button_it_opens_the_way_on_every_channel(deps: Deps, borrower: str, ill: str) -> None:
    consents.ask(deps, ill, "upload-1")
    with deps.read() as session:
        token = session.scalars(select(Button.token).where(Button.payload == Answer.GIVE.value)).one()
    record_press(deps, ill, "press-00001", token)
    with deps.read() as session:
        pressed = session.scalars(select(Message).where(Message.payload == Answer.GIVE.value)).one()
        assert pressed.handling == "handled", "the engine knows nothing of it"
    assert brings(deps, ill) is Brought.KEPT
    elsewhere = verified(deps, borrower, "telegram")
    assert brings(deps, elsewhere, PNG + b"2") is Brought.KEPT


@pytest.mark.parametrize("words", ["同意提供材料", "我同意提供证明。", "同意发材料"])
def test_given_by_words_it_counts_once(deps: Deps, ill: str, words: str) -> None:
    assert "可以发材料" in says(deps, ill, words)
    says(deps, ill, words)
    with deps.read() as session:
        assert len(session.scalars(select(EvidenceConsent)).all()) == 1


@pytest.mark.parametrize("words", ["同意", "好的", "我同意这个方案", "材料我发过了", "同意提供材料吗我不懂"])
def test_no_other_yes_is_taken_for_it(deps: Deps, ill: str, words: str) -> None:
    says(deps, ill, words)
    assert brings(deps, ill) is Brought.NO_CONSENT


def test_a_no_costs_nothing_and_keeps_nothing(deps: Deps, ill: str) -> None:
    assert "照样办" in says(deps, ill, "不同意提供材料")
    assert (brings(deps, ill), files(deps)) == (Brought.NO_CONSENT, 0)


@pytest.mark.parametrize("words", ["撤回同意", "我要撤回同意", "撤回提供材料的同意", "取消我的同意"])
def test_taken_back_it_deletes_what_was_sent_and_holds_from_then_on(deps: Deps, ill: str, words: str) -> None:
    says(deps, ill, "同意提供材料")
    brings(deps, ill)
    brings(deps, ill, PNG + b"2")
    assert "删掉了 2 份" in says(deps, ill, words)
    assert (files(deps), files(deps, kept=False)) == (0, 2)
    assert brings(deps, ill, PNG + b"3") is Brought.NO_CONSENT
    with deps.read() as session:
        events = session.scalars(select(AuditEntry.event).where(AuditEntry.event.like("consent_%"))).all()
    assert sorted(events) == ["consent_given", "consent_withdrawn"]


def test_a_stranger_takes_back_nothing_of_the_borrowers(deps: Deps, ill: str) -> None:
    says(deps, ill, "同意提供材料")
    brings(deps, ill)
    says(deps, a_conversation(deps), "撤回同意")
    assert files(deps) == 1
    assert brings(deps, ill, PNG + b"2") is Brought.KEPT


def test_an_operator_keeps_such_a_file_only_with_the_consent_on_record(deps: Deps, ill: str, case_id: str) -> None:
    boss = somebody(deps, login="other")
    refused = case_files.attach(deps, boss, case_id, "诊断书.png", PNG)
    assert (refused, files(deps)) == (case_desk.Refused.NO_CONSENT, 0)
    assert isinstance(case_files.attach(deps, boss, case_id, "诊断书.png", PNG, consented=True), case_desk.Acted)
    with deps.read() as session:
        assert session.scalars(select(EvidenceConsent.noted_by)).all() == [boss.id]


def test_a_circumstance_counts_for_a_time_and_is_deleted_then(
    deps: Deps, clock: SetClock, borrower: str, ill: str
) -> None:
    elsewhere = verified(deps, borrower, "telegram")
    assert pace(deps, ill) == pace(deps, elsewhere) == Pace(is_slower=True, is_sensitive=True)
    assert pace(deps, a_conversation(deps)) == Pace()
    clock.move(REMEMBERED + timedelta(hours=1))
    assert pace(deps, ill) == Pace()
    assert retention.run(deps).circumstances == 1
    assert retention.run(deps).circumstances == 0
