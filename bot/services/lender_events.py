"""What the lender's core system is told: outcomes and contacts, in one order, each once.

Events are read off the tables that hold what happened, by a sweep, so that no use case has to think of them and none
waits for them. A sweep looks back a little further than what the last one saw: what was committed late is found too,
and the key keeps everything else from being told twice. Each process writes by a clock of its own, so now and then a
sweep looks back as far as a clock may be wrong. One process at a time gives numbers, so they appear in order and
whoever has read up to a number misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.services.deps import Deps
from bot.services.lender_event_sources import SOURCES, Numbers, Source
from bot.store import tables as t

LOOK_BACK = timedelta(minutes=10)
"""Longer than any transaction of the desk takes."""

WRONG_CLOCK = timedelta(days=2)
"""A clock of the desk's may be wrong by less than this, and all that others write is told nevertheless."""

FAR_LOOK_EVERY = timedelta(minutes=10)
"""How often a sweep looks back over ``WRONG_CLOCK``: for what was written by a clock behind that of others."""

KEPT = timedelta(days=400)
"""How long events can be read; they hold numbers of contracts, sums and days."""

MOST_AT_ONCE = 1_000

_MOST_READ = 500
"""Events of one source written down in one transaction."""

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_ONE_AT_A_TIME = "lender"
"""The mark whose row a process holds while it gives numbers."""


@dataclass(frozen=True, slots=True)
class EventView:
    """One event as it is told. ``detail`` holds no personal data but the numbers of contracts."""

    seq: int
    kind: str
    happened_at: datetime
    detail: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the event as other systems get it; instants in UTC."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "happened_at": self.happened_at.isoformat().replace("+00:00", "Z"),
            "detail": self.detail,
        }


def sweep(deps: Deps) -> int:
    """Write down what has happened since the last sweep; returns how many events are new."""
    return sum(_read_source(deps, source) for source in SOURCES)


def feed(deps: Deps, after: int, most: int = MOST_AT_ONCE) -> tuple[EventView, ...]:
    """Return events with a higher number, in order, at most ``most``."""
    with deps.read() as session:
        rows = session.scalars(
            select(t.LenderEvent).where(t.LenderEvent.seq > after).order_by(t.LenderEvent.seq).limit(most)
        )
        return tuple(EventView(row.seq, row.kind, row.happened_at, row.detail) for row in rows)


def last_seq(session: Session) -> int:
    """Return the number of the newest event, 0 when there is none."""
    return session.scalar(select(func.max(t.LenderEvent.seq))) or 0


def forget_old(deps: Deps) -> int:
    """Delete events that have been kept long enough, with their deliveries; returns how many."""
    old = select(t.LenderEvent.seq).where(t.LenderEvent.recorded_at < deps.now() - KEPT)
    with deps.begin() as session:
        session.execute(delete(t.WebhookDelivery).where(t.WebhookDelivery.event_seq.in_(old)))
        gone = session.execute(delete(t.LenderEvent).where(t.LenderEvent.seq.in_(old)).returning(t.LenderEvent.seq))
        return len(gone.all())


def _read_source(deps: Deps, source: Source) -> int:
    now = deps.now()
    try:
        with deps.begin() as session:
            _mark(session, _ONE_AT_A_TIME)
            mark, far = _mark(session, source.name), _mark(session, f"{source.name}:far")
            looks_far = not timedelta(0) <= now - far.read_until < FAR_LOOK_EVERY
            back = WRONG_CLOCK if looks_far else LOOK_BACK
            found = source.new(session, min(mark.read_until, now) - back, _MOST_READ)
            before, numbers = last_seq(session), Numbers(session, found)
            for seq, one in enumerate(found, start=before + 1):
                session.add(
                    t.LenderEvent(
                        seq=seq,
                        key=source.key_of(one.subject),
                        kind=one.kind,
                        happened_at=one.at,
                        recorded_at=now,
                        detail={"debts": numbers.of(one), **one.detail},
                    )
                )
            # What was seen, not the hour: by this clock what others are about to write may lie far back. An hour that
            # nobody's clock can still show need not be looked at again.
            seen = min(max((one.at for one in found), default=_BEGINNING), now)
            if len(found) < _MOST_READ:
                seen = max(seen, now - WRONG_CLOCK)
                if looks_far:
                    far.read_until = now
            mark.read_until = max(mark.read_until, seen)
            return len(found)
    except IntegrityError:  # two began at the same moment: the other one has read it
        return 0


def _mark(session: Session, source: str) -> t.LenderEventMark:
    mark = session.get(t.LenderEventMark, source, with_for_update=True)
    if mark is None:
        mark = t.LenderEventMark(source=source, read_until=_BEGINNING)
        session.add(mark)
        session.flush()
    return mark
