"""The card of an incident's root message: what is broken, the cause, the proposed fix, and the buttons."""

from __future__ import annotations

from collections.abc import Collection

from detection.types import IncidentStatus
from integrations.cards import ActionStyle, Card, CardAction, CardLink, CardPicture, moment
from workers.telling.incident_view import IncidentView
from workers.words.attribution import attribution_section
from workers.words.findings import finding_sentence, leading, notice_text
from workers.words.measures import in_words
from workers.words.stakes import worst_stakes

STATUS_WORDS = {
    IncidentStatus.OPEN: "Open",
    IncidentStatus.ACKNOWLEDGED: "Acknowledged",
    IncidentStatus.MITIGATING: "Fix under way",
    IncidentStatus.RESOLVED: "Resolved",
    IncidentStatus.FALSE_ALARM: "False alarm",
}


def root_card(
    view: IncidentView,
    picture: CardPicture | None,
    *,
    quiet: str = "",
    told_late: str = "",
    unset: Collection[str] = (),
) -> Card:
    """Build the incident's root message for its current state.

    quiet: the reason and end of the current quiet time. told_late: why the message was not sent at once. unset: the
    buttons that are left out, because the system behind them is not connected.
    """
    incident = view.incident
    quiet = "" if incident.status.is_closed else quiet
    return Card(
        title=f"#{incident.id} {incident.title}",
        severity=incident.severity,
        text=_headline(view),
        fields=(*_fields(view), *((("Quiet", quiet),) if quiet else ())),
        sections=(
            *((told_late,) if told_late else ()),
            *attribution_section(view.findings),
            *_also_seen(view),
            *_not_asked(view),
        ),
        picture=picture,
        actions=tuple(one for one in _actions(view, is_quiet=bool(quiet)) if one.action_id not in unset),
        links=_links(view),
        context=f"Since {moment(incident.onset_at.timestamp())}, noticed {moment(incident.opened_at.timestamp())}. "
        "Evidence and history are in the thread.",
    )


def _headline(view: IncidentView) -> str:
    """Return the most useful sentence for the current state."""
    verification, diagnosis = view.verification, view.diagnosis
    if _is_diagnosed_again(view):
        verification = None
    if view.incident.status is IncidentStatus.FALSE_ALARM:
        why = f": {view.incident.closing_reason}" if view.incident.closing_reason else "."
        return f"Marked as a false alarm by {view.incident.closed_by}{why}"
    if verification is not None and verification.action_id is None:
        return f"**Back to usual by itself** since {moment(verification.started_at.timestamp())}. {recovery_text(view)}"
    if verification is not None and verification.status == "recovered":
        return f"**Recovered.** {recovery_text(view)}"
    if verification is not None and verification.status == "not_recovered":
        return f"**The fix did not cure it.** {recovery_text(view)}"
    if verification is not None and verification.status == "insufficient_data":
        return f"**Insufficient data to tell whether the fix cured it.** {recovery_text(view)}"
    if diagnosis is None and view.findings and (notice := notice_text(leading(view.findings))) is not None:
        return notice
    if diagnosis is None or diagnosis.status == "running":
        return "Closed before a cause was found." if view.incident.status.is_closed else "Looking for the cause …"
    if diagnosis.status == "failed":
        return "The diagnosis failed; the thread says why."
    if diagnosis.status == "inconclusive":
        return f"**Cause not known.** {diagnosis.root_cause or 'No candidate stood out.'}"
    return f"**Cause:** {diagnosis.root_cause}"


def _is_diagnosed_again(view: IncidentView) -> bool:
    """Return whether a diagnosis began after the verification ended, which makes the verification outdated."""
    if view.diagnosis is None or view.verification is None or view.verification.finished_at is None:
        return False
    return view.diagnosis.started_at > view.verification.finished_at


def recovery_text(view: IncidentView) -> str:
    """Return each metric before, during and after, from the verification's measures; empty without a verification."""
    if view.verification is None:
        return ""
    return in_words(view.verification.measures)


def _fields(view: IncidentView) -> tuple[tuple[str, str], ...]:
    incident, diagnosis = view.incident, view.diagnosis
    fields = [("Status", _status(view))]
    if (stakes := worst_stakes(view.findings)) is not None:
        fields.append(("At stake", stakes.text[0].upper() + stakes.text[1:]))
    if diagnosis is not None and diagnosis.confidence is not None and diagnosis.status == "concluded":
        fields.append(("Confidence", f"{diagnosis.confidence * 100:.0f} %"))
    if view.proposal is not None:
        fields.append(("Fix", _fix_status(view)))
    if incident.acknowledged_by:
        fields.append(("On it", incident.acknowledged_by))
    if incident.muted_until is not None:
        fields.append(("Muted", f"the same findings, until {moment(incident.muted_until.timestamp())}"))
    if incident.ticket_key:
        fields.append(("Ticket", f"[{incident.ticket_key}]({incident.ticket_url})"))
    if incident.escalated_by:
        fields.append(("Escalated", f"to Teams by {incident.escalated_by}"))
    return tuple(fields)


def _status(view: IncidentView) -> str:
    words = STATUS_WORDS[view.incident.status]
    if view.incident.closed_at is not None and view.incident.status.is_closed:
        return f"{words} {moment(view.incident.closed_at.timestamp())} by {view.incident.closed_by}"
    return words


def _fix_status(view: IncidentView) -> str:
    assert view.proposal is not None
    name = view.proposal.title
    if view.action is not None:
        waits_for = view.action.result.get("waits_for")
        running = f"approved, waiting for {waits_for}" if waits_for else "being carried out"
        words = {"running": running, "done": "done", "failed": "failed; see the thread"}
        return f"{name}: {words[view.action.status]}"
    if view.approval is not None:
        return f"{name}: approved by {view.approval.decided_by}"
    if view.incident.status.is_closed and view.proposal.status == "open":
        return f"{name}: not carried out"
    if view.proposal.status == "expired":
        return f"{name}: the offer has expired"
    return f"{name}: waiting for approval, {view.proposal.risk} risk"


def _also_seen(view: IncidentView) -> tuple[str, ...]:
    if not view.findings:
        return ()
    lead = leading(view.findings)
    others = [finding_sentence(finding) for finding in view.findings if finding is not lead]
    return ("**Also seen**\n" + "\n".join(f"- {sentence}" for sentence in others),) if others else ()


def _not_asked(view: IncidentView) -> tuple[str, ...]:
    """Return what the finished diagnosis could not ask, such as a GitHub that is not set up."""
    if view.diagnosis is None or view.diagnosis.status == "running" or view.incident.status.is_closed:
        return ()
    evidence = view.diagnosis.checkpoints.get("gather", {}).get("evidence", [])
    results = dict.fromkeys(item["result"] for item in evidence if item["outcome"] == "error")
    return ("**Not asked**\n" + "\n".join(f"- {result}" for result in results),) if results else ()


def _links(view: IncidentView) -> tuple[CardLink, ...]:
    if view.proposal is None or "url" not in view.proposal.parameters:
        return ()
    return (CardLink(f"Pull request #{view.proposal.parameters['number']}", str(view.proposal.parameters["url"])),)


def _may_diagnose_again(view: IncidentView) -> bool:
    """Return whether a diagnosis is finished and no fix awaits a decision or is under way."""
    if view.diagnosis is None or view.diagnosis.status == "running":
        return False
    if view.proposal is not None and view.proposal.status == "open":
        return False
    return view.incident.status.awaits_people


def _actions(view: IncidentView, *, is_quiet: bool) -> tuple[CardAction, ...]:
    """Return the buttons that still apply; what is done already, or no longer possible, has no button."""
    incident = view.incident
    subject = str(incident.id)
    if incident.status.is_closed:
        return (CardAction("reopen", "Reopen", subject),)
    actions = []
    if view.proposal is not None and view.proposal.status == "open":
        actions.append(CardAction("approve_fix", "Approve fix", str(view.proposal.id), ActionStyle.PRIMARY))
    if incident.status is IncidentStatus.OPEN:
        actions.append(CardAction("acknowledge", "Acknowledge", subject))
    if _may_diagnose_again(view):
        actions.append(CardAction("diagnose_again", "Diagnose again", subject))
    if incident.ticket_key is None:
        actions.append(CardAction("create_ticket", "Create Jira ticket", subject))
    if incident.escalated_at is None and not is_quiet:
        actions.append(CardAction("escalate", "Escalate", subject))
    if incident.snoozed_until is None:
        actions.append(CardAction("snooze", "Snooze 1 h", subject))
    else:
        actions.append(CardAction("unsnooze", "Unsnooze", subject))
    actions.append(CardAction("resolve", "Resolve", subject, confirm="Close this incident as resolved?"))
    actions.append(CardAction("false_alarm", "False alarm", subject, ActionStyle.DANGER))
    return tuple(actions)
