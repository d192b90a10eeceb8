"""Reads new log documents from the team's Elasticsearch, every MONITORING_INTERVAL seconds.

Documents become visible some time after the moment they carry. So each look begins a little before the end of the last
one; what was read before is known by its `_id` and counts as a duplicate. The cursor moves only behind what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from detection.types import LogRecord
from integrations.elasticsearch import SYSTEM, ElasticsearchReader, Hit, Search
from integrations.errors import RejectedError
from integrations.inbound.monitoring.documents import to_record
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time
from storage.cursors import read_cursor, save_cursor
from workers.locks import one_at_a_time
from workers.services import Services

log = structlog.get_logger()

LATE_SECONDS = 120.0
"""How late a document may become visible and still be found."""

HELD_UP_SECONDS = 1800.0
"""How long the cursor waits at the newest document, for what is held up on its way after it. It must be well below the
time for which the store knows its records' ids."""

FIRST_LOOK_SECONDS = 900.0
"""How far back the very first look goes."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look brought."""

    stored: int = 0
    known: int = 0
    refused: int = 0


def pull_elasticsearch(services: Services) -> None:
    """Read on from where the last look ended; nothing where ELASTICSEARCH_URL is not set."""
    if services.settings.elasticsearch_url is None:
        return
    with one_at_a_time(services, "elasticsearch"):
        looked = look(services)
    log.info("elasticsearch_read", stored=looked.stored, known=looked.known, refused=looked.refused)


def look(services: Services) -> Looked:
    """One look. Raises IntegrationError; the pages stored before it stay stored, and the next look goes on there."""
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
    total = Looked()
    with ElasticsearchReader(
        settings.elasticsearch_url or "", api_key=key.get_secret_value() if key else None
    ) as reader:
        for hits in reader.pages(search):
            page = _store(services, hits, now)
            total = Looked(total.stored + page.stored, total.known + page.known, total.refused + page.refused)
            read_until = max(read_until or 0.0, time_of_hit(hits[-1], search, now))
            _keep(services, source, read_until)
    _keep(services, source, max(read_until or 0.0, now - HELD_UP_SECONDS))
    return total


def _read_until(services: Services, source: str) -> float | None:
    with services.readers() as session:
        position = read_cursor(session, source)
    return None if position is None else float(position["read_until"])


def _keep(services: Services, source: str, read_until: float) -> None:
    with services.sessions.begin() as session:
        save_cursor(session, source, {"read_until": read_until}, now=services.clock())


def time_of_hit(hit: Hit, search: Search, now: float) -> float:
    """When a document happened, by the field it is sorted by. Raises RejectedError."""
    try:
        return parse_time(hit.time, now=now, field=search.time_field)
    except FieldError as error:
        raise RejectedError(SYSTEM, f"ELASTICSEARCH_TIME_FIELD names no field of dates: {error}") from error


def _store(services: Services, hits: Sequence[Hit], now: float) -> Looked:
    records: list[LogRecord] = []
    for hit in hits:
        try:
            records.append(
                to_record(hit.source, f"elasticsearch:{hit.index}:{hit.document_id}", service=hit.index, now=now)
            )
        except FieldError as error:
            log.warning("document_refused", index=hit.index, document_id=hit.document_id, error=str(error))
    appended = services.telemetry.append_logs(records)
    return Looked(appended.accepted, appended.duplicates, len(hits) - len(records))
