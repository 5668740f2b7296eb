"""How disputes and complaints are put before the borrower: questions, what happens now, what became of them."""

from __future__ import annotations

import json

from actions.base import Button, Turn
from actions.figures import label
from bot.cases.clock import DISPUTE_DAYS
from bot.cases.course import DECIDED
from bot.cases.evidence import evidence_for
from bot.cases.kinds import CaseKind, Family, kinds_of
from bot.cases.question import CaseStep
from bot.clock import business_date
from bot.services.accounts import DebtView
from bot.services.case_questions import Asked
from bot.services.case_record import CaseView
from bot.text.display import day_text

_INTENT = {Family.DISPUTE: "dispute_debt", Family.COMPLAINT: "complain_service", Family.DATA: "ask_data_source"}


def button(turn: Turn, words: str, intent: str, **values: str) -> Button:
    """Return a quick reply whose choice only a press can make."""
    return Button(turn.phrase(words), f"/{intent}{json.dumps(values)}")


def ask_case(turn: Turn, asked: Asked, *, goes_on: bool = False) -> None:
    """Ask the question of the moment; shorter where somebody ``goes_on`` telling what happened."""
    if asked.family is None:
        return
    intent = _INTENT[asked.family]
    if asked.step is CaseStep.DEBT:
        one_by_one = [
            Button(_short(turn, debt), f"/{intent}{json.dumps({'choice': str(place)})}")
            for place, debt in enumerate(asked.debts, start=1)
        ]
        turn.say("utter_ask_case_debt", [*one_by_one, button(turn, "utter_part_case_all_debts", intent, choice="all")])
    elif asked.step is CaseStep.KIND:
        kinds = [button(turn, f"utter_part_case_{kind.value}", intent, choice=kind.value) for kind in _offered(asked)]
        if asked.family is Family.DISPUTE:
            kinds.append(button(turn, "utter_part_case_plan_button", intent, choice="plan"))
        turn.say(f"utter_ask_case_kind_{asked.family.value}", kinds)
    elif asked.step is CaseStep.YES and asked.kind is not None:
        turn.say(
            "utter_ask_case_yes",
            [
                button(turn, "utter_part_case_yes_button", intent, agree=asked.draft_id or ""),
                button(turn, "utter_part_case_no_button", intent, choice="drop"),
            ],
            debts=_named(turn, asked.debts),
            kind=turn.phrase(f"utter_part_case_{asked.kind.value}"),
            days=str(DISPUTE_DAYS[0]),
        )
    elif asked.step is CaseStep.FACTS:
        turn.say(
            "utter_ask_case_facts_more" if goes_on else "utter_ask_case_facts",
            [button(turn, "utter_part_case_enough_button", "ask_complaint", choice="enough")],
        )


def say_opened(turn: Turn, asked: Asked) -> None:
    """Say what happens now that a dispute is open: number, day, what is held, what helps, where else to go."""
    if asked.case is None:
        return
    turn.say(
        "utter_dispute_opened",
        number=asked.case.number,
        debts=_named(turn, asked.debts),
        day=_day(turn, asked.case),
    )
    if asked.plan_ended:
        turn.say("utter_dispute_plan_stopped")
    say_evidence(turn, asked.kind)
    if asked.kind is CaseKind.IDENTITY_THEFT:
        turn.say("utter_dispute_identity_theft")
    turn.say("utter_complaint_routes")


def say_complained(turn: Turn, case: CaseView, *, is_new: bool, may_be_dangerous: bool) -> None:
    """Say that a complaint is on record, 110 first where somebody may be at risk, and where else to go (H3, C1)."""
    if may_be_dangerous:
        turn.say("utter_complaint_evidence")
    turn.say("utter_complaint_taken" if is_new else "utter_complaint_known", number=case.number, day=_day(turn, case))
    if case.kind is not None:
        say_evidence(turn, case.kind)
    turn.say("utter_complaint_routes")


def say_evidence(turn: Turn, kind: CaseKind | None) -> None:
    """Say what helps, without demanding it."""
    if kind is not None and evidence_for(kind):
        helps = [turn.phrase(f"utter_part_evidence_{one.value}") for one in evidence_for(kind)]
        turn.say("utter_case_evidence", evidence="、".join(helps))


def say_tell_later(turn: Turn) -> None:
    """Say how to tell more, where something else is going on now."""
    turn.say("utter_case_tell_later", [button(turn, "utter_part_case_tell_button", "ask_complaint", choice="facts")])


def tell_case(turn: Turn, case: CaseView, *, openly: bool) -> None:
    """Tell what became of a case; what was asked for or answered only to whoever may read it."""
    today = business_date(turn.deps.now())
    about = turn.phrase(f"utter_part_case_family_{case.family.value}")
    tell = button(turn, "utter_part_case_tell_button", "ask_complaint", choice="facts", agree=case.case_id)
    back = button(turn, "utter_part_case_withdraw_button", "ask_complaint", choice="withdraw", agree=case.case_id)
    answered = case.family is Family.DATA and case.state in DECIDED
    turn.say(
        f"utter_data_progress_{case.state.value}" if answered else f"utter_case_progress_{case.state.value}",
        [tell, back] if case.is_open else [],
        about=about,
        number=case.number,
        received=day_text(case.received_on, today),
        day=day_text(case.due_on, today),
    )
    if case.is_open and case.due_on < today:
        turn.say("utter_case_late")
    if openly and case.is_open and case.wanted:
        turn.say("utter_case_wanted", text=case.wanted)
    if openly and case.reason:
        turn.say("utter_case_longer" if case.is_open else "utter_case_letter", text=case.reason, number=case.number)


def ask_withdrawal(turn: Turn, case: CaseView) -> None:
    """Ask whether a case is really taken back; only a press does it."""
    turn.say(
        "utter_ask_case_withdraw",
        [
            button(
                turn, "utter_part_case_withdraw_yes_button", "ask_complaint", choice="withdrawn", agree=case.case_id
            ),
            button(turn, "utter_part_case_withdraw_no_button", "ask_complaint", choice="keep"),
        ],
        about=turn.phrase(f"utter_part_case_family_{case.family.value}"),
        number=case.number,
    )


def _offered(asked: Asked) -> tuple[CaseKind, ...]:
    """The kinds to choose from. That somebody died is for their family to say, and for a person to hear."""
    family = asked.family or Family.COMPLAINT
    return tuple(kind for kind in kinds_of(family) if kind is not CaseKind.DECEASED)


def _day(turn: Turn, case: CaseView) -> str:
    return day_text(case.due_on, business_date(turn.deps.now()))


def _named(turn: Turn, debts: tuple[DebtView, ...]) -> str:
    return "、".join(_short(turn, debt) for debt in debts)


def _short(turn: Turn, debt: DebtView) -> str:
    return label(turn, debt)
