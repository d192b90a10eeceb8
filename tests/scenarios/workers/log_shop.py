"""A shop that writes log lines: a week of ordinary ones, and what a test adds."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from detection.types import LogRecord
from tests.scenarios.workers.live_deploys import goes_live
from tests.scenarios.workers.worker import Clock
from workers.services import Services

REFUSED = "Charge for order {number} failed: gateway said declined"


class LogShop:
    """A service that logs ordinary lines, plus the lines a test adds."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock = services, clock
        self.random, self.sent = random.Random(1), 0

    def say(self, body: str, at: datetime, severity: str = "INFO", service: str = "shop") -> None:
        self.sent += 1
        text = body.format(number=self.random.randint(1000, 99999))
        record = LogRecord(f"r{self.sent}", service, None, at.timestamp(), severity, text)
        self.services.telemetry.append_logs([record])

    def history(self, days: float) -> None:
        """Write some ordinary lines per hour, up to a quarter of an hour ago."""
        now = self.clock()
        records = []
        for hour in range(int(days * 24)):
            at = now - timedelta(hours=hour, minutes=15)
            for number in range(6):
                self.sent += 1
                moment = at.timestamp() - 500 * number
                body = f"order {self.random.randint(1000, 99999)} was paid"
                records.append(LogRecord(f"r{self.sent}", "shop", None, moment, "INFO", body))
        self.services.telemetry.append_logs(records)

    def live(self, minutes: int, body: str | None = None, severity: str = "ERROR", a_minute: int = 4) -> None:
        """Log ordinary lines for some minutes, plus `a_minute` lines with this body per minute."""
        for _ in range(minutes):
            now = self.clock()
            self.say("order {number} was paid", now)
            for number in range(a_minute if body else 0):
                assert body is not None
                self.say(body, now + timedelta(seconds=10 * number), severity)
            self.clock.forward(60)
        self.clock.forward(6)

    def deploy(self, sha: str) -> None:
        goes_live(self.services, sha)


def log_shop(services: Services, clock: Clock) -> LogShop:
    """A shop with seven and a half days of ordinary lines; the clock stands at a whole minute."""
    clock.now = clock.now.replace(second=0)
    made = LogShop(services, clock)
    made.history(7.5)
    return made
