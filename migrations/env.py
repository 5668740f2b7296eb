"""Runs the revisions on the connection that ``bot.store.migrate`` hands over. There is no offline mode.

Neither this file nor any revision imports the application: a revision must mean the same years from now.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

ONE_STARTER = 4_276_115_020
"""Number of the advisory lock: any constant that nothing else in the database uses."""


def run(connection: Connection) -> None:
    """Run what is missing, all of it or nothing, one process at a time."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # Batch mode rebuilds tables. The switch only works outside a transaction, so it goes to the driver itself.
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        if connection.dialect.name == "postgresql":
            wait_for_turn(connection)
        context.configure(
            connection=connection,
            target_metadata=context.config.attributes.get("metadata"),
            render_as_batch=is_sqlite,
            compare_type=True,
        )
        context.run_migrations()
        if is_sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).fetchall()):
            raise RuntimeError(f"the migration would break {len(broken)} references, nothing was changed")


def wait_for_turn(connection: Connection) -> None:
    """Wait for another starter to finish; then fail soon rather than queue every borrower behind a lock.

    The lock and the limits end with the transaction.
    """
    connection.execute(text("SET LOCAL lock_timeout = '5min'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ONE_STARTER})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    connection.execute(text("SET LOCAL statement_timeout = '10min'"))


given = context.config.attributes.get("connection")
if given is None:
    raise RuntimeError("migrations run through bot.store.migrate, which opens the connection")
run(given)
