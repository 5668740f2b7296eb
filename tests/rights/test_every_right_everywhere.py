"""Every right invoked at every place of every flow: it has its record and its clock, the words are right, and what was
going on goes on or ends as ``docs/cases.md`` and ``docs/privacy.md`` say."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from functools import cached_property
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.cases.clock import COMPLAINT_DAYS, DATA_DAYS, DISPUTE_DAYS
from bot.cases.kinds import CaseKind
from bot.clock import business_date
from bot.outreach.gate import HoldKind
from bot.services.deps import Deps
from bot.store.tables import Agreement, CaseFile, Conversation, Document, Hold, Negotiation
from tests.builders.chat import Chat, Said, domain
from tests.builders.desk import a_desk
from tests.rights.places import PLACES, Place


class Then(Enum):
    """What becomes of what was going on."""

    GOES_ON = "goes on"
    """The question that was open is asked again; where none was open, nothing is."""
    IS_LEFT = "is left"
    """Nothing is asked any more."""
    OWN_QUESTION = "own question"
    """The right asks its own question, unless another was open, which is asked again."""
    SILENT = "silent"
    """The desk speaks, the dialogue does not."""


@dataclass(frozen=True)
class Right:
    """A right: how it is invoked, what is said first, and what is on record afterwards."""

    name: str
    text: str
    intent: str
    says: tuple[str, ...]
    record: Callable[[Deps, Chat, Place], None]
    then: Then = Then.GOES_ON
    says_unverified: tuple[str, ...] = ()
    tells_figures: bool = False
    """Whether a sum may be said to the verified borrower."""


class Places:
    """Goes to each place once, and hands out copies of the desk as it stood there."""

    def __init__(self, folder: Path, schema: Path) -> None:
        self._folder, self._schema = folder, schema
        self._at_work = folder / "at work.sqlite3"
        # Always the same file and the same engine: it remembers how statements are written.
        self._desk = a_desk(folder, database_url=f"sqlite:///{self._at_work}")
        self._kept: dict[str, tuple[Path, Chat]] = {}

    def chat_at(self, place: Place) -> Chat:
        """Return a chat at a place, on a desk that nobody else uses."""
        if place.name not in self._kept:
            chat = place.chat(self._over(self._schema))
            self._desk.database.engine.dispose()  # the last connection writes everything into the file
            self._kept[place.name] = (self._folder / f"{place.name}.sqlite3", chat)
            shutil.copy(self._at_work, self._kept[place.name][0])
        file, chat = self._kept[place.name]
        return chat.on(self._over(file))

    def _over(self, file: Path) -> Deps:
        """Return the desk over a copy of a file; words, guards and policies are read once for all."""
        self._desk.database.engine.dispose()
        for left in self._folder.glob(f"{self._at_work.name}*"):
            left.unlink()
        shutil.copy(file, self._at_work)
        made = replace(self._desk)
        for name in READ_ONCE:
            vars(made)[name] = getattr(self._desk, name)
        return made


READ_ONCE = [name for name, value in vars(Deps).items() if isinstance(value, cached_property)]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Places:
    return Places(tmp_path_factory.mktemp("places"), migrated_file)


@pytest.fixture
def chat(places: Places, place: Place) -> Iterator[Chat]:
    """A chat at the place of the cell."""
    made = places.chat_at(place)
    yield made
    made.deps.database.engine.dispose()


def conversation_of(deps: Deps, chat: Chat) -> Conversation:
    with deps.read() as session:
        return session.get_one(Conversation, chat.conversation_id)


def holds_of(deps: Deps, chat: Chat) -> set[str]:
    with deps.read() as session:
        mine = select(Hold.kind).where(Hold.conversation_id == chat.conversation_id, Hold.lifted_at.is_(None))
        return set(session.scalars(mine))


def cases_of(deps: Deps, chat: Chat, family: str) -> list[CaseFile]:
    with deps.read() as session:
        mine = select(CaseFile).where(
            CaseFile.conversation_id == chat.conversation_id, CaseFile.family == family, CaseFile.state == "received"
        )
        return list(session.scalars(mine))


def complained(deps: Deps, chat: Chat, _place: Place) -> None:
    case = cases_of(deps, chat, "complaint")[-1]
    assert case.due_on == business_date(deps.now()) + timedelta(days=COMPLAINT_DAYS[0])
    assert HoldKind.COMPLAINT in holds_of(deps, chat)
    assert conversation_of(deps, chat).owner == "queued"


def disputed(deps: Deps, chat: Chat, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_open_dispute", "it is taken up once identity is proved"
        return
    if not cases_of(deps, chat, "dispute"):
        if chat.events and not _asks_yes(deps, chat):
            chat.press("这些都是")
        chat.press("登记")
    case = cases_of(deps, chat, "dispute")[-1]
    assert case.due_on == business_date(deps.now()) + timedelta(days=DISPUTE_DAYS[0])
    assert HoldKind.DISPUTE in holds_of(deps, chat)
    with deps.read() as session:
        going_on = session.scalar(select(Negotiation.id).where(Negotiation.active_key == case.borrower_id))
    assert going_on is None, "a negotiation about a disputed debt has ended"
    assert chat.form in (None, "case_form"), "nothing is promised on a disputed debt"


def _asks_yes(deps: Deps, chat: Chat) -> bool:
    with deps.read() as session:
        mine = select(CaseFile).where(CaseFile.conversation_id == chat.conversation_id, CaseFile.state == "draft")
        return bool(session.scalars(mine).one().debt_ids)


def stopped(deps: Deps, chat: Chat, _place: Place) -> None:
    assert HoldKind.OPT_OUT in holds_of(deps, chat)


def asked_for(kind: CaseKind) -> Callable[[Deps, Chat, Place], None]:
    def on_record(deps: Deps, chat: Chat, _place: Place) -> None:
        [case] = cases_of(deps, chat, "data")
        assert case.kind == kind
        assert case.due_on == business_date(deps.now()) + timedelta(days=DATA_DAYS[0])
        assert conversation_of(deps, chat).owner == "queued"

    return on_record


def copied(deps: Deps, chat: Chat, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_copy_data"
        return
    with deps.read() as session:
        mine = select(Document.id).where(Document.borrower_id == conversation_of(deps, chat).borrower_id)
        assert session.scalars(mine.where(Document.kind == "data_export")).all()


def explained(deps: Deps, chat: Chat, place: Place) -> None:
    if not place.is_verified:
        assert chat.slots["pending_goal"] == "action_explain_decision"


def queued_for(reason: str) -> Callable[[Deps, Chat, Place], None]:
    def waits(deps: Deps, chat: Chat, _place: Place) -> None:
        found = conversation_of(deps, chat)
        assert found.owner == "queued"
        # Whoever waited for something graver goes on waiting for that.
        assert found.queue_reason in (reason, "complaint", "dispute", "distress")

    return waits


def in_danger(deps: Deps, chat: Chat, _place: Place) -> None:
    found = conversation_of(deps, chat)
    assert (found.owner, found.queue_reason) == ("queued", "distress")
    assert HoldKind.DISTRESS in holds_of(deps, chat)
    assert not chat.say("6000", "inform").stored, "nothing about debt is answered any more"


def let_go(deps: Deps, chat: Chat, _place: Place) -> None:
    found = conversation_of(deps, chat)
    assert (found.borrower_id, found.verified_at) == (None, None)


def third_party_met(deps: Deps, chat: Chat, place: Place) -> None:
    queued_for("third_party")(deps, chat, place)
    assert conversation_of(deps, chat).verified_at is None, "the phone is in other hands"


RIGHTS = (
    Right(
        "complaint",
        "客服态度太差,我要投诉",
        "complain_service",
        ("utter_complaint_taken", "utter_complaint_known", "utter_case_fact_noted", "utter_case_evidence"),
        complained,
        Then.OWN_QUESTION,
    ),
    Right(
        "harassment",
        "你们的人威胁我,要上门",
        "complain_harassment",
        ("utter_complaint_evidence", "utter_case_fact_noted"),
        complained,
        Then.OWN_QUESTION,
    ),
    Right(
        "dispute",
        "这钱不是我借的",
        "dispute_debt",
        ("utter_ask_case_yes", "utter_ask_case_debt", "utter_case_fact_noted"),
        disputed,
        Then.OWN_QUESTION,
        ("utter_verify_before_answer",),
    ),
    Right(
        "stop",
        "别再给我发消息了",
        "stop_contact",
        ("utter_contact_stopped",),
        stopped,
        says_unverified=("utter_contact_stopped_here",),
    ),
    Right(
        "access",
        "把我的数据导出来给我",
        "ask_data_source",
        ("utter_document_data_export",),
        copied,
        says_unverified=("utter_verify_before_answer",),
    ),
    Right(
        "correct",
        "我的电话写错了,更正一下",
        "ask_data_source",
        ("utter_data_correct",),
        asked_for(CaseKind.DATA_CORRECTION),
    ),
    Right("delete", "删除我的信息", "ask_data_source", ("utter_data_delete",), asked_for(CaseKind.DATA_DELETION)),
    Right(
        "explain",
        "为什么给我这个方案",
        "ask_data_source",
        ("utter_data_explain", "utter_data_explain_none"),
        explained,
        says_unverified=("utter_verify_before_answer",),
        tells_figures=True,
    ),
    Right(
        "review",
        "请人工复核这个方案",
        "ask_data_source",
        ("utter_data_review",),
        asked_for(CaseKind.DATA_EXPLANATION),
    ),
    Right("human", "转人工", "request_human", ("utter_human_coming",), queued_for("asked"), Then.IS_LEFT),
    Right("crisis", "我真的不想活了", "express_distress", (), in_danger, Then.SILENT),
    Right("distress", "心里太苦了", "express_distress", ("utter_safety",), in_danger, Then.IS_LEFT),
    Right(
        "third_party",
        "我是他老婆,他欠多少",
        "third_party_inquiry",
        ("utter_third_party_relative",),
        third_party_met,
        Then.IS_LEFT,
    ),
    Right("wrong_person", "打错了,我没欠你们钱", "wrong_person", ("utter_wrong_person",), let_go, Then.IS_LEFT),
)

CELLS = [(right, place) for place in PLACES for right in RIGHTS]


@pytest.mark.parametrize(("right", "place"), CELLS, ids=[f"{place.name}-{right.name}" for right, place in CELLS])
def test_a_right_is_heard_at_every_place(chat: Chat, right: Right, place: Place) -> None:
    desk = chat.deps
    agreed = _agreements(desk)
    said = chat.say(right.text, right.intent)
    _are_fit_words(desk, said, figures=place.is_verified and (right.tells_figures or _asks_again(said, place)))
    expected = right.says if place.is_verified else (right.says_unverified or right.says)
    assert right.then is Then.SILENT or said.responses[0] in expected, said.responses
    if right.then is Then.SILENT:
        assert not said.stored
        assert "12356" in said.text
    elif right.then is Then.IS_LEFT:
        assert chat.form is None
    elif place.asks and not _has_own_question(right, place):
        assert said.responses[-1] in place.asks, said.responses
        assert (chat.form, chat.rejected) == (place.form, False), "the next answer reaches the question"
    elif right.then is Then.OWN_QUESTION:
        assert chat.form == ("case_form" if place.is_verified or right.name != "dispute" else "verify_form")
    right.record(desk, chat, place)
    assert _agreements(desk) == agreed, "no right agrees to anything"


def _has_own_question(right: Right, place: Place) -> bool:
    """Whether the right's question comes before the place's: a dispute asks for its yes, and a story is told on."""
    if right.then is not Then.OWN_QUESTION:
        return False
    return (
        place.is_verified
        if right.name == "dispute"
        else place.asks[0].startswith(("utter_ask_case_facts", "utter_ask_case_kind_complaint"))
    )


def _asks_again(said: Said, place: Place) -> bool:
    return bool(said.responses) and said.responses[-1] in (*place.asks, "utter_ask_case_yes", "utter_ask_case_debt")


def _are_fit_words(deps: Deps, said: Said, *, figures: bool) -> None:
    """Nothing that must never be said; a sum only where it was asked for or stands in the question asked again."""
    assert said.texts
    for text in said.texts:
        # The desk asks for the code that it has sent itself, and for no other.
        assert not deps.tone_gate.check(text) or "utter_ask_code" in said.responses, text
    assert figures or "¥" not in said.text, said.text


def _agreements(deps: Deps) -> int:
    with deps.read() as session:
        return len(session.scalars(select(Agreement.id)).all())


def test_every_form_of_the_dialogue_has_its_places() -> None:
    assert {place.form for place in PLACES if place.form} == set(domain()["forms"])
