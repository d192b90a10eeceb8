"""Read what came in during the last hour, from all processes, as one report for each sender and door."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.reception.arrivals.door_words import door_words
from bot.reception.arrivals.glance import LATEST, Understood
from bot.reception.arrivals.tallies import KEPT_MINUTES, MOST_REFUSALS
from integrations.inbound.monitoring.log_fields import UNKNOWN_SERVICE
from storage import arrivals
from storage.database.reading import one_by_itself
from workers.services import Services

ASKED_AGAIN = ("busy", "unavailable")
"""Reasons for which the sender was asked to send the same again, so that nothing is lost."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused record or request. at: seconds UTC."""

    at: float
    reason: str
    message: str


@dataclass(slots=True)
class Report:
    """What came from one sender through one door in the last hour. sender: the name of its key, empty without one.

    records: stored and new. unnamed: those of no known service. clock_offset_seconds: the median, over the bodies, of
    the time from the newest record until it arrived; negative where the sender's clock is ahead. None if not known.
    """

    sender: str
    door: str
    records: int = 0
    duplicates: int = 0
    late: int = 0
    last_at: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    latest: list[Understood] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)

    @property
    def unnamed(self) -> int:
        """How many records name no service. OpenTelemetry's SDKs write unknown_service:python and the like."""
        return sum(count for name, count in self.services.items() if name.partition(":")[0] == UNKNOWN_SERVICE)

    @property
    def clock_offset_seconds(self) -> float | None:
        """How old the newest record of a body is when it arrives."""
        return statistics.median(self.ages) if self.ages else None

    @property
    def is_only_refused(self) -> bool:
        """Whether nothing was stored, and something was refused that the sender will not send again."""
        return not self.records + self.duplicates and any(reason not in ASKED_AGAIN for reason in self.refused)

    def add(self, tally: Mapping[str, Any]) -> None:
        """Add what came in during one minute, which is not earlier than what was added before."""
        latest = [Understood(**one) for one in tally["latest"]]
        refusals = [Refusal(**one) for one in tally["refusals"]]
        self.refused.update(tally["refused"])
        self.services.update(tally["services"])
        self.records += tally["records"]
        self.duplicates += tally["duplicates"]
        self.late += tally["late"]
        self.last_at = max(self.last_at, tally["last_at"])
        self.ages += tally["ages"]
        self.latest = (self.latest + latest)[-LATEST:]
        self.refusals = (self.refusals + refusals)[-MOST_REFUSALS:]


def read_reports(services: Services, session: Session) -> Sequence[Report]:
    """Return the reports of the last hour, those of named keys first, by sender and door."""
    found: dict[tuple[str, str], Report] = {}
    for row in arrivals.since(session, services.clock() - timedelta(minutes=KEPT_MINUTES)):
        for tally in row.tallies:
            with one_by_itself(f"reading arrivals of {row.minute:%H:%M}"):
                where = (str(tally["sender"]), str(tally["door"]))
                found.setdefault(where, Report(*where)).add(tally)
    return sorted(found.values(), key=lambda report: (not report.sender, report.sender, report.door))


def sender_name(report: Report) -> str:
    """Return who sends, for people."""
    if report.sender:
        return report.sender
    return "an unknown key" if door_words(report.door).needs_key else "no key"
