"""Deploys that no pipeline reported, detected by the `service.version` of spans."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from detection.types import Span, SpanKind
from storage.deploys import SEEN_IN_SPANS, deploys_between, record_deploy
from storage.models import Deploy
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.seen_deploys import GRACE_SECONDS, LOOK_EVERY_SECONDS, record_new_versions
from workers.services import Services
from workers.troubles import Troubles

pytestmark = ON_BOTH

SHA = "3f2a9c1d5e8b7a6f4c3d2e1f0a9b8c7d6e5f4a3b"


@pytest.fixture(autouse=True)
def shop(services: Services) -> None:
    services.settings = services.settings.model_copy(update={"service_repositories": {"shop": "acme/shop"}})


def look(services: Services, clock: Clock) -> None:
    troubles = Troubles()
    record_new_versions(services, troubles, clock())
    troubles.raise_all()


class Traffic:
    """Sends one request of the shop per call, and rolls up as the tick does."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock, self.count = services, clock, 0

    def serve(self, version: str | None, service: str = "shop") -> float:
        self.count += 1
        started_at = self.clock().timestamp()
        span = Span(f"{self.count:032x}", f"{self.count:016x}", None, SpanKind.SERVER, "POST /checkout", service,
                    version, started_at, 50.0, False, "POST /checkout", 200)  # fmt: skip
        self.services.telemetry.append_spans([span])
        return started_at

    def look(self, seconds: float = GRACE_SECONDS + 1) -> list[Deploy]:
        self.clock.forward(seconds)
        self.services.telemetry.roll_up([], now=self.clock().timestamp() + 30)
        look(self.services, self.clock)
        with self.services.readers() as session:
            return list(deploys_between(session, None, datetime(2000, 1, 1, tzinfo=UTC), self.clock()))


@pytest.fixture
def traffic(services: Services, clock: Clock) -> Traffic:
    return Traffic(services, clock)


def test_the_version_running_when_argux_started_is_no_deploy(traffic: Traffic) -> None:
    traffic.serve("v1")
    assert traffic.look() == []


def test_a_second_version_is_a_deploy_at_the_moment_it_was_first_seen(traffic: Traffic) -> None:
    traffic.serve("v1")
    traffic.look()
    seen_at = traffic.serve(SHA.upper())
    [deploy] = traffic.look()
    assert (deploy.service, deploy.version, deploy.commit_sha) == ("shop", SHA.upper(), SHA)
    assert deploy.deployed_at.timestamp() == pytest.approx(seen_at)
    assert deploy.deployed_by == SEEN_IN_SPANS
    assert deploy.repository == "acme/shop"
    traffic.serve(SHA.upper())
    assert len(traffic.look()) == 1


def test_a_version_that_is_no_commit_is_taken_as_a_tag(traffic: Traffic) -> None:
    traffic.serve("v1")
    traffic.look()
    traffic.serve("v2")
    assert [(deploy.version, deploy.commit_sha) for deploy in traffic.look()] == [("v2", "v2")]


@pytest.mark.parametrize("told", [("v2", SHA), ("release 2", SHA)])
def test_a_reported_deploy_is_not_recorded_again(
    traffic: Traffic, services: Services, clock: Clock, told: tuple[str, str]
) -> None:
    version, commit_sha = told
    traffic.serve("v1")
    traffic.look()
    traffic.serve("v2" if version == "v2" else SHA[:8])
    clock.forward(20)
    with services.sessions.begin() as session:
        record_deploy(session, service="shop", version=version, commit_sha=commit_sha, repository="acme/shop",
                      deployed_at=clock(), deployed_by="ana", now=clock())  # fmt: skip
    assert [deploy.deployed_by for deploy in traffic.look()] == ["ana"]


def test_a_new_version_waits_for_its_deploy_to_be_reported(traffic: Traffic) -> None:
    traffic.serve("v1")
    traffic.look()
    traffic.serve("v2")
    assert traffic.look(seconds=GRACE_SECONDS / 2) == []
    assert len(traffic.look(seconds=GRACE_SECONDS)) == 1


def test_going_back_to_a_known_version_is_not_a_new_one(traffic: Traffic) -> None:
    for version in ("v1", "v2", "v1"):
        traffic.serve(version)
        deploys = traffic.look()
    assert [deploy.version for deploy in deploys] == ["v2"]


def test_services_without_a_repository_and_spans_without_a_version_are_ignored(traffic: Traffic) -> None:
    for version in ("v1", None, "v2"):
        traffic.serve(version, service="elsewhere")
        traffic.serve(None)
        assert traffic.look() == []


def test_a_version_of_a_service_whose_repository_is_known_no_more_is_no_deploy(
    traffic: Traffic, services: Services
) -> None:
    traffic.serve("v1")
    traffic.look()
    traffic.serve("v2")
    assert traffic.look(seconds=GRACE_SECONDS / 2) == []
    services.settings = services.settings.model_copy(update={"service_repositories": {}})
    assert traffic.look() == []


def test_each_request_is_read_once_and_not_at_every_tick(traffic: Traffic, services: Services, clock: Clock) -> None:
    traffic.serve("v1")
    traffic.look()
    read: list[int] = []
    above = services.telemetry.versions_above

    class Watched:
        def versions_above(self, sequence: int) -> object:
            found = above(sequence)
            read.append(len(found[0]))
            return found

    services.telemetry = Watched()  # type: ignore[assignment]
    for _ in range(10):
        clock.forward(LOOK_EVERY_SECONDS / 3)
        look(services, clock)
    assert read == [0, 0, 0]
