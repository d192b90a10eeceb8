"""Find out whether an incident is quiet now: under maintenance, or snoozed. No messages are sent about it then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.cards import moment
from integrations.text import Markup, ours
from storage import maintenance
from storage.models import FindingRecord, Incident, MaintenanceWindow


@dataclass(frozen=True, slots=True)
class Quiet:
    """A quiet time: its end, and its reason such as "snoozed by Ana" or "maintenance of shop (new database)"."""

    until: datetime
    why: str

    @property
    def text(self) -> Markup:
        """The quiet time as a line for cards and timelines."""
        why = f"{self.why[0].upper()}{self.why[1:]}"
        return ours("{why} until {end}", why=why, end=moment(self.until.timestamp()))


def quiet_time_of(session: Session, incident: Incident, now: datetime) -> Quiet | None:
    """Return the quiet time that ends last; None when the incident is not quiet."""
    reasons = [_snoozed(incident, now), _snoozed_before(session, incident, now), _maintenance(session, incident, now)]
    return max((reason for reason in reasons if reason is not None), key=lambda quiet: quiet.until, default=None)


def _snoozed(incident: Incident, now: datetime) -> Quiet | None:
    if incident.snoozed_until is None or incident.snoozed_until <= now:
        return None
    return Quiet(incident.snoozed_until, f"snoozed by {incident.snoozed_by}")


def _snoozed_before(session: Session, incident: Incident, now: datetime) -> Quiet | None:
    """Return the quiet time when every finding is also in another incident that is snoozed; else None."""
    query = (
        select(FindingRecord.fingerprint, Incident.id, Incident.snoozed_until, Incident.snoozed_by)
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(Incident.snoozed_until > now, Incident.id != incident.id)
        .order_by(Incident.snoozed_until)
    )
    snoozed = {row.fingerprint: row for row in session.execute(query)}
    broken = {record.fingerprint for record in incident.findings}
    if not broken or not broken <= snoozed.keys():
        return None
    first = min((snoozed[fingerprint] for fingerprint in broken), key=lambda row: row.snoozed_until)
    return Quiet(first.snoozed_until, f"snoozed by {first.snoozed_by} with incident #{first.id}")


def _maintenance(session: Session, incident: Incident, now: datetime) -> Quiet | None:
    """Return the quiet time when every affected service is under maintenance; else None.

    An incident without services is covered by a window on its funnels, or on everything.
    """
    running = [window for window in maintenance.windows_not_over(session, now) if window.begins_at <= now]
    if not running:
        return None
    covers = [_longest(running, name) for name in _affected_names(incident)]
    if not covers:
        covers = [_longest(running, None)]
    found = [window for window in covers if window is not None]
    if len(found) < len(covers):
        return None
    first = min(found, key=lambda window: window.ends_at)
    return Quiet(first.ends_at, maintenance_text(first))


def maintenance_text(window: MaintenanceWindow) -> str:
    """Such as "maintenance of shop (new database)"."""
    reason = f" ({window.reason})" if window.reason else ""
    return f"maintenance of {window.service or 'everything'}{reason}"


def _affected_names(incident: Incident) -> list[str]:
    """Return the services that the findings name; if they name none, the funnels."""
    subjects = [record.subject for record in incident.findings]
    services = {str(subject["service"]) for subject in subjects if subject.get("service")}
    return sorted(services or {str(subject["name"]) for subject in subjects})


def _longest(running: Sequence[MaintenanceWindow], name: str | None) -> MaintenanceWindow | None:
    """Return the window on this service, or on everything, that ends last."""
    fitting = [window for window in running if window.service is None or window.service == name]
    return max(fitting, key=lambda window: window.ends_at, default=None)
