"""Erase one person from the hot store: every record that names them by any of their ids, and the ids.

Rollups stay: they are counts of many people, in which nobody can be identified.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, or_, select, update

from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.logs.erasure import erase_from_series
from storage.telemetry.logs.reader_protocol import LogReader
from storage.telemetry.people.links import link_people
from storage.telemetry.people.whose import ids_beside
from storage.telemetry.protocol import Erased
from storage.telemetry.rollups.marks import high_water, mark
from storage.telemetry.rows.people_named import NAMES_OF_IDS, json_text_of_id, people_named
from storage.telemetry.rows.tables import events, funnel_progress, log_records, metric_points, person_ids
from storage.telemetry.rows.texts import decode, storable_key

_IDS_PER_STATEMENT = 500


def ids_of_person(engine: Engine, user_ids: Sequence[str], *, now: float) -> list[str]:
    """Return these ids and all others of the same people, also what has been told of them since the last roll-up."""
    water = high_water(engine)
    with engine.begin() as connection:
        lock_exclusive(connection, Lock.ROLL_UP)
        link_people(connection, since=mark(connection, "events"), top=water.events, now=now)
        others = ids_beside(connection, [storable_key(user_id) for user_id in user_ids])
    return [*user_ids, *sorted(others - set(user_ids))]


def erase_person(engine: Engine, user_ids: Sequence[str], log_reader: LogReader | None = None) -> Erased:
    """Delete all hot records of a person, known by any of these ids, in one transaction.

    Every place in the database that keeps records of single people must be deleted from here and counted in Erased.
    Records that name the person in their attributes are looked for before that transaction, because it takes as long
    as reading all of them; within it only those are looked at that have arrived since.
    The archive is erased separately: see storage.telemetry.archive.erasure.
    """
    keys = sorted({storable_key(user_id) for user_id in user_ids})
    # Below the high water every record is visible; what arrives later has a higher sequence.
    water = high_water(engine)
    with read_only(engine).connect() as connection:
        logs = _named_in(connection, log_records, user_ids, log_records.c.sequence <= water.logs)
        points = _named_in(connection, metric_points, user_ids, metric_points.c.sequence <= water.points)
    with engine.begin() as connection:
        lock_exclusive(connection, Lock.ROLL_UP)
        connection.execute(delete(person_ids).where(person_ids.c.id.in_(keys)))
        _unlink(connection, keys)
        return Erased(
            events=_deleted(connection, events, keys),
            funnel_attempts=_deleted(connection, funnel_progress, keys),
            log_records=_deleted_where_named(connection, log_records, user_ids, logs, water.logs),
            metric_points=_deleted_where_named(connection, metric_points, user_ids, points, water.points),
            log_samples=erase_from_series(connection, log_reader, user_ids),
        )


def _unlink(connection: Connection, keys: Sequence[str]) -> None:
    """Take the ids out of what other people's events tell, who used the same device."""
    columns = events.c
    tells = columns.other_id.in_(keys) & columns.user_id.not_in(keys)
    connection.execute(update(events).where(tells).values(other_id=None, is_merge=None))


def _deleted(connection: Connection, table: Table, keys: Sequence[str]) -> int:
    return connection.execute(delete(table).where(table.c.user_id.in_(keys))).rowcount


def _named_in(
    connection: Connection, table: Table, user_ids: Sequence[str], within: ColumnElement[bool]
) -> Sequence[int]:
    """Find the records whose attributes name the person: searched as text, then parsed to confirm."""
    columns = table.c
    texts = or_(*(columns.attributes.contains(json_text_of_id(user_id), autoescape=True) for user_id in user_ids))
    wanted = set(user_ids)
    found = connection.execute(select(columns.sequence, columns.attributes).where(within, texts)).all()
    return [
        sequence for sequence, attributes in found if wanted & set(people_named(decode(attributes), names=NAMES_OF_IDS))
    ]


def _deleted_where_named(
    connection: Connection, table: Table, user_ids: Sequence[str], known: Sequence[int], top: int
) -> int:
    """Delete the records known to name the person, and those above the sequence `top` that do."""
    sequences = [*known, *_named_in(connection, table, user_ids, table.c.sequence > top)]
    gone = 0
    for start in range(0, len(sequences), _IDS_PER_STATEMENT):
        some = sequences[start : start + _IDS_PER_STATEMENT]
        gone += connection.execute(delete(table).where(table.c.sequence.in_(some))).rowcount
    return gone
