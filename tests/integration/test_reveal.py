"""What is masked about a borrower is shown for a reason, to the roles that need it, once, and on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.desk.ownership import Owner
from bot.identity.masking import Detail, may_reveal
from bot.identity.roles import Role
from bot.services.deps import Deps
from bot.store.tables import AuditEntry
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, Talk, a_borrower, a_conversation

NAME, PHONE, ID = "王小明", "13800000001", "110101199001010014"


@pytest.fixture
def console(deps: Deps, clock: SetClock) -> ConsoleBrowser:
    return ConsoleBrowser(deps, clock)


def details_in(page: str) -> set[Detail]:
    """Which of the borrower's details stand on a page in clear."""
    said = {Detail.NAME: NAME, Detail.PHONE: PHONE, Detail.ID_TAIL: f"尾号 {ID[-4:]}"}
    return {detail for detail, text in said.items() if text in page}


@pytest.mark.parametrize("role", Role)
def test_a_page_is_masked_until_a_reason_is_given_and_again_afterwards(console: ConsoleBrowser, role: Role) -> None:
    me = console.log_in_as(role)
    borrower = a_borrower(console.deps, NAME, PHONE, ID)
    chat = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me, borrower_id=borrower))
    assert details_in(console.shown(f"/c/{chat}")) == set()
    answer = console.send(f"/c/{chat}/reveal", reason="call_back")
    allowed = may_reveal(role, has_in_hand=True)
    assert answer.status_code == (200 if allowed else 403)
    assert details_in(answer.text) == allowed
    assert ID not in answer.text
    assert details_in(console.shown(f"/c/{chat}")) == set()
    with console.deps.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.event == "details_revealed")).all()
    told = [(entry.actor_id, entry.subject_id, entry.detail["reason"], entry.detail["details"]) for entry in entries]
    assert told == ([(me, chat, "call_back", ",".join(sorted(allowed)))] if allowed else [])
    assert PHONE not in str([entry.detail for entry in entries])


def test_an_agent_has_to_have_the_conversation_in_hand(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.AGENT)
    chat = a_conversation(console.deps, Talk(borrower_id=a_borrower(console.deps, NAME, PHONE, ID)))
    answer = console.send(f"/c/{chat}/reveal", reason="letter")
    assert answer.status_code == 409
    assert "要先接手" in answer.text
    assert details_in(answer.text) == set()


def test_without_a_reason_there_is_nothing_to_see_and_of_nobody_neither(console: ConsoleBrowser) -> None:
    console.log_in_as(Role.SUPERVISOR)
    chat = a_conversation(console.deps, Talk(borrower_id=a_borrower(console.deps, NAME, PHONE, ID)))
    assert console.send(f"/c/{chat}/reveal").status_code == 422
    assert console.send(f"/c/{chat}/reveal", reason="curious").status_code == 422
    nobody = console.send(f"/c/{a_conversation(console.deps)}/reveal", reason="letter")
    assert (nobody.status_code, "还没有核实身份" in nobody.text) == (409, True)


def test_only_whoever_answers_is_offered_replies_to_start_from(console: ConsoleBrowser) -> None:
    me = console.log_in_as(Role.AGENT)
    mine = a_conversation(console.deps, Talk(owner=Owner.HUMAN, operator_id=me))
    page = console.shown(f"/c/{mine}")
    assert all(one.text in page for replies in console.deps.canned.by_stage.values() for one in replies)
    assert "data-insert" not in console.shown(f"/c/{a_conversation(console.deps)}")
