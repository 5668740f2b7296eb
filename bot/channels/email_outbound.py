"""Notices by e-mail: one way, over the lender's own mail server, with words that a stranger may read.

A mail's ``Message-ID`` is made from the outbox key, so that a mail that comes twice is recognised by servers and
programs that compare them; the desk does not rely on it.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from bot.channels.delivery import Lane, Later, Never, Outcome, PushChannel, Taken, Unclear
from bot.channels.letter_words import LetterWords
from bot.channels.pacing import Pace
from bot.clock import local
from bot.services.deps import Deps
from bot.services.mailboxes import EMAIL
from bot.services.outbox import OutboxItem
from bot.services.stop_links import stop_address
from bot.settings import Settings
from bot.text.scripts import Script

LANE = Lane(EMAIL, batch=8, abreast=4)
SECONDS = 10.0
"""How long one step with the mail server may take."""

_POLICY = b"5.7."
"""How an answer begins that refuses the sender, not the address (RFC 3463): a relay that is not allowed, say."""

_LANGUAGE = {Script.HANS: "zh-Hans", Script.HANT: "zh-Hant"}

log = structlog.get_logger()


class MailServer:
    """Hands mails to the lender's mail server, one connection each. Safe to be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context()

    def hand_over(self, mail: EmailMessage, sender: str, recipient: str) -> Outcome:
        """Give one mail to the server and say what became of it. Logs neither addresses nor words.

        Until its text is sent, nothing can have arrived; from then until the server's answer nobody knows.
        """
        try:
            with self._connection() as server:
                return _offer(server, mail, sender, recipient)
        except smtplib.SMTPAuthenticationError as error:
            log.error("mail_login_refused", code=error.smtp_code)
            return Later("login_refused")
        except smtplib.SMTPNotSupportedError:
            log.error("mail_server_without_tls_or_login")
            return Later("not_supported")
        except smtplib.SMTPResponseException as error:
            return Later(f"smtp_{error.smtp_code}")
        except ssl.SSLError:
            log.error("mail_server_not_trusted")
            return Later("tls_failed")
        except (smtplib.SMTPException, OSError):
            return Later("unreachable")

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        host, port = settings.smtp_host, settings.smtp_port
        server = (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=self._tls)
            if settings.smtp_security == "tls"
            else smtplib.SMTP(host, port, timeout=SECONDS)
        )
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=self._tls)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            yield server
        finally:
            _hang_up(server)


def _offer(server: smtplib.SMTP, mail: EmailMessage, sender: str, recipient: str) -> Outcome:
    server.ehlo_or_helo_if_needed()
    code, _ = server.mail(sender)
    if code != 250:
        log.error("mail_sender_refused", code=code)
        return Later(f"sender_smtp_{code}")
    code, answer = server.rcpt(recipient)
    if code not in (250, 251):
        ours = answer.startswith(_POLICY)
        return Never(f"smtp_{code}", unreachable=not ours, defect=ours) if code >= 500 else Later(f"smtp_{code}")
    try:
        code, _ = server.data(mail.as_bytes(policy=SMTP))
    except smtplib.SMTPDataError as error:  # refused before the text was sent
        code = error.smtp_code
    except (smtplib.SMTPException, OSError):
        return Unclear("answer_lost")
    if code == 250:
        return Taken("")
    return Never(f"smtp_{code}", defect=True) if code >= 500 else Later(f"smtp_{code}")


def _hang_up(server: smtplib.SMTP) -> None:
    """Say goodbye if anybody is listening. What happened to the mail is known already."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


class MailRoom:
    """Makes a mail of a notice."""

    def __init__(self, deps: Deps, words: LetterWords) -> None:
        self._deps = deps
        self._words = words

    def letter(self, item: OutboxItem) -> EmailMessage:
        """Return the mail: plain text, the notice's own words, how to answer, and how to stop.

        Raises:
            ValueError: the address cannot stand in a mail.
        """
        settings, words, script = self._deps.settings, self._words, item.script
        link = stop_address(self._deps, item.conversation_id)
        sender = Address(words.in_script("email_from", script), addr_spec=settings.mail_from)
        mail = EmailMessage()
        mail["From"] = sender
        mail["To"] = Address(addr_spec=item.address)
        mail["Subject"] = words.in_script("email_subject", script)
        mail["Date"] = _stamp(self._deps.now())
        mail["Message-ID"] = f"<{hashlib.sha256(item.key.encode()).hexdigest()[:32]}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Unsubscribe"] = f"<{link}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(words.in_script("email_around", script, text=item.text, chat=f"{settings.origin}/", link=link))
        mail["Content-Language"] = _LANGUAGE[script]
        return mail


def _stamp(now: datetime) -> str:
    return format_datetime(local(now))


def email_channel(deps: Deps, pace: Pace | None = None) -> PushChannel:
    """Return the channel, to be started by the gateway where ``DESK_SMTP_HOST`` is set.

    Raises:
        bot.services.wording.WordingError: the words around notices cannot be used.
    """
    room, server = MailRoom(deps, LetterWords.load(deps)), MailServer(deps.settings)

    def send(item: OutboxItem) -> Outcome:
        try:
            mail = room.letter(item)
        except ValueError:
            return Never("bad_address", unreachable=True)
        outcome = server.hand_over(mail, deps.settings.mail_from, item.address)
        return Taken(mail["Message-ID"].strip("<>")[:40]) if isinstance(outcome, Taken) else outcome

    return PushChannel(deps, LANE, send, pace=pace)
