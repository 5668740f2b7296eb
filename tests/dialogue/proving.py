"""Proving identity over any line, as a person would."""

from __future__ import annotations

from collections.abc import Sequence

from bot.identity.factors import read_code
from bot.text.normalize import normalize_text
from tests.builders.people import Person
from tests.dialogue.lines import Line
from tests.running.borrower import Said


def prove(line: Line, person: Person) -> list[Said]:
    """Answer the three questions; returns what was said to the last answer."""
    line.say("我要核对身份")
    line.say(person.phone)
    line.say(shown_code(line))
    answers = line.say(person.id_tail)
    assert "核对好了" in words(answers), words(answers)
    return answers


def shown_code(line: Line) -> str:
    """Return the one-time code that demo mode showed last."""
    told = [said.text for said in reversed(line.heard) if said.author != "borrower"]
    return next(code for text in told if (code := read_code(normalize_text(text))))


def words(answers: Sequence[Said]) -> str:
    """Return all that was said, in one text."""
    return "\n".join(said.text for said in answers)
