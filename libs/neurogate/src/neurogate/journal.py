"""What a batch has done, on disk: after a kill at any moment it says which studies are finished, and which were sent.

SQLite keeps it: each step is there as a whole or not at all, and nothing of the archive is held in memory.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

State = Literal["sent", "retry", "succeeded", "failed"]
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS options (digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS studies (
    study TEXT PRIMARY KEY, stamp TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, analysis_id TEXT,
    row TEXT, place INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places ON studies (place);
"""


class JournalInUse(RuntimeError):
    """Another batch writes into it."""


class OtherOptions(RuntimeError):
    """It was begun with other options."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One study. `stamp` tells whether its files are still the same; `attempt` counts those before this one."""

    stamp: str
    state: State
    attempt: int
    analysis_id: str | None


class Journal:
    """Held by one batch at a time."""

    def __init__(self, path: Path, options_digest: str) -> None:
        """Open or begin it.

        Raises:
            JournalInUse, OtherOptions: see there.
            sqlite3.DatabaseError: the file is no journal.
        """
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(f"BEGIN EXCLUSIVE; {_TABLES} COMMIT;")
            self._check_options(path, options_digest)
            (self._place,) = self._db.execute("SELECT COALESCE(MAX(place), 0) FROM studies").fetchone()
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise JournalInUse(f"{path} is in use by another batch.") from error
            raise
        except BaseException:
            self._db.close()
            raise

    def _check_options(self, path: Path, digest: str) -> None:
        known = self._db.execute("SELECT digest FROM options").fetchone()
        if known is None:
            self._db.execute("INSERT INTO options VALUES (?)", (digest,))
        elif known[0] != digest:
            raise OtherOptions(f"{path} was begun with other options: name another --out, or give the same options.")

    def close(self) -> None:
        """Let go of it."""
        self._db.close()

    def entry(self, study: str) -> Entry | None:
        """What is known of a study."""
        found = self._db.execute(
            "SELECT stamp, state, attempt, analysis_id FROM studies WHERE study = ?", (study,)
        ).fetchone()
        return None if found is None else Entry(*found)

    def sent(self, study: str, stamp: str, attempt: int, analysis_id: str) -> None:
        """The gateway has it: where its result will be is known from now on. A result of other files is forgotten."""
        self._db.execute(
            "INSERT OR REPLACE INTO studies VALUES (?, ?, 'sent', ?, ?, NULL, NULL)",
            (study, stamp, attempt, analysis_id),
        )

    def finished(self, study: str, entry: Entry, row: str) -> None:
        """Its result, as the row of the table."""
        self._place += 1
        self._db.execute(
            "INSERT OR REPLACE INTO studies VALUES (?, ?, ?, ?, ?, ?, ?)",
            (study, entry.stamp, entry.state, entry.attempt, entry.analysis_id, row, self._place),
        )

    def retry_failed(self) -> int:
        """Take back every failure; returns how many there were."""
        return self._db.execute(
            "UPDATE studies SET state = 'retry', attempt = attempt + 1, analysis_id = NULL, row = NULL, place = NULL "
            "WHERE state = 'failed'"
        ).rowcount

    def rows(self) -> Iterator[str]:
        """All rows in the order in which they came."""
        with contextlib.closing(self._db.cursor()) as cursor:
            for (row,) in cursor.execute("SELECT row FROM studies WHERE place IS NOT NULL ORDER BY place"):
                yield row
