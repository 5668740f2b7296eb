"""What a borrower hears of an approval, when and how much of it, over a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot import scheduler
from bot.outreach.gate import HoldKind, Purpose
from bot.outreach.notice import Topic
from bot.services import approval_news, negotiation
from bot.services.approval_decisions import Decided, Decision
from bot.services.approvals import ApprovalState
from bot.services.conversations import FACT
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.store import tables
from tests.builders.accounts import verified
from tests.builders.approvals import an_approval, decide, events_of, news_of, offer_state, payloads_of, stored
from tests.builders.desk import SetClock, a_borrower

NIGHT = timedelta(hours=15)
"""From noon to three o'clock in the night."""


def test_an_approval_is_told_with_its_figures_and_the_way_to_confirm(deps: Deps) -> None:
    asked = an_approval(deps)
    decide(deps, asked)
    (message,) = news_of(deps, asked)
    assert message.purpose == FACT
    assert "同事批准了" in message.text
    assert "¥43,200.00" in message.text
    assert payloads_of(deps, message) == [f'/accept_offer{{"offer": "{asked.view.offer.offer_id}"}}', "/request_human"]
    assert stored(deps, asked).telling == "told"


def test_a_rejection_is_kind_and_names_what_else_is_possible(deps: Deps) -> None:
    asked = an_approval(deps)
    decide(deps, asked, Decision.REJECT)
    (message,) = news_of(deps, asked)
    assert "没有批下来" in message.text
    assert payloads_of(deps, message) == ['/ask_other_options{"offer": "back"}', "/request_human"]
    assert "看过收入证明" not in message.text


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.REJECT])
def test_whoever_is_not_verified_any_more_hears_only_that_there_is_an_answer(
    deps: Deps, clock: SetClock, decision: Decision
) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(hours=1))
    decide(deps, asked, decision)
    (message,) = news_of(deps, asked)
    assert message.purpose == Purpose.REPLY
    assert "核对身份后就能看到" in message.text
    assert not any(word in message.text for word in ("¥", "批", "方案", "还款"))
    assert approval_news.sweep(deps).written == 0


def test_the_answer_itself_follows_once_identity_is_proved_again(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(hours=1))
    decide(deps, asked, Decision.REJECT)
    clock.move(timedelta(minutes=1))
    record_text(deps, asked.conversation_id, "key in", "在")
    with deps.begin() as session:
        session.get_one(tables.Conversation, asked.conversation_id).verified_at = deps.now()
    assert approval_news.sweep(deps).written == 1
    assert approval_news.sweep(deps).written == 0
    hint, answer = news_of(deps, asked)
    assert "核对身份" in hint.text
    assert (answer.purpose, "没有批下来" in answer.text) == (FACT, True)


def test_at_night_an_answer_reaches_who_still_waits_and_a_notice_waits_for_the_morning(
    deps: Deps, clock: SetClock
) -> None:
    asked = an_approval(deps)
    clock.move(NIGHT)
    outcome = decide(deps, asked)
    assert outcome == Decided(ApprovalState.APPROVED, None)
    assert news_of(deps, asked) == []
    assert approval_news.sweep(deps).written == 0
    clock.move(timedelta(hours=6))
    assert approval_news.sweep(deps).written == 1
    (message,) = news_of(deps, asked)
    assert message.purpose == Purpose.PLAN_NOTICE
    assert "AI 助手" in message.text
    assert "别再提醒" in message.text
    with deps.read() as session:
        kept = session.scalars(select(tables.Reminder).where(tables.Reminder.message_id == message.id)).one()
        assert (kept.topic, kept.channel) == (Topic.APPROVAL, "web")


def test_the_scheduler_tells_in_the_morning_what_was_decided_at_night(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(NIGHT)
    decide(deps, asked)
    scheduler.tick(deps)
    assert news_of(deps, asked) == []
    clock.move(timedelta(hours=6))
    scheduler.tick(deps)
    assert len(news_of(deps, asked)) == 1


def test_in_the_night_within_an_open_conversation_the_answer_is_given_at_once(deps: Deps, clock: SetClock) -> None:
    clock.move(NIGHT)
    asked = an_approval(deps)
    assert decide(deps, asked) == Decided(ApprovalState.APPROVED, asked.conversation_id)


def test_a_notice_counts_before_the_next_one(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(hours=22))
    decide(deps, asked)
    with deps.read() as session:
        (notice,) = session.scalars(select(tables.Reminder).where(tables.Reminder.borrower_id == asked.borrower_id))
    assert (notice.state, notice.message_id) == ("sent", news_of(deps, asked)[0].id)


@pytest.mark.parametrize("kind", [HoldKind.DISTRESS, HoldKind.OPT_OUT])
def test_a_hold_that_silences_drops_the_notice_and_says_so(deps: Deps, clock: SetClock, kind: HoldKind) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(hours=22))
    with deps.begin() as session:
        session.add(tables.Hold(borrower_id=asked.borrower_id, kind=kind.value, placed_at=deps.now()))
    decide(deps, asked, Decision.REJECT)
    assert news_of(deps, asked) == []
    assert (stored(deps, asked).telling, stored(deps, asked).tell_rule) in {("dropped", "F5"), ("dropped", "F6")}
    assert events_of(deps, asked)[-1] == "approval_not_told"


def test_somebody_in_distress_is_told_nothing_of_plans_even_within_the_conversation(deps: Deps) -> None:
    asked = an_approval(deps)
    with deps.begin() as session:
        session.add(tables.Hold(borrower_id=asked.borrower_id, kind=HoldKind.DISTRESS.value, placed_at=deps.now()))
    assert decide(deps, asked, Decision.REJECT) == Decided(ApprovalState.REJECTED, None)
    assert news_of(deps, asked) == []


def test_the_answer_goes_where_the_borrower_wrote_last(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(minutes=2))
    phone = verified(deps, asked.borrower_id, "telegram")
    assert decide(deps, asked) == Decided(ApprovalState.APPROVED, phone)


def test_a_conversation_that_became_somebody_elses_is_never_written_in(deps: Deps) -> None:
    asked = an_approval(deps)
    stranger = a_borrower(deps, "李小红", "13800000002", "110101199001010022")
    with deps.begin() as session:
        session.get_one(tables.Conversation, asked.conversation_id).borrower_id = stranger
    assert decide(deps, asked) == Decided(ApprovalState.APPROVED, None)
    assert news_of(deps, asked) == []


def test_a_request_lapses_with_its_offer_and_the_borrower_hears_of_it(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(days=8, hours=1))
    assert approval_news.sweep(deps) == approval_news.Swept(expired=1, written=1)
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.EXPIRED
    assert approval_news.sweep(deps) == approval_news.Swept()
    assert len(news_of(deps, asked)) == 1


def test_nobody_is_told_of_a_request_they_no_longer_wait_for(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    negotiation.end(deps, asked.conversation_id)
    clock.move(timedelta(days=8, hours=1))
    assert approval_news.sweep(deps) == approval_news.Swept(expired=1, written=0)
    assert news_of(deps, asked) == []


def test_an_approval_told_too_late_to_agree_says_that_it_has_to_be_computed_anew(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(hours=1))
    decide(deps, asked)
    clock.move(timedelta(days=9))
    record_text(deps, asked.conversation_id, "key in", "在")
    with deps.begin() as session:
        session.get_one(tables.Conversation, asked.conversation_id).verified_at = deps.now()
    approval_news.sweep(deps)
    assert "重新算" in news_of(deps, asked)[-1].text
