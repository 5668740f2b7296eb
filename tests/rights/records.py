"""What is on record once a right was invoked: rows of the database, read whoever held the conversation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from bot.cases.clock import COMPLAINT_DAYS, DATA_DAYS, DISPUTE_DAYS
from bot.cases.kinds import CaseKind
from bot.clock import business_date
from bot.outreach.gate import HoldKind
from bot.services.deps import Deps
from bot.store.tables import CaseFile, Conversation, Document, Hold, Negotiation
from tests.rights.places import Dialogue, Place


def conversation_of(deps: Deps, chat: Dialogue) -> Conversation:
    with deps.read() as session:
        return session.get_one(Conversation, chat.conversation_id)


def holds_of(deps: Deps, chat: Dialogue) -> set[str]:
    with deps.read() as session:
        mine = select(Hold.kind).where(Hold.conversation_id == chat.conversation_id, Hold.lifted_at.is_(None))
        return set(session.scalars(mine))


def cases_of(deps: Deps, chat: Dialogue, family: str) -> list[CaseFile]:
    with deps.read() as session:
        mine = select(CaseFile).where(
            CaseFile.conversation_id == chat.conversation_id, CaseFile.family == family, CaseFile.state == "received"
        )
        return list(session.scalars(mine))


def complained(deps: Deps, chat: Dialogue, _place: Place) -> None:
    case = cases_of(deps, chat, "complaint")[-1]
    assert case.due_on == business_date(deps.now()) + timedelta(days=COMPLAINT_DAYS[0])
    assert HoldKind.COMPLAINT in holds_of(deps, chat)
    assert conversation_of(deps, chat).owner == "queued"


def disputed(deps: Deps, chat: Dialogue, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_open_dispute", "it is taken up once identity is proved"
        return
    if not cases_of(deps, chat, "dispute"):
        if not _asks_yes(deps, chat):
            chat.press("这些都是")
        chat.press("登记")
    case = cases_of(deps, chat, "dispute")[-1]
    assert case.due_on == business_date(deps.now()) + timedelta(days=DISPUTE_DAYS[0])
    assert HoldKind.DISPUTE in holds_of(deps, chat)
    with deps.read() as session:
        going_on = session.scalar(select(Negotiation.id).where(Negotiation.active_key == case.borrower_id))
    assert going_on is None, "a negotiation about a disputed debt has ended"
    assert chat.form in (None, "case_form"), "nothing is promised on a disputed debt"


def _asks_yes(deps: Deps, chat: Dialogue) -> bool:
    with deps.read() as session:
        mine = select(CaseFile).where(CaseFile.conversation_id == chat.conversation_id, CaseFile.state == "draft")
        return bool(session.scalars(mine).one().debt_ids)


def stopped(deps: Deps, chat: Dialogue, _place: Place) -> None:
    assert HoldKind.OPT_OUT in holds_of(deps, chat)


def asked_for(kind: CaseKind) -> Callable[[Deps, Dialogue, Place], None]:
    def on_record(deps: Deps, chat: Dialogue, _place: Place) -> None:
        [case] = cases_of(deps, chat, "data")
        assert case.kind == kind
        assert case.due_on == business_date(deps.now()) + timedelta(days=DATA_DAYS[0])
        assert conversation_of(deps, chat).owner == "queued"

    return on_record


def copied(deps: Deps, chat: Dialogue, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_copy_data"
        return
    with deps.read() as session:
        mine = select(Document.id).where(Document.borrower_id == conversation_of(deps, chat).borrower_id)
        assert session.scalars(mine.where(Document.kind == "data_export")).all()


def explained(deps: Deps, chat: Dialogue, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_explain_decision"


def queued_for(reason: str) -> Callable[[Deps, Dialogue, Place], None]:
    def waits(deps: Deps, chat: Dialogue, _place: Place) -> None:
        found = conversation_of(deps, chat)
        assert found.owner == "queued"
        # Whoever waited for something graver goes on waiting for that.
        assert found.queue_reason in (reason, "complaint", "dispute", "distress")

    return waits


def in_danger(deps: Deps, chat: Dialogue, _place: Place) -> None:
    found = conversation_of(deps, chat)
    assert (found.owner, found.queue_reason) == ("queued", "distress")
    assert HoldKind.DISTRESS in holds_of(deps, chat)
    assert not chat.say("6000", "inform").stored, "nothing about debt is answered any more"


def let_go(deps: Deps, chat: Dialogue, _place: Place) -> None:
    found = conversation_of(deps, chat)
    assert (found.borrower_id, found.verified_at) == (None, None)


def third_party_met(deps: Deps, chat: Dialogue, place: Place) -> None:
    queued_for("third_party")(deps, chat, place)
    assert conversation_of(deps, chat).verified_at is None, "the phone is in other hands"
