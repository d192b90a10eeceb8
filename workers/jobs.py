"""The list of jobs: which function a message's actor name means, and where it queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers import (
    answers,
    detecting,
    diagnosing,
    escalation,
    housekeeping,
    interactions,
    notifications,
    tickets,
    verification,
)
from workers.broker import BACKGROUND_QUEUE, PEOPLE_QUEUE
from workers.remediation import execution, pull_requests
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Job:
    """`work(services, **arguments)` may run twice for the same arguments and must then do nothing more."""

    work: Callable[..., None]
    queue: str
    time_limit_seconds: float = 120.0


JOBS: dict[str, Job] = {
    "answer_command": Job(answers.answer_command, PEOPLE_QUEUE, 30),
    "handle_click": Job(interactions.handle_click, PEOPLE_QUEUE, 30),
    "handle_submission": Job(interactions.handle_submission, PEOPLE_QUEUE, 30),
    "refresh_incident": Job(notifications.refresh_incident, PEOPLE_QUEUE),
    "deliver": Job(notifications.deliver, PEOPLE_QUEUE),
    "create_ticket": Job(tickets.create_ticket, PEOPLE_QUEUE),
    "escalate": Job(escalation.escalate, PEOPLE_QUEUE),
    "propose_fix": Job(pull_requests.propose_fix, PEOPLE_QUEUE),
    "execute_proposal": Job(execution.execute_proposal, PEOPLE_QUEUE),
    "diagnose": Job(diagnosing.diagnose, BACKGROUND_QUEUE, 300),
    "tick": Job(lambda services: tick(services), BACKGROUND_QUEUE, 300),
    "expire": Job(housekeeping.expire, BACKGROUND_QUEUE, 600),
}


def tick(services: Services) -> None:
    """Roll up, detect, then re-test what was fixed; a tick that finds another running leaves it to that one."""
    lock = services.redis.lock("argux:tick", timeout=300, blocking=False)
    if not lock.acquire():
        return
    try:
        if detecting.detect(services):
            verification.verify_running(services)
    finally:
        lock.release()


def payload(arguments: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a job's arguments in logs: names and ids, never texts people wrote."""
    return {name: value for name, value in arguments.items() if name.endswith("_id") or name == "action_id"}
