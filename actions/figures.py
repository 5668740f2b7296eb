"""Any figure opened to the rule, days and rate behind it; what waiting costs; what ends a debt today."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rasa_sdk.events import EventType

from actions.base import Button, Turn, VerifiedAction, verify_first
from bot.lending.balances import Component
from bot.lending.explanation import AccrualLine, ChargeLine, ExplanationLine, SettlementLine
from bot.lending.ledger import EntryKind
from bot.lending.money import format_yuan
from bot.services import figures
from bot.services.accounts import DebtView, NotVerified, Portfolio
from bot.services.figures import FigureView
from bot.services.payoff_quotes import may_be_pressed
from bot.text.display import day_text

_SHOWN_LINES = 12
_PAGE_DIGITS = 4
_WAITING_DAYS = 30
_OPENED = (Component.INTEREST, Component.PENALTY, Component.FEE, Component.PRINCIPAL)
"""Figures with a button, the most asked about first."""


class ExplainFigure(VerifiedAction):
    """为什么是这个数: one component of one debt, down to lines that add up to the fen."""

    action_name = "action_explain_figure"

    def tell(self, turn: Turn) -> list[EventType]:
        """Open the figure that a button names."""
        debt_id, _, rest = (turn.pressed("figure") or "").partition(":")
        component, _, page = rest.partition(":")
        if component not in set(Component):
            turn.say("utter_figure_gone")
            return []
        seen = figures.open_figure(turn.deps, turn.conversation_id, debt_id, Component(component))
        if isinstance(seen, NotVerified):
            return verify_first(turn, self.action_name)
        if seen is None:
            turn.say("utter_figure_gone")
        else:
            show_figure(turn, seen, int(page) if page.isdecimal() and len(page) <= _PAGE_DIGITS else 0)
        return []


class QuotePayoff(VerifiedAction):
    """Paying off early: what ends each debt, and until when the figure holds."""

    action_name = "action_quote_payoff"

    def tell(self, turn: Turn) -> list[EventType]:
        """Quote each debt that may be spoken of."""
        quoted = figures.quote_payoff(turn.deps, turn.conversation_id)
        if isinstance(quoted, NotVerified):
            return verify_first(turn, self.action_name)
        for view in quoted:
            debt = view.debt
            if view.quote is not None:
                owed, today = view.quote.owed, view.quote.as_of
                turn.say(
                    "utter_payoff",
                    label=label(turn, debt),
                    until=day_text(view.quote.good_through, today),
                    total=format_yuan(view.quote.total_fen),
                    principal=format_yuan(owed.principal_fen),
                    interest=format_yuan(owed.interest_fen),
                    penalty=format_yuan(owed.penalty_fen),
                    fee=format_yuan(owed.fee_fen),
                )
            elif view.planned_fen is not None:
                turn.say("utter_payoff_plan", label=label(turn, debt), total=format_yuan(view.planned_fen))
        turn.say(_after_payoff([view.debt for view in quoted]))
        return []


class TellWaiting(VerifiedAction):
    """What a debt becomes if nothing is paid for a month: a fact, with the way out beside it."""

    action_name = "action_tell_waiting"

    def tell(self, turn: Turn) -> list[EventType]:
        """Show today's sum, the later one and what a day costs."""
        seen = figures.wait_until(turn.deps, turn.conversation_id, figures.in_days(turn.deps, _WAITING_DAYS))
        if isinstance(seen, NotVerified):
            return verify_first(turn, self.action_name)
        for view in seen:
            ahead = view.outlook
            turn.say(
                "utter_waiting",
                label=label(turn, view.debt),
                day=day_text(ahead.by, ahead.as_of),
                then=format_yuan(ahead.then.total_fen),
                added=format_yuan(ahead.added_total_fen),
                daily=format_yuan(ahead.next_day_fen),
            )
        turn.say("utter_waiting_next" if seen else "utter_waiting_none")
        return []


def figure_buttons(turn: Turn, owed: Portfolio) -> list[Button]:
    """Return buttons that open the figures above 0, and one that shows what waiting costs."""
    several = len(owed.open_debts) > 1
    buttons = [
        Button(
            turn.phrase(
                "utter_part_open_figure_of" if several else "utter_part_open_figure",
                component=component_name(turn, component),
                reference=debt.reference,
            ),
            f'/ask_breakdown{{"figure": "{debt.debt_id}:{component.value}"}}',
        )
        for debt in owed.open_debts
        for component in _OPENED
        if debt.statement.balances.of(component)
    ]
    if can_be_planned(owed):
        buttons.append(Button(turn.phrase("utter_part_open_waiting"), '/ask_breakdown{"waiting": "month"}'))
    return buttons


def can_be_planned(owed: Portfolio) -> bool:
    """Whether there is a debt for which a plan may be offered: open, without a plan, not disputed, not old (N4, N8)."""
    return any(may_be_pressed(debt) and debt.plan_number is None for debt in owed.open_debts)


def show_costs(turn: Turn) -> None:
    """Say what each debt costs a year, fees included; above 24 % that a check may be asked for (M1, M2)."""
    costs = figures.yearly_costs(turn.deps, turn.conversation_id)
    for view in () if isinstance(costs, NotVerified) else costs:
        turn.say("utter_yearly_cost", label=label(turn, view.debt), rate=percent(view.cost.rate, places=2))
        if view.is_to_be_noted:
            turn.say("utter_yearly_cost_noted")


def show_figure(turn: Turn, seen: FigureView, page: int = 0) -> None:
    """Say a page of a figure's lines, 0 being the latest; those before and after are summed, so that all add up."""
    lines = seen.explanation.lines
    pages = max(1, -(-len(lines) // _SHOWN_LINES))
    page = min(page, pages - 1)
    end = len(lines) - page * _SHOWN_LINES
    older, shown, newer = lines[: max(0, end - _SHOWN_LINES)], lines[max(0, end - _SHOWN_LINES) : end], lines[end:]
    words = [_line(turn, seen, line) for line in shown]
    if older:
        words.insert(0, _sum(turn, "utter_part_figure_older", older))
    if newer:
        words.append(_sum(turn, "utter_part_figure_newer", newer))
    figure = f"{seen.debt.debt_id}:{seen.component.value}"
    turned = [("utter_part_open_older", page + 1)] if older else []
    turned += [("utter_part_open_newer", page - 1)] if newer else []
    turn.say(
        "utter_figure",
        [Button(turn.phrase(name), f'/ask_breakdown{{"figure": "{figure}:{to}"}}') for name, to in turned],
        label=label(turn, seen.debt),
        component=component_name(turn, seen.component),
        lines="\n".join(words),
        total=format_yuan(seen.explanation.balance_fen),
    )


def _sum(turn: Turn, name: str, lines: Sequence[ExplanationLine]) -> str:
    return turn.phrase(name, count=str(len(lines)), amount=format_yuan(sum(line.amount_fen for line in lines)))


def _after_payoff(debts: Sequence[DebtView]) -> str:
    """What to say after the sums: whoever has a plan for all of it is not offered to make one."""
    if not debts:
        return "utter_payoff_none"
    return "utter_payoff_plan_next" if all(debt.plan_number for debt in debts) else "utter_payoff_next"


def label(turn: Turn, debt: DebtView) -> str:
    """Return a debt's name in the chat: creditor, product and the end of its number."""
    return turn.phrase("utter_part_label", creditor=debt.creditor, product=debt.product, reference=debt.reference)


def component_name(turn: Turn, component: Component) -> str:
    """Return a component's name in the chat."""
    return turn.phrase(f"utter_part_component_{component.value}")


def percent(rate: Decimal, places: int | None = None) -> str:
    """Return a rate a year as a percentage; ``places`` rounds it, for a rate that was computed and not agreed."""
    shown = rate * 100 if places is None else round(rate * 100, places)
    return f"{shown.normalize():f}%"


def _line(turn: Turn, seen: FigureView, line: ExplanationLine) -> str:
    today = seen.explanation.as_of
    match line:
        case AccrualLine(span=span):
            words = turn.phrase(
                "utter_part_figure_accrual",
                start=day_text(span.from_on, today),
                end=day_text(span.until_on, today),
                days=str(span.days),
                principal=format_yuan(span.principal_fen),
                rate=percent(span.annual_rate),
                day_count=str(span.day_count),
                amount=format_yuan(line.amount_fen),
            )
            if line.holds:
                return words
            return words + turn.phrase("utter_part_figure_corrected", should=format_yuan(span.amount_fen))
        case ChargeLine(rule=rule) if rule is not None:
            return turn.phrase(
                "utter_part_figure_late_fee",
                day=day_text(line.on, today),
                amount=format_yuan(line.amount_fen),
                rate=percent(rule.rate),
                minimum=format_yuan(rule.minimum_fen),
            )
        case ChargeLine():
            return turn.phrase(
                "utter_part_figure_charge", day=day_text(line.on, today), amount=format_yuan(line.amount_fen)
            )
        case SettlementLine():
            name = "payment" if line.kind is EntryKind.PAYMENT else "waiver"
            return turn.phrase(
                f"utter_part_settled_{name}",
                day=day_text(line.on, today),
                booked=format_yuan(line.booked_fen),
                amount=format_yuan(-line.amount_fen),
            )
