"""What a borrower says of their month's budget: taken from whatever they say, and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from actions.base import Turn
from bot.lending.money import format_yuan
from bot.services import negotiation
from bot.services.accounts import NotVerified
from bot.services.negotiation import Result, Stage, State
from bot.services.negotiation_budget import Figures
from bot.text.amounts import AmountRange
from bot.text.values import Value
from bot.workout.budget import INCOME_TIMES, IncomeTold, Rhythm, income_a_month
from bot.workout.budget_reading import (
    Amount,
    BudgetTold,
    StatedAmount,
    UnclearAmount,
    income_told,
    names_money_in_hand,
    read_budget,
    read_essentials,
    read_income,
    read_other_debts,
    read_rhythm,
    won_t_say,
)
from bot.workout.budget_talk import BudgetQuestion
from bot.workout.household_reading import read_dependants

AS_IT_IS, AGAIN, AGAIN_SPENDING, UNSAID, OTHER_DEBTS = "as_it_is", "again", "again_spending", "unsaid", "other_debts"
"""What the buttons of the questions about a budget carry; a rhythm is carried by its own name, people as a number."""

Told = Result | NotVerified | None
"""Where it led to; None if the message was no answer."""

_ABOUT_SPENDING = frozenset({BudgetQuestion.ESSENTIAL_ABOVE_INCOME, BudgetQuestion.ESSENTIAL_BELOW_FLOOR})
_ABOUT_INCOME = frozenset({BudgetQuestion.INCOME_LOOKS_SMALL, BudgetQuestion.INCOME_LOOKS_LARGE})
_YES, _NO = frozenset({"affirm", "accept_offer"}), frozenset({"deny", "reject_offer"})
_ABOUT_SOMETHING_ELSE = frozenset(
    {
        "third_party_inquiry",
        "wrong_person",
        "rights",
        "dispute_debt",
        "complain_harassment",
        "complain_service",
        "express_distress",
        "stop_contact",
        "request_human",
        "cancel",
    }
)
"""Messages in which people and days belong to something else: 我是他老婆, 一天打几十个电话."""

_WHOLE_SPENDING = re.compile(r"开销|开支|支出|花销")
_SEVERAL = 3
"""From so many figures in one message on they are read back in one."""


def take_budget(turn: Turn, current: State) -> Told:
    """Take an answer to the question about the budget that is open, and whatever else of it the message says."""
    if turn.is_payload:
        return _pressed(turn, current)
    values = turn.values()
    told = read_budget(turn.text, values)
    asked = current.stage
    if asked is Stage.INCOME and told.income is None and names_money_in_hand(turn.text):
        turn.say("utter_income_not_in_hand")
        return current
    if asked not in (Stage.INCOME, Stage.ESSENTIALS) and current.budget_asks not in _ABOUT_SPENDING:
        told = _without_parts(told, turn.text)
    if asked is Stage.BUDGET_CHECK and current.budget_asks is not None:
        return _checked(turn, current, current.budget_asks, told, values)
    income = told.income if asked is not Stage.INCOME else read_income(turn.text, values, turn.intent)
    essentials = told.essentials if asked is not Stage.ESSENTIALS else read_essentials(turn.text, values, turn.intent)
    others = told.other_debts
    if asked is Stage.OTHER_DEBTS and income is None and essentials is None:
        others = read_other_debts(turn.text, values)
    told = BudgetTold(income, essentials, others)
    people = _people(turn, current, asked=asked is Stage.DEPENDANTS and told == BudgetTold())
    if told == BudgetTold() and people is None:
        if asked in (Stage.DEPENDANTS, Stage.OTHER_DEBTS) and won_t_say(turn.text):
            return _unsaid(turn)
        return None
    return _take(turn, told, people)


def take_correction(turn: Turn, current: State) -> Told:
    """Take figures of the budget that a message names in so many words when something else is asked; None if none."""
    told = _without_parts(read_budget(turn.text, turn.values()), turn.text)
    if told.income == StatedAmount(0):  # 没有收入 said beside a plan is a plea before it is a figure
        told = replace(told, income=None)
    told = _without_known(told, current)
    people = _people(turn, current, asked=False)
    if current.budget is not None and people == current.budget.dependants:
        people = None
    return None if replace(told, is_whole=False) == BudgetTold() and people is None else _take(turn, told, people)


def _people(turn: Turn, current: State, *, asked: bool) -> int | None:
    """Read how many live on the income. Whoever says 我是他老婆, or asks if family must pay, names no household."""
    known = current.budget is not None and current.budget.dependants is not None
    return None if turn.intent in _ABOUT_SOMETHING_ELSE else read_dependants(turn.text, asked=asked, known=known)


def _without_parts(told: BudgetTold, text: str) -> BudgetTold:
    """Leave out an item of the essentials that is mentioned when their sum is known: 房租1500 is not all there is."""
    return told if told.is_whole or _WHOLE_SPENDING.search(text) else replace(told, essentials=None)


def _without_known(told: BudgetTold, current: State) -> BudgetTold:
    """Leave out figures that are said again as they were told: they correct nothing."""
    budget = current.budget
    if budget is None:
        return told
    if _says(told.income, budget.monthly_income_fen):
        told = replace(told, income=None)
    if _says(told.essentials, budget.monthly_essential_fen):
        told = replace(told, essentials=None)
    return replace(told, other_debts=None) if _says(told.other_debts, budget.other_debts_monthly_fen or 0) else told


def _says(amount: Amount | None, fen: int | None) -> bool:
    return isinstance(amount, StatedAmount) and amount.fen == fen


def _take(turn: Turn, told: BudgetTold, people: int | None) -> Told:
    """Note every clear figure and read it back; of an unclear one say that it is, so that it is asked again."""
    income = told.income if isinstance(told.income, StatedAmount) else None
    essentials = told.essentials if isinstance(told.essentials, StatedAmount) else None
    others = told.other_debts if isinstance(told.other_debts, StatedAmount) else None
    figures = Figures(
        income.fen if income else None,
        essentials.fen if essentials else None,
        people,
        others.fen if others else None,
        income_told(income, turn.text) if income else None,
    )
    _read_back(turn, figures, income, essentials)
    unclear: list[Amount] = [
        each for each in (told.income, told.essentials, told.other_debts) if isinstance(each, UnclearAmount)
    ]
    for each in unclear:
        if isinstance(each, UnclearAmount):
            turn.say("utter_unclear_amount", low=format_yuan(each.low_fen), high=format_yuan(each.high_fen))
    return _state(turn, figures)


def _state(turn: Turn, figures: Figures) -> Result | NotVerified:
    return negotiation.state_means(
        turn.deps,
        turn.conversation_id,
        income_fen=figures.income_fen,
        essential_fen=figures.essential_fen,
        dependants=figures.dependants,
        other_debts_fen=figures.other_debts_fen,
        income_told=figures.income_told,
    )


def _checked(turn: Turn, current: State, asks: BudgetQuestion, told: BudgetTold, values: Sequence[Value]) -> Told:
    """Take the answer to whether a figure is meant as it was told: a yes, a no, or the figure once more."""
    may_tell = asks in _ABOUT_INCOME and turn.intent not in _ABOUT_SOMETHING_ELSE
    rhythm = read_rhythm(turn.text) if may_tell else None
    if rhythm is not None and not any(isinstance(value.payload, AmountRange) for value in values):
        return _in_rhythm(turn, current, rhythm)
    people = _people(turn, current, asked=asks is BudgetQuestion.MANY_DEPENDANTS)
    names_a_sum = any(isinstance(value.payload, AmountRange) for value in values)
    if told == BudgetTold() and people is None and (names_a_sum or turn.intent not in _NO):  # 没有 means no, not none
        if asks in _ABOUT_INCOME:
            told = BudgetTold(income=read_income(turn.text, values, turn.intent))
        elif asks in _ABOUT_SPENDING:
            told = BudgetTold(essentials=read_essentials(turn.text, values, turn.intent))
        elif asks is BudgetQuestion.OTHER_DEBTS_ABOVE_INCOME:
            told = BudgetTold(other_debts=read_other_debts(turn.text, values))
    if told != BudgetTold() or people is not None:
        return _take(turn, told, people)
    if turn.intent in _YES or won_t_say(turn.text):
        return negotiation.leave_unsaid(turn.deps, turn.conversation_id)
    if turn.intent in _NO:
        return negotiation.take_back_figure(turn.deps, turn.conversation_id, essentials=asks in _ABOUT_SPENDING)
    return None


def _pressed(turn: Turn, current: State) -> Told:
    choice = turn.pressed("choice")
    asks = current.budget_asks
    if choice is None or asks is None:
        return None
    question, _, answer = choice.partition(":")
    if question != asks.value:  # a button of an earlier question
        return None
    if answer in (AGAIN, AGAIN_SPENDING):
        essentials = answer == AGAIN_SPENDING or asks is BudgetQuestion.ESSENTIAL_BELOW_FLOOR
        return negotiation.take_back_figure(turn.deps, turn.conversation_id, essentials=essentials)
    if answer == AS_IT_IS:
        return negotiation.leave_unsaid(turn.deps, turn.conversation_id)
    if answer == UNSAID:
        return _unsaid(turn)
    if answer in tuple(Rhythm):
        return _in_rhythm(turn, current, Rhythm(answer))
    if not answer.isdigit():
        return None
    if asks is BudgetQuestion.OTHER_DEBTS:
        return _take(turn, BudgetTold(other_debts=StatedAmount(int(answer))), None)
    return _take(turn, BudgetTold(), int(answer))


def _unsaid(turn: Turn) -> Told:
    turn.say("utter_budget_unsaid")
    return negotiation.leave_unsaid(turn.deps, turn.conversation_id)


def _in_rhythm(turn: Turn, current: State, rhythm: Rhythm) -> Told:
    """Take the income that was told as one of another rhythm: 是一年的."""
    told_fen = (current.budget.monthly_income_fen if current.budget else None) or 0
    if rhythm is Rhythm.MONTHLY:
        return negotiation.leave_unsaid(turn.deps, turn.conversation_id)
    income = StatedAmount(income_a_month(rhythm, told_fen), rhythm, told_fen)
    figures = Figures(income_fen=income.fen, income_told=IncomeTold((), rhythm, told_fen))
    _read_back(turn, figures, income)
    return _state(turn, figures)


def _read_back(
    turn: Turn,
    figures: Figures,
    income: StatedAmount | None = None,
    essentials: StatedAmount | None = None,
) -> None:
    """Say what was noted; how a sum was brought to a month is said, so that it can be put right."""
    if figures.told >= _SEVERAL:
        _read_back_together(turn, figures, income, essentials)
        return
    if income is not None:
        _income_back(turn, income)
    if essentials is not None:
        careful = "" if _is_plain(essentials) else "_careful"
        turn.say(f"utter_essentials_noted{careful}", amount=format_yuan(essentials.fen))
    if figures.dependants is not None:
        turn.say("utter_dependants_noted", people=str(1 + figures.dependants))
    if figures.other_debts_fen is not None:
        turn.say(
            "utter_other_debts_noted" if figures.other_debts_fen else "utter_other_debts_none",
            amount=format_yuan(figures.other_debts_fen),
        )


def _read_back_together(
    turn: Turn, figures: Figures, income: StatedAmount | None, essentials: StatedAmount | None
) -> None:
    """Read many figures back in one list; what was reckoned from something else is said before it, with the rule."""
    if income is not None and not _is_plain(income):
        _income_back(turn, income)
        figures = replace(figures, income_fen=None)
    if essentials is not None and not _is_plain(essentials):
        turn.say("utter_essentials_noted_careful", amount=format_yuan(essentials.fen))
        figures = replace(figures, essential_fen=None)
    turn.say("utter_budget_noted", lines="\n".join(_lines(turn, figures)))


def _is_plain(amount: StatedAmount) -> bool:
    return amount.rhythm is Rhythm.MONTHLY and amount.range_fen is None


def _income_back(turn: Turn, income: StatedAmount) -> None:
    if _is_plain(income):
        turn.say("utter_income_noted", amount=format_yuan(income.fen))
        return
    known = income.rhythm in INCOME_TIMES or income.rhythm is Rhythm.YEARLY
    how = income.rhythm.value if known and income.each_fen is not None else "careful"
    turn.say(
        f"utter_income_noted_{how}",
        amount=format_yuan(income.fen),
        each=format_yuan(income.each_fen or 0),
        times=str(INCOME_TIMES.get(income.rhythm, 1)),
    )


def _lines(turn: Turn, figures: Figures) -> list[str]:
    said = []
    if figures.income_fen is not None:
        said.append(turn.phrase("utter_part_budget_income", amount=format_yuan(figures.income_fen)))
    if figures.essential_fen is not None:
        said.append(turn.phrase("utter_part_budget_essentials", amount=format_yuan(figures.essential_fen)))
    if figures.dependants is not None:
        said.append(turn.phrase("utter_part_budget_people", people=str(1 + figures.dependants)))
    if figures.other_debts_fen is not None:
        said.append(turn.phrase("utter_part_budget_other_debts", amount=format_yuan(figures.other_debts_fen)))
    return said
