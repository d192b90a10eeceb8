"""Jobs in words: what a job was to do, for people who do not know its name in the code."""

from __future__ import annotations

from storage.models import OutboxJob

_WORDS = {
    "answer_command": "answer a command",
    "create_ticket": "create a Jira ticket",
    "deliver": "post a message",
    "diagnose": "diagnose",
    "escalate": "escalate to Teams",
    "execute_proposal": "merge an approved fix",
    "give_up": "say that something could not be done",
    "handle_click": "carry out a press of a button",
    "handle_submission": "carry out an approval",
    "propose_fix": "prepare a fix",
    "refresh_incident": "post or change an incident's message",
    "tell_dead_letters": "list the jobs that failed",
    "tell_digest": "list the alerts that could wait",
}


def job_text(job: OutboxJob) -> str:
    """Return what the job was to do, such as "create a Jira ticket for incident #3"."""
    words = _WORDS.get(job.actor, job.actor.replace("_", " "))
    incident = job.arguments.get("incident_id")
    return f"{words} for incident #{incident}" if incident is not None else words


def jobs_text(count: int) -> str:
    """Return a number of jobs, such as "1 job" or "3 jobs"."""
    return f"{count:,} job{'' if count == 1 else 's'}"
