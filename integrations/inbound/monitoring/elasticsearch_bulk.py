"""Read Elasticsearch's bulk API: a line with the action, then a line with the document.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from detection.types import JsonValue, LogRecord
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.monitoring.documents import TIMES, source_of, to_record
from integrations.inbound.monitoring.log_fields import NAME_LIMIT, Identities, clipped, require_object, time_said
from integrations.inbound.reading.batches import split_lines
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.senders_ids import is_of_nobody

_ACCEPTED_ACTIONS = ("index", "create")
_WITH_DOCUMENT = (*_ACCEPTED_ACTIONS, "update")
_NO_ACTION = 'is not an action such as {"create": {}}; each document needs one on the line before it'


@dataclass(frozen=True, slots=True)
class Item:
    """One action of the request. The response lists all actions in order."""

    action: str
    index: str
    document_id: str


@dataclass(slots=True)
class Bulk:
    """A request that was read. Every action has an item, and a rejection's index is the position of its item.

    documents: of every record, the document that it was read from.
    """

    items: list[Item] = field(default_factory=list)
    documents: list[Mapping[str, object]] = field(default_factory=list)
    parsed: Parsed[LogRecord] = field(default_factory=Parsed)


def read_bulk(text: bytes, *, index: str = "", now: float) -> Bulk:
    """Read the documents to index or create; `index` is from the URL. Deletes and updates are refused one by one.

    A document's id comes from its `_id`, else from its content. Raises PayloadError if the lines do not form pairs,
    because then it is unclear which lines are documents. Elasticsearch refuses such a request as well.
    """
    bulk = Bulk()
    identities = Identities("elasticsearch")
    lines = [(number, line) for number, line in enumerate(split_lines(without_nul(text)), 1) if line.strip()]
    if not lines:
        raise PayloadError("it is empty")
    place = 0
    while place < len(lines):
        number, line = lines[place]
        action, metadata = _action(line, number)
        has_document = action in _WITH_DOCUMENT
        if has_document and place + 1 == len(lines):
            raise PayloadError(f"line {number} says {action}, but no document comes after it")
        document = lines[place + 1][1] if has_document else b""
        _read_action(bulk, action, metadata, document, index, identities, now)
        place += 1 + has_document
    sources = (
        (record.service, *source_of(found)) for record, found in zip(bulk.parsed.records, bulk.documents, strict=True)
    )
    bulk.parsed.records = join_traces(bulk.parsed.records, sources).records
    return bulk


def _action(line: bytes, number: int) -> tuple[str, Mapping[str, object]]:
    try:
        found = msgspec.json.decode(line, type=dict[str, dict[str, object] | None])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"line {number} {_NO_ACTION}") from error
    action, metadata = next(iter(found.items()), ("", None))
    if len(found) != 1 or action not in (*_WITH_DOCUMENT, "delete"):
        raise PayloadError(f"line {number} {_NO_ACTION}")
    return action, metadata or {}


def _read_action(
    bulk: Bulk,
    action: str,
    metadata: Mapping[str, object],
    document: bytes,
    path_index: str,
    identities: Identities,
    now: float,
) -> None:
    index = clipped(metadata.get("_index") or path_index or "logs", NAME_LIMIT)
    given = metadata.get("_id")
    name = "" if given is None else clipped(given, NAME_LIMIT)
    place = len(bulk.items)
    try:
        if action not in _ACCEPTED_ACTIONS:
            raise FieldError(action, "is not done here: Argux keeps what was said and changes none of it")
        record, found = _to_record(document, index, name, identities, now)
    except FieldError as error:
        bulk.parsed.rejections.append(Rejection(place, error.field, error.message))
        bulk.items.append(Item(action, index, name))
    else:
        bulk.parsed.records.append(record)
        bulk.documents.append(found)
        bulk.items.append(Item(action, index, name or record.record_id.rpartition(":")[2]))


def _to_record(
    document: bytes, index: str, name: str, identities: Identities, now: float
) -> tuple[LogRecord, Mapping[str, object]]:
    """Return the record of a document, and the document."""
    try:
        found = require_object(msgspec.json.decode(document))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FieldError("", f"the document is not JSON: {error}") from error
    happened_at = time_said(found, *TIMES, now=now)
    if name and not is_of_nobody(name):
        record_id = f"elasticsearch:{index}:{name}"
    else:
        content = document.decode("utf-8", "replace")
        record_id = identities.of(now if happened_at is None else happened_at, index, content)
    return to_record(found, record_id, index=index, happened_at=happened_at, now=now), found


def bulk_answer(bulk: Bulk, rejections: Sequence[Rejection], *, took_ms: int) -> dict[str, JsonValue]:
    """Return the body of the 200 response, with one outcome per action."""
    refused = {rejection.index: rejection for rejection in rejections}
    items: list[JsonValue] = [
        {item.action: _outcome(item, refused.get(place))} for place, item in enumerate(bulk.items)
    ]
    return {"took": took_ms, "errors": bool(refused), "items": items}


def _outcome(item: Item, refused: Rejection | None) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"_index": item.index, "_id": item.document_id or None}
    if refused is None:
        shards: dict[str, JsonValue] = {"total": 1, "successful": 1, "failed": 0}
        return {**told, "_version": 1, "result": "created", "_shards": shards, "status": 201}
    reason = f"{refused.field}: {refused.message}" if refused.field else refused.message
    return {**told, "status": 400, "error": {"type": "document_parsing_exception", "reason": reason}}
