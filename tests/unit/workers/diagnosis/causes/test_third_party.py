"""A third party that is down is found by failing calls and its feed; what is ours, or healthy, is none."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.scenery import HOUR, ONSET, K, calls, line, observed, sign, status, weights_of
from workers.diagnosis import weights
from workers.diagnosis.causes.hosts import company_of, outside_hosts
from workers.diagnosis.causes.kinds.third_party import suspects

TIMEOUT = "POST https://api.stripe.com/v1/charges: timeout after 10s"
ERRORS = (sign("checkout", K.ERRORS),)


def test_a_provider_whose_calls_fail_is_found_with_the_lines_that_say_so() -> None:
    found = list(suspects(observed(signs=ERRORS, lines=[line("checkout", TIMEOUT)])))

    assert [item.hypothesis.key for item in found] == ["third_party:stripe"]
    assert weights_of(found[0])["failing_calls"] == weights.CALLS_TO_IT_FAIL
    assert weights_of(found[0])["status_feed"] == 0


def test_a_feed_that_tells_of_an_incident_at_the_time_speaks_for_it() -> None:
    scene = observed(signs=ERRORS, lines=[line("checkout", TIMEOUT)], statuses=[status("Stripe", "api.stripe.com")])

    assert weights_of(*suspects(scene))["status_feed"] == weights.FEED_TELLS_OF_IT


def test_a_feed_whose_incident_ended_long_before_speaks_against_it() -> None:
    old = status("Stripe", "api.stripe.com", began=ONSET - 5 * HOUR, ended=ONSET - 4 * HOUR)
    scene = observed(signs=ERRORS, lines=[line("checkout", TIMEOUT)], statuses=[old])

    assert weights_of(*suspects(scene))["status_feed"] == weights.FEED_TELLS_OF_NONE


def test_a_metric_of_calls_to_the_outside_among_the_first_signs_speaks_for_it() -> None:
    first = sign("checkout", K.LATENCY, text="payment_provider_latency_ms")

    assert "outside_metric" in weights_of(*suspects(observed(signs=[first], lines=[line("checkout", TIMEOUT)])))


def test_one_failing_call_in_many_other_errors_says_little() -> None:
    lines = [line("checkout", TIMEOUT, count=5), line("checkout", "panic: nil map", count=500)]

    assert weights_of(*suspects(observed(signs=ERRORS, lines=lines)))["failing_calls"] == weights.SOME_CALLS_TO_IT_FAIL


def test_a_provider_that_lines_name_without_its_host_is_found_if_its_feed_tells_of_an_incident() -> None:
    named = [line("checkout", "stripe charge returned 503")]
    told = observed(signs=ERRORS, lines=named, statuses=[status("Stripe", "api.stripe.com")])

    assert weights_of(*suspects(told))["failing_calls"] == weights.CALLS_TO_IT_FAIL
    assert not list(suspects(observed(signs=ERRORS, lines=named)))


def test_the_incident_of_a_provider_that_nothing_here_calls_is_no_cause() -> None:
    assert not list(suspects(observed(signs=ERRORS, statuses=[status("Fastly", "api.fastly.com")])))


def test_a_provider_that_is_called_and_whose_feed_tells_of_an_incident_is_found_without_lines() -> None:
    scene = observed(
        signs=ERRORS, edges=[calls("checkout", "api.stripe.com")], statuses=[status("Stripe", "api.stripe.com")]
    )

    assert [item.hypothesis.key for item in suspects(scene)] == ["third_party:stripe"]


@pytest.mark.parametrize(
    "text",
    [
        "GET http://payments:8080/pay: timeout",
        "GET https://payments.shop.internal/pay: timeout",
        "GET http://payments.prod.svc.cluster.local/pay: connection refused",
        "GET https://payments.example.com/pay: timeout",
        "dial tcp 10.1.2.3:5432: i/o timeout",
        "GET http://localhost:9000/health failed with 503",
        "timeout in com.shop.checkout.PayService.charge(PayService.java:42)",
        "error: failed to load app.config.js from main.py",
        "com.netflix.hystrix.exception.HystrixRuntimeException: pay timed-out",
        "io.grpc.StatusRuntimeException: DEADLINE_EXCEEDED",
        "mail to ann@example.com failed: timeout of queue",
    ],
)
def test_a_service_of_our_own_or_a_name_of_code_is_no_third_party(text: str) -> None:
    assert not list(suspects(observed(signs=ERRORS, lines=[line("checkout", text)], parts=["payments"])))


def test_lines_that_always_come_are_no_sign_of_a_third_party() -> None:
    usual = line("checkout", TIMEOUT, count=50, usual=48)

    assert not list(suspects(observed(signs=ERRORS, lines=[usual])))


def test_a_calm_line_that_names_a_host_is_no_failing_call() -> None:
    calm = line("checkout", "charged through https://api.stripe.com/v1/charges", bad=False)

    assert not list(suspects(observed(signs=ERRORS, lines=[calm])))


def test_an_expired_certificate_of_a_host_is_not_told_as_a_provider_that_is_down() -> None:
    text = "GET https://api.stripe.com: x509: certificate has expired"

    assert not list(suspects(observed(signs=ERRORS, lines=[line("checkout", text)])))


@pytest.mark.parametrize(
    ("host", "company"),
    [("api.stripe.com", "stripe"), ("pay.bank.co.uk", "bank"), ("s3.eu-west-1.amazonaws.com", "amazonaws")],
)
def test_the_company_of_a_host_is_the_label_before_its_ending(host: str, company: str) -> None:
    assert company_of(host) == company


def test_hosts_outside_are_told_from_private_ones() -> None:
    text = "POST https://api.acme.io/a via proxy.corp and http://db.local:80 to orders.shop.svc"

    assert outside_hosts(text, ["orders"]) == {"api.acme.io"}


def test_a_provider_that_refuses_what_it_is_sent_is_suspected_little_without_its_feed() -> None:
    refused = line("checkout", "GET https://api.maps.example.com/v1: 401 unauthorized")

    assert (
        weights_of(*suspects(observed(signs=ERRORS, lines=[refused])))["failing_calls"] == weights.SOME_CALLS_TO_IT_FAIL
    )


def test_a_provider_that_refuses_and_whose_feed_tells_of_an_incident_is_found() -> None:
    refused = line("checkout", "token rejected: no key matches, from https://login.idp.example.com/keys")
    scene = observed(signs=ERRORS, lines=[refused], statuses=[status("Example", "login.idp.example.com")])

    found = weights_of(*suspects(scene))
    assert (found["failing_calls"], found["status_feed"]) == (weights.CALLS_TO_IT_FAIL, weights.FEED_TELLS_OF_IT)


def test_a_provider_that_says_our_key_expired_is_well() -> None:
    expired = line("checkout", "POST https://api.sms.example.com/send: 401 access key expired")

    assert not list(suspects(observed(signs=ERRORS, lines=[expired])))


def test_a_provider_that_a_calm_line_names_and_whose_feed_tells_of_an_incident_is_found() -> None:
    calm = line("checkout", "keys read from https://login.idp.example.com/keys", bad=False)
    scene = observed(signs=ERRORS, lines=[calm], statuses=[status("Example", "login.idp.example.com")])

    assert [item.hypothesis.key for item in suspects(scene)] == ["third_party:example"]
