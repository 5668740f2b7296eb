"""Whether a right was heard at a place: its words, its record, and what became of the question that was open there."""

from __future__ import annotations

from sqlalchemy import select

from bot.services.deps import Deps
from bot.store.tables import Agreement
from tests.builders.chat import Said
from tests.rights.places import PLACES, Dialogue, Place
from tests.rights.records import conversation_of
from tests.rights.rights import RIGHTS, Right, Then

Cell = tuple[Right, Place]

CELLS: tuple[Cell, ...] = tuple((right, place) for place in PLACES for right in RIGHTS)


def named(cell: Cell) -> str:
    """Return what a cell is called in reports."""
    right, place = cell
    return f"{place.name}-{right.name}"


def invoke(chat: Dialogue, right: Right, place: Place, text: str) -> Said:
    """Invoke a right in one of its sentences, and compare all that comes of it.

    Returns what was answered to that sentence.

    Raises:
        AssertionError: it was not heard, or what was going on did not go on or end as it must.
    """
    desk = chat.deps
    borrower_id = conversation_of(desk, chat).borrower_id
    agreed = _agreements(desk, borrower_id)
    said = chat.say(text, right.intent)
    _are_fit_words(desk, said, figures=place.is_verified and (right.tells_figures or _asks_again(said, place)))
    expected = right.says if place.is_verified else (right.says_unverified or right.says)
    assert right.then is Then.SILENT or said.responses[0] in expected, said.responses
    if right.then is Then.SILENT:
        assert not said.stored, said.responses
        assert "12356" in said.text, said.text
    elif right.then is Then.IS_LEFT:
        assert chat.form is None, chat.form
    elif place.asks and not has_own_question(right, place):
        assert said.responses[-1] in place.asks, said.responses
        assert (chat.form, chat.rejected) == (place.form, False), "the next answer reaches the question"
    elif right.then is Then.OWN_QUESTION:
        own = "case_form" if place.is_verified or right.name != "dispute" else "verify_form"
        assert chat.form == own, chat.form
    right.record(desk, chat, place)
    assert _agreements(desk, borrower_id) == agreed, "no right agrees to anything"
    return said


def has_own_question(right: Right, place: Place) -> bool:
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
    assert said.texts, "nothing was answered"
    for text in said.texts:
        # The desk asks for the code that it has sent itself, and for no other.
        assert not deps.tone_gate.check(text) or "utter_ask_code" in said.responses, text
    assert figures or "¥" not in said.text, said.text


def _agreements(deps: Deps, borrower_id: str | None) -> int:
    with deps.read() as session:
        return len(session.scalars(select(Agreement.id).where(Agreement.borrower_id == borrower_id)).all())
