"""The real shop over loopback, deployed three times: healthy, with the bad commit, with its revert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from bot.demo.behaviour import STEPS, Shopper, Step
from bot.demo.deployer import Deployer, shop_environment, version_of
from bot.demo.errors import StageError
from bot.demo.history.wire import STATEMENTS, STATUS_CODES
from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK, ORDER_TOTAL
from bot.demo.repository.git import git
from bot.demo.repository.repository import ShopRepository
from bot.demo.shop.app import SLOW_SECONDS
from bot.demo.shop.catalogue import products
from bot.demo.shoppers import Shoppers
from tests.unit.bot.demo.doors import Received, Request

# Three versions of the shop are started and stopped, each in its own process.
pytestmark = pytest.mark.timeout(400)

VISITS = 3
PATIENT = Shopper("NL", "desktop", "invoice", 20.0, STEPS, (0.0,) * len(STEPS))
HASTY = Shopper("SE", "tablet", "card", 0.4, STEPS, (0.0,) * len(STEPS))
SOMEONE = {f"GIT_{role}_{what}": "argux" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class ThreeDeploys:
    """The three deploys, in order, and what they sent to the doors."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.heads: list[str] = []
        self.hasty: Shoppers | None = None

    def checkouts(self, deploy: int) -> list[Request]:
        """Return the checkout requests that one deploy served, read from the traces."""
        version = version_of(self.heads[deploy])
        return [r for r in self.received.requests() if r.endpoint == "POST /checkout" and r.version == version]


async def visit_shop(deployer: Deployer, shopper: Shopper, times: int) -> Shoppers:
    shoppers = Shoppers(deployer.base_url, [item.sku for item in products()], Random(4))
    async with httpx.AsyncClient(base_url=deployer.base_url, trust_env=False, timeout=30) as client:
        await asyncio.gather(*(shoppers.visit(client, shopper) for _ in range(times)))
    return shoppers


async def run_three_deploys(three_deploys: ThreeDeploys, directory: Path) -> None:
    repository = ShopRepository(directory / "shop.git", directory / "clone")
    repository.create(datetime.now(UTC))
    async with httpx.AsyncClient(base_url=three_deploys.received.url, trust_env=False) as argux:
        environment = shop_environment(three_deploys.received.url, "argux_secret")
        deployer = Deployer(repository, directory / "run", directory / "logs", argux, environment)

        async def deploy_head() -> None:
            three_deploys.heads.append(repository.head())
            await deployer.deploy(three_deploys.heads[-1])

        try:
            await deploy_head()
            await visit_shop(deployer, PATIENT, VISITS)
            bad, _ = repository.push([LIVE_STOCK, FREE_RETURNS], datetime.now(UTC))
            await deploy_head()
            await visit_shop(deployer, PATIENT, VISITS)
            three_deploys.hasty = await visit_shop(deployer, HASTY, VISITS)
            git(directory / "clone", "revert", "--no-edit", bad.sha, environment=SOMEONE)
            git(directory / "clone", "push", "--quiet", "origin", "main")
            repository.push([ORDER_TOTAL], datetime.now(UTC))
            await deploy_head()
            await visit_shop(deployer, PATIENT, VISITS)
        finally:
            await deployer.stop()


@pytest.fixture(scope="module")
def three_deploys(received: Received, tmp_path_factory: pytest.TempPathFactory) -> ThreeDeploys:
    three_deploys = ThreeDeploys(received)
    asyncio.run(run_three_deploys(three_deploys, tmp_path_factory.mktemp("shop")))
    wait_until(lambda: len(three_deploys.checkouts(2)) == VISITS)
    return three_deploys


def wait_until(holds: Callable[[], bool], limit_seconds: float = 60.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.05)


def test_a_healthy_checkout_makes_five_queries(three_deploys: ThreeDeploys) -> None:
    assert [len(checkout.statements) for checkout in three_deploys.checkouts(0)] == [5] * VISITS


def test_the_bad_commit_makes_one_query_per_product(three_deploys: ThreeDeploys) -> None:
    for checkout in three_deploys.checkouts(1):
        repeated = "SELECT stock FROM products WHERE sku = ?"
        assert checkout.statements.count(repeated) == len(products())
        assert len(checkout.statements) > 100


def test_the_revert_restores_the_query_count_and_the_refactoring_keeps_it(three_deploys: ThreeDeploys) -> None:
    assert [len(checkout.statements) for checkout in three_deploys.checkouts(2)] == [5] * VISITS


def test_hasty_shoppers_give_up_at_the_slow_checkout(three_deploys: ThreeDeploys) -> None:
    assert three_deploys.hasty is not None
    assert three_deploys.hasty.tally["gave_up"] == VISITS
    assert three_deploys.hasty.tally[Step.PAYMENT] == 0


def test_the_generated_history_has_the_statements_of_the_healthy_shop(
    three_deploys: ThreeDeploys,
) -> None:
    healthy = version_of(three_deploys.heads[0])
    for request in three_deploys.received.requests():
        if request.version == healthy:
            step = Step(request.attributes["http.route"])
            assert request.statements == list(STATEMENTS[step])
            assert int(request.attributes["http.status_code"]) == STATUS_CODES[step]
            assert request.endpoint == f"POST {step}"


def test_product_events_carry_the_shoppers_dimensions(three_deploys: ThreeDeploys) -> None:
    by_user: dict[str, list[dict[str, Any]]] = {}
    for event in three_deploys.received.events:
        by_user.setdefault(event["distinct_id"], []).append(event)
    full = [events for events in by_user.values() if events[0]["properties"]["country"] == "NL"]
    assert len(full) == 3 * VISITS
    for events in full:
        assert [event["event"] for event in events] == [
            "signed_up",
            "added_to_cart",
            "checkout_completed",
            "payment_completed",
        ]
        assert {event["properties"]["device"] for event in events} == {"desktop"}
        assert {event["properties"].get("payment_method") for event in events[2:]} == {"invoice"}


def test_slow_responses_are_logged_as_warnings(three_deploys: ThreeDeploys) -> None:
    warnings = three_deploys.received.warnings()
    assert sum("POST /checkout took" in warning for warning in warnings) >= VISITS
    # On a busy machine other requests may be slow too.
    assert all(float(warning.split()[-2]) >= SLOW_SECONDS for warning in warnings)


def test_every_deploy_is_reported_with_its_commit(three_deploys: ThreeDeploys) -> None:
    reported = [body for path, body in three_deploys.received.posted if path == "/api/deploys"]
    assert [body["commit_sha"] for body in reported] == three_deploys.heads
    assert all(body["version"] == body["commit_sha"][:12] and body["service"] == "shop" for body in reported)


def test_the_stock_clients_send_the_api_key(three_deploys: ThreeDeploys) -> None:
    assert three_deploys.received.secrets == {"argux_secret"}


async def test_a_version_that_cannot_start_is_reported_with_its_last_output(tmp_path: Path) -> None:
    repository = ShopRepository(tmp_path / "shop.git", tmp_path / "clone")
    repository.create(datetime.now(UTC))
    (tmp_path / "clone/shop/__main__.py").write_text("raise SystemExit('the till is locked')\n")
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message", "Lock the till", environment=SOMEONE)
    git(tmp_path / "clone", "push", "--quiet", "origin", "main")
    async with httpx.AsyncClient() as argux:
        deployer = Deployer(repository, tmp_path / "run", tmp_path / "logs", argux, {})
        try:
            with pytest.raises(StageError, match="the till is locked"):
                await deployer.deploy(repository.head())
        finally:
            await deployer.stop()
