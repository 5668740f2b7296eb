"""What a process counts: by lists that are complete, and nothing that is not on them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs
from bot.desk.uploads import KEEPS, Brought, UploadRefusal
from bot.metrics import (
    ALARMS,
    CHANNELS,
    REGISTRY,
    UPLOAD_REFUSALS,
    DeliveryOutcome,
    TurnOutcome,
    count_delivery,
    count_received,
    count_refused_upload,
    count_turn,
)
from bot.services.mailboxes import ONE_WAY
from tests.builders.counting import value


def series() -> int:
    return sum(len(family.samples) for family in REGISTRY.collect())


def test_every_channel_and_every_refusal_of_a_file_has_a_name_of_its_own() -> None:
    assert set(ONE_WAY) | {"web", "telegram", "other"} == set(CHANNELS)
    refusals = {*UploadRefusal, *Brought} - {*KEEPS}
    assert {one.value for one in refusals} | {"not_fetched", "other"} == set(UPLOAD_REFUSALS)


def test_what_is_on_no_list_makes_no_new_series() -> None:
    before = series()
    other = value("desk_messages_received_total", channel="other")
    count_received("13800000001")
    count_delivery("王小明", DeliveryOutcome.SENT)
    count_refused_upload("web", "身份证.exe")
    assert value("desk_messages_received_total", channel="other") == other + 1
    assert series() == before


def test_a_turn_is_counted_with_its_seconds() -> None:
    before = value("desk_turn_seconds_count", outcome="answered"), value("desk_turn_seconds_sum", outcome="answered")
    count_turn(TurnOutcome.ANSWERED, 1.5)
    after = value("desk_turn_seconds_count", outcome="answered"), value("desk_turn_seconds_sum", outcome="answered")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1.5)


@pytest.fixture
def logging_as_served() -> Iterator[None]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure(as_json=True)
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def test_an_alarm_is_counted_as_it_is_logged_and_anything_else_is_not(logging_as_served: None) -> None:
    before, known = value("desk_alarm_events_total", event="turn_given_up"), series()
    log = structlog.get_logger()
    log.error("turn_given_up", conversation="c1")
    log.bind(channel="telegram").error("turn_given_up", conversation="c2")
    log.error("王小明 13800000001")
    log.info("sms_sent_off")
    assert value("desk_alarm_events_total", event="turn_given_up") == before + 2
    assert series() == known


def test_no_alarm_is_listed_twice() -> None:
    assert len(ALARMS) == len(set(ALARMS))
