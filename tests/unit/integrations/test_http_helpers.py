from __future__ import annotations

import pytest

from integrations.errors import AuthenticationError, NotFoundError, RateLimitedError, RejectedError, RetryableError
from integrations.http import error_for_status, retry_after_seconds, unreachable
from integrations.outbound import check_outbound_url

NOW = 1_770_465_600.0  # 2026-02-07T12:00:00Z


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("Sat, 07 Feb 2026 12:01:00 GMT", 60.0),
        ("Sat, 07 Feb 2026 11:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("999999999", 3600.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
    ],
)
def test_a_retry_after_header_is_parsed_in_both_formats_and_limited(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=NOW) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RejectedError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (410, NotFoundError),
        (408, RetryableError),
        (422, RejectedError),
        (429, RateLimitedError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_a_status_becomes_the_error_that_says_whether_a_retry_can_help(status: int, kind: type[Exception]) -> None:
    assert type(error_for_status("Slack", status, "no")) is kind


def test_an_error_keeps_only_the_beginning_of_an_html_page() -> None:
    assert len(str(error_for_status("Jira", 502, "<html>\n" * 5000))) < 400


def test_the_error_for_an_unreachable_system_hides_its_address() -> None:
    error = unreachable("Teams", ConnectionError("https://example.com/webhook/secret refused"))
    assert isinstance(error, RetryableError)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://127.0.0.1:9000/teams",
        "http://localhost/teams",
        "http://[::1]:80/x",
        "https://8.8.8.8/x",
    ],
)
def test_posting_to_public_https_and_to_this_machine_is_allowed(url: str) -> None:
    assert check_outbound_url("Teams", url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://10.0.0.8/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://",
        "",
    ],
)
def test_posting_to_plain_http_and_private_networks_is_refused(url: str) -> None:
    with pytest.raises(RejectedError):
        check_outbound_url("Teams", url)
