"""Read Amazon SNS messages: their signed text, and the CloudWatch alarms in them.

The message and its signature: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from detection.types import LogRecord
from integrations.inbound.monitoring.alerts import FIRING, RESOLVED, Alert
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    bounded_attributes,
    clipped,
    decoded_json,
    short_text,
)
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.times import parse_time

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"

# Matches everything up to the path, so that no user, port or other host can follow the domain.
_ADDRESS = re.compile(r"https://sns\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com(?:\.cn)?[/?]")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]+\.pem")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_NO_DATA = "INSUFFICIENT_DATA"
_SERVICE_DIMENSIONS = ("ServiceName", "FunctionName", "LoadBalancer", "DBInstanceIdentifier", "InstanceId")


class ForgedError(Exception):
    """The message is not from Amazon or was changed in transit. The text says which check failed."""


class Message(msgspec.Struct, rename="pascal"):
    """An SNS message as received over HTTP."""

    type: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature_version: str
    signature: str
    signing_cert_url: str = msgspec.field(name="SigningCertURL")
    subject: str | None = None
    token: str | None = None
    subscribe_url: str | None = msgspec.field(name="SubscribeURL", default=None)


def read_message(text: bytes) -> Message:
    """Read a message without verifying its signature. Raises PayloadError."""
    message = decoded_json(text, Message)
    if message.type not in _SIGNED:
        raise PayloadError(f"must be one of {', '.join(_SIGNED)}", "Type")
    return message


def is_raw_alarm(text: bytes) -> bool:
    """Whether the body is a CloudWatch alarm without SNS's message around it, as raw message delivery sends it."""
    if b"AlarmName" not in text or b"Signature" in text:
        return False
    try:
        found = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return "AlarmName" in found and "Type" not in found


def amazon_url(url: str) -> str:
    """Return the URL if it is an https URL of SNS. Raises ForgedError otherwise."""
    if not _ADDRESS.match(url):
        raise ForgedError("an address in it is not on https://sns.REGION.amazonaws.com")
    return url


def certificate_url(message: Message) -> str:
    """Return the URL of the signing certificate. Raises ForgedError if it is not a certificate URL of SNS."""
    url = amazon_url(message.signing_cert_url)
    parts = urlsplit(url)
    if not _CERTIFICATE_PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise ForgedError("SigningCertURL does not name one of SNS's certificates")
    return url


def string_to_sign(message: Message) -> bytes:
    """Return the canonical text that is signed: each set field, with its name and its value on separate lines."""
    fields = {
        "Message": message.message,
        "MessageId": message.message_id,
        "Subject": message.subject,
        "SubscribeURL": message.subscribe_url,
        "Timestamp": message.timestamp,
        "Token": message.token,
        "TopicArn": message.topic_arn,
        "Type": message.type,
    }
    signed = [(name, fields[name]) for name in _SIGNED[message.type]]
    return "".join(f"{name}\n{value}\n" for name, value in signed if value is not None).encode()


def read_notification(message: Message, *, now: float) -> Parsed[Alert | LogRecord]:
    """Read a notification: the state of a CloudWatch alarm, or the plain text of another publisher."""
    try:
        alarm = msgspec.json.decode(message.message)
    except (msgspec.DecodeError, RecursionError):
        alarm = None
    try:
        if isinstance(alarm, dict) and "AlarmName" in alarm and "NewStateValue" in alarm:
            return Parsed([_alarm(alarm, message, now)])
        return Parsed([_plain_record(message, now)])
    except FieldError as error:
        return Parsed(rejections=[Rejection(0, error.field, error.message)])


def _alarm(alarm: dict[str, object], message: Message, now: float) -> Alert:
    changed = alarm.get("StateChangeTime") or message.timestamp
    state = str(alarm["NewStateValue"])
    trigger = alarm.get("Trigger")
    dimensions = _dimensions(trigger if isinstance(trigger, dict) else {})
    return Alert(
        source="cloudwatch",
        name=clipped(alarm["AlarmName"], 200),
        status=RESOLVED if state == "OK" else FIRING,
        key=clipped(message.message_id, 200),
        happened_at=parse_time(changed, now=now, field="Message.StateChangeTime"),
        service=short_text(dimensions, *_SERVICE_DIMENSIONS),
        summary=clipped(alarm.get("NewStateReason") or alarm.get("AlarmDescription") or ""),
        level="error" if state == "ALARM" else "warning",
        details={
            "state": clipped(state, 200),
            "region": clipped(alarm.get("Region") or "", 200),
            "account": clipped(alarm.get("AWSAccountId") or "", 200),
            "description": clipped(alarm.get("AlarmDescription") or ""),
            "dimensions": bounded_attributes(dimensions),
            "topic": clipped(message.topic_arn, 512),
        },
        # Without data the alarm's state is unknown, so its last state stays.
        identity=_identity(alarm) if state != _NO_DATA else None,
    )


def _identity(alarm: Mapping[str, object]) -> str:
    found = short_text(alarm, "AlarmArn")
    return found or ":".join(str(alarm.get(name) or "") for name in ("AWSAccountId", "Region", "AlarmName"))


def _dimensions(trigger: Mapping[str, object]) -> dict[str, object]:
    """Return the dimensions of [{"name": "FunctionName", "value": "checkout"}] by name. Some capitalise the keys."""
    found = trigger.get("Dimensions")
    pairs = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return {str(item.get("name", item.get("Name"))): item.get("value", item.get("Value")) for item in pairs}


def _plain_record(message: Message, now: float) -> LogRecord:
    return LogRecord(
        record_id=f"sns:{clipped(message.message_id, 200)}",
        service=UNKNOWN_SERVICE,
        version=None,
        happened_at=parse_time(message.timestamp, now=now, field="Timestamp"),
        severity="INFO",
        body=clipped(f"{message.subject}: {message.message}" if message.subject else message.message),
        attributes={"source": "sns", "topic": clipped(message.topic_arn, 512)},
    )
