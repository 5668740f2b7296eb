"""Whatever is done to the audit log behind the desk's back shows, on both databases; writers wait for nobody."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from typer.testing import CliRunner

from bot import cli_data
from bot.cli import app
from bot.services import audit, audit_chain, retention
from bot.services.audit_chain import Anchor, Fault
from bot.services.deps import Deps
from bot.store.tables import AuditCheckpoint, AuditEntry, AuditLink
from tests.builders.desk import NOON, SetClock, a_desk

DAY = timedelta(days=1)


def note(deps: Deps, event: str = "read", **detail: int | str) -> None:
    with deps.begin() as session:
        audit.record(session, deps.now(), audit.Actor("operator", "0" * 32), event, ("conversation", "c1"), **detail)


def notes(deps: Deps, count: int) -> None:
    for number in range(count):
        note(deps, number=number)


def faults(deps: Deps, anchor: Anchor | None = None) -> set[Fault]:
    return {finding.fault for finding in audit_chain.verify(deps, anchor).findings}


def ids(deps: Deps) -> list[int]:
    with deps.read() as session:
        return list(session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)))


def test_an_untouched_log_is_whole(deps: Deps) -> None:
    notes(deps, 5)
    assert audit_chain.seal(deps) == 5
    note(deps)
    found = audit_chain.verify(deps)
    assert (found.linked, found.waiting, found.findings) == (5, 1, ())
    assert audit_chain.seal(deps) == 1
    assert audit_chain.verify(deps, found.end).findings == ()
    assert audit_chain.seal(deps) == 0


def test_an_empty_log_is_whole(deps: Deps) -> None:
    assert audit_chain.seal(deps) == 0
    assert audit_chain.verify(deps) == audit_chain.Verified(0, 0, Anchor(0, "0" * 64), ())


@pytest.mark.parametrize(
    "changed",
    [
        {"at": NOON + timedelta(seconds=1)},
        {"actor_kind": "bot"},
        {"actor_id": "1" * 32},
        {"actor_id": None},
        {"event": "written"},
        {"subject_kind": "debt"},
        {"subject_id": "c2"},
        {"detail": {"number": 2, "more": 1}},
        {"detail": {}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_any_changed_column_shows_and_only_there(deps: Deps, changed: dict[str, object]) -> None:
    notes(deps, 5)
    audit_chain.seal(deps)
    third = ids(deps)[2]
    with deps.begin() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == third).values(changed))
    assert audit_chain.verify(deps).findings == (audit_chain.Finding(Fault.CHANGED, 3, third),)


def test_a_removed_entry_shows(deps: Deps) -> None:
    notes(deps, 5)
    audit_chain.seal(deps)
    third = ids(deps)[2]
    with deps.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == third))
    assert audit_chain.verify(deps).findings == (audit_chain.Finding(Fault.REMOVED, 3, third),)
    with deps.begin() as session:
        session.execute(delete(AuditLink).where(AuditLink.entry_id == third))
    assert faults(deps) == {Fault.MISSING_LINK}


def test_a_cut_off_end_shows_by_the_anchor_only(deps: Deps) -> None:
    notes(deps, 5)
    audit_chain.seal(deps)
    anchor = audit_chain.verify(deps).end
    last = ids(deps)[-2:]
    with deps.begin() as session:
        session.execute(delete(AuditLink).where(AuditLink.entry_id.in_(last)))
        session.execute(delete(AuditEntry).where(AuditEntry.id.in_(last)))
    assert faults(deps) == set()
    assert faults(deps, anchor) == {Fault.CUT_OFF}
    notes(deps, 3)
    audit_chain.seal(deps)
    assert faults(deps, anchor) == {Fault.CUT_OFF}


def test_an_entry_slipped_in_with_an_old_date_shows(deps: Deps, clock: SetClock) -> None:
    notes(deps, 2)
    clock.move(DAY)
    notes(deps, 2)
    audit_chain.seal(deps)
    with deps.begin() as session:
        audit.record(session, NOON, audit.SYSTEM, "forged", ("conversation", "c1"))
    assert faults(deps) == {Fault.UNSEALED}
    audit_chain.seal(deps)
    assert faults(deps) == {Fault.BACKDATED}


def test_whoever_has_the_database_but_not_the_key_cannot_make_a_chain_that_fits(deps: Deps, tmp_path: Path) -> None:
    notes(deps, 3)
    forger = a_desk(tmp_path, database_url=deps.settings.sqlalchemy_url)
    object.__setattr__(forger, "vault", type(deps.vault)(*["MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="] * 2))
    audit_chain.seal(forger)
    forger.database.engine.dispose()
    assert faults(deps) == {Fault.CHANGED}


def test_writers_do_not_wait_for_each_other_or_the_sealer(deps: Deps) -> None:
    """An entry that is committed after later ones were sealed is linked where it is found, and nothing is wrong."""
    if deps.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with deps.begin() as slow:
        audit.record(slow, deps.now(), audit.SYSTEM, "slow", ("conversation", "c1"))
        slow.flush()
        notes(deps, 3)
        assert audit_chain.seal(deps) == 3
    assert audit_chain.seal(deps) == 1
    assert audit_chain.verify(deps).findings == ()
    with deps.read() as session:
        linked = session.scalars(
            select(AuditEntry.event).join(AuditLink, AuditLink.entry_id == AuditEntry.id).order_by(AuditLink.position)
        ).all()
    assert linked == ["read", "read", "read", "slow"]


def test_many_writers_and_several_sealers_make_one_chain(deps: Deps) -> None:
    done = threading.Event()
    writers = [threading.Thread(target=notes, args=(deps, 25)) for _ in range(4)]

    def keep_sealing() -> None:
        while not done.is_set():
            audit_chain.seal(deps)

    sealers = [threading.Thread(target=keep_sealing) for _ in range(2)]
    for thread in writers + sealers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    audit_chain.seal(deps)
    found = audit_chain.verify(deps)
    assert (found.linked, found.waiting, found.findings) == (100, 0, ())


def test_what_was_committed_very_late_is_linked_at_night(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "LOOK_BACK", 2)
    row = audit.entry_row(deps.now(), audit.BOT, "tried", ("conversation", "c1"))
    with deps.begin() as session:
        session.execute(insert(AuditEntry).values(row | {"id": 10}))
    assert audit_chain.seal(deps) == 1
    with deps.begin() as session:
        session.execute(insert(AuditEntry).values(row | {"id": 8}))
        session.execute(insert(AuditEntry).values(row | {"id": 9}))
    assert audit_chain.seal(deps) == 1
    assert audit_chain.seal(deps, everywhere=True) == 1
    assert audit_chain.verify(deps).findings == ()


def test_retention_removes_old_entries_at_a_checkpoint(deps: Deps, clock: SetClock) -> None:
    notes(deps, 4)
    audit_chain.seal(deps)
    clock.move(11 * 366 * DAY)
    notes(deps, 3)
    audit_chain.seal(deps)
    before = audit_chain.verify(deps)
    assert retention.run(deps).audit_entries == 4
    audit_chain.seal(deps)
    after = audit_chain.verify(deps, before.end)
    assert after.findings == ()
    assert after.linked == before.linked - 4 + 2  # what retention did is on record
    assert retention.run(deps).audit_entries == 0


def test_a_chain_that_is_wholly_old_keeps_its_last_link(deps: Deps, clock: SetClock) -> None:
    notes(deps, 4)
    audit_chain.seal(deps)
    clock.move(6 * 366 * DAY)
    assert audit_chain.remove_before(deps, clock.now() - DAY) == 3
    audit_chain.seal(deps)
    assert faults(deps) == set()
    assert audit_chain.remove_before(deps, clock.now() - DAY) == 1


def test_entries_that_are_not_sealed_are_not_removed(deps: Deps, clock: SetClock) -> None:
    notes(deps, 4)
    clock.move(11 * 366 * DAY)
    assert retention.run(deps).audit_entries == 0
    assert len(ids(deps)) == 4


def test_a_removal_that_the_desk_did_not_make_shows(deps: Deps, clock: SetClock) -> None:
    notes(deps, 5)
    audit_chain.seal(deps)
    with deps.begin() as session:
        second = session.get_one(AuditLink, 2)
        session.add(AuditCheckpoint(position=2, link=second.link, made_at=NOON, mac="0" * 64))
        session.execute(delete(AuditEntry).where(AuditEntry.id.in_(ids(deps)[:2])))
        session.execute(delete(AuditLink).where(AuditLink.position <= 2))
    assert faults(deps) == {Fault.CHECKPOINT}
    with deps.begin() as session:
        session.execute(delete(AuditCheckpoint))
    assert faults(deps) == {Fault.MISSING_LINK}


@contextmanager
def a_sealed_log(template: Path) -> Iterator[Deps]:
    with TemporaryDirectory() as folder:
        deps = a_desk(Path(folder), database_url=f"sqlite:///{shutil.copy(template, Path(folder) / 'desk.sqlite3')}")
        yield deps
        deps.database.engine.dispose()


@pytest.fixture(scope="module")
def sealed_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with eight sealed entries, no two alike."""
    path = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("audit") / "sealed.sqlite3"))
    deps = a_desk(path.parent, database_url=f"sqlite:///{path}")
    notes(deps, 8)
    audit_chain.seal(deps)
    with deps.database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    deps.database.engine.dispose()
    return path


def swap_entries(one: int, other: int) -> str:
    return f"UPDATE audit_link SET entry_id = -entry_id WHERE position IN ({one}, {other}); " + "; ".join(
        f"UPDATE audit_link SET entry_id = {entry} WHERE position = {place}"
        for place, entry in ((one, other), (other, one))
    )


def swap_links(one: int, other: int) -> str:
    return f"""UPDATE audit_link SET position = -{one} WHERE position = {one};
        UPDATE audit_link SET position = {one} WHERE position = {other};
        UPDATE audit_link SET position = {other} WHERE position = -{one}"""


def swap_contents(one: int, other: int) -> str:
    return f"""UPDATE audit_entry SET id = -{one} WHERE id = {one};
        UPDATE audit_entry SET id = {one} WHERE id = {other};
        UPDATE audit_entry SET id = {other} WHERE id = -{one}"""


TAMPERING: list[Callable[[int, int], str]] = [
    swap_entries,
    swap_links,
    swap_contents,
    lambda one, _: f"DELETE FROM audit_entry WHERE id = {one}",
    lambda one, other: f"DELETE FROM audit_entry WHERE id IN ({one}, {other})",
    lambda one, _: f"DELETE FROM audit_link WHERE position = {one}",
    lambda one, other: f"UPDATE audit_entry SET event = 'e{other}' WHERE id = {one}",
    lambda one, other: f"UPDATE audit_entry SET detail = '{{\"number\": {other + 50}}}' WHERE id = {one}",
    lambda one, other: f"UPDATE audit_link SET link = '{other:064d}' WHERE position = {one}",
    lambda one, other: f"UPDATE audit_link SET sealed_at = '2026-01-0{other} 00:00:00' WHERE position = {one}",
]


@examples(max_examples=60)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=2, unique=True), st.sampled_from(TAMPERING))
def test_changing_removing_and_reordering_always_show(
    sealed_file: Path, places: list[int], tamper: Callable[[int, int], str]
) -> None:
    with a_sealed_log(sealed_file) as deps:
        anchor = audit_chain.verify(deps).end
        with deps.begin() as session:
            for statement in tamper(*places).split(";"):
                session.execute(text(statement.replace(":", "\\:")))
        assert faults(deps, anchor)


def test_the_commands_say_what_was_found(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: deps.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: deps)
    notes(deps, 3)
    assert "3 entries sealed" in CliRunner().invoke(app, ["audit", "seal"]).output
    said = CliRunner().invoke(app, ["audit", "verify"])
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "whole and unchanged")
    anchor = next(line.split()[1] for line in said.output.splitlines() if line.startswith("anchor"))
    with deps.begin() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == ids(deps)[1]).values(event="other"))
    said = CliRunner().invoke(app, ["audit", "verify", "--anchor", anchor])
    assert said.exit_code == 1
    assert f"changed: position 2, entry {ids(deps)[1]}" in said.output
    assert CliRunner().invoke(app, ["audit", "verify", "--anchor", "2"]).exit_code == 2
