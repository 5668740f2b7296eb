"""Bringing a database to the schema this version needs. Forward only: a backup, not a downgrade, is the way back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.engine import make_url

from bot.store.engine import make_engine

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
"""The folder with Alembic's scripts."""


def upgrade(url: str) -> None:
    """Bring a database to the latest revision. Harmless when it is there already.

    On SQLite all of it or nothing; on PostgreSQL one revision after the other, and a run that ended early goes on where
    it ended. Of several processes that start at once one migrates and the others wait for it.

    Raises:
        sqlalchemy.exc.OperationalError: the database cannot be reached, or a lock or statement took too long.
        sqlalchemy.exc.TimeoutError: another process has been migrating for too long.

    """
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            command.upgrade(configuration(connection), "head")
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """Return a database's revision, None when it has no schema yet. Makes nothing, not even a SQLite file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        return None
    engine = make_engine(url)
    try:
        return revision(engine)
    finally:
        engine.dispose()


def pending(url: str) -> bool:
    """Tell whether a database still has to be upgraded before this version may use it."""
    return current(url) != head()


def is_served(engine: Engine) -> bool:
    """Tell whether this version may serve a database: its schema is the one needed, or that of a later release.

    Migrations never take away what the release before them needs, so an unknown revision is a later one.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.

    """
    found = revision(engine)
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    return found == head() or (found is not None and found not in known)


def head() -> str | None:
    """Return the latest revision there is."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def configuration(connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    """Return Alembic's configuration; ``metadata`` is what a new revision is compared with."""
    config = Config()
    config.set_main_option("script_location", FOLDER.as_posix())
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes.update(connection=connection, metadata=metadata)
    return config


def revision(engine: Engine) -> str | None:
    """Return a database's revision, None when it has no schema yet.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.

    """
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
