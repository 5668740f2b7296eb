"""How offers, questions and agreements are put before the borrower."""

from __future__ import annotations

import json
from collections.abc import Sequence

from actions.base import Button, Turn
from actions.documents import hand_over_agreement
from bot.clock import business_date
from bot.lending.money import format_yuan
from bot.services.agreements import AcceptRefusal, AgreementView, ReadBack
from bot.services.negotiation import Stage, State
from bot.text.display import day_text
from bot.workout.offer import Offer

_SHOWN_INSTALMENTS = 12


def offer_button_payload(offer_id: str) -> str:
    """Return the payload of the button that chooses an offer."""
    return "/accept_offer" + json.dumps({"offer": offer_id})


def show_offers(turn: Turn, offers: Sequence[Offer]) -> None:
    """Show each offer with its dates and amounts to the fen."""
    today = business_date(turn.deps.now())
    for place, offer in enumerate(offers, start=1):
        first, last = offer.schedule[0], offer.schedule[-1]
        waived = offer.waived_penalty_fen + offer.waived_fee_fen
        even = first.amount_fen == last.amount_fen
        turn.say(
            "utter_offer" if even else "utter_offer_last_differs",
            place=str(place),
            months=str(offer.months),
            amount=format_yuan(first.amount_fen),
            last_amount=format_yuan(last.amount_fen),
            first_day=day_text(first.due_on, today),
            last_day=day_text(last.due_on, today),
            total=format_yuan(offer.total_fen),
            waived=format_yuan(waived),
            until=day_text(offer.expires_on, today),
        )


def ask_stage(turn: Turn, state: State) -> None:
    """Ask what the negotiation waits for, with buttons where there is a choice."""
    if state.stage is Stage.CREDITOR:
        buttons = [
            Button(
                f"{choice.creditor} {format_yuan(choice.total_fen)}",
                "/request_installment" + json.dumps({"choice": str(place)}),
            )
            for place, choice in enumerate(state.creditors, start=1)
        ]
        turn.say("utter_ask_creditor", buttons)
    elif state.stage is Stage.INCOME:
        turn.say("utter_ask_income")
    elif state.stage is Stage.ESSENTIALS:
        turn.say("utter_ask_essentials")
    elif state.stage is Stage.CHOICE:
        titles = [
            turn.phrase("utter_part_offer_button", place=str(n), months=str(o.months))
            for n, o in enumerate(state.offers, 1)
        ]
        chosen = [
            Button(title, offer_button_payload(o.offer_id)) for title, o in zip(titles, state.offers, strict=True)
        ]
        more = Button(turn.phrase("utter_part_other_button"), "/ask_other_options")
        turn.say("utter_ask_choice", [*chosen, more])


def ask_confirmation(turn: Turn, shown: ReadBack, *, whole: bool) -> None:
    """Ask for the final yes; ``whole`` reads the exact text back before."""
    if whole:
        turn.say("utter_read_back", text=shown.text)
    turn.say(
        "utter_ask_confirmation",
        [
            Button(turn.phrase("utter_part_agree_button"), "/accept_offer" + json.dumps({"agree": shown.text_hash})),
            Button(turn.phrase("utter_part_back_button"), "/ask_other_options" + json.dumps({"offer": "back"})),
        ],
        months=str(shown.offer.months),
        amount=format_yuan(shown.offer.schedule[0].amount_fen),
        total=format_yuan(shown.offer.total_fen),
    )


def show_agreement(turn: Turn, agreement: AgreementView) -> None:
    """Confirm an agreement: number, hash, schedule, and that notices are planned; hand it over as a document."""
    today = business_date(turn.deps.now())
    lines = [
        turn.phrase(
            "utter_part_instalment",
            number=str(part.number),
            day=day_text(part.due_on, today),
            amount=format_yuan(part.amount_fen),
        )
        for part in agreement.instalments
    ]
    shown = lines if len(lines) <= _SHOWN_INSTALMENTS + 2 else [*lines[:_SHOWN_INSTALMENTS], "……", lines[-1]]
    turn.say("utter_agreed", number=agreement.number, hash=agreement.text_hash[:12])
    turn.say("utter_schedule", lines="\n".join(shown), total=format_yuan(agreement.total_fen))
    turn.say("utter_reminders_planned")
    hand_over_agreement(turn, agreement.number)


def explain_refusal(turn: Turn, refusal: AcceptRefusal) -> None:
    """Say why nothing was agreed, and what to do now."""
    turn.say(f"utter_not_agreed_{refusal.value}")
