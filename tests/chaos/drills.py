"""Faults that need no running desk: which tests inject each, and what they check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault, what is checked, and the tests that do so."""

    fault: str
    checked: str
    tests: tuple[str, ...]


DRILLS = (
    Drill("a full disk", "told, nothing half written, goes on once there is room", ("tests/chaos/test_full_disk.py",)),
    Drill(
        "a full disk under PostgreSQL, its tables and its journal",
        "told, everything acknowledged is there once",
        ("tests/chaos/test_full_database_disk.py",),
    ),
    Drill(
        "clocks that jump a day ahead and back",
        "no claim keeps anybody waiting, no notice comes twice",
        ("tests/integration/test_clock_jump.py",),
    ),
    Drill(
        "a slow, refusing and silent Telegram",
        "every answer once and in order",
        ("tests/contract/test_telegram_delivery.py",),
    ),
    Drill(
        "webhooks brought twice and late",
        "each acts once",
        ("tests/contract/test_telegram_webhook.py", "tests/integration/test_webhooks.py"),
    ),
    Drill("half-written model files", "never served, the one before is", ("tests/unit/release/test_shelf.py",)),
    Drill(
        "two deployments at once",
        "one migrates, the other waits; sweepers share the work",
        (
            "tests/integration/test_migrations.py::test_starters_that_migrate_at_once_do_not_collide",
            "tests/integration/test_reminders_together.py::test_sweepers_at_once_share_the_notices_and_send_each_once",
        ),
    ),
    Drill(
        "scheduler and gateway killed while notices leave",
        "no notice seen twice, none lost unseen",
        ("tests/integration/test_reminders_killed.py",),
    ),
    Drill(
        "a gateway that has lost its engine",
        "another one answers",
        ("tests/integration/test_engine_of_another.py",),
    ),
)
