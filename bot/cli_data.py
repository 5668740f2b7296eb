"""Commands about data at rest: backups, keys, the audit log, health."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli_base import deps_or_stop, settings_or_stop, stop
from bot.store.vault import VaultKeyError


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    keys = typer.Typer(no_args_is_help=True, help="The keys that personal data are sealed with.")
    keys.command("status")(keys_status)
    keys.command("rotate")(keys_rotate)
    app.add_typer(keys, name="keys")
    audit = typer.Typer(no_args_is_help=True, help="The record of who did or saw what.")
    audit.command("verify")(audit_verify)
    audit.command("seal")(audit_seal)
    app.add_typer(audit, name="audit")
    health = typer.Typer(no_args_is_help=True, help="Whether the desk does its work.")
    health.callback()(_alone)
    health.command("scheduler")(health_scheduler)
    app.add_typer(health, name="health")


def _alone() -> None:
    """Keep a command a command of its group although it is alone there."""


def backup(
    file: Annotated[Path, typer.Argument(help="a new file, or a folder for one that is named by the instant")],
    check: Annotated[bool, typer.Option("--check", help="only read an existing backup and say what is in it")] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="delete all but so many of those that were named by the instant")
    ] = None,
) -> None:
    """Write a whole copy of the database to a file while the desk serves."""
    from bot.services import backups  # noqa: PLC0415  # so that --help is quick

    settings = settings_or_stop()
    try:
        if check:
            header, manifest = backups.check(settings, file)
        else:
            deps, folder = deps_or_stop(settings), file if file.is_dir() else None
            if keep is not None and folder is None:
                stop("--keep: name a folder")
            file = file if folder is None else backups.named_in(folder, deps.now())
            taken = backups.take(deps, file)
            header, manifest = taken.header, taken.manifest
            if folder is not None and keep is not None:
                backups.forget_older(folder, keep)
    except (backups.BackupError, VaultKeyError) as error:
        stop(str(error))
    typer.echo(f"{file}: {header.engine} at {header.revision}, made {header.made_at}, {_rows(manifest.rows)}")
    if header.key_id is None:
        typer.echo("not encrypted: keep it where the database may lie, or set DESK_BACKUP_KEY", err=True)
    else:
        typer.echo(f"encrypted with the key {header.key_id}")


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="what `bot backup` wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="delete the rows that are in the database now")] = False,
) -> None:
    """Put a backup back, all of it or nothing. Stop the desk first."""
    from bot.services import backups  # noqa: PLC0415  # so that --help is quick

    deps = deps_or_stop(settings_or_stop())
    try:
        done = backups.restore(deps, file, may_replace=replace)
    except (backups.BackupError, VaultKeyError) as error:
        stop(str(error))
    header, held = done.restored.header, done.held
    typer.echo(f"restored what was backed up {header.made_at}: {_rows(done.restored.manifest.rows)}")
    typer.echo(f"held back, never sent by itself: {held.messages} messages that waited, {held.notices} notices due")
    typer.echo("no borrower is written to first for the next seven days")
    if held.next_seq is not None:
        typer.echo(f"the lender's systems were told as event {held.next_seq - 1}")
    if done.restored.needs_migration:
        typer.echo(f"the database is at {header.revision}: run `bot db migrate` before starting the desk")


def keys_status() -> None:
    """Count sealed values by column and key. Exit code 1 if there are some that no key opens."""
    from bot.services import key_rotation  # noqa: PLC0415  # so that --help is quick

    deps = deps_or_stop(settings_or_stop())
    newest, *others = deps.vault.key_numbers
    typer.echo(f"seals and opens: {newest}" + "".join(f"\nopens only: {number}" for number in others))
    found = key_rotation.status(deps)
    for name, counted in found.items():
        typer.echo(f"{name} " + (" ".join(f"{key}={count}" for key, count in counted.items()) or "empty"))
    left = sum(counted.total() - counted[newest] for counted in found.values())
    typer.echo("all are sealed with the newest key" if not left else f"{left} are not sealed with the newest key")
    if any(key_rotation.UNKNOWN in counted for counted in found.values()):
        raise typer.Exit(1)


def keys_rotate() -> None:
    """Seal everything with DESK_DATA_KEY while the desk serves; can be stopped and run again.

    Exit code 1 if some values could not be sealed anew.
    """
    from bot.services import key_rotation  # noqa: PLC0415  # so that --help is quick

    deps = deps_or_stop(settings_or_stop())
    done = key_rotation.rotate(deps, lambda name, count: typer.echo(f"{name} {count}", err=True))
    for name, count in done.sealed_anew.items():
        typer.echo(f"{name} {count}")
    typer.echo(f"{done.sealed_anew.total()} values sealed anew with the key {deps.vault.key_number}")
    if done.busy.total():
        typer.echo(f"{done.busy.total()} were just being changed: run this again", err=True)
    if done.unreadable.total():
        typer.echo(f"{done.unreadable.total()} are sealed with none of the keys given: see `bot keys status`", err=True)
    if done.busy.total() or done.unreadable.total():
        raise typer.Exit(1)


def audit_verify(
    anchor: Annotated[
        str | None, typer.Option(help="the end of the chain at some time, as printed or logged as audit_anchor")
    ] = None,
) -> None:
    """Check that no entry of the audit log was changed, removed or slipped in. Exit code 1 if one was."""
    from bot.services import audit_chain  # noqa: PLC0415  # so that --help is quick

    known = audit_chain.Anchor.from_text(anchor) if anchor is not None else None
    if anchor is not None and known is None:
        stop(f"--anchor: {anchor!r} is not POSITION:LINK")
    found = audit_chain.verify(deps_or_stop(settings_or_stop()), known)
    for finding in found.findings:
        where = [f"position {finding.position}"] if finding.position is not None else []
        where += [f"entry {finding.entry_id}"] if finding.entry_id is not None else []
        typer.echo(f"{finding.fault.value}: {', '.join(where)}", err=True)
    typer.echo(f"{found.linked} entries in the chain, {found.waiting} not sealed yet")
    typer.echo(f"anchor {found.end.to_text()}")
    if found.findings:
        raise typer.Exit(1)
    typer.echo("whole and unchanged")


def audit_seal() -> None:
    """Seal every entry that is not in the chain yet; the scheduler does the same all the time."""
    from bot.services import audit_chain  # noqa: PLC0415  # so that --help is quick

    typer.echo(f"{audit_chain.seal(deps_or_stop(settings_or_stop()), everywhere=True)} entries sealed")


def health_scheduler() -> None:
    """Say whether the scheduler of this DESK_VAR_DIR has gone on lately; exit code 1 if not. For probes."""
    from bot.services import heartbeats  # noqa: PLC0415  # so that --help is quick

    if not heartbeats.is_beating_here(deps_or_stop(settings_or_stop())):
        typer.echo("the scheduler of this DESK_VAR_DIR has not gone on lately", err=True)
        raise typer.Exit(1)
    typer.echo("alive")


def _rows(rows: dict[str, int]) -> str:
    return f"{sum(rows.values())} rows in {len(rows)} tables"
