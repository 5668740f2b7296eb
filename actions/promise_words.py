"""How promises to pay are read and put before the borrower."""

from __future__ import annotations

import json

from actions.base import Button, Turn
from bot.clock import business_date
from bot.desk.extras import AsksAmount, AsksDay
from bot.lending.money import format_yuan
from bot.services.promises import Promised, Step
from bot.text.display import day_text
from bot.text.normalize import normalize_text
from bot.text.values import extract
from bot.workout.promise import PromiseToPay
from bot.workout.promise_reading import StatedPromise, read_promise


def stated_in(turn: Turn, text: str) -> StatedPromise:
    """Return the sum and the day that a text names, read with the desk's clock."""
    plain = normalize_text(text)
    return read_promise(extract(plain, turn.deps.now()), plain) if plain else StatedPromise()


def ask_promise(turn: Turn, promised: Promised) -> None:
    """Ask for what is missing of a promise, or for the yes that makes it, with the warning that belongs to it (N7)."""
    today = business_date(turn.deps.now())
    if promised.step is Step.CREDITOR:
        buttons = [
            Button(
                f"{choice.creditor} {format_yuan(choice.total_fen)}",
                "/promise_to_pay" + json.dumps({"choice": str(place)}),
            )
            for place, choice in enumerate(promised.creditors, start=1)
        ]
        turn.say("utter_ask_promise_creditor", buttons)
    elif promised.step is Step.AMOUNT:
        turn.say(
            "utter_ask_promise_amount",
            drawn=AsksAmount(promised.most_fen),
            least=format_yuan(promised.least_fen),
            most=format_yuan(promised.most_fen),
        )
    elif promised.step is Step.DAY and promised.last_day is not None:
        turn.say(
            "utter_ask_promise_day",
            drawn=AsksDay(today, promised.last_day),
            last=day_text(promised.last_day, today),
        )
    elif promised.step is Step.CONFIRMATION:
        _ask_yes(turn, promised)


def explain(turn: Turn, promised: Promised) -> None:
    """Say why what was said cannot be noted as it is, and what can."""
    if promised.refused is None or promised.last_day is None:
        return
    turn.say(
        f"utter_promise_refused_{promised.refused.value}",
        least=format_yuan(promised.least_fen),
        most=format_yuan(promised.most_fen),
        owed=format_yuan(promised.owed_fen),
        last=day_text(promised.last_day, business_date(turn.deps.now())),
    )


def confirm(turn: Turn, promised: Promised) -> None:
    """Read a promise back once it is made, and say how to pay and what if it cannot be kept."""
    if promised.amount_fen is None or promised.due_on is None:
        return
    today = business_date(turn.deps.now())
    turn.say(
        "utter_promise_repeated" if promised.repeated else "utter_promise_made",
        creditor=promised.creditor,
        day=day_text(promised.due_on, today),
        amount=format_yuan(promised.amount_fen),
    )
    if promised.reminded:
        turn.say("utter_promise_reminder")
    turn.say("utter_promise_channel", channel=promised.payment_channel)


def tell_promise(turn: Turn, promise: PromiseToPay) -> None:
    """Tell a promise that is open."""
    turn.say(
        "utter_promise_open",
        day=day_text(promise.due_on, business_date(turn.deps.now())),
        amount=format_yuan(promise.amount_fen),
    )


def _ask_yes(turn: Turn, promised: Promised) -> None:
    if promised.amount_fen is None or promised.due_on is None:
        return
    today = business_date(turn.deps.now())
    earlier = promised.instead_of
    if earlier is not None:
        turn.say("utter_promise_instead", day=day_text(earlier.due_on, today), amount=format_yuan(earlier.amount_fen))
    turn.say(
        "utter_ask_promise_yes",
        [
            Button(
                turn.phrase("utter_part_promise_button"), "/promise_to_pay" + json.dumps({"agree": promised.promise_id})
            ),
            Button(turn.phrase("utter_part_no_promise_button"), "/promise_to_pay" + json.dumps({"choice": "drop"})),
        ],
        creditor=promised.creditor,
        day=day_text(promised.due_on, today),
        amount=format_yuan(promised.amount_fen),
    )
