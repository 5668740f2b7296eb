"""``GET /metrics``: who may read it, what it says of a desk, that it names nobody. Against both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import event, text

from actions.server import make_app as make_actions
from bot.channels import metrics_api
from bot.channels.rasa_client import RasaClient
from bot.desk.ownership import Owner, QueueReason
from bot.gateway import make_app
from bot.metrics import ALARMS, CHANNELS, UPLOAD_REFUSALS, DeliveryOutcome, TurnOutcome
from bot.services import desk_gauges, heartbeats, job_records
from bot.services.deps import Deps
from bot.services.desk_gauges import KEPT
from bot.services.job_records import Job
from bot.store import migrate
from bot.store.tables import Borrower, CaseFile, Message, Outbox, Reminder
from tests.builders.cases import a_complaint
from tests.builders.desk import Said, SetClock, Talk, a_borrower, a_conversation, a_desk

KEY = "a-metrics-key-for-tests-of-the-desk"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}

Series = dict[tuple[str, str], float]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_ready(_: RasaClient) -> bool:
        return True

    monkeypatch.setattr(RasaClient, "is_ready", is_ready)


@pytest.fixture
def client(deps: Deps) -> TestClient:
    deps.settings.metrics_key = SecretStr(KEY)
    return TestClient(make_app(deps))


def scraped(client: TestClient) -> Series:
    """Return every sample by its name and the values of its labels."""
    answer = client.get("/metrics", headers=AUTHORIZED)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_without_a_key_in_the_settings_there_is_no_such_page(deps: Deps) -> None:
    for app in (make_app(deps), make_actions(deps)):
        assert TestClient(app).get("/metrics", headers=AUTHORIZED).status_code == 404


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": KEY}, {"Authorization": f"Bearer {KEY}x"}, {"Authorization": "Bearer "}]
)
def test_only_the_key_opens_it(deps: Deps, client: TestClient, headers: dict[str, str]) -> None:
    for one in (client, TestClient(make_actions(deps))):
        answer = one.get("/metrics", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})


def test_the_action_server_shows_what_it_has_counted_itself(deps: Deps, client: TestClient) -> None:
    page = TestClient(make_actions(deps)).get("/metrics", headers=AUTHORIZED).text
    assert 'desk_alarm_events_total{event="action_failed"}' in page
    assert "desk_database_up" not in page


def test_an_empty_desk_shows_every_series_at_nothing(client: TestClient) -> None:
    series = scraped(client)
    assert series["desk_database_up", ""] == series["desk_engine_up", ""] == 1
    assert series["desk_schema_info", migrate.head() or ""] == 1
    assert series["desk_scheduler_silence_seconds", ""] == math.inf
    assert series["desk_scheduler_late", ""] == 1
    for job in Job:
        assert (series["desk_job_silence_seconds", job], series["desk_job_late", job]) == (math.inf, 1)
    for reason in QueueReason:
        assert series["desk_conversations_waiting", reason] == 0
        assert series["desk_conversations_waiting_oldest_seconds", reason] == 0
    for alarm in ("none", "soon", "last_day", "overdue"):
        assert series["desk_cases_open", alarm] == 0
    for name in ("messages_unanswered", "notices_undecided", "borrowers_unplanned"):
        assert series[f"desk_{name}", ""] == series[f"desk_{name}_oldest_seconds", ""] == 0


def test_who_waits_for_a_person_is_counted_by_reason_with_the_longest_wait(deps: Deps, client: TestClient) -> None:
    for minutes in (5, 20):
        a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.DISTRESS, waited_minutes=minutes))
    a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED, waited_minutes=1))
    a_conversation(deps, Talk(owner=Owner.HUMAN, reason=QueueReason.DISTRESS, waited_minutes=60))
    series = scraped(client)
    assert series["desk_conversations_waiting", "distress"] == 2
    assert series["desk_conversations_waiting_oldest_seconds", "distress"] == 20 * 60
    assert series["desk_conversations_waiting", "asked"] == 1
    assert series["desk_conversations_waiting", "complaint"] == 0


def test_a_reason_of_a_later_release_is_counted_as_other(deps: Deps, client: TestClient) -> None:
    a_conversation(deps, Talk(owner=Owner.QUEUED, reason=QueueReason.ASKED))
    with deps.begin() as session:
        session.execute(text("UPDATE conversation SET queue_reason = 'of_tomorrow'"))
    series = scraped(client)
    assert series["desk_conversations_waiting", "other"] == 1
    assert not [key for key in series if "of_tomorrow" in key[1]]


def test_messages_and_deliveries_that_wait_are_counted_from_when_they_were_written(
    deps: Deps, client: TestClient
) -> None:
    said = (Said("在吗", handling="pending", minutes_ago=9), Said("你好", handling="pending", minutes_ago=2))
    a_conversation(deps, Talk(said=(*said, Said("人呢", handling="held", minutes_ago=1))))
    chat = a_conversation(deps, Talk(said=(Said("提醒", minutes_ago=30),), channel="telegram"))
    with deps.begin() as session:
        message = session.query(Message).where(Message.conversation_id == chat).one()
        for number, state in enumerate(("pending", "sent", "dead")):
            values: dict[str, Any] = {"key": f"k{number}", "state": state, "next_attempt_at": deps.now()}
            session.add(Outbox(message_id=message.id, channel="telegram", **values))
    series = scraped(client)
    assert series["desk_messages_unanswered", ""] == 2
    assert series["desk_messages_unanswered_oldest_seconds", ""] == 9 * 60
    assert series["desk_outbox_waiting", "telegram"] == 1
    assert series["desk_outbox_waiting_oldest_seconds", "telegram"] == 30 * 60
    assert series["desk_outbox_waiting", "email"] == 0


def test_notices_count_from_the_moment_they_fall_due(deps: Deps, client: TestClient) -> None:
    borrower, now = a_borrower(deps), deps.now()
    with deps.begin() as session:
        for state, minutes in (("planned", 45), ("planned", 10), ("planned", -10), ("sent", 90)):
            session.add(
                Reminder(
                    key=f"{state} {minutes}",
                    borrower_id=borrower,
                    purpose="plan_notice",
                    state=state,
                    send_at=now - timedelta(minutes=minutes),
                    created_at=now,
                )
            )
        session.get_one(Borrower, borrower).notices_due_at = now - timedelta(minutes=3)
    series = scraped(client)
    assert series["desk_notices_undecided", ""] == 2
    assert series["desk_notices_undecided_oldest_seconds", ""] == 45 * 60
    assert series["desk_borrowers_unplanned", ""] == 1
    assert series["desk_borrowers_unplanned_oldest_seconds", ""] == 3 * 60


@pytest.mark.parametrize(("days_left", "alarm"), [(14, "none"), (0, "last_day"), (-1, "overdue")])
def test_open_cases_are_counted_by_how_near_the_answer_is(
    deps: Deps, client: TestClient, days_left: int, alarm: str
) -> None:
    case = a_complaint(deps, a_conversation(deps))
    with deps.begin() as session:
        found = session.get_one(CaseFile, case)
        found.due_on = deps.now().date() + timedelta(days=days_left)
    series = scraped(client)
    assert {key[1]: value for key, value in series.items() if key[0] == "desk_cases_open" and value} == {alarm: 1}


def test_each_job_of_the_scheduler_shows_for_how_long_it_has_not_been_done(
    deps: Deps, clock: SetClock, client: TestClient
) -> None:
    heartbeats.beat(deps, *job_records.names(Job))
    clock.move(timedelta(hours=1))
    heartbeats.beat(deps, *job_records.names([Job.CASE_SWEEP]))
    series = scraped(client)
    assert (series["desk_job_silence_seconds", Job.CASE_SWEEP], series["desk_job_late", Job.CASE_SWEEP]) == (0, 0)
    assert (series["desk_job_silence_seconds", Job.PLAN_SWEEP], series["desk_job_late", Job.PLAN_SWEEP]) == (3600, 1)
    assert (series["desk_job_silence_seconds", Job.RETENTION], series["desk_job_late", Job.RETENTION]) == (3600, 0)


def test_the_silence_of_the_scheduler_grows_until_it_is_too_long(
    deps: Deps, clock: SetClock, client: TestClient
) -> None:
    heartbeats.beat(deps, heartbeats.SCHEDULER)
    clock.move(timedelta(seconds=20))
    series = scraped(client)
    assert (series["desk_scheduler_silence_seconds", ""], series["desk_scheduler_late", ""]) == (20, 0)
    clock.move(timedelta(minutes=2))
    series = scraped(client)
    assert (series["desk_scheduler_silence_seconds", ""], series["desk_scheduler_late", ""]) == (140, 1)


def test_asking_again_at_once_asks_the_database_nothing(deps: Deps, clock: SetClock, client: TestClient) -> None:
    asked: list[str] = []

    def note(*call: Any) -> None:
        asked.append(str(call[2]))

    event.listen(deps.database.engine, "before_cursor_execute", note)
    try:
        scraped(client)
        first = len(asked)
        scraped(client)
        assert len(asked) == first > 0
        clock.move(KEPT)
        scraped(client)
        assert len(asked) > first
        clock.move(-timedelta(hours=1))  # a clock that was put back must not freeze the figures
        before = len(asked)
        scraped(client)
        assert len(asked) > before
    finally:
        event.remove(deps.database.engine, "before_cursor_execute", note)


def test_what_is_counted_is_found_along_an_index(tmp_path: Path) -> None:
    """However much is on record, only what is still open is looked at; of addresses to call there are a handful."""
    deps = a_desk(tmp_path)
    asked: list[tuple[str, Any]] = []
    engine = deps.database.engine

    def note(*call: Any) -> None:
        asked.append((call[2], call[3]))

    event.listen(engine, "before_cursor_execute", note)
    desk_gauges.measure(deps)
    event.remove(engine, "before_cursor_execute", note)
    tables = ("conversation", "message", "outbox", "reminder", "borrower", "case_file", "webhook_delivery")
    plans = []
    with engine.connect() as connection:
        for statement, values in asked:
            if any(f"FROM {table}" in statement for table in tables):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append([row[3] for row in rows])
    assert len(plans) == len(tables) + 1  # events that wait, and events that were given up
    assert {step for plan in plans for step in plan if step.startswith("SCAN")} <= {"SCAN webhook"}


def test_a_database_that_is_gone_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    deps = a_desk(tmp_path, database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere?connect_timeout=1")
    deps.settings.metrics_key = SecretStr(KEY)
    series = scraped(TestClient(make_app(deps)))
    assert series["desk_database_up", ""] == 0
    assert not [name for name, _ in series if name.startswith(("desk_cases", "desk_messages_unanswered"))]
    assert series["desk_turn_seconds_count", "answered"] >= 0


def test_no_label_holds_anything_but_what_is_listed(deps: Deps, client: TestClient) -> None:
    a_conversation(deps, Talk(said=(Said("我是王小明 13800000001", handling="pending"),), owner=Owner.QUEUED))
    listed = {
        "outcome": {*TurnOutcome, *DeliveryOutcome},
        "channel": set(CHANNELS),
        "reason": {*metrics_api.REASONS, *UPLOAD_REFUSALS},
        "event": set(ALARMS),
        "alarm": {"none", "soon", "last_day", "overdue"},
        "revision": {migrate.head()},
        "task": set(Job),
    }
    for name, label, value in labels(client):
        if label == "le":
            assert name == "desk_turn_seconds"
        else:
            assert value in listed[label], f"{name}: {label}={value}"


def labels(client: TestClient) -> Iterator[tuple[str, str, str]]:
    page = client.get("/metrics", headers=AUTHORIZED).text
    for family in text_string_to_metric_families(page):
        assert family.name.startswith(("desk_", "process_")), family.name
        for sample in family.samples:
            for label, value in sample.labels.items():
                yield family.name, label, value
