"""The chain over the audit log: what makes a changed, removed or slipped-in entry show.

Entries are written each in the transaction of its deed and wait for nobody. A sealer that follows closely gives each
committed entry the next position, and a link: a keyed hash over the link before it, the position, the instant and the
whole entry. The key is derived from the look-up key, so the database alone is not enough to make a chain that fits.
Why the chain is made afterwards: ``docs/decisions/0014-audit-chain.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from sqlalchemy import Exists, delete, func, select, text
from sqlalchemy.orm import Session

from bot.services import audit
from bot.services.deps import Deps
from bot.store.tables import AuditCheckpoint, AuditEntry, AuditLink

AT_ONCE = 500
"""Entries that are linked in one transaction."""

LOOK_BACK = 10_000
"""So many numbers below the newest linked entry the sealer looks for entries whose transaction ended later."""

LATE = timedelta(hours=1)
"""No transaction lasts that long: an entry that is older than those linked before it by more was not written then."""

_BEGINNING = "0" * 64
_ONE_SEALER = 4_276_115_021
"""Number of the advisory lock: any constant that nothing else in the database uses."""


class Fault(Enum):
    """What is wrong with the audit log at one place."""

    CHANGED = "changed"
    """An entry or its link is not as it was sealed, or links have changed places."""
    REMOVED = "removed"
    """An entry is gone although no checkpoint allows it."""
    MISSING_LINK = "missing link"
    """A position is gone from the chain."""
    BACKDATED = "backdated"
    """An entry says that it is older than others that were sealed before it, by more than ``LATE``."""
    UNSEALED = "unsealed"
    """An entry is older than others that are sealed, by more than ``LATE``, and has no link itself."""
    CHECKPOINT = "checkpoint"
    """What says that older entries were removed by retention was not written by the desk."""
    CUT_OFF = "cut off"
    """The chain does not reach, or does not agree with, the anchor that was kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; ``position`` is where in the chain, ``entry_id`` which entry, as far as there is one."""

    fault: Fault
    position: int | None = None
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the chain at some time, to be kept where whoever can write the database cannot."""

    position: int
    link: str

    def to_text(self) -> str:
        """Return it on one line."""
        return f"{self.position}:{self.link}"

    @classmethod
    def from_text(cls, written: str) -> Anchor | None:
        """Read what ``to_text`` wrote; None for anything else."""
        position, _, link = written.strip().partition(":")
        if not position.isdecimal() or len(link) != len(_BEGINNING):
            return None
        return cls(int(position), link)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain found; sound if there are no findings."""

    linked: int
    waiting: int
    """Entries that the sealer has not come to yet; nothing is known of them."""
    end: Anchor
    findings: tuple[Finding, ...]


def digest(entry: AuditEntry) -> str:
    """Return the SHA-256 of all that an entry says, 64 hexadecimal characters."""
    said = [
        entry.id,
        entry.at.isoformat(),
        entry.actor_kind,
        entry.actor_id,
        entry.event,
        entry.subject_kind,
        entry.subject_id,
        entry.detail,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def seal(deps: Deps, *, everywhere: bool = False) -> int:
    """Link what has been committed since; return how many. Of several sealers one works and the others do nothing.

    ``everywhere`` looks through the whole log for entries without a link, not only near its end.
    """
    total = 0
    while True:
        with deps.begin() as session:
            linked = _seal_some(session, deps, everywhere=everywhere)
        total += linked
        if linked < AT_ONCE:
            return total


def end(deps: Deps) -> Anchor:
    """Return the end of the chain as it is now."""
    with deps.read() as session:
        return _end(session, deps)


def verify(deps: Deps, anchor: Anchor | None = None) -> Verified:
    """Follow the whole chain and compare it with the log; changes nothing."""
    with deps.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        start, faults = _start(session, deps)
        last, linked, found = _follow(session, deps, start, anchor)
        newest = session.scalar(select(func.max(AuditEntry.at)).join(AuditLink, AuditLink.entry_id == AuditEntry.id))
        unlinked = session.execute(
            select(AuditEntry.id, AuditEntry.at).where(~_is_linked()).order_by(AuditEntry.id)
        ).all()
        late = [row.id for row in unlinked if newest is not None and row.at < newest - LATE]
    faults += found + [Finding(Fault.UNSEALED, entry_id=each) for each in late]
    if anchor is not None and anchor.position > last.position:
        faults.append(Finding(Fault.CUT_OFF, position=anchor.position))
    return Verified(linked, len(unlinked) - len(late), last, tuple(faults))


def remove_before(deps: Deps, before: datetime) -> int:
    """Delete entries older than an instant, at a checkpoint that says so; return how many.

    Only from the beginning of the chain, and only what is linked: the rest can still be followed from the checkpoint.
    """
    with deps.begin() as session:
        if not _is_my_turn(session):
            return 0
        kept = session.scalar(
            select(func.min(AuditLink.position))
            .join(AuditEntry, AuditEntry.id == AuditLink.entry_id)
            .where(AuditEntry.at >= before)
        )
        # The last link always stays: the next one is made from it.
        last = session.scalar(select(func.max(AuditLink.position)))
        if last is None:
            return 0
        upto = min(kept - 1 if kept is not None else last, last - 1)
        removed = session.get(AuditLink, upto)
        if removed is None:
            return 0
        old = select(AuditLink.entry_id).where(AuditLink.position <= upto)
        gone = session.execute(
            delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.id),
            execution_options={"synchronize_session": False},
        ).all()
        link = removed.link
        session.execute(
            delete(AuditLink).where(AuditLink.position <= upto), execution_options={"synchronize_session": False}
        )
        session.execute(delete(AuditCheckpoint))
        session.add(AuditCheckpoint(position=upto, link=link, made_at=deps.now(), mac=_mac(deps, upto, link)))
        audit.record(session, deps.now(), audit.SYSTEM, "audit_removed", ("desk", "audit"), count=len(gone), upto=upto)
        return len(gone)


def _seal_some(session: Session, deps: Deps, *, everywhere: bool) -> int:
    if not _is_my_turn(session):
        return 0
    last = _end(session, deps)
    waiting = select(AuditEntry).where(~_is_linked()).order_by(AuditEntry.id).limit(AT_ONCE)
    if not everywhere:
        newest = session.scalar(select(func.max(AuditLink.entry_id))) or 0
        waiting = waiting.where(AuditEntry.id > newest - LOOK_BACK)
    now = deps.now().astimezone(UTC)
    entries = session.scalars(waiting).all()
    for entry in entries:
        position = last.position + 1
        last = Anchor(position, _link(deps, last.link, position, now, digest(entry)))
        session.add(AuditLink(position=position, entry_id=entry.id, sealed_at=now, link=last.link))
    return len(entries)


def _follow(session: Session, deps: Deps, start: Anchor, anchor: Anchor | None) -> tuple[Anchor, int, list[Finding]]:
    """Go along the chain from a place that is known to be sound."""
    last, linked, newest = start, 0, None
    findings: list[Finding] = []
    for link, entry in _links(session):
        linked += 1
        if link.position != last.position + 1:
            findings.append(Finding(Fault.MISSING_LINK, position=last.position + 1))
        elif entry is None:
            findings.append(Finding(Fault.REMOVED, link.position, link.entry_id))
        elif link.link != _link(deps, last.link, link.position, link.sealed_at, digest(entry)):
            findings.append(Finding(Fault.CHANGED, link.position, link.entry_id))
        if entry is not None:
            if newest is not None and entry.at < newest - LATE:
                findings.append(Finding(Fault.BACKDATED, link.position, entry.id))
            newest = max(newest or entry.at, entry.at)
        # Whatever was found: what follows is judged by the link that is there, so that one change shows once.
        last = Anchor(link.position, link.link)
        if anchor is not None and anchor.position == link.position and anchor.link != link.link:
            findings.append(Finding(Fault.CUT_OFF, link.position, link.entry_id))
    return last, linked, findings


def _links(session: Session) -> Iterator[tuple[AuditLink, AuditEntry | None]]:
    after = -1
    while True:
        rows = session.execute(
            select(AuditLink, AuditEntry)
            .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
            .where(AuditLink.position > after)
            .order_by(AuditLink.position)
            .limit(AT_ONCE)
        ).all()
        if not rows:
            return
        for link, entry in rows:
            yield link, entry
            after = link.position
        session.expunge_all()


def _start(session: Session, deps: Deps) -> tuple[Anchor, list[Finding]]:
    """Return where the chain begins: at the checkpoint of the last removal, if that is genuine."""
    made = session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.position)).all()
    return _known(deps, made)


def _known(deps: Deps, made: Iterable[AuditCheckpoint]) -> tuple[Anchor, list[Finding]]:
    start, findings = Anchor(0, _BEGINNING), []
    for each in made:
        if not deps.vault.matches("audit checkpoint", f"{each.position}\n{each.link}", each.mac):
            findings.append(Finding(Fault.CHECKPOINT, each.position))
        start = Anchor(each.position, each.link)
    return start, findings


def _end(session: Session, deps: Deps) -> Anchor:
    last = session.scalars(select(AuditLink).order_by(AuditLink.position.desc()).limit(1)).first()
    return Anchor(last.position, last.link) if last is not None else _start(session, deps)[0]


def _is_my_turn(session: Session) -> bool:
    """Whether nobody else is sealing; SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_ONE_SEALER))))


def _is_linked() -> Exists:
    return select(AuditLink.position).where(AuditLink.entry_id == AuditEntry.id).exists()


def _link(deps: Deps, before: str, position: int, sealed_at: datetime, entry_digest: str) -> str:
    return deps.vault.lookup("audit link", f"{before}\n{position}\n{sealed_at.isoformat()}\n{entry_digest}")


def _mac(deps: Deps, position: int, link: str) -> str:
    return deps.vault.lookup("audit checkpoint", f"{position}\n{link}")
