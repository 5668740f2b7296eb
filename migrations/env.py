"""Runs the revisions on the connection that ``bot.store.migrate`` hands over. There is no offline mode.

SQLite runs all of them in one transaction. PostgreSQL gives each its own, so that no lock outlives its revision, and
builds indexes of tables in use outside of any, so that nobody who writes waits for them; a run that was cut off goes on
where it ended.

Neither this file nor any revision imports the application: a revision must mean the same years from now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as WaitedTooLong

ONE_STARTER = 4_276_115_020
"""Number of the advisory lock: any constant that nothing else in the database uses."""

LONGEST_TURN_SECONDS = 300
LOOKED_EVERY_SECONDS = 0.2

WITH_LOCKS = {"lock_timeout": "400ms", "statement_timeout": "10min"}
"""Limits in a transaction: every borrower queues behind a lock that is waited for.

Less than the second after which PostgreSQL looks for a deadlock: where a revision and a writer wait for each other, it
is the revision that gives way.
"""

TRIED_FOR_SECONDS = 10
THE_LAST_TIME = {"lock_timeout": "2s"}
"""More than that second: PostgreSQL then ends an autovacuum of its own that is at the table. Once only."""

GAVE_WAY = ("55P03", "40P01")
"""What the server calls a lock that was not to be had in time, and a deadlock."""

BESIDE_WRITERS = {"lock_timeout": "1h", "statement_timeout": "0"}
"""Limits of what is built beside writers: it waits for their transactions to end, and nobody waits for it."""

UNFINISHED = text(
    """
    SELECT format('%I', relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relname LIKE 'ix!_%' ESCAPE '!' AND relnamespace = current_schema()::regnamespace
      AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index WHERE index_relid IS NOT NULL)
    """
)
"""Indexes that a run began and did not end: they serve no query, but every writer has to keep them."""


def run(connection: Connection) -> None:
    """Run what is missing, one process at a time."""
    if connection.dialect.name == "sqlite":
        run_in_one_transaction(connection)
        return
    take_turn(connection)
    try:
        limit(connection, WITH_LOCKS)
        connection.commit()
        run_with_patience(connection)
    finally:
        end_turn(connection)


def run_with_patience(connection: Connection) -> None:
    """Run each revision in a transaction of its own; one that gives way lets those behind it pass and tries again.

    Raises:
        sqlalchemy.exc.OperationalError: a lock was not to be had for so long; what is done up to then stays.

    """
    until = time.monotonic() + TRIED_FOR_SECONDS
    while time.monotonic() < until:
        try:
            run_each(connection)
            return
        except OperationalError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) not in GAVE_WAY:
                raise
        time.sleep(LOOKED_EVERY_SECONDS)
    limit(connection, THE_LAST_TIME)
    connection.commit()
    run_each(connection)


def run_each(connection: Connection) -> None:
    """Run what is missing, beginning with what a run that was cut off has left."""
    configured(connection, transaction_per_migration=True)
    migration = context.get_context()
    is_behind = migration.get_current_revision() != context.get_head_revision()
    connection.rollback()
    build_beside_writers(migration, connection)
    if is_behind:
        drop_unfinished(migration, connection)
    with context.begin_transaction():
        context.run_migrations()


def run_in_one_transaction(connection: Connection) -> None:
    """Run what is missing on SQLite, all of it or nothing: it has one writer at a time, and no build beside it."""
    # Batch mode rebuilds tables. The switch only works outside a transaction, so it goes to the driver itself.
    connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        configured(connection, render_as_batch=True)
        context.get_context().autocommit_block = nullcontext
        context.run_migrations()
        if broken := connection.execute(text("PRAGMA foreign_key_check")).fetchall():
            raise RuntimeError(f"the migration would break {len(broken)} references, nothing was changed")


def configured(
    connection: Connection, *, transaction_per_migration: bool = False, render_as_batch: bool = False
) -> None:
    """Tell Alembic what to run on."""
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata"),
        transaction_per_migration=transaction_per_migration,
        render_as_batch=render_as_batch,
        compare_type=True,
    )


def take_turn(connection: Connection) -> None:
    """Wait for another starter to finish.

    It is asked again and again, not waited for in the database: a statement that waits there has a snapshot, and a
    concurrent build waits for every snapshot to end.

    Raises:
        sqlalchemy.exc.TimeoutError: the other has not finished in time.

    """
    until = time.monotonic() + LONGEST_TURN_SECONDS
    while True:
        is_mine = connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": ONE_STARTER})
        connection.commit()
        if is_mine:
            return
        if time.monotonic() > until:
            raise WaitedTooLong(f"another process has been migrating for more than {LONGEST_TURN_SECONDS} seconds")
        time.sleep(LOOKED_EVERY_SECONDS)


def end_turn(connection: Connection) -> None:
    """Let the next starter in, and leave the connection as it was. A connection that broke has let go by itself."""
    if connection.invalidated:
        return
    connection.rollback()
    for name in WITH_LOCKS:
        connection.execute(text(f"RESET {name}"))
    connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": ONE_STARTER})
    connection.commit()


def limit(connection: Connection, limits: dict[str, str]) -> None:
    """Set how long a statement of this connection waits for a lock, and how long it may take, until it is set anew."""
    for name, value in limits.items():
        connection.execute(text(f"SET {name} = '{value}'"))


def build_beside_writers(migration: MigrationContext, connection: Connection) -> None:
    """Give Alembic's block outside of a transaction the limits of what nobody waits for."""
    outside = migration.autocommit_block

    @contextmanager
    def block() -> Iterator[None]:
        with outside():
            before = {name: connection.scalar(text(f"SHOW {name}")) for name in BESIDE_WRITERS}
            limit(connection, BESIDE_WRITERS)
            try:
                yield
            finally:
                limit(connection, before)

    migration.autocommit_block = block


def drop_unfinished(migration: MigrationContext, connection: Connection) -> None:
    """Drop indexes that a run which was cut off has left behind; their revision builds them anew."""
    with migration.autocommit_block():
        for name in connection.scalars(UNFINISHED).all():
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))


given = context.config.attributes.get("connection")
if given is None:
    raise RuntimeError("migrations run through bot.store.migrate, which opens the connection")
run(given)
