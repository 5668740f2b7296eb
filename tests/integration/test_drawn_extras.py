"""Charts and pickers from the actions to the page: on the web only, and withheld with the words they belong to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.services import history, inbound
from bot.services.deps import Deps
from bot.services.history import MessageView
from bot.services.standing import standings
from bot.text.scripts import Script
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.chat import Chat
from tests.builders.desk import SetClock, a_borrower, a_conversation


@pytest.fixture
def chat(deps: Deps) -> Chat:
    borrower = a_borrower(deps)
    a_debt_of(deps, borrower, Owed(principal_fen=1_200_000))
    return Chat(deps, verified(deps, borrower))


def drawn(deps: Deps, chat: Chat, kind: str) -> list[MessageView]:
    views = history.messages_after(deps, chat.conversation_id, 0)
    return [view for view in views if view.extras is not None and view.extras["kind"] == kind]


def test_questions_for_sums_have_a_field_and_offers_a_chart_on_one_scale(deps: Deps, chat: Chat) -> None:
    chat.say("还不上,想分期", "request_installment")
    chat.say("6000", "inform")
    assert len(drawn(deps, chat, "amount")) == 2
    chat.say("3500", "inform")
    offers = drawn(deps, chat, "chart")
    assert len(offers) == 3
    scales = {(view.extras["begins"], view.extras["ends"], view.extras["most_fen"]) for view in offers if view.extras}
    assert len(scales) == 1
    for view in offers:
        assert view.extras is not None
        payments = view.extras["payments"]
        assert isinstance(payments, list)
        assert f"{len(payments)} 期" in view.text
        assert f"{sum(fen for _, fen in payments) / 100:,.2f}" in view.text
        assert view.buttons == ()


def test_what_is_withheld_is_not_drawn_either(deps: Deps, chat: Chat, clock: SetClock) -> None:
    chat.say("还不上,想分期", "request_installment")
    chat.say("6000", "inform")
    chat.say("3500", "inform")
    clock.move(timedelta(hours=1))
    assert drawn(deps, chat, "chart") == []
    assert drawn(deps, chat, "amount") == []


def test_a_promise_asks_for_its_day_within_what_the_policy_allows(deps: Deps, chat: Chat) -> None:
    chat.say("我先还500", "promise_to_pay")
    (asked,) = drawn(deps, chat, "day")
    assert asked.extras is not None
    assert asked.extras["first"] == "2026-11-21"
    assert str(asked.extras["last"]) > "2026-11-21"


def test_the_page_is_told_the_script_that_the_borrower_writes(deps: Deps) -> None:
    conversation_id = a_conversation(deps)
    inbound.record_text(deps, conversation_id, "a key of mine", "我想問一下還款的事")
    assert standings(deps, [conversation_id])[conversation_id].script is Script.HANT
