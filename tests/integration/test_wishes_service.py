"""What a borrower wishes of a plan, and what only a person may grant, against both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from bot.clock import business_date
from bot.lending.ledger import EntryKind
from bot.lending.schedule import add_months
from bot.services import accounts, agreements, approvals, negotiation
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal, AgreementView, ReadBack
from bot.services.approvals import ApprovalState
from bot.services.conversations import Author, Reply, locked, say
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.services.negotiation import Countered, NotSettled, Stage, State
from bot.services.offer_table import row_id
from bot.store.tables import Agreement, Approval, LedgerEntry, Negotiation
from bot.workout.counter import BorrowerProposal, Objection
from bot.workout.offer import Offer, OfferKind
from bot.workout.policy_sections import HardshipKind
from tests.builders.accounts import Owed, a_debt_of, a_payment, verified
from tests.builders.desk import SetClock
from tests.builders.threads import at_once

INCOME, ESSENTIAL = 600_000, 350_000
OLD = Owed(800_000, days_late=200)
LARGE = Owed(11_000_000)


def with_means(deps: Deps, chat: str, income_fen: int = INCOME, essential_fen: int = ESSENTIAL) -> negotiation.Result:
    answer = negotiation.state_means(deps, chat, income_fen=income_fen, essential_fen=essential_fen)
    assert not isinstance(answer, NotVerified)
    return answer


def at_work(deps: Deps, borrower: str, owed: Owed | None = None) -> str:
    """Open a negotiation on a debt; returns the conversation."""
    a_debt_of(deps, borrower, owed)
    chat = verified(deps, borrower)
    assert isinstance(negotiation.open_negotiation(deps, chat), State)
    return chat


def stage_of(deps: Deps, chat: str) -> Stage:
    now = negotiation.state(deps, chat)
    assert isinstance(now, State)
    return now.stage


def text_agreed(deps: Deps, chat: str) -> AgreementView:
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack), shown
    accepted = agreements.accept(deps, chat, shown.text_hash)
    assert isinstance(accepted, AgreementView), accepted
    return accepted


def asked_and_answered(deps: Deps, chat: str, yes: str = "好的") -> str:
    """Put the question whether to ask a person, as the dialogue does; returns the id of the yes to it."""
    asked = record_text(deps, chat, f"q{yes}", "第一个")
    negotiation.put_approval_question(deps, chat, asked.message_id)
    with deps.begin() as session:
        conversation = locked(session, chat)
        assert conversation is not None
        say(session, deps, conversation, Reply("要申请吗"), author=Author.BOT, in_reply_to=asked.message_id)
    return record_text(deps, chat, f"a{yes}", yes).message_id


def decided(deps: Deps, chat: str, state: ApprovalState) -> None:
    """Decide on the conversation's request as a person would."""
    with deps.begin() as session:
        row = session.scalars(select(Approval).where(Approval.conversation_id == chat)).one()
        row.state, row.decided_at = state.value, deps.now()
        row.granted_offer_id = row.offer_id if state is ApprovalState.APPROVED else None


# Wishes before the means are known -----------------------------------------------------------------------------------


def test_a_figure_named_first_is_kept_and_answered_once_the_means_are_known(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    kept = negotiation.propose(deps, chat, BorrowerProposal(monthly_fen=80_000))
    assert isinstance(kept, State)
    assert kept.stage is Stage.INCOME
    met = with_means(deps, chat)
    assert isinstance(met, Countered)
    assert (met.why, met.offer.schedule[0].amount_fen) == (None, 80_000)
    assert stage_of(deps, chat) is Stage.CONFIRMATION


def test_the_wish_survives_the_choice_of_a_creditor(deps: Deps, borrower: str) -> None:
    a_debt_of(deps, borrower, Owed(creditor="演示网贷"))
    chat = at_work(deps, borrower)
    negotiation.propose(deps, chat, BorrowerProposal(months=8))
    with_means(deps, chat)
    met = negotiation.choose_creditor(deps, chat, 1)
    assert isinstance(met, Countered)
    assert met.offer.months == 8


def test_a_lump_is_the_first_part_of_what_is_agreed(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    negotiation.propose(deps, chat, BorrowerProposal(lump_fen=300_000))
    met = with_means(deps, chat)
    assert isinstance(met, Countered)
    agreed = text_agreed(deps, chat)
    first = agreed.instalments[0]
    assert (first.number, first.amount_fen, first.due_on) == (0, 300_000, met.offer.expires_on)
    assert sum(part.amount_fen for part in agreed.instalments) == agreed.total_fen


def test_all_interest_is_answered_with_the_most_there_is(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    negotiation.propose(deps, chat, BorrowerProposal(waive_interest=True))
    near = with_means(deps, chat)
    assert isinstance(near, Countered)
    assert near.why is Objection.WAIVER_ABOVE_CEILING
    assert near.offer.waived_fen > 0


def test_a_later_start_is_a_deferral_and_nothing_is_due_before(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    start = add_months(business_date(deps.now()), 3)
    negotiation.propose(deps, chat, BorrowerProposal(first_on=start))
    met = with_means(deps, chat)
    assert isinstance(met, Countered)
    assert (met.why, met.offer.kind, met.offer.schedule[0].due_on) == (None, OfferKind.DEFERRAL, start)
    assert f"先缓{met.offer.deferral_months}个月" in text_agreed(deps, chat).text


def test_a_deferral_is_granted_once(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    start = add_months(business_date(deps.now()), 3)
    negotiation.propose(deps, chat, BorrowerProposal(first_on=start))
    with_means(deps, chat)
    text_agreed(deps, chat)
    with deps.begin() as session:
        session.scalars(select(Agreement)).one().state = "broken"
    negotiation.open_negotiation(deps, chat)
    negotiation.propose(deps, chat, BorrowerProposal(first_on=start))
    near = with_means(deps, chat)
    assert isinstance(near, Countered)
    assert (near.why, near.offer.deferral_months) == (Objection.FIRST_DATE_TOO_LATE, 0)


def test_a_named_hardship_is_not_replaced_by_an_unnamed_one(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    for told in (HardshipKind.OTHER, HardshipKind.ILLNESS, HardshipKind.OTHER):
        negotiation.tell_hardship(deps, chat, told)
    with deps.begin() as session:
        assert session.scalars(select(Negotiation.hardship)).one() == HardshipKind.ILLNESS


# Closing the debt with one payment -----------------------------------------------------------------------------------


def test_one_payment_asks_for_the_sum_in_hand_and_for_no_budget(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower, OLD)
    asked = negotiation.state_wish(deps, chat, OfferKind.SETTLEMENT)
    assert isinstance(asked, State)
    assert asked.stage is Stage.IN_HAND
    met = negotiation.propose(deps, chat, BorrowerProposal(settle_fen=830_000))
    assert isinstance(met, Countered)
    assert (met.why, met.offer.kind, met.offer.total_fen) == (None, OfferKind.SETTLEMENT, 830_000)
    agreed = text_agreed(deps, chat)
    assert "协商结清协议" in agreed.text
    assert "减免利息¥" in agreed.text
    assert [part.amount_fen for part in agreed.instalments] == [830_000]


def test_too_little_to_settle_leads_to_the_budget_and_to_plans(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower, OLD)
    assert negotiation.propose(deps, chat, BorrowerProposal(settle_fen=100_000)) == NotSettled(
        Objection.DISCOUNT_ABOVE_CEILING
    )
    assert stage_of(deps, chat) is Stage.INCOME
    found = with_means(deps, chat)
    assert isinstance(found, State)
    assert found.offers


def test_a_debt_that_may_not_be_settled_is_told_at_once(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    told = negotiation.state_wish(deps, chat, OfferKind.SETTLEMENT)
    assert isinstance(told, State)
    assert (told.no_settlement, told.stage) == (True, Stage.INCOME)


def test_interest_and_principal_that_are_waived_at_once_are_booked_with_the_agreement(
    deps: Deps, borrower: str
) -> None:
    for code, policy in list(deps.policies.items()):
        deps.policies[code] = policy.model_copy(update={"conditional_on_completion": False})
    debt = a_debt_of(deps, borrower, OLD)
    chat = verified(deps, borrower)
    negotiation.open_negotiation(deps, chat)
    met = negotiation.propose(deps, chat, BorrowerProposal(settle_fen=780_000))
    assert isinstance(met, Countered)
    grant(deps, chat, met.offer)
    text_agreed(deps, chat)
    with deps.begin() as session:
        rows = session.scalars(
            select(LedgerEntry).where(LedgerEntry.debt_id == debt, LedgerEntry.kind == EntryKind.WAIVER)
        )
        booked = {row.component: row.amount_fen for row in rows}
    share = met.offer.shares[0]
    assert booked["interest"] == share.waived_interest_fen > 0
    assert booked["principal"] == share.waived_principal_fen > 0
    owed = accounts.portfolio(deps, chat)
    assert not isinstance(owed, NotVerified)
    assert owed.total_fen == 780_000


def grant(deps: Deps, chat: str, offer: Offer) -> None:
    """Have a person grant an offer that needs it."""
    if offer.needs_approval is not None:
        negotiation.ask_approval(deps, chat, asked_and_answered(deps, chat))
        decided(deps, chat, ApprovalState.APPROVED)


# Beyond the bot's authority ------------------------------------------------------------------------------------------


def for_approval(deps: Deps, borrower: str) -> tuple[str, Offer]:
    chat = at_work(deps, borrower, LARGE)
    found = with_means(deps, chat, 2_000_000, 800_000)
    assert isinstance(found, State)
    assert all(offer.needs_approval for offer in found.offers)
    chosen = negotiation.choose(deps, chat, 1)
    assert isinstance(chosen, State)
    assert chosen.stage is Stage.APPROVAL
    assert chosen.chosen is not None
    return chat, chosen.chosen


def test_what_needs_approval_is_neither_read_back_nor_accepted_without_it(deps: Deps, borrower: str) -> None:
    chat, _ = for_approval(deps, borrower)
    assert agreements.read_back(deps, chat) is AcceptRefusal.NEEDS_APPROVAL
    negotiation.ask_approval(deps, chat, asked_and_answered(deps, chat))
    assert stage_of(deps, chat) is Stage.WAITING
    assert agreements.read_back(deps, chat) is AcceptRefusal.NEEDS_APPROVAL


def test_an_approval_withdrawn_after_the_text_was_read_is_no_approval(deps: Deps, borrower: str) -> None:
    chat, offer = for_approval(deps, borrower)
    grant(deps, chat, offer)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    decided(deps, chat, ApprovalState.REJECTED)
    assert not isinstance(agreements.accept(deps, chat, shown.text_hash), AgreementView)


def test_a_yes_typed_before_the_question_asks_nobody(deps: Deps, borrower: str) -> None:
    chat, _ = for_approval(deps, borrower)
    hasty = record_text(deps, chat, "hasty", "好的").message_id
    asked = record_text(deps, chat, "q", "第一个")
    negotiation.put_approval_question(deps, chat, asked.message_id)
    answer = negotiation.ask_approval(deps, chat, hasty)
    assert isinstance(answer, State)
    assert answer.stage is Stage.APPROVAL


def test_asking_twice_is_asking_once(deps: Deps, borrower: str) -> None:
    chat, offer = for_approval(deps, borrower)
    yes = asked_and_answered(deps, chat)
    for _ in range(2):
        negotiation.ask_approval(deps, chat, yes)
    with deps.begin() as session:
        assert len(session.scalars(select(Approval)).all()) == 1
        running = session.scalars(select(Negotiation)).one()
        assert approvals.state_of(session, row_id(running, offer.offer_id)) is ApprovalState.WAITING


def test_what_was_granted_is_read_back_and_agreed_to(deps: Deps, borrower: str) -> None:
    chat, offer = for_approval(deps, borrower)
    grant(deps, chat, offer)
    assert stage_of(deps, chat) is Stage.CONFIRMATION
    assert text_agreed(deps, chat).total_fen == offer.total_fen


def test_what_was_rejected_leaves_the_others(deps: Deps, borrower: str) -> None:
    chat, offer = for_approval(deps, borrower)
    negotiation.ask_approval(deps, chat, asked_and_answered(deps, chat))
    decided(deps, chat, ApprovalState.REJECTED)
    now = negotiation.state(deps, chat)
    assert isinstance(now, State)
    assert (now.stage, now.decided) == (Stage.CHOICE, ApprovalState.REJECTED)
    assert offer.offer_id not in {other.offer_id for other in now.offers}


def test_what_nobody_decided_in_time_asks_for_new_figures(deps: Deps, clock: SetClock, borrower: str) -> None:
    chat, _ = for_approval(deps, borrower)
    negotiation.ask_approval(deps, chat, asked_and_answered(deps, chat))
    clock.move(timedelta(days=9))
    late = verified(deps, borrower)
    now = negotiation.state(deps, late)
    assert isinstance(now, State)
    assert (now.stage, now.offers) == (Stage.CHOICE, ())
    anew = negotiation.more_options(deps, late)
    assert isinstance(anew, State)
    assert anew.offers


def test_a_payment_after_the_approval_asks_for_new_figures(deps: Deps, borrower: str) -> None:
    chat, offer = for_approval(deps, borrower)
    grant(deps, chat, offer)
    shown = agreements.read_back(deps, chat)
    assert isinstance(shown, ReadBack)
    a_payment(deps, offer.shares[0].debt_id, 100_000)
    assert agreements.accept(deps, chat, shown.text_hash) is AcceptRefusal.FIGURES_CHANGED


# Two channels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(3))
def test_two_channels_that_choose_different_plans_at_once_agree_to_one(deps: Deps, borrower: str, attempt: int) -> None:
    chats = [at_work(deps, borrower), verified(deps, borrower, channel="telegram")]
    with_means(deps, chats[0])

    def choose_and_agree(turn: int) -> AgreementView | AcceptRefusal:
        negotiation.choose(deps, chats[turn], turn + 1)
        shown = agreements.read_back(deps, chats[turn])
        return agreements.accept(deps, chats[turn], shown.text_hash) if isinstance(shown, ReadBack) else shown

    answers = at_once(2, choose_and_agree)
    agreed = {answer.number for answer in answers if isinstance(answer, AgreementView)}
    with deps.begin() as session:
        rows = session.scalars(select(Agreement)).all()
        assert {row.number for row in rows} >= agreed
        assert len(rows) <= 1
        assert sum(row.state == "in_force" for row in rows) == len(rows)


def test_interest_that_stops_is_counted_as_saved(deps: Deps, borrower: str) -> None:
    chat = at_work(deps, borrower)
    found = with_means(deps, chat)
    assert isinstance(found, State)
    offer = found.offers[0]
    assert offer.interest_stopped_fen > 0
    most = offer.total_fen * Decimal("0.216") * offer.months / 12
    assert offer.interest_stopped_fen < most
