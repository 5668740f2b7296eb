"""Who may read what: what is theirs, their team's, or waits for anybody; reviewers read all."""

from __future__ import annotations

import pytest

from bot.desk.ownership import SILENT, Owner, QueueReason
from bot.desk.visibility import Place, Reader, may_read

AGENT = Reader("chen", team="一组")
NO_TEAM = Reader("chen")


def test_who_reviews_reads_everything() -> None:
    assert may_read(Reader("li", reads_all=True), Place(Owner.HUMAN, "wu", team="二组"))


@pytest.mark.parametrize("reader", [AGENT, NO_TEAM])
def test_an_agent_reads_what_is_in_their_hands_and_what_they_have_written_in(reader: Reader) -> None:
    assert may_read(reader, Place(Owner.HUMAN, "chen", team="二组"))
    assert may_read(reader, Place(Owner.BOT, spoke=frozenset({"chen"})))
    assert not may_read(reader, Place(Owner.HUMAN, "wu", spoke=frozenset({"wu"})))


@pytest.mark.parametrize("owner", Owner)
def test_a_team_s_conversations_are_read_by_it_and_by_no_other_agent(owner: Owner) -> None:
    place = Place(owner, "wu" if owner is Owner.HUMAN else None, team="一组")
    assert may_read(AGENT, place)
    assert not may_read(Reader("lin", team="二组"), place)
    assert not may_read(Reader("lin"), place)


def test_two_people_in_no_team_are_no_team() -> None:
    assert not may_read(NO_TEAM, Place(Owner.HUMAN, "wu"))
    assert not may_read(NO_TEAM, Place(Owner.BOT))


def test_what_waits_and_is_no_team_s_is_everybody_s() -> None:
    assert may_read(NO_TEAM, Place(Owner.QUEUED, queue_reason=QueueReason.ASKED))
    assert not may_read(NO_TEAM, Place(Owner.QUEUED, queue_reason=QueueReason.ASKED, team="二组"))


def test_what_waits_for_a_team_in_which_nobody_is_left_is_everybody_s() -> None:
    assert may_read(NO_TEAM, Place(Owner.QUEUED, None, QueueReason.ASKED, "二组", team_has_members=False))
    assert not may_read(NO_TEAM, Place(Owner.BOT, team="二组", team_has_members=False))


@pytest.mark.parametrize("reason", sorted(SILENT))
def test_danger_is_everybody_s_until_somebody_is_there(reason: QueueReason) -> None:
    assert may_read(AGENT, Place(Owner.QUEUED, queue_reason=reason, team="二组"))
    assert not may_read(AGENT, Place(Owner.HUMAN, "wu", queue_reason=reason, team="二组"))


def test_whoever_may_decide_on_an_offer_may_read_how_it_came_about() -> None:
    assert may_read(NO_TEAM, Place(Owner.BOT, team="二组", awaits_decision=True))
