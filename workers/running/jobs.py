"""The list of jobs: which function a message's actor name means. workers.queueing.queues says where each waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers.clicks import buttons, escalate, slash_command, ticket
from workers.diagnosis import job
from workers.lifecycle import tick
from workers.remediation import execution, pull_requests
from workers.running import elasticsearch_pull, housekeeping
from workers.telling import delivery


@dataclass(frozen=True, slots=True)
class Job:
    """`work(services, **arguments)` may run twice for the same arguments and must then do nothing more.

    `given_up` is called with the same, and with the `reason`, when it went to the dead letters.
    """

    work: Callable[..., None]
    time_limit_seconds: float = 120.0
    given_up: Callable[..., None] | None = None


JOBS: dict[str, Job] = {
    "answer_command": Job(slash_command.answer_command, 30),
    "handle_click": Job(buttons.handle_click, 30, buttons.click_given_up),
    "handle_submission": Job(buttons.handle_submission, 30),
    "refresh_incident": Job(delivery.refresh_incident, given_up=delivery.message_given_up),
    "deliver": Job(delivery.deliver),
    "create_ticket": Job(ticket.create_ticket),
    "escalate": Job(escalate.escalate),
    "propose_fix": Job(pull_requests.propose_fix, given_up=pull_requests.give_up),
    "execute_proposal": Job(execution.execute_proposal, given_up=execution.give_up),
    "diagnose": Job(job.diagnose, 300, job.give_up),
    "tick": Job(tick.tick, 300),
    "pull_elasticsearch": Job(elasticsearch_pull.pull_elasticsearch, 600),
    "expire": Job(housekeeping.expire, 600),
}


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a job's arguments in logs: names and ids, never texts people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
