"""Clearance letters: made when a plan is completed, or when somebody asks whose debts stand at zero without a plan.

A letter is made once and handed out again as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.documents.clearance import ClearancePaper, ClearedDebt, clearance_letter_pdf
from bot.lending.ledger import EntryKind, effective_entries
from bot.services.accounts import DebtView, NotVerified, ledger_of, portfolio_of, right_party
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind, DocumentView, NewDocument, keep, speech_in, view_of
from bot.services.documents import NotMade, made_or_trouble, script_of
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from bot.text.scripts import Script

_LETTER = DocumentKind.CLEARANCE_LETTER


@dataclass(frozen=True, slots=True)
class Clearance:
    """The letters a borrower has, the latest first, and the debts that still ask for something.

    ``in_trouble`` says that a letter that is due could not be made just now.
    """

    as_of: date
    letters: tuple[DocumentView, ...]
    open_debts: tuple[DebtView, ...]
    in_trouble: bool = False


def clearance(deps: Deps, conversation_id: str) -> Clearance | NotVerified:
    """Return the verified borrower's letters; one that is due for a debt at zero and not there yet is made."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        owed = portfolio_of(session, deps, party)
        made = [
            *(letter_of_agreement(session, deps, row) for row in _completed(session, party.borrower_id)),
            *_letters_of_debts(session, deps, party.borrower_id, conversation_id, owed.debts, owed.name),
        ]
        return Clearance(
            as_of=owed.as_of,
            letters=_kept(session, deps, party.borrower_id, conversation_id),
            open_debts=owed.open_debts,
            in_trouble=NotMade.TROUBLE in made,
        )


def letter_of_agreement(session: Session, deps: Deps, agreement: tables.Agreement) -> str | NotMade:
    """Make the clearance letter of an agreement whose debts are all at zero, and return the document's id.

    Belongs into the transaction that completes the agreement; once made, the same letter is returned. Waivers on
    completion have to be booked before. ``bot.services.conversations.Reply`` can carry the id.
    """
    known = session.scalar(
        select(tables.Document.id).where(
            tables.Document.agreement_id == agreement.id, tables.Document.kind == _LETTER.value
        )
    )
    if known is not None:
        return known
    owed = portfolio_of(session, deps, DeskWork(agreement.borrower_id, Purpose.CLEARANCE))
    debts = [debt for debt in owed.debts if debt.debt_id in agreement.debt_ids]
    if not debts or any(debt.is_open for debt in debts):
        return NotMade.STILL_OWED
    origin = agreement.accepted_conversation_id
    paper = ClearancePaper(
        number=agreement.number,
        producer=deps.settings.lender_name,
        creditor=debts[0].creditor,
        complaint_phone=debts[0].complaint_phone,
        person=owed.name,
        accepted_on=business_date(agreement.accepted_at),
        cleared_on=_cleared_on(debts, owed.as_of),
        paid_fen=agreement.total_fen,
        waived_fen=_waived_fen(session, agreement),
        debts=tuple(ClearedDebt(debt.product, debt.reference) for debt in debts),
        made_at=deps.now(),
    )
    return _keep_letter(session, deps, paper, agreement.borrower_id, origin, agreement.id)


def _letters_of_debts(
    session: Session, deps: Deps, borrower_id: str, conversation_id: str, debts: Sequence[DebtView], person: str
) -> list[str | NotMade]:
    """Make the letters of debts that came to zero without a plan, one for each creditor."""
    planned = {debt_id for row in _completed(session, borrower_id) for debt_id in row.debt_ids}
    cleared: dict[str, list[DebtView]] = {}
    for debt in debts:
        settled = not debt.is_open and debt.plan_number is None and debt.last_payment_on is not None
        if settled and debt.debt_id not in planned:
            cleared.setdefault(debt.creditor_id, []).append(debt)
    return [_letter_of_debts(session, deps, borrower_id, conversation_id, same, person) for same in cleared.values()]


def _letter_of_debts(
    session: Session, deps: Deps, borrower_id: str, conversation_id: str, debts: Sequence[DebtView], person: str
) -> str | NotMade:
    today = business_date(deps.now())
    entries = [entry for debt in debts for entry in effective_entries(ledger_of(session, debt.debt_id), today)]
    paid_fen = sum(entry.amount_fen for entry in entries if entry.kind is EntryKind.PAYMENT)
    credit_fen = sum(debt.statement.balances.credit_fen for debt in debts)
    cleared_on = _cleared_on(debts, today)
    content = (*sorted(debt.debt_id for debt in debts), cleared_on.isoformat(), str(paid_fen - credit_fen))
    number = f"JQ{cleared_on:%Y%m%d}-{hashlib.sha256('|'.join(content).encode()).hexdigest()[:8].upper()}"
    known = session.scalar(
        select(tables.Document.id).where(
            tables.Document.borrower_id == borrower_id,
            tables.Document.kind == _LETTER.value,
            tables.Document.number == number,
        )
    )
    if known is not None:
        return known
    paper = ClearancePaper(
        number=number,
        producer=deps.settings.lender_name,
        creditor=debts[0].creditor,
        complaint_phone=debts[0].complaint_phone,
        person=person,
        accepted_on=None,
        cleared_on=cleared_on,
        paid_fen=paid_fen - credit_fen,
        waived_fen=sum(_waived_of(debt) for debt in debts),
        debts=tuple(ClearedDebt(debt.product, debt.reference) for debt in debts),
        made_at=datetime.combine(today, time(), tzinfo=SHANGHAI),
    )
    return _keep_letter(session, deps, paper, borrower_id, conversation_id)


def _keep_letter(
    session: Session,
    deps: Deps,
    paper: ClearancePaper,
    borrower_id: str,
    conversation_id: str | None,
    agreement_id: str | None = None,
) -> str | NotMade:
    speech = speech_in(deps, script_of(session, conversation_id) if conversation_id else Script.HANS)
    made = made_or_trouble(lambda: NewDocument(_LETTER, paper.number, clearance_letter_pdf(paper, speech)))
    if isinstance(made, NotMade):
        return made
    return keep(session, deps, made, borrower_id, conversation_id, agreement_id).id


def _completed(session: Session, borrower_id: str) -> list[tables.Agreement]:
    rows = session.scalars(
        select(tables.Agreement)
        .where(tables.Agreement.borrower_id == borrower_id, tables.Agreement.state == "completed")
        .order_by(tables.Agreement.accepted_at)
    )
    return list(rows)


def _kept(session: Session, deps: Deps, borrower_id: str, conversation_id: str) -> tuple[DocumentView, ...]:
    rows = session.scalars(
        select(tables.Document)
        .where(tables.Document.borrower_id == borrower_id, tables.Document.kind == _LETTER.value)
        .order_by(tables.Document.created_at.desc())
    )
    script = script_of(session, conversation_id)
    return tuple(view_of(deps, row, script) for row in rows)


def _cleared_on(debts: Sequence[DebtView], today: date) -> date:
    return max((debt.last_payment_on for debt in debts if debt.last_payment_on), default=today)


def _waived_of(debt: DebtView) -> int:
    return -sum(line.amount_fen for line in debt.statement.lines if line.kind is EntryKind.WAIVER)


def _waived_fen(session: Session, agreement: tables.Agreement) -> int:
    """Return what was waived under an agreement: every waiver that is booked under its number."""
    total = session.scalar(
        select(func.sum(tables.LedgerEntry.amount_fen)).where(
            tables.LedgerEntry.debt_id.in_(agreement.debt_ids),
            tables.LedgerEntry.kind == EntryKind.WAIVER.value,
            tables.LedgerEntry.key.startswith(f"waiver:{agreement.number}:", autoescape=True),
        )
    )
    return int(total or 0)
