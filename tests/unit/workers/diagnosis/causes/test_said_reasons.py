"""Reasons that the failing part itself gives speak against a change that cannot bring them about."""

from __future__ import annotations

import pytest

from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import MINUTE, ONSET, K, commit, line, observed, sign
from workers.diagnosis import weights
from workers.diagnosis.causes.by_change.changes import check_change, judge_commits

ERRORS = (sign("checkout", K.ERRORS),)
EXPIRED = "x509: certificate has expired or is not yet valid"


def held(diff: str, text: str, path: str = "checkout/client.py", other: int = 0) -> float | None:
    """Return what speaks against a change of the checkout because of what its own lines say."""
    scene = observed(signs=ERRORS, lines=[line("checkout", text), line("checkout", "panic: nil map", count=other)])
    judged = judge_commits([commit(path, diff)], "checkout", scene)
    found = check_change("deploy:1", ours("deploy 1"), judged, ["checkout"], ONSET - MINUTE, scene)
    return next((item.weight for item in found if item.check == "another_reason"), None)


@pytest.mark.parametrize("text", ["the api key has expired", EXPIRED])
def test_what_ended_by_itself_speaks_against_code_that_cannot_end_it(text: str) -> None:
    assert held("-    send(a)\n+    send(a, b)", text) == weights.ANOTHER_REASON_SAID


def test_a_change_of_the_secret_may_have_put_an_old_one_in_its_place() -> None:
    changed = "-  api_key: ${GEO_KEY_2}\n+  api_key: ${GEO_KEY_1}"

    assert held(changed, "the api key has expired", "checkout/config.yaml") is None


def test_a_token_of_a_user_that_expires_gives_no_other_reason() -> None:
    assert held("-    send(a)\n+    send(a, b)", "the session token of user 7 expired") is None


def test_a_reason_in_few_of_many_errors_is_not_the_reason() -> None:
    assert held("-    send(a)\n+    send(a, b)", "the api key has expired", other=900) is None


THEIR_ERROR = "charge failed: POST https://api.paygate.example/v1/charges answered 503 Service Unavailable"


def test_an_error_of_another_companys_own_speaks_against_code_that_computes_something_else() -> None:
    assert held("-    send(a)\n+    send(a, b)", THEIR_ERROR) == weights.ANOTHER_COMPANY_FAILS


@pytest.mark.parametrize(
    ("diff", "path"),
    [
        ("-    retries = 2\n+    retries = 20", "checkout/client.py"),
        ("+    for item in items:\n+        client.charge(item)", "checkout/client.py"),
        ("-  url: https://api.paygate.example\n+  url: https://eu.paygate.example", "checkout/config.yaml"),
    ],
)
def test_whom_it_asks_and_how_often_may_be_why_another_company_fails(diff: str, path: str) -> None:
    assert held(diff, THEIR_ERROR, path) is None


@pytest.mark.parametrize(
    "text",
    [
        "POST http://stock.svc.local/reserve answered 503 Service Unavailable",
        "POST https://api.paygate.example/v1/charges answered 422 Unprocessable Entity",
        "POST https://api.paygate.example/v1/charges: field amount is missing",
    ],
)
def test_an_error_of_ones_own_parts_or_about_what_was_sent_gives_no_other_reason(text: str) -> None:
    assert held("-    send(a)\n+    send(a, b)", text) is None


TOO_SLOW = "POST https://api.paygate.example/v1/charges: context deadline exceeded"


@pytest.mark.parametrize(
    ("diff", "path"),
    [
        ("-    send(a)\n+    send(a, b)", "checkout/client.py"),
        ("-  max_retries: 2\n+  max_retries: 3", "checkout/config.yaml"),
    ],
)
def test_what_it_sends_and_one_attempt_more_do_not_slow_another_company(diff: str, path: str) -> None:
    assert held(diff, TOO_SLOW, path) == weights.ANOTHER_REASON_SAID


@pytest.mark.parametrize(
    ("diff", "path"),
    [
        ("-  timeout: 5s\n+  timeout: 200ms", "checkout/config.yaml"),
        ("-  max_retries: 2\n+  max_retries: 20", "checkout/config.yaml"),
    ],
)
def test_how_long_it_waits_may_be_why_another_company_is_too_slow(diff: str, path: str) -> None:
    assert held(diff, TOO_SLOW, path) is None


def test_which_ciphers_are_allowed_ends_no_certificate() -> None:
    changed = "-    tls.TLS_RSA_WITH_AES_128_CBC_SHA,\n+    tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
    assert held(changed, EXPIRED, "checkout/tlsconf.go") == weights.ANOTHER_REASON_SAID


@pytest.mark.parametrize(
    "text",
    [
        "dial tcp: lookup stock.svc on 10.0.0.10:53: server misbehaving",
        "java.net.UnknownHostException: stock",
        "connect: no route to host",
    ],
)
def test_what_it_sends_is_no_reason_for_a_name_that_is_not_found_or_a_way_that_is_not_there(text: str) -> None:
    assert held("-    send(a)\n+    send(a, b)", text) == weights.ANOTHER_REASON_SAID
    assert held("-  stock_url: http://stock\n+  stock_url: http://stok", text, "checkout/config.yaml") is None


REFUSED = "redis: connection refused session-redis:6379"


def test_how_long_a_caller_waits_is_no_reason_for_a_refused_connection() -> None:
    assert held("-  timeout: 5s\n+  timeout: 2s", REFUSED, "checkout/config.yaml") == weights.NOBODY_LISTENS


@pytest.mark.parametrize(
    ("diff", "text"),
    [
        ("-  redis_port: 6379\n+  redis_port: 6380", REFUSED),
        ("-  replicas: 3\n+  replicas: 1", REFUSED),
        ("-  timeout: 5s\n+  timeout: 2s", "redis: i/o timeout session-redis:6379"),
    ],
)
def test_where_it_calls_and_what_it_runs_on_may_be_and_a_timeout_is_no_refusal(diff: str, text: str) -> None:
    assert held(diff, text, "checkout/config.yaml") is None


def test_another_companys_error_in_few_of_many_errors_is_not_the_reason() -> None:
    assert held("-    send(a)\n+    send(a, b)", THEIR_ERROR, other=900) is None
