"""Read the alert of an export: what another monitor said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.investigate.reading.documents import json_of
from bot.investigate.reading.fields import moment, number, text
from bot.investigate.reading.problems import Problems
from detection.types import AlertChange
from integrations.inbound.reading.records import FieldError

SOURCE = "export"
_SAID = ("summary", "detail", "description", "message", "annotations")


def read_alert(path: Path, problems: Problems) -> AlertChange | None:
    """Return the alert of a file; None if it holds none."""
    told = len(problems.found)
    found = json_of(path, problems)
    if found is None and len(problems.found) == told:
        problems.add(path.name, "", "is empty")
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        if found is not None:
            problems.add(path.name, "", "must be an object with service, metric and fired_at")
        return None
    try:
        return _alert(found)
    except FieldError as error:
        problems.add(path.name, error.field, error.message)
        return None


def _alert(item: Mapping[str, object]) -> AlertChange:
    fired = moment(item, "fired_at", "started_at", "startsAt", "timestamp", "time")
    if fired is None:
        raise FieldError("fired_at", "is missing: when did the alert fire?")
    metric = text(item, "metric") or ""
    said = [text(item, name) for name in _SAID]
    values = {name: value for name in ("observed", "threshold", "value") if (value := number(item, name)) is not None}
    return AlertChange(
        identity=text(item, "alert_id", "id", "monitor") or metric or "alert",
        source=SOURCE,
        name=text(item, "monitor", "name", "title") or metric or "alert",
        service=text(item, "service"),
        severity=text(item, "severity"),
        is_firing=True,
        happened_at=fired,
        summary=" ".join(part for part in [metric, *said] if part)[:2000],
        values=values,
    )
