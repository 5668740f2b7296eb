"""结清证明: the letter where debts are settled, else what is still missing."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import Turn, VerifiedAction, verify_first
from actions.debt import is_old, say_old
from actions.documents import hand_over
from actions.figures import label
from bot.lending.money import format_yuan
from bot.services import clearance
from bot.services.accounts import DebtView, NotVerified


class TellClearance(VerifiedAction):
    """Hands over the clearance letters there are, and says kindly what the other debts still lack."""

    action_name = "action_tell_clearance"

    def tell(self, turn: Turn) -> list[EventType]:
        """Hand over every letter, then name each debt that has none yet."""
        found = clearance.clearance(turn.deps, turn.conversation_id)
        if isinstance(found, NotVerified):
            return verify_first(turn, self.action_name)
        for letter in found.letters:
            hand_over(turn, letter)
        if found.letters:
            turn.say("utter_clearance_on_paper")
        if found.in_trouble:
            turn.say("utter_document_trouble")
        for debt in found.open_debts:
            _say_missing(turn, debt)
        if not (found.letters or found.in_trouble or found.open_debts):
            turn.say("utter_clearance_nothing")
        return []


def _say_missing(turn: Turn, debt: DebtView) -> None:
    """Say what a debt lacks; an old or a disputed one is named without a figure, for nobody is to be pressed (N8)."""
    if is_old(debt):
        say_old(turn, debt)
    elif debt.disputed:
        turn.say("utter_disputed_remark", label=label(turn, debt))
    else:
        rest_fen = debt.statement.balances.total_fen - debt.waived_on_completion_fen
        turn.say(
            "utter_clearance_in_plan" if debt.plan_number else "utter_clearance_still_open",
            label=label(turn, debt),
            rest=format_yuan(rest_fen),
        )
