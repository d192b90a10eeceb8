"""`argux backtest` on a history finds the same as a worker that received the same points live."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from bot.backtest.csv_history import History
from bot.backtest.metric import replay
from detection.types import Floats, IncidentStatus
from storage import incidents
from storage.models import Incident
from tests.scenarios.workers.watching.test_custom_metrics_are_watched import HOUR, MINUTE, Sender
from tests.scenarios.workers.worker import Clock
from workers.services import Services

TROUBLE, QUIET = 8, 22


@pytest.fixture
def sender(services: Services, clock: Clock) -> Sender:
    clock.now = datetime(2026, 2, 7, 12, 30, tzinfo=UTC)
    return Sender(services, clock)


def depth(moments: Floats) -> Floats:
    """Return 100 with noise, and six times that for eight minutes from 12:40 and again from 13:05."""
    noise = 100 + 4 * np.sin(moments * 12.9898)
    minute = (moments - datetime(2026, 2, 7, 12, 40, tzinfo=UTC).timestamp()) / MINUTE
    broken = ((minute >= 0) & (minute < TROUBLE)) | ((minute >= 25) & (minute < 25 + TROUBLE))
    return np.where(broken, 6 * noise, noise)


def the_incident(services: Services) -> Incident:
    with services.readers() as session:
        [found] = incidents.list_incidents(session)
    return found


def test_a_metric_that_breaks_recovers_and_breaks_again(services: Services, clock: Clock, sender: Sender) -> None:
    until = clock().timestamp()
    sparse = np.arange(until - 30 * HOUR, until - 4 * HOUR, 10 * MINUTE)
    sender.send("depth", depth, since=sparse[0], until=until - 4 * HOUR, step=10 * MINUTE)
    sender.send("depth", depth, since=until - 4 * HOUR, until=until)

    sender.live(10 + TROUBLE + 17, depth=depth)
    opened, first = the_incident(services), clock().timestamp()
    sender.live(TROUBLE + 27, depth=depth)
    again, last = the_incident(services), clock().timestamp()

    for seen, now in ((opened, first), (again, last)):
        times = np.concatenate([sparse, np.arange(until - 4 * HOUR, now, MINUTE)])
        [told] = replay(History(times, depth(times)), "depth", services.settings).incidents
        assert told.first.onset_at == pytest.approx(seen.onset_at.timestamp(), abs=0.001)
        assert told.noticed_at == pytest.approx(seen.opened_at.timestamp(), abs=2.0)
        assert seen.status == IncidentStatus.RESOLVED
        assert seen.closed_at is not None
        assert told.resolved_at == pytest.approx(seen.closed_at.timestamp(), abs=2.0)
    assert told.reopened == 1
