"""What operators see: the list of conversations, the whole transcript, the borrower's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from bot.desk.ownership import PRIORITY, Owner, QueueReason
from bot.desk.visibility import Reader
from bot.identity.levels import Level, viewer
from bot.identity.masking import mask_name, mask_numbers, mask_phone
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.conversations import Author
from bot.services.deliveries import DeliveryView, Elsewhere, deliveries_of, elsewhere
from bot.services.deps import Deps
from bot.services.document_store import DocumentView, carried_by
from bot.services.holds import standing
from bot.services.proof import proof_of
from bot.services.reading_rights import is_theirs, may_look_through, waits_for
from bot.services.shown_text import is_proving, shown_text
from bot.store.tables import AuditEntry, Borrower, Conversation, Hold, Message, Operator

_READ = "transcript_read"
_READING = timedelta(hours=12)
"""How long an entry about having read a conversation covers following it; longer than an operator's session."""


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One line of the inbox. ``borrower`` is a masked name, or None before identity was proved.

    ``in_danger`` holds from a sign of distress until a person lifts the distress hold, whoever answers meanwhile.
    """

    id: str
    channel: str
    owner: Owner
    owner_operator_id: str | None
    owner_name: str | None
    queue_reason: QueueReason | None
    queued_at: datetime | None
    borrower: str | None
    last_text: str
    last_author: str
    last_activity_at: datetime
    in_danger: bool
    team: str | None = None


@dataclass(frozen=True, slots=True)
class TurnView:
    """One message with the decision behind it."""

    seq: int
    author: str
    author_name: str | None
    text: str
    at: datetime
    intent: str | None
    confidence: float | None
    entities: tuple[str, ...]
    actions: tuple[str, ...]
    handling: str
    document: DocumentView | None = None
    delivery: DeliveryView | None = None


@dataclass(frozen=True, slots=True)
class HoldView:
    """An open hold."""

    id: str
    kind: str
    placed_at: datetime
    until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BorrowerCard:
    """Who the borrower is, masked, as far as an operator needs to know."""

    borrower_id: str
    name: str
    phone: str
    id_tail_masked: str
    verified: bool
    holds: tuple[HoldView, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation as an operator reads it; ``elsewhere`` are the same borrower's other conversations."""

    row: ConversationRow
    turns: tuple[TurnView, ...]
    card: BorrowerCard | None
    holds: tuple[HoldView, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulse:
    """What must differ for an operator's page to be out of date."""

    last_seq: int
    owner: Owner
    queue_reason: str | None
    owner_operator_id: str | None
    in_danger: bool
    last_seen_seq: int = 0
    team: str | None = None


def listing(deps: Deps, reader: Reader, limit: int = 200) -> list[ConversationRow]:
    """Return what an operator may read: the queue in its order, then others in danger, then by last activity.

    ``limit`` never cuts off a waiting conversation in favour of a merely recent one.
    """
    with deps.read() as session:
        found = session.execute(_rows().where(Conversation.id.in_(_foremost(session, reader, limit))))
        rows = [_row(deps, *each) for each in found]
    return sorted(rows, key=_urgency)[:limit]


def _foremost(session: Session, reader: Reader, limit: int) -> set[str]:
    """Return the ids of conversations among which the first ``limit`` are.

    What waits is put in its order; each other part is a walk along an index that ends at its limit. One order over all
    conversations would have to look at each of them.
    """
    newest = select(Conversation.id).order_by(Conversation.last_activity_at.desc()).limit(limit)
    has_written = Conversation.last_inbound_at.is_not(None)
    rank = case({reason.value: place for place, reason in enumerate(PRIORITY)}, value=Conversation.queue_reason)
    waiting = select(Conversation.id).order_by(rank, Conversation.queued_at).limit(limit)
    parts = [waiting.where(waits_for(reader))]
    if not reader.reads_all:
        parts += [newest.where(theirs, has_written) for theirs in is_theirs(reader)]
        return {found for part in parts for found in session.scalars(part)}
    parts += [newest.where(Conversation.owner == owner, has_written) for owner in Owner if owner is not Owner.QUEUED]
    held = select(Hold.conversation_id).where(Hold.kind == HoldKind.DISTRESS, Hold.lifted_at.is_(None))
    parts.append(newest.where(Conversation.id.in_(held), has_written))
    distressed = Conversation.queue_reason == QueueReason.DISTRESS.value
    parts.append(newest.where(Conversation.owner == Owner.HUMAN, distressed, has_written))
    return {found for part in parts for found in session.scalars(part)}


def transcript(deps: Deps, conversation_id: str, reader: Reader) -> Transcript | None:
    """Return a whole conversation, None where this operator may read none; that it was read is audited."""
    with deps.begin() as session:
        return _read(session, deps, conversation_id, reader, after=0)


def heading(deps: Deps, conversation_id: str, reader: Reader) -> ConversationRow | None:
    """Return how a conversation stands in the list, None where this operator may read none. No turn is shown."""
    with deps.read() as session:
        found = session.execute(_rows().where(Conversation.id == conversation_id, may_look_through(reader))).first()
        return None if found is None else _row(deps, *found)


def turns_after(deps: Deps, conversation_id: str, seq: int, reader: Reader) -> Transcript | None:
    """Return a conversation with only its turns after ``seq``, to bring an open page up to date.

    Not audited while the audit log tells that this operator opened the conversation in the last twelve hours; asking
    for all of it is opening it.
    """
    with deps.read() as session:
        if seq > 0 and _has_opened(session, deps, conversation_id, reader.operator_id):
            return _transcript(session, deps, conversation_id, reader, after=seq)
    with deps.begin() as session:
        return _read(session, deps, conversation_id, reader, after=seq)


def _read(session: Session, deps: Deps, conversation_id: str, reader: Reader, after: int) -> Transcript | None:
    found = _transcript(session, deps, conversation_id, reader, after)
    if found is not None:
        actor = audit.Actor("operator", reader.operator_id)
        audit.record(session, deps.now(), actor, _READ, ("conversation", conversation_id))
    return found


def _has_opened(session: Session, deps: Deps, conversation_id: str, operator_id: str) -> bool:
    entry = select(AuditEntry.id).where(
        AuditEntry.subject_kind == "conversation",
        AuditEntry.subject_id == conversation_id,
        AuditEntry.event == _READ,
        AuditEntry.actor_kind == "operator",
        AuditEntry.actor_id == operator_id,
        AuditEntry.at > deps.now() - _READING,
    )
    return session.scalar(entry.limit(1)) is not None


def pulse(deps: Deps, since: datetime) -> dict[str, Pulse]:
    """Return the state of every conversation that waits, is in human hands, or was active since an instant.

    Cheap enough to be asked once a second: it reads only the index on owner and activity, and no message.
    """
    with deps.read() as session:
        attended = Conversation.owner.in_((Owner.QUEUED, Owner.HUMAN))
        active = Conversation.owner.in_((Owner.BOT, Owner.CLOSED)) & (Conversation.last_activity_at >= since)
        rows = session.execute(
            select(
                Conversation.id,
                Conversation.last_seq,
                Conversation.owner,
                Conversation.queue_reason,
                Conversation.owner_operator_id,
                _in_danger(),
                Conversation.last_seen_seq,
                Conversation.team,
            ).where(attended | active)
        )
        return {row[0]: Pulse(row[1], Owner(row[2]), row[3], row[4], bool(row[5]), *row[6:]) for row in rows}


def _rows() -> Select[Conversation, Message, Operator, Borrower, bool]:
    """Conversations with the borrower's last words, which say more than the bot's; with the last words of all else."""
    said = aliased(Message)
    last_said = (
        select(func.max(said.seq))
        .where(said.conversation_id == Conversation.id, said.author == Author.BORROWER)
        .correlate(Conversation)
        .scalar_subquery()
    )
    shown = func.coalesce(last_said, Conversation.last_seq)
    return (
        select(Conversation, Message, Operator, Borrower, _in_danger())
        .select_from(Conversation)
        .join(Message, (Message.conversation_id == Conversation.id) & (Message.seq == shown))
        .outerjoin(Operator, Operator.id == Conversation.owner_operator_id)
        .outerjoin(Borrower, Borrower.id == Conversation.borrower_id)
    )


def _in_danger() -> ColumnElement[bool]:
    """Queued for distress, or under an open distress hold: a person who already answers must see it as well."""
    held = (
        select(Hold.id)
        .where(Hold.conversation_id == Conversation.id, Hold.kind == HoldKind.DISTRESS, Hold.lifted_at.is_(None))
        .correlate(Conversation)
        .exists()
    )
    return (Conversation.queue_reason.is_not_distinct_from(QueueReason.DISTRESS.value)) | held


def _transcript(session: Session, deps: Deps, conversation_id: str, reader: Reader, after: int) -> Transcript | None:
    found = session.execute(_rows().where(Conversation.id == conversation_id, may_look_through(reader))).first()
    if found is None:
        return None
    conversation, last, operator, borrower, in_danger = found
    messages = session.execute(
        select(Message, Operator.display_name)
        .outerjoin(Operator, Operator.id == Message.operator_id)
        .where(Message.conversation_id == conversation_id, Message.seq > after)
        .order_by(Message.seq)
    ).all()
    documents = carried_by(session, deps, [message.id for message, _ in messages])
    deliveries = deliveries_of(session, conversation, [message for message, _ in messages])
    concerns_them = Hold.conversation_id == conversation_id
    if borrower is not None:
        concerns_them = concerns_them | (Hold.borrower_id == borrower.id)
    open_holds = select(Hold).where(concerns_them, standing(deps.now())).order_by(Hold.placed_at)
    holds = tuple(
        HoldView(hold.id, hold.kind, hold.placed_at, hold.until, hold.reason) for hold in session.scalars(open_holds)
    )
    return Transcript(
        row=_row(deps, conversation, last, operator, borrower, in_danger),
        turns=tuple(
            _turn(message, name, documents.get(message.id), deliveries.get(message.id)) for message, name in messages
        ),
        card=_card(deps, borrower, conversation, holds) if borrower else None,
        holds=holds,
        elsewhere=elsewhere(session, borrower.id, conversation_id, may_look_through(reader)) if borrower else (),
    )


def _row(
    deps: Deps,
    conversation: Conversation,
    last: Message,
    operator: Operator | None,
    borrower: Borrower | None,
    in_danger: bool,
) -> ConversationRow:
    reason = QueueReason(conversation.queue_reason) if conversation.queue_reason else None
    return ConversationRow(
        id=conversation.id,
        channel=conversation.channel,
        owner=Owner(conversation.owner),
        owner_operator_id=conversation.owner_operator_id,
        owner_name=operator.display_name if operator else None,
        queue_reason=reason,
        queued_at=conversation.queued_at,
        borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)) if borrower else None,
        last_text=shown_text(last),
        last_author=last.author,
        last_activity_at=conversation.last_activity_at,
        in_danger=in_danger,
        team=conversation.team,
    )


def _urgency(row: ConversationRow) -> tuple[int, int, float]:
    if row.owner is Owner.QUEUED and row.queue_reason is not None and row.queued_at is not None:
        return (0, PRIORITY.index(row.queue_reason), row.queued_at.timestamp())
    return (1 if row.in_danger else 2, 0, -row.last_activity_at.timestamp())


def _turn(
    message: Message, operator_name: str | None, document: DocumentView | None, delivery: DeliveryView | None
) -> TurnView:
    understanding = message.understanding or {}
    entities: Sequence[dict[str, str]] = understanding.get("entities", ())
    return TurnView(
        seq=message.seq,
        author=message.author,
        author_name=operator_name if message.author == Author.OPERATOR else None,
        text=shown_text(message),
        at=message.created_at,
        intent=message.intent,
        confidence=message.confidence,
        entities=tuple(
            mask_numbers(f"{entity.get('entity')}={entity.get('value')}", proving=is_proving(message))
            for entity in entities
        ),
        actions=tuple(understanding.get("actions", ())),
        handling=message.handling,
        document=document,
        delivery=delivery,
    )


def _card(deps: Deps, borrower: Borrower, conversation: Conversation, holds: tuple[HoldView, ...]) -> BorrowerCard:
    return BorrowerCard(
        borrower_id=borrower.id,
        name=mask_name(deps.vault.unseal("name", borrower.name_sealed)),
        phone=mask_phone(deps.vault.unseal("phone", borrower.phone_sealed)),
        id_tail_masked="****" + deps.vault.unseal("id_number", borrower.id_number_sealed)[-2:],
        verified=viewer(proof_of(conversation), deps.now(), deps.idle, deps.fresh).level is Level.VERIFIED,
        holds=holds,
    )
