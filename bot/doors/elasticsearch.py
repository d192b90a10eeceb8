"""The doors that Elasticsearch's clients and Beats post to: enough of its API for them to index documents."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from bot.doors.openapi_monitoring import BULK_DOCS
from bot.doors.own import JSON, NDJSON, AtReception
from bot.doors.shared_log_door import ANY_ENCODING, append_logs, plain
from bot.doors.vendor_keys import ElasticKey
from bot.errors import MalformedError, error_body
from bot.reception.receive import Door, Parcel, Payload
from detection.types import LogRecord
from integrations.inbound.monitoring.elasticsearch_bulk import Bulk, bulk_answer, read_bulk

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
"""Elasticsearch's clients talk to no server that does not say this."""

VERSION = "8.19.0"
"""The version whose bulk API is spoken here; clients ask for it before they send."""

_TYPES = (NDJSON, JSON, "application/vnd.elasticsearch+x-ndjson", "application/vnd.elasticsearch+json")

router = APIRouter()


@router.post("/_bulk", summary="Send documents as to Elasticsearch", openapi_extra=BULK_DOCS)
@router.put("/_bulk", include_in_schema=False)
@router.post("/{index}/_bulk", include_in_schema=False)
@router.put("/{index}/_bulk", include_in_schema=False)
async def take_bulk(request: Request, at: AtReception, key: ElasticKey, index: str = "") -> JSONResponse:
    """Take a bulk request (also at `/{index}/_bulk`): each document is a log record, by the names of ECS.

    The answer tells of each action by itself; updates and deletes are refused. Where the lines do not pair up nothing
    is stored, and the answer is 400.
    """
    bulks: list[Bulk] = []

    def parse(payload: Payload) -> Parcel[LogRecord]:
        bulks.append(read_bulk(plain(payload), index=index, now=payload.now))
        return Parcel(bulks[0].parsed)

    started_at = at.services.clock()
    door = Door("elasticsearch", _TYPES, parse, append_logs, content_encodings=ANY_ENCODING)
    try:
        receipt = await at.receive(request, door, key)
    except MalformedError as error:
        return _refusal(error)
    took_ms = int((at.services.clock() - started_at).total_seconds() * 1000)
    return JSONResponse(bulk_answer(bulks[0], receipt.rejections, took_ms=took_ms), headers=PRODUCT)


def _refusal(error: MalformedError) -> JSONResponse:
    """A body that cannot be read is a 400 to Elasticsearch's clients, which look for the reason in these places."""
    told = {"type": "illegal_argument_exception", "reason": error.message}
    body = {"error": {**error_body(error.message)["error"], "root_cause": [told], **told}, "status": 400}
    return JSONResponse(body, 400, PRODUCT)


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def front(request: Request, at: AtReception, key: ElasticKey) -> Response:
    """Lead a browser to the page; tell a client of Elasticsearch, which brings a key, whom it talks to."""
    if key is None:
        return RedirectResponse(at.services.settings.workspace_url or "/docs")
    await at.ring.identify(key)
    version = {"number": VERSION, "build_flavor": "default", "lucene_version": "9.12.1"}
    told = {"name": "argux", "cluster_name": "argux", "version": version, "tagline": "You Know, for Search"}
    return JSONResponse(told, headers=PRODUCT)
