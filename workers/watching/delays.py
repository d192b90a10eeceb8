"""Whether Argux itself keeps up: how late each kind of data is judged, and what failed in the last runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from integrations.cards import moment
from integrations.text import Markup, ours
from workers.services import Services
from workers.troubles import HOUSEKEEPING, TICK, LastRun, Trouble, last_run
from workers.watching.unread import Unread, unread
from workers.words.findings import duration_text

TOLD_SECONDS = 60.0
"""A lag or a pause between ticks longer than this is told."""

_WORDS = {"events": "Events", "spans": "Requests", "points": "Metrics", "logs": "Log lines"}


@dataclass(frozen=True, slots=True)
class Delays:
    """lag_seconds: by kind of record, how long the oldest one that is not rolled up has waited. tick, housekeeping: the
    last ones. unread: the outside source that cannot be read, if there is one.
    """

    now: datetime
    lag_seconds: Mapping[str, float]
    tick: LastRun | None
    housekeeping: LastRun | None = None
    unread: Unread | None = None

    @property
    def longest_lag_seconds(self) -> float:
        """The lag of the kind that is judged latest."""
        return max(self.lag_seconds.values())

    @property
    def troubles(self) -> list[Trouble]:
        """What failed in the last runs; once, if it failed in both."""
        runs = [one for one in (self.tick, self.housekeeping) if one is not None]
        return list({trouble.what: trouble for run in reversed(runs) for trouble in run.troubles}.values())

    def sentences(self) -> list[Markup]:
        """Say what is late or failed, and how to mend it; empty when everything is judged in time."""
        unread = [self.unread.sentence] if self.unread is not None else []
        return [*self._pause(), *self._lags(), *self._troubles(), *unread]

    def _pause(self) -> list[Markup]:
        """Say when no tick has run for too long. Before the first tick there is nothing to say."""
        if self.tick is None:
            return []
        pause = (self.now - self.tick.ended_at).total_seconds()
        if pause <= TOLD_SECONDS:
            return []
        return [
            ours(
                "Nothing has been judged for {pause}. "
                "Check that a worker and a scheduler run, and that they reach the broker.",
                pause=duration_text(pause),
            )
        ]

    def _lags(self) -> list[Markup]:
        return [
            ours(
                "{records} are judged {lag} late: more arrive than this machine can count. "
                "Give the worker and the database more CPU, or send less.",
                records=_WORDS[kind],
                lag=duration_text(lag),
            )
            for kind, lag in self.lag_seconds.items()
            if lag > TOLD_SECONDS
        ]

    def _troubles(self) -> list[Markup]:
        return [
            ours(
                "Failing since {since}, and tried again by itself: {what} ({error}).",
                since=moment(one.since.timestamp()),
                what=one.what,
                error=one.error,
            )
            for one in self.troubles
        ]


def delays(services: Services, session: Session) -> Delays:
    """Return how Argux keeps up at this moment."""
    now = services.clock()
    whole = services.telemetry.whole_until(now=now.timestamp())
    lags = {kind: max(0.0, now.timestamp() - until) for kind, until in whole._asdict().items()}
    source = unread(session) if services.settings.elasticsearch_url is not None else None
    return Delays(now, lags, last_run(session, TICK), last_run(session, HOUSEKEEPING), source)
