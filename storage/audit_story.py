"""What the audit chain tells, read from its first entry to its last: what must stand in the tables because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from detection.types import IncidentStatus
from storage.audit import APPROVED

Payload: TypeAlias = Mapping[str, Any]

_CLOSED = {str(status): status for status in IncidentStatus if status.is_closed}
_CLOSINGS = {"resolve": IncidentStatus.RESOLVED, "false_alarm": IncidentStatus.FALSE_ALARM}
_ENDINGS = {"action_done": "done", "action_failed": "failed"}


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: who did what, when, and with which payload."""

    actor: str
    event: str
    at: datetime
    payload: Payload


@dataclass(frozen=True, slots=True)
class Closing:
    """How an incident was closed last."""

    status: IncidentStatus
    told: Told

    @property
    def is_by_hand(self) -> bool:
        """Whether a person did it: only then the entry names their id."""
        return "user_id" in self.told.payload

    @property
    def reason(self) -> str | None:
        """Why it is a false alarm."""
        return self.told.payload.get("reason") if self.status is IncidentStatus.FALSE_ALARM else None

    @property
    def muted_until(self) -> str | None:
        """Until when its findings are told to nobody, as ISO 8601."""
        return self.told.payload.get("muted_until")


@dataclass
class Story:
    """Each map leads from an id to the newest entry about it; closings to None where the incident is open again."""

    approvals: dict[int, Told] = field(default_factory=dict)
    actions: dict[int, Told] = field(default_factory=dict)
    offers: dict[int, Told] = field(default_factory=dict)
    incidents: dict[int, Told] = field(default_factory=dict)
    verifications: dict[int, Told] = field(default_factory=dict)
    windows: dict[int, Told] = field(default_factory=dict)
    keys: dict[int, Told] = field(default_factory=dict)
    revoked: dict[int, Told] = field(default_factory=dict)
    snoozes: dict[int, Told] = field(default_factory=dict)
    tickets: dict[int, Told] = field(default_factory=dict)
    escalations: dict[int, Told] = field(default_factory=dict)
    closings: dict[int, Closing | None] = field(default_factory=dict)

    def read(self, entries: Iterable[Told]) -> Story:
        """Take the entries in, in the order of the chain; return the story."""
        kept = {
            APPROVED: ("proposal_id", self.approvals),
            "action_done": ("proposal_id", self.actions),
            "action_failed": ("proposal_id", self.actions),
            "proposal_offered": ("proposal_id", self.offers),
            "incident_opened": ("incident_id", self.incidents),
            "maintenance_started": ("window_id", self.windows),
            "maintenance_ended": ("window_id", self.windows),
            "key_created": ("key_id", self.keys),
            "key_revoked": ("key_id", self.revoked),
            "snoozed": ("incident_id", self.snoozes),
            "unsnoozed": ("incident_id", self.snoozes),
            "ticket_created": ("incident_id", self.tickets),
            "escalated": ("incident_id", self.escalations),
        }
        for told in entries:
            name, into = kept.get(told.event, ("", {}))
            if isinstance(number := told.payload.get(name), int):
                into[number] = told
            if isinstance(number := told.payload.get("verification_id"), int):
                self.verifications[number] = told
            if isinstance(number := told.payload.get("incident_id"), int):
                self._follow(number, told)
        return self

    def ending(self, proposal_id: int) -> str | None:
        """Return how the action of a proposal ended: done or failed; None if it has not."""
        told = self.actions.get(proposal_id)
        return _ENDINGS[told.event] if told is not None else None

    def _follow(self, incident_id: int, told: Told) -> None:
        """Note whether the incident is closed after this entry, and how."""
        changed = told.payload.get("status")
        if told.event in _CLOSINGS:
            self.closings[incident_id] = Closing(_CLOSINGS[told.event], told)
        elif told.event == "verification_finished" and changed == "recovered":
            # An incident that a person closed before the verification ended stays closed by that person.
            before = self.closings.get(incident_id)
            self.closings[incident_id] = before or Closing(IncidentStatus.RESOLVED, told)
        elif told.event == "reopen":
            self.closings[incident_id] = None
        elif told.event == "incident_changed" and isinstance(changed, list):
            status = _CLOSED.get(changed[-1])
            self.closings[incident_id] = Closing(status, told) if status is not None else None


def verification_status(told: Told) -> str:
    """Return how a verification ended. One that Argux records when it resolves by itself has recovered."""
    return str(told.payload["status"]) if told.event == "verification_finished" else "recovered"
