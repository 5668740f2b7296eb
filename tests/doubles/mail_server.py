"""A mail server on loopback: real SMTP by aiosmtpd, which keeps what it takes and refuses on demand."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN, PASSWORD = "desk", "an-invented-mail-password"


@dataclass
class MailServer:
    """Use it as a context manager. ``answers`` are given to the next RCPTs or DATAs instead of taking them."""

    tls: ssl.SSLContext | None = None
    wants_login: bool = False
    implicit_tls: bool = False
    taken: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    to_recipients: list[str] = field(default_factory=list)
    to_texts: list[str | None] = field(default_factory=list)
    """None cuts the line after the text was taken."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.offered = 0
        options: dict[str, object] = {"hostname": "127.0.0.1", "port": 0}
        if self.wants_login:
            options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": self.tls is not None}
        if self.implicit_tls:
            options |= {"ssl_context": self.tls}
            options |= {"auth_require_tls": False} if self.wants_login else {}
        elif self.tls is not None:
            options |= {"tls_context": self.tls, "require_starttls": True}
        self._controller = _Controller(self, **options)

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return cast("int", self._controller.server.sockets[0].getsockname()[1])

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    async def handle_RCPT(  # the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        with self._lock:
            self.offered += 1
            if self.to_recipients:
                return self.to_recipients.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # as above
        with self._lock:
            answer = self.to_texts.pop(0) if self.to_texts else "250 OK"
            if answer is None or answer.startswith("250"):
                content = cast("bytes", envelope.content)
                self.taken.append(cast("EmailMessage", message_from_bytes(content, policy=default)))
                self.encrypted.append(session.ssl is not None or self.implicit_tls)
        if answer is None:
            cast("SMTP", server).transport.abort()
            return "421 gone"
        return answer


class _Controller(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        """Connect once, as the library does to the port it was asked for, which is 0."""
        socket.create_connection(self.server.sockets[0].getsockname()).close()


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
    right = LoginPassword(LOGIN.encode(), PASSWORD.encode())
    return AuthResult(success=given == right, handled=False)
