"""A source that fails is noted, the others are still read, and the database is no such source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from storage.deploys import record_deploy
from tests.unit.workers.diagnosis.conftest import Shop
from tests.unit.workers.diagnosis.scenery import MINUTE, ONSET, described
from workers.diagnosis.scene.reading import read_scene
from workers.diagnosis.source_states import SourceState

TELEMETRY = {"metrics", "requests", "logs", "traces"}


def deployed(shop: Shop, version: str, at: float) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    with shop.sessions.begin() as session:
        record_deploy(
            session,
            service="checkout",
            version=version,
            commit_sha="abcdef1",
            repository="shop/app",
            deployed_at=moment,
            deployed_by=None,
            now=moment,
        )


def test_sources_with_nothing_to_say_are_empty_and_not_failed(shop: Shop) -> None:
    found = read_scene(described("checkout"), shop.sources())

    assert {source.state for source in found.sources} == {SourceState.EMPTY}
    assert {source.name for source in found.sources} > TELEMETRY | {"deploys", "commits", "flags", "status feeds"}


def test_a_source_that_fails_is_noted_and_the_others_are_still_read(shop: Shop) -> None:
    shop.telemetry.fault = OSError("the disk is away")
    deployed(shop, "v1", ONSET - 5 * MINUTE)

    found = read_scene(described("checkout"), shop.sources())
    states = {source.name: source.state for source in found.sources}

    assert {name for name, state in states.items() if state is SourceState.FAILED} >= TELEMETRY - {"requests"}
    assert {source.error for source in found.sources if source.state is SourceState.FAILED} == {"OSError"}
    assert [deploy.version for deploy in found.deploys] == ["v1"]
    assert states["deploys"] is SourceState.DATA


def test_a_deploy_after_the_question_is_not_of_the_scene(shop: Shop) -> None:
    deployed(shop, "v9", ONSET + 3600 * 5)

    assert read_scene(described("checkout"), shop.sources()).deploys == ()


def test_a_database_that_fails_is_raised(shop: Shop) -> None:
    shop.telemetry.fault = OperationalError("select", {}, OSError("gone"))

    with pytest.raises(OperationalError):
        read_scene(described("checkout"), shop.sources())
