"""`argux maintenance …`, run as a user types it."""

from __future__ import annotations

import pytest

from tests.unit.bot.conftest import RunArgux
from workers.services import Services


@pytest.fixture
def run(services: Services, run_argux: RunArgux, monkeypatch: pytest.MonkeyPatch) -> RunArgux:
    monkeypatch.setenv("ARGUX_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("LOGNAME", "ana")
    return lambda *words: run_argux("maintenance", *words)


def test_a_window_is_started_listed_and_ended(run: RunArgux) -> None:
    started = run("start", "shop", "--for", "2h", "--reason", "new database").stdout
    assert "shop" in started
    assert "running" in started
    assert "by ana  new database" in started
    assert run("list").stdout == started
    assert run("end", "1").stdout == "Maintenance window 1 is over.\n"
    assert run("list").stdout == "No maintenance window runs or is to come.\n"
    assert "over" in run("list", "--past").stdout


def test_a_future_window_is_shown_in_the_teams_time_zone(run: RunArgux) -> None:
    message = run("start", "everything", "--from", "2099-03-28 22:00", "--for", "8h").stdout
    assert "everything           2099-03-28 22:00 CET to 2099-03-29 07:00 CEST  to come" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("start", "shop"), "Say how long: --for 2h"),
        (("start", "shop", "--for", "2h", "--until", "2099-01-01 00:00"), "Say how long"),
        (("start", "shop", "--for", "soon"), "'soon' is no length of time. Write it as 45m, 2h, 1h30m or 2d."),
        (("start", "shop", "--until", "2020-01-01 00:00"), "The window ends before it begins."),
        (("start", "shop", "--from", "2020-01-01 00:00", "--for", "1h"), "The window is over already"),
        (("start", "shop", "--from", "tonight", "--for", "1h"), "'tonight' is no time."),
        (("end", "7"), "There is no maintenance window 7."),
    ],
)
def test_a_user_error_is_one_line(run: RunArgux, words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
