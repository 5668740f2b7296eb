"""Notices by e-mail over real SMTP: what the letter says, what it hides, what becomes of refusals."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.channels.email_outbound import email_channel
from bot.gateway import make_app
from bot.services.stop_links import stop_address
from tests.contract.one_way_desk import ADDRESS, NOTICE, SWIFT, OneWayDesk, at_work
from tests.doubles.mail_server import LOGIN, PASSWORD, MailServer

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),  # the double's, on loopback
]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: MailServer) -> OneWayDesk:
    return mailing(OneWayDesk(tmp_path), server)


def mailing(desk: OneWayDesk, server: MailServer, security: str = "none") -> OneWayDesk:
    settings = desk.deps.settings
    settings.smtp_host, settings.smtp_port, settings.mail_from = "127.0.0.1", server.port, "desk@bank.example"
    settings.smtp_security = security  # type: ignore[assignment]  # one of its three
    desk.register()
    return desk


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; returns it as a file, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "cert.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key_path)
    return path, context


async def test_a_notice_becomes_one_letter_that_says_who_writes_and_how_to_stop(
    desk: OneWayDesk, server: MailServer
) -> None:
    conversation_id = desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("sent", None))

    [letter] = server.taken
    link = stop_address(desk.deps, conversation_id)
    assert letter["To"] == ADDRESS
    assert letter["From"] == "示例银行的AI助手 <desk@bank.example>"
    assert letter["Subject"] == "示例银行的AI助手有一条留言"
    assert letter["Date"].datetime == desk.clock.now()
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"].replace(" ", "") == f"<{link}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = letter.get_content()
    assert NOTICE in body
    assert link in body
    assert "https://desk.example.cn/\n" in body
    assert letter.get_content_type() == "text/plain"


async def test_a_letter_is_in_its_readers_script(desk: OneWayDesk, server: MailServer) -> None:
    desk.notify(script="hant")
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("sent", None))

    [letter] = server.taken
    assert letter["Subject"] == "示例銀行的AI助手有一條留言"
    assert letter["Content-Language"] == "zh-Hant"
    assert "不想再收到提醒，點這裡就行" in letter.get_content()
    assert "有一條事項提醒" in letter.get_content()


async def test_greylisting_is_waited_out_and_the_letter_keeps_its_number(desk: OneWayDesk, server: MailServer) -> None:
    server.to_recipients.append("451 4.7.1 Greylisted, try again later")
    server.to_texts += ["451 4.3.0 try again"]
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("pending", "smtp_451"))
        assert server.taken == []
        desk.after(2)
        await desk.tried(2)
        desk.after(4)
        await desk.recorded(("sent", None))

    [letter] = server.taken
    [row] = desk.rows()
    assert row.attempts == 3
    assert row.channel_message_id is not None
    assert letter["Message-ID"].startswith(f"<{row.channel_message_id}"[:32])


async def test_an_address_that_does_not_exist_is_given_up_and_not_used_again(
    desk: OneWayDesk, server: MailServer
) -> None:
    server.to_recipients.append("550 5.1.1 no such user")
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("dead", "smtp_550"))
    assert desk.unreachable()
    assert server.taken == []


async def test_a_relay_that_refuses_the_desk_blames_no_address(desk: OneWayDesk, server: MailServer) -> None:
    server.to_recipients.append("550 5.7.1 relaying denied")
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("dead", "smtp_550"))
    assert not desk.unreachable()


async def test_the_gateway_runs_the_channels_that_are_set_up(desk: OneWayDesk, server: MailServer) -> None:
    def deliver() -> None:
        with TestClient(make_app(desk.deps)):
            assert wait_for(lambda: [letter["To"] for letter in server.taken] == [ADDRESS])

    desk.notify()
    await asyncio.to_thread(deliver)
    await desk.recorded(("sent", None))


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


async def test_a_letter_that_is_refused_for_what_it_says_blames_no_address(
    desk: OneWayDesk, server: MailServer
) -> None:
    server.to_texts.append("554 5.7.1 looks like spam")
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("dead", "smtp_554"))
    assert not desk.unreachable()


async def test_a_letter_whose_receipt_was_lost_is_not_sent_again(desk: OneWayDesk, server: MailServer) -> None:
    server.to_texts.append(None)
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("unknown", "answer_lost"))
        desk.after(7200)
        desk.notify("第二条")
        await desk.recorded(("unknown", "answer_lost"), ("sent", None))
    assert len(server.taken) == 2


async def test_a_server_that_is_away_is_tried_again(desk: OneWayDesk, server: MailServer) -> None:
    desk.deps.settings.smtp_port = 1
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("pending", "unreachable"))
        desk.deps.settings.smtp_port = server.port
        desk.after(2)
        await desk.recorded(("sent", None))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_password_travels_encrypted_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    trusted, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with MailServer(tls=context, wants_login=True, implicit_tls=security == "tls") as server:
        desk = mailing(OneWayDesk(tmp_path), server, security)
        desk.deps.settings.smtp_user, desk.deps.settings.smtp_password = LOGIN, SecretStr(PASSWORD)
        desk.notify()
        async with at_work(email_channel(desk.deps, SWIFT)):
            await desk.recorded(("sent", None))
        assert server.encrypted == [True]


async def test_a_wrong_password_is_a_matter_for_later(tmp_path: Path) -> None:
    with MailServer(wants_login=True) as server:
        desk = mailing(OneWayDesk(tmp_path), server)
        desk.deps.settings.smtp_user, desk.deps.settings.smtp_password = LOGIN, SecretStr("wrong")
        desk.notify()
        async with at_work(email_channel(desk.deps, SWIFT)):
            await desk.recorded(("pending", "login_refused"))
        assert not desk.unreachable()


async def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for(
    tmp_path: Path, server: MailServer
) -> None:
    desk = mailing(OneWayDesk(tmp_path), server, "starttls")
    desk.notify()
    async with at_work(email_channel(desk.deps, SWIFT)):
        await desk.recorded(("pending", "not_supported"))
    assert server.offered == 0


async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with MailServer(tls=context) as server:
        desk = mailing(OneWayDesk(tmp_path), server, "starttls")
        desk.notify()
        async with at_work(email_channel(desk.deps, SWIFT)):
            await desk.recorded(("pending", "tls_failed"))
        assert server.offered == 0
