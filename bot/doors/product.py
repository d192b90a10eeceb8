"""The doors for product-analytics libraries: PostHog, Segment, Amplitude and Mixpanel.

Each answers in the form that its library reads as stored, as refused, or as "retry".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from bot.doors import product_beside
from bot.doors.openapi import (
    AMPLITUDE_DOCS,
    AMPLITUDE_IDENTIFY_DOCS,
    AMPLITUDE_MAP_DOCS,
    CAPTURE_DOCS,
    MIXPANEL_DOCS,
    SEGMENT_BATCH_DOCS,
    SEGMENT_DOCS,
)
from bot.doors.own import JSON, NDJSON, InjectedReception, Secret, append_events
from bot.doors.product_answers import amplitude_error, mixpanel_error
from bot.errors import BotError, MalformedError
from bot.reception.receive import Door, ParsedBody, Payload, Receipt, Reception
from detection.types import Event, LogRecord
from integrations.inbound.product.amplitude import group_rejections, is_upload, parse_upload
from integrations.inbound.product.amplitude_people import parse_identifications, parse_user_map
from integrations.inbound.product.mixpanel import parse_tracked
from integrations.inbound.product.posthog import parse_capture
from integrations.inbound.product.segment import CALLS, parse_messages
from integrations.inbound.reading.body import decoded
from integrations.inbound.reading.forms import FORM
from storage.telemetry.protocol import Appended, TelemetryStore

TEXT = "text/plain"
"""Browser libraries send JSON with this type, because it needs no CORS preflight."""

SENT_AT = "_"
"""The parameter in which posthog-js and mixpanel-js say when they sent a request, in milliseconds by their clock."""

router = APIRouter(tags=["Doors"])
router.include_router(product_beside.router)


def _parse_options(payload: Payload) -> dict[str, Any]:
    return {
        "content_encoding": payload.content_encoding,
        "now": payload.now,
        "max_decoded_bytes": payload.max_decoded_bytes,
    }


def _parse_posthog(sent_at: str | None, payload: Payload) -> ParsedBody[Event | LogRecord]:
    capture = parse_capture(
        payload.body,
        content_type=payload.content_type,
        sent_at=sent_at,
        visitor=payload.visitor,
        **_parse_options(payload),
    )
    return ParsedBody(capture.records, capture.api_key)


def _parse_amplitude(payload: Payload) -> ParsedBody[Event]:
    upload = parse_upload(payload.body, **_parse_options(payload))
    return ParsedBody(upload.events, upload.api_key, "amplitude")


def _parse_identifications(payload: Payload) -> ParsedBody[Event]:
    upload = parse_identifications(payload.body, **_parse_options(payload))
    return ParsedBody(upload.events, upload.api_key)


def _parse_user_map(payload: Payload) -> ParsedBody[Event]:
    upload = parse_user_map(payload.body, **_parse_options(payload))
    return ParsedBody(upload.events, upload.api_key)


def _parse_posthog_or_amplitude(sent_at: str | None, payload: Payload) -> ParsedBody[Any]:
    """Parse a body posted to /batch, which both PostHog's and Amplitude's libraries use."""
    text = decoded(payload.body, payload.content_encoding, payload.max_decoded_bytes)
    return _parse_amplitude(payload) if is_upload(text.strip()) else _parse_posthog(sent_at, payload)


def _parse_segment(call: str | None, payload: Payload) -> ParsedBody[Event]:
    messages = parse_messages(payload.body, call=call, **_parse_options(payload))
    return ParsedBody(messages.events, messages.write_key)


def _parse_mixpanel(needs_time: bool, sent_at: str | None, payload: Payload) -> ParsedBody[Event]:
    tracked = parse_tracked(
        payload.body,
        content_type=payload.content_type,
        needs_time=needs_time,
        sent_at=sent_at,
        **_parse_options(payload),
    )
    return ParsedBody(tracked.events, tracked.token)


def _append_events_and_logs(store: TelemetryStore, records: Sequence[Event | LogRecord]) -> Appended:
    """Store events as events and exceptions as log records.

    If the second write fails, the sender sends both again, and the first is a duplicate.
    """
    events = store.append_events([record for record in records if isinstance(record, Event)])
    logs = store.append_logs([record for record in records if isinstance(record, LogRecord)])
    return Appended(events.accepted + logs.accepted, events.duplicates + logs.duplicates)


LIBRARY_TYPES = (JSON, FORM, TEXT)


def _posthog_door(request: Request, parse: Callable[[str | None, Payload], ParsedBody[Any]]) -> Door[Any]:
    read = partial(parse, request.query_params.get(SENT_AT))
    return Door("posthog", LIBRARY_TYPES, read, _append_events_and_logs, key_in_body=True, has_visitors=True)


def _mixpanel_door(request: Request, content_types: tuple[str, ...], *, needs_time: bool) -> Door[Event]:
    parse = partial(_parse_mixpanel, needs_time, request.query_params.get(SENT_AT))
    return Door("mixpanel", content_types, parse, append_events, key_in_body=True)


AMPLITUDE = Door("amplitude", (JSON,), _parse_amplitude, append_events, key_in_body=True)
IDENTIFY = Door("amplitude", (FORM, JSON), _parse_identifications, append_events, key_in_body=True)
USER_MAP = Door("amplitude", (FORM, JSON), _parse_user_map, append_events, key_in_body=True)
SEGMENT = {
    call: Door("segment", (JSON, TEXT), partial(_parse_segment, call), append_events, key_in_body=True)
    for call in (None, "identify", "track", "page", "screen", "group", "alias")
}


@router.post("/capture/", include_in_schema=False)
@router.post("/capture", include_in_schema=False)
@router.post("/e/", include_in_schema=False)
@router.post("/i/v0/e/", include_in_schema=False)
@router.post("/i/v0/ai/batch/", include_in_schema=False)
@router.post("/batch/", summary="Send events with a PostHog client", openapi_extra=CAPTURE_DOCS)
async def take_capture(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take what PostHog's client libraries post: set their host to Argux and their project key to an Argux key.

    These clients drop a whole batch on any 4xx, so malformed events are reported beside a 200 and counted in
    `argux_ingest_rejected_total`. `$exception` events become log records. `/capture/`, `/e/` and `/i/v0/e/` are the
    same door.
    """
    return _posthog_response(await reception.receive(request, _posthog_door(request, _parse_posthog), secret))


@router.post("/batch", include_in_schema=False)
async def take_batch(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take a PostHog batch (posted without the trailing slash) or an Amplitude batch; the body shows which it is."""
    try:
        receipt = await reception.receive(request, _posthog_door(request, _parse_posthog_or_amplitude), secret)
    except BotError as error:
        return amplitude_error(error)
    return _amplitude_response(receipt) if receipt.sender else _posthog_response(receipt)


@router.post("/2/httpapi", summary="Send events with an Amplitude client", openapi_extra=AMPLITUDE_DOCS)
async def take_upload(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take what Amplitude's client libraries post: set their server URL to this address, their API key to an Argux key.

    The good events of an upload are stored even where the answer is 400 with the places of the others; what the
    library then sends again is recognised. `/batch` is the same door.
    """
    try:
        return _amplitude_response(await reception.receive(request, AMPLITUDE, secret))
    except BotError as error:
        return amplitude_error(error)


@router.post("/identify", summary="Say who uses a device, as Amplitude does", openapi_extra=AMPLITUDE_IDENTIFY_DOCS)
async def take_identifications(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take what Amplitude's Identify API is told: a `user_id` with a `device_id` makes both one person's."""
    return await _amplitude_people(request, reception, IDENTIFY, secret)


@router.post("/usermap", summary="Say which users are one person, as Amplitude does", openapi_extra=AMPLITUDE_MAP_DOCS)
async def take_user_map(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take what Amplitude's User Mapping API is told. A mapping cannot be undone."""
    return await _amplitude_people(request, reception, USER_MAP, secret)


async def _amplitude_people(request: Request, reception: Reception, door: Door[Event], secret: str | None) -> Response:
    try:
        receipt = await reception.receive(request, door, secret)
    except BotError as error:
        return amplitude_error(error)
    return _amplitude_response(receipt) if receipt.rejections else PlainTextResponse("success")


@router.post("/v1/import", include_in_schema=False)
@router.post("/v1/b", include_in_schema=False)
@router.post("/v1/batch", summary="Send messages with a Segment client", openapi_extra=SEGMENT_BATCH_DOCS)
async def take_messages(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take what Segment's client libraries post: set their host to Argux and their write key to an Argux key.

    These clients drop a whole batch on most 4xx, so malformed messages are reported beside a 200.
    """
    return _segment_response(await reception.receive(request, SEGMENT[None], secret))


@router.post("/v1/identify", include_in_schema=False)
@router.post("/v1/page", include_in_schema=False)
@router.post("/v1/screen", include_in_schema=False)
@router.post("/v1/group", include_in_schema=False)
@router.post("/v1/alias", include_in_schema=False)
@router.post("/v1/i", include_in_schema=False)
@router.post("/v1/p", include_in_schema=False)
@router.post("/v1/s", include_in_schema=False)
@router.post("/v1/g", include_in_schema=False)
@router.post("/v1/a", include_in_schema=False)
@router.post("/v1/t", include_in_schema=False)
@router.post("/v1/track", summary="Send one Segment message", openapi_extra=SEGMENT_DOCS)
async def take_message(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take one track; /v1/identify, /v1/page, /v1/screen, /v1/group and /v1/alias are the same for their kinds.

    analytics.js writes the first letter of the kind alone.
    """
    name = request.url.path.rpartition("/")[2]
    call = next(call for call in CALLS if name in (call, call[0]))
    receipt = await reception.receive(request, SEGMENT[call], secret)
    if receipt.rejections:
        first = receipt.rejections[0]
        raise MalformedError(f"{first.field}: {first.message}", field=first.field)
    return _segment_response(receipt)


@router.post("/track/", include_in_schema=False)
@router.post("/track", summary="Send events with a Mixpanel client", openapi_extra=MIXPANEL_DOCS)
async def take_tracked(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take what Mixpanel's client libraries post: set their API host to Argux and their token to an Argux key.

    JSON, or a form with `data` in JSON or base64. The good events of a batch are stored even where the status is 0.
    """
    try:
        receipt = await reception.receive(request, _mixpanel_door(request, LIBRARY_TYPES, needs_time=False), secret)
    except BotError as error:
        return mixpanel_error(error)
    return _mixpanel_response(receipt, request.query_params.get("verbose", "1"))


@router.get("/track/", include_in_schema=False)
@router.get("/track", include_in_schema=False)
async def take_tracked_by_get(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take one event in the address, in `data`, as Mixpanel's library for Node sends it."""
    form = request.url.query.encode("ascii", "replace")

    async def read() -> bytes:
        return form

    try:
        door = _mixpanel_door(request, LIBRARY_TYPES, needs_time=False)
        receipt = await reception.receive_message(read, door, secret, FORM)
    except BotError as error:
        return mixpanel_error(error)
    return _mixpanel_response(receipt, request.query_params.get("verbose", "0"))


def _mixpanel_response(receipt: Receipt, verbose: str) -> Response:
    """Return the answer in JSON, or as 1 or 0 for a sender that says verbose=0, as Mixpanel's library for Node does."""
    first = next(iter(receipt.rejections), None)
    status = 0 if first else 1
    if verbose == "0":
        return Response(str(status), media_type=TEXT)
    error_text = f"{first.field}: {first.message}".lstrip(": ") if first else None
    answer = {"status": status, "error": error_text, "num_good_events": _stored_count(receipt)}
    return JSONResponse({**answer, **_known(receipt)})


@router.post("/import", summary="Import events as Mixpanel does", openapi_extra=MIXPANEL_DOCS)
async def take_import(
    request: Request,
    reception: InjectedReception,
    secret: Secret,
    strict: Annotated[str, Query(description="0: answer 200 though some events were refused.", max_length=5)] = "1",
) -> JSONResponse:
    """Take history; the key is the user name or the password of Basic authentication, or the events' token.

    Every event needs its time. The good ones are stored, the others listed in `failed_records`.
    """
    try:
        receipt = await reception.receive(
            request, _mixpanel_door(request, (JSON, NDJSON, FORM), needs_time=True), secret
        )
    except BotError as error:
        return mixpanel_error(error)
    answer: dict[str, Any] = {
        "code": 200,
        "status": 1,
        "num_records_imported": _stored_count(receipt),
        **_known(receipt),
    }
    if not receipt.rejections:
        return JSONResponse(answer)
    answer["failed_records"] = [asdict(rejection) for rejection in receipt.rejections]
    if strict in ("0", "false"):
        return JSONResponse(answer)
    failure = "some data points in the request failed validation"
    return JSONResponse({**answer, "code": 400, "status": 0, "error": failure}, 400)


def _stored_count(receipt: Receipt) -> int:
    return receipt.accepted + receipt.duplicates


def _known(receipt: Receipt) -> dict[str, int]:
    """Return how many of the stored events were stored already, if there are any."""
    return {"duplicates": receipt.duplicates} if receipt.duplicates else {}


def _posthog_response(receipt: Receipt) -> JSONResponse:
    return JSONResponse({"status": "Ok", **_counts(receipt)})


def _segment_response(receipt: Receipt) -> JSONResponse:
    return JSONResponse({"success": True, **_counts(receipt)})


def _counts(receipt: Receipt) -> dict[str, Any]:
    counts: dict[str, Any] = {"accepted": receipt.accepted, "duplicates": receipt.duplicates}
    if receipt.rejections:
        counts["rejected"] = [asdict(rejection) for rejection in receipt.rejections]
    return counts


def _amplitude_response(receipt: Receipt) -> JSONResponse:
    if receipt.rejections:
        first = receipt.rejections[0]
        message = f"{first.field}: {first.message}"
        return JSONResponse({"code": 400, "error": message, **group_rejections(receipt.rejections)}, 400)
    return JSONResponse({"code": 200, "events_ingested": _stored_count(receipt), **_known(receipt)})
