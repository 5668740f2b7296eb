"""Taking a conversation, replying in it, giving it back, lifting holds; the words for every refusal."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.console.rendering import Pages
from bot.desk.canned import Stage
from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import handoff, inbox
from bot.services.care import CareRefusal
from bot.services.case_desk import Refused
from bot.services.conversations import Author
from bot.services.handoff import Done, Refusal
from bot.services.operator_login import StepRefusal
from bot.services.operators import LoginRefusal, LoginStep
from bot.services.reveal import NotRevealed, RevealReason
from bot.store.tables import AuditEntry, Hold
from tests.builders.console import Console, count_of, said_by_operators
from tests.builders.desk import (
    Talk,
    a_conversation,
    an_operator,
    reviewing,
)

NOT_TAKEN_UP = (Refused.NO_TEXT, Refused.TEXT_TOO_LONG, Refused.DAY_OUT_OF_RANGE, Refused.NOTHING_TO_DISPUTE)
"""Why a case is not opened on somebody's behalf, beside what other acts are refused for."""


def test_taking_tells_the_borrower_and_the_gateway(console: Console) -> None:
    an_operator(console.deps, name="小陈")
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    assert console.act(conversation, "take").headers["location"] == f"/console/c/{conversation}#done"
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "我在跟进" in page
    assert "现在由真人同事 小陈 接着和您说" in page
    assert console.told == [conversation]


def test_of_two_operators_who_take_at_once_exactly_one_wins(console: Console) -> None:
    people = [an_operator(console.deps, login=f"operator{n}", name=f"坐席{n}") for n in range(2)]
    for _ in range(10):
        conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
        take = partial(handoff.take, console.deps, conversation)
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(take, people))
        assert outcomes.count(Done(Owner.HUMAN)) == 1
        assert outcomes.count(Refusal.NOT_ALLOWED) == 1


def test_taking_what_a_colleague_has_is_refused_in_a_sentence(console: Console) -> None:
    an_operator(console.deps)
    other = an_operator(console.deps, login="li", name="李敏")
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=other))
    response = console.act(conversation, "take")
    assert response.status_code == 409
    assert "已经有同事在跟进" in response.text
    assert console.told == []


def test_only_the_owner_can_reply_and_what_was_typed_is_given_back(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    response = console.act(conversation, "reply", key=str(uuid4()), text="我写了很久的话")
    assert response.status_code == 409
    assert "不由您跟进" in response.text
    assert "我写了很久的话</textarea>" in response.text
    assert said_by_operators(console.deps, conversation) == []
    assert console.told == []


def test_a_form_sent_twice_is_said_once(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    key = str(uuid4())
    for _ in range(2):
        assert console.act(conversation, "reply", key=key, text="您好\r\n我看到了").status_code == 303
    console.act(conversation, "reply", key=str(uuid4()), text="还在吗")
    assert said_by_operators(console.deps, conversation) == ["您好\n我看到了", "还在吗"]


def test_every_page_makes_its_own_reply_key(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    pages = [console.browser.get(f"/console/c/{conversation}").text for _ in range(2)]
    keys = {key for page in pages for key in re.findall(r'name="key" value="([0-9a-f-]{36})"', page)}
    assert len(keys) == 2


@pytest.mark.parametrize(("text", "sentence"), [("  ", "回复是空的"), ("长" * 1001, "太长")])
def test_a_reply_that_cannot_be_sent_is_refused_in_a_sentence(console: Console, text: str, sentence: str) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    response = console.act(conversation, "reply", key=str(uuid4()), text=text)
    assert response.status_code == 409
    assert sentence in response.text
    assert text in response.text


def test_words_that_must_not_be_said_are_given_back_with_what_to_write_instead(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    typed = "您好。再不还就要坐 牢，我们会联系您的家人。"
    response = console.act(conversation, "reply", key=str(uuid4()), text=typed)
    assert response.status_code == 409
    assert f"{typed}</textarea>" in response.text
    assert "<q>坐 牢</q>" in response.text
    assert response.text.count("<li><q>") == len(handoff.unfitting(console.deps, typed)) >= 2
    assert said_by_operators(console.deps, conversation) == []
    assert console.told == []


def test_the_audit_of_words_that_were_not_sent_names_rules_and_holds_no_text(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    console.act(conversation, "reply", key=str(uuid4()), text="不还就让您坐牢")
    with console.deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "reply_unfitting")).one()
    assert (entry.actor_id, entry.subject_id, entry.detail) == (me, conversation, {"rules": "jail"})


def test_words_mended_after_a_refusal_are_sent(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    refused = console.act(conversation, "reply", key=str(uuid4()), text="不还就让您坐牢")
    key = re.findall(r'name="key" value="([0-9a-f-]{36})"', refused.text)[0]
    assert console.act(conversation, "reply", key=key, text="还不上一般不会坐牢，我们看看怎么排。").status_code == 303
    assert said_by_operators(console.deps, conversation) == ["还不上一般不会坐牢，我们看看怎么排。"]


def test_a_person_may_say_that_they_are_one(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    assert console.act(conversation, "reply", key=str(uuid4()), text="我是真人，您慢慢说。").status_code == 303


@pytest.mark.parametrize(("typed", "found"), [("父债子偿", 1), ("您慢慢说", 0), ("", 0), ("好" * 5000, 0)])
def test_what_is_being_typed_can_be_checked_before_it_is_sent(console: Console, typed: str, found: int) -> None:
    an_operator(console.deps)
    console.log_in()
    response = console.post("/console/tone", text=typed)
    assert response.status_code == 200
    assert response.text.count("<li>") == found
    assert count_of(console.deps, "reply_unfitting") == 0


def test_what_is_being_typed_is_never_markup(console: Console) -> None:
    an_operator(console.deps)
    console.log_in()
    assert "<b>" not in console.post("/console/tone", text="<b>坐<b>牢").text


def test_giving_back_hands_the_conversation_to_the_bot(console: Console) -> None:
    me = an_operator(console.deps)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me, reason=QueueReason.ASKED))
    assert console.act(conversation, "give-back").status_code == 303
    assert console.told == [conversation]
    assert console.act(conversation, "give-back").status_code == 409
    assert inbox.listing(console.deps, reviewing())[0].owner is Owner.BOT


def test_a_supervisor_lifts_a_hold_once(console: Console) -> None:
    an_operator(console.deps, role=Role.SUPERVISOR)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(holds=(HoldKind.COMPLAINT,)))
    with console.deps.begin() as session:
        hold_id = session.scalars(select(Hold.id)).one()
    assert f"/holds/{hold_id}/lift" in console.browser.get(f"/console/c/{conversation}").text
    assert console.act(conversation, f"holds/{hold_id}/lift").status_code == 303
    assert console.act(conversation, f"holds/{hold_id}/lift").status_code == 409
    assert count_of(console.deps, "hold_lifted") == 1


def test_who_may_not_lift_holds_sees_no_button_for_it(console: Console) -> None:
    an_operator(console.deps, role=Role.AGENT)
    console.log_in()
    conversation = a_conversation(console.deps, Talk(holds=(HoldKind.COMPLAINT,)))
    page = console.browser.get(f"/console/c/{conversation}").text
    assert "投诉" in page
    assert "/lift" not in page


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("REFUSAL", [*Refusal, *CareRefusal, *NOT_TAKEN_UP, *NotRevealed, "unfitting", "hold_gone"]),
        ("REVEAL_REASON", [*RevealReason]),
        ("STAGE", [*Stage]),
        ("LOGIN", [*LoginRefusal, "stale_form", StepRefusal.OVER]),
        ("LOGIN_STEP", [*LoginStep]),
        ("STEP_REFUSAL", [*StepRefusal, "stale_form"]),
        ("HOLD", [*HoldKind]),
        ("REASON", [*QueueReason]),
        ("OWNER", [*Owner]),
        ("ROLE", [*Role]),
        ("AUTHOR", [*Author]),
    ],
)
def test_every_code_that_a_page_can_show_has_words(console: Console, table: str, codes: list[str]) -> None:
    words = Pages(console.deps).words()[table]
    assert {str(code) for code in codes} == set(words)
    assert all(words.values())
