"""Services on a real database and a real Valkey, with fakes for the external systems."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from vl_convert import vegalite_to_png

from integrations.charts import SCALE
from tests.conftest import empty_database
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.connected import connected_settings
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost, FakeEscalation, FakeTickets
from tests.scenarios.workers.worker import START, Clock, Worker
from tests.valkey import running_valkey
from workers.services import Services


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database: SQLite, unless the test is marked ON_BOTH."""
    return empty_database(request, getattr(request, "param", "sqlite"))


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def services(
    tmp_path: Path, database_url: str, valkey_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    # Drawing in this process takes a tenth of what a process for each picture takes; those are in test_charts.
    monkeypatch.setattr(
        "workers.telling.picture.render_png", partial(vegalite_to_png, scale=SCALE, allowed_base_urls=[])
    )
    settings = connected_settings(database_url, valkey_url, tmp_path)
    # Nothing here depends on how quick the machine is: a tick's roll-up has all the time it needs.
    made = Services(settings, clock=clock, stopwatch=lambda: 0.0)
    made.chat = FakeChat()
    made.code_host = FakeCodeHost()
    made.tickets = FakeTickets()
    made.escalation = FakeEscalation()
    made.redis.flushdb()
    yield made
    made.engine.dispose()
    made.redis.close()


@pytest.fixture
def worker(services: Services, clock: Clock) -> Worker:
    return Worker(services, clock)


@pytest.fixture
def alertmanager(services: Services, clock: Clock) -> Alertmanager:
    return Alertmanager(services, clock)
