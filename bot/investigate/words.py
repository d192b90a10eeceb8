"""An answer in a few words, alike in the terminal and on the page."""

from __future__ import annotations

from bot.investigate.answer import Investigation

UNKNOWN = "not known"
SHA_LENGTH = 8

WAKE, WAIT = "wake", "wait"


def cause_of(answer: Investigation) -> str:
    """Return the cause in a few words."""
    if answer.root_cause_commit is None:
        return UNKNOWN
    if answer.cause == "no_fault":
        return "nothing looks broken"
    if answer.root_cause_commit == "none":
        return f"no change; {answer.cause.replace('_', ' ')}" if answer.cause != "unknown" else "no change"
    sha = answer.root_cause_commit[:SHA_LENGTH]
    return f"deploy of {sha}" if answer.cause == "deploy" else f"{answer.cause}, commit {sha}"


def decision_of(answer: Investigation, page_id: str) -> str:
    """Return whether people are woken for an alert, in a word."""
    return WAKE if answer.decisions[page_id] == "page" else WAIT
