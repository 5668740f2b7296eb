"""``bot telegram doctor`` against a Bot API on loopback: faults are found, with what to do, and no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli
from bot.channels.telegram_doctor import MANY_WAITING, Finding, Verdict, examine
from bot.channels.telegram_menu import Menu
from bot.settings import ROOT, Settings
from tests.builders.desk import SetClock
from tests.contract.telegram_desk import LI, desk_deps
from tests.doubles.telegram_server import TelegramServer, Webhook

pytestmark = pytest.mark.timeout(60)

SECRET = "loopback-secret-of-thirty-two-letters-or-more"
ORIGIN = "https://desk.example.cn"
URL = f"{ORIGIN}/telegram/updates"


def settings_of(folder: Path, server: TelegramServer, *, webhook: bool = False, token: str | None = None) -> Settings:
    secret = SECRET if webhook else ""
    return desk_deps(folder, server, SetClock(), token, webhook_secret=secret, public_origin=ORIGIN).settings


def healthy(server: TelegramServer) -> None:
    menu = Menu.load(ROOT / "data" / "templates" / "telegram.yml")
    server.commands[:] = [(entry.command, entry.description) for entry in menu.entries()]


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in await examine(settings)}


@pytest.mark.asyncio
class TestWhatItFinds:
    async def test_a_desk_that_polls_is_well(self, tmp_path: Path, telegram: TelegramServer) -> None:
        healthy(telegram)
        findings = await found(settings_of(tmp_path, telegram))

        assert list(findings) == ["token", "rights", "webhook", "queue", "menu", "clock"]
        assert {finding.verdict for finding in findings.values()} == {Verdict.FINE}
        assert "@loopback_desk_bot" in findings["token"].seen

    async def test_a_desk_that_is_called_is_well(self, tmp_path: Path, telegram: TelegramServer) -> None:
        healthy(telegram)
        telegram.webhook = Webhook(URL, SECRET, ["message", "callback_query", "my_chat_member"])
        findings = await found(settings_of(tmp_path, telegram, webhook=True))

        assert {finding.verdict for finding in findings.values()} == {Verdict.FINE}

    async def test_no_token(self, tmp_path: Path, telegram: TelegramServer) -> None:
        settings = settings_of(tmp_path, telegram, token=" ").model_copy(
            update={"telegram_bot_token": Settings.model_fields["telegram_bot_token"].default}
        )
        findings = await examine(settings)

        assert [(f.subject, f.verdict) for f in findings] == [("token", Verdict.FAULT)]
        assert "@BotFather" in findings[0].to_do

    async def test_a_token_that_was_revoked(self, tmp_path: Path, telegram: TelegramServer) -> None:
        token = "700000001:an-old-token-that-was-revoked"
        findings = await found(settings_of(tmp_path, telegram, token=token))

        assert findings["token"].verdict is Verdict.FAULT
        assert not [f for f in findings.values() if "revoked" in f.seen]

    async def test_telegram_out_of_reach(self, tmp_path: Path, telegram: TelegramServer) -> None:
        telegram.fail("getMe", 502, times=10)
        findings = await found(settings_of(tmp_path, telegram))

        assert findings["token"].verdict is Verdict.FAULT
        assert "443" in findings["token"].to_do

    @pytest.mark.parametrize(
        ("rights", "verdict"),
        [
            ({"can_join_groups": True, "can_read_all_group_messages": False}, Verdict.ADVICE),
            ({"can_join_groups": True, "can_read_all_group_messages": True}, Verdict.FAULT),
        ],
    )
    async def test_more_rights_than_needed(
        self, tmp_path: Path, telegram: TelegramServer, rights: dict[str, bool], verdict: Verdict
    ) -> None:
        telegram.rights = rights
        findings = await found(settings_of(tmp_path, telegram))

        assert findings["rights"].verdict is verdict

    async def test_a_webhook_that_keeps_a_polling_desk_from_its_updates(
        self, tmp_path: Path, telegram: TelegramServer
    ) -> None:
        telegram.webhook = Webhook("https://elsewhere.example.cn/x")
        findings = await found(settings_of(tmp_path, telegram))

        assert findings["webhook"].verdict is Verdict.FAULT

    @pytest.mark.parametrize(
        ("webhook", "told"),
        [
            (Webhook(), "none is set"),
            (Webhook("https://elsewhere.example.cn/x"), "another address"),
            (Webhook(URL, SECRET, ["message"]), "callback_query, my_chat_member"),
            (Webhook(URL, SECRET, [], [502]), "502"),
        ],
    )
    async def test_a_webhook_that_does_not_work(
        self, tmp_path: Path, telegram: TelegramServer, webhook: Webhook, told: str
    ) -> None:
        telegram.webhook = webhook
        findings = await found(settings_of(tmp_path, telegram, webhook=True))

        assert findings["webhook"].verdict is Verdict.FAULT
        assert told in findings["webhook"].seen

    async def test_messages_that_pile_up(self, tmp_path: Path, telegram: TelegramServer) -> None:
        telegram.webhook = Webhook(URL, SECRET)
        telegram.hold_mail()
        for _ in range(MANY_WAITING + 1):
            telegram.send_text(LI, "在吗")
        findings = await found(settings_of(tmp_path, telegram, webhook=True))

        assert findings["queue"].verdict is Verdict.FAULT
        assert str(MANY_WAITING + 1) in findings["queue"].seen

    async def test_an_old_menu(self, tmp_path: Path, telegram: TelegramServer) -> None:
        telegram.commands[:] = [("start", "开始")]
        findings = await found(settings_of(tmp_path, telegram))

        assert findings["menu"].verdict is Verdict.ADVICE

    @pytest.mark.parametrize("ahead", [-120.0, 120.0])
    async def test_a_clock_that_is_wrong(self, tmp_path: Path, telegram: TelegramServer, ahead: float) -> None:
        telegram.clock_ahead = ahead
        findings = await found(settings_of(tmp_path, telegram))

        assert findings["clock"].verdict is Verdict.FAULT
        assert "NTP" in findings["clock"].to_do


class TestTheCommand:
    def run(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> tuple[int, str]:
        monkeypatch.setattr(cli, "_settings", lambda: settings)
        result = CliRunner().invoke(cli.app, ["telegram", "doctor"])
        return result.exit_code, result.output

    def test_it_ends_well_when_nothing_is_wrong(
        self, tmp_path: Path, telegram: TelegramServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        healthy(telegram)
        code, output = self.run(monkeypatch, settings_of(tmp_path, telegram))

        assert code == 0
        assert [line.split()[0] for line in output.splitlines()] == ["ok"] * 6

    def test_it_ends_with_one_when_something_is_and_shows_no_secret(
        self, tmp_path: Path, telegram: TelegramServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, output = self.run(monkeypatch, settings_of(tmp_path, telegram, webhook=True))

        assert code == 1
        assert "FAULT  webhook" in output
        assert "-> start the desk" in output
        assert SECRET not in output
        assert telegram.token not in output
        assert telegram.token.split(":")[1] not in output
