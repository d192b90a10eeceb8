"""Certificates and credentials that ran out, and those that are checked and fine."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from detection.chain import LineGroup
from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    line,
    observed,
    sign,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds import certificate, credential
from workers.diagnosis.scene.model import Course

ERRORS = (sign("checkout", K.ERRORS),)
EXPIRED = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"


def countdown(ends_at: float, name: str = "ssl_certificate_expiry_seconds") -> Course:
    times = np.arange(START, END, MINUTE)
    return Course("checkout", name, times, ends_at - times)


def test_lines_of_an_expired_certificate_are_found() -> None:
    (found,) = certificate.suspects(observed(signs=ERRORS, lines=[line("checkout", EXPIRED)]))

    assert weights_of(found) == {"expired_lines": weights.LINES_SAY_EXPIRED}


def test_a_countdown_that_reached_zero_at_the_onset_is_found() -> None:
    (found,) = certificate.suspects(observed(signs=ERRORS, courses=[countdown(ONSET)]))

    assert weights_of(found) == {"countdown": weights.COUNTDOWN_ENDED}
    assert found.hypothesis.service == "checkout"


def test_the_last_moment_of_validity_that_a_text_names_is_held_against_the_onset() -> None:
    written = datetime.fromtimestamp(ONSET, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    text = f"certificate has expired, notAfter={written}Z"
    (found,) = certificate.suspects(observed(signs=ERRORS, lines=[line("checkout", text)]))

    assert weights_of(found)["not_after"] == weights.VALID_UNTIL_THE_ONSET


@pytest.mark.parametrize(
    "text",
    [
        "certificate checked: valid for 80 more days",
        "certificate of checkout renewed, expires at 2031-01-01T00:00:00Z",
        "certificate for api.shop.com will expire in 30 days",
        "certificate expiry check passed",
        "certificate is fine; session token expired",
        "gift certificate 123 has expired",
    ],
)
def test_a_certificate_that_is_checked_and_fine_is_no_cause(text: str) -> None:
    assert not list(certificate.suspects(observed(signs=ERRORS, lines=[line("checkout", text)])))


def test_a_countdown_that_has_long_to_go_is_no_cause() -> None:
    assert not list(certificate.suspects(observed(signs=ERRORS, courses=[countdown(ONSET + 30 * 24 * HOUR)])))


def test_a_countdown_that_ended_long_before_is_no_cause() -> None:
    assert not list(certificate.suspects(observed(signs=ERRORS, courses=[countdown(ONSET - 40 * MINUTE)])))


def test_lines_of_an_expired_certificate_that_always_come_are_no_cause() -> None:
    usual = line("checkout", EXPIRED, count=50, usual=45)

    assert not list(certificate.suspects(observed(signs=ERRORS, lines=[usual])))


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("vault: service token expired", weights.CREDENTIAL_ENDED),
        ("aws: ExpiredToken: The security token included in the request is expired", weights.CREDENTIAL_ENDED),
        ('FATAL: password authentication failed for user "orders"', weights.CREDENTIAL_REFUSED),
        ("the api key has been revoked", weights.CREDENTIAL_ENDED),
        ("client credentials are no longer valid", weights.CREDENTIAL_ENDED),
        ("POST https://api.maps.example.com/v1 -> 403 (subscription key expired)", weights.CREDENTIAL_ENDED),
        ("jwt rejected: bearer token expired", weights.CREDENTIAL_REFUSED),
    ],
)
def test_a_refused_credential_is_found(text: str, weight: float) -> None:
    (found,) = credential.suspects(observed(signs=ERRORS, lines=[line("checkout", text)]))

    assert weights_of(found)["refused_lines"] == weight
    assert found.hypothesis.service == "checkout"


def test_a_key_that_a_line_says_was_valid_until_the_onset_ended_then() -> None:
    written = datetime.fromtimestamp(ONSET, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    lines = [
        line("checkout", "401 from the geocoder: api key expired"),
        line("checkout", f"api key geo-3 is valid until {written}Z", bad=False),
    ]
    (found,) = credential.suspects(observed(signs=ERRORS, lines=lines))

    assert weights_of(found)["valid_until"] == weights.VALID_UNTIL_THE_ONSET


def test_a_key_that_is_valid_for_long_did_not_end_at_the_onset() -> None:
    lines = [
        line("checkout", "401 from the geocoder: api key expired"),
        line("checkout", "api key geo-3 is valid until 2099-01-01T00:00:00Z", bad=False),
    ]
    (found,) = credential.suspects(observed(signs=ERRORS, lines=lines))

    assert "valid_until" not in weights_of(found)


def test_a_refused_credential_in_few_of_many_errors_says_little() -> None:
    lines = [line("checkout", "service token expired", count=5), line("checkout", "panic: nil map", count=500)]
    (found,) = credential.suspects(observed(signs=ERRORS, lines=lines))

    assert weights_of(found)["refused_lines"] < 1


@pytest.mark.parametrize(
    "group",
    [
        line("checkout", "session token expired for user 17", count=60, usual=55),
        line("checkout", EXPIRED),
        line("mailer", "api token expired"),
        line("checkout", "cart lease of user renewed"),
        line("checkout", "the session of user 17 expired", bad=False),
        line("checkout", "user session token expired, asking to log in", bad=False),
    ],
)
def test_what_expires_every_day_or_elsewhere_is_no_credential(group: LineGroup) -> None:
    assert not list(credential.suspects(observed(signs=ERRORS, lines=[group], parts=["mailer"])))


@pytest.mark.parametrize(
    "text",
    [
        "PKIX path validation failed: CN=Issuing CA 2: validity check failed",
        "CertPathValidatorException: the intermediate CA of the chain is expired",
        "verify error: issuer of the client certificate expired",
    ],
)
def test_a_chain_of_trust_that_expired_is_a_certificate_that_did(text: str) -> None:
    assert certificate.says_expired(text)


@pytest.mark.parametrize(
    "text",
    ["PKIX path building failed: unable to find valid certification path", "the chain of discounts expired for cart 7"],
)
def test_a_chain_that_is_not_trusted_or_no_certificate_is_no_expiry(text: str) -> None:
    assert not certificate.says_expired(text)


@pytest.mark.parametrize("form", ["%a %b %d %H:%M:%S UTC %Y", "%b %d %H:%M:%S %Y GMT"])
def test_the_last_moment_is_read_as_java_and_openssl_write_it(form: str) -> None:
    text = f"validity check failed: NotAfter: {datetime.fromtimestamp(ONSET, UTC).strftime(form)}"
    (found,) = certificate.suspects(observed(signs=ERRORS, lines=[line("checkout", text)]))

    assert "not_after" in weights_of(found)
