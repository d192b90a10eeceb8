"""Open the pull request that reverts a diagnosed deploy, and propose it for approval."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from integrations.cards import Card, CardLink
from integrations.errors import ConflictError, PermanentError, RejectedError, RetryableError
from integrations.protocols import PullRequest
from integrations.text import Markup, bullets, code, lines, link, listed, ours, theirs
from storage import audit, diagnoses, incidents, proposals
from storage.database.rows import hold
from storage.models import Diagnosis, Incident, Proposal
from workers.diagnosis.account import account, evidence_lines
from workers.diagnosis.steps.fix import REVERT_PULL_REQUEST
from workers.remediation import binding
from workers.remediation.catalogue import RevertPullRequest, describe_revert
from workers.remediation.closing import enqueue_close
from workers.remediation.unoffered import close_unoffered, enqueue_close_of_unoffered
from workers.remediation.waiting import is_over, put_off, tell
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.words.findings import finding_sentence


def propose_fix(services: Services, diagnosis_id: int, is_answer: bool = False) -> None:
    """Open the pull request of the diagnosis's fix (or find it, if an earlier try opened it) and propose it.

    An undecided proposal of an earlier diagnosis is superseded, and its pull request closed. If there is nothing to
    propose, the reason is posted in the thread. is_answer: a person asked for the diagnosis.
    """
    with services.readers() as session:
        diagnosis = diagnoses.get_diagnosis(session, diagnosis_id)
        incident = incidents.get_incident(session, diagnosis.incident_id)
        fix = dict(diagnosis.checkpoints["fix"])
        earlier = proposals.current_proposal(session, incident.id)
        is_wanted = _is_wanted(incident, earlier, fix)
        title = _title(fix, diagnosis.checkpoints["confirm"]["suspect"])
        body = _body(diagnosis, [finding_sentence(incidents.to_finding(row)) for row in incident.findings])
        suffix = "-".join(sha[:7] for sha in fix["commit_shas"][:3])
        branch = f"argux/incident-{incident.id}-revert-{suffix}"
        since = diagnosis.finished_at or services.clock()
    if not is_wanted:
        close_unoffered(services, incident.id, repository=fix["repository"], branch=branch, since=since)
        return
    try:
        pull_request = services.code_host.open_revert(
            fix["repository"], tuple(fix["commit_shas"]), branch=branch, title=title, body=body
        )
        plan = _plan(services, pull_request, fix)
    except RetryableError as error:
        _wait(services, diagnosis, error, since=since, is_answer=is_answer)
        return
    except PermanentError as error:
        _post_no_revert(services, diagnosis, _reason_text(error), is_answer=is_answer)
        return
    if pull_request.state == "merged":
        text = ours(
            "Pull request #{number} reverts this, and is merged already. If it is broken still, "
            "something else breaks it too.",
            number=pull_request.number,
        )
        merged = CardLink(f"Pull request #{pull_request.number}", pull_request.url)
        _post_no_revert(services, diagnosis, text, merged, is_answer=is_answer)
        return
    _propose(services, diagnosis, plan, fix, is_answer=is_answer)


def _wait(services: Services, diagnosis: Diagnosis, error: RetryableError, *, since: datetime, is_answer: bool) -> None:
    """Put the job off and say what it waits for; after LONGEST_WAIT say that there is no fix."""
    now = services.clock()
    if is_over(since, now):
        fix_given_up(services, diagnosis.id, str(error), is_answer=is_answer)
        return
    with services.sessions.begin() as session:
        key = f"fix:{diagnosis.id}"
        tell(
            services,
            session,
            diagnosis.incident_id,
            key=key,
            title="The fix is being prepared",
            error=error,
            since=since,
        )
    raise put_off(error, since=since, now=now)


def fix_given_up(services: Services, diagnosis_id: int, reason: str, is_answer: bool = False) -> None:
    """Post in the thread that the fix could not be prepared after all retries, so that nobody waits for it."""
    with services.readers() as session:
        diagnosis = diagnoses.get_diagnosis(session, diagnosis_id)
    text = ours("{reason}. Argux has given up trying. When that is mended, press Diagnose again.", reason=reason)
    _post_no_revert(services, diagnosis, text, is_answer=is_answer)


def _is_wanted(incident: Incident, earlier: Proposal | None, fix: dict[str, Any]) -> bool:
    """Return whether to propose the fix: not if another is under way, or if this one already awaits a decision."""
    if not incident.status.awaits_people:
        return False
    if earlier is None or earlier.status not in ("open", "approved"):
        return True
    return earlier.status == "open" and earlier.parameters["commit_shas"] != list(fix["commit_shas"])


def _plan(services: Services, pull_request: PullRequest, fix: dict[str, Any]) -> RevertPullRequest:
    """Return what is proposed. A diff that cannot be read is left out here; the dialog then refuses the approval."""
    plan = RevertPullRequest(
        repository=pull_request.repository,
        number=pull_request.number,
        head_sha=pull_request.head_sha,
        url=pull_request.url,
        service=fix["service"],
        commit_shas=tuple(fix["commit_shas"]),
        base_branch=pull_request.base_branch,
    )
    try:
        return binding.with_pull_request(plan, pull_request, binding.read_diff(services, plan))
    except PermanentError:
        return plan


def _close_earlier(session: Session, earlier: Proposal | None, plan: RevertPullRequest, now: datetime) -> None:
    """Enqueue the closing of the pull request that the new offer takes the place of."""
    if earlier is None or earlier.status != "open":
        return
    old = RevertPullRequest.model_validate(earlier.parameters)
    if (old.repository, old.number) != (plan.repository, plan.number):
        comment = ours("A closer look found less to revert: see {pull}.", pull=link(f"#{plan.number}", plan.url))
        enqueue_close(
            session, earlier.incident_id, repository=old.repository, number=old.number, comment=comment, now=now
        )


def _title(fix: dict[str, Any], suspect: dict[str, Any] | None) -> str:
    commits = ", ".join(sha[:7] for sha in fix["commit_shas"])
    return f'Revert "{suspect["title"]}" ({commits})' if suspect else f"Revert {commits}"


def _body(diagnosis: Diagnosis, symptoms: list[str]) -> Markup:
    """Return the pull request's description for reviewers: symptom, cause, evidence."""
    confidence = f"{diagnosis.confidence:.0%}" if diagnosis.confidence is not None else "not known"
    return lines(
        [
            ours("## What broke"),
            bullets(symptoms),
            ours("\n## Why Argux thinks so (confidence {confidence})", confidence=confidence),
            *account(diagnosis),
            ours("\n## Evidence"),
            bullets(evidence_lines(diagnosis)),
            ours(
                "\nOpened by Argux for incident #{number}. It merges only after a person approves this head.",
                number=diagnosis.incident_id,
            ),
        ]
    )


def _propose(
    services: Services, diagnosis: Diagnosis, plan: RevertPullRequest, fix: dict[str, Any], *, is_answer: bool
) -> None:
    """Create the proposal, announce it and close the earlier one's pull request: all of it or nothing.

    Nothing is proposed if it is not wanted any more, such as after an approval.
    """
    description = describe_revert(plan)
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, diagnosis.incident_id)
        hold(session, incident)
        earlier = proposals.current_proposal(session, incident.id)
        if not _is_wanted(incident, earlier, fix):
            enqueue_close_of_unoffered(session, incident, plan.repository, plan.number, now)
            return
        _close_earlier(session, earlier, plan, now)
        plan = binding.with_tests(services, session, incident.id, plan)
        proposal = proposals.create_proposal(
            session,
            incident_id=diagnosis.incident_id,
            diagnosis_id=diagnosis.id,
            action=REVERT_PULL_REQUEST,
            title=description.title,
            parameters=binding.parameters(plan),
            risk=description.risk,
            blast_radius=description.blast_radius,
            verified_by=description.verified_by,
            undone_by=description.undone_by,
            now=now,
            expires_at=now + timedelta(minutes=services.settings.proposal_expiry_minutes),
        )
        audit.append(
            session,
            key=services.audit_key,
            actor="Argux",
            event="proposal_offered",
            payload={
                "incident_id": diagnosis.incident_id,
                "proposal_id": proposal.id,
                "content_hash": proposal.content_hash,
            },
            now=now,
        )
        card = Card(
            title="Proposed fix",
            text=ours("**{title}**\n{what}", title=description.title, what=description.blast_radius),
            fields=(("Risk", theirs(description.risk)), ("Undone by", theirs(description.undone_by))),
            links=(CardLink(f"Pull request #{plan.number}", plan.url),),
            context=ours("Press Approve fix on the message above to read the diff and decide."),
        )
        channel = services.settings.slack_channel
        key = f"proposal:{proposal.id}"
        enqueue_thread_message(
            session, diagnosis.incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_answer
        )
        enqueue_refresh(session, diagnosis.incident_id, key=key, now=now)


def _reason_text(error: PermanentError) -> Markup:
    if isinstance(error, ConflictError) and error.paths:
        return ours(
            "Later commits changed {files}, so the revert does not apply cleanly. "
            "Somebody has to revert or mend it by hand.",
            files=listed(code(path, 200) for path in error.paths),
        )
    if isinstance(error, RejectedError):
        return ours("{error}.", error=error)
    return ours("{error}. When that is mended, press Diagnose again.", error=error)


def _post_no_revert(services: Services, diagnosis: Diagnosis, text: Markup, *links: CardLink, is_answer: bool) -> None:
    now = services.clock()
    card = Card(title="No automatic revert", text=text, links=links)
    with services.sessions.begin() as session:
        channel = services.settings.slack_channel
        key = f"conflict:{diagnosis.id}"
        enqueue_thread_message(
            session, diagnosis.incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_answer
        )
