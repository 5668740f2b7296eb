"""A place of the running desk: what the borrower's page shows, beside what the engine and the database remember.

Sentences go over the page's own socket to gateway, engine and actions; nobody says what they mean. Only who it is may
be given: proving identity is a flow of its own, with places of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from bot.services.deps import Deps
from bot.store.dialogue_tracker import DialogueTracker
from bot.store.tables import Conversation, Message
from tests.builders.chat import Said
from tests.builders.people import Person
from tests.dialogue.lines import WebLine
from tests.rights.hearing import has_own_question, invoke
from tests.rights.places import Place
from tests.rights.rights import Right
from tests.running.borrower import Borrower
from tests.running.desk import RunningDesk


class RunningDialogue:
    """One conversation on the page."""

    def __init__(self, desk: RunningDesk, borrower: Borrower, person: Person, *, is_verified: bool) -> None:
        self.deps: Deps = desk.deps
        self._line = WebLine(desk, borrower)
        self.conversation_id = self._line.conversation_id
        self._tracker = DialogueTracker(desk.settings.sqlalchemy_tracker_url)
        self._done: list[str] = []
        self.offered: list[tuple[str, ...]] = []
        """The buttons below the last word of each turn."""
        if is_verified:
            with self.deps.begin() as session:
                conversation = session.get_one(Conversation, self.conversation_id)
                conversation.borrower_id = person.borrower_id
                conversation.verified_at = self.deps.now()

    @property
    def form(self) -> str | None:
        opened = [each["name"] for each in self._events() if each["event"] == "active_loop"]
        return str(opened[-1]) if opened and opened[-1] else None

    @property
    def rejected(self) -> bool:
        ran = [
            each["event"] == "action_execution_rejected"
            for each in self._events()
            if each["event"] in ("action", "action_execution_rejected") and each["name"] == self.form
        ]
        return bool(ran) and ran[-1]

    @property
    def slots(self) -> dict[str, Any]:
        return {each["name"]: each["value"] for each in self._events() if each["event"] == "slot"}

    def say(self, text: str, intent: str) -> Said:
        """Say something; ``intent`` is what it should be understood as, which is only told when it was not."""
        self._done.append(f"> {text}  ({intent})")
        self._line.say(text)
        return self._answered()

    def press(self, title: str) -> Said:
        self._done.append(f"> [{title}]")
        self._line.press(title)
        return self._answered()

    def transcript(self) -> str:
        """Return what was said so far, as a person reads it, with how it was understood."""
        return "\n".join(self._done)

    def _answered(self) -> Said:
        problem = self._line.problem()
        assert problem is None, problem
        mine = select(Message).where(Message.conversation_id == self.conversation_id).order_by(Message.seq)
        with self.deps.read() as session:
            rows = list(session.scalars(mine))
        asked = next(row for row in reversed(rows) if row.author == "borrower")
        answers = [row for row in rows if row.in_reply_to == asked.id]
        on_page = {said.seq: said for said in self._line.heard}
        texts = [on_page[row.seq].text for row in answers]
        turn = self._turn(asked.id)
        self._done.append(f"  ({asked.intent}, {round(asked.confidence or 0, 2)}: {_names(turn)})")
        self._done += [f"[{row.author}] {row.text}  {list(on_page[row.seq].buttons) or ''}".rstrip() for row in answers]
        if not turn:
            return Said([], texts, stored=False)
        uttered = [each for each in turn if each["event"] == "bot"]
        # What the engine said is what the page shows, and nothing besides: the last word is the open question.
        assert texts == [each["text"] for each in uttered], texts
        self.offered.append(tuple(on_page[answers[-1].seq].buttons) if answers else ())
        return Said([str((each.get("metadata") or {}).get("utter_action") or "") for each in uttered], texts)

    def _turn(self, message_id: str) -> list[dict[str, Any]]:
        """Return what the engine recorded after a message; nothing if it never got it."""
        events = self._events()
        users = [place for place, each in enumerate(events) if each["event"] == "user"]
        if not users or (events[users[-1]].get("metadata") or {}).get("message_id") != message_id:
            return []
        return events[users[-1] + 1 :]

    def _events(self) -> list[dict[str, Any]]:
        return self._tracker.events(self.conversation_id)


def _names(turn: list[dict[str, Any]]) -> str:
    return ", ".join(each["name"] for each in turn if each["event"] == "action")


@contextmanager
def at(desk: RunningDesk, place: Place) -> Iterator[RunningDialogue]:
    """Lead a borrower of their own to a place.

    Raises:
        AssertionError: the sentences of the place did not lead there; the text holds the whole transcript.
    """
    person = place.person(desk.deps)
    with Borrower(desk.base) as borrower:
        chat = RunningDialogue(desk, borrower, person, is_verified=place.is_verified)
        try:
            place.go(chat, person)
            yield chat
        except AssertionError as error:
            raise AssertionError(f"{error}\n\n{chat.transcript()}") from error


def hold(desk: RunningDesk, right: Right, place: Place, text: str) -> None:
    """Invoke a right at a place of the running desk, in one of its sentences.

    Raises:
        AssertionError: it was not heard; the text holds the whole transcript.
    """
    with at(desk, place) as chat:
        turns = len(chat.offered)
        said = invoke(chat, right, place, text)
        if said.responses and place.asks and said.responses[-1] in place.asks and not has_own_question(right, place):
            before, after = chat.offered[turns - 1 : turns + 1]
            assert after == before, f"the question came back with {after}, it had {before}"
