"""Which conversations an operator may read: one rule for inbox, search, transcript, replay and export. Pure.

It is the rule in words and the oracle of the tests: pages ask the database, in the words of
``bot.services.reading_rights``, and ``tests/integration/test_reading_rights.py`` compares the two place by place.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.desk.ownership import SILENT, Owner, QueueReason


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read. ``team`` None is nobody's team: two such operators are no team together.

    ``reads_all`` holds for who answers for what others said, or reviews it.
    """

    operator_id: str
    reads_all: bool = False
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation stands.

    ``team`` answers for it, None while nobody has taken it; ``team_has_members`` says that somebody in it may take
    conversations. ``spoke`` are the operators who have written in it, ``awaits_decision`` says that an offer made in it
    waits for somebody's approval, ``awaits_call`` that its borrower is to be called.
    """

    owner: Owner
    owner_operator_id: str | None = None
    queue_reason: QueueReason | None = None
    team: str | None = None
    team_has_members: bool = True
    spoke: frozenset[str] = frozenset()
    awaits_decision: bool = False
    awaits_call: bool = False


def may_read(reader: Reader, place: Place) -> bool:
    """Tell whether an operator may read a conversation.

    Who reviews reads all. An agent reads what is in their hands, what they have written in, what belongs to their
    team, and what waits, for an answer or a call, and is no team's, or that of a team in which nobody is left. Danger
    and a waiting decision are everybody's: whoever is there first helps.
    """
    if reader.reads_all:
        return True
    if reader.operator_id == place.owner_operator_id or reader.operator_id in place.spoke:
        return True
    if place.team is not None and place.team == reader.team:
        return True
    no_team_helps = place.team is None or not place.team_has_members
    waits_for_anyone = place.owner is Owner.QUEUED and (no_team_helps or place.queue_reason in SILENT)
    call_for_anyone = place.awaits_call and no_team_helps
    return waits_for_anyone or call_for_anyone or place.awaits_decision
