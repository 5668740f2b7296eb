"""Making a borrower's documents from what the desk has on record, and keeping them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, time
from enum import StrEnum
from functools import partial
from typing import TypeVar

import structlog
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.documents.agreement import AgreementPaper, agreement_pdf
from bot.documents.fonts import FontPair, cut
from bot.documents.picture import SchedulePicture, schedule_png
from bot.documents.schedule import PaymentSchedule
from bot.documents.statement import StatementDebt, StatementPaper, statement_pdf
from bot.documents.words import Speech
from bot.identity.masking import mask_name
from bot.lending.limitation import LimitationStatus
from bot.lending.schedule import ScheduledInstalment
from bot.services.accounts import DebtView, NotVerified, Portfolio, portfolio_of, right_party, terms_of
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind, DocumentView, NewDocument, keep, speech_in, view_of
from bot.store import tables
from bot.text.scripts import Script
from bot.workout.offer import Offer

log = structlog.get_logger()

_OFFER: TypeAdapter[Offer] = TypeAdapter(Offer)
Made = TypeVar("Made")


class NotMade(StrEnum):
    """Why there is no document; nothing was changed. ``TROUBLE`` was logged and may be over the next time."""

    NOT_VERIFIED = "not_verified"
    NOTHING_OWED = "nothing_owed"
    NO_AGREEMENT = "no_agreement"
    STILL_OWED = "still_owed"
    TROUBLE = "trouble"


def statement(deps: Deps, conversation_id: str) -> DocumentView | NotMade:
    """Make the statement of what the verified borrower owes today. Unchanged figures give the same document all day."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return NotMade.NOT_VERIFIED
        owed = portfolio_of(session, deps, party)
        if not owed.open_debts:
            return NotMade.NOTHING_OWED
        debts = tuple(_statement_debt(session, debt, owed) for debt in owed.open_debts)
        paper = StatementPaper(
            number=f"DZ{owed.as_of:%Y%m%d}-{_digest(debts)}",
            producer=deps.settings.lender_name,
            person=mask_name(owed.name),
            made_at=datetime.combine(owed.as_of, time(), tzinfo=SHANGHAI),
            debts=debts,
        )
        speech = speech_in(deps, script_of(session, conversation_id))
    # The fonts take a second: not inside a transaction that others wait for.
    made = made_or_trouble(lambda: NewDocument(DocumentKind.STATEMENT, paper.number, statement_pdf(paper, speech)))
    if isinstance(made, NotMade):
        return made
    with deps.begin() as session:
        document = keep(session, deps, made, party.borrower_id, conversation_id)
        return view_of(deps, document, speech.script)


def agreement(deps: Deps, conversation_id: str, number: str) -> tuple[DocumentView, ...] | NotMade:
    """Make an agreement of the verified borrower: the text with its schedule as PDF, and the schedule as a picture."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return NotMade.NOT_VERIFIED
        row = session.scalar(
            select(tables.Agreement)
            .where(tables.Agreement.number == number, tables.Agreement.borrower_id == party.borrower_id)
            .order_by(tables.Agreement.version.desc())
            .limit(1)
        )
        if row is None:
            return NotMade.NO_AGREEMENT
        agreement_id = row.id
        paper = _agreement_paper(session, deps, row)
        speech = speech_in(deps, script_of(session, conversation_id))
    made = made_or_trouble(lambda: (_agreement_file(paper, speech), _schedule_file(paper, speech)))
    if isinstance(made, NotMade):
        return made
    with deps.begin() as session:
        kept = [keep(session, deps, each, party.borrower_id, conversation_id, agreement_id) for each in made]
        return tuple(view_of(deps, document, speech.script) for document in kept)


def warm_up(deps: Deps) -> None:
    """Read the fonts and cut them once, so that the first borrower of the day need not wait for it."""
    for script in Script:
        made_or_trouble(partial(_cut_words, deps, script))


def _cut_words(deps: Deps, script: Script) -> FontPair:
    return cut(script, speech_in(deps, script).characters)


def made_or_trouble(make: Callable[[], Made]) -> Made | NotMade:
    """Make a document, or log why it cannot be made: that a font is missing must not undo what was agreed or booked."""
    try:
        return make()
    except Exception as error:
        log.error("document_not_made", kind=type(error).__name__, exc_info=error)
        return NotMade.TROUBLE


def _agreement_file(paper: AgreementPaper, speech: Speech) -> NewDocument:
    return NewDocument(DocumentKind.AGREEMENT, paper.number, agreement_pdf(paper, speech))


def _schedule_file(paper: AgreementPaper, speech: Speech) -> NewDocument:
    picture = schedule_png(SchedulePicture(paper.number, paper.producer, paper.accepted_at, paper.schedule), speech)
    return NewDocument(DocumentKind.SCHEDULE, paper.number, picture.png, (picture.width, picture.height))


def _agreement_paper(session: Session, deps: Deps, row: tables.Agreement) -> AgreementPaper:
    borrower = session.get_one(tables.Borrower, row.borrower_id)
    offer = _OFFER.validate_python(session.get_one(tables.Offer, row.offer_id).terms)
    parts = session.scalars(
        select(tables.Instalment)
        .where(tables.Instalment.agreement_id == row.id, tables.Instalment.number > 0)
        .order_by(tables.Instalment.number)
    )
    return AgreementPaper(
        number=row.number,
        producer=deps.settings.lender_name,
        person=mask_name(deps.vault.unseal("name", borrower.name_sealed)),
        text=row.text,
        text_hash=row.text_hash,
        accepted_at=row.accepted_at,
        schedule=PaymentSchedule(
            instalments=tuple(ScheduledInstalment(part.number, part.due_on, part.amount_fen) for part in parts),
            total_fen=row.total_fen,
            down_payment_fen=offer.down_payment_fen,
            down_payment_due_on=offer.expires_on if offer.down_payment_fen else None,
        ),
    )


def _digest(debts: tuple[StatementDebt, ...]) -> str:
    """Return eight characters that follow from the figures: another payment, another number."""
    return hashlib.sha256(repr(debts).encode()).hexdigest()[:8].upper()


def _statement_debt(session: Session, debt: DebtView, owed: Portfolio) -> StatementDebt:
    contract = session.get_one(tables.Debt, debt.debt_id).contract
    return StatementDebt(
        creditor=debt.creditor,
        product=debt.product,
        reference=debt.reference,
        statement=debt.statement,
        annual_rate=debt.annual_rate,
        penalty_annual_rate=debt.penalty_annual_rate,
        allocation=terms_of(contract).order_for(debt.due_on).on(owed.as_of),
        complaint_phone=debt.complaint_phone,
        payment_channel=debt.payment_channel,
        plan_number=debt.plan_number,
        waived_on_completion_fen=debt.waived_on_completion_fen,
        plan_interest_runs=debt.plan_interest_runs,
        disputed=debt.disputed,
        old=debt.limitation is not LimitationStatus.RUNNING and debt.plan_number is None,
    )


def script_of(session: Session, conversation_id: str) -> Script:
    """Return the script a conversation is held in."""
    return Script(session.get_one(tables.Conversation, conversation_id).script)
