"""Data rights: where data come from, a copy, correction, deletion, how a plan was decided."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import DeskAction, Turn, VerifiedAction, verify_first
from actions.documents import hand_over
from bot.cases.kinds import CaseKind
from bot.clock import business_date
from bot.lending.money import format_yuan
from bot.rights.data_request import DataRequest, read_data_request
from bot.services import case_intake, data_export, data_rights
from bot.services.accounts import NotVerified
from bot.services.data_rights import Explanation
from bot.services.documents import NotMade
from bot.text.display import day_text
from bot.workout.offer import NoOfferReason


class AnswerDataRequest(DeskAction):
    """Answers what is asked about one's own data; a copy and an explanation are for the verified borrower."""

    action_name = "action_answer_data_request"

    def handle(self, turn: Turn) -> list[EventType]:
        """Tell, put on record, or go on to what needs identity."""
        pressed = turn.pressed("choice")
        known = {wish.value: wish for wish in DataRequest}
        wish = known.get(pressed or "", DataRequest.SOURCE) if turn.is_payload else read_data_request(turn.text)
        if wish in _THEIRS:
            # In this very turn: a form that was open asks its question again only after a single action.
            return _THEIRS[wish](turn.deps).handle(turn)
        if wish is DataRequest.SOURCE:
            turn.say("utter_data_source")
            return []
        _request(turn, wish)
        return []


class CopyData(VerifiedAction):
    """Hands over everything on record about the borrower, as one file."""

    action_name = "action_copy_data"

    def tell(self, turn: Turn) -> list[EventType]:
        """Make the file and let the message carry it."""
        made = data_export.copy_of_data(turn.deps, turn.conversation_id)
        if made is NotMade.NOT_VERIFIED:
            return verify_first(turn, self.action_name)
        if isinstance(made, NotMade):
            _request(turn, DataRequest.COPY)
        else:
            hand_over(turn, made)
        return []


class ExplainDecision(VerifiedAction):
    """Says which rules and which facts led to the last offers, or to none."""

    action_name = "action_explain_decision"

    def tell(self, turn: Turn) -> list[EventType]:
        """Say rules, facts, outcome, and that a person can look again."""
        found = data_rights.explain_decision(turn.deps, turn.conversation_id)
        if isinstance(found, NotVerified):
            return verify_first(turn, self.action_name)
        if found is None:
            turn.say("utter_data_explain_none")
            return []
        day = day_text(found.decided_on, business_date(turn.deps.now()))
        turn.say("utter_data_explain", day=day, policy=found.policy_code, version=found.policy_version)
        turn.say(
            "utter_data_explain_facts",
            owed=format_yuan(found.owed_fen),
            income=_told(turn, found.monthly_income_fen),
            essential=_told(turn, found.monthly_essential_fen),
            dependants=_people(turn, found.dependants),
            others=_told(turn, found.other_debts_monthly_fen),
        )
        _say_outcome(turn, found)
        turn.say("utter_data_explain_next")
        return []


_KINDS = {
    DataRequest.COPY: CaseKind.DATA_ACCESS,
    DataRequest.CORRECT: CaseKind.DATA_CORRECTION,
    DataRequest.DELETE: CaseKind.DATA_DELETION,
    DataRequest.REVIEW: CaseKind.DATA_EXPLANATION,
}


def _request(turn: Turn, wish: DataRequest) -> None:
    """Put a request on record for a person, and say number and day; asked again, the same."""
    said = "" if turn.is_payload else turn.raw_text
    opened = case_intake.request_data(turn.deps, turn.conversation_id, _KINDS[wish], said, turn.message_id)
    if opened is None:
        return
    turn.say(
        f"utter_data_{wish.value}",
        number=opened.case.number,
        day=day_text(opened.case.due_on, business_date(turn.deps.now())),
        years=str(turn.deps.retention.talk_years),
    )


_THEIRS: dict[DataRequest, type[VerifiedAction]] = {
    DataRequest.COPY: CopyData,
    DataRequest.EXPLAIN: ExplainDecision,
}


def _say_outcome(turn: Turn, found: Explanation) -> None:
    if isinstance(found.outcome, NoOfferReason):
        turn.say("utter_data_explain_refused", reason=turn.phrase(f"utter_no_plan_{found.outcome.value}"))
        return
    reasons = "；".join(turn.phrase(f"utter_part_offer_reason_{reason.value}") for reason in found.outcome)
    turn.say("utter_data_explain_offer", count=str(len(found.outcome)), reasons=reasons)
    if found.by_person is not None:
        turn.say("utter_data_explain_person")


def _people(turn: Turn, dependants: int | None) -> str:
    if dependants is None:
        return turn.phrase("utter_part_not_told")
    return turn.phrase("utter_part_people", people=str(dependants))


def _told(turn: Turn, amount_fen: int | None) -> str:
    return turn.phrase("utter_part_not_told") if amount_fen is None else format_yuan(amount_fen)
