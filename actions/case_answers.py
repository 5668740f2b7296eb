"""Reading one message as an answer to the question about a case, and saying what came of it."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import Turn
from actions.case_words import say_evidence, say_opened, say_tell_later
from actions.step_form import end_form, seen, verify_again
from bot.cases.kinds import CaseKind, Family
from bot.cases.question import CaseStep
from bot.cases.reading import means_every_debt, read_kind, says_enough
from bot.identity.third_party import introduces_self, says_not_the_one
from bot.rights.data_request import DataRequest, read_data_request
from bot.services import cases
from bot.services.accounts import NotVerified
from bot.services.case_questions import Asked
from bot.text.assent import may_be_assent
from bot.workout.reading import read_position

BACK = "case_back"
"""The slot that names the form a case has interrupted."""

GOAL_AGAIN = "action_open_dispute"
FACT = "fact"
"""The mark of a message that told what happened: after it the question is a short one."""

_AGREES = frozenset({"affirm", "accept_offer"})
_DECLINES = frozenset({"deny", "reject_offer"})
_SAYS_ALL = frozenset({"deny", "thank", "goodbye", "affirm"})
_NO_FACTS = frozenset(
    {
        "cancel",
        "request_human",
        "request_callback",
        "stop_contact",
        "set_reminder",
        "express_distress",
        "ask_complaint",
        "ask_balance",
        "ask_breakdown",
        "ask_capabilities",
        "ask_legitimacy",
        "ask_plan_status",
        "ask_repayment_channel",
        "bot_challenge",
        "greet",
        "repeat",
        "rights",
        "verify_identity",
        "request_installment",
    }
)
"""Messages that tell nothing of what happened, even where that was asked."""

_LONG_ENOUGH = 6
"""Characters from which a text that names no kind is a story told, and no answer to which kind it is."""


def take(turn: Turn, current: Asked) -> list[EventType] | None:
    """Take a message as the answer to what is asked; None where it is none."""
    if _invokes_another_right(turn, current):
        return None
    choice = turn.pressed("choice")
    if draft_id := turn.pressed("agree"):
        return confirm(turn, draft_id) if current.step is CaseStep.YES else None
    if choice == "drop":
        return drop(turn)
    if current.step is CaseStep.DEBT:
        return _take_debt(turn, current, choice)
    if current.step is CaseStep.KIND:
        return _take_kind(turn, current, choice)
    if current.step is CaseStep.YES:
        return _take_yes(turn, current)
    return _take_fact(turn, current, choice)


def _invokes_another_right(turn: Turn, current: Asked) -> bool:
    """Whether a message claims a right of its own, which must not end as one more line of what happened.

    Nor as a choice among debts: 我的全部资料 is not every debt. Distress is never only a story.

    What only mentions such a thing, a relative who was called or a wrong sum in a complaint about fees, is told.
    """
    if turn.is_payload or current.step not in (CaseStep.DEBT, CaseStep.KIND, CaseStep.FACTS):
        return False
    is_dispute = current.family is Family.DISPUTE
    match turn.intent:
        case "express_distress":
            return True
        case "third_party_inquiry":
            return introduces_self(turn.text)
        case "wrong_person":
            may_mean_the_debt = is_dispute and current.kind in (None, CaseKind.NOT_MINE, CaseKind.IDENTITY_THEFT)
            return not may_mean_the_debt and says_not_the_one(turn.text)
        case "ask_data_source":
            return read_data_request(turn.text) is not DataRequest.SOURCE
        case "dispute_debt":
            return not is_dispute and current.kind is not CaseKind.FEES
        case "complain_harassment" | "complain_service":
            return is_dispute
    return False


def _take_debt(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    if choice == "all" or (choice is None and means_every_debt(turn.text)):
        cases.choose_debts(turn.deps, turn.conversation_id, None)
        return []
    place = int(choice) if choice and choice.isdigit() else read_position(turn.text, len(current.debts))
    if place is None:
        return drop(turn) if turn.intent in _DECLINES else None
    cases.choose_debts(turn.deps, turn.conversation_id, (place,))
    return []


def _take_kind(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    family = current.family or Family.COMPLAINT
    kind = kind_said(turn, family)
    tells = choice is None and not turn.is_payload and turn.intent not in _NO_FACTS
    if kind is None and family is Family.COMPLAINT and choice == "enough":
        return _end_facts(turn)
    if kind is None and family is Family.COMPLAINT and tells:
        if says_enough(turn.text) or turn.intent in _SAYS_ALL:
            return _end_facts(turn)
        kind = CaseKind.SERVICE if len(turn.text) >= _LONG_ENOUGH else None
    if kind is None:
        return drop(turn) if family is Family.DISPUTE and turn.intent in _DECLINES else None
    named = cases.choose_kind(turn.deps, turn.conversation_id, kind)
    if family is Family.COMPLAINT and isinstance(named, Asked):
        if kind.may_be_dangerous:
            turn.say("utter_complaint_evidence")
        say_evidence(turn, kind)
        if tells:
            cases.add_fact(turn.deps, turn.conversation_id, turn.raw_text, turn.message_id)
    return []


def _take_yes(turn: Turn, current: Asked) -> list[EventType] | None:
    if turn.is_payload:
        return None
    if turn.intent in _DECLINES:
        return drop(turn)
    if turn.intent in _AGREES:
        return confirm(turn, None) if may_be_assent(turn.text) else []
    other = read_kind(Family.DISPUTE, turn.text)
    if turn.intent in ("dispute_debt", "inform") and other is not None and other is not current.kind:
        cases.begin_dispute(turn.deps, turn.conversation_id, other, turn.raw_text, turn.message_id)
        return []
    return None


def _take_fact(turn: Turn, current: Asked, choice: str | None) -> list[EventType] | None:
    if choice == "enough":
        return _end_facts(turn)
    if turn.is_payload or not turn.raw_text.strip():
        return None
    if says_enough(turn.text) or turn.intent in _SAYS_ALL:
        return _end_facts(turn)
    if turn.intent in _NO_FACTS:
        return None
    cases.add_fact(turn.deps, turn.conversation_id, turn.raw_text, turn.message_id)
    turn.say("utter_case_fact_noted")
    heard = read_kind(Family.COMPLAINT, turn.text)
    if heard is not None and heard.may_be_dangerous and not (current.kind and current.kind.may_be_dangerous):
        turn.say("utter_complaint_evidence")
    return [seen(FACT, turn)]


def confirm(turn: Turn, draft_id: str | None) -> list[EventType]:
    """Open the dispute that was read back, and say what happens now; ``draft_id`` is what a button named."""
    done = cases.confirm(turn.deps, turn.conversation_id, turn.message_id, draft_id)
    if isinstance(done, NotVerified):
        return verify_again(GOAL_AGAIN)
    if done.step is CaseStep.NONE:
        turn.say("utter_case_gone")
        return [end_form()]
    if done.case is None:
        return []
    say_opened(turn, done)
    if done.plan_ended or not turn.slot(BACK):
        return []
    # Something waits for its answer: telling more comes later, and what was interrupted goes on.
    cases.stop_asking(turn.deps, turn.conversation_id)
    say_tell_later(turn)
    return [end_form()]


def drop(turn: Turn) -> list[EventType]:
    """Let go of a dispute before its yes."""
    cases.stop_asking(turn.deps, turn.conversation_id)
    turn.say("utter_dispute_dropped")
    return [end_form()]


def _end_facts(turn: Turn) -> list[EventType]:
    cases.stop_asking(turn.deps, turn.conversation_id)
    turn.say("utter_case_facts_done")
    return [end_form()]


def kind_said(turn: Turn, family: Family) -> CaseKind | None:
    """Return what was pressed or said to be the matter."""
    if turn.is_payload:
        pressed = turn.pressed("choice")
        return next((kind for kind in CaseKind if kind.value == pressed and kind.family is family), None)
    return read_kind(family, turn.text)
