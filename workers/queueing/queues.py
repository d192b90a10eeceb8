"""The queue and the priority of each job. This module imports no job, so a sender does not load their code."""

from __future__ import annotations

from collections.abc import Mapping

PEOPLE = "people"
"""The queue of jobs that a person waits for: clicks, commands, messages."""

BACKGROUND = "background"
"""The queue of detection, diagnosis, verification."""

QUEUES: Mapping[str, str] = {
    "answer_command": PEOPLE,
    "handle_click": PEOPLE,
    "handle_submission": PEOPLE,
    "refresh_incident": PEOPLE,
    "deliver": PEOPLE,
    "tell_person": PEOPLE,
    "tell_outage": PEOPLE,
    "tell_delays": PEOPLE,
    "tell_digest": PEOPLE,
    "create_ticket": PEOPLE,
    "escalate": PEOPLE,
    "propose_fix": PEOPLE,
    "close_pull_request": PEOPLE,
    "execute_proposal": PEOPLE,
    "give_up": PEOPLE,
    "tell_dead_letters": PEOPLE,
    "diagnose": BACKGROUND,
    "draw_picture": BACKGROUND,
    "draw_chain": BACKGROUND,
    "tick": BACKGROUND,
    "pull_elasticsearch": BACKGROUND,
    "read_status_feeds": BACKGROUND,
    "expire": BACKGROUND,
}
"""The queue of each job, by the job's name."""

DECISIONS = frozenset(("answer_command", "handle_click", "handle_submission"))
"""Jobs that carry out what a person just did in chat."""


def priority(job: str) -> int:
    """Return a job's priority; the lowest runs first: people's decisions 0, messages to people 10, background 20."""
    if QUEUES[job] == BACKGROUND:
        return 20
    return 0 if job in DECISIONS else 10
