"""Whatever can be put on record of a conversation is told in words where it is replayed, and people by their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape

from bot.care.vulnerability import Vulnerability
from bot.console.rendering import Pages
from bot.desk.calls import CallOutcome, CallState
from bot.desk.ownership import Owner, QueueReason
from bot.identity.masking import Detail
from bot.identity.roles import Role
from bot.identity.third_party import Speaker
from bot.outreach.gate import HoldKind
from bot.services import assignment, audit
from bot.services.deps import Deps
from bot.services.replay import LOOKS, replay
from bot.services.reveal import RevealReason
from bot.settings import ROOT
from tests.builders.console import ConsoleBrowser
from tests.builders.desk import SetClock, Talk, a_conversation, an_operator
from tests.builders.review import a_reviewer

NO_WORDS_NEEDED = frozenset({"borrower", "made_in", "offer", "approval"})
"""Details that are ids and never shown."""


@dataclass(frozen=True)
class Recorded:
    """One place in the code that writes to the audit log about a conversation."""

    place: str
    events: frozenset[str]
    details: frozenset[str]


def texts_in(node: ast.AST) -> frozenset[str]:
    """Return the texts that stand in an expression."""
    return frozenset(
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def texts_of(argument: ast.expr, scope: ast.AST) -> frozenset[str]:
    """Return the texts an argument may be: those in it, or in what its name is set to in a scope."""
    if not isinstance(argument, ast.Name):
        return texts_in(argument)
    set_to = (
        one.value
        for one in ast.walk(scope)
        if isinstance(one, ast.Assign)
        and any(isinstance(name, ast.Name) and name.id == argument.id for at in one.targets for name in ast.walk(at))
    )
    return frozenset(text for value in set_to for text in texts_in(value))


def recorded_in(module: ast.Module, name: str) -> Iterator[Recorded]:
    """Return every place in a module that puts something on record of a conversation."""
    for function in ast.walk(module):
        for call in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in ("audit.record", "audit.entry_row"):
                continue
            *_, event, subject = call.args
            if "conversation" in texts_of(subject, function):
                events = texts_of(event, function) or texts_of(event, module)
                details = frozenset(one.arg for one in call.keywords if one.arg is not None)
                yield Recorded(f"{name}:{call.lineno}", events, details)


@cache
def everything_recorded() -> tuple[Recorded, ...]:
    """Return all such places of the desk's code."""
    paths = sorted((ROOT / "bot" / "services").glob("*.py"))
    return tuple(one for path in paths for one in recorded_in(ast.parse(path.read_text("utf-8")), path.name))


def test_every_event_and_every_detail_that_the_code_can_record_has_words(deps: Deps) -> None:
    words = Pages(deps).words("_review_words.html")
    places = everything_recorded()
    assert len(places) >= 30
    assert [place.place for place in places if not place.events] == [], "which event this records cannot be read"
    events = {event for place in places for event in place.events} - set(LOOKS)
    calls = {f"call_{end}" for end in (*CallOutcome, *CallState) if end is not CallState.OPEN}
    assert (events - {"call_"}) | calls <= set(words["DESK_EVENT"])
    assert {detail for place in places for detail in place.details} - NO_WORDS_NEEDED <= set(words["DETAIL"])


def test_every_code_that_a_detail_may_be_has_words(deps: Deps) -> None:
    pages = Pages(deps)
    said = pages.words("_review_words.html")
    assert set(Speaker) <= set(said["SPEAKER"])
    assert set(Detail) == set(said["REVEALED"])
    assert set(deps.crisis_guard.kinds) | {"classifier"} == set(said["CRISIS_KIND"])
    assert set(HoldKind) <= set(pages.words()["HOLD"])
    assert set(Vulnerability) <= set(pages.words()["CARE"])


def test_who_was_given_a_conversation_and_from_whom_stands_in_the_replay_by_name(deps: Deps, clock: SetClock) -> None:
    console = ConsoleBrowser(deps, clock)
    console.log_in_as(Role.SUPERVISOR, "boss", "老周")
    chen, wu = an_operator(deps, "chen", "小陈"), an_operator(deps, "wu", "小吴")
    boss = a_reviewer(deps)
    chat = a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    assignment.assign_to_person(deps, boss, chat, chen)
    assignment.assign_to_person(deps, boss, chat, wu)
    assignment.assign_to_team(deps, boss, chat, "一组")
    actor = audit.Actor("operator", boss.id)
    with deps.begin() as session:
        codes = {"reason": RevealReason.LETTER.value, "details": "name,phone"}
        audit.record(session, deps.now(), actor, "details_revealed", ("conversation", chat), **codes)
    told = " ".join(unescape(console.shown(f"/c/{chat}/replay")).split())
    assert '分给同事（小林） <span class="small">给 小陈</span>' in told
    assert '给 小吴</span> <span class="small">原来的同事 小陈</span>' in told
    assert '分给小组（小林） <span class="small">小组 一组</span>' in told
    assert '原因 寄信</span> <span class="small">看了 姓名、手机</span>' in told
    found = replay(deps, boss, chat)
    assert found is not None
    assert [event.event for event in found.steps[0].events][:2] == ["assigned", "assigned"]
