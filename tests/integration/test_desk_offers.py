"""Plans that an operator tries and puts before a borrower: what is kept, who is told what, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.console.offering import UNREADABLE, TypedFigures
from bot.console.rendering import Pages
from bot.desk.ownership import Owner
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind, Purpose
from bot.services import (
    agreements,
    approval_decisions,
    desk_offers,
    handoff,
    inbound,
    negotiation,
    negotiation_budget,
    offer_basis,
    rule_archive,
)
from bot.services.agreements import AcceptRefusal, ReadBack
from bot.services.approval_decisions import Decided, Decision
from bot.services.approvals import ApprovalState
from bot.services.deps import Deps
from bot.services.desk_offers import NotProposed, Proposed
from bot.services.desk_trial import Figures, OnOffer, Trial
from bot.services.negotiation import Blocked, Stage, State
from bot.services.offer_basis import OffersVerdict
from bot.services.operators import OperatorView
from bot.store import tables
from bot.workout.affordability import Affordability
from bot.workout.authority import DecisionRefusal
from bot.workout.bounds import Objection
from bot.workout.budget import IncomeKind, IncomeTold, Rhythm
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason
from bot.workout.policy_sections import ApprovalRole, HardshipKind
from tests.builders.accounts import Owed, a_debt_of, verified
from tests.builders.approvals import LATE_CARD, an_operator_view, payloads_of
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, a_borrower, a_desk

DAY_WAGES = IncomeTold((IncomeKind.GIG,), Rhythm.DAILY, 30_000)
MEANS = Figures(income_fen=600_000, essential_fen=350_000)


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Deps]:
    desk = a_desk(tmp_path)
    yield desk
    desk.database.engine.dispose()


def in_hand(deps: Deps, operator: OperatorView, owed: Owed | None = None) -> str:
    """Return the conversation of somebody verified, in an operator's hands."""
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id, owed)
    conversation_id = verified(deps, borrower_id)
    assert isinstance(handoff.take(deps, conversation_id, operator.id), handoff.Done)
    return conversation_id


def agent(deps: Deps, login: str = "chen") -> OperatorView:
    return an_operator_view(deps, Role.AGENT, login)


def trial(deps: Deps, operator: OperatorView, conversation_id: str, figures: Figures = MEANS) -> Trial:
    found = desk_offers.try_offers(deps, operator, conversation_id, figures)
    assert isinstance(found, Trial), found
    return found


def send(
    deps: Deps, operator: OperatorView, conversation_id: str, one: OnOffer, figures: Figures = MEANS, note: str = ""
) -> Proposed | NotProposed:
    return desk_offers.propose(deps, operator, conversation_id, figures, one.offer.offer_id, str(uuid4()), note)


def said(deps: Deps, conversation_id: str) -> list[tables.Message]:
    with deps.read() as session:
        rows = session.scalars(
            select(tables.Message)
            .where(tables.Message.conversation_id == conversation_id, tables.Message.author == "operator")
            .order_by(tables.Message.seq)
        )
        return list(rows)


def to_approve(found: Trial, role: ApprovalRole = ApprovalRole.AGENT) -> OnOffer:
    return next(one for one in found.offers if one.offer.needs_approval is role)


def late_card(deps: Deps, operator: OperatorView) -> tuple[str, OnOffer]:
    """Return a conversation and an offer on it that the bot may not grant by itself."""
    conversation_id = in_hand(deps, operator, LATE_CARD)
    wish = replace(MEANS, wish=BorrowerProposal(waive_interest=True))
    return conversation_id, to_approve(trial(deps, operator, conversation_id, wish))


WAIVED = replace(MEANS, wish=BorrowerProposal(waive_interest=True))


def test_trying_offers_changes_nothing(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    found = trial(deps, chen, conversation_id)
    assert found.offers
    assert found.facts is not None
    assert all(one.offer.largest_instalment_fen <= found.facts.capacity_fen for one in found.offers)
    with deps.read() as session:
        assert session.scalars(select(tables.Negotiation)).all() == []
        assert session.scalars(select(tables.Offer)).all() == []
    assert said(deps, conversation_id) == []


def test_without_known_means_only_the_question_is_open(deps: Deps) -> None:
    chen = agent(deps)
    found = trial(deps, chen, in_hand(deps, chen), Figures())
    assert found.facts is None
    assert found.offers == ()
    assert found.blocked is None


def test_a_proposal_is_the_operators_word_and_the_bot_goes_on_with_it(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    one = trial(deps, chen, conversation_id).offers[0]
    assert send(deps, chen, conversation_id, one, note="慢慢看，不着急。") == Proposed(None)

    note, proposal = said(deps, conversation_id)
    assert note.text == "慢慢看，不着急。"
    assert "小陈" in proposal.text
    assert f"分 {len(one.offer.schedule)} 次" in proposal.text
    assert payloads_of(deps, proposal)[0] == f'/accept_offer{{"offer": "{one.offer.offer_id}"}}'

    now = negotiation.state(deps, conversation_id)
    assert isinstance(now, State)
    assert now.stage is Stage.CONFIRMATION
    assert now.chosen is not None
    assert now.chosen.offer_id == one.offer.offer_id
    handoff.give_back(deps, conversation_id, chen.id)
    shown = agreements.read_back(deps, conversation_id)
    assert isinstance(shown, ReadBack)
    with deps.read() as session:
        assert session.scalars(select(tables.Agreement)).all() == [], "a proposal is no agreement"


def test_what_a_proposal_follows_from_is_kept_and_gives_it_again(deps: Deps) -> None:
    rule_archive.keep(deps)
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    figures = replace(MEANS, wish=BorrowerProposal(months=12))
    one = trial(deps, chen, conversation_id, figures).offers[0]
    send(deps, chen, conversation_id, one, figures)
    again = offer_basis.recompute(deps, conversation_id)
    assert len(again) == 2
    assert {basis.verdict for basis in again} == {OffersVerdict.SAME}


def test_a_proposal_alone_accepts_nothing(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    send(deps, chen, conversation_id, trial(deps, chen, conversation_id).offers[0])
    with deps.read() as session:
        row = session.scalars(select(tables.Offer).where(tables.Offer.readback_hash.is_not(None))).first()
    assert row is None
    assert isinstance(agreements.read_back_seen(deps, conversation_id, "0" * 32), AcceptRefusal)


def test_the_means_of_a_proposal_are_known_the_next_time(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    figures = replace(MEANS, hardship=HardshipKind.ILLNESS)
    send(deps, chen, conversation_id, trial(deps, chen, conversation_id, figures).offers[0], figures)
    known = trial(deps, chen, conversation_id, Figures()).figures
    assert (known.income_fen, known.essential_fen, known.hardship) == (600_000, 350_000, HardshipKind.ILLNESS)


def test_a_proposal_sent_twice_is_said_once(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    one, key = trial(deps, chen, conversation_id).offers[0], str(uuid4())
    for _ in range(2):
        desk_offers.propose(deps, chen, conversation_id, MEANS, one.offer.offer_id, key)
    assert len(said(deps, conversation_id)) == 1


def test_what_the_bot_may_not_grant_goes_to_a_colleague_and_its_figures_are_not_told(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id, one = late_card(deps, chen)
    done = send(deps, chen, conversation_id, one, WAIVED)
    assert isinstance(done, Proposed)
    assert done.approval_id is not None
    (told,) = said(deps, conversation_id)
    assert "¥" not in told.text
    assert payloads_of(deps, told) == []
    with deps.read() as session:
        asked = session.get_one(tables.Approval, done.approval_id)
        assert (asked.requester, asked.needs_role) == (chen.id, "agent")
    now = negotiation.state(deps, conversation_id)
    assert isinstance(now, State)
    assert now.stage is Stage.WAITING
    assert send(deps, chen, conversation_id, one, WAIVED) is NotProposed.ASKED_ALREADY


def test_nobody_grants_what_they_proposed_and_a_colleague_may(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id, one = late_card(deps, chen)
    done = send(deps, chen, conversation_id, one, WAIVED)
    assert isinstance(done, Proposed)
    approval_id = done.approval_id or ""
    own = approval_decisions.decide(deps, chen.id, approval_id, Decision.APPROVE, "看过")
    assert own is DecisionRefusal.OWN_REQUEST
    colleague = agent(deps, "li")
    granted = approval_decisions.decide(deps, colleague.id, approval_id, Decision.APPROVE, "看过")
    assert isinstance(granted, Decided)
    with deps.read() as session:
        news = session.scalars(select(tables.Message).where(tables.Message.client_key.like("approval:%"))).one()
    assert news.text.startswith("同事替您提的方案，批准了")
    (again,) = (found for found in trial(deps, chen, conversation_id, WAIVED).offers if found.offer == one.offer)
    assert again.asked is ApprovalState.APPROVED
    assert again.may_be_sent


def test_what_was_not_granted_is_not_put_forward_again(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id, one = late_card(deps, chen)
    done = send(deps, chen, conversation_id, one, WAIVED)
    assert isinstance(done, Proposed)
    approval_decisions.decide(deps, agent(deps, "li").id, done.approval_id or "", Decision.REJECT, "材料不够")
    assert send(deps, chen, conversation_id, one, WAIVED) is NotProposed.NOT_GRANTED


def test_only_a_role_with_authority_is_said_to_have_it(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id, one = late_card(deps, chen)
    assert one.is_within
    assert [grant.role for grant in trial(deps, chen, conversation_id, WAIVED).grants] == [None, *ApprovalRole]


def test_only_who_answers_the_conversation_tries_or_proposes(deps: Deps) -> None:
    chen, li = agent(deps), agent(deps, "li")
    conversation_id = in_hand(deps, chen)
    one = trial(deps, chen, conversation_id).offers[0]
    assert desk_offers.try_offers(deps, li, conversation_id, MEANS) is NotProposed.NOT_YOURS
    assert send(deps, li, conversation_id, one) is NotProposed.NOT_YOURS
    handoff.give_back(deps, conversation_id, chen.id)
    assert send(deps, chen, conversation_id, one) is NotProposed.NOT_YOURS
    assert desk_offers.try_offers(deps, chen, "0" * 32, MEANS) is NotProposed.UNKNOWN


def test_nothing_is_tried_for_somebody_not_verified(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = verified(deps, None)
    handoff.take(deps, conversation_id, chen.id)
    assert desk_offers.try_offers(deps, chen, conversation_id, MEANS) is NotProposed.NOT_VERIFIED


def test_figures_that_nobody_computed_are_refused_and_keep_nothing(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    done = desk_offers.propose(deps, chen, conversation_id, MEANS, "offer-made-up", str(uuid4()))
    assert done is NotProposed.OUT_OF_DATE
    with deps.read() as session:
        assert session.scalars(select(tables.Negotiation)).all() == []


def test_words_that_must_not_be_said_keep_the_proposal_back(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    one = trial(deps, chen, conversation_id).offers[0]
    assert send(deps, chen, conversation_id, one, note="不还就让警察来抓你坐牢。") is NotProposed.UNFITTING
    assert send(deps, chen, conversation_id, one, note="好" * 501) is NotProposed.NOTE_TOO_LONG
    assert said(deps, conversation_id) == []


def test_the_words_of_proposals_pass_the_tone_gate(deps: Deps) -> None:
    figures = dict.fromkeys(("total", "waived", "first"), "¥1.00") | {"operator": "小陈", "payments": "12"}
    days = dict.fromkeys(("first_day", "last_day", "until"), "12月15日")
    for name in ("desk_offer", "desk_offer_waives", "desk_offer_asked"):
        text = deps.wording.one(name, **figures, **days)
        assert handoff.unfitting(deps, text) == (), name


def test_what_stands_in_the_way_is_said(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    poor = trial(deps, chen, conversation_id, Figures(income_fen=200_000, essential_fen=300_000))
    assert (poor.offers, poor.why) == ((), NoOfferReason.NO_SURPLUS)
    dear = trial(deps, chen, conversation_id, replace(MEANS, wish=BorrowerProposal(monthly_fen=590_000)))
    assert dear.why is Objection.ABOVE_AFFORDABILITY
    with deps.begin() as session:
        conversation = session.get_one(tables.Conversation, conversation_id)
        session.add(
            tables.Hold(borrower_id=conversation.borrower_id, kind=HoldKind.DECEASED.value, placed_at=deps.now())
        )
    held = trial(deps, chen, conversation_id)
    assert (held.offers, held.why) == ((), NoOfferReason.HOLD)


def test_disputed_debts_leave_nothing_to_negotiate(deps: Deps) -> None:
    chen = agent(deps)
    found = trial(deps, chen, in_hand(deps, chen, Owed(disputed=True)))
    assert found.blocked is Blocked.ALL_DISPUTED


WHOLE_BUDGET = Affordability(600_000, 350_000, 2, 100_000)


def tell_whole_budget(deps: Deps, conversation_id: str) -> None:
    """Let the borrower say it all: day wages, what is spent, two to keep, and another lender."""
    negotiation.open_negotiation(deps, conversation_id)
    negotiation.state_means(
        deps,
        conversation_id,
        income_fen=600_000,
        essential_fen=350_000,
        dependants=2,
        other_debts_fen=100_000,
        income_told=DAY_WAGES,
    )


def test_a_trial_knows_the_whole_budget_before_a_creditor_is_chosen(deps: Deps) -> None:
    operator = agent(deps)
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id)
    a_debt_of(deps, borrower_id, Owed(creditor="另一家银行"))
    conversation_id = verified(deps, borrower_id)
    tell_whole_budget(deps, conversation_id)
    handoff.take(deps, conversation_id, operator.id)
    found = trial(deps, operator, conversation_id, Figures())
    assert found.facts is not None
    assert found.facts.affordability == WHOLE_BUDGET


def test_a_trial_knows_the_whole_budget_of_a_talk_that_ended(deps: Deps) -> None:
    operator = agent(deps)
    conversation_id = in_hand(deps, operator)
    tell_whole_budget(deps, conversation_id)
    negotiation.end(deps, conversation_id)
    found = trial(deps, operator, conversation_id, Figures())
    assert found.facts is not None
    assert found.facts.affordability == WHOLE_BUDGET
    send(deps, operator, conversation_id, found.offers[0], Figures())
    kept = negotiation_budget.told_budget(deps, conversation_id)
    assert kept is not None
    assert (kept.stated.affordability, kept.income_told) == (WHOLE_BUDGET, DAY_WAGES)


def test_another_income_is_not_put_in_the_borrowers_words(deps: Deps) -> None:
    operator = agent(deps)
    conversation_id = in_hand(deps, operator)
    tell_whole_budget(deps, conversation_id)
    figures = Figures(income_fen=700_000)
    found = trial(deps, operator, conversation_id, figures)
    send(deps, operator, conversation_id, found.offers[0], figures)
    kept = negotiation_budget.told_budget(deps, conversation_id)
    assert kept is not None
    assert (kept.stated.monthly_income_fen, kept.income_told) == (700_000, None)


def test_no_question_about_the_budget_stands_between_the_borrower_and_what_was_proposed(deps: Deps) -> None:
    operator = agent(deps)
    conversation_id = in_hand(deps, operator)
    negotiation.open_negotiation(deps, conversation_id)
    negotiation.state_means(deps, conversation_id, income_fen=600_000, essential_fen=200_000)
    before = negotiation.state(deps, conversation_id)
    assert isinstance(before, State)
    assert before.stage is Stage.DEPENDANTS
    found = trial(deps, operator, conversation_id, Figures())
    send(deps, operator, conversation_id, found.offers[0], Figures())
    after = negotiation.state(deps, conversation_id)
    assert isinstance(after, State)
    assert after.stage is Stage.CONFIRMATION


def test_nobody_is_asked_how_it_went_while_the_offer_lies_before_them(deps: Deps) -> None:
    operator = agent(deps)
    conversation_id = in_hand(deps, operator)
    inbound.record_text(deps, conversation_id, "k", "能不能少还点")
    send(deps, operator, conversation_id, trial(deps, operator, conversation_id).offers[0])
    handoff.give_back(deps, conversation_id, operator.id)
    with deps.read() as session:
        assert session.scalars(select(tables.Satisfaction)).all() == []


def test_a_plan_put_forward_after_a_long_silence_counts_as_what_it_is(deps: Deps) -> None:
    operator = agent(deps)
    conversation_id = in_hand(deps, operator)
    with deps.begin() as session:
        found = session.get_one(tables.Conversation, conversation_id)
        found.last_inbound_at = deps.now() - timedelta(hours=13)
    send(deps, operator, conversation_id, trial(deps, operator, conversation_id).offers[0])
    with deps.read() as session:
        purposes = session.scalars(
            select(tables.Message.purpose).where(
                tables.Message.conversation_id == conversation_id, tables.Message.operator_id == operator.id
            )
        )
        assert set(purposes) == {Purpose.COLLECTION.value}


def test_of_two_creditors_one_is_chosen(deps: Deps) -> None:
    chen = agent(deps)
    borrower_id = a_borrower(deps)
    a_debt_of(deps, borrower_id, Owed(creditor="示例银行"))
    a_debt_of(deps, borrower_id, Owed(creditor="另一家", principal_fen=500_000))
    conversation_id = verified(deps, borrower_id)
    handoff.take(deps, conversation_id, chen.id)
    sums = []
    for number in (1, 2):
        found = trial(deps, chen, conversation_id, replace(MEANS, creditor=number))
        assert len(found.creditors) == 2
        assert found.facts is not None
        assert found.facts.owed_fen == found.creditors[number - 1].total_fen
        sums.append(found.facts.owed_fen)
    assert sums[0] != sums[1]
    second = replace(MEANS, creditor=2)
    assert send(deps, chen, conversation_id, trial(deps, chen, conversation_id, second).offers[0], second) == Proposed(
        None
    )
    now = negotiation.state(deps, conversation_id)
    assert isinstance(now, State)
    assert now.total_fen == sums[1]


def test_trying_and_proposing_are_audited_without_figures(deps: Deps) -> None:
    chen = agent(deps)
    conversation_id = in_hand(deps, chen)
    send(deps, chen, conversation_id, trial(deps, chen, conversation_id).offers[0])
    with deps.read() as session:
        entries = session.scalars(
            select(tables.AuditEntry).where(
                tables.AuditEntry.subject_id == conversation_id, tables.AuditEntry.actor_id == chen.id
            )
        ).all()
    assert [entry.event for entry in entries] == ["taken", "offers_tried", "offer_sent"]
    assert "600000" not in str(entries[-1].detail)


# The page ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleBrowser]:
    clock = SetClock()
    desk = a_desk(tmp_path, clock)
    yield ConsoleBrowser(desk, clock)
    desk.database.engine.dispose()


def at_the_page(console: ConsoleBrowser) -> str:
    operator_id = console.log_in_as(Role.AGENT)
    borrower_id = a_borrower(console.deps)
    a_debt_of(console.deps, borrower_id)
    conversation_id = verified(console.deps, borrower_id)
    handoff.take(console.deps, conversation_id, operator_id)
    return conversation_id


def test_an_operator_tries_and_sends_from_the_conversation(console: ConsoleBrowser) -> None:
    conversation_id = at_the_page(console)
    assert f"/console/c/{conversation_id}/offers" in console.shown(f"/c/{conversation_id}")
    asked = "income=6,000&essentials=3500"
    page = console.shown(f"/c/{conversation_id}/offers?{asked}")
    for words in ("月收入", 'value="6,000"', "每一期", "借款人省下", "谁能批多少", "坐席（您）"):
        assert words in page
    offer_id = re.findall(r'name="offer_id" value="([^"]+)"', page)[0]
    form = {"income": "6000", "essentials": "3500", "offer_id": offer_id, "then": "give_back", "key": str(uuid4())}
    sent = console.send(f"/c/{conversation_id}/offers", **form)
    assert sent.status_code == 303
    assert console.told == [conversation_id]
    with console.deps.read() as session:
        assert session.get_one(tables.Conversation, conversation_id).owner == Owner.BOT
    refused = console.send(f"/c/{conversation_id}/offers", **form | {"key": str(uuid4())})
    assert refused.status_code == 409
    assert "要先接手这个会话" in refused.text


def test_figures_that_cannot_be_read_are_said_to_be_so_and_given_back(console: ConsoleBrowser) -> None:
    conversation_id = at_the_page(console)
    response = console.browser.get(f"/console/c/{conversation_id}/offers", params={"income": '"><b>1</b>'})
    assert response.status_code == 409
    assert "没看懂填的数字" in response.text
    assert "<b>1</b>" not in response.text
    assert "&lt;b&gt;1&lt;/b&gt;" in response.text


@pytest.mark.parametrize(
    "typed",
    [
        TypedFigures(income="a lot"),
        TypedFigures(income="1", essentials="-1"),
        TypedFigures(income="inf"),
        TypedFigures(months="x"),
        TypedFigures(months="0"),
        TypedFigures(settle="100", months="3"),
        TypedFigures(first_on="tomorrow"),
        TypedFigures(hardship="none"),
    ],
)
def test_what_is_no_figure_is_not_read(typed: TypedFigures) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed.read()


def test_every_code_of_the_page_has_words(console: ConsoleBrowser) -> None:
    words = Pages(console.deps).words("_offer_words.html")
    assert set(words["NOT_PROPOSED"]) == {*NotProposed, UNREADABLE}
    assert set(words["BLOCKED"]) == set(Blocked)
    assert set(words["HARDSHIP"]) == set(HardshipKind)
    assert set(words["ASKED"]) == set(ApprovalState)


def test_nothing_typed_wishes_for_nothing() -> None:
    assert TypedFigures().read() == Figures()
