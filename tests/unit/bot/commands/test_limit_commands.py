"""`argux limits`, run as a user types it."""

from __future__ import annotations

import pytest

from storage.metric_limits import list_limits
from tests.unit.bot.conftest import RunArgux
from workers.services import Services


def test_a_limit_is_added_listed_and_removed(run_argux: RunArgux, services: Services) -> None:
    added = run_argux("limits", "add", "queue.depth", "500", "--service", "shop", "--horizon", "12h")
    assert added.exit_code == 0
    assert "1  queue.depth of shop above 500, looks 12 h ahead, set by " in added.stdout
    listed = run_argux("limits", "list").stdout
    assert "queue.depth of shop above 500" in listed
    assert "system.filesystem.utilization above 1, looks 6 h ahead, built in" in listed
    assert run_argux("limits", "remove", "1").stdout == "The limit of queue.depth is watched no more.\n"
    with services.readers() as session:
        assert list_limits(session) == []
    again = run_argux("limits", "remove", "1")
    assert (again.exit_code, again.stderr) == (1, "There is no limit 1.\n")


def test_a_lower_limit_can_be_added(run_argux: RunArgux, services: Services) -> None:
    assert "orders below 2.5, looks 6 h ahead" in run_argux("limits", "add", "orders", "2.5", "--below").stdout
    with services.readers() as session:
        [limit] = list_limits(session)
    assert (limit.above, limit.threshold, limit.service) == (False, 2.5, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("queue.depth", "nan"), "must be a number"),
        (("queue.depth", "5", "--horizon", "soon"), "soon"),
        (("queue.depth", "5", "--horizon", "30d"), "at most 7 days"),
        (("", "5"), "1 to 150 characters"),
    ],
)
def test_an_invalid_limit_is_refused_with_a_reason(
    run_argux: RunArgux,
    services: Services,
    words: tuple[str, ...],
    message: str,
) -> None:
    refused = run_argux("limits", "add", *words)
    assert refused.exit_code == 1
    assert message in refused.stderr
