"""The list of jobs: which function a message's actor name means. workers.queues says where each waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers import (
    answers,
    diagnosing,
    elasticsearch_pull,
    escalation,
    housekeeping,
    interactions,
    notifications,
    tickets,
    ticking,
)
from workers.remediation import execution, pull_requests


@dataclass(frozen=True, slots=True)
class Job:
    """`work(services, **arguments)` may run twice for the same arguments and must then do nothing more.

    `given_up` is called with the same, and with the `reason`, when it went to the dead letters.
    """

    work: Callable[..., None]
    time_limit_seconds: float = 120.0
    given_up: Callable[..., None] | None = None


JOBS: dict[str, Job] = {
    "answer_command": Job(answers.answer_command, 30),
    "handle_click": Job(interactions.handle_click, 30, interactions.click_given_up),
    "handle_submission": Job(interactions.handle_submission, 30),
    "refresh_incident": Job(notifications.refresh_incident, given_up=notifications.message_given_up),
    "deliver": Job(notifications.deliver),
    "create_ticket": Job(tickets.create_ticket),
    "escalate": Job(escalation.escalate),
    "propose_fix": Job(pull_requests.propose_fix, given_up=pull_requests.give_up),
    "execute_proposal": Job(execution.execute_proposal, given_up=execution.give_up),
    "diagnose": Job(diagnosing.diagnose, 300, diagnosing.give_up),
    "tick": Job(ticking.tick, 300),
    "pull_elasticsearch": Job(elasticsearch_pull.pull_elasticsearch, 600),
    "expire": Job(housekeeping.expire, 600),
}


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a job's arguments in logs: names and ids, never texts people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
