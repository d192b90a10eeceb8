"""The list of jobs: the function behind each actor name. Their queues are in workers.queueing.queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storage import outbox
from storage.database.base import Unreadable
from storage.dead_letters import get_job
from workers.clicks.buttons import click_given_up, handle_click
from workers.clicks.escalate import escalate, escalation_given_up
from workers.clicks.slash_command import answer_command, command_given_up
from workers.clicks.submissions import handle_submission, submission_given_up
from workers.clicks.ticket import create_ticket, ticket_given_up
from workers.diagnosis.chain_message import draw_chain
from workers.diagnosis.job import diagnose, diagnosis_given_up
from workers.lifecycle.tick import tick
from workers.remediation.closing import close_given_up, close_pull_request
from workers.remediation.execution import action_given_up, execute_proposal
from workers.remediation.pull_requests import fix_given_up, propose_fix
from workers.running.elasticsearch_pull import pull_elasticsearch
from workers.running.housekeeping import expire
from workers.running.status_feeds import read_status_feeds
from workers.services import Services
from workers.telling.channels.outages import tell_outage
from workers.telling.channels.private_messages import tell_person
from workers.telling.dead_letters import tell_dead_letters
from workers.telling.delays_message import tell_delays
from workers.telling.delivery import deliver, delivery_given_up
from workers.telling.picture import draw_picture
from workers.telling.root_message import message_given_up, refresh_incident
from workers.triage.digest import tell_digest


@dataclass(frozen=True, slots=True)
class Job:
    """A background job. `work(services, **arguments)` must be idempotent: it may run twice with the same arguments.

    `given_up` is called with the same arguments and the `reason` when the job becomes a dead letter, whatever the way;
    it tells who waits for the job, and may run twice as well.
    """

    work: Callable[..., None]
    time_limit_seconds: float = 120.0
    given_up: Callable[..., None] | None = None


def give_up(services: Services, job_id: int) -> None:
    """Tell whoever waits for a dead letter. Do nothing if it is being tried anew, or if nobody knows who waits."""
    with services.readers() as session:
        dead = get_job(session, job_id)
        job, arguments, reason = JOBS.get(dead.actor), dict(dead.arguments), dead.error or "it did not work"
        if dead.dead_at is None or isinstance(dead.arguments, Unreadable):
            return
    if job is not None and job.given_up is not None:
        job.given_up(services, reason=reason, **arguments)


JOBS: dict[str, Job] = {
    "answer_command": Job(answer_command, 60, command_given_up),
    "handle_click": Job(handle_click, 30, click_given_up),
    "handle_submission": Job(handle_submission, 30, submission_given_up),
    "refresh_incident": Job(refresh_incident, given_up=message_given_up),
    "deliver": Job(deliver, given_up=delivery_given_up),
    "draw_picture": Job(draw_picture),
    "draw_chain": Job(draw_chain),
    "tell_person": Job(tell_person, 60),
    "tell_outage": Job(tell_outage, 60),
    "tell_delays": Job(tell_delays, 60),
    "tell_digest": Job(tell_digest, 60),
    "create_ticket": Job(create_ticket, given_up=ticket_given_up),
    "escalate": Job(escalate, given_up=escalation_given_up),
    "propose_fix": Job(propose_fix, given_up=fix_given_up),
    "close_pull_request": Job(close_pull_request, given_up=close_given_up),
    "execute_proposal": Job(execute_proposal, given_up=action_given_up),
    "diagnose": Job(diagnose, 300, diagnosis_given_up),
    outbox.GIVE_UP: Job(give_up),
    outbox.TELL_DEAD_LETTERS: Job(tell_dead_letters),
    "tick": Job(tick, 300),
    "pull_elasticsearch": Job(pull_elasticsearch, 600),
    "read_status_feeds": Job(read_status_feeds, 300),
    "expire": Job(expire, 600),
}


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that may appear in logs: ids and action names, never text that people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
