"""The doors for AWS: CloudWatch Logs subscriptions, Firehose delivery streams, and alarms through SNS."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from bot.doors.alert_storage import alert_appender
from bot.doors.amazon_pages import AmazonPages
from bot.doors.openapi_monitoring import FIREHOSE_DOCS, SNS_DOCS, SUBSCRIPTION_DOCS
from bot.doors.own import JSON, InjectedReception, Secret
from bot.doors.shared_log_door import append_logs, decoded_body, log_response, receipt_report
from bot.doors.vendor_keys import FirehoseKey
from bot.errors import BotError, ForbiddenError, MalformedError, UnavailableError
from bot.reception.counting import Caller
from bot.reception.gate import content_encoding, content_type
from bot.reception.receive import Door, ParsedBody, Payload, Reception
from detection.types import LogRecord
from integrations.inbound.monitoring import sns
from integrations.inbound.monitoring.alerts import Alert
from integrations.inbound.monitoring.cloudwatch import read_firehose, read_subscription

SNS = "sns"
TEXT = "text/plain"
RETRY_SECONDS = 20

router = APIRouter()


def _parse_subscription(payload: Payload) -> ParsedBody[LogRecord]:
    parsed = read_subscription(decoded_body(payload), now=payload.now, max_decoded_bytes=payload.max_decoded_bytes)
    return ParsedBody(parsed)


CLOUDWATCH = Door("cloudwatch_logs", (JSON,), _parse_subscription, append_logs)


@router.post("/aws/logs", summary="Send a CloudWatch Logs subscription", openapi_extra=SUBSCRIPTION_DOCS)
async def take_subscription(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take the event that a subscription hands to a Lambda, `{"awslogs": {"data": …}}` or Kinesis's `Records`."""
    return log_response(await reception.receive(request, CLOUDWATCH, secret))


@router.post("/aws/firehose", summary="Send logs by Amazon Data Firehose", openapi_extra=FIREHOSE_DOCS)
async def take_firehose(request: Request, reception: InjectedReception, key: FirehoseKey) -> JSONResponse:
    """Take a delivery stream's requests; the access key is an Argux key.

    Firehose sends a request again until it sees 200 with the request's own id. What is malformed would be so again, so
    it is reported beside the 200.
    """
    service = _common_service(request.headers.get("x-amz-firehose-common-attributes"))

    def parse(payload: Payload) -> ParsedBody[LogRecord]:
        limit = payload.max_decoded_bytes
        delivery = read_firehose(decoded_body(payload), service=service, now=payload.now, max_decoded_bytes=limit)
        return ParsedBody(delivery.parsed)

    response_body: dict[str, Any] = {
        "requestId": request.headers.get("x-amz-firehose-request-id", ""),
        "timestamp": int(reception.services.clock().timestamp() * 1000),
    }
    try:
        receipt = await reception.receive(request, Door("firehose", (JSON,), parse, append_logs), key)
    except BotError as error:
        return JSONResponse({**response_body, "errorMessage": error.message}, error.status, error.headers)
    return JSONResponse({**response_body, **(receipt_report(receipt) if receipt.rejections else {})})


def _common_service(header: str | None) -> str | None:
    """Return the delivery stream's parameter `service`, which is the service of plain lines, or None."""
    try:
        found = msgspec.json.decode(header or "{}", type=dict[str, dict[str, str]])
    except msgspec.DecodeError:
        return None
    return found.get("commonAttributes", {}).get("service")


def amazon_pages(request: Request) -> AmazonPages:
    """Return this web process's fetcher of Amazon's pages. A FastAPI dependency."""
    pages: AmazonPages = request.app.state.amazon_pages
    return pages


@router.post("/aws/sns", summary="Send CloudWatch alarms through SNS", openapi_extra=SNS_DOCS)
async def take_sns(
    request: Request, reception: InjectedReception, pages: Annotated[AmazonPages, Depends(amazon_pages)]
) -> JSONResponse:
    """Take an SNS topic's messages: Amazon's signature is checked, and the topic must be among SNS_TOPIC_ARNS.

    A subscription is confirmed by itself. Alarms are stored as alerts, other notifications as log records.
    """
    with reception.counting.refusals(SNS, Caller.of(request)):
        if request.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
            raise _raw_delivery_error()
        with reception.gate.visit(is_recognised=False) as visit:
            content_type(request, (JSON, TEXT))
            content_encoding(request, ())
            body = await visit.read_body(request)
        if sns.is_raw_alarm(body):
            raise _raw_delivery_error()
        message = await reception.in_thread(lambda: sns.read_message(body))
        await _authenticate(reception, pages, message)
        if message.type == sns.SUBSCRIPTION:
            await _confirm(pages, message)
            return JSONResponse({"confirmed": message.topic_arn})
    if message.type == sns.UNSUBSCRIPTION:
        return JSONResponse({"ignored": "the subscription has ended"})

    def parse(payload: Payload) -> ParsedBody[Alert | LogRecord]:
        return ParsedBody(sns.read_notification(message, now=payload.now))

    door = Door(SNS, (JSON,), parse, alert_appender(reception.services), signed=True)
    return log_response(await reception.receive_message(_empty_body, door, None, JSON))


def _raw_delivery_error() -> MalformedError:
    """Return the refusal of a message without SNS's envelope, in which the signature stands."""
    return MalformedError(
        "Turn raw message delivery off for this subscription (SNS → Subscriptions → Edit): a raw message cannot be "
        "signed, so nobody can tell whether Amazon sent it.",
        field="Signature",
    )


async def _empty_body() -> bytes:
    """Return no bytes: the message has been read already."""
    return b""


async def _authenticate(reception: Reception, pages: AmazonPages, message: sns.Message) -> None:
    """Raise ForbiddenError unless the message is from one of SNS_TOPIC_ARNS and signed by Amazon.

    The topic is checked first, so that no page is fetched for anybody else's message. Raises UnavailableError if the
    certificate cannot be fetched.
    """
    if message.topic_arn not in reception.services.settings.sns_topic_arns:
        raise ForbiddenError(f"The topic {message.topic_arn[:300]} is not among SNS_TOPIC_ARNS.", field="TopicArn")
    from integrations.inbound.monitoring.sns_signatures import check_signature

    now = reception.services.clock().timestamp()
    try:
        certificate = await pages.certificate(sns.certificate_url(message))
        await reception.in_thread(lambda: check_signature(message, certificate, now=now))
    except sns.ForgedError as error:
        raise ForbiddenError(f"This is not a message of Amazon SNS: {error}.") from error
    except httpx.HTTPError as error:
        raise UnavailableError(
            "The certificate that signed this cannot be fetched now.", retry_after_seconds=RETRY_SECONDS
        ) from error


async def _confirm(pages: AmazonPages, message: sns.Message) -> None:
    try:
        await pages.visit(sns.amazon_url(message.subscribe_url or ""))
    except sns.ForgedError as error:
        raise ForbiddenError(f"The subscription cannot be confirmed: {error}.", field="SubscribeURL") from error
    except httpx.HTTPError as error:
        raise UnavailableError(
            "The subscription cannot be confirmed now: SubscribeURL does not answer.",
            retry_after_seconds=RETRY_SECONDS,
        ) from error
