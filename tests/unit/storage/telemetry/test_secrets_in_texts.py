"""Secrets in lines, URLs, headers and annotations are hidden; what only speaks of them, or looks alike, stays."""

from __future__ import annotations

import pytest

from detection.types import Event, LogRecord, Span, SpanKind
from storage.telemetry.rows.keys import events_without_keys, logs_without_keys, spans_without_keys, text_without_keys

LETTERS = "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("loaded AKIA2Q7XW3ZK9PLM4TRB from the profile", "AKIA2Q7XW3ZK9PLM4TRB"),
        ("aws_secret_access_key: 9dPq/Rz1+Lk3VbN8mXc5Tg7Yh2Jf4Ws6Ea0Ui1Oo", "9dPq"),
        ("AWS_SECRET_ACCESS_KEY=9dPqRz1+Lk3VbN8mXc5Tg7Yh2Jf4Ws6Ea0Ui1Oo run", "9dPqRz1"),
        ("> Authorization: Bearer qwertyuiop", "qwertyuiop"),
        ('headers={"authorization": "Basic Y2hlZXNlOmNhdmU="}', "Y2hl"),
        ("http.request.header.authorization=[Bearer 77aa88bb99cc]", "77aa"),
        ("retry with bearer 0f1e2d3c4b5a6978", "0f1e2d"),
        ("stripe said no to sk_test_" + LETTERS[:24], "sk_test_a"),
        (f"clone with ghs_{LETTERS} failed", "ghs_aB"),
        (f"github_pat_{LETTERS}", LETTERS),
        ("posting to https://hooks.slack.com/services/T11/B22/zzYY", "zzYY"),
        ("xoxp-2345-abcd-efgh is revoked", "xoxp-2345"),
        ("jwt=eyJ0eXAiOiJKV1Qi.eyJleHAiOjE3NjB9.sIgNaTuRe-_x", "eyJ0eXA"),
        ("connect mongodb+srv://vat:br1ne@cave.example/whey?x=1", "br1ne"),
        ("dial vat:br1ne@tcp(cave:3306)/whey", "br1ne"),
        ("dsn Host=cave;Username=vat;Password=Br1ne$;Timeout=3", "Br1ne"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA\n-----END OPENSSH PRIVATE KEY-----\n", "b3Blbn"),
        ("key was -----BEGIN EC PRIVATE KEY-----\nMHcCAQEE and cut", "MHcCAQ"),
        ("GET /hook?access_token=vv11&page=2", "vv11"),
        ("GET /blob?sv=2024&sig=Zm9vYmFyYmF6cXV4MTIzNDU%3D", "Zm9v"),
        ("Set-Cookie: cave=9f8e7d; HttpOnly", "9f8e7d"),
        ("run whey --token 5up3rs3cr3t --verbose", "5up3rs"),
        ("ALTER ROLE vat PASSWORD 'br1ne'", "br1ne"),
        (r'{"log":"{\"db_password\":\"br1ne\"}"}', "br1ne"),
        ("config api-key: 77f0aa", "77f0aa"),
        ("SENDGRID SG." + LETTERS[:22] + "." + LETTERS, "SG.aB"),
        ("İ the length of a text may change in lower case, password=br1ne", "br1ne"),
    ],
)
def test_a_secret_within_a_text_is_hidden(text: str, secret: str) -> None:
    shown = text_without_keys(text)
    assert secret not in shown
    assert "[redacted]" in shown
    assert text_without_keys(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token_count=5120 max_tokens=900 author=Ines keyboard=de",
        "wrong password for vat, password_attempts=3",
        "password: must have 8 characters",
        "token expired 15 minutes ago; token=ETH",
        "authorization declined for order 20261130",
        "authorization: basic authentication is off",
        "Bearer token of the request is missing",
        "put key=whey/2026/11/30/part-000123456789.parquet",
        "cert-manager secret=cave/tls-2026-11-30 renewed",
        "PWD=/srv/whey HOME=/root",
        "ask-about-risk-2026-11-30-full-report",
        "https://whey.example:8443/a@b and ssh://git@code.example/whey",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736, commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "secret ${WHEY_SECRET} is not set; password=$PASSWORD",
        "cookie banner shown: yes",
        "monkey: banana20261130, passed: 12000000, design: v2026",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert text_without_keys(text) == text


@pytest.mark.parametrize(
    "properties",
    [
        {"password": "br1ne"},
        {"http.request.header.authorization": ["Bearer abcdef"]},
        {"headers": {"X-Api-Key": "abcdef", "Cookie": "cave=1"}},
        {"db": [{"clientSecret": "br1ne"}]},
        {"refreshToken": "1//abc"},
        {"aws_secret_access_key": "9dPqRz1"},
    ],
)
def test_a_secret_under_its_name_is_left_out_at_any_depth(properties: dict[str, object]) -> None:
    [event] = events_without_keys([Event("1", "Paid", "u", 0.0, {**properties, "plan": "gold"})])  # type: ignore[dict-item]
    assert event.properties["plan"] == "gold"
    assert not {"br1ne", "abcdef", "cave=1", "1//abc", "9dPqRz1"} & set(repr(event).split("'"))


@pytest.mark.parametrize(
    "properties",
    [
        {"token_count": "117", "tokens": "5", "author": "Ines", "keyboard": "de", "key": "arrow-left"},
        {"password": True, "has_password": "yes", "forgot_password": "reset", "password_strength": "weak"},
        {"secret": "cave/tls", "authorization": "approved", "cookie": "accepted", "monkey": "x1"},
        {"page_token": "next", "public_key_id": "77f0aabbccddeeff"},
    ],
)
def test_ordinary_properties_stay(properties: dict[str, object]) -> None:
    events = [Event("1", "Paid", "u", 0.0, properties)]  # type: ignore[arg-type]
    assert events_without_keys(events)[0].properties == properties


def test_one_secret_changes_no_other_record() -> None:
    plain = LogRecord("1", "vat", None, 0.0, "INFO", "token bucket full, key=3", None, {"host": "cave"})
    leaky = LogRecord("2", "vat", None, 0.0, "INFO", "password=br1ne", None, {"url": "https://a:br1ne@b/", "n": 1})
    first, second = logs_without_keys([plain, leaky])
    assert first == plain
    assert (second.body, second.attributes) == ("password=[redacted]", {"url": "https://a:[redacted]@b/", "n": 1})


def test_a_span_keeps_no_secret_of_a_statement_or_a_name() -> None:
    query = '{"createUser": "vat", "password": "br1ne"}'
    plain = Span("t", "1", None, SpanKind.SERVER, "GET /token", "vat", None, 0.0, 1.0, False, endpoint="GET /token")
    leaky = Span(
        "t", "2", None, SpanKind.DATABASE, "auth br1ne: password=br1ne", "vat", None, 0.0, 1.0, False, statement=query
    )
    first, second = spans_without_keys([plain, leaky])
    assert first == plain
    assert second.statement == '{"createUser": "vat", "password": "[redacted]"}'
    assert second.name == "auth br1ne: password=[redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "password " * 8_000,
        "token=" + "a" * 80_000,
        "://a:" * 20_000,
        "key" + " " * 80_000,
        "bearer " * 9_000 + "a" * 90,
        'password="' * 8_000,
        "-----BEGIN PRIVATE KEY-----" * 2_000,
        "eyJaaaaaaaaa." * 6_000,
        "--secret" + " " * 50_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    assert text_without_keys(text)
