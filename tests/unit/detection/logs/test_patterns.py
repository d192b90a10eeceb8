from __future__ import annotations

import time

import pytest

from detection.logs.built_in_patterns import BUILT_IN
from detection.logs.patterns import MAXIMUM_EXPRESSION_LENGTH, NamedPattern, PatternError, PatternMatcher, check
from detection.types import Severity


def names(line: str) -> list[str]:
    return [pattern.name for pattern in PatternMatcher(BUILT_IN).matches(line)]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("java.lang.OutOfMemoryError: Java heap space", "memory"),
        ("Out of memory: Killed process 4711 (gunicorn)", "memory"),
        ("fork: Cannot allocate memory", "memory"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "memory"),
        ("container shop was OOMKilled", "memory"),
        ("java.lang.OutOfMemoryException: GC overhead limit exceeded", "memory"),
        ("GC overhead limit exceeded", "memory"),
        ("connect ECONNREFUSED 127.0.0.1:6379", "connection"),
        ("dial tcp 10.0.0.3:5432: i/o timeout", "connection"),
        ("java.net.ConnectException: Connection refused", "connection"),
        ("getaddrinfo ENOTFOUND payments.internal", "connection"),
        ("write: broken pipe", "connection"),
        ("OSError: [Errno 28] No space left on device", "disk"),
        ("Buffer I/O error on device sda1, logical block 12", "disk"),
        ("mkdir: cannot create directory: Read-only file system", "disk"),
        ("ERROR: disk full", "disk"),
        ("disk is full: /var/lib/data", "disk"),
        ("Disk full while writing segment 12", "disk"),
        ("the filesystem is full - giving up", "disk"),
        ("HTTP/1.1 503 from payments", "service-unavailable"),
        ('"GET /pay HTTP/1.1" 502 157', "service-unavailable"),
        ("503 Service Temporarily Unavailable", "service-unavailable"),
        ("no healthy upstream", "service-unavailable"),
        ("HTTP 503", "service-unavailable"),
        ("payments answered HTTP 503.", "service-unavailable"),
        ("HTTP 502 from payments after 30 s", "service-unavailable"),
        ("http error: 504, giving up", "service-unavailable"),
        ("HTTP status 503 (3 tries left)", "service-unavailable"),
        ("upstream unavailable", "service-unavailable"),
        ("upstream is currently unavailable: payments", "service-unavailable"),
        ("temporarily unavailable", "service-unavailable"),
        ("The card provider is temporarily unavailable", "service-unavailable"),
        ("inventory service: Temporarily Unavailable", "service-unavailable"),
        ("psycopg.OperationalError: server closed the connection", "database"),
        ("ERROR: deadlock detected", "database"),
        ("FATAL: sorry, too many clients already", "database"),
        ('ERROR: duplicate key value violates unique constraint "users_email"', "database"),
        ("sqlite3: database is locked", "database"),
    ],
)
def test_common_failures_match_their_built_in_pattern(line: str, name: str) -> None:
    assert name in names(line)


@pytest.mark.parametrize(
    "line",
    [
        "GET /products 200 503 bytes",
        "user ana logged in",
        "connection from 10.0.0.3 accepted",
        "memory usage 41 %",
        "disk usage 55 %",
        "room 503 booked",
        "port 503 opened",
        "served over HTTP 503 requests in 5 s",
        "HTTP 503.2 ms mean",
        "http: 5031 connections",
        "fork: Resource temporarily unavailable",
        "recv: resource temporarily unavailable (EAGAIN)",
        "upstream available again",
        "disk full check passed: not full",
        "disk full-check passed",
        "disk is not full",
        "GC overhead 2 %",
        "database migrated to version 12",
    ],
)
def test_ordinary_lines_match_no_built_in_pattern(line: str) -> None:
    assert names(line) == []


def test_a_line_can_match_several_patterns_in_the_order_given() -> None:
    assert names("OperationalError: connection refused") == ["connection", "database"]


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*a){25}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_an_expression_with_catastrophic_backtracking_elsewhere_ends_at_once(expression: str) -> None:
    matcher = PatternMatcher([NamedPattern("trap", expression, Severity.SEV4)])
    began = time.process_time()
    matcher.matches("a" * 30_000 + "!")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("expression", ["", "  ", "(", "a)(b", "(?=a)b", r"(a)\1", "(a{1000}){1000}", "a*", "\ud800"])
def test_an_invalid_expression_is_refused_with_the_reason(expression: str) -> None:
    with pytest.raises(PatternError, match=r"^The expression .+\.$"):
        check(expression)


def test_the_error_names_look_around_as_not_available() -> None:
    with pytest.raises(PatternError, match="look-around and back-references"):
        check("(?=a)b")


def test_an_expression_that_is_too_long_is_refused() -> None:
    with pytest.raises(PatternError, match="longer than"):
        check("a" * (MAXIMUM_EXPRESSION_LENGTH + 1))


def test_the_flags_of_one_pattern_do_not_affect_another() -> None:
    matcher = PatternMatcher(
        [NamedPattern("loose", "(?i)alpha", Severity.SEV3), NamedPattern("strict", "beta", Severity.SEV3)]
    )
    assert [one.name for one in matcher.matches("ALPHA")] == ["loose"]
    assert matcher.matches("BETA") == []


def test_lines_that_are_not_valid_unicode_are_matched_too() -> None:
    assert names("\ud800 out of memory") == ["memory"]


def test_without_patterns_nothing_matches() -> None:
    assert PatternMatcher([]).matches("out of memory") == []
