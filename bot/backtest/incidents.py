"""Simulate the incidents that a replayed history's findings would open, resolve and reopen.

Nobody acts on them: none is closed by hand or marked as a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.backtest.buckets import SERVICE
from detection.recovery import RecoveryState
from detection.types import Finding
from workers.lifecycle.grouping import RELAPSE_MINUTES
from workers.lifecycle.self_recovery import quiet_seconds
from workers.memory.broken_times import PastIncident, remembered_since
from workers.settings import Settings

Retest = Callable[[Finding, float, float], RecoveryState]
"""Called with (finding, when it was last seen broken, now); returns whether it has recovered."""


@dataclass(slots=True)
class ReplayedIncident:
    """One simulated incident. Times are seconds UTC.

    first: the finding that opened it, at `noticed_at`. resolved_at: None while it is open. reopened: how often it was
    reopened within RELAPSE_MINUTES after it was resolved. findings, last_seen: by fingerprint.
    """

    first: Finding
    noticed_at: float
    resolved_at: float | None = None
    reopened: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    last_seen: dict[str, float] = field(default_factory=dict)

    def add(self, findings: Sequence[Finding], now: float) -> None:
        """Add findings, and note that they were seen at `now`."""
        for one in findings:
            self.findings.setdefault(one.fingerprint, one)
            self.last_seen[one.fingerprint] = now


class ReplayedIncidents:
    """All incidents of one series. At most one is open at a time."""

    def __init__(self, settings: Settings, retest: Retest) -> None:
        self._settings, self._retest = settings, retest
        self.all: list[ReplayedIncident] = []

    @property
    def open(self) -> ReplayedIncident | None:
        """Return the open incident, or None."""
        return self.all[-1] if self.all and self.all[-1].resolved_at is None else None

    def refresh(self, fingerprint: str, now: float) -> bool:
        """If the open incident has this finding, note that it was seen at `now` and return True; else return False."""
        if self.open is None or fingerprint not in self.open.findings:
            return False
        self.open.last_seen[fingerprint] = now
        return True

    def add_findings(self, findings: Sequence[Finding], now: float) -> bool:
        """Add the findings of one moment to an open, reopened or new incident. Return whether a new one was opened."""
        if not findings:
            return False
        if self.open is not None:
            self.open.add(findings, now)
            return False
        last = self.all[-1] if self.all else None
        if last is not None and last.resolved_at is not None:
            if now - last.resolved_at <= RELAPSE_MINUTES * 60 and any(
                one.fingerprint in last.findings for one in findings
            ):
                last.resolved_at, last.reopened = None, last.reopened + 1
                last.add(findings, now)
                return False
            findings = [one for one in findings if not self._is_suppressed(one, last.resolved_at, now)]
        if not findings:
            return False
        self.all.append(ReplayedIncident(min(findings, key=lambda one: one.onset_at), now))
        self.all[-1].add(findings, now)
        return True

    def _is_suppressed(self, finding: Finding, closed_at: float, now: float) -> bool:
        cooldown = self._settings.alert_cooldown_minutes * 60
        recently = max(cooldown, self._settings.recent_window_minutes * 60)
        return now - closed_at <= recently and (now - closed_at <= cooldown or finding.onset_at <= closed_at)

    def resolve_if_recovered(self, now: float) -> None:
        """Retest the open incident once it has been quiet for long enough; resolve it if all findings recovered."""
        one = self.open
        if one is None:
            return
        patience = 2.0**one.reopened
        seen = one.last_seen
        if any(now - seen[name] < patience * quiet_seconds(finding) for name, finding in one.findings.items()):
            return
        for name, finding in one.findings.items():
            state = self._retest(finding, seen[name], now)
            if state is RecoveryState.STILL_BROKEN:
                seen[name] = now
            if state is not RecoveryState.RECOVERED:
                return
        one.resolved_at = now

    def past(self, now: float) -> list[PastIncident]:
        """Return the incidents whose times are left out of what is usual."""
        at = datetime.fromtimestamp(now, UTC)
        since = remembered_since(at, self._settings.baseline_window_hours).timestamp()
        return [
            PastIncident(one.first.onset_at, one.resolved_at, SERVICE, frozenset(one.findings))
            for one in self.all
            if one.resolved_at is None or one.resolved_at >= since
        ]
