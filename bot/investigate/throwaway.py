"""A store of its own for each exported incident, which is thrown away afterwards."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from storage.database.session import migrate
from workers.services import Services
from workers.settings import Settings

_DATABASE = "argux.db"


@dataclass(frozen=True, slots=True)
class Workshop:
    """A directory with an empty database at the newest schema, which every investigation copies."""

    directory: Path

    @contextmanager
    def services(self, *, now: float) -> Iterator[Services]:
        """Give services on an empty store whose clock stands at `now`, seconds UTC; nothing of it is kept."""
        with tempfile.TemporaryDirectory(dir=self.directory) as place:
            own = Path(place)
            shutil.copy(self.directory / _DATABASE, own / _DATABASE)
            moment = datetime.fromtimestamp(now, UTC)
            services = Services(_settings(own), clock=lambda: moment, is_alone=True)
            event.listen(services.engine, "connect", _wait_for_no_disk)
            try:
                yield services
            finally:
                services.engine.dispose()


@contextmanager
def workshop() -> Iterator[Workshop]:
    """Give a workshop in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="argux-investigate-") as place:
        directory = Path(place)
        migrate(f"sqlite:///{directory / _DATABASE}")
        yield Workshop(directory)


def _wait_for_no_disk(connection: sqlite3.Connection, _: object) -> None:
    """What is thrown away need not outlive a power cut."""
    connection.execute("PRAGMA synchronous = OFF")


def _settings(directory: Path) -> Settings:
    """Return the settings of an Argux that is connected to nothing, whatever the environment says."""
    return Settings.model_construct(
        database_url=f"sqlite:///{directory / _DATABASE}", argux_data_dir=directory, archive_days=0
    )
