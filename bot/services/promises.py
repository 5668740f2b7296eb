"""Promises of a small sum soon: asked for piece by piece, made by an explicit yes, judged by what was paid.

The words that ask for the yes say that a promise may start the limitation period anew (rule N7). Nothing is noted for
debts that may be past limitation (N8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.limitation import LimitationStatus
from bot.services import audit, notice_planning
from bot.services.accounts import DebtView, NotVerified, RightParty, lock_borrower, portfolio_of, right_party
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.negotiation_state import CreditorChoice, by_creditor, total_of
from bot.services.promise_judging import supersede_notices
from bot.services.said import answers_question
from bot.store import tables
from bot.workout.promise import PromiseRefusal, PromiseState, PromiseToPay, promised
from bot.workout.promise_reading import StatedPromise

DRAFT_LIVES = timedelta(hours=2)
"""What was said longer ago is not added to what is said now."""


class Step(StrEnum):
    """What a promise waits for."""

    NONE = "none"
    CREDITOR = "creditor"
    AMOUNT = "amount"
    DAY = "day"
    CONFIRMATION = "confirmation"
    MADE = "made"


class NotPromised(StrEnum):
    """Why no promise is noted at all."""

    NOTHING_OWED = "nothing_owed"
    PLAN_IN_FORCE = "plan_in_force"
    ALL_DISPUTED = "all_disputed"
    OLD_DEBT = "old_debt"
    ON_HOLD = "on_hold"
    NOT_OFFERED = "not_offered"


@dataclass(frozen=True, slots=True)
class Promised:
    """How far a promise has come; amounts in fen, days in Asia/Shanghai.

    ``refused`` says why what was said last was not taken over. ``last_day`` is the last day the policy allows, and
    ``least_fen`` and ``most_fen`` its bounds. ``instead_of`` is the earlier promise that this one takes the place of.
    ``reminded``: a notice is planned. ``repeated``: it had been made before.
    """

    step: Step
    promise_id: str | None = None
    creditors: tuple[CreditorChoice, ...] = ()
    creditor: str = ""
    payment_channel: str = ""
    amount_fen: int | None = None
    due_on: date | None = None
    owed_fen: int = 0
    least_fen: int = 0
    most_fen: int = 0
    last_day: date | None = None
    refused: PromiseRefusal | None = None
    instead_of: PromiseToPay | None = None
    reminded: bool = False
    repeated: bool = False


Answer = Promised | NotPromised | NotVerified


def state(deps: Deps, conversation_id: str) -> Promised | NotVerified:
    """Return how far the borrower's draft has come."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        draft = draft_of(session, party)
        return _view(session, deps, party, draft) if draft is not None else Promised(Step.NONE)


def tell(deps: Deps, conversation_id: str, stated: StatedPromise) -> Answer:
    """Take over a sum and a day, beginning a draft if there is none; what the policy does not allow is asked again."""
    try:
        return _tell(deps, conversation_id, stated)
    except IntegrityError:  # begun over another channel between the look and the write: it is there now
        return _tell(deps, conversation_id, stated)


def choose_creditor(deps: Deps, conversation_id: str, position: int) -> Answer:
    """Choose whose debts the promise is about; ``position`` counts from 1 in the order shown."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        draft = draft_of(session, party)
        if draft is None:
            return Promised(Step.NONE)
        groups = list(_groups(session, deps, party).values())
        if not draft.debt_ids and 1 <= position <= len(groups):
            _is_about(draft, groups[position - 1])
        return _checked(session, deps, party, draft)


def put_question(deps: Deps, conversation_id: str, message_id: str) -> None:
    """Note in answer to which message the warning and the question are given."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        draft = None if isinstance(party, NotVerified) else draft_of(session, party)
        if draft is not None and draft.asked_in is None:
            draft.asked_in = message_id


def make(deps: Deps, conversation_id: str, message_id: str, promise_id: str | None = None) -> Answer:
    """Make the promise of the draft if the yes in ``message_id`` answers the question; once, however often it is said.

    ``promise_id`` is what a button named: then only that one is made. An open promise on the same debts is replaced.
    """
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        draft = draft_of(session, party)
        if promise_id is not None and (draft is None or draft.id != promise_id):
            known = session.get(tables.Promise, promise_id)
            if known is not None and known.borrower_id == party.borrower_id and known.made_at is not None:
                return replace(_view(session, deps, party, known), step=Step.MADE, repeated=True)
            return _view(session, deps, party, draft) if draft is not None else Promised(Step.NONE)
        if draft is None:
            return Promised(Step.NONE)
        if (why := _blocked(session, deps, party)) is not None:
            return why
        shown = _checked(session, deps, party, draft)
        if not isinstance(shown, Promised) or shown.step is not Step.CONFIRMATION or shown.refused is not None:
            return shown
        if not answers_question(session, conversation_id, draft.asked_in, message_id):
            return shown
        return _make(session, deps, party, draft, shown)


def open_promises(deps: Deps, conversation_id: str) -> tuple[PromiseToPay, ...] | NotVerified:
    """Return the verified borrower's promises whose day has not come, the nearest first."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        rows = session.scalars(
            select(tables.Promise)
            .where(tables.Promise.borrower_id == party.borrower_id, tables.Promise.state == PromiseState.OPEN.value)
            .order_by(tables.Promise.due_on)
        )
        return tuple(promise for row in rows if (promise := _as_promise(row)) is not None)


def drop(deps: Deps, conversation_id: str) -> bool:
    """Drop the draft at the borrower's wish; nothing was promised."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        draft = None if isinstance(party, NotVerified) else draft_of(session, party)
        if draft is None:
            return False
        end_draft(draft)
        return True


def end_draft(draft: tables.Promise) -> None:
    """Drop a draft inside an open transaction; nothing was promised."""
    draft.state, draft.draft_key = "dropped", None


def _tell(deps: Deps, conversation_id: str, stated: StatedPromise) -> Answer:
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        if (why := _blocked(session, deps, party)) is not None:
            return why
        draft = draft_of(session, party)
        if draft is not None and deps.now() - draft.created_at > DRAFT_LIVES:
            draft.state, draft.draft_key = "dropped", None
            session.flush()
            draft = None
        if draft is None:
            draft = tables.Promise(
                borrower_id=party.borrower_id,
                conversation_id=conversation_id,
                draft_key=party.borrower_id,
                debt_ids=[],
                policy_code="",
                created_at=deps.now(),
            )
            groups = list(_groups(session, deps, party).values())
            if len(groups) == 1:
                _is_about(draft, groups[0])
            session.add(draft)
            session.flush()
        before = (draft.amount_fen, draft.due_on)
        owed_fen = total_of(_debts(session, deps, party, draft))
        draft.amount_fen = owed_fen if stated.everything and owed_fen else stated.amount_fen or draft.amount_fen
        draft.due_on = stated.due_on or draft.due_on
        if (draft.amount_fen, draft.due_on) != before:
            draft.asked_in = None
        return _checked(session, deps, party, draft)


def _checked(session: Session, deps: Deps, party: RightParty, draft: tables.Promise) -> Answer:
    """Take back what the policy does not allow, and say why."""
    if not draft.debt_ids:
        return _view(session, deps, party, draft)
    terms = deps.policies[draft.policy_code].promise
    if terms is None:
        draft.state, draft.draft_key = "dropped", None
        return NotPromised.NOT_OFFERED
    today, owed_fen = business_date(deps.now()), total_of(_debts(session, deps, party, draft))
    # What is not known yet is taken to be as it should be, so that the other is judged by itself.
    fitting_fen = max(1, min(terms.minimum_fen, owed_fen))
    found = promised(draft.amount_fen or fitting_fen, draft.due_on or today, today, owed_fen, terms)
    if not isinstance(found, PromiseRefusal):
        return _view(session, deps, party, draft)
    if found in (PromiseRefusal.DAY_PASSED, PromiseRefusal.DAY_TOO_FAR):
        draft.due_on = None
    else:
        draft.amount_fen = None
    draft.asked_in = None
    shown = _view(session, deps, party, draft)
    return replace(shown, refused=found)


def _make(session: Session, deps: Deps, party: RightParty, draft: tables.Promise, shown: Promised) -> Promised:
    terms, now = deps.policies[draft.policy_code].promise, deps.now()
    earlier = _open_one(session, party, draft)
    if earlier is not None:
        earlier.state = "replaced"
        supersede_notices(session, deps, earlier, "replaced")
    draft.state, draft.draft_key, draft.made_at = PromiseState.OPEN.value, None, now
    draft.conversation_id = party.conversation_id
    draft.grace_days = terms.grace_days if terms is not None else 0
    reminded = _plan_notice(session, deps, draft)
    audit.record(
        session,
        now,
        audit.Actor("borrower", party.borrower_id),
        "promise_made",
        ("promise", draft.id),
        amount_fen=draft.amount_fen,
        due_on=str(draft.due_on),
        limitation_warning_shown=True,
    )
    session.flush()
    return replace(shown, step=Step.MADE, reminded=reminded)


def _plan_notice(session: Session, deps: Deps, promise: tables.Promise) -> bool:
    """Plan the notice before the promised day; whether there is one. The gate decides again when it falls due."""
    notice_planning.replan(session, deps, [promise.borrower_id])
    planned = select(tables.Reminder.id).where(
        tables.Reminder.subject == f"promise:{promise.id}", tables.Reminder.state == "planned"
    )
    return session.scalar(planned) is not None


def _view(session: Session, deps: Deps, party: RightParty, draft: tables.Promise) -> Promised:
    if not draft.debt_ids:
        choices = tuple(
            CreditorChoice(debts[0].creditor_id, debts[0].creditor, total_of(debts))
            for debts in _groups(session, deps, party).values()
        )
        return Promised(Step.CREDITOR, draft.id, choices, amount_fen=draft.amount_fen, due_on=draft.due_on)
    debts = _debts(session, deps, party, draft)
    terms, today = deps.policies[draft.policy_code].promise, business_date(deps.now())
    earlier = _open_one(session, party, draft)
    step = Step.CONFIRMATION if draft.due_on else Step.DAY
    return Promised(
        step=step if draft.amount_fen else Step.AMOUNT,
        promise_id=draft.id,
        creditor=debts[0].creditor,
        payment_channel=debts[0].payment_channel,
        amount_fen=draft.amount_fen,
        due_on=draft.due_on,
        owed_fen=total_of(debts),
        least_fen=terms.minimum_fen if terms else 0,
        most_fen=terms.largest_fen if terms else 0,
        last_day=today + timedelta(days=terms.max_days) if terms else None,
        instead_of=_as_promise(earlier) if earlier is not None else None,
    )


def _as_promise(row: tables.Promise) -> PromiseToPay | None:
    if row.amount_fen is None or row.due_on is None or row.made_at is None:
        return None
    return PromiseToPay(row.amount_fen, business_date(row.made_at), row.due_on, row.grace_days)


def draft_of(session: Session, party: RightParty) -> tables.Promise | None:
    """Return the borrower's draft, locked until the transaction ends, the borrower's row before it."""
    lock_borrower(session, party.borrower_id)
    return session.scalar(select(tables.Promise).where(tables.Promise.draft_key == party.borrower_id).with_for_update())


def _open_one(session: Session, party: RightParty, draft: tables.Promise) -> tables.Promise | None:
    rows = session.scalars(
        select(tables.Promise).where(
            tables.Promise.borrower_id == party.borrower_id,
            tables.Promise.state == PromiseState.OPEN.value,
            tables.Promise.id != draft.id,
        )
    )
    return next((row for row in rows if set(row.debt_ids) & set(draft.debt_ids)), None)


def _debts(session: Session, deps: Deps, party: RightParty, draft: tables.Promise) -> list[DebtView]:
    return [debt for debt in portfolio_of(session, deps, party).debts if debt.debt_id in draft.debt_ids]


def _is_about(draft: tables.Promise, debts: list[DebtView]) -> None:
    draft.debt_ids = [debt.debt_id for debt in debts]
    draft.policy_code = debts[0].policy_code


def _groups(session: Session, deps: Deps, party: RightParty) -> dict[str, list[DebtView]]:
    """Return the debts that may be promised on, by creditor and policy."""
    return by_creditor(
        [
            debt
            for debt in portfolio_of(session, deps, party).open_debts
            if debt.plan_number is None and not debt.disputed and debt.limitation is LimitationStatus.RUNNING
        ]
    )


def _blocked(session: Session, deps: Deps, party: RightParty) -> NotPromised | None:
    """Why nothing may be promised, if so."""
    if open_holds(session, party.borrower_id, deps.now()).silencing:
        return NotPromised.ON_HOLD
    owed = portfolio_of(session, deps, party).open_debts
    if not owed:
        return NotPromised.NOTHING_OWED
    free = [debt for debt in owed if debt.plan_number is None]
    if not free:
        return NotPromised.PLAN_IN_FORCE
    undisputed = [debt for debt in free if not debt.disputed]
    if not undisputed:
        return NotPromised.ALL_DISPUTED
    if all(debt.limitation is not LimitationStatus.RUNNING for debt in undisputed):
        return NotPromised.OLD_DEBT
    return None
