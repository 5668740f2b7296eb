"""Copying a PostgreSQL database with ``pg_dump`` and ``pg_restore``: one snapshot out, one transaction back in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, text

from bot.store.backup.container import BackupError, Manifest
from bot.store.backup.postgres_programs import find, place, running, version_line

VERSION_TABLE = "alembic_version"
ASIDE = "desk_before_restore"
"""The schema that the old tables wait in until the new ones are known to be whole."""

_ALIKE = ("--no-owner", "--no-privileges")
"""Who owns the tables is the matter of the server they come to."""
_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
AND coalesce(backend_type, 'client backend') = 'client backend'"""
"""Of another role's connection an unprivileged role does not learn the type; the server's own workers have no role."""


@contextmanager
def snapshot(url: URL, programs: Path | None) -> Iterator[tuple[Manifest, Iterator[bytes]]]:
    """Yield what is in a copy and its pieces, all as of one instant. Writers are not kept waiting.

    Raises:
        BackupError: ``pg_dump`` is missing, too old for the server, or failed.

    """
    engine = create_engine(url, isolation_level="REPEATABLE READ", hide_parameters=True)
    try:
        with engine.connect() as connection:
            program = find("pg_dump", programs, connection)
            shared = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            manifest = Manifest(rows_by_table(connection), version_line(program))
            what = (f"--snapshot={shared}", f"--schema={_home(connection)}", f"--dbname={place(url)}")
            command = [program, "--format=custom", "--compress=0", *_ALIKE, *what]
            with running(command, url, is_fed=False) as dumping:
                yield manifest, dumping.output()
    finally:
        engine.dispose()


def put_back(
    url: URL,
    programs: Path | None,
    manifest: Manifest,
    content: Iterable[bytes],
    settle: Callable[[Connection], None],
) -> None:
    """Replace all tables by those of a copy. Whatever fails or is killed, either the old or the new ones are there.

    The new ones are changed by ``settle`` before the old ones go.

    Raises:
        BackupError: ``pg_restore`` is missing or failed, or others are connected; the old tables are as before.

    """
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            program = find("pg_restore", programs, connection)
            others = connection.execute(text(_OTHERS)).scalar_one()
            what = (f"--schema={_home(connection)}", f"--dbname={place(url)}")
        if others:
            raise BackupError(f"others are connected to the database ({others}): stop the desk first")
        _set_aside(engine)
        try:
            command = [program, "--single-transaction", "--exit-on-error", *_ALIKE, *what]
            with running(command, url, is_fed=True) as restoring:
                restoring.feed(content)
            with engine.connect() as connection:
                if rows_by_table(connection) != manifest.rows:
                    raise BackupError("what was restored does not hold the rows that it should")
            with engine.begin() as connection:
                settle(connection)
        except BaseException:
            _take_back(engine)
            raise
        _forget(engine)
    finally:
        engine.dispose()


def rows_of(url: URL) -> dict[str, int]:
    """Return the rows of a database by table, after undoing what a killed restore may have begun."""
    engine = create_engine(url, hide_parameters=True)
    try:
        _mend(engine)
        with engine.connect() as connection:
            return rows_by_table(connection)
    finally:
        engine.dispose()


def rows_by_table(connection: Connection) -> dict[str, int]:
    """Count the rows of every table but the one that holds the schema's version."""
    tables = sorted(name for name in inspect(connection).get_table_names() if name != VERSION_TABLE)
    return {name: _count(connection, name) for name in tables}


def _count(connection: Connection, table: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    return int(connection.execute(text(f"SELECT count(*) FROM {quoted}")).scalar_one())  # noqa: S608  # from the catalogue


def _home(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def _set_aside(engine: Engine) -> None:
    """Move the old tables out of the way, with their indexes and sequences."""
    with engine.begin() as connection:
        tables = inspect(connection).get_table_names()
        if tables:
            connection.execute(text(f"CREATE SCHEMA {ASIDE}"))
            _move(connection, tables, _home(connection), ASIDE)


def _take_back(engine: Engine) -> None:
    """Undo ``_set_aside``: what was restored goes, the old tables return."""
    with engine.begin() as connection:
        looked = inspect(connection)
        _drop(connection, looked.get_table_names())
        if ASIDE in looked.get_schema_names():
            _move(connection, looked.get_table_names(ASIDE), ASIDE, _home(connection))
            connection.execute(text(f"DROP SCHEMA {ASIDE}"))


def _forget(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE"))


def _mend(engine: Engine) -> None:
    """Undo what a killed restore began, as long as nobody has made tables since."""
    with engine.connect() as connection:
        looked = inspect(connection)
        is_left, is_filled = ASIDE in looked.get_schema_names(), bool(looked.get_table_names())
    if is_left and is_filled:
        # Restored at the last moment, or made by a desk that was started on the empty database: a person has to look.
        raise BackupError(
            f"a restore was killed: its old tables are in the schema {ASIDE}, others beside it; drop those not wanted"
        )
    if is_left:
        _take_back(engine)


def _move(connection: Connection, tables: list[str], origin: str, target: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    for name in tables:
        connection.execute(text(f"ALTER TABLE {quote(origin)}.{quote(name)} SET SCHEMA {quote(target)}"))


def _drop(connection: Connection, tables: list[str]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    if tables:
        connection.execute(text(f"DROP TABLE {', '.join(quote(name) for name in tables)} CASCADE"))
