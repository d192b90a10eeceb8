"""Erase one person from the archive: rewrite every file that names them without their records."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storage.telemetry.archive.cold_store import locked
from storage.telemetry.archive.compaction import finish_compaction
from storage.telemetry.archive.files import quoted, sync
from storage.telemetry.archive.layout import DRAFTS, KINDS, PERSON, REWRITE, Kind, files
from storage.telemetry.archive.people import with_person
from storage.telemetry.rows.people_named import NAMES_OF_IDS, json_text_of_id, people_named
from storage.telemetry.rows.texts import decode, storable_key

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def erase_user(directory: Path, user_ids: Sequence[str], other_ids: Sequence[str] = ()) -> int:
    """Erase a person, known by any of these ids, from every file, drafts included; return how many rows.

    other_ids: the person's other ids. What was done under one of them is erased unless it was another person's when it
    was archived, who had the device then.

    First erase the person from the hot store and commit: this function waits for a running archive pass, and that pass
    waits for the database.
    """
    import duckdb

    if not directory.exists():
        return 0
    with locked(directory, wait=True), duckdb.connect(config={"threads": 1}) as connection:
        finish_compaction(directory)
        gone = 0
        for kind in KINDS:
            found = defaultdict[Path, list[int]](list)
            for path, row in _rows_naming(connection, kind, _all_files(directory, kind), user_ids, other_ids):
                found[path].append(row)
            for path, rows in found.items():
                _rewrite(connection, directory, path, rows)
                gone += len(rows)
        return gone


def _all_files(directory: Path, kind: Kind) -> list[str]:
    drafts = (directory / DRAFTS).glob(f"{kind.name}.*.parquet")
    return [str(path) for path in (*files(directory, kind.name), *drafts)]


def _rows_naming(
    connection: DuckDBPyConnection,
    kind: Kind,
    paths: list[str],
    user_ids: Sequence[str],
    other_ids: Sequence[str],
) -> Iterator[tuple[Path, int]]:
    """Yield (file, row number) of rows that name the person, in the kind's person column or in its attributes.

    Attributes are first searched as text, then parsed to confirm the match.
    """
    if not paths or not (kind.person or kind.attributes):
        return
    options = "filename = true, file_row_number = true, hive_partitioning = false, union_by_name = true"
    source = f"read_parquet($paths, {options})"
    if kind.person:
        asked, wanted = ([storable_key(one) for one in ids] for ids in (user_ids, [*user_ids, *other_ids]))
        rows = with_person(connection, source, kind.person, {"paths": paths})
        is_named = f"list_contains($asked, {kind.person}) OR list_contains($wanted, {PERSON})"
        query = f"SELECT filename, file_row_number FROM ({rows}) WHERE {is_named}"  # noqa: S608 - own names
        parameters = {"paths": paths, "asked": asked, "wanted": wanted}
        for name, number in connection.execute(query, parameters).fetchall():
            yield Path(name), number
    if kind.attributes:
        user_ids = [*user_ids, *other_ids]
        texts = [json_text_of_id(user_id) for user_id in user_ids]
        is_candidate = f"list_bool_or(list_transform($wanted, lambda text: contains({kind.attributes}, text)))"
        query = f"SELECT filename, file_row_number, {kind.attributes} FROM {source} WHERE {is_candidate}"  # noqa: S608 - own names
        for name, number, attributes in connection.execute(query, {"paths": paths, "wanted": texts}).fetchall():
            if not set(user_ids).isdisjoint(people_named(decode(attributes), names=NAMES_OF_IDS)):
                yield Path(name), number


def _rewrite(connection: DuckDBPyConnection, directory: Path, path: Path, rows: Sequence[int]) -> None:
    """Replace a file by a copy without these rows; delete the file if no row is left."""
    anew = directory / DRAFTS / f"{secrets.token_hex(4)}{REWRITE}"
    kept = (
        "SELECT * EXCLUDE (file_row_number) FROM read_parquet($path, file_row_number = true, hive_partitioning = false)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE kept AS {kept} WHERE NOT list_contains($rows, file_row_number)",
        {"path": str(path), "rows": list(rows)},
    )
    left = connection.execute("SELECT count(*) FROM kept").fetchall()
    if left == [(0,)]:
        path.unlink()
        return
    anew.parent.mkdir(exist_ok=True)
    try:
        connection.execute(f"COPY kept TO '{quoted(anew)}' (FORMAT parquet, COMPRESSION zstd)")
        sync(anew)
        anew.replace(path)
    finally:
        anew.unlink(missing_ok=True)
    sync(path.parent)
