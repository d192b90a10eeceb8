"""Keep the ids of different applications apart: two of them may both count their events 1, 2, 3.

A sender's id identifies a record within its application, which is the API key that it sends with. So do the ids of
events (whatever library they come from), of log records and of alerts. UUIDs and long hexadecimal ids are unique by
themselves, so they are left as they are, and stay short in the store; a long number is not, for it may be a count or a
time. Events whose library sends no such id get one of what it does send, within the application too.

These are left as they are, because they are meant to be the same whoever sends them:

- a trace and its spans: the services of one request send them with different keys, and the ids are random;
- a log line without an id: its id is made of all that it says, its source among it, whichever key brings it;
- a metric's point: its id is made of its name, resource, scope, attributes and time, which say what was measured;
- a deploy: a service, a version and a time; a pipeline and GitHub may both tell of it;
- a user: a funnel follows a person from the web application to the server, which have keys of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from detection.types import Event, LogRecord
from integrations.inbound.monitoring.alerts import Alert
from integrations.inbound.reading.digests import WITHIN_SENDER, digest
from storage.telemetry.rows.senders_ids import shortened

Record = TypeVar("Record")

SEPARATOR = "\x1f"


def scoped(records: Sequence[Record], application: str) -> Sequence[Record]:
    """Return the records with their senders' ids within the application. Other kinds of records are left unchanged."""
    if not records or not isinstance(records[0], Event | LogRecord | Alert):
        return records
    return [within(record, application) for record in records]


def within(record: Record, application: str) -> Record:
    """Return one record with its sender's id within the application."""
    if isinstance(record, Event):
        return replace(record, event_id=_id_within(record.event_id, application))
    if isinstance(record, LogRecord):
        return replace(record, record_id=_id_within(record.record_id, application))
    if isinstance(record, Alert):
        return replace(record, application=application)
    return record


def senders_id(stored: str) -> str:
    """Return the id as its sender wrote it."""
    return stored.rpartition(SEPARATOR)[2]


def _id_within(identifier: str, application: str) -> str:
    if identifier.startswith(WITHIN_SENDER):
        return digest(application, identifier)
    is_unique = not identifier.isdecimal() and shortened(identifier) is not None
    return identifier if is_unique else f"{application}{SEPARATOR}{identifier}"
