"""Pull new log documents from the team's Elasticsearch, every MONITORING_INTERVAL seconds.

Documents become searchable some time after their own timestamp. So each pull begins a little before the end of the last
one; documents read before are recognised by their `_id` and count as duplicates. The cursor moves only after the
documents are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from detection.types import LogRecord
from integrations.elasticsearch import SYSTEM, ElasticsearchReader, Hit, Search
from integrations.errors import IntegrationError, RejectedError
from integrations.inbound.monitoring.documents import to_record
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time
from storage.cursors import read_cursor, save_cursor
from workers.locks import one_at_a_time
from workers.services import Services
from workers.watching.unread import note_read, note_unread, unread

log = structlog.get_logger()

LATE_SECONDS = 120.0
"""How late a document may become searchable and still be found."""

HELD_UP_SECONDS = 1800.0
"""How long the cursor stays at the newest document, so that delayed documents are still read. It must be well below the
time for which the store remembers record ids."""

FIRST_LOOK_SECONDS = 900.0
"""How far back the very first pull reads."""


@dataclass(frozen=True, slots=True)
class PullCounts:
    """How many documents one pull stored, knew already, and refused."""

    stored: int = 0
    known: int = 0
    refused: int = 0


def pull_elasticsearch(services: Services) -> None:
    """Pull the documents since the last pull; do nothing when ELASTICSEARCH_URL is not set."""
    if services.settings.elasticsearch_url is None:
        return
    with one_at_a_time(services, "elasticsearch"):
        try:
            counts = pull_once(services)
        except IntegrationError as error:
            with services.sessions.begin() as session:
                note_unread(session, str(error), now=services.clock())
            raise
        _note_read(services)
    log.info("elasticsearch_read", stored=counts.stored, known=counts.known, refused=counts.refused)


def _note_read(services: Services) -> None:
    """Forget an earlier failure; write nothing if there was none."""
    with services.readers() as session:
        was_unread = unread(session) is not None
    if was_unread:
        with services.sessions.begin() as session:
            note_read(session, now=services.clock())


def pull_once(services: Services) -> PullCounts:
    """Pull once. On IntegrationError, the pages stored so far stay stored, and the next pull continues there."""
    settings = services.settings
    source = f"elasticsearch:{settings.elasticsearch_url}:{settings.elasticsearch_index}"[:300]
    now = services.clock().timestamp()
    read_until = _read_until(services, source)
    search = Search(
        index=settings.elasticsearch_index,
        query=settings.elasticsearch_query,
        time_field=settings.elasticsearch_time_field,
        since=now - FIRST_LOOK_SECONDS if read_until is None else read_until - LATE_SECONDS,
        until=now,
    )
    key = settings.elasticsearch_api_key
    total = PullCounts()
    with ElasticsearchReader(
        settings.elasticsearch_url or "", api_key=key.get_secret_value() if key else None
    ) as reader:
        for hits in reader.pages(search):
            page = _store(services, hits, now)
            total = PullCounts(total.stored + page.stored, total.known + page.known, total.refused + page.refused)
            read_until = max(read_until or 0.0, time_of_hit(hits[-1], search, now))
            _save_read_until(services, source, read_until)
    _save_read_until(services, source, max(read_until or 0.0, now - HELD_UP_SECONDS))
    return total


def _read_until(services: Services, source: str) -> float | None:
    with services.readers() as session:
        return read_cursor(session, source, lambda position: float(position["read_until"]))


def _save_read_until(services: Services, source: str, read_until: float) -> None:
    with services.sessions.begin() as session:
        save_cursor(session, source, {"read_until": read_until}, now=services.clock())


def time_of_hit(hit: Hit, search: Search, now: float) -> float:
    """Return a document's time, in seconds UTC, from the field that the search sorts by. Raise RejectedError."""
    try:
        return parse_time(hit.time, now=now, field=search.time_field)
    except FieldError as error:
        raise RejectedError(SYSTEM, f"ELASTICSEARCH_TIME_FIELD names no field of dates: {error}") from error


def _store(services: Services, hits: Sequence[Hit], now: float) -> PullCounts:
    records: list[LogRecord] = []
    for hit in hits:
        try:
            records.append(
                to_record(hit.source, f"elasticsearch:{hit.index}:{hit.document_id}", index=hit.index, now=now)
            )
        except FieldError as error:
            log.warning("document_refused", index=hit.index, document_id=hit.document_id, error=str(error))
    appended = services.telemetry.append_logs(records)
    return PullCounts(appended.accepted, appended.duplicates, len(hits) - len(records))
