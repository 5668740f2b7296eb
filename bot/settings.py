"""Every setting of the desk, in one place.

Each is read from the environment with the prefix ``DESK_`` or from a ``.env`` file beside ``domain.yml``.
Settings that would be unsafe outside demo mode are refused at start-up by name (see ``docs/operations.md``).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.origins import LOOPBACK, host_of, is_called_safely, is_loopback, is_secure, may_embed

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds ``domain.yml`` and ``data/``."""

SECRET_MINIMUM = 16
"""Shortest secret that processes may share, in characters."""

PAYMENTS_KEY_MINIMUM = 32
"""Shortest key between the desk and the lender's other systems, in characters."""

_KEYS = ("data_key", "lookup_key", "rasa_secret", "actions_secret")
_UNLIKE = (
    *_KEYS,
    "backup_key",
    "vouch_key",
    "payments_key",
    "metrics_key",
    "code_webhook_key",
    "sms_webhook_key",
    "telegram_webhook_secret",
)
"""Secrets of which none may be another one, or be made up of next to nothing."""
_FEWEST_CHARACTERS = 6
"""Different characters that a secret needs at least: random ones have more."""
_REPEATED = re.compile(r"(.+?)\1+", re.DOTALL)
_ORIGIN = re.compile(r"https?://[^/\s?#]+")
_MAIL_ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}", re.ASCII)
_CALLED_BY_TELEGRAM = re.compile(r"https://[^/\s?#:]+(?::(?:443|80|88|8443))?")
"""Origins that Telegram calls: it knows no other ports."""


class SettingsError(Exception):
    """A setting is missing, malformed or unsafe. The text names it and never shows a secret's value."""


class Settings(BaseSettings):
    """The desk's configuration. Times are in the unit that the name ends with."""

    model_config = SettingsConfigDict(
        env_prefix="DESK_", env_file=ROOT / ".env", extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    mode: Literal["demo", "production"] = Field(
        "demo", description="demo shows one-time codes on the page and makes its own keys; production refuses both"
    )
    demo_exposed: Literal["no", "yes"] = Field(
        "no",
        description="demo mode only: yes lets others than this machine reach a desk that shows its codes to anyone",
    )
    lender_name: str = Field(
        "示例银行", min_length=1, max_length=40, description="the name a borrower knows the lender by"
    )
    var_dir: Path = Field(ROOT / "var", description="where the SQLite file, demo keys and Rasa's tracker live")
    models_dir: Path = Field(
        ROOT / "models", description="folder of the trained models; all Rasa processes may share it"
    )
    model_cache: Path | None = Field(
        None, description="folder in which checkouts share trained models by what they were made from; empty means none"
    )
    policies_dir: Path = Field(
        ROOT / "data" / "policies", description="folder of the relief policies that the lender has approved"
    )
    database_url: str = Field(
        "",
        repr=False,  # it holds a password
        description="SQLAlchemy URL; empty means SQLite in var_dir. PostgreSQL: postgresql+psycopg://…",
    )
    tracker_url: str = Field(
        "",
        repr=False,  # it holds a password
        description="SQLAlchemy URL of Rasa's tracker, one for all Rasa processes; empty means SQLite in var_dir",
    )

    data_key: SecretStr = Field(
        SecretStr(""), description="base64 of 32 bytes; encrypts names, phones and identity numbers"
    )
    other_data_keys: SecretStr = Field(
        SecretStr(""), description="further data keys that open, with commas between: older ones, or the next one"
    )
    lookup_key: SecretStr = Field(
        SecretStr(""), description="base64 of 32 bytes; keys the hashes used to look people up"
    )
    backup_key: SecretStr = Field(
        SecretStr(""), description="base64 of 32 bytes; encrypts backups; empty leaves them as open as the database"
    )
    postgres_programs: Path | None = Field(
        None, description="folder of pg_dump and pg_restore; empty means the search path"
    )
    rasa_secret: SecretStr = Field(SecretStr(""), description="shared by gateway and Rasa's channel")
    actions_secret: SecretStr = Field(SecretStr(""), description="shared by Rasa and the action server")

    gateway_host: str = Field("127.0.0.1", description="address the gateway and the console listen on")
    gateway_port: int = Field(8080, ge=1, le=65535, description="port of the gateway and the console")
    public_origin: str = Field(
        "",
        description="origin browsers use, for instance https://desk.example.cn; empty means the gateway's own address",
    )
    embed_origins: str = Field(
        "",
        description="origins of the lender's sites that may show the chat in a frame, between commas; empty means none",
    )
    vouch_key: SecretStr = Field(
        SecretStr(""),
        description="the key that the lender's server vouches for customers with, at least 32 characters; empty: off",
    )
    rasa_port: int = Field(5005, ge=1, le=65535, description="loopback port of the Rasa process")
    actions_port: int = Field(5055, ge=1, le=65535, description="loopback port of the action server")
    rasa_timeout_seconds: float = Field(
        20.0, gt=0, le=120, description="how long one turn may take before it is tried again"
    )
    rasa_slow_seconds: float = Field(
        6.0, gt=0, le=60, description="after this the borrower is told that the answer is on its way"
    )

    session_days: int = Field(60, ge=1, le=180, description="how long a browser's session cookie lives")
    verified_idle_minutes: int = Field(
        30, ge=1, le=30, description="idle time after which identity must be proved again"
    )
    fresh_check_minutes: int = Field(15, ge=1, le=30, description="how recent the proof must be for agreeing to a plan")
    verification_attempts: int = Field(5, ge=1, le=5, description="wrong answers before verification locks")
    verification_lock_minutes: int = Field(30, ge=30, le=1440, description="how long that lock holds")
    code_minutes: int = Field(5, ge=1, le=10, description="how long a one-time code is good for")
    code_webhook_url: str = Field(
        "", repr=False, description="the lender's service for one-time codes; empty is only allowed in demo mode"
    )
    code_webhook_key: SecretStr = Field(
        SecretStr(""), description="the key that this service knows the desk by, at least 32 characters"
    )
    message_max_characters: int = Field(1000, ge=100, le=4000, description="longest message a borrower can send")
    human_idle_minutes: int = Field(
        30, ge=5, le=240, description="how long a person may leave a borrower unanswered before another one is called"
    )

    telegram_bot_token: SecretStr = Field(
        SecretStr(""), validation_alias="TELEGRAM_BOT_TOKEN", description="set it to serve Telegram, see telegram.md"
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="32 to 256 letters, digits, _ or -: Telegram then calls the desk with it; empty means polling",
    )
    telegram_api_base: str = Field(
        "", description="base URL of a Bot API server, for a local one; empty means Telegram's own"
    )

    smtp_host: str = Field("", description="the mail server for notices by e-mail; empty turns them off")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the connection to it is encrypted; none is only allowed on this machine"
    )
    smtp_user: str = Field("", description="login at the mail server; empty means that it asks for none")
    smtp_password: SecretStr = Field(SecretStr(""), description="password at the mail server")
    mail_from: str = Field("", description="the address that notices come from, for instance desk@example.cn")
    sms_webhook_url: str = Field(
        "", repr=False, description="the lender's adapter for text messages, see sms-adapter.md; empty turns them off"
    )
    sms_webhook_key: SecretStr = Field(
        SecretStr(""), description="the key that the adapter knows the desk by, at least 32 characters"
    )

    payments_key: SecretStr = Field(
        SecretStr(""),
        description="the key the lender's system sends payments with, at least 32 characters; empty turns that off",
    )
    metrics_key: SecretStr = Field(
        SecretStr(""), description="the key Prometheus reads /metrics with, at least 32 characters; empty: no such page"
    )

    clock_offset_minutes: int = Field(
        0,
        ge=-5_256_000,
        le=5_256_000,
        description="demo mode only: moves the desk's clock, to try reminders and expiries",
    )
    scheduler_tick_seconds: int = Field(5, ge=1, le=300, description="how often due work is looked for")

    @field_validator("model_cache", "postgres_programs", mode="before")
    @classmethod
    def _no_folder(cls, folder: object) -> object:
        return folder or None

    @field_validator("rasa_secret", "actions_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < SECRET_MINIMUM:
            raise ValueError(f"must have at least {SECRET_MINIMUM} characters")
        return secret

    @field_validator("payments_key", "metrics_key", "code_webhook_key", "sms_webhook_key", "vouch_key")
    @classmethod
    def _hard_to_guess(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < PAYMENTS_KEY_MINIMUM:
            raise ValueError(f"must have at least {PAYMENTS_KEY_MINIMUM} characters")
        return key

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        problems = []
        if self.public_origin and not _ORIGIN.fullmatch(self.public_origin):
            problems.append("DESK_PUBLIC_ORIGIN: must be an origin such as https://desk.example.cn, without a path")
        problems += self._unsafe_embedding()
        problems += self._unsafe_webhook() + self._unsafe_mail() + self._unsafe_text_messages()
        problems += self._not_fit_for_production() if self.mode == "production" else self._open_to_anybody()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unsafe_embedding(self) -> list[str]:
        """Name every origin that must not frame the chat: whoever frames it can lay things over it."""
        unsafe = [origin for origin in self.embedding_origins if not may_embed(origin)]
        if unsafe:
            return [
                "DESK_EMBED_ORIGINS: must be https:// origins such as https://www.example.cn, without path or "
                f"wildcard, and http:// only on this machine; not {', '.join(unsafe)}"
            ]
        if self.vouch_key.get_secret_value() and not self.embedding_origins:
            return ["DESK_EMBED_ORIGINS: must name the site that vouches when DESK_VOUCH_KEY is set"]
        if self.embed_origins and not is_secure(self.origin):
            return ["DESK_PUBLIC_ORIGIN: must be an https:// origin when DESK_EMBED_ORIGINS is set"]
        return []

    def _unsafe_webhook(self) -> list[str]:
        secret = self.telegram_webhook_secret.get_secret_value()
        if not secret:
            return []
        problems = []
        if not _WEBHOOK_SECRET.fullmatch(secret):
            problems.append("DESK_TELEGRAM_WEBHOOK_SECRET: must be 32 to 256 letters, digits, _ or -")
        if not _CALLED_BY_TELEGRAM.fullmatch(self.public_origin) and not self.telegram_api_base:
            problems.append(
                "DESK_PUBLIC_ORIGIN: must be an https:// origin on port 443, 80, 88 or 8443 when "
                "DESK_TELEGRAM_WEBHOOK_SECRET is set"
            )
        return problems

    def _unsafe_mail(self) -> list[str]:
        if not self.smtp_host:
            return []
        problems = []
        if not _MAIL_ADDRESS.fullmatch(self.mail_from):
            problems.append("DESK_MAIL_FROM: must be the address that notices come from when DESK_SMTP_HOST is set")
        if self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            problems.append("DESK_SMTP_SECURITY: must be starttls or tls unless the mail server is on this machine")
        if bool(self.smtp_user) != bool(self.smtp_password.get_secret_value()):
            problems.append("DESK_SMTP_USER, DESK_SMTP_PASSWORD: must be set together")
        return problems

    def _unsafe_text_messages(self) -> list[str]:
        """Name what would send codes or notices, with the phone, where others can read them or to anybody at all."""
        problems = []
        for name, it in (("code_webhook", "service"), ("sms_webhook", "adapter")):
            address, key = getattr(self, f"{name}_url"), getattr(self, f"{name}_key").get_secret_value()
            if not address:
                continue
            variable = f"DESK_{name.upper()}"
            if not is_called_safely(address):
                problems.append(f"{variable}_URL: must be an https:// address unless the {it} is on this machine")
            if not key:
                problems.append(f"{variable}_KEY: must be set, so that the {it} knows who sends")
        return problems

    def _not_fit_for_production(self) -> list[str]:
        problems = []
        missing = [name for name in _KEYS if not getattr(self, name).get_secret_value()]
        if missing:
            names = ", ".join(f"DESK_{name.upper()}" for name in missing)
            problems.append(f"{names}: must be set in production mode")
        problems += self._not_secret()
        if self.clock_offset_minutes:
            problems.append("DESK_CLOCK_OFFSET_MINUTES: must be 0 in production mode")
        if not self.database_url:
            problems.append("DESK_DATABASE_URL: must be set in production mode")
        if not self.code_webhook_url:
            problems.append("DESK_CODE_WEBHOOK_URL: must be set in production mode, or nobody can prove who they are")
            if not self.code_webhook_key.get_secret_value():
                problems.append("DESK_CODE_WEBHOOK_KEY: must be set in production mode")
        if not self.public_origin.startswith("https://"):
            problems.append("DESK_PUBLIC_ORIGIN: must be an https:// origin in production mode")
        return problems

    def _open_to_anybody(self) -> list[str]:
        """Name what would let others reach a desk that shows one-time codes: a mode that was never set is demo."""
        if self.demo_exposed == "yes":
            return []
        reached = {"DESK_GATEWAY_HOST": self.gateway_host, "DESK_PUBLIC_ORIGIN": host_of(self.public_origin)}
        return [
            f"{name}: must be this machine in demo mode, which shows one-time codes to anyone; "
            "set DESK_MODE=production, or DESK_DEMO_EXPOSED=yes where all data are invented"
            for name, host in reached.items()
            if host and not is_loopback(host)
        ]

    def _not_secret(self) -> list[str]:
        """Name secrets that anybody could guess, or that one who knows another one knows."""
        given = {name: getattr(self, name).get_secret_value() for name in _UNLIKE}
        given = {f"DESK_{name.upper()}": value for name, value in given.items() if value}
        problems = [f"{name}: looks like a placeholder" for name, value in given.items() if _is_placeholder(value)]
        alike = [name for name, value in given.items() if list(given.values()).count(value) > 1]
        return [*problems, f"{', '.join(alike)}: must differ from each other"] if alike else problems

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL, SQLite under ``var_dir`` by default."""
        return self.database_url or f"sqlite:///{self.var_dir / 'desk.sqlite3'}"

    @property
    def sqlalchemy_tracker_url(self) -> str:
        """The URL of Rasa's tracker, SQLite under ``var_dir`` by default."""
        return self.tracker_url or f"sqlite:///{self.var_dir / 'rasa-tracker.sqlite3'}"

    def as_environment(self) -> dict[str, str]:
        """Return the environment variables that give another process these same settings."""
        passed: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else str("" if value is None else value)
            passed[str(field.validation_alias or f"DESK_{name.upper()}")] = text
        return passed

    @property
    def origin(self) -> str:
        """The origin that browsers must come from."""
        return self.public_origin or f"http://{self.gateway_host}:{self.gateway_port}"

    @property
    def embedding_origins(self) -> tuple[str, ...]:
        """The origins that may frame the chat, each once."""
        return tuple(dict.fromkeys(origin for part in self.embed_origins.split(",") if (origin := part.strip())))

    @property
    def rasa_url(self) -> str:
        """Base URL of the Rasa process, loopback only."""
        return f"http://127.0.0.1:{self.rasa_port}"


def _is_placeholder(secret: str) -> bool:
    if len(set(secret)) < _FEWEST_CHARACTERS or _REPEATED.fullmatch(secret):
        return True
    with contextlib.suppress(ValueError):
        decoded = base64.b64decode(secret, validate=True)
        # Thirty-two zeros, or the bytes counted up: nobody drew these by lot.
        return len(set(decoded)) < _FEWEST_CHARACTERS or len({(b - a) % 256 for a, b in pairwise(decoded)}) == 1
    return False


def load_settings() -> Settings:
    """Read the settings; in demo mode make and keep the keys that are not given.

    Raises:
        SettingsError: naming each setting that is missing, malformed or unsafe.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_plain(e["loc"], e["msg"]) for e in error.errors())) from None
    if settings.mode == "demo":
        settings = _with_demo_keys(settings)
    return settings


def _plain(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    if not location:
        return text
    name = str(location[0])
    return f"{name if name.isupper() else 'DESK_' + name.upper()}: {text}"


def _with_demo_keys(settings: Settings) -> Settings:
    """Keep generated demo keys in ``var_dir`` so that data written today can be read tomorrow."""
    path = settings.var_dir / "demo-keys.json"
    try:
        if not path.exists():
            _write_demo_keys(path)
        kept = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"DESK_VAR_DIR: {error.strerror}: {path}") from None
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(kept.get(name), str) for name in _KEYS):
        raise SettingsError(f"DESK_VAR_DIR: {path} is damaged; without it, data sealed before cannot be read")
    filled = {name: SecretStr(kept[name]) for name in _KEYS if not getattr(settings, name).get_secret_value()}
    return settings.model_copy(update=filled)


def _write_demo_keys(path: Path) -> None:
    """Make the keys once, even when several processes start together: the first complete file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in _KEYS}
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(json.dumps(made), "utf-8")
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
