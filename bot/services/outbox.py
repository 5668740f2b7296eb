"""What waits to be pushed to a channel: claiming it in order, and recording how delivery went.

A claim is a lease: a process that dies in the middle leaves its rows to the next one. An attempt is put on record
before anything leaves the house, so that a death or a lost answer in between is known. An answer is then sent again,
since silence is worse than hearing it twice; a notice never is (``docs/decisions/0010-delivery-without-doubles.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import bindparam, select, true, update
from sqlalchemy.orm import Session, aliased

from bot.lending.ledger import LedgerError
from bot.outreach.gate import HoldKind, Purpose, Recipient, Verdict, may_send
from bot.services import notice_subject
from bot.services.claims import LONGEST_CLAIM, free
from bot.services.contact import wishes_of
from bot.services.conversations import FACT, Author
from bot.services.deps import Deps
from bot.services.history import ButtonView, views
from bot.services.holds import ANYTHING, holds_on, open_holds_of_all
from bot.services.mailboxes import ONE_WAY
from bot.services.notice_validity import has_point
from bot.store.base import UtcDateTime
from bot.store.tables import ChannelBinding, Conversation, Message, Outbox, Reminder
from bot.text.scripts import Script

LONGEST_WAIT = timedelta(minutes=30)
"""Between two attempts, unless the channel asks for more."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""A message that could not be delivered for so long since it was written is given up."""

FRESH = timedelta(minutes=10)
"""A notice that left sooner than this after it was decided says what is true; an older one is judged once more."""

REMINDER_KEY = "reminder:"
"""What the key of a notice's message begins with; the rest is the key of the reminder."""

_CODE_LENGTH = 120

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message this process may now deliver, until its lease ends. ``attempts`` counts this one too.

    ``is_notice``: it was not asked for, and must rather be lost than seen twice.
    """

    outbox_id: str
    key: str
    conversation_id: str
    address: str
    author: str
    text: str
    buttons: tuple[ButtonView, ...]
    attempts: int
    is_notice: bool
    script: Script


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 2, 4, 8 … seconds up to ``LONGEST_WAIT``."""
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, 16)))


def claim_due(deps: Deps, channel: str, limit: int, lease: timedelta, *, may_repeat: bool = False) -> list[OutboxItem]:
    """Claim up to ``limit`` messages of a channel that are due, longest due first.

    A message is claimed only when none of the same conversation before it is unsent, so there is never more than one
    of a conversation in the result and a conversation's order is kept. Rows that another process claims this moment
    are passed over. Notices that the contact rules no longer allow end here, and so do notices whose last attempt
    nobody saw the end of, unless the channel recognises a repetition by its key (``may_repeat``), and whatever goes to
    an address that was deleted or cannot be opened.
    """
    now = deps.now()
    with deps.begin() as session:
        due = session.execute(
            _DUE, {"channel": channel, "now": now, "horizon": now + LONGEST_CLAIM, "most": limit}
        ).all()
        if not due:
            return []
        holds = _holds(session, [conversation for _, _, conversation in due], now)
        shown = {view.id: view for view in views(session, [message for _, message, _ in due], now)}
        claimed = []
        for row, message, conversation in due:
            if row.started_at is not None and _is_notice(message) and not may_repeat:
                _settle(session, row.id, state="unknown", last_error="interrupted")
                log.warning("notice_fate_unknown", outbox_id=row.id, code="interrupted")
            elif rule := (
                _unfit(session, message, conversation)
                or _refused(session, deps, message, conversation, holds[conversation.id])
                or _pointless(session, deps, message, now)
            ):
                _settle(session, row.id, state="dead", last_error=f"gate:{rule}")
            elif (address := _address(deps, conversation)) is None:
                _settle(session, row.id, state="dead", last_error="address_unreadable")
                log.error("address_unreadable", outbox_id=row.id, conversation=conversation.id)
            else:
                claimed.append(_item(row, message, conversation, address, shown[message.id].buttons))
        _take(session, [item.outbox_id for item in claimed], now, lease)
        return claimed


def begin_attempt(deps: Deps, item: OutboxItem) -> bool:
    """Put on record that a claimed message is being sent from now on; without this nothing may be sent.

    False when the claim has meanwhile ended or passed to another process.
    """
    now = deps.now()
    with deps.begin() as session:
        begun = session.execute(
            update(Outbox)
            .where(
                Outbox.id == item.outbox_id,
                Outbox.state == "pending",
                Outbox.attempts == item.attempts,
                Outbox.claimed_until > now,
            )
            .values(started_at=now)
            .returning(Outbox.id)
            .execution_options(synchronize_session=False)
        )
        return begun.scalar_one_or_none() is not None


def mark_sent(deps: Deps, outbox_id: str, channel_message_id: str) -> None:
    """Record that the channel took a message, with the id it gave it."""
    with deps.begin() as session:
        _settle(
            session, outbox_id, state="sent", sent_at=deps.now(), channel_message_id=channel_message_id, last_error=None
        )


def mark_failed(deps: Deps, outbox_id: str, retry_at: datetime, error_code: str, attempt: int | None = None) -> bool:
    """Give a message back to be tried again at ``retry_at`` (aware); it surely did not arrive, or may arrive twice.

    ``attempt`` is the claim's ``attempts``: with it, a process that was slower than its lease takes no other's claim
    away. False when that would be more than ``GIVEN_UP_AFTER`` since it was written: then it is given up, as
    ``gave_up:`` and the code.
    """
    with deps.begin() as session:
        written_at = session.scalar(
            select(Message.created_at).join(Outbox, Outbox.message_id == Message.id).where(Outbox.id == outbox_id)
        )
        if written_at is not None and retry_at - written_at > GIVEN_UP_AFTER:
            _settle(session, outbox_id, state="dead", last_error=f"gave_up:{error_code}"[:_CODE_LENGTH])
            return False
        session.execute(
            update(Outbox)
            .where(Outbox.id == outbox_id, Outbox.state == "pending")
            .where(Outbox.attempts == attempt if attempt is not None else true())
            .values(claimed_until=None, started_at=None, next_attempt_at=retry_at, last_error=error_code[:_CODE_LENGTH])
            .execution_options(synchronize_session=False)
        )
        return True


def mark_dead(deps: Deps, outbox_id: str, error_code: str) -> None:
    """Give a message up: trying again cannot help. What comes after it in its conversation is not held back."""
    with deps.begin() as session:
        _settle(session, outbox_id, state="dead", last_error=error_code[:_CODE_LENGTH])


def mark_unknown(deps: Deps, outbox_id: str, error_code: str) -> None:
    """Record that a message may have arrived or not, and that it is not sent again."""
    with deps.begin() as session:
        _settle(session, outbox_id, state="unknown", last_error=error_code[:_CODE_LENGTH])


_OTHER, _OTHER_MESSAGE = aliased(Outbox), aliased(Message)
_NOW = bindparam("now", type_=UtcDateTime)
_DUE = (
    select(Outbox, Message, Conversation)
    .join(Message, Message.id == Outbox.message_id)
    .join(Conversation, Conversation.id == Message.conversation_id)
    .where(
        Outbox.channel == bindparam("channel"),
        Outbox.state == "pending",
        Outbox.next_attempt_at <= _NOW,
        free(Outbox.claimed_until, _NOW, bindparam("horizon", type_=UtcDateTime)),
        ~select(_OTHER.id)
        .join(_OTHER_MESSAGE, _OTHER_MESSAGE.id == _OTHER.message_id)
        .where(
            _OTHER.state == "pending",
            _OTHER_MESSAGE.conversation_id == Message.conversation_id,
            _OTHER_MESSAGE.seq < Message.seq,
        )
        .correlate(Message)
        .exists(),
    )
    .order_by(Outbox.next_attempt_at, Message.created_at, Message.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=Outbox)
)
"""What nobody has claimed, but for what comes after an unsent message of its conversation. Written once: channels ask
for it all the time."""


def _take(session: Session, outbox_ids: list[str], now: datetime, lease: timedelta) -> None:
    """Claim rows that are locked: on SQLite by the transaction, on PostgreSQL by the selection."""
    if not outbox_ids:
        return
    session.execute(
        update(Outbox)
        .where(Outbox.id.in_(outbox_ids))
        .values(claimed_until=now + lease, attempts=Outbox.attempts + 1)
        .execution_options(synchronize_session=False)
    )


def _settle(session: Session, outbox_id: str, **columns: object) -> None:
    session.execute(
        update(Outbox)
        .where(Outbox.id == outbox_id, Outbox.state == "pending")
        .values(claimed_until=None, **columns)
        .execution_options(synchronize_session=False)
    )


def _is_notice(message: Message) -> bool:
    return message.purpose not in (FACT, Purpose.REPLY, Purpose.SAFETY)


def _unfit(session: Session, message: Message, conversation: Conversation) -> str | None:
    """What must not leave, whatever the contact rules say.

    Nothing but the desk's own notices leaves by a one-way channel: facts are for people who proved who they are. And
    nothing that was written to a borrower leaves for an address that has been let go since: somebody else has it.
    """
    if (message.purpose == FACT or _is_notice(message)) and _is_let_go(session, message, conversation):
        return "released"
    if conversation.channel not in ONE_WAY or (_is_notice(message) and message.author == Author.BOT):
        return None
    return "one_way"


def _is_let_go(session: Session, message: Message, conversation: Conversation) -> bool:
    """Whether the binding under which a message was written has ended since."""
    ended = select(ChannelBinding.id).where(
        ChannelBinding.conversation_id == conversation.id, ChannelBinding.released_at >= message.created_at
    )
    return session.scalar(ended.limit(1)) is not None


def _holds(session: Session, conversations: Sequence[Conversation], now: datetime) -> dict[str, frozenset[HoldKind]]:
    """The kinds of holds on conversations and on the borrowers they are bound to, by conversation."""
    of_borrowers = open_holds_of_all(session, [each.borrower_id for each in conversations if each.borrower_id], now)
    return {
        each.id: (
            of_borrowers[each.borrower_id].kinds if each.borrower_id is not None else holds_on(session, each, now).kinds
        )
        for each in conversations
    }


def _refused(
    session: Session, deps: Deps, message: Message, conversation: Conversation, holds: frozenset[HoldKind]
) -> str | None:
    """Ask the gate again: a notice that was allowed when it was written may have met the night or a hold since.

    History and right party were judged when it was written, and counting it against itself would refuse it. It is
    given up rather than put off: a notice that waited would hold back the answers written after it.
    """
    if message.purpose == FACT:
        return None
    purpose = Purpose(message.purpose) if message.purpose in tuple(Purpose) else Purpose.COLLECTION
    if purpose in (Purpose.REPLY, Purpose.SAFETY):
        return None
    recipient = Recipient(
        is_right_party=True,
        history=(),
        holds=_concerning(session, deps, message, conversation, holds),
        last_inbound_at=conversation.last_inbound_at,
        wishes=wishes_of(session, conversation.borrower_id),
    )
    decision = may_send(purpose, None, recipient, deps.now(), deps.limits)
    return None if decision.verdict is Verdict.ALLOWED else decision.rule


def _concerning(
    session: Session, deps: Deps, message: Message, conversation: Conversation, holds: frozenset[HoldKind]
) -> frozenset[HoldKind]:
    """The holds that concern what a message speaks of; what it is about is looked up only where that matters."""
    if not holds & {HoldKind.DISPUTE, HoldKind.COMPLAINT}:
        return holds
    reminder = _reminder_of(session, message)
    about = notice_subject.about(session, reminder) if reminder is not None else ANYTHING
    return holds_on(session, conversation, deps.now(), about).kinds


def _reminder_of(session: Session, message: Message) -> Reminder | None:
    key = (message.client_key or "").removeprefix(REMINDER_KEY)
    return session.scalar(select(Reminder).where(Reminder.key == key, Reminder.message_id == message.id))


def _pointless(session: Session, deps: Deps, message: Message, now: datetime) -> str | None:
    """Whether a planned notice that waited has been overtaken: its account is paid, its day over, its plan ended."""
    if not _is_notice(message) or now - message.created_at < FRESH:
        return None
    reminder = _reminder_of(session, message)
    if reminder is None:
        return None
    session.expunge(reminder)  # what was sent stays on record as it was decided
    try:
        return None if has_point(session, deps, reminder) else "nothing_due"
    except (LedgerError, ValueError) as error:
        log.error("notice_not_judged", outbox_message=message.id, error=type(error).__name__)
        return "unknown"


def _address(deps: Deps, conversation: Conversation) -> str | None:
    try:
        return deps.vault.unseal(f"address:{conversation.channel}", conversation.address_sealed)
    except InvalidTag:
        return None


def _item(
    row: Outbox, message: Message, conversation: Conversation, address: str, buttons: tuple[ButtonView, ...]
) -> OutboxItem:
    return OutboxItem(
        outbox_id=row.id,
        key=row.key,
        conversation_id=conversation.id,
        address=address,
        author=message.author,
        text=message.text,
        buttons=buttons,
        attempts=row.attempts + 1,
        is_notice=_is_notice(message),
        script=Script(conversation.script),
    )
