"""The doors for monitoring systems: Datadog, Alertmanager, Loki and Sentry.

The doors for AWS, Elasticsearch, GitHub and the surroundings have their own modules; their routers are included here.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from bot.doors import aws, elasticsearch, github
from bot.doors.alert_storage import alert_appender
from bot.doors.openapi_monitoring import ALERTMANAGER_DOCS, DATADOG_DOCS, ENVELOPE_DOCS, LOKI_DOCS, WEBHOOK_DOCS
from bot.doors.own import JSON, InjectedReception, Secret
from bot.doors.shared_log_door import (
    ANY_ENCODING,
    DISCARD_STATUS,
    append_logs,
    decoded_body,
    discard_response,
    log_response,
)
from bot.doors.surroundings import flags
from bot.doors.surroundings import own as surroundings
from bot.doors.vendor_keys import DatadogKey, SentryKey
from bot.errors import MalformedError, UnauthorizedError, WrongTypeError
from bot.reception.receive import Door, ParsedBody, Payload
from detection.types import LogRecord
from integrations.inbound.monitoring.alertmanager import left_out_text, read_notification
from integrations.inbound.monitoring.alerts import Alert
from integrations.inbound.monitoring.datadog import read_datadog_alert, read_datadog_logs
from integrations.inbound.monitoring.loki import read_push_json, read_push_protobuf
from integrations.inbound.monitoring.sentry_envelopes import read_envelope
from integrations.inbound.monitoring.sentry_webhooks import read_sentry_webhook
from integrations.inbound.reading.signatures import is_signed
from workers.services import secret as required

PROTOBUF = "application/x-protobuf"
ENVELOPE = "application/x-sentry-envelope"

router = APIRouter(tags=["Doors of monitoring systems"])
for beside in (aws.router, elasticsearch.router, github.router, flags.router, surroundings.router):
    router.include_router(beside)


@router.post("/v1/input", include_in_schema=False)
@router.post("/api/v2/logs", status_code=202, summary="Send logs as to Datadog", openapi_extra=DATADOG_DOCS)
async def take_datadog_logs(request: Request, reception: InjectedReception, key: DatadogKey) -> JSONResponse:
    """Take what Datadog's agent, its libraries and forwarders send; the key stands in `DD-API-KEY`.

    What is refused is answered with 400, which is what the agent does not send again; `{}` is its greeting.
    """
    tags = request.query_params.get("ddtags", "")

    def parse(payload: Payload) -> ParsedBody[LogRecord]:
        return ParsedBody(read_datadog_logs(decoded_body(payload), tags=tags, now=payload.now))

    door = Door("datadog_logs", (JSON,), parse, append_logs, content_encodings=ANY_ENCODING)
    try:
        return log_response(await reception.receive(request, door, key), 202, refused=DISCARD_STATUS)
    except (MalformedError, WrongTypeError) as error:
        return discard_response(error)


def _parse_datadog_alert(payload: Payload) -> ParsedBody[Alert]:
    return ParsedBody(read_datadog_alert(decoded_body(payload), now=payload.now))


@router.post("/datadog/webhook", summary="Send alerts from Datadog", openapi_extra=WEBHOOK_DOCS)
async def take_datadog_alert(request: Request, reception: InjectedReception, key: DatadogKey) -> JSONResponse:
    """Take the webhook of Datadog's monitors, in its own payload or in the one of docs/connecting.md."""
    door = Door("datadog_webhook", (JSON,), _parse_datadog_alert, alert_appender(reception.services))
    return log_response(await reception.receive(request, door, key))


@router.post("/alertmanager/webhook", summary="Send alerts from Alertmanager", openapi_extra=ALERTMANAGER_DOCS)
async def take_alertmanager(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take Alertmanager's webhook, version 4. An alert sent again while it fires is stored once.

    Where the sender left alerts out (`truncatedAlerts`), the answer says how many, and so does the incident.
    """
    left_out: list[int] = []

    def parse(payload: Payload) -> ParsedBody[Alert]:
        notified = read_notification(decoded_body(payload), now=payload.now)
        left_out.append(notified.left_out)
        return ParsedBody(notified.parsed)

    door = Door("alertmanager", (JSON,), parse, alert_appender(reception.services))
    receipt = await reception.receive(request, door, secret)
    note = {"left_out": left_out[0], "note": f"{left_out_text(left_out[0])}."} if left_out[0] else {}
    return log_response(receipt, note=note)


def _parse_loki_push(payload: Payload) -> ParsedBody[LogRecord]:
    if payload.content_type == JSON:
        return ParsedBody(read_push_json(decoded_body(payload), now=payload.now))
    # A protobuf push is always compressed with Snappy, even if no header says so.
    return ParsedBody(read_push_protobuf(payload.body, now=payload.now, max_decoded_bytes=payload.max_decoded_bytes))


LOKI = Door("loki", (JSON, PROTOBUF), _parse_loki_push, append_logs, content_encodings=("gzip", "deflate", "snappy"))


@router.post("/api/prom/push", include_in_schema=False)
@router.post("/loki/api/v1/push", status_code=204, summary="Send logs as to Loki", openapi_extra=LOKI_DOCS)
async def take_loki(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take a Loki push, JSON or protobuf under Snappy: 204 once it is stored, 400 where something was refused."""
    try:
        receipt = await reception.receive(request, LOKI, secret)
    except (MalformedError, WrongTypeError) as error:
        return discard_response(error)
    return log_response(receipt, refused=DISCARD_STATUS) if receipt.rejections else Response(status_code=204)


@router.get("/ready", include_in_schema=False)
async def loki_ready(reception: InjectedReception, secret: Secret) -> Response:
    """Answer what Vector asks of a Loki before it sends: whether its key is right and there is somebody to send to."""
    await reception.ring.identify(secret)
    return Response("ready\n", media_type="text/plain")


@router.post("/api/{project}/envelope/", summary="Send errors with a Sentry SDK", openapi_extra=ENVELOPE_DOCS)
async def take_envelope(project: str, request: Request, reception: InjectedReception, key: SentryKey) -> JSONResponse:
    """Take what Sentry's SDKs send: events and logs are stored, traces, sessions and replays are left aside.

    The DSN is `https://argux_…@YOUR-ADDRESS/1`.
    """
    event_id: list[str | None] = []

    def parse(payload: Payload) -> ParsedBody[LogRecord]:
        envelope = read_envelope(decoded_body(payload), project=project, now=payload.now)
        event_id.append(envelope.event_id)
        return ParsedBody(envelope.parsed)

    door = Door("sentry", (ENVELOPE, "text/plain", JSON), parse, append_logs, content_encodings=ANY_ENCODING)
    receipt = await reception.receive(request, door, key)
    return log_response(receipt) if receipt.rejections else JSONResponse({"id": event_id[0]})


@router.post("/sentry/webhook", summary="Send alerts from Sentry", openapi_extra=WEBHOOK_DOCS)
async def take_sentry_webhook(request: Request, reception: InjectedReception) -> JSONResponse:
    """Take the webhooks of a Sentry integration, signed with its client secret (SENTRY_CLIENT_SECRET)."""
    secret = required(reception.services.settings.sentry_client_secret, "SENTRY_CLIENT_SECRET")
    signature = request.headers.get("sentry-hook-signature")
    resource = request.headers.get("sentry-hook-resource", "")
    request_id = request.headers.get("request-id")

    def parse(payload: Payload) -> ParsedBody[Alert]:
        if not is_signed(payload.body, secret, signature):
            raise UnauthorizedError("Sentry-Hook-Signature does not fit the body and SENTRY_CLIENT_SECRET.")
        return ParsedBody(
            read_sentry_webhook(decoded_body(payload), resource=resource, request_id=request_id, now=payload.now)
        )

    door = Door("sentry_webhook", (JSON,), parse, alert_appender(reception.services), signed=True)
    return log_response(await reception.receive(request, door, None))
