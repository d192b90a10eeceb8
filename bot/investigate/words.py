"""An answer in a few words, alike in the terminal and on the page."""

from __future__ import annotations

from bot.investigate.answer import Investigation

UNKNOWN = "not known"


def cause_of(answer: Investigation) -> str:
    """Return the cause in a few words."""
    if answer.root_cause_commit is None:
        return UNKNOWN
    if answer.cause == "no_fault":
        return "nothing looks broken"
    if answer.root_cause_commit == "none":
        return f"no change; {answer.cause.replace('_', ' ')}" if answer.cause != "unknown" else "no change"
    return f"{answer.cause}, commit {answer.root_cause_commit[:12]}"
