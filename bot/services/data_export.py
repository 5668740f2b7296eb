"""A copy of everything the desk has on record about a verified borrower, as one file (PIPL art. 45).

Taken row by row from the tables, so that nothing is worded, summed up or left out by hand: whoever adds a table or a
column about borrowers has it in the copy, or names it among what is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from pydantic import JsonValue
from sqlalchemy import ColumnElement, and_, false, inspect, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.clock import business_date
from bot.documents.export_chain import ExportHead, ExportRecord, write_export
from bot.services.accounts import NotVerified, RightParty, portfolio_of, right_party
from bot.services.deps import Deps
from bot.services.document_store import DocumentKind, DocumentView, NewDocument, keep, speech_in, view_of
from bot.services.documents import NotMade, script_of
from bot.store import tables
from bot.store.base import Base

LEFT_OUT: dict[str, str] = {
    "approval.decided_by": "names a person at the desk",
    "approval.reason": "a note between persons at the desk",
    "approval.requester": "names a person at the desk",
    "approval_note.content_sealed": "a file that the borrower sent",
    "approval_note.operator_id": "names a person at the desk",
    "approval_note.text_sealed": "stands in the message that said or asked it",
    "borrower.email_sealed": "in the record of the person, opened",
    "borrower.id_number_sealed": "in the record of the person, its last four only: the file may lie on a shared phone",
    "borrower.name_sealed": "in the record of the person, opened",
    "borrower.notices_due_at": "work of the desk",
    "borrower.phone_sealed": "in the record of the person, opened",
    "call_back.noted_by": "names a person at the desk",
    "call_back.open_key": "work of the desk",
    "call_back.settled_by": "names a person at the desk",
    "case_file.active_key": "work of the desk",
    "case_file.asked_in": "work of the desk",
    "case_file.asking": "work of the desk",
    "case_file.assigned_to": "names a person at the desk",
    "case_file.decided_by": "names a person at the desk",
    "case_file.finding_seen_by": "names a person at the desk",
    "case_file.reason_sealed": "stands in the message that told it",
    "case_file.wanted_sealed": "stands in the message that asked for it",
    "circumstance.named_by": "names a person at the desk",
    "evidence_consent.noted_by": "names a person at the desk",
    "case_note.content_sealed": "a file that the borrower sent",
    "case_note.operator_id": "names a person at the desk",
    "case_note.text_sealed": "stands in the message it was said in",
    "conversation.address_sealed": "the channel's own address of this chat",
    "conversation.owner_operator_id": "names a person at the desk",
    "document.content_sealed": "handed over as files of their own",
    "hold.lifted_by": "names a person at the desk",
    "hold.placed_by": "names a person at the desk",
    "hold.reason": "a note between persons at the desk",
    "message.claimed_until": "work of the desk",
    "message.extras": "drawn from what its words say",
    "message.operator_id": "names a person at the desk",
    "message.payload": "work of the desk",
    "payment_trace.closed_by": "names a person at the desk",
    "payment_trace.said_sealed": "stands in the message it was said in",
    "reminder.claimed_until": "work of the desk",
    "satisfaction.operator_id": "names a person at the desk",
}
"""Columns that are not copied, and why. Keyed hashes for looking up are not copied either: they say nothing."""

_KEYED = (
    "name_hash",
    "phone_hash",
    "id_number_hash",
    "id_tail_hash",
    "address_hash",
    "idempotency_key",
    "token_hash",
    "nonce_hash",
)


def copy_of_data(deps: Deps, conversation_id: str) -> DocumentView | NotMade:
    """Make the verified borrower's copy and keep it like any other document. Only they can open it."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return NotMade.NOT_VERIFIED
        records = list(_records(session, deps, party))
        speech = speech_in(deps, script_of(session, conversation_id))
    now = deps.now()
    number = f"SJ{business_date(now):%Y%m%d}-{conversation_id[:4].upper()}{len(records):04d}"
    head = ExportHead(
        number=number,
        producer=deps.settings.lender_name,
        label=speech.say("label", producer=deps.settings.lender_name),
        made_at=now,
    )
    content = write_export(head, records, deps.vault.public_key(), deps.vault.sign)
    with deps.begin() as session:
        made = NewDocument(DocumentKind.DATA_EXPORT, number, content)
        document = keep(session, deps, made, party.borrower_id, conversation_id)
        return view_of(deps, document, speech.script)


def _records(session: Session, deps: Deps, party: RightParty) -> Iterator[ExportRecord]:
    me = party.borrower_id
    yield _person(session, deps, me)
    owed = portfolio_of(session, deps, party)
    for debt in owed.debts:
        balances = debt.statement.balances
        yield ExportRecord(
            "balance",
            {
                "as_of": owed.as_of.isoformat(),
                "debt_id": debt.debt_id,
                "creditor": debt.creditor,
                "product": debt.product,
                "principal_fen": balances.principal_fen,
                "interest_fen": balances.interest_fen,
                "penalty_fen": balances.penalty_fen,
                "fee_fen": balances.fee_fen,
                "days_past_due": debt.statement.days_past_due,
            },
        )
    for table, condition in _mine(session, me):
        key = inspect(table).primary_key
        for row in session.scalars(select(table).where(condition).order_by(*key)):
            yield ExportRecord(table.__tablename__, _content(row))


def _person(session: Session, deps: Deps, borrower_id: str) -> ExportRecord:
    row = session.get_one(tables.Borrower, borrower_id)
    vault = deps.vault
    content: dict[str, JsonValue] = {
        "name": vault.unseal("name", row.name_sealed),
        "phone": vault.unseal("phone", row.phone_sealed),
        "id_number_last_four": vault.unseal("id_number", row.id_number_sealed)[-4:],
        "email": vault.unseal("email", row.email_sealed) if row.email_sealed else None,
        "since": row.created_at.isoformat(),
    }
    return ExportRecord("person", content)


def _mine(session: Session, me: str) -> Sequence[tuple[type[Base], ColumnElement[bool]]]:
    """Every table with rows about a borrower, and which of them are theirs."""
    t = tables
    debts = select(t.Debt.id).where(t.Debt.borrower_id == me)
    contracts = select(t.Contract.id).where(t.Contract.borrower_id == me)
    negotiations = select(t.Negotiation.id).where(t.Negotiation.borrower_id == me)
    agreements = select(t.Agreement.id).where(t.Agreement.borrower_id == me)
    approvals = select(t.Approval.id).where(t.Approval.borrower_id == me)
    chats = select(t.Conversation.id).where(t.Conversation.borrower_id == me)
    cases = select(t.CaseFile.id).where(t.CaseFile.borrower_id == me)
    subjects = (me, *session.scalars(negotiations), *session.scalars(agreements))
    times = _my_times(session, me)
    return (
        (t.Contract, t.Contract.borrower_id == me),
        (t.ContractRate, t.ContractRate.contract_id.in_(contracts)),
        (t.Debt, t.Debt.borrower_id == me),
        (t.MinimumPayment, t.MinimumPayment.debt_id.in_(debts)),
        (t.LedgerEntry, t.LedgerEntry.debt_id.in_(debts)),
        (t.Payment, t.Payment.debt_id.in_(debts)),
        (t.PaymentTrace, t.PaymentTrace.borrower_id == me),
        (t.QuotedPayoff, t.QuotedPayoff.borrower_id == me),
        (t.Negotiation, t.Negotiation.borrower_id == me),
        (t.Offer, t.Offer.negotiation_id.in_(negotiations)),
        (t.OfferBasis, t.OfferBasis.negotiation_id.in_(negotiations)),
        (t.Approval, t.Approval.borrower_id == me),
        (t.ApprovalNote, t.ApprovalNote.approval_id.in_(approvals)),
        (t.Agreement, t.Agreement.borrower_id == me),
        (t.Instalment, t.Instalment.agreement_id.in_(agreements)),
        (t.PlanEvent, t.PlanEvent.agreement_id.in_(agreements)),
        (t.Promise, t.Promise.borrower_id == me),
        (t.ContactWish, t.ContactWish.borrower_id == me),
        (t.Hold, or_(t.Hold.borrower_id == me, t.Hold.conversation_id.in_(chats))),
        (t.Reminder, t.Reminder.borrower_id == me),
        (t.ChannelBinding, t.ChannelBinding.borrower_id == me),
        (t.ChannelLink, t.ChannelLink.borrower_id == me),
        (t.VouchedVisit, t.VouchedVisit.borrower_id == me),
        (t.VerificationAttempt, t.VerificationAttempt.borrower_id == me),
        (t.Conversation, t.Conversation.borrower_id == me),
        (t.Message, _in_my_time(times, t.Message.conversation_id, t.Message.created_at)),
        (t.Satisfaction, t.Satisfaction.borrower_id == me),
        (t.CallBack, t.CallBack.borrower_id == me),
        (t.CaseFile, t.CaseFile.borrower_id == me),
        (t.Circumstance, t.Circumstance.borrower_id == me),
        (t.EvidenceConsent, t.EvidenceConsent.borrower_id == me),
        (t.CaseNote, and_(t.CaseNote.case_id.in_(cases), t.CaseNote.kind != "note")),
        (t.Document, t.Document.borrower_id == me),
        (
            t.AuditEntry,
            or_(
                t.AuditEntry.subject_id.in_(subjects),
                _in_my_time(times, t.AuditEntry.subject_id, t.AuditEntry.at),
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _MyTime:
    """The part of a conversation that is a borrower's: after others let go of it, and until they did themselves."""

    conversation_id: str
    since: datetime | None
    until: datetime | None

    def holds(
        self, conversation: InstrumentedAttribute[str], at: InstrumentedAttribute[datetime]
    ) -> ColumnElement[bool]:
        parts = [conversation == self.conversation_id]
        parts += [] if self.until is None else [at <= self.until]
        parts += [] if self.since is None else [at >= self.since]
        return and_(*parts)


def _my_times(session: Session, me: str) -> list[_MyTime]:
    """Return the borrower's conversations, those that are theirs no more until their binding ended."""
    t = tables
    mine = select(t.ChannelBinding).where(t.ChannelBinding.borrower_id == me)
    ended: dict[str, datetime | None] = {row.conversation_id: row.released_at for row in session.scalars(mine)}
    ended |= dict.fromkeys(session.scalars(select(t.Conversation.id).where(t.Conversation.borrower_id == me)))
    others = select(t.ChannelBinding.conversation_id, t.ChannelBinding.released_at).where(
        t.ChannelBinding.conversation_id.in_(ended),
        t.ChannelBinding.borrower_id != me,
    )
    let_go: dict[str, datetime] = {}
    for conversation_id, released_at in session.execute(others):
        until = ended[conversation_id]
        if released_at is not None and (until is None or released_at < until):
            let_go[conversation_id] = max(released_at, let_go.get(conversation_id, released_at))
    return [_MyTime(chat, let_go.get(chat), until) for chat, until in ended.items()]


def _in_my_time(
    times: Sequence[_MyTime], conversation: InstrumentedAttribute[str], at: InstrumentedAttribute[datetime]
) -> ColumnElement[bool]:
    """What happened in the borrower's conversations, but nothing from before somebody else let go of one."""
    return or_(*(each.holds(conversation, at) for each in times)) if times else false()


def _content(row: Base) -> dict[str, JsonValue]:
    table = row.__tablename__
    names = [column.key for column in inspect(type(row)).column_attrs]
    shown = [name for name in names if name not in _KEYED and f"{table}.{name}" not in LEFT_OUT]
    content = {name: _plain(getattr(row, name)) for name in shown}
    if isinstance(row, tables.AuditEntry):
        content.pop("actor_id", None)
        detail = row.detail if row.actor_kind != "operator" else {}
        content["detail"] = {key: value for key, value in detail.items() if key not in ("left_by", "taken_from")}
    return content


def _plain(value: object) -> JsonValue:
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case float():  # how sure the reading of a message was; amounts are whole fen
            return round(value, 6)
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return str(value)
