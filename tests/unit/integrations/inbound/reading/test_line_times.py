"""The time at the beginning of a log line, in the forms of loggers and servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from integrations.inbound.reading.line_times import leading_time
from integrations.inbound.reading.times import Zoneless

NOW = datetime(2026, 7, 8, 10, 4, 30, tzinfo=UTC).timestamp()
HERE = datetime(2026, 7, 8, 10, 3, 9, tzinfo=UTC).timestamp()
LIMA = ZoneInfo("America/Lima")


def in_zone(zone: ZoneInfo) -> Zoneless:
    return lambda written: written.replace(tzinfo=zone).timestamp()


LOCAL_LINES = [
    "2026-07-08 05:03:09,000 ERROR [press-1] Press - bar fell to 0",
    "2026-07-08T05:03:09 shop refused",
    "[2026-07-08 05:03:09] production.ERROR: refused",
    "INFO  [2026-07-08 05:03:09,000] io.dropwizard: started",
    "E, [2026-07-08T05:03:09.000000 #17] ERROR -- : refused",
    "2026/07/08 05:03:09 [error] 31#31: *7 upstream timed out",
    "Wed Jul 08 05:03:09 2026 - started",
    "[Wed Jul 08 05:03:09.000000 2026] [proxy:error] [pid 7] AH00957",
    "Jul  8 05:03:09 web-1 nginx[44]: refused",
    "Jul 08, 2026 5:03:09 AM org.apache.catalina.core.StandardService start",
    "08-Jul-2026 05:03:09.000 SEVERE [main] org.apache.catalina.startup",
    "1:M 08 Jul 2026 05:03:09.000 * Ready to accept connections",
    "E0708 05:03:09.000000       1 reflector.go:147] failed to list",
    "08.07.2026 05:03:09 Fehler beim Speichern",
    "7/8/2026 5:03:09 AM  Service stopped",
    'level=error ts="2026-07-08 05:03:09" msg="refused"',
    '10.0.0.1 - ana [08/Jul/2026:05:03:09] "GET / HTTP/1.1" 500 0',
]


@pytest.mark.parametrize("line", LOCAL_LINES)
def test_a_time_without_a_zone_is_read_in_the_zone_that_is_known(line: str) -> None:
    assert leading_time(line, now=NOW, zoneless=in_zone(LIMA)) == HERE


@pytest.mark.parametrize("line", LOCAL_LINES)
def test_a_time_without_a_zone_is_never_hours_ahead_where_no_zone_is_known(line: str) -> None:
    ahead = line.replace("05:03", "15:03").replace("5:03:09 AM", "3:03:09 PM")
    assert leading_time(ahead, now=NOW) == NOW


ZONED_LINES = [
    "2026-07-08T12:03:09.000+02:00 ERROR refused",
    "2026-07-08 10:03:09.000 UTC [55] FATAL:  password authentication failed",
    "2026-07-08 10:03:09 GMT LOG:  checkpoint starting",
    '172.17.0.1 - - [08/Jul/2026:12:03:09 +0200] "POST /pay HTTP/1.1" 502 157',
    "time=2026-07-08T10:03:09Z level=error msg=refused",
    "warn 2026-07-08 05:03:09 -0500 slow",
    "2026-07-08 07:03:09.000 -03 [55] FATAL:  terminating connection",
    "2026-07-08T10:03:09.000000000Z stderr F refused",
]


@pytest.mark.parametrize("line", ZONED_LINES)
@pytest.mark.parametrize("zoneless", [None, in_zone(LIMA)])
def test_a_zone_in_the_line_counts_before_any_other(line: str, zoneless: Zoneless | None) -> None:
    assert leading_time(line, now=NOW, zoneless=zoneless) == HERE


@pytest.mark.parametrize(
    "line",
    [
        "no time at all", "", "{", "2026-13-45 99:99:99 ERROR", "Deployed 2025-01-01 00:00:00 of the shop",
        "user expired at 2019-01-01T00:00:00Z", "2999-01-01T00:00:00Z INFO", "1970-01-01 00:00:00 INFO",
        "0001-01-01 00:00:00 INFO not set", "9999-12-31 23:59:59 INFO never",
        "Foo  8 05:03:09 web-1 nginx: refused", "order 1234567890 refused", "E9999 05:03:09 no such month",
    ],
)  # fmt: skip
def test_a_line_without_a_plausible_time_of_its_own_happened_when_it_was_read(line: str) -> None:
    for zoneless in (None, in_zone(LIMA)):
        assert leading_time(line, now=NOW, zoneless=zoneless) == NOW


def test_a_time_without_a_year_is_of_the_year_that_ended_yesterday() -> None:
    now = datetime(2027, 1, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=-5))).timestamp()
    found = leading_time("Dec 31 23:59:58 web-1 cron: done", now=now, zoneless=in_zone(LIMA))
    assert now - found == 7
