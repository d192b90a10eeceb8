"""The list of jobs: the function behind each actor name. Their queues are in workers.queueing.queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers.clicks.buttons import click_given_up, handle_click, handle_submission
from workers.clicks.escalate import escalate
from workers.clicks.slash_command import answer_command
from workers.clicks.ticket import create_ticket
from workers.diagnosis.job import diagnose, diagnosis_given_up
from workers.lifecycle.tick import tick
from workers.remediation.execution import action_given_up, execute_proposal
from workers.remediation.pull_requests import fix_given_up, propose_fix
from workers.remediation.unwanted import close_pull_request, closing_given_up
from workers.running.elasticsearch_pull import pull_elasticsearch
from workers.running.housekeeping import expire
from workers.telling.delivery import deliver, message_given_up, refresh_incident


@dataclass(frozen=True, slots=True)
class Job:
    """A background job. `work(services, **arguments)` must be idempotent: it may run twice with the same arguments.

    `given_up` is called with the same arguments and the `reason` when the job becomes a dead letter.
    """

    work: Callable[..., None]
    time_limit_seconds: float = 120.0
    given_up: Callable[..., None] | None = None


JOBS: dict[str, Job] = {
    "answer_command": Job(answer_command, 30),
    "handle_click": Job(handle_click, 30, click_given_up),
    "handle_submission": Job(handle_submission, 30),
    "refresh_incident": Job(refresh_incident, given_up=message_given_up),
    "deliver": Job(deliver),
    "create_ticket": Job(create_ticket),
    "escalate": Job(escalate),
    "propose_fix": Job(propose_fix, given_up=fix_given_up),
    "execute_proposal": Job(execute_proposal, given_up=action_given_up),
    "close_pull_request": Job(close_pull_request, given_up=closing_given_up),
    "diagnose": Job(diagnose, 300, diagnosis_given_up),
    "tick": Job(tick, 300),
    "pull_elasticsearch": Job(pull_elasticsearch, 600),
    "expire": Job(expire, 600),
}


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that may appear in logs: ids and action names, never text that people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
