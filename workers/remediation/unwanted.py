"""Close the pull request of an offer that nobody wants any more."""

from __future__ import annotations

from integrations.cards import Card, CardLink
from storage import incidents, proposals
from workers.remediation.catalogue import RevertPullRequest
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message


def close_pull_request(services: Services, proposal_id: int, comment: str) -> None:
    """Close the proposal's pull request with a comment, unless it is closed or merged already."""
    plan = _plan(services, proposal_id)
    if services.code_host.pull_request(plan.repository, plan.number).state != "open":
        return
    services.code_host.close(plan.repository, plan.number, comment=comment)
    _post(services, proposal_id, plan, f"Pull request #{plan.number} is closed. {comment}", title="Offer withdrawn")


def closing_given_up(services: Services, proposal_id: int, comment: str, reason: str) -> None:
    """Say in the thread that the pull request is open still, so that somebody closes it."""
    plan = _plan(services, proposal_id)
    text = f"Pull request #{plan.number} could not be closed: {reason}. Please close it by hand."
    _post(services, proposal_id, plan, text, title="A pull request is left open")


def _plan(services: Services, proposal_id: int) -> RevertPullRequest:
    with services.readers() as session:
        return RevertPullRequest.model_validate(proposals.get_proposal(session, proposal_id).parameters)


def _post(services: Services, proposal_id: int, plan: RevertPullRequest, text: str, *, title: str) -> None:
    now = services.clock()
    card = Card(title=title, text=text, links=(CardLink(f"Pull request #{plan.number}", plan.url),))
    with services.sessions.begin() as session:
        incident_id = proposals.get_proposal(session, proposal_id).incident_id
        incidents.add_timeline(session, incident_id, kind="offer_withdrawn", actor=incidents.ARGUX, text=text, now=now)
        enqueue_thread_message(
            session,
            incident_id,
            key=f"unwanted:{proposal_id}:{title}",
            card=card,
            channel=services.settings.slack_channel,
            now=now,
            is_answer=True,
        )
