"""What borrowers ask about being written to: stopped, paused, taken up again, changed and shown.

Stopping and pausing only narrow what the desk may do, so they work at once for whoever writes; everything else is a
verified borrower's, and anybody else who holds the phone gets ``NotVerified``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI
from bot.identity.levels import Level
from bot.outreach.gate import HoldKind
from bot.outreach.wish_change import Change, Channel, Impossible, Obstacle, changed
from bot.outreach.wishes import ContactWishes
from bot.services import audit, holds, notice_planning
from bot.services.accounts import NotVerified, lock_borrower
from bot.services.contact import wishes_of
from bot.services.deps import Deps
from bot.services.mailboxes import mailbox_of
from bot.services.proof import viewer_of
from bot.store import tables

BORROWER = audit.Actor("borrower")


@dataclass(frozen=True, slots=True)
class ContactSettings:
    """How a borrower is written to now. ``paused_until`` is aware, None where nothing is paused."""

    wishes: ContactWishes
    is_stopped: bool
    paused_until: datetime | None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything differs from what the policy has for everybody."""
        return self.is_stopped or self.paused_until is not None or self.wishes != ContactWishes()


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause that stands until ``until`` (aware).

    ``is_bound``: over every channel of a borrower, not only this conversation. ``stood_longer``: an earlier pause ends
    later and stays. ``is_stopped``: everything is stopped anyway.
    """

    until: datetime
    is_bound: bool
    stood_longer: bool = False
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """Wishes were noted; ``resumed`` says that notices had been stopped and come again."""

    settings: ContactSettings
    resumed: bool = False


def opt_out(deps: Deps, conversation_id: str) -> int:
    """Stop every reminder to whoever this conversation is bound to, at once (F5). Returns how many were planned."""
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        if conversation is None:
            return 0
        now, borrower_id = deps.now(), conversation.borrower_id
        holds.place(session, deps.now(), HoldKind.OPT_OUT, borrower_id=borrower_id, conversation_id=conversation_id)
        audit.record(session, now, BORROWER, "opted_out", ("conversation", conversation_id))
        if borrower_id is None:
            return 0
        lock_borrower(session, borrower_id)  # before the notices, as everybody who decides one does
        # What has changed lately is planned first, or it would stand as planned after everything was stopped.
        notice_planning.replan_if_due(session, deps, [borrower_id])
        stopped = session.execute(
            update(tables.Reminder)
            .where(tables.Reminder.borrower_id == borrower_id, tables.Reminder.state == "planned")
            .values(state="refused", rule="F5", decided_at=now)
            .returning(tables.Reminder.id)
        )
        return len(stopped.all())


def pause(deps: Deps, conversation_id: str, until: date) -> Paused | None:
    """Send nothing before a day begins in Asia/Shanghai. None for an unknown conversation.

    Somebody verified may also shorten a pause; for anybody else an earlier one that ends later stays.
    """
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        if conversation is None:
            return None
        borrower_id = conversation.borrower_id
        end = datetime.combine(until, time(0), tzinfo=SHANGHAI)
        standing = _standing(session, deps, conversation, (HoldKind.PAUSE,))
        is_bound = borrower_id is not None
        is_stopped = bool(_standing(session, deps, conversation, (HoldKind.OPT_OUT,)))
        latest = max((hold.until for hold in standing if hold.until is not None), default=None)
        if viewer_of(session, deps, conversation_id).level is Level.VERIFIED:
            for hold in standing:
                if hold.conversation_id != conversation_id:
                    holds.lift(session, deps, hold.id, lifted_by=None)
        elif latest is not None and latest > end:
            return Paused(latest, is_bound, stood_longer=True, is_stopped=is_stopped)
        holds.place(
            session, deps.now(), HoldKind.PAUSE, borrower_id=borrower_id, conversation_id=conversation_id, until=end
        )
        if borrower_id is not None:
            notice_planning.touch(session, borrower_id, deps.now())
        return Paused(end, is_bound, is_stopped=is_stopped)


def opt_in(deps: Deps, conversation_id: str) -> bool | NotVerified:
    """Take reminders up again at the borrower's own wish (F5). Returns whether they had been stopped or paused.

    Undone over any of the borrower's conversations; ``NotVerified`` only if there is something to undo.
    """
    with deps.begin() as session:
        conversation = session.get(tables.Conversation, conversation_id)
        if conversation is None:
            return False
        wishes = _standing(session, deps, conversation, (HoldKind.OPT_OUT, HoldKind.PAUSE))
        if not wishes:
            return False
        if viewer_of(session, deps, conversation_id).level is not Level.VERIFIED:
            return NotVerified()
        _take_up_again(session, deps, conversation, wishes)
        return True


def change(deps: Deps, conversation_id: str, wish: Change) -> Noted | Impossible | NotVerified:
    """Note new wishes beside those that stand. A wish for notices takes them up again where they had been stopped.

    Impossible, and nothing is changed, when no hour would be left or the channel does not reach the borrower.
    """
    with deps.begin() as session:
        conversation = _verified(session, deps, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return NotVerified()
        borrower_id = conversation.borrower_id
        lock_borrower(session, borrower_id)
        before = wishes_of(session, borrower_id) or ContactWishes()
        after = changed(before, wish, deps.limits)
        if isinstance(after, Impossible):
            return after
        if wish.channel is not None and wish.channel not in _reaching(session, deps, borrower_id):
            return Impossible(Obstacle.CHANNEL_CLOSED)
        _keep(session, deps, conversation, borrower_id, after)
        stopped = _standing(session, deps, conversation, (HoldKind.OPT_OUT,)) if wish.wants_notices else []
        if stopped:
            _take_up_again(session, deps, conversation, stopped)
        session.flush()
        return Noted(_settings(session, deps, conversation, borrower_id), resumed=bool(stopped))


def reset(deps: Deps, conversation_id: str) -> Noted | NotVerified:
    """Forget every wish about how notices come. What was stopped or paused stays so."""
    with deps.begin() as session:
        conversation = _verified(session, deps, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return NotVerified()
        _keep(session, deps, conversation, conversation.borrower_id, ContactWishes())
        session.flush()
        return Noted(_settings(session, deps, conversation, conversation.borrower_id))


def settings_of(deps: Deps, conversation_id: str) -> ContactSettings | NotVerified:
    """Return how the borrower is written to now."""
    with deps.read() as session:
        conversation = _verified(session, deps, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return NotVerified()
        return _settings(session, deps, conversation, conversation.borrower_id)


def channels_of(deps: Deps, conversation_id: str) -> tuple[Channel, ...]:
    """Return the channels on which a verified borrower can be reached now; none for anybody else."""
    with deps.begin() as session:
        conversation = _verified(session, deps, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return ()
        return _reaching(session, deps, conversation.borrower_id)


def pauses_of(deps: Deps, conversation_id: str) -> tuple[holds.Pause, ...] | NotVerified:
    """Return the ledger of everything that silenced notices to the borrower, the oldest first."""
    with deps.read() as session:
        conversation = _verified(session, deps, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return NotVerified()
        return holds.ledger_of(session, conversation.borrower_id)


def _verified(session: Session, deps: Deps, conversation_id: str) -> tables.Conversation | None:
    if viewer_of(session, deps, conversation_id).level is not Level.VERIFIED:
        return None
    return session.get(tables.Conversation, conversation_id)


def _standing(
    session: Session, deps: Deps, conversation: tables.Conversation, kinds: Sequence[HoldKind]
) -> Sequence[tables.Hold]:
    """Return the holds of some kinds that stand on a conversation, or on its borrower wherever they were said."""
    mine: ColumnElement[bool] = tables.Hold.conversation_id == conversation.id
    if conversation.borrower_id is not None:
        own = select(tables.Conversation.id).where(tables.Conversation.borrower_id == conversation.borrower_id)
        mine = or_(mine, tables.Hold.borrower_id == conversation.borrower_id, tables.Hold.conversation_id.in_(own))
    return session.scalars(
        select(tables.Hold).where(mine, tables.Hold.kind.in_(kinds), holds.standing(deps.now()))
    ).all()


def _take_up_again(
    session: Session, deps: Deps, conversation: tables.Conversation, wishes: Sequence[tables.Hold]
) -> None:
    now = deps.now()
    for hold in wishes:
        holds.lift(session, deps, hold.id, lifted_by=None)
    audit.record(session, now, BORROWER, "opted_in", ("conversation", conversation.id))
    if conversation.borrower_id is None:
        return
    session.execute(
        update(tables.Reminder)
        .where(
            tables.Reminder.borrower_id == conversation.borrower_id,
            tables.Reminder.state == "refused",
            tables.Reminder.rule == "F5",
            tables.Reminder.send_at > now,
        )
        .values(state="planned", rule=None, decided_at=None)
    )
    notice_planning.touch(session, conversation.borrower_id, now)


def _reaching(session: Session, deps: Deps, borrower_id: str) -> tuple[Channel, ...]:
    reaching = []
    for channel in (Channel.WEB, Channel.TELEGRAM, Channel.EMAIL, Channel.SMS):
        mailbox = mailbox_of(session, deps, borrower_id, channel.value)
        if mailbox is not None and mailbox.channel == channel.value:
            reaching.append(channel)
    return tuple(reaching)


def _keep(
    session: Session, deps: Deps, conversation: tables.Conversation, borrower_id: str, wishes: ContactWishes
) -> None:
    """Write wishes down, and have notices planned by them."""
    now = deps.now()
    row = session.get(tables.ContactWish, borrower_id)
    if row is None:
        row = tables.ContactWish(borrower_id=borrower_id, changed_at=now)
        session.add(row)
    row.quiet_from, row.quiet_to, row.send_at = wishes.quiet_from, wishes.quiet_to, wishes.send_at
    row.day_of_month, row.days_before = wishes.day_of_month, wishes.days_before
    row.channel, row.per_seven_days = wishes.channel, wishes.per_seven_days
    row.changed_at, row.changed_in = now, conversation.id
    audit.record(
        session,
        now,
        BORROWER,
        "contact_wish_changed",
        ("borrower", borrower_id),
        quiet_from=_clock(wishes.quiet_from),
        quiet_to=_clock(wishes.quiet_to),
        send_at=_clock(wishes.send_at),
        day_of_month=wishes.day_of_month,
        days_before=wishes.days_before,
        channel=wishes.channel,
        per_seven_days=wishes.per_seven_days,
    )
    notice_planning.touch(session, borrower_id, now)


def _clock(clock: time | None) -> str | None:
    return f"{clock:%H:%M}" if clock is not None else None


def _settings(session: Session, deps: Deps, conversation: tables.Conversation, borrower_id: str) -> ContactSettings:
    pauses = _standing(session, deps, conversation, (HoldKind.PAUSE,))
    return ContactSettings(
        wishes=wishes_of(session, borrower_id) or ContactWishes(),
        is_stopped=bool(_standing(session, deps, conversation, (HoldKind.OPT_OUT,))),
        paused_until=max((hold.until for hold in pauses if hold.until is not None), default=None),
    )
