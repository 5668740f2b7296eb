"""Finding turns by words and by what became of them, against both databases."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update

from bot.desk.ownership import Owner, QueueReason
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import retention, search_index, turns
from bot.services import search as search_module
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.search import A_PAGE, TalkOutcome, Wanted, search
from bot.services.turns import Understanding
from bot.store.tables import AuditEntry, Message, SearchEntry, TalkCheck
from tests.builders.cases import a_complaint
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation, a_debt
from tests.builders.review import a_reviewer, found, indexed, texts


def said(deps: Deps, *lines: str, **talk: object) -> str:
    chat = a_conversation(deps, Talk(**{"said": tuple(Said(line) for line in lines), "team": None} | talk))  # type: ignore[arg-type]
    indexed(deps)
    return chat


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("分期", True),
        ("期还", True),  # wherever a dictionary would cut
        ("款", True),
        ("贷款可以分期还", True),
        ("貸款", True),
        ("ABC123", True),
        ("abc", True),
        ("分期 abc", True),
        ("分期 款", True),
        ("分期 停", False),
        ("款 abc", True),
        ("abc 停", False),
        ("期分", False),
        ("分期 停催", False),
        ("款以", False),  # both characters are there, not one behind the other
        ("bc123", False),  # Latin words are found by their beginning
        ("，。？", False),
        ("'); DROP TABLE message; --", False),
        ('分期" OR "', False),
        ("' | '分期", True),
    ],
)
def test_chinese_is_found_wherever_the_word_begins(deps: Deps, words: str, is_found: bool) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "我的贷款可以分期还吗？单号abc123")
    assert bool(found(deps, reviewer, words)) is is_found


def test_traditional_texts_are_found_in_either_script(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "還款日是哪天")
    assert found(deps, reviewer, "还款日") == found(deps, reviewer, "還款日") == ["還款日是哪天"]


def test_nobody_can_look_for_a_number_that_is_masked_for_them(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "我的手机是13800000001，帮我查")
    assert found(deps, reviewer, "13800000001") == []
    assert found(deps, reviewer, "手机") == ["我的手机是138****0001，帮我查"]


def test_what_turns_out_to_be_a_proof_is_hidden_from_the_index_as_well(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    chat = a_conversation(deps, Talk(said=(Said("后四位 1234", handling="held"),)))
    with deps.begin() as session:
        message_id = session.scalars(
            update(Message).where(Message.conversation_id == chat).values(handling="pending").returning(Message.id)
        ).one()
    assert indexed(deps) == 0
    turns.record_turn(deps, message_id, (), Understanding(intent="inform", actions=("verify_form",)))
    assert indexed(deps) == 1
    assert found(deps, reviewer, "1234") == []
    assert found(deps, reviewer, "后四位") == ["后四位 ****"]


def test_a_turn_that_is_understood_anew_is_indexed_anew_and_once(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "想分期")
    with deps.begin() as session:
        session.execute(update(Message).values(intent="request_installment", indexed_at=None))
    assert indexed(deps) == 1
    assert found(deps, reviewer, "分期", intent="request_installment") == ["想分期"]


def test_the_index_can_be_made_anew(deps: Deps, clock: SetClock) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "想分期", "还不上了")
    with deps.begin() as session:
        session.execute(text("DELETE FROM search_entry"))
    clock.move(timedelta(minutes=1))
    assert found(deps, reviewer, "分期") == []
    assert search_index.rebuild(deps) == 2
    assert found(deps, reviewer, "分期") == ["想分期"]


def test_pages_follow_one_another_newest_first_and_miss_nothing_of_the_same_instant(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, *(f"第{number}次问分期" for number in range(2 * A_PAGE + 5)))
    cursor, seen, pages = "", [], 0
    while cursor is not None:
        page = search(deps, reviewer, Wanted(words="分期"), cursor)
        seen, cursor, pages = seen + texts(page), page.cursor, pages + 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 2 * A_PAGE + 5


def test_a_cursor_of_somebody_s_own_making_begins_anew(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "想分期")
    for place in ("", "never 1", "0001-01-01T00:00:00+08:00 1", f"2026-11-22T00:00:00+00:00 {10**30}"):
        cursor = base64.urlsafe_b64encode(place.encode()).decode()
        assert texts(search(deps, reviewer, Wanted(words="分期"), cursor)) == ["想分期"]
    assert texts(search(deps, reviewer, Wanted(words="分期"), "made up")) == ["想分期"]


def test_turns_are_found_by_how_they_were_read(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    a_conversation(
        deps,
        Talk(
            said=(
                Said("想分期", intent="request_installment", confidence=0.95),
                Said("啊这", intent="nlu_fallback", confidence=0.2),
                Said("能少点不", intent="request_relief", confidence=0.5),
                Said("好的", author=Author.BOT),
            )
        ),
    )
    indexed(deps)
    assert found(deps, reviewer, intent="request_installment") == ["想分期"]
    assert found(deps, reviewer, fallback=True) == ["啊这"]
    assert set(found(deps, reviewer, low_confidence=True)) == {"能少点不", "啊这"}
    assert found(deps, reviewer, author="bot") == ["好的"]


def test_turns_are_found_by_day_in_shanghai_and_by_channel(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    late = Said("昨晚十一点说的", minutes_ago=13 * 60)
    a_conversation(deps, Talk(said=(late,), channel="telegram"))
    said(deps, "今天说的")
    assert found(deps, reviewer, until=date(2026, 11, 20)) == ["昨晚十一点说的"]
    assert found(deps, reviewer, since=date(2026, 11, 21)) == ["今天说的"]
    assert found(deps, reviewer, channel="telegram") == ["昨晚十一点说的"]


def test_days_beyond_any_desk_narrow_nothing_or_find_nothing(deps: Deps) -> None:
    said(deps, "今天说的")
    reviewer = a_reviewer(deps)
    assert found(deps, reviewer, since=date.min, until=date.max) == ["今天说的"]
    assert found(deps, reviewer, since=date.max) == []
    assert found(deps, reviewer, until=date.min) == []


def test_conversations_are_found_by_what_became_of_them(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    borrower = a_borrower(deps)
    a_debt(deps, borrower, 100_00)
    complained = said(deps, "有人骂我", borrower_id=borrower, verified=True)
    said(deps, "活不下去了", holds=(HoldKind.DISTRESS,))
    said(deps, "随便问问")
    a_complaint(deps, complained)
    assert found(deps, reviewer, complaint=True)[-1:] == ["有人骂我"]
    assert found(deps, reviewer, outcome=TalkOutcome.CASE)[-1:] == ["有人骂我"]
    assert found(deps, reviewer, distress=True) == ["活不下去了"]
    assert found(deps, reviewer, product="consumer_loan")[-1:] == ["有人骂我"]
    assert found(deps, reviewer, product="credit_card") == []
    assert found(deps, reviewer, outcome=TalkOutcome.NONE, words="随便") == ["随便问问"]
    assert found(deps, reviewer, outcome=TalkOutcome.AGREED) == []
    assert found(deps, reviewer, outcome=TalkOutcome.PROMISED) == []


def test_an_agent_finds_what_they_have_to_do_with_and_a_reviewer_everything(deps: Deps) -> None:
    agent = a_reviewer(deps, Role.AGENT, "chen")
    other = a_reviewer(deps, Role.AGENT, "wu")
    said(deps, "分期一", owner=Owner.HUMAN, operator_id=agent.id)
    said(deps, "分期二", owner=Owner.HUMAN, operator_id=other.id)
    said(deps, "分期三", owner=Owner.QUEUED, reason=QueueReason.ASKED)
    said(deps, "分期四")
    a_conversation(
        deps, Talk(said=(Said("分期五"), Said("您好", author=Author.OPERATOR, operator_id=agent.id)), team=None)
    )
    indexed(deps)
    assert set(found(deps, agent, "分期")) == {"分期一", "分期三", "分期五"}
    for role in (Role.SUPERVISOR, Role.COMPLIANCE, Role.ADMIN):
        assert len(found(deps, a_reviewer(deps, role, role.value), "分期")) == 5


def test_a_search_is_on_record_without_the_words(deps: Deps) -> None:
    reviewer = a_reviewer(deps)
    said(deps, "王小明想分期")
    found(deps, reviewer, "王小明", channel="web")
    with deps.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.event == "transcripts_searched")).one()
    assert entry.actor_id == reviewer.id
    assert entry.detail == {"words": deps.vault.lookup("search", "王小明"), "filters": "channel=web", "found": 1}


def test_what_retention_deletes_is_not_found_any_more(deps: Deps, clock: SetClock) -> None:
    reviewer = a_reviewer(deps)
    chat = said(deps, "想分期")
    clock.move(timedelta(days=400))
    assert retention.run(deps).anonymous_messages == 1
    assert found(deps, reviewer, "分期") == []
    with deps.read() as session:
        assert session.scalars(select(SearchEntry)).all() == []
        assert chat


def test_a_conversation_is_due_for_its_checks_once_it_is_quiet(deps: Deps, clock: SetClock) -> None:
    chat = said(deps, "想分期")
    clock.move(timedelta(minutes=10))
    with deps.begin() as session:
        session.execute(update(Message).values(indexed_at=None))
    indexed(deps)
    with deps.read() as session:
        (due,) = session.scalars(select(TalkCheck)).all()
    assert (due.conversation_id, due.due_at) == (chat, clock.now() + search_index.QUIET)


@pytest.mark.parametrize("walked", [1, 3, 40, 100])
def test_what_was_said_long_ago_is_found_page_by_page_however_far_is_walked_back(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    monkeypatch.setattr(search_module, "_WALKED", walked)
    reviewer = a_reviewer(deps)
    said(deps, *(f"分期 {number} {'投诉' if number % 2 else '还款'}" for number in range(80)))
    first = search(deps, reviewer, Wanted(words="分期 投诉"))
    assert len(first.hits) == A_PAGE
    assert first.cursor is not None
    second = search(deps, reviewer, Wanted(words="分期 投诉"), first.cursor)
    assert second.cursor is None
    numbers = [
        int(hit.before.split()[-1] if hit.match == "投诉" else hit.after.split()[0])
        for hit in (*first.hits, *second.hits)
    ]
    assert sorted(numbers) == [number for number in range(80) if number % 2]
