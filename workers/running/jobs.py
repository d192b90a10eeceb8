"""The list of jobs: which function a message's actor name means. workers.queueing.queues says where each waits."""

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
from workers.running.elasticsearch_pull import pull_elasticsearch
from workers.running.housekeeping import expire
from workers.telling.delivery import deliver, message_given_up, refresh_incident


@dataclass(frozen=True, slots=True)
class Job:
    """`work(services, **arguments)` may run twice for the same arguments and must then do nothing more.

    `given_up` is called with the same, and with the `reason`, when it went to the dead letters.
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
    "diagnose": Job(diagnose, 300, diagnosis_given_up),
    "tick": Job(tick, 300),
    "pull_elasticsearch": Job(pull_elasticsearch, 600),
    "expire": Job(expire, 600),
}


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a job's arguments in logs: names and ids, never texts people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
