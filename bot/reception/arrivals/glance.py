"""Look at the records of one body: whose they are, how old they are, and what Argux understood of the last two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from bot.logs import REDACTED, SECRET_TEXTS
from detection.types import (
    Commit,
    Event,
    FlagChange,
    LogRecord,
    MetricPoint,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
    Span,
)
from integrations.inbound.deploys.api import DeployNotice
from integrations.inbound.flags.api import FlagNotice
from integrations.inbound.monitoring.alerts import Alert
from integrations.inbound.monitoring.log_fields import UNKNOWN_SERVICE
from integrations.text import visible
from storage.telemetry.rows.keys import events_without_keys, text_without_keys
from storage.telemetry.rows.people_named import names_person

LATE_SECONDS = 300.0
"""A record that came this long after it happened is late: what it belongs to has been judged already."""

WORDS_LENGTH = 100
LATEST = 2

NOT_SHOWN = "(names a person, so its words are not shown)"


@dataclass(slots=True)
class Glance:
    """What one body holds. services: records by service. age: seconds from its newest record until it arrived.

    age is None where the records say nothing of the sender's clock. latest: the last records as they were parsed.
    """

    services: Mapping[str, int] = field(default_factory=dict)
    late: int = 0
    age: float | None = None
    latest: Sequence[Any] = ()


NOTHING = Glance()

_SURROUNDINGS: frozenset[type] = frozenset(
    (Commit, FlagChange, FlagNotice, OrchestratorEvent, ProviderStatus, ServiceEdge, ServicePlace)
)

_service_of = attrgetter("service")
_happened_at = attrgetter("happened_at")


def look(records: Sequence[Any], now: float) -> Glance:
    """Look at the records of one body, which arrived at `now`, seconds UTC. Every request waits for this."""
    if not records:
        return NOTHING
    kinds = set(map(type, records))
    times = _times(records, kinds)
    if not times:
        return Glance(_services(records, kinds), latest=records[-LATEST:])
    late = 0 if now - min(times) < LATE_SECONDS else sum(now - time >= LATE_SECONDS for time in times)
    return Glance(_services(records, kinds), late, now - max(times), records[-LATEST:])


def _services(records: Sequence[Any], kinds: set[type]) -> Mapping[str, int]:
    if kinds == {Event}:
        return {}
    if Event in kinds:
        records = [record for record in records if not isinstance(record, Event)]
    if kinds & _SURROUNDINGS:
        # They need not name a service, so none is missed.
        return Counter(service for record in records if (service := _service_beside(record)))
    services = Counter(map(_service_of, records))
    # An alert need not name one.
    unnamed = services.pop(None, 0)
    if unnamed:
        services[UNKNOWN_SERVICE] += unnamed
    return services


def _service_beside(record: Any) -> str:
    if isinstance(record, FlagNotice):
        record = record.change
    if isinstance(record, ServiceEdge):
        return record.caller
    return "" if isinstance(record, ProviderStatus) else record.service or ""


def _times(records: Sequence[Any], kinds: set[type]) -> Sequence[float]:
    """Return when the records happened. An alert's is when it began, so it says nothing of delays and clocks."""
    if Span in kinds:
        return [span.started_at + span.duration_ms / 1000 for span in records]
    if DeployNotice in kinds or Alert in kinds or kinds & _SURROUNDINGS:
        return []
    return list(map(_happened_at, records))


@dataclass(frozen=True, slots=True)
class Understood:
    """One record as Argux understood it. kind: such as event, span or deploy. words: its first words.

    happened_at: seconds UTC. service and severity are empty where such a record has none.
    """

    kind: str
    happened_at: float
    service: str
    severity: str
    words: str


def understood(record: Any) -> Understood:
    """Return what Argux made of a record. No property's value, no secret and no line that names a person is shown."""
    kind, happened_at, severity, words = _described(record)
    if type(record) in _SURROUNDINGS:
        service = _service_beside(record)
    else:
        service = "" if isinstance(record, Event) else record.service or UNKNOWN_SERVICE
    return Understood(kind, happened_at, shortened(service, 60), severity, shortened(words))


def _described(record: Any) -> tuple[str, float, str, str]:
    """Return (kind, time, severity, words) of a record."""
    if isinstance(record, Event):
        [stored] = events_without_keys([record])
        names = ", ".join(stored.properties)
        return "event", record.happened_at, "", f"{record.event} {{{names}}}" if names else record.event
    if isinstance(record, LogRecord):
        is_shown = not names_person(record.attributes)
        return "log", record.happened_at, record.severity, record.body if is_shown else NOT_SHOWN
    if isinstance(record, Span):
        status = f" {record.status_code}" if record.status_code else ""
        words = f"{record.endpoint or record.name}{status}, {record.duration_ms:,.0f} ms"
        return "span", record.started_at, "ERROR" if record.is_error else "", words
    if isinstance(record, MetricPoint):
        return "metric", record.happened_at, "", f"{record.name} = {record.value:g} ({record.kind})"
    if isinstance(record, Alert):
        return "alert", record.happened_at, (record.level or "").upper()[:20], f"{record.name} is {record.status}"
    if type(record) in _SURROUNDINGS:
        return _described_beside(record)
    assert isinstance(record, DeployNotice)
    return "deploy", record.deployed_at, "", f"version {record.version}"


def _described_beside(record: Any) -> tuple[str, float, str, str]:
    if isinstance(record, FlagNotice):
        record = record.change
    if isinstance(record, FlagChange):
        return "flag", record.changed_at, "", f"{record.flag} was set"
    if isinstance(record, Commit):
        return "commit", record.committed_at, "", f"{record.sha[:7]}, {len(record.files)} files"
    if isinstance(record, OrchestratorEvent):
        level = "WARN" if record.is_warning else "INFO"
        return "orchestrator event", record.happened_at, level, f"{record.reason} of {record.object_name}"
    if isinstance(record, ProviderStatus):
        return "status", record.began_at, "", f"{record.provider}: {record.title}"
    if isinstance(record, ServicePlace):
        return "place", record.seen_at, "", f"runs on {record.node}"
    return "edge", record.seen_at, "", f"{record.caller} → {record.callee}"


def shortened(text: str, limit: int = WORDS_LENGTH) -> str:
    """Return text from outside as one plain line without secrets, of at most `limit` characters."""
    # Cut roughly first: a body may be long, and a secret must not lose its beginning.
    line = visible(text_without_keys(SECRET_TEXTS.sub(REDACTED, text[: 20 * limit]))).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
