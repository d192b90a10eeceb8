"""The status and the severity of incidents."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """The severity of an incident or a pattern: sev1 is the worst."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class IncidentStatus(StrEnum):
    """The status of an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATING = "mitigating"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"

    @property
    def is_closed(self) -> bool:
        """True when the incident is over: resolved, or a false alarm."""
        return self in (IncidentStatus.RESOLVED, IncidentStatus.FALSE_ALARM)

    @property
    def awaits_people(self) -> bool:
        """True while the next step is a person's: open or acknowledged, with no fix under way."""
        return self in (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
