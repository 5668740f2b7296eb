"""Every right invoked at every place of every flow: it has its record and its clock, the words are right, and what was
going on goes on or ends as ``docs/cases.md`` and ``docs/privacy.md`` say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.services.deps import Deps
from bot.settings import ROOT
from bot.store.tables import Agreement, Approval, CaseFile, Promise
from tests.builders.chat import Chat, domain
from tests.builders.desk import a_desk
from tests.rights.hearing import CELLS, invoke, named
from tests.rights.places import PLACES, Place
from tests.rights.rights import RIGHTS, Right

BINDING = ("plan_confirmation", "plan_approval", "promise_yes", "dispute_yes")
"""Places where a yes makes something binding, or is on record."""


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


@pytest.mark.parametrize(("right", "place"), CELLS, ids=[named(cell) for cell in CELLS])
def test_a_right_is_heard_at_every_place(chat: Chat, right: Right, place: Place) -> None:
    invoke(chat, right, place, right.sentences[0])


@pytest.mark.parametrize("intent", ["affirm", "accept_offer"])
@pytest.mark.parametrize("text", ["为什么给我这个方案", "我不同意", "如果能再少点就行"])
@pytest.mark.parametrize("place", [place for place in PLACES if place.name in BINDING], ids=lambda place: place.name)
def test_what_is_no_yes_but_was_taken_for_one_binds_nobody(chat: Chat, place: Place, text: str, intent: str) -> None:
    said = chat.say(text, intent)
    assert _bound(chat) == 0
    assert said.responses[-1] in place.asks, "the question is asked again"
    chat.say("同意", intent)
    assert _bound(chat) == 1, "the plain yes after it does"


def _bound(chat: Chat) -> int:
    """How much the borrower is bound to: agreements, promises, requests for approval, disputes."""
    with chat.deps.read() as session:
        made = (
            select(Agreement.id),
            select(Approval.id),
            select(Promise.id).where(Promise.state != "draft"),
            select(CaseFile.id).where(CaseFile.state == "received"),
        )
        return sum(len(session.scalars(each).all()) for each in made)


def test_the_second_sentence_of_a_right_is_learned_by_nobody() -> None:
    learned = {
        re.sub(r"\W", "", line.removeprefix("      - "))
        for path in (ROOT / "data" / "nlu").rglob("*.yml")
        for line in path.read_text("utf-8").splitlines()
    }
    assert not [right.name for right in RIGHTS if re.sub(r"\W", "", right.sentences[1]) in learned]


def test_every_form_of_the_dialogue_has_its_places() -> None:
    assert {place.form for place in PLACES if place.form} == set(domain()["forms"])
