"""An API that has been healthy for a week."""

from __future__ import annotations

import pytest

from tests.scenarios.workers.api_traffic import GOOD, Api
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.tick import tick
from workers.services import Services


@pytest.fixture
def api(services: Services, clock: Clock) -> Api:
    made = Api(services, clock)
    made.week()
    made.live(30, GOOD)
    tick(services)
    return made
