"""The database gives agents exactly what the rule of visibility allows, in every place where conversations are read."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import select

from bot.desk.ownership import Owner, QueueReason
from bot.desk.visibility import Place, Reader, may_read
from bot.identity.roles import Role
from bot.services import assignment, handoff, inbox, reading_rights
from bot.services.approvals import ApprovalState
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.handoff import Done, Refusal
from bot.services.operators import OperatorView
from bot.services.replay import replay
from bot.services.search import Wanted, search
from bot.store.tables import Approval, AuditEntry, Conversation
from tests.builders.approvals import an_approval
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import Said, SetClock, Talk, a_conversation, an_operator
from tests.builders.review import indexed

REASONS = (QueueReason.DISTRESS, QueueReason.ASKED)
LEFT_ALONE = "三组"
"""A team in which nobody is who may answer borrowers."""

TEAMS = (None, "一组", "二组", LEFT_ALONE)


def an_agent(deps: Deps, login: str, team: str | None, role: Role = Role.AGENT) -> OperatorView:
    return OperatorView(an_operator(deps, login, login, role, team), login, login, role, "csrf", team)


def every_place(deps: Deps, spoke: str, colleague: str) -> dict[str, Place]:
    """Store a conversation for every state it can be in; returns them by id."""
    places = {}
    for owner, reason, team, has_spoken in product(Owner, REASONS, TEAMS, (False, True)):
        hand = colleague if owner is Owner.HUMAN else None
        queued = reason if owner in (Owner.QUEUED, Owner.HUMAN) else None
        said = (Said("在吗"), *([Said("您好", author=Author.OPERATOR, operator_id=spoke)] if has_spoken else []))
        talk = Talk(said=said, owner=owner, reason=queued, operator_id=hand, team=team)
        spoken = frozenset({spoke} if has_spoken else ())
        places[a_conversation(deps, talk)] = Place(owner, hand, queued, team, team != LEFT_ALONE, spoken)
    return places


def test_list_search_replay_and_transcript_hold_what_the_rule_allows_and_nothing_else(deps: Deps) -> None:
    chen, wu = an_agent(deps, "chen", "一组"), an_agent(deps, "wu", "二组")
    an_agent(deps, "rui", LEFT_ALONE, Role.COMPLIANCE)
    places = every_place(deps, spoke=chen.id, colleague=wu.id)
    indexed(deps)
    for operator in (chen, wu, an_agent(deps, "lin", None), an_agent(deps, "boss", None, Role.SUPERVISOR)):
        allowed = {each for each, place in places.items() if may_read(operator.reader, place)}
        assert {row.id for row in inbox.listing(deps, operator.reader)} == allowed
        hits, cursor = set(), ""
        while True:
            page = search(deps, operator, Wanted(words="在吗"), cursor)
            hits |= {hit.conversation_id for hit in page.hits}
            if (cursor := page.cursor or "") == "":
                break
        assert hits == allowed
        assert {each for each in places if reading_rights.may_read(deps, operator.reader, each)} == allowed
    some = sorted(places)[::7]
    assert [replay(deps, chen, each) is not None for each in some] == [
        may_read(chen.reader, places[each]) for each in some
    ]


def test_a_waiting_decision_is_everybody_s_wherever_the_conversation_stands(deps: Deps) -> None:
    asked = an_approval(deps)
    chen, wu = an_agent(deps, "chen", "一组"), an_agent(deps, "wu", "二组")
    for state, owner, reason, team in product(
        (ApprovalState.WAITING, ApprovalState.APPROVED), Owner, REASONS[1:], TEAMS
    ):
        place = Place(
            owner,
            wu.id if owner is Owner.HUMAN else None,
            reason if owner in (Owner.QUEUED, Owner.HUMAN) else None,
            team,
            team != LEFT_ALONE,
            awaits_decision=state is ApprovalState.WAITING,
        )
        with deps.begin() as session:
            session.get_one(Approval, asked.id).state = state.value
            row = session.get_one(Conversation, asked.conversation_id)
            row.owner, row.owner_operator_id, row.team = owner.value, place.owner_operator_id, team
            row.queue_reason = place.queue_reason.value if place.queue_reason else None
        for reader in (chen.reader, Reader("nobody")):
            found = reading_rights.may_read(deps, reader, asked.conversation_id)
            assert found == may_read(reader, place), (reader, place)


def test_what_waits_for_a_team_whose_last_member_leaves_waits_for_everybody(deps: Deps) -> None:
    chen, boss = an_agent(deps, "chen", "一组"), an_agent(deps, "boss", None, Role.SUPERVISOR)
    an_agent(deps, "wu", "二组")
    theirs = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team="二组"))
    assert handoff.take(deps, theirs, chen.id) is Refusal.UNKNOWN
    assert assignment.put_into_team(deps, "wu", None) is None
    assert {row.id for row in inbox.listing(deps, chen.reader)} == {theirs}
    assert assignment.assign_to_team(deps, boss, theirs, "二组") is Refusal.NO_SUCH_COLLEAGUE
    assert handoff.take(deps, theirs, chen.id) == Done(Owner.HUMAN)


def test_an_agent_cannot_take_what_is_another_team_s(deps: Deps) -> None:
    chen = an_agent(deps, "chen", "一组")
    an_agent(deps, "wu", "二组")
    theirs = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team="二组"))
    assert handoff.take(deps, theirs, chen.id) is Refusal.UNKNOWN


def test_what_somebody_takes_becomes_their_team_s_and_stays_so(deps: Deps) -> None:
    chen, colleague = an_agent(deps, "chen", "一组"), an_agent(deps, "wu", "一组")
    stranger = an_agent(deps, "lin", "二组")
    chat = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team=None))
    assert handoff.take(deps, chat, chen.id) == Done(Owner.HUMAN)
    assert handoff.give_back(deps, chat, chen.id) == Done(Owner.BOT)
    assert reading_rights.may_read(deps, colleague.reader, chat)
    assert not reading_rights.may_read(deps, stranger.reader, chat)


def test_a_supervisor_gives_a_conversation_to_a_person_or_a_team(deps: Deps) -> None:
    boss, chen = an_agent(deps, "boss", None, Role.SUPERVISOR), an_agent(deps, "chen", "一组")
    lin = an_agent(deps, "lin", "二组")
    chat = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team=None))
    assert assignment.assign_to_team(deps, boss, chat, "二组") == Done(Owner.QUEUED)
    assert not reading_rights.may_read(deps, chen.reader, chat)
    assert assignment.assign_to_person(deps, boss, chat, chen.id) == Done(Owner.HUMAN)
    assert reading_rights.may_read(deps, chen.reader, chat)
    assert not reading_rights.may_read(deps, lin.reader, chat)
    assert assignment.assign_to_person(deps, boss, chat, lin.id) == Done(Owner.HUMAN)
    with deps.read() as session:
        row = session.get_one(Conversation, chat)
        assert (row.owner_operator_id, row.team) == (lin.id, "二组")
        events = session.scalars(select(AuditEntry.event).where(AuditEntry.actor_id == boss.id)).all()
    assert events == ["assigned_to_team", "assigned", "assigned"]


def test_nothing_is_given_to_whoever_cannot_answer_or_to_no_team_there_is(deps: Deps) -> None:
    boss = an_agent(deps, "boss", None, Role.SUPERVISOR)
    reviewer = an_agent(deps, "rui", None, Role.COMPLIANCE)
    chat = a_conversation(deps)
    assert assignment.assign_to_person(deps, boss, chat, reviewer.id) is Refusal.NO_SUCH_COLLEAGUE
    assert assignment.assign_to_person(deps, boss, chat, "0" * 32) is Refusal.NO_SUCH_COLLEAGUE
    assert assignment.assign_to_team(deps, boss, chat, "九组") is Refusal.NO_SUCH_COLLEAGUE
    assert assignment.assign_to_team(deps, reviewer, chat, None) is Refusal.UNKNOWN


def test_whom_somebody_was_put_into_a_team_sees_it_from_then_on(deps: Deps) -> None:
    login = an_agent(deps, "chen", None)
    chat = a_conversation(deps, Talk(team="一组"))
    assert assignment.put_into_team(deps, "chen", "一组") is None
    assert reading_rights.may_read(deps, Reader(login.id, team="一组"), chat)
    assert assignment.put_into_team(deps, "nobody", "一组") is assignment.TeamRefusal.UNKNOWN
    assert assignment.put_into_team(deps, "chen", "组" * 41) is assignment.TeamRefusal.NAME_TOO_LONG


def test_whoever_reached_for_it_too_late_is_told_that_a_colleague_has_it(deps: Deps, clock: SetClock) -> None:
    console = ConsoleBrowser(deps, clock)
    console.log_in_as(Role.AGENT)
    wu = an_agent(deps, "wu", "二组")
    chat = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team=None))
    handoff.take(deps, chat, wu.id)
    answer = console.send(f"/c/{chat}/take")
    assert (answer.status_code, "已经有同事接手" in answer.text) == (409, True)


@pytest.mark.parametrize("over", ["", "yes"])
def test_no_route_that_names_a_conversation_gives_or_does_anything_to_another_team_s(
    deps: Deps, clock: SetClock, over: str
) -> None:
    console = ConsoleBrowser(deps, clock)
    console.log_in_as(Role.AGENT)
    an_agent(deps, "wu", "二组")
    theirs = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, team="二组"))
    csrf = console.csrf
    routes = [route for route in console.router.routes if "{conversation_id}" in getattr(route, "path", "")]
    assert len(routes) >= 11
    for route in routes:
        address = route.path.format(conversation_id=theirs, hold_id="0" * 32, note_id="0" * 32)  # type: ignore[attr-defined]
        (method,) = route.methods  # type: ignore[attr-defined]
        form = {"csrf": csrf, "over": over, "text": "您好"} if method == "POST" else None
        answer = console.browser.request(method, address, data=form)
        needs_more = answer.status_code == 403 and "没有这项权限" in answer.text
        assert answer.status_code == 404 or needs_more, (method, route.path, answer.status_code)  # type: ignore[attr-defined]
    assert console.told == []
