"""SNS messages, signed with a generated key pair. The text to sign is built as Amazon's documentation says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from detection.types import LogRecord
from integrations.inbound.monitoring.alerts import Alert, to_change, to_record
from integrations.inbound.monitoring.sns import (
    ForgedError,
    Message,
    amazon_url,
    certificate_url,
    read_message,
    read_notification,
    string_to_sign,
)
from integrations.inbound.monitoring.sns_signatures import check_signature
from integrations.inbound.reading.records import PayloadError

NOW = 1_770_465_600.0
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
Sign = Callable[..., Message]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    day = datetime.fromtimestamp(NOW, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def notification(**changes: Any) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "ALARM",
        "Message": "the shop is down",
        "Timestamp": "2026-02-07T12:00:00.000Z",
        "SignatureVersion": "2",
        "Signature": "",
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        **changes,
    }


@pytest.fixture
def signed(key: rsa.RSAPrivateKey) -> Sign:
    """Return a function that signs a message as Amazon does. `tampered` fields are changed after signing."""

    def sign(body: dict[str, Any], **tampered: Any) -> Message:
        if body["Type"] == "Notification":
            names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        else:
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{body[name]}\n" for name in names if body.get(name) is not None)
        algorithm = hashes.SHA1() if body["SignatureVersion"] == "1" else hashes.SHA256()
        signature = key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        body = {**body, "Signature": base64.b64encode(signature).decode(), **tampered}
        return read_message(json.dumps(body).encode())

    return sign


def test_the_text_to_sign_matches_amazons_documentation() -> None:
    message = read_message(json.dumps(notification()).encode())
    assert string_to_sign(message) == (
        b"Message\nthe shop is down\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nALARM\n"
        b"Timestamp\n2026-02-07T12:00:00.000Z\nTopicArn\n" + TOPIC.encode() + b"\nType\nNotification\n"
    )


def test_a_missing_subject_is_left_out_of_the_text_to_sign() -> None:
    body = notification()
    del body["Subject"]
    assert b"Subject" not in string_to_sign(read_message(json.dumps(body).encode()))


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_signed_by_amazon_is_accepted(signed: Sign, certificate: bytes, version: str) -> None:
    check_signature(signed(notification(SignatureVersion=version)), certificate, now=NOW)


def test_a_subscription_signature_covers_its_token_and_its_address(signed: Sign, certificate: bytes) -> None:
    body = notification(
        Type="SubscriptionConfirmation",
        Subject=None,
        Token="a-token",
        SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    )
    check_signature(signed(body), certificate, now=NOW)
    with pytest.raises(ForgedError):
        check_signature(
            signed(body, SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=Other"), certificate, now=NOW
        )


@pytest.mark.parametrize(
    "tampered",
    [
        {"Message": "all is well"},
        {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:alarms"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "bm90IHRoaXM="},
        {"Signature": "?"},
        {"Subject": None},
    ],
)
def test_a_message_changed_after_signing_is_refused(signed: Sign, certificate: bytes, tampered: dict[str, Any]) -> None:
    with pytest.raises(ForgedError):
        check_signature(signed(notification(), **tampered), certificate, now=NOW)


def test_an_expired_or_broken_certificate_is_refused(signed: Sign, certificate: bytes) -> None:
    message = signed(notification())
    with pytest.raises(ForgedError, match="not valid now"):
        check_signature(message, certificate, now=NOW + 7 * 86_400)
    with pytest.raises(ForgedError, match="cannot be read"):
        check_signature(message, b"<html>", now=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x",
        "https://user@sns.eu-west-1.amazonaws.com/x",
        "https://sns.eu-west-1.amazonaws.com:8443/x",
        "https://s3.eu-west-1.amazonaws.com/x",
        "https://sns.evil.s3.amazonaws.com/x",
        "https://SNS.EU-WEST-1.AMAZONAWS.COM\\@evil.example/x",
        "https://[::1]/x",
        "",
    ],
)
def test_only_addresses_of_sns_are_accepted(url: str) -> None:
    with pytest.raises(ForgedError):
        amazon_url(url)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "us-gov-west-1", "ap-southeast-2"])
def test_the_addresses_of_all_regions_are_accepted(region: str) -> None:
    assert amazon_url(f"https://sns.{region}.amazonaws.com/?Action=ConfirmSubscription&Token=t")
    assert amazon_url("https://sns.cn-north-1.amazonaws.com.cn/x")


@pytest.mark.parametrize("path", ["/", "/other.pem", "/SimpleNotificationService-1.pem?x=1", "/a/../x.pem"])
def test_only_certificate_paths_of_sns_are_accepted(path: str) -> None:
    message = read_message(
        json.dumps(notification(SigningCertURL=f"https://sns.eu-west-1.amazonaws.com{path}")).encode()
    )
    with pytest.raises(ForgedError):
        certificate_url(message)


ALARM = {
    "AlarmName": "checkout-errors",
    "AlarmDescription": "more than 5 errors a minute",
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 datapoint [9.0] was greater than 5.0.",
    "StateChangeTime": "2026-02-07T11:59:30.000+0000",
    "Region": "EU (Ireland)",
    "OldStateValue": "OK",
    "Trigger": {
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Dimensions": [{"value": "checkout", "name": "FunctionName"}],
        "Threshold": 5.0,
    },
}


@pytest.mark.parametrize(
    ("state", "status", "severity"),
    [("ALARM", "firing", "ERROR"), ("OK", "resolved", "INFO"), ("INSUFFICIENT_DATA", "firing", "WARN")],
)
def test_a_cloudwatch_alarm_becomes_an_alert_of_its_service(state: str, status: str, severity: str) -> None:
    body = notification(Message=json.dumps({**ALARM, "NewStateValue": state}))
    [alarm] = read_notification(read_message(json.dumps(body).encode()), now=NOW).records
    assert isinstance(alarm, Alert)
    record, change = to_record(alarm), to_change(alarm)
    assert (change.is_firing if change else None) == {"ALARM": True, "OK": False}.get(state)
    assert (record.service, record.severity, record.happened_at) == ("checkout", severity, NOW - 30)
    assert (record.attributes["alert"], record.attributes["status"]) == ("checkout-errors", status)
    assert "Threshold Crossed" in record.body


def test_another_notification_is_stored_as_a_plain_log_record() -> None:
    [record] = read_notification(read_message(json.dumps(notification()).encode()), now=NOW).records
    assert isinstance(record, LogRecord)
    assert (record.body, record.severity) == ("ALARM: the shop is down", "INFO")
    assert record.record_id == "sns:22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"


def test_an_alarm_with_an_implausible_time_is_refused_with_its_field() -> None:
    body = notification(Message=json.dumps({**ALARM, "StateChangeTime": "1999-01-01T00:00:00Z"}))
    [rejection] = read_notification(read_message(json.dumps(body).encode()), now=NOW).rejections
    assert rejection.field == "Message.StateChangeTime"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"Type": "Other"}', b"\xff"])
def test_a_body_that_is_not_an_sns_message_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_message(body)
