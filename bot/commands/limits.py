"""What the `argux limits` commands do: add, list and remove metric limits."""

from __future__ import annotations

import math
from datetime import timedelta

from bot.commands.person import user_name
from integrations.text import visible
from storage.metric_limits import list_limits
from storage.models import MetricLimit
from workers.errors import RefusedError
from workers.rules.local_times import NotATimeError, duration
from workers.rules.metric_limits import BUILT_IN, LONGEST_HORIZON_HOURS, drop_limit, set_limit
from workers.services import Services
from workers.words.metrics import number_text

_LONGEST_NAME = 150


def add(services: Services, name: str, threshold: float, *, service: str | None, above: bool, horizon: str) -> str:
    """Start to watch a limit and return its line. Raises RefusedError, whose message says what is wrong."""
    try:
        hours = duration(horizon) / timedelta(hours=1)
    except NotATimeError as error:
        raise RefusedError(str(error)) from error
    if not 0 < hours <= LONGEST_HORIZON_HOURS:
        raise RefusedError(f"--horizon must be at most {LONGEST_HORIZON_HOURS / 24:.0f} days.")
    if not math.isfinite(threshold):
        raise RefusedError("The limit must be a number.")
    for what, text in (("A metric's name", name), ("A service's name", service or "-")):
        if not 1 <= len(text.strip()) <= _LONGEST_NAME:
            raise RefusedError(f"{what} has 1 to {_LONGEST_NAME} characters.")
    limit = set_limit(
        services,
        name=name.strip(),
        service=service.strip() if service else None,
        threshold=threshold,
        above=above,
        horizon_hours=hours,
        actor=user_name(),
    )
    return limit_line(limit)


def list_text(services: Services) -> str:
    """Return one line per limit: first the limits that people set, then the built-in ones."""
    with services.readers() as session:
        lines = [limit_line(limit) for limit in list_limits(session)]
    lines += [
        f"   -  {limit.name} above {number_text(limit.threshold)}, looks {_hours(limit.horizon_hours)} ahead, built in"
        for limit in BUILT_IN
    ]
    return "\n".join(lines)


def remove(services: Services, limit_id: int) -> str:
    """Stop watching a limit and return the confirmation."""
    limit = drop_limit(services, limit_id, actor=user_name())
    return f"The limit of {limit.name} is watched no more."


def limit_line(limit: MetricLimit) -> str:
    """Return a limit's line, such as "   3  queue.depth of shop above 500, looks 6 h ahead, set by ana"."""
    of_service = f" of {limit.service}" if limit.service else ""
    side = "above" if limit.above else "below"
    level, ahead = number_text(limit.threshold), _hours(limit.horizon_hours)
    line = f"{limit.name}{of_service} {side} {level}, looks {ahead} ahead, set by {limit.created_by}"
    return f"{limit.id:>4}  {visible(line)}"


def _hours(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:g} days"
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
