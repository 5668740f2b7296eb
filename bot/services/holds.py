"""Holds: which are open, placing and lifting them, and the ledger of every pause there has been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, or_, select, union, union_all
from sqlalchemy.orm import Session

from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.store.base import UtcDateTime
from bot.store.tables import Borrower, Conversation, Hold

JOINED = "hold_joined"
"""What is on record of a hold that was placed before its borrower had proved who they are, once they have."""

CHANGED = "hold_changed"
"""What is on record of a hold that was given another end or reason."""

_WISHES = frozenset({HoldKind.OPT_OUT, HoldKind.PAUSE})


class PausedBy(StrEnum):
    """Who placed a hold: the borrower by their own wish, the desk by a rule, or an operator."""

    BORROWER = "borrower"
    DESK = "desk"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class OpenHolds:
    """The kinds of holds that stand, over all of a borrower's conversations and debts."""

    kinds: frozenset[HoldKind]

    @property
    def silencing(self) -> frozenset[HoldKind]:
        """Holds under which the bot agrees to nothing: distress, death, whoever cannot act for themselves (P7)."""
        return self.kinds & {HoldKind.DISTRESS, HoldKind.DECEASED, HoldKind.INCAPACITY, HoldKind.MINOR}


@dataclass(frozen=True, slots=True)
class Placed:
    """The open hold of a kind; ``is_new`` says that it was placed now and not before."""

    hold_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """One line of the ledger: who paused contact, why, since when, and how it ended. All instants are aware.

    ``until`` is the end it was given when it was placed, if any. ``lifted_by`` is the operator who lifted it; None
    for one that the borrower took back, that the desk ended by a rule, or that is not lifted.
    """

    hold_id: str
    kind: HoldKind
    paused_by: PausedBy
    operator_id: str | None
    reason: str | None
    debt_id: str | None
    since: datetime
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None

    def ended_at(self, now: datetime) -> datetime | None:
        """When it ended, by being lifted or of itself; None while it stands at ``now`` (aware)."""
        ends = [at for at in (self.lifted_at, self.until) if at is not None and at <= now]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class About:
    """What something to be sent is about, as far as holds depend on it.

    ``debt_ids`` are the debts it speaks of, None where that is not known: then every hold counts. ``is_case_news``:
    it tells what became of something that the borrower raised, and so is not silenced by having been raised.
    """

    debt_ids: frozenset[str] | None = None
    is_case_news: bool = False

    def is_silenced_by(self, kind: HoldKind, debt_id: str | None) -> bool:
        """Whether a hold, on one debt or (None) on all, concerns it: a dispute silences the disputed debt only (F6)."""
        if self.is_case_news and kind in (HoldKind.DISPUTE, HoldKind.COMPLAINT):
            return False
        is_elsewhere = debt_id is not None and self.debt_ids is not None and debt_id not in self.debt_ids
        return kind is not HoldKind.DISPUTE or not is_elsewhere


ANYTHING = About()


def standing(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition that a hold stands at ``now`` (aware): not lifted, and its own end not reached."""
    return and_(Hold.lifted_at.is_(None), or_(Hold.until.is_(None), Hold.until > now))


_WHOSE: BindParameter[str] = bindparam("borrower_ids", expanding=True)
_LIVING = select(Borrower.id).where(Borrower.id.in_(_WHOSE), Borrower.deceased.is_(False))
_STANDS = standing(bindparam("now", type_=UtcDateTime))
_STANDING = union_all(  # each over an index; as one condition over two tables the database would read every hold
    select(Hold.borrower_id, Hold.kind, Hold.debt_id).where(Hold.borrower_id.in_(_WHOSE), _STANDS),
    select(Conversation.borrower_id, Hold.kind, Hold.debt_id)
    .join(Conversation, Conversation.id == Hold.conversation_id)
    .where(Conversation.borrower_id.in_(_WHOSE), _STANDS),
)
"""The holds that stand on borrowers and on their conversations."""


def open_holds(session: Session, borrower_id: str, now: datetime, about: About = ANYTHING) -> OpenHolds:
    """Return every hold on a borrower that stands at ``now`` (aware) and concerns what is to be said.

    Death on record is included.
    """
    return open_holds_of_all(session, (borrower_id,), now, {borrower_id: about})[borrower_id]


def open_holds_of_all(
    session: Session, borrower_ids: Sequence[str], now: datetime, abouts: Mapping[str, About] | None = None
) -> dict[str, OpenHolds]:
    """Return the same for each of some borrowers; one who is not on record is taken for dead.

    ``abouts`` says what is to be said to whom; where it says nothing every hold counts.
    """
    abouts = abouts or {}
    kinds: dict[str, set[HoldKind]] = {borrower_id: {HoldKind.DECEASED} for borrower_id in borrower_ids}
    for borrower_id in session.scalars(_LIVING, {"borrower_ids": borrower_ids}):
        kinds[borrower_id].clear()
    for held_id, kind, debt_id in session.execute(_STANDING, {"borrower_ids": borrower_ids, "now": now}):
        if held_id is not None and abouts.get(held_id, ANYTHING).is_silenced_by(HoldKind(kind), debt_id):
            kinds[held_id].add(HoldKind(kind))
    return {borrower_id: OpenHolds(frozenset(kinds[borrower_id])) for borrower_id in borrower_ids}


def holds_on(session: Session, conversation: Conversation, now: datetime, about: About = ANYTHING) -> OpenHolds:
    """Return what stands on a conversation and, where it is bound to one, on its borrower, at ``now`` (aware)."""
    rows = session.execute(
        select(Hold.kind, Hold.debt_id).where(Hold.conversation_id == conversation.id, standing(now))
    )
    kinds = frozenset(HoldKind(kind) for kind, debt_id in rows if about.is_silenced_by(HoldKind(kind), debt_id))
    if conversation.borrower_id is None:
        return OpenHolds(kinds)
    return OpenHolds(kinds | open_holds(session, conversation.borrower_id, now, about).kinds)


def place(
    session: Session,
    now: datetime,
    kind: HoldKind,
    *,
    borrower_id: str | None = None,
    conversation_id: str | None = None,
    debt_id: str | None = None,
    reason: str | None = None,
    placed_by: str | None = None,
    until: datetime | None = None,
) -> Placed:
    """Place a hold inside an open transaction at ``now`` (aware), once while one of the kind stands in the same place.

    The place is the conversation where one is given, else the borrower, and the debt if it is about one. ``placed_by``
    is an operator's id, None for the desk or the borrower; ``until`` (aware) is when it ends of itself. Placed again,
    it takes the borrower it was missing, and the end and reason now given: the last word counts.

    Raises:
        ValueError: neither a borrower nor a conversation is given.
    """
    if borrower_id is None and conversation_id is None:
        raise ValueError("a hold is placed on a borrower or on a conversation")
    here = Hold.conversation_id == conversation_id if conversation_id is not None else Hold.borrower_id == borrower_id
    hold = session.scalar(
        select(Hold).where(here, Hold.kind == kind, Hold.debt_id == debt_id, standing(now)).order_by(Hold.placed_at)
    )
    if hold is not None:
        if borrower_id is not None:
            join(session, now, hold, borrower_id)
        if (until, reason) not in ((None, None), (hold.until, hold.reason)):
            hold.until, hold.reason = until, reason
            audit.record(session, now, _actor(kind, placed_by), CHANGED, ("hold", hold.id), kind=kind.value)
        return Placed(hold.id, is_new=False)
    hold = Hold(
        borrower_id=borrower_id,
        conversation_id=conversation_id,
        debt_id=debt_id,
        kind=kind.value,
        reason=reason,
        placed_at=now,
        placed_by=placed_by,
        until=until,
    )
    session.add(hold)
    session.flush()
    place_of = ("conversation", conversation_id) if conversation_id is not None else ("borrower", borrower_id or "")
    audit.record(session, now, _actor(kind, placed_by), "hold_placed", place_of, kind=kind.value)
    return Placed(hold.id, is_new=True)


def join(session: Session, now: datetime, hold: Hold, borrower_id: str) -> None:
    """Make a hold of nobody in particular this borrower's, on record, inside an open transaction at ``now`` (aware)."""
    if hold.borrower_id is None:
        hold.borrower_id = borrower_id
        audit.record(session, now, audit.BOT, JOINED, ("hold", hold.id), borrower=borrower_id)


def lift(session: Session, deps: Deps, hold_id: str, *, lifted_by: str | None) -> bool:
    """Lift a hold inside an open transaction; False if it is unknown or stands no more.

    ``lifted_by`` is the operator who decides; None when the borrower takes back their own wish, or a rule of the desk
    ends it.
    """
    now = deps.now()
    _plan_again(session, hold_id, now)
    hold = session.scalar(select(Hold).where(Hold.id == hold_id, standing(now)).with_for_update())
    if hold is None:
        return False
    hold.lifted_at, hold.lifted_by = now, lifted_by
    actor = _actor(HoldKind(hold.kind), lifted_by)
    audit.record(session, now, actor, "hold_lifted", ("hold", hold_id), kind=hold.kind)
    return True


def ledger_of(session: Session, borrower_id: str) -> tuple[Pause, ...]:
    """Return every hold there has been on a borrower, the oldest first; death on record is not one of them."""
    rows = session.scalars(select(Hold).where(_concerning(borrower_id)).order_by(Hold.placed_at, Hold.id))
    return tuple(map(_pause, rows))


def _plan_again(session: Session, hold_id: str, now: datetime) -> None:
    """Have notices planned anew that a hold kept back. Placing one needs no plan: the gate refuses what falls due."""
    whose = (
        select(func.coalesce(Hold.borrower_id, Conversation.borrower_id))
        .outerjoin(Conversation, Conversation.id == Hold.conversation_id)
        .where(Hold.id == hold_id)
    )
    if (borrower_id := session.scalar(whose)) is not None:
        touch(session, borrower_id, now)


def _concerning(borrower_id: str) -> ColumnElement[bool]:
    # Two selections, each over an index. As one condition over two tables the database would read every hold.
    own = select(Hold.id).where(Hold.borrower_id == borrower_id)
    in_their_conversations = (
        select(Hold.id)
        .join(Conversation, Conversation.id == Hold.conversation_id)
        .where(Conversation.borrower_id == borrower_id)
    )
    return Hold.id.in_(union(own, in_their_conversations))


def _actor(kind: HoldKind, operator_id: str | None) -> audit.Actor:
    if operator_id is not None:
        return audit.Actor("operator", operator_id)
    return audit.Actor("borrower") if kind in _WISHES else audit.BOT


def _pause(hold: Hold) -> Pause:
    kind = HoldKind(hold.kind)
    wished = PausedBy.BORROWER if kind in _WISHES else PausedBy.DESK
    return Pause(
        hold_id=hold.id,
        kind=kind,
        paused_by=PausedBy.OPERATOR if hold.placed_by is not None else wished,
        operator_id=hold.placed_by,
        reason=hold.reason,
        debt_id=hold.debt_id,
        since=hold.placed_at,
        until=hold.until,
        lifted_at=hold.lifted_at,
        lifted_by=hold.lifted_by,
    )
