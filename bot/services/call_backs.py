"""Calls that borrowers ask for: a time they know and may change, a list for the desk, and what became of each.

A borrower has one open call at a time, to the number on record, within the hours of ``bot.outreach.call_times``. Each
call made, answered or not, stands in the history of contacts that the gate looks at before the next notice (F1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from bot.desk.calls import OWED, CallOutcome, CallState, CallTelling
from bot.identity.masking import mask_name
from bot.outreach.call_times import (
    MOST_ATTEMPTS,
    Callee,
    CallRule,
    first_on,
    forbidden_by,
    is_late,
    is_staffed,
    open_times,
    refused_on,
)
from bot.outreach.gate import HoldKind
from bot.services import audit, contact
from bot.services.call_news import count, owe_word, tell, told_of_miss_at
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.locking import locked_in_turn
from bot.services.one_by_one import attempted
from bot.services.operators import OperatorView
from bot.store.tables import Borrower, CallBack, Conversation, Operator, Reminder

PHONE = "phone"
"""The channel of calls in the history of contacts."""

DUE_SOON = timedelta(hours=1)
"""So long before its time a call stands at the top of the inbox."""

MOST_LISTED = 200

_WISH_FOR_PEACE = frozenset({HoldKind.OPT_OUT, HoldKind.PAUSE, HoldKind.PERSON})
_SWEPT_AT_ONCE = 100


class NotArranged(StrEnum):
    """Why no call was arranged or settled, besides the rules of ``CallRule``."""

    UNKNOWN = "unknown"
    NOBODY_KNOWN = "nobody_known"
    NONE_OPEN = "none_open"


@dataclass(frozen=True, slots=True)
class Arranged:
    """A call is arranged for ``call_at`` (aware); ``is_moved`` says that there was one before."""

    call_at: datetime
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A rule forbids that time; ``times`` are some that can be had, possibly none."""

    rule: CallRule
    times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class CallMade:
    """The call that somebody made: which one, and after how many ``attempts`` that nobody answered."""

    id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class CallView:
    """An open call as the desk sees it; instants are aware. ``borrower`` is a masked name."""

    id: str
    conversation_id: str
    borrower: str
    call_at: datetime
    asked_at: datetime
    attempts: int
    noted_by: str | None
    is_told: bool
    is_due: bool
    is_late: bool

    @property
    def made(self) -> CallMade:
        """The call, for whoever makes it now."""
        return CallMade(self.id, self.attempts)


def arrange(
    deps: Deps, conversation_id: str, at: datetime | None = None, on: date | None = None
) -> Arranged | Forbidden | NotArranged:
    """Arrange the call that somebody asks for in the chat, or move it: to a time, to a day, or as soon as may be.

    The caller tells them the time at once.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return NotArranged.UNKNOWN
        if conversation.borrower_id is None:
            return NotArranged.NOBODY_KNOWN
        callee = _callee(session, deps, conversation.borrower_id)
        found = _time(deps, callee, at, on)
        if isinstance(found, Forbidden):
            return found
        return _put(session, deps, conversation, found, audit.Actor("borrower", conversation.borrower_id))


def arrange_after_hours(deps: Deps, conversation_id: str) -> datetime | None:
    """Arrange a call for somebody who wants a person while nobody is at the desk; returns its time.

    None while somebody is, for somebody unknown, where a call is arranged already, where no time is allowed, and for
    whoever has asked for peace: they did not ask for a call.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        times = _after_hours(session, deps, conversation, most=1)
        if conversation is None or not times:
            return None
        return _put(session, deps, conversation, times[0], audit.BOT).call_at


def after_hours_times(deps: Deps, conversation_id: str) -> tuple[datetime, ...]:
    """Return the times at which a call can be offered to somebody who could not be helped while nobody is at the desk.

    None for those for whom ``arrange_after_hours`` arranges none: who has not asked for a call gets a choice.
    """
    with deps.read() as session:
        return _after_hours(session, deps, session.get(Conversation, conversation_id))


def _after_hours(
    session: Session, deps: Deps, conversation: Conversation | None, *, most: int = 3
) -> tuple[datetime, ...]:
    if conversation is None or conversation.borrower_id is None or is_staffed(deps.now(), deps.limits):
        return ()
    callee = _callee(session, deps, conversation.borrower_id)
    if _open_one(session, conversation.borrower_id) is not None or callee.holds & _WISH_FOR_PEACE:
        return ()
    return open_times(deps.now(), callee, deps.limits, most=most)


def withdraw(deps: Deps, conversation_id: str) -> bool:
    """Call off the open call at the borrower's wish; returns whether there was one."""
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        row = None if conversation is None else _open_one(session, conversation.borrower_id)
        if row is None:
            return False
        _close(session, deps, row, CallState.WITHDRAWN, audit.Actor("borrower", row.borrower_id))
        return True


def times_for(deps: Deps, conversation_id: str) -> tuple[datetime, ...]:
    """Return some times at which this conversation's borrower may be called; none for somebody unknown."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or conversation.borrower_id is None:
            return ()
        return open_times(deps.now(), _callee(session, deps, conversation.borrower_id), deps.limits)


def arrange_for(
    deps: Deps, operator: OperatorView, conversation_id: str, at: datetime
) -> Arranged | Forbidden | NotArranged:
    """Arrange or move a call that a borrower asked an operator for, and tell the borrower the time (aware).

    Where nothing may be said to them now, they are told as soon as it may be.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return NotArranged.UNKNOWN
        if conversation.borrower_id is None:
            return NotArranged.NOBODY_KNOWN
        found = _time(deps, _callee(session, deps, conversation.borrower_id), at, None)
        if isinstance(found, Forbidden):
            return found
        done = _put(session, deps, conversation, found, audit.Actor("operator", operator.id))
        row = _open_one(session, conversation.borrower_id)
        if row is not None:
            owe_word(deps, row)
            tell(session, deps, conversation, row)
        return done


def settle(
    deps: Deps, operator: OperatorView, conversation_id: str, call: CallMade, outcome: CallOutcome
) -> CallState | NotArranged:
    """Say what became of a call. One that was made is put into the history of contacts.

    One that nobody answered is arranged anew for the next time that is allowed, and given up after ``MOST_ATTEMPTS``;
    the borrower is told either. Where the call was settled or made once more since ``call`` was read, nothing happens
    (``NONE_OPEN``): of two who press for the same call one counts.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return NotArranged.UNKNOWN
        row = _open_one(session, conversation.borrower_id)
        if row is None or CallMade(row.id, row.attempts) != call:
            return NotArranged.NONE_OPEN
        actor = audit.Actor("operator", operator.id)
        if outcome is CallOutcome.WITHDRAWN:
            return _close(session, deps, row, CallState.WITHDRAWN, actor)
        row.attempts += outcome is CallOutcome.NO_ANSWER
        count(session, deps, row, f"call:{call.id}:{call.attempts}", "asked", channel=PHONE)
        subject = ("conversation", conversation_id)
        audit.record(session, deps.now(), actor, f"call_{outcome.value}", subject, borrower=row.borrower_id)
        if outcome is CallOutcome.SPOKEN:
            return _close(session, deps, row, CallState.DONE, actor)
        session.flush()
        # The next call is one that they can be told of before.
        told_at = told_of_miss_at(session, deps, conversation)
        times = open_times(told_at, _callee(session, deps, row.borrower_id), deps.limits, most=1)
        owe_word(deps, row, CallTelling.MISSED)
        if row.attempts >= MOST_ATTEMPTS or not times:
            _close(session, deps, row, CallState.UNREACHED, actor)
        else:
            row.call_at = times[0]
        tell(session, deps, conversation, row)
        return CallState(row.state)


def of_conversation(deps: Deps, conversation_id: str) -> CallView | None:
    """Return the open call of a conversation's borrower, None if there is none."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        row = None if conversation is None else _open_one(session, conversation.borrower_id)
        return None if row is None else _view(session, deps, row)


def listing(deps: Deps, readable: Select[str], *, due_only: bool = False) -> tuple[CallView, ...]:
    """Return the open calls in conversations that somebody may read (their ids), the earliest first.

    ``due_only``: those whose time comes within ``DUE_SOON``, or has come.
    """
    with deps.read() as session:
        found = (
            select(CallBack)
            .where(CallBack.state == CallState.OPEN, CallBack.conversation_id.in_(readable))
            .order_by(CallBack.call_at, CallBack.id)
            .limit(MOST_LISTED)
        )
        if due_only:
            found = found.where(CallBack.call_at <= deps.now() + DUE_SOON)
        return tuple(_view(session, deps, row) for row in session.scalars(found))


def sweep(deps: Deps, limit: int = _SWEPT_AT_ONCE) -> int:
    """Tell times that could not be told before, and call off what is no longer its conversation's; returns how many.

    One transaction each.
    """
    now = deps.now()
    with deps.read() as session:
        due = CallBack.telling.in_(OWED) & (CallBack.tell_at <= now)
        gone = (CallBack.state == CallState.OPEN) & Conversation.borrower_id.is_distinct_from(CallBack.borrower_id)
        rows = select(CallBack.conversation_id, CallBack.id).join(
            Conversation, Conversation.id == CallBack.conversation_id
        )
        found = session.execute(rows.where(or_(due, gone)).order_by(CallBack.tell_at).limit(limit)).all()
    return sum(
        attempted(partial(_see_to, deps, conversation_id, call_id), "call_not_seen_to", call=call_id) or False
        for conversation_id, call_id in found
    )


def _see_to(deps: Deps, conversation_id: str, call_id: str) -> bool:
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        row = session.get(CallBack, call_id, with_for_update=True)
        if conversation is None or row is None:
            return False
        if conversation.borrower_id != row.borrower_id:
            row.telling = CallTelling.DROPPED.value
            if row.state == CallState.OPEN:
                _close(session, deps, row, CallState.WITHDRAWN, audit.SYSTEM)
        elif row.telling in OWED and row.tell_at is not None and row.tell_at <= deps.now():
            tell(session, deps, conversation, row)
        return True


def _callee(session: Session, deps: Deps, borrower_id: str) -> Callee:
    now = deps.now()
    made = select(Reminder.decided_at).where(
        Reminder.borrower_id == borrower_id,
        Reminder.channel == PHONE,
        Reminder.state == "sent",
        Reminder.decided_at > now - timedelta(days=2),
    )
    called_at = tuple(at for at in session.scalars(made) if at is not None)
    wishes, holds = contact.wishes_of(session, borrower_id), open_holds(session, borrower_id, now)
    return Callee(wishes, holds.kinds, called_at)


def _time(deps: Deps, callee: Callee, at: datetime | None, on: date | None) -> datetime | Forbidden:
    now, limits = deps.now(), deps.limits
    if at is None and on is not None:
        at = first_on(on, now, callee, limits)
        if at is None:
            return Forbidden(refused_on(on, now, callee, limits), open_times(now, callee, limits))
    if at is None:
        at = next(iter(open_times(now, callee, limits, most=1)), now)
    rule = forbidden_by(at, now, callee, limits)
    return at if rule is None else Forbidden(rule, open_times(now, callee, limits))


def _open_one(session: Session, borrower_id: str | None) -> CallBack | None:
    if borrower_id is None:
        return None
    return session.scalar(select(CallBack).where(CallBack.open_key == borrower_id))


def _put(session: Session, deps: Deps, conversation: Conversation, at: datetime, by: audit.Actor) -> Arranged:
    """Arrange a call for a borrower who is locked, or move the one there is."""
    borrower_id, now = conversation.borrower_id or "", deps.now()
    row = _open_one(session, borrower_id)
    is_moved = row is not None
    if row is None:
        # That an earlier call was given up is no news to whoever has a new one.
        earlier = (CallBack.borrower_id == borrower_id) & CallBack.open_key.is_(None) & CallBack.telling.in_(OWED)
        session.execute(update(CallBack).where(earlier).values(telling=CallTelling.DROPPED.value, tell_at=None))
        noted_by = by.id if by.kind == "operator" else None
        row = CallBack(borrower_id=borrower_id, open_key=borrower_id, asked_at=now, noted_by=noted_by)
        session.add(row)
    row.conversation_id, row.call_at = conversation.id, at
    row.telling, row.tell_at = CallTelling.TOLD.value, None
    session.flush()
    event = "call_moved" if is_moved else "call_arranged"
    audit.record(session, now, by, event, ("conversation", conversation.id), call_at=at.isoformat())
    return Arranged(at, is_moved)


def _close(session: Session, deps: Deps, row: CallBack, state: CallState, by: audit.Actor) -> CallState:
    row.state, row.open_key, row.settled_at = state.value, None, deps.now()
    row.settled_by = by.id if by.kind == "operator" else None
    audit.record(session, deps.now(), by, f"call_{state.value}", ("conversation", row.conversation_id))
    return state


def _view(session: Session, deps: Deps, row: CallBack) -> CallView:
    borrower = session.get_one(Borrower, row.borrower_id)
    noted_by = session.get(Operator, row.noted_by) if row.noted_by else None
    now = deps.now()
    return CallView(
        id=row.id,
        conversation_id=row.conversation_id,
        borrower=mask_name(deps.vault.unseal("name", borrower.name_sealed)),
        call_at=row.call_at,
        asked_at=row.asked_at,
        attempts=row.attempts,
        noted_by=noted_by.display_name if noted_by else None,
        is_told=row.telling == CallTelling.TOLD,
        is_due=row.call_at <= now,
        is_late=is_late(row.call_at, now),
    )
