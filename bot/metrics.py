"""What this process counts of its own work, for Prometheus. The names and labels are listed in ``docs/operations.md``.

Labels take their values from lists fixed here, never from what people send: no id, no personal data, and no flood of
series. What is on no list counts as ``other``. Every series is there from the start, at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from structlog.typing import EventDict, WrappedLogger

REGISTRY = CollectorRegistry()
"""Everything that this process counts."""

OTHER = "other"

CHANNELS = ("web", "telegram", "email", "sms", OTHER)

UPLOAD_REFUSALS = (
    "empty",
    "too_large",
    "unknown_kind",
    "no_case",
    "not_verified",
    "no_consent",
    "enough",
    "not_fetched",
    OTHER,
)

ALARMS = (
    "action_failed",
    "code_not_sent",
    "engine_down",
    "mail_login_refused",
    "mail_sender_refused",
    "mail_server_not_trusted",
    "message_given_up",
    "message_not_stored",
    "notice_fate_unknown",
    "outbox_failed",
    "payment_not_booked",
    "sms_key_refused",
    "telegram_not_connected",
    "telegram_webhook_forged",
    "telegram_webhook_lost",
    "turn_crashed",
    "turn_given_up",
    "turn_sweep_failed",
)
"""Events in the log of gateway and action server that a person has to know of."""

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)


class TurnOutcome(StrEnum):
    """How one attempt to answer a message ended."""

    ANSWERED = "answered"
    OVERTAKEN = "overtaken"
    """Somebody else had answered meanwhile."""
    ENGINE_ABSENT = "engine_absent"
    ENGINE_LATE = "engine_late"
    """It took longer than one waits; the answer was asked for again."""
    ENGINE_FAILED = "engine_failed"
    GIVEN_UP = "given_up"


class DeliveryOutcome(StrEnum):
    """How one attempt to deliver a message over a channel ended."""

    SENT = "sent"
    DELAYED = "delayed"
    GIVEN_UP = "given_up"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"


disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves its return type out
ProcessCollector(registry=REGISTRY)

_TURN_SECONDS = Histogram(
    "desk_turn_seconds",
    "Seconds that attempts to answer a message took.",
    ["outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
_RECEIVED = Counter("desk_messages_received", "Messages of borrowers that were stored.", ["channel"], registry=REGISTRY)
_DELIVERIES = Counter(
    "desk_deliveries", "Attempts to deliver a message over a channel.", ["channel", "outcome"], registry=REGISTRY
)
_UPLOADS_REFUSED = Counter(
    "desk_uploads_refused", "Files for cases that were not taken.", ["channel", "reason"], registry=REGISTRY
)
_ALARM_EVENTS = Counter("desk_alarm_events", "Log lines that a person has to know of.", ["event"], registry=REGISTRY)

for _outcome in TurnOutcome:
    _TURN_SECONDS.labels(_outcome)
for _event in ALARMS:
    _ALARM_EVENTS.labels(_event)
for _channel in CHANNELS:
    _RECEIVED.labels(_channel)
    for _delivered in DeliveryOutcome:
        _DELIVERIES.labels(_channel, _delivered)
    for _reason in UPLOAD_REFUSALS:
        _UPLOADS_REFUSED.labels(_channel, _reason)


def count_turn(outcome: TurnOutcome, seconds: float) -> None:
    """Count an attempt to answer a message, and how long it took."""
    _TURN_SECONDS.labels(outcome).observe(seconds)


def count_received(channel: str) -> None:
    """Count a message of a borrower that was stored for the first time."""
    _RECEIVED.labels(listed(channel, CHANNELS)).inc()


def count_delivery(channel: str, outcome: DeliveryOutcome) -> None:
    """Count an attempt to deliver a message."""
    _DELIVERIES.labels(listed(channel, CHANNELS), outcome).inc()


def count_refused_upload(channel: str, reason: str) -> None:
    """Count a file that was not taken."""
    _UPLOADS_REFUSED.labels(listed(channel, CHANNELS), listed(reason, UPLOAD_REFUSALS)).inc()


def count_alarm(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Count a log line if it is one of ``ALARMS``; a processor of structlog that leaves the line as it is."""
    name = event.get("event")
    if name in ALARMS:
        _ALARM_EVENTS.labels(name).inc()
    return event


def listed(value: str, known: Sequence[str]) -> str:
    """Return a label's value, or ``other`` for one that is not on its list."""
    return value if value in known else OTHER
