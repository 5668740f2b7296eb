"""What a conversation may see, by how its identity was proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum


class Level(IntEnum):
    """How sure the desk is of whom it is talking to."""

    ANONYMOUS = 0
    BOUND = 1
    VERIFIED = 2


@dataclass(frozen=True, slots=True)
class Proof:
    """What is on record about a conversation's identity. Instants are aware."""

    borrower_id: str | None
    verified_at: datetime | None
    last_inbound_at: datetime | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking. ``borrower_id`` is set from level 1 on; only level 2 may see facts about a debt."""

    level: Level
    borrower_id: str | None
    is_fresh: bool


def viewer(proof: Proof, now: datetime, idle: timedelta, fresh: timedelta) -> Viewer:
    """Decide the level that a proof still gives at an instant.

    Level 2 lapses when the borrower has been silent for ``idle``, counted from the later of the proof and the last
    message. ``is_fresh`` says that the proof itself is younger than ``fresh``, which agreeing to a plan needs.
    A proof dated in the future proves nothing (fail closed).
    """
    if proof.borrower_id is None:
        return Viewer(Level.ANONYMOUS, None, is_fresh=False)
    if proof.verified_at is None or proof.verified_at > now:
        return Viewer(Level.BOUND, proof.borrower_id, is_fresh=False)
    last = max(proof.verified_at, proof.last_inbound_at or proof.verified_at)
    if now - last >= idle:
        return Viewer(Level.BOUND, proof.borrower_id, is_fresh=False)
    return Viewer(Level.VERIFIED, proof.borrower_id, is_fresh=now - proof.verified_at < fresh)
