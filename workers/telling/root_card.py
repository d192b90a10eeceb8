"""The card of an incident's root message: what is broken, the cause, the proposed fix, and the buttons."""

from __future__ import annotations

from collections.abc import Collection

from detection.types import IncidentStatus
from integrations.cards import NOTHING, ActionStyle, Card, CardAction, CardLink, CardPicture, moment
from integrations.text import Markup, bullets, lines, link, ours, stored, theirs
from workers.telling.incident_view import IncidentView
from workers.words.attribution import attribution_section
from workers.words.findings import finding_sentence, leading, notice_text
from workers.words.measures import in_words
from workers.words.spread import spread
from workers.words.stakes import worst_stakes
from workers.words.sureness import sure_fields

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
    quiet: Markup = NOTHING,
    told_late: Markup = NOTHING,
    still_broken: Markup = NOTHING,
    unset: Collection[str] = (),
) -> Card:
    """Build the incident's root message for its current state.

    quiet: the reason and end of the current quiet time. told_late: why the message was not sent at once. still_broken:
    what is broken still although a person closed the incident. unset: the buttons that are left out, because the system
    behind them is not connected.
    """
    incident = view.incident
    quiet = NOTHING if incident.status.is_closed else quiet
    return Card(
        title=f"#{incident.id} {incident.title}",
        severity=incident.severity,
        text=_headline(view),
        fields=(
            *_fields(view),
            *((("Quiet", quiet),) if quiet else ()),
            *((("Closed by hand", ours("**still broken:** {what}", what=still_broken)),) if still_broken else ()),
        ),
        sections=(
            *((told_late,) if told_late else ()),
            *attribution_section(view.findings),
            *_also_seen(view),
            *_not_asked(view),
        ),
        picture=picture,
        actions=tuple(one for one in _actions(view, is_quiet=bool(quiet)) if one.action_id not in unset),
        links=_links(view),
        context=ours(
            "Since {onset}, noticed {opened}. Evidence and history are in the thread.",
            onset=moment(incident.onset_at.timestamp()),
            opened=moment(incident.opened_at.timestamp()),
        ),
    )


def _headline(view: IncidentView) -> Markup:
    """Return the most useful sentence for the current state."""
    verification, diagnosis = view.verification, view.diagnosis
    if _is_diagnosed_again(view) or _is_broken_again(view):
        verification = None
    if view.incident.status is IncidentStatus.FALSE_ALARM:
        why = theirs(f": {view.incident.closing_reason}" if view.incident.closing_reason else ".")
        return ours("Marked as a false alarm by {who}{why}", who=view.incident.closed_by, why=why)
    if verification is not None and verification.action_id is None:
        since = moment(verification.started_at.timestamp())
        return ours("**Back to usual by itself** since {since}. {measures}", since=since, measures=recovery_text(view))
    if verification is not None and verification.status == "recovered":
        return ours("**Recovered.** {measures}", measures=recovery_text(view))
    if verification is not None and verification.status == "not_recovered":
        return ours("**The fix did not cure it.** {measures}", measures=recovery_text(view))
    if verification is not None and verification.status == "insufficient_data":
        return ours("**Insufficient data to tell whether the fix cured it.** {measures}", measures=recovery_text(view))
    if diagnosis is None and view.findings and (notice := notice_text(leading(view.findings))) is not None:
        return notice
    if diagnosis is None or diagnosis.status == "running":
        if view.incident.status.is_closed:
            return ours("Closed before a cause was found.")
        return ours("Looking for the cause …")
    if diagnosis.status == "failed":
        return ours("The diagnosis failed; the thread says why.")
    cause = stored(diagnosis.root_cause or "")
    if diagnosis.status == "inconclusive":
        return ours("**Cause not known.** {cause}", cause=cause or ours("No candidate stood out."))
    return ours("**Cause:** {cause}", cause=cause)


def _is_diagnosed_again(view: IncidentView) -> bool:
    """Return whether a diagnosis began after the verification ended, which makes the verification outdated."""
    if view.diagnosis is None or view.verification is None or view.verification.finished_at is None:
        return False
    return view.diagnosis.started_at > view.verification.finished_at


def _is_broken_again(view: IncidentView) -> bool:
    """Return whether the incident was opened again after its fix had cured it, which makes that outdated."""
    if view.verification is None or view.verification.status != "recovered":
        return False
    return not view.incident.status.is_closed


def recovery_text(view: IncidentView) -> str:
    """Return each metric before, during and after, from the verification's measures; empty without a verification."""
    if view.verification is None:
        return ""
    return in_words(view.verification.measures)


def _fields(view: IncidentView) -> tuple[tuple[str, Markup], ...]:
    incident, diagnosis = view.incident, view.diagnosis
    fields = [("Status", _status(view))]
    if (stakes := worst_stakes(view.findings)) is not None:
        fields.append(("At stake", theirs(stakes.text[0].upper() + stakes.text[1:])))
    if diagnosis is not None:
        fields += sure_fields(diagnosis)
        if line := spread(diagnosis):
            fields.append(("Chain", theirs(line)))
    if view.proposal is not None:
        fields.append(("Fix", theirs(_fix_status(view))))
    if incident.acknowledged_by:
        fields.append(("On it", theirs(incident.acknowledged_by)))
    if incident.muted_until is not None:
        until = moment(incident.muted_until.timestamp())
        fields.append(("Muted", ours("the same findings, until {until}", until=until)))
    if incident.ticket_key:
        fields.append(("Ticket", link(incident.ticket_key, incident.ticket_url or "")))
    if incident.escalated_by:
        fields.append(("Escalated", ours("to Teams by {who}", who=incident.escalated_by)))
    return tuple(fields)


def _status(view: IncidentView) -> Markup:
    words = STATUS_WORDS[view.incident.status]
    if view.incident.closed_at is not None and view.incident.status.is_closed:
        closed = moment(view.incident.closed_at.timestamp())
        return ours("{words} at {closed} by {who}", words=words, closed=closed, who=view.incident.closed_by)
    return theirs(words)


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


def _also_seen(view: IncidentView) -> tuple[Markup, ...]:
    if not view.findings:
        return ()
    lead = leading(view.findings)
    others = [finding_sentence(finding) for finding in view.findings if finding is not lead]
    return (lines([ours("**Also seen**"), bullets(others)]),) if others else ()


def _not_asked(view: IncidentView) -> tuple[Markup, ...]:
    """Return what the finished diagnosis could not ask, such as a GitHub that is not set up."""
    if view.diagnosis is None or view.diagnosis.status == "running" or view.incident.status.is_closed:
        return ()
    evidence = view.diagnosis.checkpoints.get("gather", {}).get("evidence", [])
    results = dict.fromkeys(item["result"] for item in evidence if item["outcome"] == "error")
    return (lines([ours("**Not asked**"), bullets(stored(result) for result in results)]),) if results else ()


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
