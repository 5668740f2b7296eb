"""Events on their way to the lender's systems: where they are posted, how often, and what became of each.

An event is delivered at least once, to each address in order of its number as far as the address takes it; the number
tells a repetition. What was not taken after ``GIVEN_UP_AFTER`` attempts is dead and stays to be seen, until somebody
sends it again. With its address, or its client, whatever was not taken is closed: nobody waits for it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.origins import is_secure
from bot.services import audit
from bot.services.claims import LONGEST_CLAIM, free
from bot.services.deps import Deps
from bot.services.lender_events import EventView, last_seq
from bot.store.tables import ApiClient, LenderEvent, Webhook, WebhookDelivery

GIVEN_UP_AFTER = 16
"""Attempts: about two days with the waits of ``retry_delay``."""

LONGEST_WAIT = timedelta(hours=8)
MOST_PREPARED = 500
"""Deliveries prepared for one address in one sweep."""

OPEN_WEBHOOKS = (
    select(Webhook.id)
    .join(ApiClient, ApiClient.id == Webhook.client_id)
    .where(Webhook.closed_at.is_(None), ApiClient.closed_at.is_(None))
)
"""Addresses that are called: neither they nor their clients are closed."""

_LONGEST_URL = 500
_ERROR_LENGTH = 60


class WebhookRefusal(StrEnum):
    """Why nothing was changed."""

    UNKNOWN_CLIENT = "there is no such client"
    UNKNOWN = "there is no such webhook"
    BAD_URL = "the address must be https://, or http:// on this machine, without a login in it"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook that was just made. ``secret`` is shown only now."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook and how its deliveries stand."""

    id: str
    client: str
    url: str
    is_open: bool
    pending: int
    dead: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that this process may now attempt, until its lease ends. ``attempts`` counts this one too."""

    delivery_id: str
    url: str
    secret: str
    event: EventView
    attempts: int

    @property
    def body(self) -> bytes:
        """What is posted: the same bytes at each attempt."""
        return json.dumps(self.event.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that an address did not take."""

    delivery_id: str
    url: str
    seq: int
    kind: str
    attempts: int
    last_error: str | None


def signature(secret: str, at: datetime, body: bytes) -> str:
    """Return the header by which a receiver knows the desk: the instant in seconds, and HMAC-SHA-256 over both."""
    moment = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 1, 2, 4 … minutes up to ``LONGEST_WAIT``."""
    return min(LONGEST_WAIT, timedelta(minutes=2 ** min(attempts - 1, 20)))


def register(deps: Deps, client: str, url: str, *, from_beginning: bool = False) -> NewWebhook | WebhookRefusal:
    """Have events posted to an address: those from now on, or all that are kept."""
    if not _may_call(url):
        return WebhookRefusal.BAD_URL
    secret = secrets.token_urlsafe(32)
    with deps.begin() as session:
        owner = session.scalar(select(ApiClient).where(ApiClient.name == client, ApiClient.closed_at.is_(None)))
        if owner is None:
            return WebhookRefusal.UNKNOWN_CLIENT
        webhook = Webhook(
            client_id=owner.id,
            url=url,
            secret_sealed=deps.vault.seal("webhook_secret", secret),
            after_seq=0 if from_beginning else last_seq(session),
            created_at=deps.now(),
        )
        session.add(webhook)
        session.flush()
        audit.record(session, deps.now(), audit.SYSTEM, "webhook_registered", ("webhook", webhook.id))
        return NewWebhook(webhook.id, secret)


def close(deps: Deps, webhook_id: str) -> WebhookRefusal | None:
    """Post nothing more to an address. What it has not taken is closed."""
    with deps.begin() as session:
        webhook = session.get(Webhook, webhook_id, with_for_update=True)
        if webhook is None or webhook.closed_at is not None:
            return WebhookRefusal.UNKNOWN
        webhook.closed_at = deps.now()
        _close_deliveries(session, webhook.id)
        audit.record(session, deps.now(), audit.SYSTEM, "webhook_closed", ("webhook", webhook.id))
    return None


def end_of_client(session: Session, client_id: str) -> None:
    """Close every delivery of a client that is being closed, in an open transaction."""
    owned = select(Webhook.id).where(Webhook.client_id == client_id).with_for_update()
    for webhook_id in session.scalars(owned.order_by(Webhook.id)).all():
        _close_deliveries(session, webhook_id)


def prepare(deps: Deps) -> int:
    """Put new events on their way to every open address; returns how many deliveries are new."""
    with deps.read() as session:
        ids = session.scalars(OPEN_WEBHOOKS).all()
    return sum(_prepare(deps, webhook_id) for webhook_id in ids)


def claim_due(deps: Deps, limit: int, lease: timedelta) -> list[Parcel]:
    """Claim deliveries that are due, at most one of each address: what comes first is tried first."""
    now = deps.now()
    waiting = select(WebhookDelivery.id).where(WebhookDelivery.state == "pending")
    first = (
        select(WebhookDelivery.webhook_id, func.min(WebhookDelivery.event_seq).label("seq"))
        .where(WebhookDelivery.state == "pending")
        .group_by(WebhookDelivery.webhook_id)
        .subquery()
    )
    due = (
        select(WebhookDelivery, Webhook, LenderEvent)
        .join(first, (first.c.webhook_id == WebhookDelivery.webhook_id) & (first.c.seq == WebhookDelivery.event_seq))
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .join(ApiClient, ApiClient.id == Webhook.client_id)
        .join(LenderEvent, LenderEvent.seq == WebhookDelivery.event_seq)
        .where(
            WebhookDelivery.id.in_(waiting),
            WebhookDelivery.next_attempt_at <= now,
            free(WebhookDelivery.claimed_until, now, now + LONGEST_CLAIM),
            Webhook.closed_at.is_(None),
            ApiClient.closed_at.is_(None),
        )
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id)
        .limit(limit)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    )
    with deps.begin() as session:
        parcels = []
        for delivery, webhook, event in session.execute(due):
            delivery.attempts += 1
            delivery.claimed_until = now + lease
            view = EventView(event.seq, event.kind, event.happened_at, event.detail)
            secret = deps.vault.unseal("webhook_secret", webhook.secret_sealed)
            parcels.append(Parcel(delivery.id, webhook.url, secret, view, delivery.attempts))
        return parcels


def delivered(deps: Deps, parcel: Parcel) -> None:
    """Note that an event was taken."""
    with deps.begin() as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == parcel.delivery_id, WebhookDelivery.state == "pending")
            .values(state="delivered", delivered_at=deps.now(), claimed_until=None, last_error=None)
        )


def failed(deps: Deps, parcel: Parcel, error: str, *, is_final: bool = False) -> bool:
    """Note that an event was not taken; returns False when it is given up by that. ``error`` is a code.

    ``is_final`` says that trying again cannot help.
    """
    is_over = is_final or parcel.attempts >= GIVEN_UP_AFTER
    changes: dict[str, object] = {"claimed_until": None, "last_error": error[:_ERROR_LENGTH]}
    changes |= {"state": "dead"} if is_over else {"next_attempt_at": deps.now() + retry_delay(parcel.attempts)}
    with deps.begin() as session:
        session.execute(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.id == parcel.delivery_id,
                WebhookDelivery.state == "pending",
                WebhookDelivery.attempts == parcel.attempts,
            )
            .values(**changes)
        )
    return not is_over


def listing(deps: Deps) -> tuple[WebhookView, ...]:
    """Return every webhook, the oldest first."""
    with deps.read() as session:
        rows = session.execute(
            select(Webhook, ApiClient.name).join(ApiClient).order_by(Webhook.created_at, Webhook.id)
        ).all()
        counted = {
            (webhook_id, state): count
            for webhook_id, state, count in session.execute(
                select(WebhookDelivery.webhook_id, WebhookDelivery.state, func.count()).group_by(
                    WebhookDelivery.webhook_id, WebhookDelivery.state
                )
            )
        }
    return tuple(
        WebhookView(
            webhook.id,
            name,
            webhook.url,
            webhook.closed_at is None,
            counted.get((webhook.id, "pending"), 0),
            counted.get((webhook.id, "dead"), 0),
        )
        for webhook, name in rows
    )


def dead_letters(deps: Deps, limit: int = 200) -> tuple[DeadLetter, ...]:
    """Return deliveries that were given up, the oldest event first."""
    with deps.read() as session:
        rows = session.execute(
            select(WebhookDelivery, Webhook.url, LenderEvent.kind)
            .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
            .join(LenderEvent, LenderEvent.seq == WebhookDelivery.event_seq)
            .where(WebhookDelivery.state == "dead", WebhookDelivery.webhook_id.in_(OPEN_WEBHOOKS))
            .order_by(WebhookDelivery.event_seq, WebhookDelivery.id)
            .limit(limit)
        ).all()
    return tuple(DeadLetter(one.id, url, one.event_seq, kind, one.attempts, one.last_error) for one, url, kind in rows)


def send_again(deps: Deps, delivery_ids: Sequence[str] | None = None, operator_id: str | None = None) -> int:
    """Put deliveries that were given up on their way again, all or some; returns how many.

    ``operator_id`` is who asked for it at the console; without one it was somebody at the command line.
    """
    is_wanted = WebhookDelivery.state == "dead", WebhookDelivery.webhook_id.in_(OPEN_WEBHOOKS)
    wanted = update(WebhookDelivery).where(*is_wanted)
    if delivery_ids is not None:
        wanted = wanted.where(WebhookDelivery.id.in_(delivery_ids))
    with deps.begin() as session:
        again = wanted.values(state="pending", attempts=0, next_attempt_at=deps.now(), last_error=None)
        count = len(session.execute(again.returning(WebhookDelivery.id)).all())
        actor = audit.Actor("operator", operator_id) if operator_id is not None else audit.SYSTEM
        audit.record(session, deps.now(), actor, "webhooks_sent_again", ("desk", "webhooks"), count=count)
    return count


def _close_deliveries(session: Session, webhook_id: str) -> None:
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.state.in_(("pending", "dead")))
        .values(state="closed", claimed_until=None)
        .execution_options(synchronize_session=False)
    )


def _prepare(deps: Deps, webhook_id: str) -> int:
    with deps.begin() as session:
        # Locked as whoever closes it locks it, so that nothing is put on its way after that.
        webhook = session.get(Webhook, webhook_id, with_for_update=True)
        if webhook is None or session.scalar(OPEN_WEBHOOKS.where(Webhook.id == webhook_id)) is None:
            return 0
        new = _numbers_after(session, webhook.after_seq)
        for seq in new:
            session.add(WebhookDelivery(webhook_id=webhook_id, event_seq=seq, next_attempt_at=deps.now()))
        if new:
            webhook.after_seq = new[-1]
        return len(new)


def _numbers_after(session: Session, seq: int) -> Sequence[int]:
    return session.scalars(
        select(LenderEvent.seq).where(LenderEvent.seq > seq).order_by(LenderEvent.seq).limit(MOST_PREPARED)
    ).all()


def _may_call(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not parts.hostname or parts.username or parts.password or len(url) > _LONGEST_URL or not port_is_fine:
        return False
    return is_secure(url)
