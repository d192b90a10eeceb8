"""The doors for Elasticsearch clients and Beats: the part of its API that they need to index documents."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from bot.doors.openapi_monitoring import BULK_DOCS
from bot.doors.own import JSON, NDJSON, InjectedReception
from bot.doors.shared_log_door import ANY_ENCODING, append_logs, decoded_body
from bot.doors.vendor_keys import ElasticKey
from bot.errors import MalformedError, error_body
from bot.reception.receive import Door, ParsedBody, Payload
from detection.types import LogRecord
from integrations.inbound.monitoring.elasticsearch_bulk import Bulk, bulk_answer, read_bulk

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
"""Elasticsearch clients refuse a server that does not send this header."""

VERSION = "8.19.0"
"""The Elasticsearch version whose bulk API this is; clients ask for it before they send."""

_TYPES = (NDJSON, JSON, "application/vnd.elasticsearch+x-ndjson", "application/vnd.elasticsearch+json")

router = APIRouter()


@router.post("/_bulk", summary="Send documents as to Elasticsearch", openapi_extra=BULK_DOCS)
@router.put("/_bulk", include_in_schema=False)
@router.post("/{index}/_bulk", include_in_schema=False)
@router.put("/{index}/_bulk", include_in_schema=False)
async def take_bulk(request: Request, reception: InjectedReception, key: ElasticKey, index: str = "") -> JSONResponse:
    """Take a bulk request (also at `/{index}/_bulk`): each document is a log record, by the names of ECS.

    The answer tells of each action by itself; updates and deletes are refused. Where the lines do not pair up nothing
    is stored, and the answer is 400.
    """
    bulks: list[Bulk] = []

    def parse(payload: Payload) -> ParsedBody[LogRecord]:
        bulks.append(read_bulk(decoded_body(payload), index=index, now=payload.now))
        return ParsedBody(bulks[0].parsed)

    started_at = reception.services.clock()
    door = Door("elasticsearch", _TYPES, parse, append_logs, content_encodings=ANY_ENCODING)
    try:
        receipt = await reception.receive(request, door, key)
    except MalformedError as error:
        return _error_response(error)
    took_ms = int((reception.services.clock() - started_at).total_seconds() * 1000)
    return JSONResponse(bulk_answer(bulks[0], receipt.rejections, took_ms=took_ms), headers=PRODUCT)


def _error_response(error: MalformedError) -> JSONResponse:
    """Return a 400 for an unreadable body, with the reason in the fields that Elasticsearch clients read."""
    info = {"type": "illegal_argument_exception", "reason": error.message}
    body = {"error": {**error_body(error.message)["error"], "root_cause": [info], **info}, "status": 400}
    return JSONResponse(body, 400, PRODUCT)


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def front(request: Request, reception: InjectedReception, key: ElasticKey) -> Response:
    """Redirect a browser to the workspace or /docs. Send an Elasticsearch client, which has a key, the version."""
    if key is None:
        return RedirectResponse(reception.services.settings.workspace_url or "/docs")
    await reception.ring.identify(key)
    version = {"number": VERSION, "build_flavor": "default", "lucene_version": "9.12.1"}
    info = {"name": "argux", "cluster_name": "argux", "version": version, "tagline": "You Know, for Search"}
    return JSONResponse(info, headers=PRODUCT)


@router.get("/_license", include_in_schema=False)
async def license_asked(reception: InjectedReception, key: ElasticKey) -> JSONResponse:
    """Answer what Filebeat and Logstash ask before they send; without a licence in use they send nothing."""
    await reception.ring.identify(key)
    told = {"uid": "argux", "type": "basic", "status": "active", "mode": "basic"}
    return JSONResponse({"license": told}, headers=PRODUCT)


@router.get("/_cluster/health", include_in_schema=False)
async def health_asked(reception: InjectedReception, key: ElasticKey) -> JSONResponse:
    """Answer Vector's question whether its key is right and there is somebody to send to."""
    await reception.ring.identify(key)
    told = {"cluster_name": "argux", "status": "green", "timed_out": False, "number_of_nodes": 1}
    return JSONResponse(told, headers=PRODUCT)
