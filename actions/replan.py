"""A plan that does not fit any more: another one in its place, computed from today's facts, or a person."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction

from actions.base import Turn, VerifiedAction, verify_first
from actions.plan_answers import MARK, PLAN_FORM, say_blocked, show, wish_in
from actions.step_form import seen
from bot.desk.ownership import QueueReason
from bot.lending.money import format_yuan
from bot.services import handoff, negotiation, replanning, said
from bot.services.accounts import NotVerified
from bot.services.negotiation import Blocked, Stage, State
from bot.services.replanning import NoReplan
from bot.text.periods import DayOfMonth
from bot.text.values import ValueKind, extract
from bot.workout.hardship_reading import read_hardship

_LONGEST_MONTH = 31
_MISSED = frozenset({"report_missed_installment"})
_MODIFIES = frozenset({"modify_plan"})


class MissedInstalment(VerifiedAction):
    """An instalment cannot be paid: never scold; ask why, and look for a plan that fits."""

    action_name = "action_missed_instalment"

    def tell(self, turn: Turn) -> list[EventType]:
        """Open a negotiation for another plan, or call a person where the bot may make none."""
        begun = replanning.begin(turn.deps, turn.conversation_id)
        if not isinstance(begun, State):
            return _without(turn, begun, self.action_name)
        turn.say("utter_missed_instalment")
        _say_what_changes(turn, begun)
        text = _said(turn, _MISSED)
        if (hardship := read_hardship(text)) is not None:
            negotiation.tell_hardship(turn.deps, turn.conversation_id, hardship)
        return _go_on(turn, text)


class ModifyPlan(VerifiedAction):
    """An agreed plan is to change: its pay day at once, its amounts by a new look at the means, else a person."""

    action_name = "action_modify_plan"

    def tell(self, turn: Turn) -> list[EventType]:
        """Offer the remaining instalments on the day that suits, or look for other amounts."""
        text = _said(turn, _MODIFIES)
        pay_day = _pay_day(turn, text)
        if pay_day is not None:
            moved = replanning.move_pay_day(turn.deps, turn.conversation_id, pay_day)
            if isinstance(moved, NoReplan | NotVerified):
                return _without(turn, moved, self.action_name)
            return [seen(MARK, turn), *show(turn, moved), FollowupAction(PLAN_FORM)]
        if wish_in(turn, text, turn.intent) is None and read_hardship(text) is None:
            return _pass_on(turn)
        begun = replanning.begin(turn.deps, turn.conversation_id)
        if not isinstance(begun, State):
            return _without(turn, begun, self.action_name)
        _say_what_changes(turn, begun)
        if (hardship := read_hardship(text)) is not None:
            negotiation.tell_hardship(turn.deps, turn.conversation_id, hardship)
        return _go_on(turn, text)


def _without(turn: Turn, why: NoReplan | NotVerified, goal: str) -> list[EventType]:
    if isinstance(why, NotVerified):
        return verify_first(turn, goal)
    if why is NoReplan.NO_PLAN:
        return [FollowupAction("action_open_plan")]
    if why is NoReplan.MEANS_UNKNOWN:
        return _pass_on(turn)
    if why is NoReplan.ON_HOLD:
        return say_blocked(turn, Blocked.ON_HOLD)
    turn.say(f"utter_no_replan_{why.value}")
    if why is NoReplan.NO_REPLANS_LEFT:
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.NO_PLAN_FITS)
    return []


def _pass_on(turn: Turn) -> list[EventType]:
    handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.ASKED)
    turn.say("utter_pass_on_modify_plan")
    return []


def _say_what_changes(turn: Turn, begun: State) -> None:
    turn.say("utter_plan_caution")
    if begun.lost_waiver_fen:
        turn.say("utter_replan_waiver", amount=format_yuan(begun.lost_waiver_fen))


def _go_on(turn: Turn, text: str) -> list[EventType]:
    """Keep what is asked of the new plan, and let the form ask the rest."""
    wish = wish_in(turn, text, turn.intent)
    events: list[EventType] = [seen(MARK, turn)]
    if wish is not None:
        events += show(turn, negotiation.propose(turn.deps, turn.conversation_id, wish), noted=True)
    current = negotiation.state(turn.deps, turn.conversation_id)
    is_open = isinstance(current, State) and current.stage is not Stage.NONE
    return [*events, FollowupAction(PLAN_FORM)] if is_open else events


def _said(turn: Turn, intents: frozenset[str]) -> str:
    """Return what was said of it: in this message, or before identity was proved."""
    if turn.intent in intents or turn.is_payload:
        return turn.text
    return said.before_proof(turn.deps, turn.conversation_id, intents)[1]


def _pay_day(turn: Turn, text: str) -> int | None:
    """Return the day of the month that is asked for: of two that are named, the one that is named last."""
    if not text:
        return None
    asked = extract(text, turn.deps.now(), frozenset({ValueKind.DAY_OF_MONTH}))
    days = [value.payload.day for value in asked if isinstance(value.payload, DayOfMonth)]
    if not days:
        return None
    day = days[-1]
    return _LONGEST_MONTH if day == "last" else day
