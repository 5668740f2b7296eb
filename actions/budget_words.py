"""The questions about a month's budget: one thing at a time, with a button wherever that beats typing."""

from __future__ import annotations

import json

from actions.base import Button, Turn
from actions.budget_answers import AGAIN, AGAIN_SPENDING, AS_IT_IS, OTHER_DEBTS, UNSAID
from bot.desk.extras import AsksAmount
from bot.lending.money import format_yuan
from bot.services.negotiation import Stage, State
from bot.workout.budget import Rhythm
from bot.workout.budget_talk import BudgetQuestion

_MOST_PEOPLE = 5
"""Household sizes with a button of their own; a larger one is typed."""

_ANSWERS: dict[BudgetQuestion, tuple[tuple[str, str], ...]] = {
    BudgetQuestion.INCOME_LOOKS_LARGE: (
        ("a_month", AS_IT_IS),
        ("a_year", Rhythm.YEARLY.value),
        ("again", AGAIN),
    ),
    BudgetQuestion.INCOME_LOOKS_SMALL: (
        ("a_month", AS_IT_IS),
        ("a_day", Rhythm.DAILY.value),
        ("again", AGAIN),
    ),
    BudgetQuestion.ESSENTIAL_ABOVE_INCOME: (
        ("as_it_is", AS_IT_IS),
        ("income_again", AGAIN),
        ("essentials_again", AGAIN_SPENDING),
    ),
    BudgetQuestion.ESSENTIAL_BELOW_FLOOR: (("enough", AS_IT_IS), ("essentials_again", AGAIN)),
    BudgetQuestion.OTHER_DEBTS_ABOVE_INCOME: (("a_month", AS_IT_IS), ("again", AGAIN)),
    BudgetQuestion.MANY_DEPENDANTS: (("as_it_is", AS_IT_IS), ("again", AGAIN)),
}


def ask_budget(turn: Turn, state: State) -> None:
    """Ask what the talk about the budget waits for."""
    asks = state.budget_asks
    if state.stage in (Stage.INCOME, Stage.ESSENTIALS) or asks is None or state.budget is None:
        turn.say(f"utter_ask_{state.stage.value}", drawn=AsksAmount())
        return
    if asks is BudgetQuestion.DEPENDANTS:
        sizes = [_button(turn, f"people_{size}", asks, str(size - 1)) for size in range(1, _MOST_PEOPLE + 1)]
        turn.say("utter_ask_dependants", [*sizes, _button(turn, "unsaid", asks, UNSAID)])
        return
    if asks is BudgetQuestion.OTHER_DEBTS:
        answers = [_button(turn, "no_other_debts", asks, "0"), _button(turn, "unsaid", asks, UNSAID)]
        turn.say("utter_ask_other_debts", answers)
        return
    told = state.budget
    turn.say(
        f"utter_check_{asks.value}",
        [_button(turn, title, asks, answer) for title, answer in _ANSWERS[asks]],
        income=format_yuan(told.monthly_income_fen or 0),
        essential=format_yuan(told.monthly_essential_fen or 0),
        other=format_yuan(told.other_debts_monthly_fen or 0),
        people=str(1 + (told.dependants or 0)),
        floor=format_yuan(state.floor_fen),
    )


def other_debts_button(turn: Turn) -> Button:
    """Return the button that says that others have to be paid as well."""
    return Button(turn.phrase("utter_part_has_other_debts"), "/inform" + json.dumps({"choice": OTHER_DEBTS}))


def _button(turn: Turn, title: str, asks: BudgetQuestion, answer: str) -> Button:
    return Button(
        turn.phrase(f"utter_part_answer_{title}"), "/inform" + json.dumps({"choice": f"{asks.value}:{answer}"})
    )
