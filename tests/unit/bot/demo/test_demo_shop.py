"""The real shop over loopback, deployed thrice: healthy, with the bad commit, with its revert."""

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

# Three versions of the shop are started and ended, each in a process of its own.
pytestmark = pytest.mark.timeout(400)

VISITS = 3
PATIENT = Shopper("NL", "desktop", "invoice", 20.0, STEPS, (0.0,) * len(STEPS))
HASTY = Shopper("SE", "tablet", "card", 0.4, STEPS, (0.0,) * len(STEPS))
SOMEONE = {f"GIT_{role}_{what}": "argux" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Story:
    """What was deployed in turn, and what shoppers met."""

    def __init__(self, received: Any) -> None:
        self.received = received
        self.heads: list[str] = []
        self.hasty: Shoppers | None = None

    def checkouts(self, deploy: int) -> list[Any]:
        """The checkouts that one deploy served, from the traces."""
        version = version_of(self.heads[deploy])
        return [r for r in self.received.requests() if r.endpoint == "POST /checkout" and r.version == version]


async def visit(deployer: Deployer, person: Shopper, times: int) -> Shoppers:
    shoppers = Shoppers(deployer.base_url, [item.sku for item in products()], Random(4))
    async with httpx.AsyncClient(base_url=deployer.base_url, trust_env=False, timeout=30) as client:
        await asyncio.gather(*(shoppers.visit(client, person) for _ in range(times)))
    return shoppers


async def tell(story: Story, directory: Path) -> None:
    repository = ShopRepository(directory / "shop.git", directory / "clone")
    repository.create(datetime.now(UTC))
    async with httpx.AsyncClient(base_url=story.received.url, trust_env=False) as argux:
        environment = shop_environment(story.received.url, "argux_secret")
        deployer = Deployer(repository, directory / "run", directory / "logs", argux, environment)

        async def deploy_head() -> None:
            story.heads.append(repository.head())
            await deployer.deploy(story.heads[-1])

        try:
            await deploy_head()
            await visit(deployer, PATIENT, VISITS)
            bad, _ = repository.push([LIVE_STOCK, FREE_RETURNS], datetime.now(UTC))
            await deploy_head()
            await visit(deployer, PATIENT, VISITS)
            story.hasty = await visit(deployer, HASTY, VISITS)
            git(directory / "clone", "revert", "--no-edit", bad.sha, environment=SOMEONE)
            git(directory / "clone", "push", "--quiet", "origin", "main")
            repository.push([ORDER_TOTAL], datetime.now(UTC))
            await deploy_head()
            await visit(deployer, PATIENT, VISITS)
        finally:
            await deployer.stop()


@pytest.fixture(scope="module")
def story(received: Any, tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(received)
    asyncio.run(tell(story, tmp_path_factory.mktemp("shop")))
    wait_until(lambda: len(story.checkouts(2)) == VISITS)
    return story


def wait_until(holds: Callable[[], bool], limit_seconds: float = 60.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def test_a_healthy_checkout_asks_the_database_a_handful_of_times(story: Story) -> None:
    assert [len(checkout.statements) for checkout in story.checkouts(0)] == [5] * VISITS


def test_the_bad_commit_asks_once_for_each_product_of_the_catalogue(story: Story) -> None:
    for checkout in story.checkouts(1):
        repeated = "SELECT stock FROM products WHERE sku = ?"
        assert checkout.statements.count(repeated) == len(products())
        assert len(checkout.statements) > 100


def test_its_revert_heals_the_shop_and_the_refactoring_changes_nothing(story: Story) -> None:
    assert [len(checkout.statements) for checkout in story.checkouts(2)] == [5] * VISITS


def test_hasty_shoppers_give_up_at_the_slow_checkout(story: Story) -> None:
    assert story.hasty is not None
    assert story.hasty.tally["gave_up"] == VISITS
    assert story.hasty.tally[Step.PAYMENT] == 0


def test_the_history_claims_the_statements_that_the_healthy_shop_really_makes(story: Story) -> None:
    healthy = version_of(story.heads[0])
    for request in story.received.requests():
        if request.version == healthy:
            step = Step(request.attributes["http.route"])
            assert request.statements == list(STATEMENTS[step])
            assert int(request.attributes["http.status_code"]) == STATUS_CODES[step]
            assert request.endpoint == f"POST {step}"


def test_product_events_follow_the_shopper_with_their_dimensions(story: Story) -> None:
    by_user: dict[str, list[dict[str, Any]]] = {}
    for event in story.received.events:
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


def test_slow_answers_are_warned_about_in_the_log(story: Story) -> None:
    warnings = story.received.warnings()
    assert sum("POST /checkout took" in warning for warning in warnings) >= VISITS
    # On a busy machine others may be slow too.
    assert all(float(warning.split()[-2]) >= SLOW_SECONDS for warning in warnings)


def test_every_deploy_is_told_with_its_commit(story: Story) -> None:
    told = [body for path, body in story.received.posted if path == "/api/deploys"]
    assert [body["commit_sha"] for body in told] == story.heads
    assert all(body["version"] == body["commit_sha"][:12] and body["service"] == "shop" for body in told)


def test_the_stock_clients_carry_the_key(story: Story) -> None:
    assert story.received.secrets == {"argux_secret"}


async def test_a_version_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
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
