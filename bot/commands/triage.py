"""What `argux triage` prints: the alerts that fire and Argux's findings, what was decided about each, and why."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from integrations.text import visible
from storage import triage
from storage.models import TriageDecision
from workers.services import Services

SHOWN = 50
_WORDS = {"wake": "told", "digest": "waits", "record": "kept"}


def list_text(services: Services) -> str:
    """Return one line for each decision that holds now."""
    with services.readers() as session:
        found = triage.latest(session, limit=SHOWN, only_holding=True)
        lines = [_line(decision, services.settings.timezone) for decision in found]
        more = sum(triage.count_holding(session)) - len(found)
    if more > 0:
        lines.append(f"and {more:,} more: GET /api/triage")
    return "\n".join(lines) or "No alert of another monitor is firing, and Argux has found nothing."


def _line(decision: TriageDecision, zone: ZoneInfo) -> str:
    """Such as "#12  waits  DiskFull of logs, since 2026-02-07 14:02: It is back at 82."."""
    whose = f" of {visible(decision.service)}" if decision.service else ""
    since = decision.fired_at.astimezone(zone)
    what = f"{visible(decision.name)}{whose}, since {since:%Y-%m-%d %H:%M}"
    return f"#{decision.id}  {_WORDS[decision.decision]:<5}  {what}: {visible(decision.reason)}"
