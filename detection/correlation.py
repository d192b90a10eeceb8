"""Group findings into incidents: findings of one problem together, and with an incident that is already open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.types import AlertDetails, Finding, LossDetails, Where

SAME_TIME_SECONDS = 300.0

STANDING_APART = frozenset({"funnel_rise", "funnel_drift", "funnel_drift_up"})
"""Kinds of subjects that are no outage, and so never share an incident with other kinds."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The properties of an open incident that findings are matched against.

    apart: the kind of its subjects if that is in STANDING_APART, else None. together: the group marks of its alerts,
    which their monitor sent in one notification.
    """

    incident_id: int
    onset_at: float
    services: frozenset[str]
    funnel_ids: frozenset[int]
    fingerprints: frozenset[str]
    apart: str | None = None
    together: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one incident: of the open incident `incident_id`, or of a new one if that is None."""

    incident_id: int | None
    findings: tuple[Finding, ...]


def signature(incident_id: int, onset_at: float, findings: Iterable[Finding]) -> Signature:
    """Return the signature of an incident from its onset and all its findings."""
    held = tuple(findings)
    return Signature(
        incident_id,
        onset_at,
        frozenset(finding.subject.service for finding in held if finding.subject.service is not None),
        frozenset(finding.subject.funnel_id for finding in held if finding.subject.funnel_id is not None),
        frozenset(finding.fingerprint for finding in held),
        next((kind for kind in map(_apart, held) if kind is not None), None),
        frozenset(mark for mark in map(_breath, held) if mark is not None),
    )


def _breath(finding: Finding) -> str | None:
    return finding.details.together if isinstance(finding.details, AlertDetails) else None


def _apart(finding: Finding) -> str | None:
    return finding.subject.kind if finding.subject.kind in STANDING_APART else None


def groups(
    findings: Sequence[Finding],
    open_incidents: Sequence[Signature],
    *,
    tolerance_seconds: float = SAME_TIME_SECONDS,
) -> list[Group]:
    """Group findings into incidents; each finding is in exactly one group, groups are sorted by their earliest onset.

    A finding joins the open incident that fits by the first of these rules; of several, the nearest in onset:
    1. The incident already has its fingerprint (the same problem, still there).
    2. The incident has the same service or the same funnel (two metrics of one object are one problem).
    3. The onsets are within the tolerance, unless both name services and share none. A funnel names no service, so
       time alone connects it with an endpoint. Alerts of one notification may name different services.
    A rise or a slow drift (STANDING_APART) only joins its own kind of the same funnel.

    The others form new incidents. In order of onset, each joins the first new group that is within the tolerance and
    does not name only other services, because two breaks of one service an hour apart may be two problems. Two findings
    of one funnel need no common time if one contains the other: the whole funnel and a segment, or two segments that
    share a place of the attribution.
    """
    adopted: dict[int, list[Finding]] = {}
    fresh: list[list[Finding]] = []
    for finding in sorted(findings, key=lambda finding: finding.onset_at):
        incident = _home(finding, open_incidents, tolerance_seconds)
        if incident is not None:
            adopted.setdefault(incident.incident_id, []).append(finding)
            continue
        for group in fresh:
            known = signature(0, group[0].onset_at, group)
            if _together(finding, known, tolerance_seconds) or any(_nested(finding, other) for other in group):
                group.append(finding)
                break
        else:
            fresh.append([finding])
    found = [Group(incident_id, tuple(held)) for incident_id, held in adopted.items()]
    found += [Group(None, tuple(held)) for held in fresh]
    return sorted(found, key=lambda group: group.findings[0].onset_at)


def _home(finding: Finding, incidents: Sequence[Signature], tolerance: float) -> Signature | None:
    fitting = [
        (rank, abs(finding.onset_at - incident.onset_at), incident.incident_id, incident)
        for incident in incidents
        if (rank := _rank(finding, incident, tolerance)) is not None
    ]
    return min(fitting, key=lambda fit: fit[:3])[3] if fitting else None


def _rank(finding: Finding, incident: Signature, tolerance: float) -> int | None:
    if finding.fingerprint in incident.fingerprints:
        return 0
    if _apart(finding) != incident.apart:
        return None
    if _shares_subject(finding, incident):
        return 1
    return 2 if _together(finding, incident, tolerance) else None


def _together(finding: Finding, known: Signature, tolerance: float) -> bool:
    if _apart(finding) != known.apart:
        return False
    if known.apart is not None:
        return finding.subject.funnel_id in known.funnel_ids
    service = finding.subject.service
    strangers = service is not None and bool(known.services) and service not in known.services
    if strangers and _breath(finding) in known.together:
        strangers = False
    return abs(finding.onset_at - known.onset_at) <= tolerance and not strangers


def _nested(finding: Finding, other: Finding) -> bool:
    """Whether both are about the same users of one funnel: a break in a few users moves every series that has them."""
    one, two = finding.subject, other.subject
    if one.funnel_id is None or one.funnel_id != two.funnel_id or _apart(finding) != _apart(other):
        return False
    return one.dimension is None or two.dimension is None or bool(_places(finding) & _places(other))


def _places(finding: Finding) -> set[Where]:
    """Return the places that `detection.where` found to carry the finding's loss."""
    attribution = finding.details.attribution if isinstance(finding.details, LossDetails) else None
    return {place.where for place in attribution.places} if attribution is not None else set()


def _shares_subject(finding: Finding, known: Signature) -> bool:
    return finding.subject.service in known.services or finding.subject.funnel_id in known.funnel_ids
