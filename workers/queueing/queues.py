"""Where each job queues. Apart from the jobs themselves, so that a sender need not load what they do."""

from __future__ import annotations

from collections.abc import Mapping

PEOPLE = "people"
"""Where somebody is waiting: clicks, commands, messages."""

BACKGROUND = "background"
"""Detection, diagnosis, verification."""

QUEUES: Mapping[str, str] = {
    "answer_command": PEOPLE,
    "handle_click": PEOPLE,
    "handle_submission": PEOPLE,
    "refresh_incident": PEOPLE,
    "deliver": PEOPLE,
    "create_ticket": PEOPLE,
    "escalate": PEOPLE,
    "propose_fix": PEOPLE,
    "execute_proposal": PEOPLE,
    "diagnose": BACKGROUND,
    "tick": BACKGROUND,
    "pull_elasticsearch": BACKGROUND,
    "expire": BACKGROUND,
}
"""The queue of every job, by its name."""

DECISIONS = frozenset(("answer_command", "handle_click", "handle_submission"))


def priority(job: str) -> int:
    """Which of the waiting jobs a worker takes first, the lowest: what people decide, what they read, the rest."""
    if QUEUES[job] == BACKGROUND:
        return 20
    return 0 if job in DECISIONS else 10
