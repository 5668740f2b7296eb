"""Finding a plan: which debts, what is affordable, what the policy offers, what was chosen.

The state of a negotiation lives in its row; the dialogue only asks which stage it is at.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.services import approvals, audit, negotiation_budget
from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.negotiation_budget import Figures
from bot.services.negotiation_course import advance, answer_wish, go_on_with_budget, unchoose_in
from bot.services.negotiation_opening import new_negotiation, take_up, why_blocked
from bot.services.negotiation_state import (
    BUDGET_STAGES,
    Blocked,
    Countered,
    CreditorChoice,
    NoPlan,
    NotSettled,
    Result,
    Stage,
    State,
    eligible,
    state_of,
)
from bot.services.offer_request import WISH_CODEC, request_of
from bot.services.offer_table import active, close, row_id, tabled
from bot.services.said import answers_question
from bot.store import tables
from bot.workout.budget import IncomeTold
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import OfferKind
from bot.workout.policy_sections import HardshipKind

__all__ = [
    "BUDGET_STAGES",
    "Blocked",
    "Countered",
    "CreditorChoice",
    "NoPlan",
    "NotSettled",
    "Result",
    "Stage",
    "State",
    "ask_approval",
    "ask_other_debts",
    "choose",
    "choose_creditor",
    "end",
    "is_on_hold",
    "leave_unsaid",
    "more_options",
    "open_negotiation",
    "propose",
    "put_approval_question",
    "request_of",
    "state",
    "state_means",
    "state_wish",
    "take_back_figure",
    "tell_hardship",
    "unchoose",
]


def state(deps: Deps, conversation_id: str) -> State | NotVerified:
    """Return where the borrower's open negotiation stands."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        return found if isinstance(found, State | NotVerified) else state_of(session, deps, *found)


def is_on_hold(deps: Deps, conversation_id: str) -> bool:
    """Whether a hold stands on the verified borrower under which the bot agrees to nothing, wherever it was placed."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        return not isinstance(party, NotVerified) and bool(open_holds(session, party.borrower_id, deps.now()).silencing)


def open_negotiation(deps: Deps, conversation_id: str) -> State | NotVerified | Blocked:
    """Open a negotiation, or go on with the one that is open. One borrower has one at a time, over all channels."""
    try:
        return _open(deps, conversation_id)
    except IntegrityError:  # opened over another channel between the look and the write: it is there now
        return _open(deps, conversation_id)


def _open(deps: Deps, conversation_id: str) -> State | NotVerified | Blocked:
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        if open_holds(session, party.borrower_id, deps.now()).silencing:
            return Blocked.ON_HOLD
        existing = active(session, party)
        if existing is not None:
            return state_of(session, deps, party, existing)
        if (why := why_blocked(session, deps, party)) is not None:
            return why
        groups = eligible(session, deps, party)
        chosen = [debt.debt_id for debt in next(iter(groups.values()))] if len(groups) == 1 else []
        negotiation = new_negotiation(deps, party)
        if chosen and not take_up(session, deps, negotiation, chosen):
            return Blocked.NO_REPLANS_LEFT
        session.add(negotiation)
        session.flush()
        audit.record(session, deps.now(), audit.BOT, "negotiation_opened", ("negotiation", negotiation.id))
        return state_of(session, deps, party, negotiation)


def choose_creditor(deps: Deps, conversation_id: str, position: int) -> Result | NotVerified | Blocked:
    """Choose whose debts to make a plan for; ``position`` counts from 1 in the order shown."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        groups = list(eligible(session, deps, party).values())
        if negotiation.debt_ids or not 1 <= position <= len(groups):
            return state_of(session, deps, party, negotiation)
        if not take_up(session, deps, negotiation, [debt.debt_id for debt in groups[position - 1]]):
            close(session, deps, negotiation, "ended")
            return Blocked.NO_REPLANS_LEFT
        return go_on_with_budget(session, deps, party, negotiation)


def tell_hardship(deps: Deps, conversation_id: str, hardship: HardshipKind) -> State | NotVerified:
    """Note why the borrower cannot pay; a named reason replaces an unnamed one, and is not replaced by one."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        if negotiation.hardship is None or hardship is not HardshipKind.OTHER:
            negotiation.hardship = hardship.value
        return state_of(session, deps, party, negotiation)


def state_wish(deps: Deps, conversation_id: str, kind: OfferKind | None) -> Result | NotVerified:
    """Note that a settlement or a deferral is wanted whose figure or day is still to be asked; None takes it back."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        negotiation.wish_kind = kind.value if kind is not None else None
        return (
            state_of(session, deps, party, negotiation)
            if kind is not None
            else advance(session, deps, party, negotiation)
        )


def state_means(
    deps: Deps,
    conversation_id: str,
    *,
    income_fen: int | None = None,
    essential_fen: int | None = None,
    dependants: int | None = None,
    other_debts_fen: int | None = None,
    income_told: IncomeTold | None = None,
) -> Result | NotVerified:
    """Take figures of the month's budget, amounts in fen a month; ``income_told`` says how the income was put.

    With all known that is to be asked, what was wished for is answered; where nothing was, offers are put on the table.
    """
    figures = Figures(income_fen, essential_fen, dependants, other_debts_fen, income_told)
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        if figures.told:
            negotiation_budget.take(negotiation, figures)
        return go_on_with_budget(session, deps, party, negotiation, told=figures.told > 0)


def leave_unsaid(deps: Deps, conversation_id: str) -> Result | NotVerified:
    """Go on without a figure for the question about the budget that is open: it stays as told, or counts as none."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        negotiation_budget.settle_asked(negotiation)
        return go_on_with_budget(session, deps, party, negotiation, told=False)


def take_back_figure(deps: Deps, conversation_id: str, *, essentials: bool) -> State | NotVerified:
    """Take back the figure of the budget that is asked about, or of two the one for essentials; it is asked anew."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        negotiation_budget.take_back(negotiation, essentials=essentials)
        negotiation.updated_at = deps.now()
        return state_of(session, deps, party, negotiation)


def ask_other_debts(deps: Deps, conversation_id: str) -> State | NotVerified:
    """Ask what other debts take each month, because the borrower wishes to say it."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        negotiation_budget.ask_other_debts(negotiation)
        unchoose_in(negotiation)
        return state_of(session, deps, party, negotiation)


def more_options(deps: Deps, conversation_id: str) -> Result | NotVerified:
    """Compute the next set of offers; it is never worse for the borrower than those before."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        unchoose_in(negotiation)
        negotiation.wish = negotiation.wish_kind = None
        return advance(session, deps, party, negotiation)


def propose(deps: Deps, conversation_id: str, proposal: BorrowerProposal) -> Result | NotVerified:
    """Answer what the borrower asked for; the answering offer is put on the table and chosen if it meets the wish.

    What cannot be answered yet, for want of the debts or the means, is kept and answered once it can be.
    """
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        negotiation.wish = WISH_CODEC.dump_python(proposal, mode="json")
        negotiation.wish_kind = OfferKind.SETTLEMENT.value if proposal.settle_fen is not None else None
        in_hand_fen = proposal.settle_fen or proposal.lump_fen
        if in_hand_fen is not None:
            negotiation.available_now_fen = in_hand_fen
        unchoose_in(negotiation)
        negotiation.updated_at = deps.now()
        return answer_wish(session, deps, party, negotiation) or state_of(session, deps, party, negotiation)


def choose(
    deps: Deps, conversation_id: str, position: int | None = None, offer_id: str | None = None
) -> State | NotVerified:
    """Choose an offer on the table, by its place (from 1), or any that is still open by its id.

    An unknown one changes nothing.
    """
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        current = state_of(session, deps, party, negotiation)
        shown = dict(enumerate(current.offers, start=1))
        wanted = shown[position].offer_id if position in shown else None
        if offer_id is not None:
            rows = tabled(session, negotiation)
            wanted = next(
                (row.content_hash for row in rows if row.content_hash == offer_id and row.expires_at > deps.now()), None
            )
        if wanted is not None and wanted != negotiation.chosen_offer_id:
            negotiation.chosen_offer_id, negotiation.asked_in = wanted, None
            negotiation.updated_at = deps.now()
        return state_of(session, deps, party, negotiation)


def unchoose(deps: Deps, conversation_id: str) -> State | NotVerified:
    """Go back from the chosen offer to the others."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        unchoose_in(negotiation)
        return state_of(session, deps, party, negotiation)


def put_approval_question(deps: Deps, conversation_id: str, message_id: str) -> None:
    """Note in answer to which message the borrower is asked whether a person should be asked for the chosen offer."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if not isinstance(found, State | NotVerified) and found[1].asked_in is None:
            found[1].asked_in = message_id


def ask_approval(deps: Deps, conversation_id: str, message_id: str) -> State | NotVerified:
    """Ask a person to grant the chosen offer, if the yes in ``message_id`` answers the question whether to.

    The question warns that a request may start the limitation period anew (rule N7). Asking twice is asking once.
    """
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return found
        party, negotiation = found
        current = state_of(session, deps, party, negotiation)
        if current.stage is not Stage.APPROVAL or current.chosen is None:
            return current
        if not answers_question(session, conversation_id, negotiation.asked_in, message_id):
            return current
        approvals.request(
            session,
            deps,
            negotiation_id=negotiation.id,
            offer_id=row_id(negotiation, current.chosen.offer_id),
            conversation_id=conversation_id,
            borrower_id=negotiation.borrower_id,
        )
        audit.record(
            session,
            deps.now(),
            audit.Actor("borrower", negotiation.borrower_id),
            "approval_wished",
            ("negotiation", negotiation.id),
            offer=current.chosen.offer_id,
            limitation_warning_shown=True,
        )
        return state_of(session, deps, party, negotiation)


def end(deps: Deps, conversation_id: str) -> bool:
    """End the open negotiation at the borrower's wish; nothing is owed differently for it."""
    with deps.begin() as session:
        found = _active(session, deps, conversation_id)
        if isinstance(found, State | NotVerified):
            return False
        close(session, deps, found[1], "ended")
        return True


def _active(
    session: Session, deps: Deps, conversation_id: str
) -> tuple[RightParty, tables.Negotiation] | State | NotVerified:
    """Return the verified borrower's open negotiation, locked; a state of none if there is none."""
    party = right_party(session, deps, conversation_id)
    if isinstance(party, NotVerified):
        return party
    negotiation = active(session, party)
    return State(Stage.NONE) if negotiation is None else (party, negotiation)
