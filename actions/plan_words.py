"""How offers, questions and agreements are put before the borrower."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from actions.base import Button, Turn
from actions.budget_words import ask_budget, other_debts_button
from actions.documents import hand_over_agreement
from actions.evidence_words import remind_of_evidence
from bot.clock import business_date
from bot.desk.extras import AsksAmount, AsksDay, RepaymentChart
from bot.lending.money import format_yuan
from bot.lending.schedule import add_months
from bot.services import contact_wishes
from bot.services.accounts import NotVerified
from bot.services.agreements import AcceptRefusal, AgreementView, ReadBack
from bot.services.circumstances import pace
from bot.services.conversations import ONE_OF_SEVERAL
from bot.services.negotiation import BUDGET_STAGES, Stage, State
from bot.text.display import day_text
from bot.workout.offer import Offer, OfferKind
from bot.workout.policy_sections import HardshipKind

_SHOWN_INSTALMENTS = 12
_LATEST_START = 12
"""Months ahead that the picker for a later start reaches; who types may say any day."""
_ASKED_HARDSHIPS = (HardshipKind.JOB_LOSS, HardshipKind.INCOME_CUT, HardshipKind.ILLNESS, HardshipKind.OTHER)


def offer_button_payload(offer_id: str) -> str:
    """Return the payload of the button that chooses an offer."""
    return "/accept_offer" + json.dumps({"offer": offer_id})


def show_offers(turn: Turn, offers: Sequence[Offer]) -> None:
    """Show each offer: what kind it is, its dates and amounts to the fen, what it saves, and whose word it needs.

    To somebody with whom one goes slower, what is paid when comes first, and by itself.
    """
    slower = pace(turn.deps, turn.conversation_id).is_slower
    for place, offer in enumerate(offers, start=1):
        together = [Button("", ONE_OF_SEVERAL)] if len(offers) > 1 or slower else []
        lines = [_head(turn, offer, place), *_lines(turn, offer)]
        first = len(_when(offer)) + 1 if slower else len(lines)
        turn.say("utter_offer", together, _chart(offer, offers), text="\n".join(lines[:first]))
        if lines[first:]:
            turn.say("utter_offer", together, text="\n".join(lines[first:]))


def ask_stage(turn: Turn, state: State) -> None:
    """Ask what the negotiation waits for, with buttons where there is a choice."""
    match state.stage:
        case Stage.CREDITOR:
            buttons = [
                Button(
                    f"{choice.creditor} {format_yuan(choice.total_fen)}",
                    "/request_installment" + json.dumps({"choice": str(place)}),
                )
                for place, choice in enumerate(state.creditors, start=1)
            ]
            turn.say("utter_ask_creditor", buttons)
        case Stage.HARDSHIP:
            buttons = [
                Button(
                    turn.phrase(f"utter_part_hardship_{kind.value}"),
                    "/state_hardship" + json.dumps({"choice": kind.value}),
                )
                for kind in _ASKED_HARDSHIPS
            ]
            turn.say("utter_ask_hardship", buttons)
        case Stage.CHOICE:
            _ask_choice(turn, state)
        case Stage.WAITING:
            turn.say("utter_waiting_approval", [other_offers_button(turn)])
            remind_of_evidence(turn)
        case Stage.START:
            today = business_date(turn.deps.now())
            turn.say("utter_ask_start", drawn=AsksDay(today, add_months(today, _LATEST_START)))
        case Stage.IN_HAND:
            turn.say("utter_ask_in_hand", drawn=AsksAmount())
        case stage if stage in BUDGET_STAGES:
            ask_budget(turn, state)
        case _:
            raise ValueError(f"{state.stage} is asked in other words")


def other_offers_button(turn: Turn) -> Button:
    """Return the button that goes back to the other offers."""
    return Button(turn.phrase("utter_part_back_button"), "/ask_other_options" + json.dumps({"offer": "back"}))


def ask_approval(turn: Turn, offer: Offer, *, whole: bool) -> None:
    """Ask whether a person should be asked for the chosen offer; ``whole`` shows its figures before."""
    if whole:
        turn.say("utter_approval_figures", text="\n".join(_lines(turn, offer, with_schedule=True)))
    turn.say(
        "utter_ask_approval",
        [
            Button(turn.phrase("utter_part_approval_button"), "/accept_offer" + json.dumps({"agree": offer.offer_id})),
            other_offers_button(turn),
        ],
        total=format_yuan(offer.total_fen),
        waived=format_yuan(offer.waived_fen),
    )


def ask_confirmation(turn: Turn, shown: ReadBack, *, whole: bool) -> None:
    """Ask for the final yes; ``whole`` reads the exact text back before."""
    if whole:
        turn.say("utter_read_back", text=shown.text)
    offer = shown.offer
    if pace(turn.deps, turn.conversation_id).is_slower and offer.kind is not OfferKind.SETTLEMENT:
        _ask_understood(turn, shown)
        return
    turn.say(
        "utter_ask_confirmation_settlement" if offer.kind is OfferKind.SETTLEMENT else "utter_ask_confirmation",
        [
            Button(turn.phrase("utter_part_agree_button"), "/accept_offer" + json.dumps({"agree": shown.text_hash})),
            other_offers_button(turn),
        ],
        months=str(offer.months),
        amount=format_yuan(offer.schedule[0].amount_fen),
        total=format_yuan(offer.total_fen),
    )


def _ask_understood(turn: Turn, shown: ReadBack) -> None:
    """Say the plan once more in plain words, one thing a message; ask for the yes, and whether it was understood."""
    offer, today = shown.offer, business_date(turn.deps.now())
    first = offer.schedule[0]
    if offer.down_payment_fen:
        values = {"down": format_yuan(offer.down_payment_fen), "until": day_text(offer.expires_on, today)}
        turn.say("utter_offer", text=turn.phrase("utter_part_offer_down", **values))
    turn.say(
        "utter_plainly_each",
        months=str(offer.months),
        amount=format_yuan(first.amount_fen),
        day=day_text(first.due_on, today),
    )
    turn.say("utter_plainly_total", total=format_yuan(offer.total_fen))
    agree = "/accept_offer" + json.dumps({"agree": shown.text_hash})
    turn.say(
        "utter_ask_understood",
        [
            Button(turn.phrase("utter_part_understood_button"), agree),
            Button(turn.phrase("utter_part_not_understood_button"), offer_button_payload(offer.offer_id)),
            Button(turn.phrase("utter_part_explain_button"), "/request_human"),
        ],
    )


def show_agreement(turn: Turn, agreement: AgreementView) -> None:
    """Confirm an agreement: number, hash, schedule, and that notices are planned; hand it over as a document."""
    today = business_date(turn.deps.now())
    lines = [
        turn.phrase(
            "utter_part_instalment" if part.number else "utter_part_down_payment",
            number=str(part.number),
            day=day_text(part.due_on, today),
            amount=format_yuan(part.amount_fen),
        )
        for part in agreement.instalments
    ]
    shown = lines if len(lines) <= _SHOWN_INSTALMENTS + 2 else [*lines[:_SHOWN_INSTALMENTS], "……", lines[-1]]
    turn.say("utter_agreed", number=agreement.number, hash=agreement.text_hash[:12])
    turn.say("utter_schedule", lines="\n".join(shown), total=format_yuan(agreement.total_fen))
    _say_reminders(turn)
    hand_over_agreement(turn, agreement.number)


def _say_reminders(turn: Turn) -> None:
    """Say which notices come about the instalments: the desk's own, those that were wished for, or none."""
    settings = contact_wishes.settings_of(turn.deps, turn.conversation_id)
    if isinstance(settings, NotVerified) or not settings.is_narrowed:
        turn.say("utter_reminders_planned")
    else:
        turn.say("utter_reminders_stopped" if settings.is_stopped else "utter_reminders_as_set")


def say_plainly(turn: Turn, state: State) -> None:
    """Say in everyday words what is on the table: every plan to choose from, or the one that was chosen."""
    if state.stage is Stage.CHOICE:
        for place, offer in enumerate(state.offers, start=1):
            text = turn.phrase("utter_part_offer_place", place=str(place), text=_plainly(turn, offer))
            turn.say("utter_offer", [Button("", ONE_OF_SEVERAL)] if len(state.offers) > 1 else [], text=text)
    elif state.stage in (Stage.APPROVAL, Stage.CONFIRMATION) and state.chosen is not None:
        turn.say("utter_plainly_chosen", text=_plainly(turn, state.chosen))


def explain_refusal(turn: Turn, refusal: AcceptRefusal) -> None:
    """Say why nothing was agreed, and what to do now."""
    turn.say(f"utter_not_agreed_{refusal.value}")


def _ask_choice(turn: Turn, state: State) -> None:
    chosen = [
        Button(
            turn.phrase(f"utter_part_offer_button{_kind_of(offer)}", place=str(place), months=str(offer.months)),
            offer_button_payload(offer.offer_id),
        )
        for place, offer in enumerate(state.offers, start=1)
    ]
    others = [Button(turn.phrase("utter_part_other_button"), "/ask_other_options")]
    if state.budget is not None and state.budget.other_debts_monthly_fen is None:
        others.append(other_debts_button(turn))
    turn.say("utter_ask_choice", [*chosen, *others])


def _chart(offer: Offer, offers: Sequence[Offer]) -> RepaymentChart:
    """Return an offer's payments on the scale of all offers of its set, so that they can be compared at a glance."""
    return RepaymentChart(
        payments=_payments(offer),
        begins=offer.as_of,
        ends=max(each.schedule[-1].due_on for each in offers),
        most_fen=max(fen for each in offers for _, fen in _payments(each)),
    )


def _payments(offer: Offer) -> tuple[tuple[date, int], ...]:
    down = ((offer.expires_on, offer.down_payment_fen),) if offer.down_payment_fen else ()
    return (*down, *((part.due_on, part.amount_fen) for part in offer.schedule))


def _kind_of(offer: Offer) -> str:
    return f"_{offer.kind.value}" if offer.kind in (OfferKind.SETTLEMENT, OfferKind.DEFERRAL) else ""


def _head(turn: Turn, offer: Offer, place: int) -> str:
    """Return what kind of plan it is, in a line: instalments, later instalments, or closing the debt for less."""
    text = turn.phrase(f"utter_part_offer_head{_sort_of(offer)}", **_sizes(offer))
    return turn.phrase("utter_part_offer_place", place=str(place), text=text)


def _plainly(turn: Turn, offer: Offer) -> str:
    down = "_down" if offer.down_payment_fen and offer.kind is not OfferKind.SETTLEMENT else ""
    return turn.phrase(f"utter_part_plainly_offer{_sort_of(offer)}{down}", **_sizes(offer))


def _sort_of(offer: Offer) -> str:
    return "_settlement_parts" if offer.kind is OfferKind.SETTLEMENT and _parts(offer) > 1 else _kind_of(offer)


def _parts(offer: Offer) -> int:
    return offer.months + bool(offer.down_payment_fen)


def _sizes(offer: Offer) -> dict[str, str]:
    return {
        "months": str(offer.months),
        "down": format_yuan(offer.down_payment_fen),
        "parts": str(_parts(offer)),
        "wait": str(offer.deferral_months),
        "amount": format_yuan(offer.schedule[0].amount_fen),
        "total": format_yuan(offer.total_fen),
    }


def _lines(turn: Turn, offer: Offer, *, with_schedule: bool = False) -> list[str]:
    """Return when and how much is paid, what it comes to and saves, until when it holds, and whose word it needs."""
    today = business_date(turn.deps.now())
    first, last = offer.schedule[0], offer.schedule[-1]
    values = {
        "first_day": day_text(first.due_on, today),
        "last_day": day_text(last.due_on, today),
        "amount": format_yuan(first.amount_fen),
        "last_amount": format_yuan(last.amount_fen),
        "months": str(offer.months),
        "down": format_yuan(offer.down_payment_fen),
        "until": day_text(offer.expires_on, today),
        "total": format_yuan(offer.total_fen),
        "waived": format_yuan(offer.waived_fen),
        "stopped": format_yuan(offer.interest_stopped_fen),
        "interest": format_yuan(offer.plan_interest_fen),
    }
    lines = _when(offer, with_schedule=with_schedule)
    lines.append("utter_part_offer_total")
    lines += ["utter_part_offer_interest"] if offer.plan_interest_fen else []
    stopped = "utter_part_offer_spared" if offer.interest_during_plan else "utter_part_offer_stopped"
    lines += [stopped] if offer.interest_stopped_fen else []
    lines += ["utter_part_offer_approval"] if offer.needs_approval else []
    lines += ["utter_part_offer_evidence"] if offer.needs_evidence and offer.needs_approval else []
    lines.append("utter_part_offer_until")
    return [turn.phrase(line, **values) for line in lines]


def _when(offer: Offer, *, with_schedule: bool = False) -> list[str]:
    """Return the lines that say when how much is paid."""
    lines = ["utter_part_offer_down"] if offer.down_payment_fen else []
    if len(offer.schedule) == 1:
        return [*lines, "utter_part_offer_one_day"]
    lines += ["utter_part_offer_each"] if with_schedule else []
    even = offer.schedule[0].amount_fen == offer.schedule[-1].amount_fen
    return [*lines, "utter_part_offer_days" if even else "utter_part_offer_days_last_differs"]
