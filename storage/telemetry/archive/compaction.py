"""Compaction: merge the many small files of a day into one. Eviction every few minutes leaves about a hundred a day.

A new directory for the day is built beside the archive. Two renames then swap it in: the old directory out, the new one
in. After a crash, `finish_compaction` finishes or undoes the swap: it deletes unfinished directories, and moves a new
directory in where the old one is already out. The caller holds the archive's lock (cold_store.locked).
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
"""How many small files a day needs before they are merged."""

_UNFINISHED, _NEW, _OLD = "unfinished.", "new.", "old."


def compact(directory: Path) -> None:
    """Merge small files, day by day. Raises OSError when the disk is full; that day then stays as it is."""
    for kind in KINDS:
        for _, day in list(days(directory, kind.name)):
            small = [path for path in sorted(day.glob("*.parquet")) if path.stat().st_size < SMALL_BYTES]
            if len(small) >= SMALL_FILES:
                _compact_day(directory, day, small)


def finish_compaction(directory: Path) -> None:
    """Finish or undo the compaction that a crashed pass began; afterwards every row is in the archive exactly once."""
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
            rows = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"  # noqa: S608 - own names
            connection.execute(f"COPY ({rows}) TO '{quoted(merged)}' (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    sync(merged)


def _day_of(directory: Path, name: str) -> Path:
    kind, _, day = name.partition(".")
    return directory / kind / day
