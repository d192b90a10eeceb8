from __future__ import annotations

import pytest

from detection.types import Estimate
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import opened, slow_checkout
from tests.scenarios.workers.worker import Worker
from workers.services import Services
from workers.telling import stakes_message
from workers.words.stakes import FunnelStakes


def test_what_is_at_stake_is_said_once_however_many_findings_join_the_incident(
    services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = Estimate(40.0, 28.0, 52.0)
    stakes = FunnelStakes(about, about, about, about, None, None)
    monkeypatch.setattr(stakes_message, "worst_stakes", lambda findings: stakes)
    incident_id = opened(services)
    finding = slow_checkout(services.clock().timestamp())
    for count in (1, 2, 3):
        with services.sessions.begin() as session:
            stakes_message.enqueue_stakes_message(services, session, incident_id, [finding] * count, services.clock())
        worker.run_for(20)
    assert isinstance(services.chat, FakeChat)
    assert services.chat.thread_titles() == ["At stake"]
