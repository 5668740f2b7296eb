"""A small sum soon: asked for piece by piece, read back with its warning, made by an explicit yes."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.base import GOAL, VERIFY_FORM, DeskAction, Turn, VerifiedAction, verify_first
from actions.promise_words import ask_promise, confirm, explain, stated_in
from actions.step_form import AskStep, ValidateStepForm, end_form, seen, verify_again
from bot.desk.ownership import QueueReason
from bot.services import handoff, promises, said
from bot.services.accounts import NotVerified
from bot.services.promises import Answer, NotPromised, Promised, Step
from bot.text.assent import may_be_assent
from bot.workout.promise_reading import StatedPromise
from bot.workout.reading import read_position

STEP = "promise_step"
FORM = "promise_form"
_MARK = "promise"
_GOAL = "action_note_promise"
OPENS = frozenset({"promise_to_pay", "propose_payment"})
"""Messages that may begin a promise: said as one, or as an offer of a sum on a day."""

_AGREES = frozenset({"affirm", "accept_offer"})
_TAKES_BACK = frozenset({"deny", "reject_offer", "cancel"})
_ANSWERS = frozenset({*OPENS, "inform", "request_deferral", "affirm", "accept_offer", "nlu_fallback"})
"""Messages in which a sum or a day may answer the question."""

_PERSON = {
    NotPromised.OLD_DEBT: QueueReason.OLD_DEBT,
    NotPromised.ALL_DISPUTED: QueueReason.DISPUTE,
    NotPromised.NOT_OFFERED: QueueReason.ASKED,
}


class NotePromise(VerifiedAction):
    """The borrower means to pay something by a day: begins to take it down, or goes on."""

    action_name = _GOAL

    def tell(self, turn: Turn) -> list[EventType]:
        """Take over what was said, and let the form ask for the rest; old debts get neutral words and a person."""
        if promise_id := turn.pressed("agree"):
            return _end(turn, _make(turn, promise_id))
        if turn.pressed("choice") == "drop":
            return _drop(turn)
        told = promises.tell(turn.deps, turn.conversation_id, _stated_first(turn))
        if isinstance(told, NotVerified):
            return verify_first(turn, self.action_name)
        events = _say(turn, told)
        goes_on = isinstance(told, Promised)
        return [seen(_MARK, turn), *events, *([FollowupAction(FORM)] if goes_on else [])]


class ValidatePromiseForm(ValidateStepForm[Promised]):
    """Takes a creditor, a sum, a day or the yes; leaves any other message alone."""

    action_name = "validate_promise_form"
    form, goal = _MARK, _GOAL

    def current(self, turn: Turn) -> Promised | NotVerified | None:
        """Return the promise that is being made."""
        state = promises.state(turn.deps, turn.conversation_id)
        return None if isinstance(state, Promised) and state.step is Step.NONE else state

    def take(self, turn: Turn, current: Promised) -> list[EventType] | None:
        """Read the message for what is asked."""
        return _take(turn, current)


class AskPromiseStep(AskStep):
    """Asks the question of the moment."""

    action_name = "action_ask_promise_step"

    def ask(self, turn: Turn) -> None:
        """Ask, and note for the yes in answer to what it was asked."""
        current = promises.state(turn.deps, turn.conversation_id)
        if isinstance(current, NotVerified):
            return
        ask_promise(turn, current)
        if current.step is Step.CONFIRMATION:
            promises.put_question(turn.deps, turn.conversation_id, turn.message_id)


class AfterPromise(DeskAction):
    """The form has ended: with a promise, without one, or because identity has to be proved again."""

    action_name = "action_after_promise"

    def handle(self, turn: Turn) -> list[EventType]:
        """Go on with verification if that is what ended the form."""
        ended: list[EventType] = [SlotSet(STEP, None)]
        return [*ended, FollowupAction(VERIFY_FORM)] if turn.slot(GOAL) == NotePromise.action_name else ended


def _stated_first(turn: Turn) -> StatedPromise:
    """What opens a promise, as said now or before identity was proved."""
    if turn.is_payload:
        return StatedPromise()
    if turn.intent in OPENS:
        return stated_in(turn, turn.text)
    return stated_in(turn, said.before_proof(turn.deps, turn.conversation_id, OPENS)[1])


def _take(turn: Turn, current: Promised) -> list[EventType] | None:
    if promise_id := turn.pressed("agree"):
        return _say(turn, _make(turn, promise_id))
    pressed = turn.pressed("choice")
    if pressed == "drop":
        return _drop(turn)
    if current.step is Step.CREDITOR:
        position = int(pressed) if pressed and pressed.isdigit() else read_position(turn.text, len(current.creditors))
        if position is None:
            return None
        return _say(turn, promises.choose_creditor(turn.deps, turn.conversation_id, position))
    if turn.intent in _TAKES_BACK:
        return _drop(turn)
    stated = stated_in(turn, turn.text)
    if not stated.says_nothing and turn.intent in _ANSWERS:
        return _say(turn, promises.tell(turn.deps, turn.conversation_id, stated))
    if current.step is Step.CONFIRMATION and turn.intent in _AGREES:
        return _say(turn, _make(turn, None)) if may_be_assent(turn.text) else []
    return None


def _make(turn: Turn, promise_id: str | None) -> Answer:
    return promises.make(turn.deps, turn.conversation_id, turn.message_id, promise_id)


def _say(turn: Turn, told: Answer) -> list[EventType]:
    """Say what came of it. A promise made ends the form, and so does a refusal as a whole."""
    if isinstance(told, NotVerified):
        return verify_again(_GOAL)
    if isinstance(told, NotPromised):
        turn.say(f"utter_no_promise_{told.value}")
        if (reason := _PERSON.get(told)) is not None:
            handoff.ask_human(turn.deps, turn.conversation_id, reason)
        return [end_form()]
    if told.step is Step.MADE:
        confirm(turn, told)
        return [SlotSet(STEP, "made")]
    if told.refused is not None:
        explain(turn, told)
    return []


def _drop(turn: Turn) -> list[EventType]:
    promises.drop(turn.deps, turn.conversation_id)
    turn.say("utter_promise_dropped")
    return [end_form()]


def _end(turn: Turn, told: Answer) -> list[EventType]:
    """Answer a button pressed outside the form; a draft that still lacks something goes on in the form."""
    events = _say(turn, told)
    unfinished = isinstance(told, Promised) and told.step not in (Step.MADE, Step.NONE)
    return [seen(_MARK, turn), *events, *([FollowupAction(FORM)] if unfinished else [])]
