"""Resolve an incident that recovered by itself, or reopen it after a relapse, and post that in the thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from detection.recovery import Recovery
from detection.types import Finding, IncidentStatus
from integrations.cards import NOTHING, Card, moment
from integrations.text import Markup, bullets, code, lines, ours
from integrations.wording import plain
from storage import audit, deploys, incidents, verifications
from storage.models import Incident
from workers.lifecycle.learning import store_knowledge_entry
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.incident_view import IncidentView, incident_view
from workers.words.findings import duration_text, finding_sentence, leading
from workers.words.measures import in_words, measure_without_fix

log = structlog.get_logger()

RESTART_SECONDS = 120.0
"""How long after the signal was last seen broken a deploy may still be the cure: no data arrives during a restart."""

MAXIMUM_DEPLOYS_SHOWN = 3


def resolve(
    services: Services,
    session: Session,
    incident: Incident,
    measured: Sequence[tuple[Finding, Recovery]],
    *,
    since: datetime,
    now: datetime,
) -> None:
    """Resolve the incident with its measures. `since`: when it was last seen broken. An open proposal ends with it."""
    measures = [measure_without_fix(finding, item) for finding, item in measured]
    before = incident_view(session, incident.id)
    seen_deploys = _deploys_between(session, before, since)
    verification = verifications.record_self_recovery(
        session, incident.id, measures=measures, last_broken_at=since, now=now
    )
    is_new_normal = any(item.is_new_normal for _, item in measured)
    told = _told(measures, since, is_new_normal=is_new_normal)
    incidents.add_timeline(session, incident.id, kind="recovered", actor=incidents.ARGUX, text=told, now=now)
    incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor=incidents.ARGUX, now=now)
    ending = "None: it became the new normal." if is_new_normal else "None known: it recovered by itself."
    fix = plain(" ".join([ending, *seen_deploys]))
    store_knowledge_entry(session, before, fix=fix, measures=measures, now=now)
    why = "the new normal" if is_new_normal else "back to usual by itself"
    payload = {"incident_id": incident.id, "verification_id": verification.id, "why": why}
    audit.append(session, key=services.audit_key, actor=incidents.ARGUX, event="resolve", payload=payload, now=now)
    card = _new_normal_card(measures) if is_new_normal else _card(before, measures, seen_deploys, since)
    channel = services.settings.slack_channel
    enqueue_thread_message(
        session, incident.id, key=f"self_recovery:{verification.id}", card=card, channel=channel, now=now
    )
    enqueue_refresh(session, incident.id, key=f"self_recovery:{verification.id}", now=now)
    log.info("recovered_by_itself", incident_id=incident.id)


def _told(measures: Sequence[dict[str, Any]], since: datetime, *, is_new_normal: bool) -> Markup:
    words = in_words(measures)
    if is_new_normal:
        return ours("Like this for two days: taken as the new normal. {measures}", measures=words)
    return ours("Back to usual by itself since {since}. {measures}", since=moment(since.timestamp()), measures=words)


def _new_normal_card(measures: Sequence[dict[str, Any]]) -> Card:
    parts = [
        ours("This has lasted for two days, so Argux takes it as the new normal and judges by it from now on:"),
        bullets(measure["text"] for measure in measures),
        ours("The incident is resolved. If it is not normal, reopen it."),
    ]
    return Card(title="The new normal", text=lines(parts))


def _card(
    view: IncidentView, measures: Sequence[dict[str, Any]], seen_deploys: Sequence[Markup], since: datetime
) -> Card:
    was_offered = view.proposal is not None and view.proposal.status == "open"
    lasted = duration_text((since - view.incident.onset_at).total_seconds())
    parts = [
        ours("By itself since {since}:", since=moment(since.timestamp())),
        bullets(measure["text"] for measure in measures),
        *seen_deploys,
        *([ours("The fix that was offered was not carried out.")] if was_offered else []),
        ours("The incident is resolved; it lasted {lasted}.", lasted=lasted),
    ]
    return Card(title="Back to usual", text=lines(parts))


def _deploys_between(session: Session, view: IncidentView, since: datetime) -> list[Markup]:
    """Describe the last deploys between onset and recovery, as an observation; without the suspected one."""
    suspect = view.diagnosis.suspect_commit if view.diagnosis is not None else None
    onset = min(_latest_onset(finding) for finding in view.findings)
    began = datetime.fromtimestamp(onset, since.tzinfo)
    services = {finding.subject.service for finding in view.findings if finding.subject.service}
    found = [
        deploy
        for deploy in deploys.deploys_between(session, None, began, since + timedelta(seconds=RESTART_SECONDS))
        if deploy.commit_sha != suspect and (not services or deploy.service in services)
    ]
    return [
        ours(
            "Deploy {version} of {service} went live at {live}, in between; whether that cured it is not known.",
            version=code(deploy.version[:7]),
            service=deploy.service,
            live=moment(deploy.deployed_at.timestamp()),
        )
        for deploy in found[-MAXIMUM_DEPLOYS_SHOWN:]
    ]


def _latest_onset(finding: Finding) -> float:
    _, latest = finding.onset_interval
    return latest


def reopen(
    services: Services, session: Session, incident: Incident, findings: Sequence[Finding], now: datetime
) -> None:
    """Reopen an incident that recovered by itself and is broken again, or that was closed by hand and is broken still.

    Post the reason in its thread.
    """
    card = _still_broken_card(incident, findings) if incident.closed_by_hand else _relapse_card(incident, findings, now)
    incidents.change_status(
        session, incident, IncidentStatus.OPEN, actor=incidents.ARGUX, now=now, reason=plain(card.text)
    )
    payload = {"incident_id": incident.id, "fingerprints": [finding.fingerprint for finding in findings]}
    channel = services.settings.slack_channel
    enqueue_thread_message(session, incident.id, key=f"relapse:{now.timestamp()}", card=card, channel=channel, now=now)
    enqueue_refresh(session, incident.id, key=f"relapse:{incident.id}:{now.timestamp()}", now=now)
    audit.append(session, key=services.audit_key, actor=incidents.ARGUX, event="reopen", payload=payload, now=now)


def _relapse_card(incident: Incident, findings: Sequence[Finding], now: datetime) -> Card:
    assert incident.closed_at is not None
    text = ours(
        "{sentence}. It was back to usual for {lasted}; the incident is open again.",
        sentence=finding_sentence(leading(findings)),
        lasted=duration_text((now - incident.closed_at).total_seconds()),
    )
    return Card(title="Broken again", text=text)


def _still_broken_card(incident: Incident, findings: Sequence[Finding]) -> Card:
    assert incident.closed_at is not None
    at = moment(incident.closed_at.timestamp())
    closed = ours("{name} closed this at {at}", name=incident.closed_by, at=at)
    if incident.status is IncidentStatus.FALSE_ALARM:
        why = ours(" ({reason})", reason=incident.closing_reason) if incident.closing_reason else NOTHING
        closed = ours("{closed} as a false alarm{why}, and its mute is over", closed=closed, why=why)
    text = ours(
        "{closed}. Still broken: {sentence}. The incident is open again.",
        closed=closed,
        sentence=finding_sentence(leading(findings)),
    )
    return Card(title="Still broken", text=text)
