"""Somebody for whom the usual pace would do harm: fewer plans at once, one thing a message, and 看明白了吗."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.care.vulnerability import CARE, Vulnerability
from bot.services import circumstances, negotiation
from bot.services.deps import Deps
from bot.services.negotiation import State
from bot.store.tables import Conversation
from tests.builders.accounts import verified
from tests.builders.chat import Chat
from tests.builders.desk import SetClock

TALKED_WITH = [kind for kind in Vulnerability if not CARE[kind].stops_debt_talk]
"""Those with whom a plan can be talked about."""


def with_circumstance(deps: Deps, chat: str, kind: Vulnerability) -> str:
    with deps.begin() as session:
        circumstances.put(session, deps, session.get_one(Conversation, chat), kind)
    return chat


def up_to_offers(deps: Deps, chat: str) -> Chat:
    talk = Chat(deps, chat)
    talk.say("还不上,想分期", "request_installment")
    talk.say("6000", "inform")
    return talk


def offered(deps: Deps, chat: str) -> State:
    negotiation.open_negotiation(deps, chat)
    state = negotiation.state_means(deps, chat, income_fen=600_000, essential_fen=350_000)
    assert isinstance(state, State), state
    return state


@pytest.mark.parametrize("kind", [kind for kind in TALKED_WITH if CARE[kind].is_shorter])
def test_fewer_plans_are_shown_and_the_gentlest_is_among_them(
    deps: Deps, borrower: str, chat: str, kind: Vulnerability
) -> None:
    usual = offered(deps, chat).offers
    negotiation.end(deps, chat)
    few = offered(deps, with_circumstance(deps, chat, kind)).offers
    assert (len(usual), len(few)) == (3, 2)
    gentlest = min(offer.largest_instalment_fen for offer in usual)
    assert min(offer.largest_instalment_fen for offer in few) == gentlest


def test_after_a_time_the_usual_number_is_shown_again(deps: Deps, clock: SetClock, borrower: str, chat: str) -> None:
    with_circumstance(deps, chat, Vulnerability.ELDERLY)
    clock.move(circumstances.REMEMBERED + timedelta(days=1))
    assert len(offered(deps, verified(deps, borrower)).offers) == 3


@pytest.mark.parametrize("kind", [kind for kind in TALKED_WITH if CARE[kind].is_slower])
def test_slower_means_one_thing_a_message_and_the_yes_comes_with_being_understood(
    deps: Deps, chat: str, kind: Vulnerability
) -> None:
    talk = up_to_offers(deps, with_circumstance(deps, chat, kind))
    shown = talk.say("3500", "inform")
    plans = [text for name, text in zip(shown.responses, shown.texts, strict=True) if name == "utter_offer"]
    assert all(("第一期" in text) != ("共还" in text) for text in plans), plans
    asked = talk.say("第一个", "accept_offer")
    assert asked.responses[-3:] == ["utter_plainly_each", "utter_plainly_total", "utter_ask_understood"]
    assert "诉讼时效会重新计算" in asked.texts[-1]
    assert "¥" in asked.texts[-3]
    again = talk.press("没看明白")
    assert again.responses[-1] == "utter_ask_understood", "the same plan once more, and nothing agreed"
    assert "协议已经生效" in talk.press("看明白了").text


def test_the_usual_pace_asks_as_ever(deps: Deps, chat: str) -> None:
    talk = up_to_offers(deps, chat)
    talk.say("3500", "inform")
    assert talk.say("第一个", "accept_offer").responses[-1] == "utter_ask_confirmation"
