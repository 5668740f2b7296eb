"""Is Telegram set up right? Looks at everything a lender can get wrong and says what to do. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx
from telegram import WebhookInfo
from telegram.error import InvalidToken, TelegramError

from bot.channels.telegram import webhook_url
from bot.channels.telegram_client import DeskBot, api_base, error_code, make_bot
from bot.channels.telegram_inbound import KINDS
from bot.channels.telegram_menu import Menu
from bot.settings import ROOT, Settings

_WORDS = ROOT / "data" / "templates" / "telegram.yml"
MANY_WAITING = 100
"""Updates that wait at Telegram; more of them mean that the desk does not take them."""

LATELY = timedelta(hours=1)
CLOCK_MAY_DIFFER = timedelta(seconds=30)


class Verdict(StrEnum):
    """What came of one check."""

    FINE = "ok"
    ADVICE = "note"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw, and what to do if that is not as it should be."""

    subject: str
    verdict: Verdict
    seen: str
    to_do: str = ""

    def to_text(self) -> str:
        """Return the finding as the lines to print."""
        line = f"{self.verdict.value:5}  {self.subject:9} {self.seen}"
        return f"{line}\n{'':17}-> {self.to_do}" if self.to_do else line


async def examine(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Finding]:
    """Check token, webhook, rights, menu and clock against Telegram. No finding shows a secret.

    ``now`` is the machine's own clock, whatever the desk's is set to.
    """
    try:
        bot = make_bot(settings)
    except InvalidToken:
        to_do = "talk to @BotFather at Telegram, /newbot, and set TELEGRAM_BOT_TOKEN to what it answers"
        return [Finding("token", Verdict.FAULT, "none is set", to_do)]
    try:
        token = await _token(bot)
        if token.verdict is Verdict.FAULT:
            return [token, await _clock(settings, now)]
        findings = [token, _rights(bot), *await _webhook(bot, settings, now())]
        return [*findings, await _menu(bot), await _clock(settings, now)]
    finally:
        await bot.shutdown()


async def _token(bot: DeskBot) -> Finding:
    try:
        await bot.initialize()
    except InvalidToken:
        to_do = "copy the token from @BotFather again (/mybots, API Token); a revoked one never works again"
        return Finding("token", Verdict.FAULT, "Telegram refuses it", to_do)
    except TelegramError as error:
        to_do = "see that this machine may reach api.telegram.org on port 443, or DESK_TELEGRAM_API_BASE"
        return Finding("token", Verdict.FAULT, f"Telegram was not reached ({error_code(error)})", to_do)
    return Finding("token", Verdict.FINE, f"it is of @{bot.username}")


def _rights(bot: DeskBot) -> Finding:
    me = bot.bot
    if me.can_read_all_group_messages:
        to_do = "@BotFather, /setprivacy, Enable: the desk leaves groups and must not read them before"
        return Finding("rights", Verdict.FAULT, "the bot may read everything in groups", to_do)
    if me.can_join_groups:
        to_do = "@BotFather, /setjoingroups, Disable: the desk leaves groups, but need not be asked in"
        return Finding("rights", Verdict.ADVICE, "the bot can be added to groups", to_do)
    return Finding("rights", Verdict.FINE, "private chats only")


async def _webhook(bot: DeskBot, settings: Settings, now: datetime) -> list[Finding]:
    wanted = webhook_url(settings.origin) if settings.telegram_webhook_secret.get_secret_value() else ""
    try:
        info = await bot.get_webhook_info()
    except TelegramError as error:
        return [Finding("webhook", Verdict.FAULT, f"not told by Telegram ({error_code(error)})", "try again")]
    if not wanted and info.url:
        to_do = "start the desk, which takes it away; or set DESK_TELEGRAM_WEBHOOK_SECRET to use it"
        return [Finding("webhook", Verdict.FAULT, "one is set, but the desk is to poll", to_do)]
    if not wanted:
        return [Finding("webhook", Verdict.FINE, "none: the desk polls"), _waiting(info)]
    if info.url != wanted:
        seen = "another address is set" if info.url else "none is set"
        to_do = f"start the desk, which sets {wanted}; nothing else may use this token"
        return [Finding("webhook", Verdict.FAULT, seen, to_do)]
    return [*_working(info, wanted, now), _waiting(info)]


def _working(info: WebhookInfo, wanted: str, now: datetime) -> list[Finding]:
    missing = sorted({str(kind) for kind in KINDS} - set(info.allowed_updates or KINDS))
    if missing:
        return [Finding("webhook", Verdict.FAULT, f"Telegram does not bring {', '.join(missing)}", "restart the desk")]
    failed = info.last_error_date
    if failed is not None and now - failed < LATELY:
        to_do = f"see that {wanted} is reachable from outside with a valid certificate, and that the desk runs"
        return [Finding("webhook", Verdict.FAULT, f"failed at {failed:%H:%M} UTC: {info.last_error_message}", to_do)]
    return [Finding("webhook", Verdict.FINE, wanted)]


def _waiting(info: WebhookInfo) -> Finding:
    count = info.pending_update_count
    if count > MANY_WAITING:
        return Finding("queue", Verdict.FAULT, f"{count} messages wait at Telegram", "see that the gateway runs")
    return Finding("queue", Verdict.FINE, f"{count} messages wait at Telegram")


async def _menu(bot: DeskBot) -> Finding:
    wanted = Menu.load(_WORDS).entries()
    try:
        shown = await bot.get_my_commands()
    except TelegramError as error:
        return Finding("menu", Verdict.FAULT, f"not told by Telegram ({error_code(error)})", "try again")
    if list(shown) != wanted:
        return Finding("menu", Verdict.ADVICE, "the commands are not those of this version", "start the desk once")
    return Finding("menu", Verdict.FINE, f"{len(wanted)} commands")


async def _clock(settings: Settings, now: Callable[[], datetime]) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.head(api_base(settings))
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        return Finding("clock", Verdict.ADVICE, f"could not be compared ({type(error).__name__})", "compare it by hand")
    apart = abs(now() - theirs)
    if apart > CLOCK_MAY_DIFFER:
        to_do = "set this machine's clock by NTP: one-time codes, quiet hours and due dates hang on it"
        return Finding("clock", Verdict.FAULT, f"{apart.total_seconds():.0f} s apart from Telegram's", to_do)
    return Finding("clock", Verdict.FINE, "as Telegram's")
