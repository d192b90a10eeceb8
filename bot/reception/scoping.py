"""Keep the ids of different applications apart: two of them may both count their events 1, 2, 3.

A sender's id identifies a record within its application, which is the API key that it sends with. UUIDs and long
hexadecimal ids are unique by themselves, so they are left as they are, and stay short in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from detection.types import Event, LogRecord
from storage.telemetry.rows.senders_ids import shortened

Record = TypeVar("Record")

SEPARATOR = "\x1f"


def scoped(records: Sequence[Record], application: str) -> Sequence[Record]:
    """Return the records with their senders' ids within the application. Other kinds of records are left unchanged."""
    if not records or not isinstance(records[0], Event | LogRecord):
        return records
    return [_scoped(record, application) for record in records]


def senders_id(stored: str) -> str:
    """Return the id as its sender wrote it."""
    return stored.rpartition(SEPARATOR)[2]


def _scoped(record: Record, application: str) -> Record:
    if isinstance(record, Event) and shortened(record.event_id) is None:
        return replace(record, event_id=f"{application}{SEPARATOR}{record.event_id}")
    if isinstance(record, LogRecord) and shortened(record.record_id) is None:
        return replace(record, record_id=f"{application}{SEPARATOR}{record.record_id}")
    return record
