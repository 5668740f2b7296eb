"""How wishes about reminders, and pauses of them, are put before the borrower."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import time

from actions.base import Button, Turn
from bot.clock import business_date
from bot.outreach.gate import HoldKind
from bot.outreach.wish_change import MOST_DAYS_BEFORE, Channel, Impossible, Obstacle, Question, Unclear
from bot.outreach.wish_hours import last_half_hour
from bot.outreach.wishes import ContactWishes
from bot.services import contact_wishes
from bot.services.accounts import NotVerified
from bot.services.contact_wishes import ContactSettings
from bot.services.holds import Pause
from bot.text.display import day_text

_SHORTEST_MONTH = 28
_LAST_DAY = 31
_PAUSES_TOLD = 3
_CHANNEL_BUTTONS = {
    Channel.WEB: "utter_part_wish_channel_web_button",
    Channel.TELEGRAM: "utter_part_wish_channel_telegram_button",
    Channel.EMAIL: "utter_part_wish_channel_email_button",
    Channel.SMS: "utter_part_wish_channel_sms_button",
}
_TOLD = frozenset(
    {
        HoldKind.DISPUTE,
        HoldKind.COMPLAINT,
        HoldKind.DISTRESS,
        HoldKind.PLAN,
        HoldKind.OPT_OUT,
        HoldKind.PAUSE,
        HoldKind.PAYMENT_SOUGHT,
        HoldKind.PERSON,
    }
)
"""Pauses that the borrower is told of. What is on record about death, age or capacity is a person's to speak about."""


def wish_button(turn: Turn, response: str, **values: str) -> Button:
    """Return a button that says its own title, and is read as if it had been typed."""
    title = turn.phrase(response, **values)
    return Button(title, "/set_reminder" + json.dumps({"choice": title}))


def stop_buttons(turn: Turn) -> list[Button]:
    """Return the ways on from words about reminders in general: what is set, and none any more."""
    return [wish_button(turn, "utter_part_wish_show_button"), _stop_button(turn)]


def say_settings(turn: Turn, response: str, settings: ContactSettings) -> None:
    """Say back everything that is set, after a change or when asked."""
    buttons = []
    if settings.is_stopped or settings.paused_until is not None:
        buttons.append(wish_button(turn, "utter_part_wish_resume_button"))
    if settings.wishes != ContactWishes():
        buttons.append(wish_button(turn, "utter_part_wish_default_button"))
    turn.say(response, buttons, lines="\n".join(_setting_lines(turn, settings)))


def say_trouble(turn: Turn, trouble: Impossible | Unclear) -> None:
    """Say why a wish cannot be noted as it was said, with what can be."""
    if isinstance(trouble, Unclear):
        _ask(turn, trouble)
        return
    limits = turn.deps.limits
    match trouble.why:
        case Obstacle.HOUR_CLOSED if trouble.asked is not None and trouble.nearest is not None:
            turn.say(
                "utter_wish_hour_closed",
                [_hour_button(turn, trouble.nearest)],
                start=_clock(limits.soft_start),
                end=_clock(limits.soft_end),
                asked=_clock(trouble.asked),
                nearest=_clock(trouble.nearest),
            )
        case Obstacle.TOO_MANY_DAYS_BEFORE:
            turn.say(
                "utter_wish_too_many_days_before",
                [_days_before_button(turn, MOST_DAYS_BEFORE)],
                most=str(MOST_DAYS_BEFORE),
            )
        case Obstacle.NO_MORE_OFTEN:
            turn.say("utter_wish_no_more_often", most=str(limits.per_seven_days))
        case Obstacle.ONE_DAY_ONLY:
            monthly = [_day_of_month_button(turn, trouble.day)] if trouble.day is not None else []
            turn.say("utter_wish_one_day_only", [*monthly, _days_before_button(turn, 1)])
        case Obstacle.DAYS_OF_WEEK:
            turn.say("utter_wish_days_of_week", [wish_button(turn, "utter_part_wish_fewer_button"), _stop_button(turn)])
        case Obstacle.CHANNEL_CLOSED:
            turn.say("utter_wish_channel_closed", _channel_buttons(turn))
        case Obstacle.OTHER_NUMBER:
            turn.say("utter_wish_other_number")
        case Obstacle.HOUR_CLOSED | Obstacle.NO_HOURS_LEFT:
            turn.say("utter_wish_hours_none_left", [_stop_button(turn)])


def tell_pauses(turn: Turn) -> None:
    """Tell a verified borrower when and why reminders were silent; anybody else only that there may be reasons."""
    pauses = contact_wishes.pauses_of(turn.deps, turn.conversation_id)
    if isinstance(pauses, NotVerified):
        turn.say("utter_pauses_after_proof")
    elif not _say_pauses(turn, pauses):
        turn.say("utter_pauses_none")


def tell_known_pauses(turn: Turn) -> None:
    """Tell a verified borrower of pauses there have been; say nothing to anybody else, or where there were none."""
    pauses = contact_wishes.pauses_of(turn.deps, turn.conversation_id)
    if not isinstance(pauses, NotVerified):
        _say_pauses(turn, pauses)


def _say_pauses(turn: Turn, pauses: tuple[Pause, ...]) -> bool:
    told = [pause for pause in pauses if pause.kind in _TOLD][-_PAUSES_TOLD:]
    if told:
        turn.say("utter_pauses_told", lines="\n".join(_pause_line(turn, pause) for pause in told))
    return bool(told)


def _pause_line(turn: Turn, pause: Pause) -> str:
    now = turn.deps.now()
    today = business_date(now)
    since, why = day_text(business_date(pause.since), today), turn.phrase(f"utter_part_pause_why_{pause.kind.value}")
    ended_at = pause.ended_at(now)
    if ended_at is not None:
        return turn.phrase(
            "utter_part_pause_over", since=since, until=day_text(business_date(ended_at), today), why=why
        )
    if pause.until is not None:
        until = day_text(business_date(pause.until), today)
        return turn.phrase("utter_part_pause_until", since=since, until=until, why=why)
    return turn.phrase("utter_part_pause_open", since=since, why=why)


def _ask(turn: Turn, trouble: Unclear) -> None:
    limits = turn.deps.limits
    match trouble.what:
        case Question.HOUR:
            earlier, later = (trouble.hours or (limits.soft_start, last_half_hour(limits)))[:2]
            turn.say(
                "utter_wish_hour_either",
                [_hour_button(turn, earlier), _hour_button(turn, later)],
                start=_clock(limits.soft_start),
                end=_clock(limits.soft_end),
                earlier=_clock(earlier),
                later=_clock(later),
            )
        case Question.DAYS_BEFORE:
            turn.say("utter_ask_wish_days_before", [_days_before_button(turn, days) for days in (1, 2, 3)])
        case Question.DAY_OF_MONTH:
            turn.say("utter_ask_wish_day_of_month", [_day_of_month_button(turn, day) for day in (5, 15, 25)])
        case Question.CHANNEL:
            turn.say("utter_ask_wish_channel", _channel_buttons(turn))


def _setting_lines(turn: Turn, settings: ContactSettings) -> Iterator[str]:
    wishes = settings.wishes
    if settings.is_stopped:
        yield turn.phrase("utter_part_setting_stopped")
    if settings.paused_until is not None:
        today = business_date(turn.deps.now())
        yield turn.phrase("utter_part_setting_paused", day=day_text(business_date(settings.paused_until), today))
    yield _days_line(turn, wishes)
    if wishes.send_at is not None:
        yield turn.phrase("utter_part_setting_send_at", time=_clock(wishes.send_at))
    if (hours := _hours_line(turn, wishes)) is not None:
        yield hours
    if wishes.per_seven_days is not None:
        yield turn.phrase("utter_part_setting_fewer", count=str(wishes.per_seven_days))
    if wishes.channel in {channel.value for channel in Channel if channel is not Channel.OTHER}:
        yield turn.phrase(f"utter_part_setting_channel_{wishes.channel}")


def _days_line(turn: Turn, wishes: ContactWishes) -> str:
    if wishes.days_before == 0:
        return turn.phrase("utter_part_setting_on_the_day")
    if wishes.days_before is not None:
        return turn.phrase("utter_part_setting_days_before", days=str(wishes.days_before))
    if wishes.day_of_month is None:
        return turn.phrase("utter_part_setting_by_default")
    if wishes.day_of_month == _LAST_DAY:
        return turn.phrase("utter_part_setting_last_of_month")
    late = wishes.day_of_month > _SHORTEST_MONTH
    return turn.phrase(
        "utter_part_setting_late_day_of_month" if late else "utter_part_setting_day_of_month",
        day=str(wishes.day_of_month),
    )


def _hours_line(turn: Turn, wishes: ContactWishes) -> str | None:
    """Say quiet hours by what they leave of the window, or as they are where they lie in its middle or beside it."""
    if wishes.quiet_from is None or wishes.quiet_to is None:
        return None
    limits = turn.deps.limits
    left = wishes.left_of(limits.soft_start, limits.soft_end)
    if len(left) == 1 and left[0] != (limits.soft_start, limits.soft_end):
        start, end = left[0]
        return turn.phrase("utter_part_setting_open", start=_clock(start), end=_clock(end))
    end = wishes.quiet_to
    return turn.phrase(
        "utter_part_setting_quiet", start=_clock(wishes.quiet_from), end="24:00" if end == time(0) else _clock(end)
    )


def _hour_button(turn: Turn, clock: time) -> Button:
    return wish_button(turn, "utter_part_wish_hour_button", time=_clock(clock))


def _days_before_button(turn: Turn, days: int) -> Button:
    return wish_button(turn, "utter_part_wish_days_before_button", days=str(days))


def _day_of_month_button(turn: Turn, day: int) -> Button:
    return wish_button(turn, "utter_part_wish_day_of_month_button", day=str(day))


def _channel_buttons(turn: Turn) -> list[Button]:
    channels = contact_wishes.channels_of(turn.deps, turn.conversation_id)
    return [wish_button(turn, _CHANNEL_BUTTONS[channel]) for channel in channels]


def _stop_button(turn: Turn) -> Button:
    return Button(turn.phrase("utter_part_wish_stop_button"), "/stop_contact")


def _clock(clock: time) -> str:
    return f"{clock:%H:%M}"
