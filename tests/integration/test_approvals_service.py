"""Approvals over a real database: asking, four eyes, one decision only, and what may be granted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.identity.roles import Role
from bot.outreach.gate import HoldKind
from bot.services import agreements, approval_decisions, approvals, negotiation
from bot.services.agreements import AcceptRefusal, AgreementView, ReadBack
from bot.services.approval_decisions import Case, Change, Decided, Decision, NotDecided
from bot.services.approvals import ApprovalState
from bot.services.deps import Deps
from bot.store import tables
from bot.workout.authority import DecisionRefusal
from bot.workout.counter import BorrowerProposal
from bot.workout.policy_sections import ApprovalRole
from tests.builders.accounts import a_payment
from tests.builders.approvals import (
    Asked,
    an_approval,
    an_offer_to_approve,
    an_operator_view,
    decide,
    events_of,
    news_of,
    offer_state,
    stored,
)
from tests.builders.desk import SetClock, a_borrower
from tests.builders.threads import at_once

AGENT, SUPERVISOR = Role.AGENT, Role.SUPERVISOR


def alternatives(deps: Deps, asked: Asked, operator_role: Role, months: int) -> Case:
    operator = an_operator_view(deps, operator_role, login="looks")
    case = approval_decisions.open_case(deps, operator, asked.id, BorrowerProposal(months=months))
    assert isinstance(case, Case), case
    return case


# Asking --------------------------------------------------------------------------------------------------------------


def test_a_request_carries_figures_role_and_the_expiry_of_its_offer(deps: Deps) -> None:
    asked = an_approval(deps)
    assert asked.view.state is ApprovalState.WAITING
    assert asked.view.needs is ApprovalRole.AGENT
    assert asked.view.borrower == "王**"
    assert asked.view.conversation_id == asked.conversation_id
    assert asked.view.owed_fen == asked.view.offer.total_fen + asked.view.offer.waived_fen
    assert asked.view.expires_at.date() >= asked.view.offer.expires_on
    assert events_of(deps, asked) == ["approval_requested"]


def test_asking_again_for_the_same_offer_is_the_same_request(deps: Deps) -> None:
    asked = an_approval(deps)
    with deps.begin() as session:
        again = approvals.request(
            session,
            deps,
            negotiation_id=asked.negotiation_id,
            offer_id=asked.view.offer_id,
            conversation_id=asked.conversation_id,
            borrower_id=asked.borrower_id,
        )
    assert again == asked.view
    assert events_of(deps, asked) == ["approval_requested"]


def test_two_channels_that_ask_at_once_make_one_request(deps: Deps) -> None:
    borrower_id = a_borrower(deps)
    first = an_approval(deps, borrower_id=borrower_id)
    with deps.begin() as session:
        session.delete(session.get_one(tables.Approval, first.id))

    def ask(_turn: int) -> str:
        with deps.begin() as session:
            return approvals.request(
                session,
                deps,
                negotiation_id=first.negotiation_id,
                offer_id=first.view.offer_id,
                conversation_id=first.conversation_id,
                borrower_id=borrower_id,
            ).id

    assert len(set(at_once(4, ask))) == 1


def test_nobody_is_asked_for_what_the_bot_may_grant_or_for_another_negotiations_offer(deps: Deps) -> None:
    asked = an_approval(deps)
    with deps.begin() as session:
        rows = session.scalars(select(tables.Offer)).all()
        free = next(row for row in rows if row.terms["needs_approval"] is None)
        for negotiation_id, offer_id in ((asked.negotiation_id, free.id), ("0" * 32, asked.view.offer_id)):
            with pytest.raises(ValueError, match="needs approval"):
                approvals.request(
                    session,
                    deps,
                    negotiation_id=negotiation_id,
                    offer_id=offer_id,
                    conversation_id=asked.conversation_id,
                    borrower_id=asked.borrower_id,
                )


def test_an_offer_nobody_was_asked_about_has_no_state(deps: Deps) -> None:
    assert offer_state(deps, "0" * 32) is None


# Who may decide ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [AGENT, SUPERVISOR, Role.ADMIN])
def test_the_role_needed_or_a_higher_one_decides(deps: Deps, role: Role) -> None:
    asked = an_approval(deps)
    outcome = decide(deps, asked, role=role)
    assert outcome == Decided(ApprovalState.APPROVED, asked.conversation_id)
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.APPROVED


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("role", [AGENT, Role.COMPLIANCE])
def test_a_lower_role_decides_nothing(deps: Deps, role: Role, decision: Decision) -> None:
    asked = an_approval(deps, ApprovalRole.SUPERVISOR)
    assert decide(deps, asked, decision, role) is DecisionRefusal.ROLE_TOO_LOW
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.WAITING
    assert events_of(deps, asked) == ["approval_requested", "approval_refused"]


@pytest.mark.parametrize("decision", Decision)
def test_nobody_decides_on_their_own_request(deps: Deps, decision: Decision) -> None:
    asker = an_operator_view(deps, SUPERVISOR, login="asker")
    asked = an_approval(deps, requester=asker.id)
    refused = approval_decisions.decide(deps, asker.id, asked.id, decision, "我自己提的")
    assert refused is DecisionRefusal.OWN_REQUEST
    assert news_of(deps, asked) == []
    assert isinstance(decide(deps, asked), Decided)


def test_an_expired_offer_is_not_granted(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(days=9))
    assert decide(deps, asked) is DecisionRefusal.OFFER_EXPIRED


def test_a_request_of_a_negotiation_that_ended_is_settled(deps: Deps) -> None:
    asked = an_approval(deps)
    negotiation.end(deps, asked.conversation_id)
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.EXPIRED
    assert decide(deps, asked) is DecisionRefusal.OFFER_EXPIRED
    assert approvals.waiting_ids(deps) == frozenset()


def test_a_decision_is_taken_once(deps: Deps) -> None:
    asked = an_approval(deps)
    assert isinstance(decide(deps, asked, Decision.REJECT), Decided)
    assert decide(deps, asked, role=SUPERVISOR) is DecisionRefusal.NOTHING_TO_DECIDE
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.REJECTED


def test_of_two_who_decide_at_once_one_decides(deps: Deps) -> None:
    asked = an_approval(deps)
    people = [an_operator_view(deps, SUPERVISOR, login=f"boss-{n}") for n in range(4)]
    decisions = [Decision.APPROVE, Decision.REJECT] * 2

    def act(turn: int) -> object:
        return approval_decisions.decide(deps, people[turn].id, asked.id, decisions[turn], "看过")

    outcomes = at_once(4, act)
    decided = [outcome for outcome in outcomes if isinstance(outcome, Decided)]
    assert len(decided) == 1
    assert outcomes.count(DecisionRefusal.NOTHING_TO_DECIDE) == 3
    assert stored(deps, asked).state == decided[0].state
    assert len(news_of(deps, asked)) == 1


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [("", NotDecided.NO_REASON), ("  ", NotDecided.NO_REASON), ("长" * 501, NotDecided.REASON_TOO_LONG)],
)
def test_a_decision_needs_a_reason_of_bearable_length(deps: Deps, reason: str, refusal: NotDecided) -> None:
    asked = an_approval(deps)
    operator = an_operator_view(deps, AGENT)
    assert approval_decisions.decide(deps, operator.id, asked.id, Decision.APPROVE, reason) is refusal
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.WAITING


def test_an_unknown_request_or_decider_changes_nothing(deps: Deps) -> None:
    asked = an_approval(deps)
    operator = an_operator_view(deps, AGENT)
    assert approval_decisions.decide(deps, operator.id, "0" * 32, Decision.APPROVE, "好") is NotDecided.UNKNOWN
    assert approval_decisions.decide(deps, "0" * 32, asked.id, Decision.APPROVE, "好") is NotDecided.UNKNOWN


# What may be granted -------------------------------------------------------------------------------------------------


def test_an_offer_is_not_granted_once_the_debt_has_changed_but_may_be_rejected(deps: Deps) -> None:
    asked = an_approval(deps)
    a_payment(deps, asked.debt_id, 10_000)
    assert decide(deps, asked) is NotDecided.FIGURES_CHANGED
    assert isinstance(decide(deps, asked, Decision.REJECT, SUPERVISOR), Decided)


def test_a_day_of_interest_more_does_not_spoil_a_request(deps: Deps, clock: SetClock) -> None:
    asked = an_approval(deps)
    clock.move(timedelta(days=1))
    assert isinstance(decide(deps, asked), Decided)


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.CHANGE])
def test_nothing_is_granted_while_a_hold_forbids_to_talk_about_plans(deps: Deps, decision: Decision) -> None:
    asked = an_approval(deps)
    with deps.begin() as session:
        hold = tables.Hold(borrower_id=asked.borrower_id, kind=HoldKind.DISTRESS.value, placed_at=deps.now())
        session.add(hold)
    assert decide(deps, asked, decision) is NotDecided.ON_HOLD


def test_other_figures_are_those_of_the_policy_and_replace_the_ones_asked_for(deps: Deps) -> None:
    asked = an_approval(deps)
    case = alternatives(deps, asked, AGENT, months=40)
    other = case.alternatives[0]
    assert (other.months, case.objection) == (40, None)
    change = Change(other.offer_id, BorrowerProposal(months=40))
    operator = an_operator_view(deps, AGENT)
    outcome = approval_decisions.decide(deps, operator.id, asked.id, Decision.CHANGE, "短一点", change)
    assert outcome == Decided(ApprovalState.APPROVED, asked.conversation_id)
    granted = stored(deps, asked).granted_offer_id
    assert granted is not None
    assert offer_state(deps, granted) is ApprovalState.APPROVED
    assert offer_state(deps, asked.view.offer_id) is ApprovalState.REJECTED
    standing = negotiation.state(deps, asked.conversation_id)
    assert isinstance(standing, negotiation.State)
    assert standing.chosen is not None
    assert standing.chosen.offer_id == other.offer_id
    assert "批准的是另一组" in news_of(deps, asked)[0].text


def test_a_proposal_outside_the_policy_is_answered_with_the_nearest_inside_it(deps: Deps) -> None:
    case = alternatives(deps, an_approval(deps), AGENT, months=90)
    assert case.alternatives[0].months == 60
    assert case.objection is not None


@pytest.mark.parametrize(
    "change", [None, Change("offer-made-up"), Change("offer-made-up", BorrowerProposal(months=40))]
)
def test_figures_that_the_policy_did_not_answer_with_are_not_granted(deps: Deps, change: Change | None) -> None:
    asked = an_approval(deps)
    operator = an_operator_view(deps, AGENT)
    outcome = approval_decisions.decide(deps, operator.id, asked.id, Decision.CHANGE, "好", change)
    assert outcome is NotDecided.CHANGE_OUT_OF_DATE


def test_no_alternative_is_beyond_the_decider(deps: Deps) -> None:
    asked = an_approval(deps, ApprovalRole.SUPERVISOR)
    assert alternatives(deps, asked, SUPERVISOR, months=48).alternatives
    with deps.begin() as session:
        session.get_one(tables.Operator, session.scalars(select(tables.Operator.id)).one()).login = "other"
    assert alternatives(deps, asked, AGENT, months=48).alternatives == ()


def test_whoever_has_chosen_another_offer_meanwhile_keeps_it_chosen(deps: Deps) -> None:
    asked = an_approval(deps)
    negotiation.state_means(deps, asked.conversation_id, income_fen=600_000)
    negotiation.choose(deps, asked.conversation_id, position=1)
    before = negotiation.state(deps, asked.conversation_id)
    decide(deps, asked)
    after = negotiation.state(deps, asked.conversation_id)
    assert isinstance(before, negotiation.State)
    assert isinstance(after, negotiation.State)
    assert before.chosen is not None
    assert after.chosen == before.chosen
    assert asked.view.offer.offer_id in {offer.offer_id for offer in after.offers}


def test_a_rejected_offer_cannot_be_agreed_to(deps: Deps) -> None:
    asked = an_approval(deps)
    decide(deps, asked, Decision.REJECT)
    standing = negotiation.state(deps, asked.conversation_id)
    assert isinstance(standing, negotiation.State)
    assert (standing.stage, standing.decided) == (negotiation.Stage.CHOICE, ApprovalState.REJECTED)
    assert isinstance(agreements.read_back(deps, asked.conversation_id), AcceptRefusal)


def test_a_granted_offer_can_be_agreed_to_and_a_waiting_one_cannot(deps: Deps) -> None:
    asked = an_approval(deps)
    assert agreements.read_back(deps, asked.conversation_id) is AcceptRefusal.NEEDS_APPROVAL
    decide(deps, asked)
    shown = agreements.read_back(deps, asked.conversation_id)
    assert isinstance(shown, ReadBack), shown
    accepted = agreements.accept(deps, asked.conversation_id, shown.text_hash)
    assert isinstance(accepted, AgreementView), accepted
    assert accepted.total_fen == asked.view.offer.total_fen


# What the list shows -------------------------------------------------------------------------------------------------


def test_the_list_has_waiting_requests_first_and_only_what_the_role_may_decide(deps: Deps, clock: SetClock) -> None:
    small = an_approval(deps)
    clock.move(timedelta(minutes=5))
    other = a_borrower(deps, "李小红", "13800000002", "110101199001010022")
    large = an_approval(deps, ApprovalRole.SUPERVISOR, borrower_id=other)
    agent, boss = an_operator_view(deps, AGENT), an_operator_view(deps, SUPERVISOR)
    reader = an_operator_view(deps, Role.COMPLIANCE)

    def seen(operator: object) -> list[str]:
        return [view.id for view in approvals.open_requests(deps, operator)]  # type: ignore[arg-type]

    assert seen(agent) == [small.id]
    assert seen(boss) == seen(reader) == [small.id, large.id]
    assert [approvals.waiting_count(deps, one) for one in (agent, boss, reader)] == [1, 2, 2]
    approval_decisions.decide(deps, boss.id, small.id, Decision.REJECT, "材料不够")
    assert seen(boss) == [large.id, small.id]
    settled = approvals.open_requests(deps, boss)[1]
    assert (settled.state, settled.decider, settled.reason) == (ApprovalState.REJECTED, "小陈", "材料不够")
    clock.move(timedelta(days=8))
    assert seen(agent) == []


def test_every_step_is_on_record(deps: Deps) -> None:
    asked = an_approval(deps)
    operator = an_operator_view(deps, AGENT)
    approval_decisions.open_case(deps, operator, asked.id)
    approval_decisions.decide(deps, operator.id, asked.id, Decision.APPROVE, "王小明 13800000001 的收入证明看过")
    assert events_of(deps, asked) == ["approval_requested", "approval_read", "approval_approved", "approval_told"]
    with deps.read() as session:
        entries = session.scalars(select(tables.AuditEntry).where(tables.AuditEntry.subject_id == asked.id)).all()
        assert not [entry for entry in entries if "王小明" in str(entry.detail) or "1380000" in str(entry.detail)]
        row = session.get_one(tables.Approval, asked.id)
    assert (row.decided_by, row.reason) == (operator.id, "王小明 13800000001 的收入证明看过")


def test_the_offer_builder_makes_what_its_name_says(deps: Deps) -> None:
    conversation_id = an_approval(deps).conversation_id
    negotiation.end(deps, conversation_id)
    _, _, offer = an_offer_to_approve(deps, conversation_id, ApprovalRole.AGENT)
    assert offer.needs_approval is ApprovalRole.AGENT
