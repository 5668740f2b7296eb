"""The pages for reviewing transcripts: search, replay, export, and turns that were read badly."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
import yaml
from sqlalchemy import select

from bot.console.rendering import Pages
from bot.console.searching import address_of
from bot.identity.roles import Role
from bot.lending.contract import ProductKind
from bot.services import handoff, nlu_inbox, retention, turns
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.nlu_inbox import NotCorrected, ReadingReason, ReadingState
from bot.services.search import TalkOutcome, Wanted
from bot.services.transcript_export import NotExported
from bot.services.turns import Understanding
from bot.store.tables import AuditEntry, Message
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation
from tests.builders.documents import text_of
from tests.builders.review import a_reviewer, indexed


@pytest.fixture
def console(deps: Deps, clock: SetClock) -> ConsoleBrowser:
    return ConsoleBrowser(deps, clock)


def a_talk(deps: Deps) -> str:
    chat = a_conversation(
        deps,
        Talk(
            borrower_id=a_borrower(deps),
            team=None,
            said=(
                Said("您好，请问有什么可以帮您", author=Author.BOT, minutes_ago=5),
                Said(
                    "<b>想分期</b> 13800000001",
                    intent="request_installment",
                    confidence=0.91,
                    actions=("action_begin_plan",),
                    entities=(("month", "12"),),
                    minutes_ago=4,
                ),
                Said("可以的", author=Author.BOT, minutes_ago=4),
                Said("=1+1", intent="nlu_fallback", confidence=0.2, minutes_ago=3),
            ),
        ),
    )
    indexed(deps)
    return chat


def test_a_conversation_is_taken_away_as_a_paper_masked_and_on_record(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.AGENT, "li")
    assert console.browser.get(f"/console/c/{chat}/transcript.pdf").status_code == 403
    console.log_in_as(Role.COMPLIANCE)
    answer = console.browser.get(f"/console/c/{chat}/transcript.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = text_of(answer.content)
    assert "会话记录" in text
    assert "想分期" in text
    assert "138****0001" in text
    assert "13800000001" not in text
    with console.deps.read() as session:
        events = session.scalars(select(AuditEntry.event).where(AuditEntry.subject_id == chat)).all()
    assert events[-2:] == ["transcript_read", "transcript_exported"]


# Search ----------------------------------------------------------------------------------------------------------


def asked(console: ConsoleBrowser, **form: str) -> str:
    """Send the form of the search and return the page that it leads to."""
    response = console.send("/search", **form)
    assert response.status_code == 303, response.text
    found: str = console.browser.get(response.headers["location"]).text
    return found


def test_opening_the_search_looks_for_nothing_and_a_search_shows_where_it_was_said(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    assert 'id="hits"' not in console.shown("/search")
    page = asked(console, words="分期", since="", until="", outcome="", author="borrower")
    assert "<mark>分期</mark>" in page
    assert f'href="/console/c/{chat}/replay?seq=2"' in page
    assert "&lt;b&gt;想" in page
    assert "138****0001" in page
    assert "王**" in page


def test_a_search_without_results_says_what_to_do(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.SUPERVISOR)
    assert "没有找到" in asked(console, words="停催")


def test_an_agent_is_told_that_only_their_own_is_searched_and_may_not_export(console: ConsoleBrowser) -> None:
    a_talk(console.deps)
    console.log_in_as(Role.AGENT)
    page = asked(console, words="分期")
    assert "您跟进过的会话" in page
    assert "没有找到" in page
    assert "/search/export" not in page


def test_older_turns_are_one_link_away(console: ConsoleBrowser) -> None:
    a_conversation(console.deps, Talk(said=tuple(Said(f"第{number}次问分期") for number in range(35))))
    indexed(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    onward = re.search(r'href="(/console/search\?[^"]+)" rel="next"', asked(console, words="分期"))
    assert onward
    older = console.browser.get(onward.group(1).replace("&amp;", "&")).text
    assert older.count("<mark>分期</mark>") == 5
    assert 'rel="next"' not in older


@pytest.mark.parametrize(
    "query", ["since=yesterday", "outcome=rich", "fallback=1", "channel=%00", "intent=%00", "product=%00"]
)
def test_a_question_that_no_page_makes_is_refused(console: ConsoleBrowser, query: str) -> None:
    console.log_in_as(Role.SUPERVISOR)
    assert console.browser.get(f"/console/search?{query}").status_code == 422
    assert console.send("/search", words="长" * 61).status_code == 422


def test_no_address_tells_what_was_looked_for(console: ConsoleBrowser) -> None:
    a_conversation(console.deps, Talk(said=tuple(Said(f"我叫王小明{number}") for number in range(35))))
    indexed(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    leads_to = console.send("/search", words="王小明", channel="web").headers["location"]
    page = console.browser.get(leads_to).text
    addresses = [leads_to, *re.findall(r'(?:href|action)="(/console/search[^"]*)"', page)]
    assert sum("asked=" in address for address in addresses) == 3, "the page itself, older turns, the export"
    assert not [address for address in addresses if "王小明" in unquote(address)]
    assert "<mark>" not in console.shown("/search?asked=1:made-up&channel=web"), "what no page made asks for no words"


# Export ----------------------------------------------------------------------------------------------------------


def export(console: ConsoleBrowser, kind: str, query: str = "author=borrower") -> str:
    response = console.send(f"/search/export?{query}", kind=kind)
    assert response.status_code == 200, response.text
    assert "attachment" in response.headers["content-disposition"]
    return response.content.decode("utf-8-sig")


def test_an_export_is_masked_by_role_and_harmless_in_a_spreadsheet(console: ConsoleBrowser) -> None:
    a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    table = export(console, "csv")
    assert table.splitlines()[0].startswith("conversation,seq,at,")
    assert "王**" in table
    assert "王小明" not in table
    assert "13800000001" not in table
    assert ",'=1+1," in table
    console.log_in_as(Role.COMPLIANCE, "he")
    rows = [json.loads(line) for line in export(console, "jsonl").splitlines()]
    assert [row["name"] for row in rows] == [None, None]
    assert rows[0]["borrower"] == rows[1]["borrower"]
    assert [row["seq"] for row in rows] == [2, 4]
    assert rows[0]["at"].endswith("+08:00")


def test_an_export_of_nothing_says_so(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.SUPERVISOR)
    query = address_of(console.deps, Wanted(words="停催"))
    response = console.send(f"/search/export?{query}", kind="csv")
    assert response.status_code == 409
    assert "没有符合条件的记录" in response.text


def test_too_large_an_export_has_to_be_narrowed(console: ConsoleBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    a_talk(console.deps)
    monkeypatch.setattr("bot.services.transcript_export.MOST_ROWS", 1)
    console.log_in_as(Role.SUPERVISOR)
    response = console.send("/search/export?channel=web", kind="csv")
    assert response.status_code == 409
    assert "缩小范围" in response.text


# Replay ----------------------------------------------------------------------------------------------------------


def test_a_conversation_is_replayed_step_by_step_with_the_decision_behind_each_answer(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    first = console.shown(f"/c/{chat}/replay")
    assert "第 1 步，共 3 步" in first
    assert "想分期" not in first
    second = console.shown(f"/c/{chat}/replay?step=2")
    for word in ("request_installment", "91%", "month=12", "action_begin_plan", "可以的"):
        assert word in second
    assert "没听懂" not in second.split("为什么这样回答")[1].split("</section>")[0]
    third = console.shown(f"/c/{chat}/replay?seq=4")
    assert "第 3 步，共 3 步" in third
    assert "没听懂" in third.split("为什么这样回答")[1]


def test_the_replay_shows_model_and_rules_that_were_in_force_and_what_the_desk_did(console: ConsoleBrowser) -> None:
    deps = console.deps
    chat = a_conversation(deps, Talk(said=(Said("想分期", handling="pending"),)))
    with deps.read() as session:
        message = session.scalars(select(Message)).one()
    understanding = Understanding(
        intent="request_installment",
        confidence=0.9,
        ranking=(("request_installment", 0.9), ("request_relief", 0.05)),
        model="20261122-model",
        also_asked="ask_balance",
    )
    turns.record_turn(deps, message.id, (), understanding)
    operator_id = console.log_in_as(Role.SUPERVISOR)
    handoff.take(deps, chat, operator_id)
    page = console.shown(f"/c/{chat}/replay")
    for word in (
        "20261122-model",
        "request_relief 5.0%",
        "ask_balance",
        "用语规则",
        "政策 consumer_loan_relief",
        "接手",
        "小陈",
    ):
        assert word in page
    assert f"<code>{deps.policies['consumer_loan_relief'].version}</code>" in page


def test_what_an_agent_has_nothing_to_do_with_is_not_replayed_for_them(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.AGENT)
    assert console.browser.get(f"/console/c/{chat}/replay").status_code == 404


def test_a_replay_is_on_record(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    operator_id = console.log_in_as(Role.SUPERVISOR)
    console.shown(f"/c/{chat}/replay")
    with console.deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "transcript_read")).one()
    assert (entry.actor_id, entry.subject_id) == (operator_id, chat)


def main_of(page: str) -> str:
    """Leave out the list of conversations beside it."""
    return page.partition("<main")[2]


# Readings --------------------------------------------------------------------------------------------------------


def open_turn(console: ConsoleBrowser) -> str:
    found = re.search(r"/console/readings/([0-9a-f]{32})/", console.shown("/readings"))
    assert found
    return found.group(1)


def test_what_was_not_understood_waits_to_be_corrected_and_becomes_an_example(console: ConsoleBrowser) -> None:
    a_conversation(
        console.deps,
        Talk(
            said=(Said("俺想慢慢儿还哩中不中", intent="nlu_fallback", confidence=0.2),),
            team=None,
            borrower_id=a_borrower(console.deps),
        ),
    )
    indexed(console.deps)
    console.log_in_as(Role.AGENT)
    assert "俺想慢慢儿还哩" not in main_of(console.shown("/readings"))  # not theirs to look through
    console.log_in_as(Role.SUPERVISOR, "lin")
    turn = open_turn(console)
    console.send(f"/readings/{turn}/correct", intent="request_installment", text="王小明俺想慢慢儿还哩 13800000001")
    assert "俺想慢慢儿还哩" in console.shown("/readings?state=corrected")
    taught = yaml.safe_load(console.send("/readings/export").text)
    assert taught["nlu"] == [{"intent": "request_installment", "examples": "- 某某俺想慢慢儿还哩\n"}]


def test_an_intent_that_is_none_is_refused_and_nothing_is_lost(console: ConsoleBrowser) -> None:
    a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    refused = console.send(f"/readings/{open_turn(console)}/correct", intent="made_up", text="一加一")
    assert refused.status_code == 409
    assert "请从列表里选一个意图" in refused.text
    assert 'value="一加一"' in refused.text
    assert 'value="made_up"' in refused.text
    assert nlu_inbox.counts(console.deps, a_reviewer(console.deps, login="he")) == {ReadingState.OPEN: 1}


def test_a_discarded_turn_forgets_its_text(console: ConsoleBrowser) -> None:
    a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    console.send(f"/readings/{open_turn(console)}/discard")
    page = main_of(console.shown("/readings?state=discarded"))
    assert "=1+1" not in page
    assert "内容已删" in page


def test_a_reading_that_is_wrong_is_reported_from_the_replay(console: ConsoleBrowser) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    assert console.send(f"/c/{chat}/misread", seq="2", intent="request_relief").status_code == 303
    page = console.shown("/readings?state=suggested")
    assert "同事说理解错了" in page
    assert 'value="request_relief"' in page
    assert "13800000001" not in page


@pytest.mark.parametrize(("seq", "intent"), [("3", "request_relief"), ("99", "request_relief"), ("2", "made_up")])
def test_what_cannot_be_reported_says_why(console: ConsoleBrowser, seq: str, intent: str) -> None:
    chat = a_talk(console.deps)
    console.log_in_as(Role.SUPERVISOR)
    assert console.send(f"/c/{chat}/misread", seq=seq, intent=intent).status_code == 409


def test_a_button_and_a_proof_are_nobody_s_examples(deps: Deps) -> None:
    a_conversation(
        deps,
        Talk(said=(Said("后四位 0014", intent="nlu_fallback", confidence=0.1, actions=("verify_form",)), Said("在吗"))),
    )
    indexed(deps)
    assert nlu_inbox.counts(deps, a_reviewer(deps)) == {}


def test_with_the_talk_goes_what_nobody_has_corrected_and_an_example_stays_without_its_message(
    deps: Deps, clock: SetClock
) -> None:
    unread = tuple(Said(text, intent="nlu_fallback", confidence=0.1) for text in ("甲乙丙", "丁戊己"))
    a_conversation(deps, Talk(said=unread))
    indexed(deps)
    reviewer = a_reviewer(deps)
    first = nlu_inbox.listing(deps, reviewer, ReadingState.OPEN)[0]
    nlu_inbox.correct(deps, reviewer, first.id, "chitchat", first.text)
    clock.move(timedelta(days=400))
    assert retention.run(deps).anonymous_messages == 2
    assert nlu_inbox.counts(deps, reviewer) == {ReadingState.CORRECTED: 1}
    assert nlu_inbox.counts(deps, a_reviewer(deps, Role.AGENT, "wu")) == {}, "not theirs to look through"
    (kept,) = nlu_inbox.listing(deps, reviewer, ReadingState.CORRECTED)
    assert (kept.text, kept.seq) == (first.text, None)


# Words -----------------------------------------------------------------------------------------------------------


def test_every_code_has_words(deps: Deps) -> None:
    words = Pages(deps).words("_review_words.html")
    for table, codes in (
        ("TALK_OUTCOME", TalkOutcome),
        ("NOT_EXPORTED", NotExported),
        ("READING_STATE", ReadingState),
        ("READING_REASON", ReadingReason),
        ("NOT_CORRECTED", NotCorrected),
        ("PRODUCT_KIND", ProductKind),
    ):
        assert set(words[table]) == set(codes), table
