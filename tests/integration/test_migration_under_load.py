"""Migrating while the release before goes on serving: nobody who writes or reads waits for an index. On PostgreSQL.

What that release does meanwhile is done with the statements its services make, as often as the server takes them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from bot.store import migrate

SERVED = "0010_cases"
"""The schema of the release that goes on serving."""

BEFORE_AN_INDEX = "0023_hardship_evidence_consent"
"""The next revision only builds an index of messages, and drops one."""

BEFORE_A_COLUMN = "0013_review"
"""The next revision only adds a column to messages."""

BORROWERS, CHATS, MESSAGES = 2_000, 1_000, 20_000

LONGEST_WAIT_SECONDS = 5
"""How long nobody may have to wait: many times what a migration waits for a lock, which others queue behind."""

KEEPS_WRITERS_OUT = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")

HELD = text(
    """
    SELECT relname, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pid = :pid AND granted AND relkind = 'r' AND mode = ANY(:modes)
    """
)
VALID = text(
    "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relname = 'ix_message_heard'"
)
PLAIN = "CREATE INDEX ix_plain ON message (created_at, author)"


@pytest.fixture
def engine(bare_postgresql: str) -> Iterator[Engine]:
    made = create_engine(bare_postgresql, poolclass=NullPool)
    yield made
    made.dispose()


def migrated(engine: Engine, revision: str) -> None:
    with engine.connect() as connection:
        command.upgrade(migrate.configuration(connection), revision)


def filled(engine: Engine) -> None:
    """Fill the tables as a desk that has served for a while."""
    at = "now() - i * interval '1 second'"
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO borrower (id, name_sealed, name_hash, phone_sealed, phone_hash, id_number_sealed,"
                " id_number_hash, id_tail_hash, deceased, created_at)"
                f" SELECT 'b' || i, '-', 'n' || i, '-', 'p' || i, '-', 'i' || i, 't' || i, false, {at}"
                f" FROM generate_series(1, {BORROWERS}) i"
            )
        )
        connection.execute(
            text(
                "INSERT INTO conversation (id, channel, address_hash, address_sealed, borrower_id, owner, script,"
                " last_seq, last_seen_seq, created_at, last_activity_at)"
                f" SELECT 'c' || i, 'telegram', 'a' || i, '-', 'b' || i, 'bot', 'hans', 20, 20, {at}, {at}"
                f" FROM generate_series(1, {CHATS}) i"
            )
        )
        connection.execute(
            text(
                "INSERT INTO message (id, conversation_id, seq, author, text, handling, attempts, purpose, created_at)"
                f" SELECT 'm' || i, 'c' || (i % {CHATS} + 1), i / {CHATS} + 1, 'borrower', '在吗', 'done', 0,"
                f" 'dialogue', {at} FROM generate_series(0, {MESSAGES - 1}) i"
            )
        )
        connection.execute(
            text(
                "INSERT INTO outbox (id, message_id, channel, key, state, attempts, next_attempt_at)"
                f" SELECT 'o' || i, 'm' || i, 'telegram', 'k' || i, 'pending', 0, {at}"
                f" FROM generate_series(1, 5000) i"
            )
        )


class Serving:
    """Writers and readers of the release before, each on a connection of its own, until they are told to stop.

    A statement that waits longer than a migration may make it wait fails, and so does the writer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._numbers = count(1)
        self.failed: list[str] = []
        self.acknowledged: list[str] = []
        """Ids of the messages whose transaction was committed."""
        self.claimed: list[str] = []
        self.read = 0

    @contextmanager
    def at_work(self) -> Iterator[Serving]:
        threads = [
            threading.Thread(target=self._go, args=(what,)) for what in (self.say, self.say, self.claim, self.look)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def until(self, more: int) -> bool:
        """Wait until so many more messages are in; False if nobody can write any more."""
        goal = len(self.acknowledged) + more
        while len(self.acknowledged) < goal and not self.failed:
            self._stop.wait(0.01)
        return not self.failed

    def _go(self, what: Callable[[Connection], None]) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = '{LONGEST_WAIT_SECONDS}s'"))
            # The server looks for deadlocks after a second; however slow this machine, the migration gives way before.
            connection.execute(text(f"SET deadlock_timeout = '{2 * LONGEST_WAIT_SECONDS}s'"))
            connection.commit()
            while not self._stop.is_set() and not self.failed:
                try:
                    what(connection)
                except Exception as error:
                    self.failed.append(str(error))

    def say(self, connection: Connection) -> None:
        """Store what a borrower says, in one transaction with the conversation's next number."""
        number = next(self._numbers)
        chat, message = f"c{number % CHATS + 1}", f"new{number}"
        seq = connection.scalar(
            text(
                "UPDATE conversation SET last_seq = last_seq + 1, last_activity_at = now() WHERE id = :id"
                " RETURNING last_seq"
            ),
            {"id": chat},
        )
        connection.execute(
            text(
                "INSERT INTO message (id, conversation_id, seq, author, text, handling, attempts, purpose, created_at)"
                " VALUES (:id, :chat, :seq, 'borrower', '还在吗', 'pending', 0, 'dialogue', now())"
            ),
            {"id": message, "chat": chat, "seq": seq},
        )
        connection.commit()
        self.acknowledged.append(message)

    def claim(self, connection: Connection) -> None:
        """Claim what is to be delivered, and say that it was."""
        taken = connection.scalars(
            text(
                "UPDATE outbox SET claimed_until = now() + interval '1 minute', attempts = attempts + 1 WHERE id IN"
                " (SELECT id FROM outbox WHERE state = 'pending' ORDER BY next_attempt_at LIMIT 5"
                " FOR UPDATE SKIP LOCKED)"
                " RETURNING id"
            )
        ).all()
        connection.execute(text("UPDATE outbox SET state = 'sent' WHERE id = ANY(:ids)"), {"ids": list(taken)})
        connection.commit()
        self.claimed += taken

    def look(self, connection: Connection) -> None:
        """Read a conversation as an operator does."""
        chat = f"c{self.read % CHATS + 1}"
        connection.execute(
            text("SELECT seq, author, text FROM message WHERE conversation_id = :id ORDER BY seq"), {"id": chat}
        ).all()
        connection.commit()
        self.read += 1


class Watching:
    """Notes, after each statement of a migration, which tables that were there before it still keeps writers out of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.statements: list[str] = []
        self.kept_out: set[tuple[str, str]] = set()
        """Table and kind of lock."""
        self.together: list[frozenset[tuple[str, str]]] = []
        """What was held at one time, a change of a table that nobody may read meanwhile among it."""

    @contextmanager
    def at(self, migrating: Connection) -> Iterator[Watching]:
        pid = migrating.scalar(text("SELECT pg_backend_pid()"))
        known = set(migrating.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
        migrating.commit()
        with self._engine.connect() as looking:

            def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
                self.statements.append(statement)
                found = looking.execute(HELD, {"pid": pid, "modes": list(KEEPS_WRITERS_OUT)}).all()
                looking.commit()
                held = frozenset((table, mode) for table, mode in found if table in known)
                self.kept_out |= held
                if len({table for table, _ in held}) > 1 and "AccessExclusiveLock" in {mode for _, mode in held}:
                    self.together.append(held)

            event.listen(migrating, "after_cursor_execute", look)
            yield self
            event.remove(migrating, "after_cursor_execute", look)


def test_nobody_fails_waits_or_loses_anything_while_the_schema_goes_to_the_latest(engine: Engine) -> None:
    migrated(engine, SERVED)
    filled(engine)
    with Serving(engine).at_work() as serving, engine.connect() as connection:
        assert serving.until(more=20), serving.failed
        before = len(serving.acknowledged)
        with Watching(engine).at(connection) as watching:
            command.upgrade(migrate.configuration(connection), "head")
        meanwhile = len(serving.acknowledged) - before
        assert serving.until(more=20), serving.failed
    assert serving.failed == []
    assert meanwhile > 0
    assert serving.read > 0
    assert not [held for held in watching.kept_out if held[1] == "ShareLock"], "an index was built in a transaction"
    with engine.connect() as connection:
        there = set(connection.scalars(text("SELECT id FROM message WHERE id LIKE 'new%'")))
        sent = set(connection.scalars(text("SELECT id FROM outbox WHERE state = 'sent'")))
        assert set(serving.acknowledged) <= there
        assert set(serving.claimed) <= sent
        assert connection.scalar(text("SELECT count(*) FROM message")) == MESSAGES + len(there)
        gaps = (
            "SELECT 1 FROM conversation c WHERE last_seq <> (SELECT max(seq) FROM message WHERE conversation_id = c.id)"
        )
        assert connection.execute(text(gaps)).all() == []
    assert migrate.current(url_of(engine)) == migrate.head()


def test_an_index_built_in_a_transaction_would_be_noticed(engine: Engine) -> None:
    migrated(engine, SERVED)
    with engine.connect() as connection:
        with Watching(engine).at(connection) as watching:
            connection.execute(text(PLAIN))
            connection.commit()
        assert ("message", "ShareLock") in watching.kept_out
        with Watching(engine).at(connection) as watching:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(PLAIN.replace("ix_plain", "CONCURRENTLY ix_beside")))
        assert watching.kept_out == set()


def test_a_writer_who_is_not_done_keeps_an_index_waiting_and_nobody_else(engine: Engine) -> None:
    migrated(engine, BEFORE_AN_INDEX)
    filled(engine)
    with engine.connect() as slow, Serving(engine).at_work() as serving:
        slow.execute(text("UPDATE message SET attempts = 1 WHERE id = 'm1'"))
        building = threading.Thread(target=migrated, args=(engine, "0024_heard"))
        building.start()
        wait_for(engine, "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")
        assert serving.until(more=20), serving.failed
        slow.commit()
        building.join()
    assert serving.failed == []
    assert migrate.current(url_of(engine)) == "0024_heard"


def test_the_same_index_in_a_transaction_would_have_everybody_wait(engine: Engine) -> None:
    migrated(engine, BEFORE_AN_INDEX)
    filled(engine)
    with engine.connect() as slow, engine.connect() as plain, engine.connect() as writer:
        slow.execute(text("UPDATE message SET attempts = 1 WHERE id = 'm1'"))
        building = threading.Thread(target=lambda: plain.execute(text(PLAIN)))
        building.start()
        wait_for(engine, "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'")
        writer.execute(text("SET lock_timeout = '200ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            Serving(engine).say(writer)
        slow.commit()
        building.join()


def test_without_its_lock_it_gives_up_soon_leaves_all_as_it_was_and_can_be_run_again(engine: Engine) -> None:
    migrated(engine, BEFORE_A_COLUMN)
    with engine.connect() as reading:
        reading.execute(text("SELECT count(*) FROM message"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate.upgrade(url_of(engine))
        reading.commit()
    assert migrate.current(url_of(engine)) == BEFORE_A_COLUMN
    with engine.connect() as connection:
        added = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'message'::regclass AND attname = 'indexed_at'"
        assert connection.scalar(text(added)) == 0
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
    migrate.upgrade(url_of(engine))
    assert not migrate.pending(url_of(engine))


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_run_that_was_cut_off_while_it_built_an_index_is_finished_by_the_next(
    engine: Engine, is_finished: bool
) -> None:
    migrated(engine, BEFORE_AN_INDEX)
    filled(engine)
    build = "CREATE INDEX CONCURRENTLY ix_message_heard ON message (created_at, conversation_id, intent, confidence)"
    with engine.connect() as slow, engine.connect() as killed:
        if not is_finished:
            slow.execute(text("UPDATE message SET attempts = 1 WHERE id = 'm1'"))
            killed.execute(text("SET lock_timeout = '200ms'"))
            killed.commit()
        killed.execution_options(isolation_level="AUTOCOMMIT")
        try:
            killed.execute(text(f"{build} WHERE author = 'borrower'"))
        except OperationalError:
            assert not is_finished
    assert validity(engine) == [("ix_message_heard", is_finished)]
    migrate.upgrade(url_of(engine))
    assert validity(engine) == [("ix_message_heard", True)]


def test_no_revision_has_those_at_work_wait_for_an_index_or_for_two_tables_at_once(engine: Engine) -> None:
    faults: list[object] = []
    steps = [script.revision for script in reversed(list(walk()))]
    later = steps[steps.index(SERVED) + 1 :]
    with engine.connect() as connection:
        for revision in steps:
            with Watching(engine).at(connection) as watching:
                known = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
                connection.commit()
                command.upgrade(migrate.configuration(connection), revision)
            faults += [
                (revision, found) for found in (in_a_transaction(one, known) for one in watching.statements) if found
            ]
            faults += [(revision, held) for held in watching.together if revision in later]
    assert faults == []


@pytest.mark.parametrize(
    ("statement", "is_refused"),
    [
        ("CREATE INDEX ix_a ON message (author)", True),
        ("CREATE UNIQUE INDEX IF NOT EXISTS uq_a ON message (author)", True),
        ("DROP INDEX ix_message_said", True),
        ("ALTER TABLE message ADD CONSTRAINT uq_a UNIQUE (author)", True),
        ("CREATE INDEX ix_a ON made_now (author)", False),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_a ON message (author)", False),
        ("DROP INDEX CONCURRENTLY IF EXISTS ix_message_said", False),
        ("ALTER TABLE message ADD COLUMN a integer", False),
    ],
)
def test_the_plain_form_on_a_table_in_use_is_told_from_others(statement: str, is_refused: bool) -> None:
    assert bool(in_a_transaction(statement, {"message"})) == is_refused


def in_a_transaction(statement: str, known: set[str]) -> str | None:
    """Return a statement that builds or drops an index of a known table while its writers wait, None for others."""
    if re.search(r"\b(CREATE|DROP)\b[\w\s]*\bINDEX\s+CONCURRENTLY\b", statement):
        return None
    built = re.search(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+\"?(\w+)", statement, re.DOTALL)
    added = re.search(r"\bALTER\s+TABLE\s+\"?(\w+)\"?\s+ADD\s+(?:CONSTRAINT\s+\w+\s+)?(?:UNIQUE|PRIMARY)\b", statement)
    is_ours = any(found is not None and found[1] in known for found in (built, added))
    return statement if is_ours or re.search(r"\bDROP\s+INDEX\b", statement) else None


def walk() -> Iterator[Any]:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(migrate.configuration()).walk_revisions()


def validity(engine: Engine) -> list[tuple[str, bool]]:
    with engine.connect() as connection:
        return [(name, is_valid) for name, is_valid in connection.execute(VALID)]


def wait_for(engine: Engine, question: str) -> None:
    """Wait until the server answers a question with a row."""
    with engine.connect() as connection:
        for _ in range(3_000):
            if connection.execute(text(question)).first() is not None:
                return
            connection.commit()
            threading.Event().wait(0.02)
    raise AssertionError(question)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)
