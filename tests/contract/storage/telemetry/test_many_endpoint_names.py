"""A service whose names of operations hold what users write has a bounded number of endpoints."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from storage.telemetry.endpoints import names as bounds
from storage.telemetry.endpoints.names import EndpointNames
from storage.telemetry.rows.tables import endpoint_names

NOW = 1_790_000_000.0
DAY = 86_400.0


def counted(engine: Engine, *requests: str, service: str = "tea", now: float = NOW) -> list[str]:
    with engine.begin() as connection:
        names = EndpointNames(connection, [service])
        return names.counted_as([(service, name) for name in requests], now)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_BEHIND_ONE", 3)


def test_the_first_words_behind_one_beginning_stand_for_themselves_and_the_further_ones_are_one(engine: Engine) -> None:
    shops = [f"GET /shops/{name}/teas" for name in ("anna", "bert", "cleo", "dora", "emil", "anna")]
    together = "GET /shops/{name}/teas"
    assert counted(engine, *shops) == [*shops[:3], together, together, shops[0]]
    assert counted(engine, *reversed(shops)) == [shops[0], together, together, *reversed(shops[:3])]


def test_other_places_services_and_verbs_have_room_of_their_own(engine: Engine) -> None:
    counted(engine, *(f"GET /shops/{name}" for name in "abcde"))
    others = ["GET /shops", "POST /shops/e", "GET /checkout", "GET /shops/{id}"]
    assert counted(engine, *others[:3]) == others[:3]
    assert counted(engine, "GET /shops/e", service="coffee") == ["GET /shops/e"]
    assert counted(engine, "GET /shops/e/close") == ["GET /shops/{name}/close"]


def test_two_places_that_vary_are_both_bounded(engine: Engine) -> None:
    names = [f"GET /{shop}/{tea}" for shop in "abcdefgh" for tea in "abcdefgh"]
    assert len(set(counted(engine, *names))) <= 16
    assert counted(engine, "GET /x/y") == ["GET /{name}/{name}"]


def test_a_service_has_a_bounded_number_of_endpoints(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_OF_ONE_SERVICE", 5)
    found = counted(engine, *(f"GET /{place}/{name}" for place in "abc" for name in "abc"))
    assert found[5:] == ["{name}"] * 4


def test_an_endpoint_is_noted_once_a_day(engine: Engine) -> None:
    for now in (NOW, NOW + 60, NOW + DAY - 1):
        counted(engine, "GET /a", now=now)
    with engine.connect() as connection:
        assert connection.scalars(select(endpoint_names.c.seen_at)).all() == [NOW]
    counted(engine, "GET /a", now=NOW + DAY)
    with engine.connect() as connection:
        assert connection.scalars(select(endpoint_names.c.seen_at)).all() == [NOW + DAY]
