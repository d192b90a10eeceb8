"""What a replayed history's findings would have become: incidents, as they open, go back to usual and come again.

Nobody touches them: none is closed by hand, and none is called a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.backtest.buckets import SERVICE
from detection.recovery import RecoveryState
from detection.types import Finding
from workers.lifecycle.grouping import RELAPSE_MINUTES
from workers.lifecycle.self_recovery import quiet_seconds
from workers.memory.broken_times import PastIncident
from workers.settings import Settings

Retest = Callable[[Finding, float, float], RecoveryState]
"""(finding, when it was last seen broken, now): whether it is back to usual."""


@dataclass(slots=True)
class ReplayedIncident:
    """first: the finding that opened it, at `noticed_at`. over_at: None while it goes on. returned: how often it came
    back within the hour. Moments are seconds UTC.
    """

    first: Finding
    noticed_at: float
    over_at: float | None = None
    returned: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    last_seen: dict[str, float] = field(default_factory=dict)

    def see(self, findings: Sequence[Finding], now: float) -> None:
        """Hold what is found, now."""
        for one in findings:
            self.findings.setdefault(one.fingerprint, one)
            self.last_seen[one.fingerprint] = now


class ReplayedIncidents:
    """All incidents of one series; at most one is open at a time."""

    def __init__(self, settings: Settings, retest: Retest) -> None:
        self._settings, self._retest = settings, retest
        self.all: list[ReplayedIncident] = []

    @property
    def open(self) -> ReplayedIncident | None:
        """The one that goes on."""
        return self.all[-1] if self.all and self.all[-1].over_at is None else None

    def still(self, fingerprint: str, now: float) -> bool:
        """Whether the open incident holds this; it is seen again, then."""
        if self.open is None or fingerprint not in self.open.findings:
            return False
        self.open.last_seen[fingerprint] = now
        return True

    def take(self, findings: Sequence[Finding], now: float) -> bool:
        """Sort findings of one moment in; whether a new incident opened."""
        if not findings:
            return False
        if self.open is not None:
            self.open.see(findings, now)
            return False
        last = self.all[-1] if self.all else None
        if last is not None and last.over_at is not None:
            if now - last.over_at <= RELAPSE_MINUTES * 60 and any(one.fingerprint in last.findings for one in findings):
                last.over_at, last.returned = None, last.returned + 1
                last.see(findings, now)
                return False
            findings = [one for one in findings if not self._is_old_news(one, last.over_at, now)]
        if not findings:
            return False
        self.all.append(ReplayedIncident(min(findings, key=lambda one: one.onset_at), now))
        self.all[-1].see(findings, now)
        return True

    def _is_old_news(self, finding: Finding, closed_at: float, now: float) -> bool:
        cooldown = self._settings.alert_cooldown_minutes * 60
        lately = max(cooldown, self._settings.recent_window_minutes * 60)
        return now - closed_at <= lately and (now - closed_at <= cooldown or finding.onset_at <= closed_at)

    def settle(self, now: float) -> None:
        """Test the open incident again once it has been quiet for long enough; close it when it is back to usual."""
        one = self.open
        if one is None:
            return
        patience = 2.0**one.returned
        seen = one.last_seen
        if any(now - seen[name] < patience * quiet_seconds(finding) for name, finding in one.findings.items()):
            return
        for name, finding in one.findings.items():
            state = self._retest(finding, seen[name], now)
            if state is RecoveryState.STILL_BROKEN:
                seen[name] = now
            if state is not RecoveryState.RECOVERED:
                return
        one.over_at = now

    def past(self, now: float) -> list[PastIncident]:
        """Those of the baseline window: their time is not usual."""
        since = now - self._settings.baseline_window_hours * 3600
        return [
            PastIncident(one.first.onset_at, one.over_at, SERVICE, frozenset(one.findings))
            for one in self.all
            if one.over_at is None or one.over_at >= since
        ]
