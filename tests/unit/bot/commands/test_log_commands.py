"""`argux patterns` and `argux logs`, run as a user types them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.intervals import IntervalError, read_interval
from detection.types import LogRecord
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def test_patterns_are_added_listed_turned_off_and_removed(run_argux: RunArgux, services: Services) -> None:
    added = run_argux("patterns", "add", "declined", r"card \w+ declined", "--severity", "sev3")
    assert (added.exit_code, added.stdout.strip()) == (0, "Watching for declined.")
    assert run_argux("patterns", "off", "memory").stdout.strip() == "memory is off."
    listed = run_argux("patterns", "list").stdout
    assert "declined" in listed
    assert "built in, off" in listed
    assert run_argux("patterns", "on", "memory").exit_code == 0
    assert run_argux("patterns", "remove", "declined").exit_code == 0
    assert "declined" not in run_argux("patterns", "list").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "declined", "(a"), "missing )"),
        (("add", "declined", "a", "--severity", "bad"), "--severity must be one of sev1, sev2, sev3, sev4"),
        (("add", "disk", "a"), "There is a built-in pattern called disk"),
        (("remove", "disk"), "can be turned off, not removed"),
        (("remove", "nothing"), "There is no pattern nothing."),
        (("test", "(a", "text"), "missing )"),
    ],
)
def test_a_refused_command_says_why_in_one_line(
    run_argux: RunArgux, services: Services, words: tuple[str, ...], message: str
) -> None:
    refused = run_argux("patterns", *words)
    assert refused.exit_code == 1
    assert message in refused.stderr


def test_a_pattern_is_tested_on_a_text_and_on_a_file(run_argux: RunArgux, services: Services, home: Path) -> None:
    found = run_argux("patterns", "test", "connection", "connection refused by peer")
    assert (found.exit_code, found.stdout.splitlines()) == (0, ["connection refused by peer", "1 of 1 line matches."])
    file = home / "shop.log"
    file.write_text("all well\n" + "card visa declined\n" * 30)
    found = run_argux("patterns", "test", "card .* declined", str(file))
    assert found.stdout.splitlines()[-2:] == ["… and 10 more", "30 of 31 lines match."]
    assert run_argux("patterns", "test", "disk", str(file)).exit_code == 1


def test_two_windows_of_logs_are_compared(run_argux: RunArgux, services: Services) -> None:
    now = datetime.now(UTC).timestamp() // 60 * 60
    lines = [
        LogRecord(
            f"r{n}",
            "shop",
            None,
            now - 1200 + 20 * n,
            "INFO",
            f"order {n} was paid" if n < 30 else f"charge {n} failed",
        )
        for n in range(60)
    ]
    services.telemetry.append_logs(lines)
    services.telemetry.roll_up([], now=now)
    begin, middle, end = (datetime.fromtimestamp(now + shift, UTC).isoformat() for shift in (-1200, -600, 0))
    shown = run_argux("logs", "diff", "--before", f"{begin}/{middle}", "--after", f"{middle}/{end}")
    assert shown.exit_code == 0
    assert "2 templates have changed, 0 have not." in shown.stdout
    assert "new" in shown.stdout
    assert "gone" in shown.stdout
    same = run_argux("logs", "diff", "--before", f"{begin}/{middle}", "--after", f"{begin}/{middle}")
    assert same.stdout.strip() == "Nothing has changed: 1 template was heard about as often."
    wrong = run_argux("logs", "diff", "--before", "yesterday", "--after", f"{begin}/{middle}")
    assert (wrong.exit_code, "START/END" in wrong.stderr) == (1, True)


def test_an_interval_is_read_with_or_without_an_offset() -> None:
    window = read_interval("2026-02-07T13:00:00+01:00/2026-02-07T12:30")
    assert (window.since, window.until) == (1_770_465_600.0, 1_770_467_400.0)
    assert read_interval("2026-02-07T13:00:00 01:00/2026-02-07T12:30").since == window.since
    with pytest.raises(IntervalError, match="ends before it begins"):
        read_interval("2026-02-07T13:00:00Z/2026-02-07T12:30:00Z")
