"""What is owed, why, to whom and how to pay it."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction

from actions.base import Button, Turn, VerifiedAction, verify_first
from actions.documents import hand_over_statement, statement_button, wants_statement
from actions.figures import can_be_planned, component_name, figure_buttons, label, percent, show_costs, show_figure
from bot.clock import business_date
from bot.lending.balances import Component
from bot.lending.limitation import LimitationStatus
from bot.lending.money import format_yuan
from bot.lending.naming import read_component
from bot.lending.statement import StatementLine
from bot.services import accounts, figures, payment_traces
from bot.services.accounts import DebtView, NotVerified, Portfolio
from bot.services.figures import FigureView
from bot.services.payment_traces import NoDebt, PaymentFound
from bot.text.display import day_text
from bot.text.values import extract


class DebtAction(VerifiedAction):
    """Base of the actions that tell about the borrower's debts."""

    def tell(self, turn: Turn) -> list[EventType]:
        """Fetch the debts, then describe them."""
        owed = accounts.portfolio(turn.deps, turn.conversation_id)
        if isinstance(owed, NotVerified):
            return verify_first(turn, self.action_name)
        if not owed.open_debts:
            turn.say("utter_nothing_owed")
            return []
        self.describe(turn, owed)
        return []

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Say what this action is about."""
        raise AssertionError("a subclass says what to describe")


class TellBalance(DebtAction):
    """How much is owed, by component, for each debt and in total."""

    action_name = "action_tell_balance"

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Show one statement a debt, then the total and the next steps."""
        for debt in owed.open_debts:
            balances = debt.statement.balances
            late = debt.statement.days_past_due
            turn.say(
                "utter_statement" if late else "utter_statement_not_late",
                label=label(turn, debt),
                principal=format_yuan(balances.principal_fen),
                interest=format_yuan(balances.interest_fen),
                penalty=format_yuan(balances.penalty_fen),
                fee=format_yuan(balances.fee_fen),
                total=format_yuan(balances.total_fen),
                days=str(late),
            )
            _add_remarks(turn, debt)
        turn.say(
            _total_of(owed),
            day=day_text(owed.as_of, owed.as_of),
            count=str(len(owed.open_debts)),
            total=format_yuan(owed.total_fen),
        )


class TellBreakdown(DebtAction):
    """How each figure comes about, in lines that add up to the fen."""

    action_name = "action_tell_breakdown"

    def tell(self, turn: Turn) -> list[EventType]:
        """Hand over the statement where that was asked for, else say it."""
        if turn.pressed("figure"):
            return [FollowupAction("action_explain_figure")]
        if turn.pressed("waiting"):
            return [FollowupAction("action_tell_waiting")]
        if wants_statement(turn):
            hand_over_statement(turn)
            return []
        return super().tell(turn)

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Show the lines behind the statement of each debt; a component named alone is opened at once."""
        named = read_component(turn.text)
        if named is not None and len(owed.open_debts) == 1 and owed.open_debts[0].statement.balances.of(named):
            seen = figures.open_figure(turn.deps, turn.conversation_id, owed.open_debts[0].debt_id, named)
            if isinstance(seen, FigureView):
                show_figure(turn, seen)
                return
        for debt in owed.open_debts:
            lines = [_line(turn, debt, line, owed) for line in debt.statement.lines if line.component is not None]
            turn.say(
                "utter_breakdown" if debt.penalty_annual_rate else "utter_breakdown_without_penalty",
                label=label(turn, debt),
                lines="\n".join(lines),
                total=format_yuan(debt.statement.balances.total_fen),
                rate=percent(debt.annual_rate),
                penalty_rate=percent(debt.penalty_annual_rate),
            )
            _say_planned(turn, debt)
        show_costs(turn)
        plan = [Button(turn.phrase("utter_part_plan_button"), "/request_installment")] if can_be_planned(owed) else []
        turn.say("utter_breakdown_next", [*plan, *figure_buttons(turn, owed), statement_button(turn)])


class TellDueDate(DebtAction):
    """When it was due and how late it is."""

    action_name = "action_tell_due_date"

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Say the due date of each debt, and of an old one that the law may see it differently."""
        for debt in owed.open_debts:
            turn.say(
                "utter_due_date" if debt.statement.days_past_due else "utter_due_date_not_late",
                label=label(turn, debt),
                due=day_text(debt.due_on, owed.as_of),
                days=str(debt.statement.days_past_due),
            )
            if is_old(debt):
                say_old(turn, debt)


class TellCreditor(DebtAction):
    """Which lender, product and contract it is."""

    action_name = "action_tell_creditor"

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Name the creditor of each debt, and where to complain."""
        for debt in owed.open_debts:
            turn.say("utter_creditor", creditor=debt.creditor, label=label(turn, debt), phone=debt.complaint_phone)


class TellRepaymentChannel(DebtAction):
    """How to pay: only to the lender's own published account."""

    action_name = "action_tell_repayment_channel"

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Name the channel of each creditor once; before that, say which debts are old: paying may revive them (N8)."""
        for debt in owed.open_debts:
            if is_old(debt):
                say_old(turn, debt)
        for creditor, channel in {debt.creditor: debt.payment_channel for debt in owed.open_debts}.items():
            turn.say("utter_repayment_channel", creditor=creditor, channel=channel)
        turn.say("utter_repayment_warning")


class TellMinimumPayment(DebtAction):
    """What the least payment is: there is none to invent, but any amount helps and a plan can be agreed."""

    action_name = "action_tell_minimum_payment"

    def describe(self, turn: Turn, owed: Portfolio) -> None:
        """Say what is overdue and offer a plan; debts that must not be pressed get their remarks only (N4, N8)."""
        pressed_fen = 0
        for debt in owed.open_debts:
            if debt.disputed or debt.plan_number or is_old(debt):
                _add_remarks(turn, debt)
            else:
                pressed_fen += debt.statement.balances.total_fen
        if pressed_fen:
            turn.say("utter_minimum_payment", total=format_yuan(pressed_fen))


class CheckPayment(VerifiedAction):
    """A payment was reported or is asked about: looked for in the ledger, and followed where it is not there yet."""

    action_name = "action_check_payment"

    def tell(self, turn: Turn) -> list[EventType]:
        """Look for the payment that was reported, now or before identity was proved; else say what is on record."""
        said = _reported(turn)
        if said is None:
            return self._tell_status(turn)
        now = turn.deps.now()
        stated = payment_traces.stated_in(extract(said, now), business_date(now))
        answer = payment_traces.report_paid(turn.deps, turn.conversation_id, said, stated)
        if isinstance(answer, NotVerified):
            return verify_first(turn, self.action_name)
        if isinstance(answer, NoDebt):
            turn.say("utter_nothing_owed")
        elif isinstance(answer, PaymentFound):
            _say_found(turn, answer)
        else:
            day = day_text(answer.answer_by, business_date(now))
            turn.say("utter_payment_trace_opened" if answer.is_new else "utter_payment_trace_known", day=day)
            if answer.is_new:
                turn.say("utter_payment_trace_slip")
        return []

    def _tell_status(self, turn: Turn) -> list[EventType]:
        status = payment_traces.status(turn.deps, turn.conversation_id)
        if isinstance(status, NotVerified):
            return verify_first(turn, self.action_name)
        for debt in status.debts:
            if debt.last_payment_on is None:
                turn.say("utter_no_payment_on_record", label=label(turn, debt))
            else:
                turn.say(
                    "utter_last_payment",
                    label=label(turn, debt),
                    day=day_text(debt.last_payment_on, status.as_of),
                    amount=format_yuan(debt.last_payment_fen),
                )
        for trace in status.traces:
            day = day_text(trace.answer_by, status.as_of)
            if trace.amount_fen is None:
                turn.say("utter_payment_trace_waiting", day=day)
            else:
                turn.say("utter_payment_trace_waiting_amount", day=day, amount=format_yuan(trace.amount_fen))
        if not status.traces:
            turn.say("utter_payment_missing_next")
        return []


def _reported(turn: Turn) -> str | None:
    """What was said about a payment made; None where it is only asked about."""
    if turn.intent == payment_traces.REPORTED:
        return "" if turn.is_payload else turn.raw_text
    if turn.intent == payment_traces.ASKED:
        return None
    return payment_traces.reported_before_proof(turn.deps, turn.conversation_id)


def _say_found(turn: Turn, found: PaymentFound) -> None:
    rest_fen = found.debt.statement.balances.total_fen - found.debt.waived_on_completion_fen
    turn.say(
        "utter_payment_found" if rest_fen > 0 else "utter_payment_found_all_paid",
        label=label(turn, found.debt),
        day=day_text(found.paid_on, business_date(turn.deps.now())),
        amount=format_yuan(found.amount_fen),
        rest=format_yuan(max(rest_fen, 0)),
    )


def _total_of(owed: Portfolio) -> str:
    """Return the response for the sum: no plan is offered where all is planned, disputed or old (N4, N8)."""
    if can_be_planned(owed):
        return "utter_statement_total"
    planned = any(debt.plan_number for debt in owed.open_debts)
    return "utter_statement_total_planned" if planned else "utter_statement_total_not_pressed"


def _add_remarks(turn: Turn, debt: DebtView) -> None:
    if debt.disputed:
        turn.say("utter_disputed_remark", label=label(turn, debt))
    if is_old(debt):
        say_old(turn, debt)
    if _say_planned(turn, debt) and debt.waived_on_completion_fen:
        turn.say("utter_planned_remark_waiver", amount=format_yuan(debt.waived_on_completion_fen))


def _say_planned(turn: Turn, debt: DebtView) -> bool:
    """Say that a plan is in force, and what it stops; False if there is none."""
    if debt.plan_number:
        remark = "utter_planned_remark_interest" if debt.plan_interest_runs else "utter_planned_remark"
        turn.say(remark, label=label(turn, debt))
    return debt.plan_number is not None


def is_old(debt: DebtView) -> bool:
    """Whether a debt must not be pressed (N8).

    One under a plan is not old, whatever its dates: agreeing began the period anew (Civil Code art. 195).
    """
    return debt.limitation is not LimitationStatus.RUNNING and debt.plan_number is None


def say_old(turn: Turn, debt: DebtView) -> None:
    """Say of an old debt, in neutral words, that it is old, and where free advice is to be had."""
    turn.say("utter_old_debt_remark", label=label(turn, debt))


def _line(turn: Turn, debt: DebtView, line: StatementLine, owed: Portfolio) -> str:
    component = line.component or Component.PRINCIPAL
    return turn.phrase(
        f"utter_part_line_{line.kind.value}",
        component=component_name(turn, component),
        days=_days(turn, line, owed),
        amount=format_yuan(line.amount_fen),
    )


def _days(turn: Turn, line: StatementLine, owed: Portfolio) -> str:
    start, end = day_text(line.from_on, owed.as_of), day_text(line.until_on, owed.as_of)
    return start if start == end else turn.phrase("utter_part_days", start=start, end=end)
