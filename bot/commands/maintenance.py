"""What the `argux maintenance` commands do: start, list and end windows in which incidents send no message."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.commands.person import user_name
from integrations.text import visible
from storage import maintenance
from storage.models import MaintenanceWindow
from workers.errors import RefusedError
from workers.rules.local_times import NotATimeError, duration, instant
from workers.rules.maintenance import EVERYTHING, end_window, start_window
from workers.services import Services

PAST_SHOWN = 50


def start(
    services: Services, service: str, *, length: str | None, until: str | None, begins: str | None, reason: str
) -> str:
    """Start a window now or later and return its line. Raises RefusedError, whose message says what is wrong."""
    if (length is None) == (until is None):
        raise RefusedError("Say how long: --for 2h, or --until '2026-02-07 23:00'.")
    zone, now = services.settings.timezone, services.clock()
    try:
        begins_at = instant(begins, zone) if begins is not None else now
        ends_at = begins_at + duration(length) if length is not None else instant(until or "", zone)
    except NotATimeError as error:
        raise RefusedError(str(error)) from error
    with services.sessions.begin() as session:
        window = start_window(
            services,
            session,
            service=None if service.strip().lower() == EVERYTHING else service,
            begins_at=begins_at,
            ends_at=ends_at,
            reason=reason,
            actor=user_name(),
            now=now,
        )
        return window_line(window, now, zone)


def list_text(services: Services, *, past: bool) -> str:
    """Return one line per window that runs or is still to come; with `past`, per window of the latest PAST_SHOWN."""
    zone, now = services.settings.timezone, services.clock()
    with services.readers() as session:
        if past:
            found = maintenance.latest_windows(session, limit=PAST_SHOWN)
        else:
            found = maintenance.windows_not_over(session, now)
        lines = [window_line(window, now, zone) for window in found]
    return "\n".join(lines) or "No maintenance window runs or is to come."


def end(services: Services, window_id: int) -> str:
    """End a running window now, or cancel one that is still to come. Return the confirmation."""
    with services.sessions.begin() as session:
        end_window(services, session, window_id, actor=user_name(), now=services.clock())
    return f"Maintenance window {window_id} is over."


def window_line(window: MaintenanceWindow, now: datetime, zone: ZoneInfo) -> str:
    """Return a window's line, such as "3  shop  2026-02-07 22:00 to 23:00 CET  running  by ana  new database"."""
    begins, ends = window.begins_at.astimezone(zone), window.ends_at.astimezone(zone)
    state = "to come" if now < window.begins_at else "running" if now < window.ends_at else "over"
    end = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%Y-%m-%d %H:%M}"
    # Across a change of the clocks the beginning has another zone than the end.
    zone_then = "" if begins.utcoffset() == ends.utcoffset() else f" {begins:%Z}"
    when = f"{begins:%Y-%m-%d %H:%M}{zone_then} to {end} {ends:%Z}"
    reason = f"  {visible(window.reason)}" if window.reason else ""
    what = visible(window.service or EVERYTHING)
    return f"{window.id:<4} {what:<20} {when}  {state:<8} by {visible(window.made_by)}{reason}"
