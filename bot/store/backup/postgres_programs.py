"""``pg_dump`` and ``pg_restore``: finding them, giving them a database, and knowing whether they ended well."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, text

from bot.store.backup.container import BLOCK_BYTES, BackupError

_VERSION = re.compile(r"\b(\d+)(?:\.\d+)?")


def find(name: str, folder: Path | None, connection: Connection) -> str:
    """Return where a program is.

    Raises:
        BackupError: it is missing, or older than the server.

    """
    found = shutil.which(name, path=str(folder) if folder else None)
    server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    advice = f"install the package postgresql-client-{server}, or set DESK_POSTGRES_PROGRAMS to its folder"
    if found is None:
        raise BackupError(f"{name} is missing: {advice}")
    version = _VERSION.search(version_line(found))
    if version is None or int(version.group(1)) < server:
        raise BackupError(f"{found} is older than the server (version {server}): {advice}")
    return found


def version_line(program: str) -> str:
    """Return what a program says of its version."""
    ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # found above
    return ran.stdout.strip()


def place(url: URL) -> str:
    """Return a database's place for libpq, without the password: others on the machine can read commands."""
    _, named = url.get_dialect()().create_connect_args(url)
    given = {name: str(value) for name, value in named.items() if name not in ("password", "context")}
    return make_conninfo("", **given)


@dataclass(frozen=True, slots=True)
class Running:
    """A program that was started, with what it complains of kept in a file that has no name."""

    name: str
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]

    def output(self) -> Iterator[bytes]:
        """Yield what the program writes. It is whole only if the iterator ends by itself."""
        if self.process.stdout is not None:
            while piece := self.process.stdout.read(BLOCK_BYTES):
                yield piece
        self._must_end_well()

    def feed(self, content: Iterable[bytes]) -> None:
        """Give the program all of the content. Cut off, it is killed before it takes what it has for the whole."""
        if self.process.stdin is None:
            raise RuntimeError("the program was started without an input")
        try:
            for piece in content:
                self.process.stdin.write(piece)
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it ended early, and says why
        except BaseException:
            self.process.kill()
            raise
        self._must_end_well()

    def _must_end_well(self) -> None:
        if self.process.wait():
            self.complaints.seek(0)
            said = self.complaints.read().decode(errors="replace").splitlines()
            # Only the first line: those that follow may show the row at fault.
            first = next((line for line in said if "error" in line.lower()), "it did not say why")
            raise BackupError(f"{self.name} failed: {first}")


@contextmanager
def running(command: Sequence[str], url: URL, *, is_fed: bool) -> Iterator[Running]:
    """Run a program for the length of a block; it has ended afterwards, whatever happened."""
    environment = {**os.environ, "LC_ALL": "C"}
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603  # a program that was found, without a shell
            command,
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
            stderr=complaints,
            env=environment,
        )
        try:
            yield Running(Path(command[0]).name, process, complaints)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):  # what was not taken is not wanted either
        pipe.close()
