"""The AWS doors in a whole web process. A fake function fetches Amazon's pages."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient

from bot.doors.amazon_pages import CERTIFICATES_KEPT, AmazonPages
from bot.web.app import create_app
from detection.types import LogRecord
from workers.services import Services

if TYPE_CHECKING:
    # Starlette's test client is typed with httpx2 where that is installed.
    from httpx2 import Response

NOW = datetime(2026, 2, 7, 12, 30, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
CONFIRM_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
PLAIN = {"Content-Type": "text/plain; charset=UTF-8"}
JSON = {"Content-Type": "application/json"}


class Amazon:
    """Signs messages, and serves the certificate and the page that confirms a subscription."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).serial_number(1).public_key(self.key.public_key())
            .not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        self.visited: list[str] = []
        self.is_away = False

    async def fetch(self, url: str) -> bytes:
        self.visited.append(url)
        if self.is_away:
            raise httpx.ConnectError("away")
        return self.certificate

    def message(self, **changes: Any) -> bytes:
        body = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": json.dumps(
                {"AlarmName": "checkout-errors", "NewStateValue": "ALARM", "NewStateReason": "Threshold Crossed",
                 "StateChangeTime": "2026-02-07T12:00:00.000+0000",
                 "Trigger": {"Dimensions": [{"name": "FunctionName", "value": "checkout"}]}}
            ),
            "Timestamp": "2026-02-07T12:00:01.000Z",
            "SignatureVersion": "1",
            "SigningCertURL": CERTIFICATE_URL,
            **changes,
        }  # fmt: skip
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1())
        return json.dumps({"Signature": base64.b64encode(signature).decode(), **body}).encode()

    def subscription(self, **changes: Any) -> bytes:
        return self.message(
            **{"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "t",
               "SubscribeURL": CONFIRM_URL, **changes}
        )  # fmt: skip


@pytest.fixture(scope="module")
def keys() -> Amazon:
    return Amazon()


@pytest.fixture
def amazon(keys: Amazon) -> Amazon:
    keys.visited.clear()
    keys.is_away = False
    return keys


@pytest.fixture
def client(services: Services, amazon: Amazon) -> Iterator[TestClient]:
    services.settings = services.settings.model_copy(update={"sns_topic_arns": [TOPIC]})
    app = create_app(services)
    app.state.amazon_pages = AmazonPages(amazon.fetch)
    with TestClient(app) as client:
        yield client


def stored(services: Services) -> Sequence[LogRecord]:
    return services.telemetry.log_samples(since=0.0, until=1e11)


def test_a_signed_alarm_is_stored_once_and_its_certificate_is_fetched_once(
    client: TestClient, services: Services, amazon: Amazon
) -> None:
    first = client.post("/aws/sns", content=amazon.message(), headers=PLAIN)
    again = client.post("/aws/sns", content=amazon.message(), headers=PLAIN)
    assert (first.json()["accepted"], again.json()["duplicates"]) == (1, 1)
    [record] = stored(services)
    assert (record.service, record.attributes["status"]) == ("checkout", "firing")
    assert amazon.visited == [CERTIFICATE_URL]


def test_a_subscription_is_confirmed_by_opening_its_address(client: TestClient, amazon: Amazon) -> None:
    answer = client.post("/aws/sns", content=amazon.subscription(), headers=PLAIN)
    assert (answer.status_code, answer.json()) == (200, {"confirmed": TOPIC})
    assert amazon.visited == [CERTIFICATE_URL, CONFIRM_URL]


def test_a_subscription_never_opens_an_address_that_is_not_amazons(client: TestClient, amazon: Amazon) -> None:
    body = amazon.subscription(SubscribeURL="https://evil.example/?Action=ConfirmSubscription")
    answer = client.post("/aws/sns", content=body, headers=PLAIN)
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "SubscribeURL")
    assert amazon.visited == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    ("changes", "visited"),
    [
        ({"TopicArn": "arn:aws:sns:eu-west-1:666666666666:alarms"}, []),
        ({"SigningCertURL": "https://evil.example/SimpleNotificationService-1.pem"}, []),
        ({"Signature": "bm90IHRoaXM="}, [CERTIFICATE_URL]),
    ],
    ids=["another topic", "another host's certificate", "another signature"],
)
def test_a_message_from_another_topic_or_with_a_false_signature_is_refused(
    client: TestClient, services: Services, amazon: Amazon, changes: dict[str, str], visited: list[str]
) -> None:
    answer = client.post("/aws/sns", content=amazon.message(**changes), headers=PLAIN)
    assert answer.status_code == 403
    assert amazon.visited == visited
    assert stored(services) == []
    assert 'argux_ingest_rejected_total{door="sns",reason="forbidden"} 1.0' in client.get("/metrics").text


def test_while_the_certificate_cannot_be_fetched_amazon_is_told_to_retry(
    client: TestClient, services: Services, amazon: Amazon
) -> None:
    amazon.is_away = True
    answer = client.post("/aws/sns", content=amazon.message(), headers=PLAIN)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "20")
    amazon.is_away = False
    assert client.post("/aws/sns", content=amazon.message(), headers=PLAIN).status_code == 200
    assert len(stored(services)) == 1


def test_an_unsubscription_is_acknowledged(client: TestClient, services: Services, amazon: Amazon) -> None:
    body = amazon.subscription(Type="UnsubscribeConfirmation")
    assert client.post("/aws/sns", content=body, headers=PLAIN).status_code == 200
    assert amazon.visited == [CERTIFICATE_URL]
    assert stored(services) == []


async def test_the_certificate_cache_is_bounded() -> None:
    async def fetch(url: str) -> bytes:
        return url.encode()

    pages = AmazonPages(fetch)
    for number in range(3 * CERTIFICATES_KEPT):
        assert await pages.certificate(str(number)) == str(number).encode()
    assert len(pages._certificates) <= CERTIFICATES_KEPT


def packed(*ids: Any) -> str:
    events = [{"id": each, "timestamp": 1_770_465_600_000, "message": "ERROR refused"} for each in ids]
    message = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/aws/lambda/checkout", "logStream": "s",
               "subscriptionFilters": [], "logEvents": events}  # fmt: skip
    return base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()


def test_a_subscription_forwarded_by_a_lambda_is_stored_once(
    client: TestClient, services: Services, sender: Any
) -> None:
    body = {"awslogs": {"data": packed("1", "2")}}
    for _ in range(2):
        assert client.post("/aws/logs", json=body, headers=sender).status_code == 200
    assert len(stored(services)) == 2
    bad = client.post("/aws/logs", json={"awslogs": {"data": packed("3", 4)}}, headers=sender)
    assert (bad.status_code, bad.json()["error"]["field"]) == (422, "awslogs.data.logEvents[1].id")
    assert len(stored(services)) == 3


def firehose(client: TestClient, key: str, *records: str, **headers: str) -> Response:
    body = {"requestId": "ed4acda5", "timestamp": 1_770_465_600_000, "records": [{"data": data} for data in records]}
    sent = {**JSON, "X-Amz-Firehose-Request-Id": "ed4acda5", "X-Amz-Firehose-Access-Key": key, **headers}
    return client.post("/aws/firehose", content=gzip.compress(json.dumps(body).encode()),
                       headers={**sent, "Content-Encoding": "gzip"})  # fmt: skip


def test_firehose_is_answered_in_its_required_format(client: TestClient, services: Services, sender: Any) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    common = json.dumps({"commonAttributes": {"service": "api"}})
    plain = base64.b64encode(b"WARN slow\n").decode()

    answer = firehose(client, key, packed("1"), plain, **{"X-Amz-Firehose-Common-Attributes": common})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"requestId": "ed4acda5", "timestamp": int(NOW.timestamp() * 1000)}
    assert sorted(record.service for record in stored(services)) == ["api", "checkout"]
    firehose(client, key, packed("1"), plain)
    assert len(stored(services)) == 2


def test_firehose_gets_a_wrong_key_in_its_format_and_bad_records_beside_the_200(
    client: TestClient, services: Services, sender: Any
) -> None:
    refused = firehose(client, "argux_wrong", packed("1"))
    assert (refused.status_code, refused.json()["requestId"]) == (401, "ed4acda5")
    assert refused.json()["errorMessage"]
    key = sender["Authorization"].removeprefix("Bearer ")
    partly = firehose(client, key, "?", packed("1"))
    assert partly.status_code == 200
    assert [rejected["field"] for rejected in partly.json()["rejected"]] == ["records[0].data"]
    assert len(stored(services)) == 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-amz-sns-rawdelivery": "true"}, b'{"AlarmName": "hot", "NewStateValue": "ALARM"}'),
        ({"x-amz-sns-rawdelivery": "true", "x-amz-sns-message-type": "Notification"}, b"only words"),
        ({"x-amz-sns-rawdelivery": "true"}, b""),
        ({}, b'{"AlarmName": "hot", "AlarmDescription": null, "NewStateValue": "OK"}'),
    ],
)
def test_raw_message_delivery_is_refused_in_words_that_say_how_to_mend_it(
    client: TestClient, headers: dict[str, str], body: bytes
) -> None:
    answer = client.post("/aws/sns", content=body, headers={**PLAIN, **headers})
    assert answer.status_code == 422
    assert "Turn raw message delivery off for this subscription" in answer.json()["error"]["message"]
