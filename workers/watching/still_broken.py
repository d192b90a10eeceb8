"""Whether what an incident is about is broken still, by its latest measurement."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from detection.recovery import RecoveryState, insufficient_data
from detection.types import Finding, LossDetails, Metric
from integrations.cards import moment
from integrations.text import Markup, ours, theirs
from storage import incidents
from storage.database.reading import one_by_itself
from storage.models import Incident
from workers.services import Services
from workers.watching.catalogue import recovery_now
from workers.words.findings import is_notice, leading, standing_sentence

log = structlog.get_logger()

SEEN_SECONDS = 600.0
"""How long what a detector reported counts as the latest measurement while too little was measured since."""

LONGEST_LOOK_SECONDS = 1_800.0
"""How far back a test reaches: what happened before says nothing about how it stands."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident's findings with their latest values, and when each was last seen. closed_at: None while it is open.

    Notices, such as good news, are left out.
    """

    incident_id: int
    findings: tuple[Finding, ...]
    last_seen: tuple[datetime, ...]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClosedByHand:
    """An incident that a person closed and that is broken still: who closed it, and the findings, the worst first."""

    incident_id: int
    closed_by: str
    findings: tuple[Finding, ...]

    @property
    def text(self) -> Markup:
        """Such as "#3 closed by hand (Ana), still broken: checkout conversion is 12.0 %, normally 39.0 %"."""
        return ours(
            "#{number} closed by hand ({name}), still broken: {sentences}",
            number=self.incident_id,
            name=self.closed_by,
            sentences=sentences(self.findings),
        )


def seen(incident: Incident) -> Seen:
    """Read what is needed of an incident, so that its findings can be tested after the session is closed."""
    pairs = [(incidents.latest_finding(record), record.last_seen_at) for record in incident.findings]
    pairs = [(finding, at) for finding, at in pairs if not is_notice(finding)]
    return Seen(
        incident.id,
        tuple(finding for finding, _ in pairs),
        tuple(at for _, at in pairs),
        incident.closed_at,
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """How an incident stands. Findings with their latest values, the worst first.

    unmeasured: what was broken when it was last seen, at last_seen, and of which too little was measured since to tell.
    False if all of it is measured to be back to usual.
    """

    broken: tuple[Finding, ...] = ()
    unmeasured: tuple[Finding, ...] = ()
    last_seen: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.broken or self.unmeasured)

    @property
    def heading(self) -> str:
        """The first words of what people are told."""
        return "Still broken" if self.broken else "Not known to be well"

    @property
    def text(self) -> Markup:
        """Such as "Checkout conversion is 12.0 %, normally 39.0 %"; without a full stop."""
        if self.broken or self.last_seen is None:
            return theirs(sentences(self.broken))
        return ours(
            "too little was measured since {at} to tell. Then: {sentences}",
            at=moment(self.last_seen.timestamp()),
            sentences=sentences(self.unmeasured),
        )


def standing(services: Services, known: Seen, now: datetime) -> Condition:
    """Test the findings again.

    With too little data since then, a finding that was seen in the last SEEN_SECONDS counts as broken still.
    """
    tested = [
        (*_tested(services, finding, at, known.closed_at, now), at)
        for finding, at in zip(known.findings, known.last_seen, strict=True)
    ]
    unmeasured = [(finding, at) for state, finding, at in tested if state is RecoveryState.INSUFFICIENT_DATA]
    return Condition(
        broken=_worst_first([finding for state, finding, _ in tested if state is RecoveryState.STILL_BROKEN]),
        unmeasured=_worst_first([finding for finding, _ in unmeasured]),
        last_seen=max((at for _, at in unmeasured), default=None),
    )


def still_broken(services: Services, known: Seen, now: datetime) -> tuple[Finding, ...]:
    """Test the findings again; return those that are broken still, with their latest values, the worst first."""
    return standing(services, known, now).broken


def _worst_first(found: list[Finding]) -> tuple[Finding, ...]:
    if not found:
        return ()
    first = leading(found)
    return (first, *(finding for finding in found if finding is not first))


def closed_by_hand(services: Services, session: Session, now: datetime) -> list[ClosedByHand]:
    """Return the incidents that people closed and that are broken still, oldest first."""
    since = now - timedelta(seconds=LONGEST_LOOK_SECONDS)
    rows = incidents.closed_by_hand_and_seen(session, since)
    found = []
    for row in rows:
        with one_by_itself(f"testing incident #{row.id}, which was closed by hand"):
            findings = still_broken(services, seen(row), now)
            found += [ClosedByHand(row.id, row.closed_by or "", findings)] if findings else []
    return found


def still_broken_though_closed(services: Services, incident: Incident, now: datetime) -> tuple[Finding, ...]:
    """Return the findings that are broken still although a person closed the incident; none of any other incident.

    Its findings must be loaded. What was not seen for LONGEST_LOOK_SECONDS is not tested.
    """
    if not (incident.status.is_closed and incident.closed_by_hand):
        return ()
    since = now - timedelta(seconds=LONGEST_LOOK_SECONDS)
    is_recent = any(record.last_seen_at >= since for record in incident.findings)
    return still_broken(services, seen(incident), now) if is_recent else ()


def sentences(findings: Sequence[Finding]) -> str:
    """Such as "Checkout conversion is 12.0 %, normally 39.0 %"; several are joined."""
    return "; ".join(standing_sentence(finding).rstrip(".") for finding in findings)


def _tested(
    services: Services, finding: Finding, last_seen: datetime, closed_at: datetime | None, now: datetime
) -> tuple[RecoveryState, Finding]:
    """Return how the finding stands, and the finding with its latest values."""
    earliest = now - timedelta(seconds=LONGEST_LOOK_SECONDS)
    since = max(closed_at if closed_at is not None else last_seen, earliest)
    try:
        item = recovery_now(services, finding, since, now)
    except Exception:
        # One finding that cannot be tested must not hide the others.
        log.exception("still_broken_not_tested", fingerprint=finding.fingerprint)
        item = insufficient_data(finding)
    if item.state is RecoveryState.STILL_BROKEN:
        measured = finding if item.after is None else dataclasses.replace(finding, observed=item.after)
        if finding.metric is Metric.ALERT and item.after:
            measured = dataclasses.replace(measured, sample_size=round(item.after))
        return item.state, _of_everyone(dataclasses.replace(measured, expected=item.before))
    state: RecoveryState = item.state
    if state is RecoveryState.INSUFFICIENT_DATA and (now - last_seen).total_seconds() <= SEEN_SECONDS:
        state = RecoveryState.STILL_BROKEN
    return state, _of_everyone(finding)


def _of_everyone(finding: Finding) -> Finding:
    """Leave out where the loss is: its rates are those of the first time it was located, not the latest."""
    if isinstance(finding.details, LossDetails):
        return dataclasses.replace(finding, details=dataclasses.replace(finding.details, attribution=None))
    return finding
