"""The TelemetryStore under test: SqlTelemetry, the only implementation, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from detection.funnels.attempts import attempts
from storage.telemetry.protocol import FunnelReader, TelemetryStore
from storage.telemetry.sql import SqlTelemetry
from tests.contract.storage.telemetry.records import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_store(engine: Engine, clock: Clock) -> Callable[..., TelemetryStore]:
    def make(funnel_reader: FunnelReader = attempts) -> TelemetryStore:
        return SqlTelemetry(engine, funnel_reader=funnel_reader, segment_dimensions=["country", "device"], clock=clock)

    return make


@pytest.fixture
def store(make_store: Callable[..., TelemetryStore]) -> TelemetryStore:
    return make_store()
