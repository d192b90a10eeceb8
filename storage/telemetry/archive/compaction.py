"""Many small files of a day become one: what expires every few minutes would leave a hundred of them.

A day's directory is built anew beside the archive and then takes the other's place, by two renames: the old one away,
the new one in. A pass that died is finished or undone by what it left behind: unfinished directories are thrown away;
where the old one is away already, the new one is moved in. Hold the archive alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from storage.telemetry.archive.files import quoted, sync
from storage.telemetry.archive.layout import DRAFTS, KINDS, days

SMALL_BYTES = 64_000_000
SMALL_FILES = 8
"""So many small files of a day are put together."""

_UNFINISHED, _NEW, _OLD = "unfinished.", "new.", "old."


def compact(directory: Path) -> None:
    """Put small files together, day by day. OSError when there is no room: then a day stays as it is."""
    for kind in KINDS:
        for _, day in list(days(directory, kind.name)):
            small = [path for path in sorted(day.glob("*.parquet")) if path.stat().st_size < SMALL_BYTES]
            if len(small) >= SMALL_FILES:
                _compact_day(directory, day, small)


def finish_compaction(directory: Path) -> None:
    """Finish or undo what a pass that died had begun; afterwards every row is in its place, once."""
    drafts = directory / DRAFTS
    for unfinished in drafts.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(unfinished)
    for new in drafts.glob(f"{_NEW}*"):
        day = _day_of(directory, new.name.removeprefix(_NEW))
        if day.exists():
            shutil.rmtree(new)
        else:
            new.rename(day)
            sync(day.parent)
    for old in drafts.glob(f"{_OLD}*"):
        shutil.rmtree(old)


def _compact_day(directory: Path, day: Path, small: Sequence[Path]) -> None:
    name = f"{day.parent.name}.{day.name}"
    drafts = directory / DRAFTS
    unfinished, new, old = (drafts / f"{state}{name}" for state in (_UNFINISHED, _NEW, _OLD))
    unfinished.mkdir(parents=True)
    try:
        _merge(small, unfinished / f"together.{secrets.token_hex(8)}.parquet")
        for large in set(day.glob("*.parquet")) - set(small):
            os.link(large, unfinished / large.name)
        sync(unfinished)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    unfinished.rename(new)
    sync(drafts)
    day.rename(old)
    sync(day.parent)
    new.rename(day)
    sync(day.parent)
    shutil.rmtree(old)


def _merge(paths: Sequence[Path], merged: Path) -> None:
    import duckdb

    listed = ", ".join(f"'{quoted(path)}'" for path in paths)
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            rows = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"  # noqa: S608 - own names
            connection.execute(f"COPY ({rows}) TO '{quoted(merged)}' (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    sync(merged)


def _day_of(directory: Path, name: str) -> Path:
    kind, _, day = name.partition(".")
    return directory / kind / day
