"""Traffic that never pauses does not keep Argux from noticing; tests/benchmarks/under_load.py measures more of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.load import Load, define_funnel, lag_seconds, seconds_until_an_alert_is_an_incident, sending
from tests.functional.stack import eventually, running_stack

LOADS = (Load(100), Load(4, events_a_post=500))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_while_events_keep_coming_an_alert_is_an_incident_and_the_events_are_counted(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'argux.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with running_stack(tmp_path, url) as stack:
        define_funnel(stack)
        for number, load in enumerate(LOADS):
            with sending(stack, stack.key, load) as counts:
                for turn in range(2):
                    seconds_until_an_alert_is_an_incident(stack, f"alert-{number}-{turn}")
                eventually(lambda: max(lag_seconds(stack).values()) < 20, seconds=60, what="the events to be counted")
            assert counts["sent"] > 0
        assert "tick_part_failed" not in stack.log("worker")
