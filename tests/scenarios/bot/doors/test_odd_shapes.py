"""Whatever is sent to a door, with a key or a true signature, is taken or refused with a reason: never a 500."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import logging
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.doors import monitoring, otlp, own, product
from bot.reception.gate import Limits
from bot.web.app import create_app
from tests.scenarios.bot.routes import addresses
from workers.services import Services

SECRET = "a-shared-secret"
MEGABYTE = 1_000_000
LIMITS = Limits(body_bytes=MEGABYTE, decoded_bytes=2 * MEGABYTE)
TYPES = [
    "application/json", "application/x-ndjson", "application/x-protobuf", "application/x-www-form-urlencoded",
    "application/x-sentry-envelope", "text/plain",
]  # fmt: skip
SIGNED = {"/github/webhooks", "/sentry/webhook", "/aws/sns", "/launchdarkly/webhook", "/flagsmith/webhook"}
"""Doors that need no key, because a signature says who sends."""


ADDRESSES = [
    one
    for router in (own.router, product.router, otlp.router, monitoring.router)
    for one in addresses(router.routes)
    if one.method in ("POST", "PUT")
]
DOORS = [(one.method, one.path) for one in ADDRESSES]
READERS = [(one.method, one.path) for one in {one.does: one for one in ADDRESSES}.values()]
"""One door for each function that reads bodies; the others are further addresses of these."""

IN_BODY = {one.path for one in addresses(product.router.routes)}

DEEP_LIST, DEEP_OBJECT = "[" * 100_000, '{"a":' * 50_000
ODD_VALUES = [
    "null", "true", "0", "-1", "1e400", "9" * 400, "9" * 5000, '"text"', '""', "[]", "[null]", "[[]]", "[7]", "{}",
    '{"a": null}', "[{}]", "NaN", "-Infinity", '"\\ud800"', '"\\u0000"', '["\\udc00\\ud800"]', DEEP_LIST, DEEP_OBJECT,
    '{"a": 1, "a": 2}', '"' + "9" * 5000 + '"', '"' + "x" * 5000 + '"', "1.5", "[1e308, -1e308]",
]  # fmt: skip
NAMES = [
    "batch", "events", "alerts", "records", "resourceSpans", "resourceLogs", "resourceMetrics", "streams", "awslogs",
    "Records", "event", "service", "version", "commit_sha", "repository", "deployed_at", "api_key", "token", "writeKey",
    "distinct_id", "user_id", "userId", "properties", "timestamp", "time", "date", "title", "alert_title", "labels",
    "status", "startsAt", "message", "Message", "Type", "TopicArn", "MessageId", "Timestamp", "SignatureVersion",
    "Signature", "SigningCertURL", "data", "action", "deployment", "deployment_status", "repository", "installation",
    "kind", "items", "metadata", "involvedObject", "object", "reason", "incidents", "components", "page", "_id",
    "accesses", "flag", "after", "at", "sha", "committed_at", "files", "edges", "services", "featureName",
    "messages", "type", "context", "traits", "create", "index", "stream", "values", "hostname", "ddtags", "event_type",
]  # fmt: skip
DOCUMENTS = [
    *ODD_VALUES,
    *("{" + ", ".join(f'"{name}": {value}' for name in NAMES) + "}" for value in ODD_VALUES if len(value) < 5100),
    *(f'[{{"event": {one}, "properties": {one}, "timestamp": {one}}}]' for one in ODD_VALUES if len(one) < 500),
]
BODIES = [
    *(text.encode() for text in DOCUMENTS),
    b"", b" ", b"\n\n", b"{", b'{"a": ', b"\xff\xfe\x00", b"\xef\xbb\xbf{}", '{"event": "é"}'.encode("latin-1"),
    '{"event": "e"}'.encode("utf-16"), b"\x00" * 64, b"payload=%ff", b"data=%7B", b"data=bm90", b"&" * 5000,
    b"a=1&" * 5000, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\x0a\x00" * 20, b"\x0a" * 5000,
]  # fmt: skip


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    services.settings = services.settings.model_copy(
        update={
            "github_webhook_secret": SecretStr(SECRET),
            "sentry_client_secret": SecretStr(SECRET),
            "launchdarkly_webhook_secret": SecretStr(SECRET),
            "flagsmith_webhook_secret": SecretStr(SECRET),
            "sns_topic_arns": ["arn:aws:sns:eu-west-1:1:alarms"],
            "service_repositories": {"shop": "acme/shop"},
        }
    )
    with TestClient(create_app(services, limits=LIMITS), follow_redirects=False) as client:
        yield client


def signatures(body: bytes) -> dict[str, str]:
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    vendors = dict.fromkeys(("Sentry-Hook-Signature", "X-LD-Signature", "X-Flagsmith-Signature"), mac)
    return {"X-Hub-Signature-256": f"sha256={mac}", **vendors}


def path_of(path: str) -> str:
    return path.replace("{project}", "1").replace("{index}", "logs")


def types_of(client: TestClient, method: str, path: str, sender: dict[str, str]) -> list[str]:
    """Return the content types that the door takes."""
    taken = []
    for kind in TYPES:
        answer = client.request(method, path_of(path), content=b"", headers={**sender, "Content-Type": kind})
        if answer.status_code != 415 and "must be application" not in answer.text:
            taken.append(kind)
    return taken


def variants(path: str) -> list[dict[str, str]]:
    """Return the headers in which a door's reading differs."""
    if path == "/github/webhooks":
        return [{"X-GitHub-Event": event} for event in ("push", "deployment_status", "ping", "\u00e9")]
    if path == "/sentry/webhook":
        return [{"Sentry-Hook-Resource": resource} for resource in ("event_alert", "metric_alert", "issue", "\u00e9")]
    return [{}]


@pytest.mark.parametrize(("method", "path"), READERS)
def test_an_odd_body_is_taken_or_refused_with_a_reason(
    client: TestClient, sender: dict[str, str], caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    types = types_of(client, method, path, sender)
    assert types
    for kind in types:
        for body in BODIES:
            for more in variants(path):
                headers = {**sender, "Content-Type": kind, **signatures(body), **more}
                sent = [(name.encode(), value.encode()) for name, value in headers.items()]
                answer = client.request(method, path_of(path), content=body, headers=sent)
                assert answer.status_code < 500, (kind, body[:200])
                assert answer.status_code < 400 or len(answer.content) > 10, (kind, body[:200])
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert [record.getMessage() for record in logged] == []


@pytest.mark.parametrize(("method", "path"), READERS)
def test_an_odd_encoding_is_refused_with_a_reason(
    client: TestClient, sender: dict[str, str], method: str, path: str
) -> None:
    good = b'{"event": "page_view", "properties": {"user_id": "u"}}'
    whole = gzip.compress(good)
    bomb = gzip.compress(b" " * 30 * MEGABYTE)
    bodies = [
        ("gzip", whole[:-9]), ("gzip", whole[:12]), ("gzip", good), ("gzip", b""), ("gzip", bomb),
        ("gzip", whole + b"more"), ("deflate", zlib.compress(good)[:-5]), ("deflate", b"\x00\x01"), ("br", good),
        ("gzip, gzip", gzip.compress(whole)), ("snappy", b"\xff\xff\xff\xff\xff"), ("zstd", b"\x28\xb5\x2f\xfd\x00"),
        ("identity", b"x" * (MEGABYTE + 1)), ("\u00e9", good),
    ]  # fmt: skip
    for kind in types_of(client, method, path, sender):
        for encoding, body in bodies:
            headers = {**sender, "Content-Type": kind, "Content-Encoding": encoding, **signatures(body)}
            sent = [(name.encode(), value.encode()) for name, value in headers.items()]
            answer = client.request(method, path_of(path), content=body, headers=sent)
            assert answer.status_code < 500, (kind, encoding, body[:50])
        for odd in (f"{kind}; charset=utf-7", f"{kind};;;", f"{kind}; charset=\u00e9", "x" * 500, ";"):
            headers = {**sender, "Content-Type": odd, **signatures(good)}
            sent = [(name.encode(), value.encode()) for name, value in headers.items()]
            assert client.request(method, path_of(path), content=good, headers=sent).status_code < 500, odd


UNREAD = [b"", b"{", b"null", DEEP_LIST.encode(), b"\xff\xfe", b'{"api_key": "\\ud800", "batch": []}', b"[]"]
NO_KEYS: list[dict[str, str]] = [
    {}, {"Authorization": "Bearer "}, {"Authorization": "Bearer argux_no"}, {"X-API-Key": "\u00e9"},
    {"Authorization": "Basic not-base64"}, {"Authorization": "Digest x"}, {"X-API-Key": "x" * 3000},
    {"Authorization": "Basic " + base64.b64encode(b"\xff:\xfe").decode()},
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_a_key_or_signature_nothing_is_taken(client: TestClient, method: str, path: str) -> None:
    for headers in NO_KEYS:
        for body in UNREAD:
            named = {**headers, "Content-Type": "application/json"}
            sent = [(name.encode(), value.encode()) for name, value in named.items()]
            answer = client.request(method, path_of(path), content=body, headers=sent)
            assert 400 <= answer.status_code < 500, (headers, body[:50])
            if path not in IN_BODY | SIGNED:
                assert answer.status_code == 401, (headers, body[:50])


@pytest.mark.parametrize("path", sorted(SIGNED - {"/aws/sns"}))
@pytest.mark.parametrize("wrong", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "\u00e9", "0" * 63, " "])
def test_a_body_with_a_wrong_signature_is_401_before_it_is_read(client: TestClient, path: str, wrong: str) -> None:
    for body in (b"", b"{", DEEP_LIST.encode(), b"\xff\xfe"):
        headers: dict[str, Any] = {"Content-Type": "application/json", "X-Hub-Signature-256": wrong.encode()}
        headers["Sentry-Hook-Signature"] = wrong.encode()
        assert client.post(path, content=body, headers=headers).status_code == 401, body[:50]
