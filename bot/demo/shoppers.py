"""Simulated shoppers: they use the live shop over HTTP and give up when it is too slow."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import httpx

from bot.demo.behaviour import Shopper, Step, draw_shopper

SHOPPERS_PER_SECOND = 7.0
MAX_CONCURRENT = 80
RETRY_SECONDS = 0.25
RETRIES = 40
MEASUREMENTS_KEPT = 500


class GaveUpError(Exception):
    """The response took longer than the shopper's patience."""


class Shoppers:
    """A stream of shoppers with Poisson arrivals at the shop at `base_url`.

    `tally` counts "arrived", each completed step, "gave_up" and "turned_away" (an HTTP error, or no connection).
    """

    def __init__(
        self, base_url: str, skus: Sequence[str], random: Random, *, per_second: float = SHOPPERS_PER_SECOND
    ) -> None:
        self._base_url = base_url
        self._skus = skus
        self._random = random
        self._per_second = per_second
        self._seconds: dict[Step, deque[float]] = {step: deque(maxlen=MEASUREMENTS_KEPT) for step in Step}
        self.tally: Counter[str] = Counter()

    @property
    def response_seconds(self) -> Mapping[Step, Sequence[float]]:
        """The shop's latest response times, by step."""
        return {step: list(seconds) for step, seconds in self._seconds.items()}

    async def run(self) -> None:
        """Start visits until cancelled; cancelling also stops the visits in progress at once."""
        limits = httpx.Limits(max_connections=MAX_CONCURRENT, max_keepalive_connections=20)
        async with (
            httpx.AsyncClient(base_url=self._base_url, limits=limits, timeout=30, trust_env=False) as client,
            asyncio.TaskGroup() as visits,
        ):
            slots = asyncio.Semaphore(MAX_CONCURRENT)
            while True:
                await slots.acquire()
                visit = visits.create_task(self.visit(client, draw_shopper(self._random)))
                visit.add_done_callback(lambda _: slots.release())
                await asyncio.sleep(self._random.expovariate(self._per_second))

    async def visit(self, client: httpx.AsyncClient, shopper: Shopper) -> None:
        """Run one visit from sign-up to the shopper's last step, and count its outcome in `tally`."""
        self.tally["arrived"] += 1
        known: dict[str, Any] = {}
        try:
            for step, thinking in zip(shopper.wants, shopper.thinking_seconds, strict=True):
                await asyncio.sleep(thinking)
                known |= await self._post(client, step, self._body(step, shopper, known), shopper.patience_seconds)
                self.tally[step] += 1
        except GaveUpError:
            self.tally["gave_up"] += 1
        except httpx.HTTPError:
            self.tally["turned_away"] += 1

    def _body(self, step: Step, shopper: Shopper, known: Mapping[str, Any]) -> dict[str, Any]:
        match step:
            case Step.SIGN_UP:
                return {"country": shopper.country, "device": shopper.device}
            case Step.CART:
                return {"user_id": known["user_id"], "sku": self._random.choice(self._skus)}
            case Step.CHECKOUT:
                return {"user_id": known["user_id"], "payment_method": shopper.payment_method}
            case Step.PAYMENT:
                return {"order_id": known["order_id"]}

    async def _post(
        self, client: httpx.AsyncClient, step: Step, body: Mapping[str, Any], patience_seconds: float
    ) -> dict[str, Any]:
        """Post one step; retry up to RETRIES times while the connection fails. Raises GaveUpError, httpx.HTTPError."""
        loop = asyncio.get_running_loop()
        for attempt in range(RETRIES + 1):
            started = loop.time()
            try:
                async with asyncio.timeout(patience_seconds):
                    response = await client.post(step, json=body)
            except TimeoutError:
                raise GaveUpError(step) from None
            except httpx.TransportError:
                if attempt == RETRIES:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._seconds[step].append(loop.time() - started)
            answer: dict[str, Any] = response.raise_for_status().json()
            return answer
        raise AssertionError("the last attempt returns or raises")
