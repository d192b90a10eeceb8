"""An answer in a few words, alike in the terminal and on the page."""

from __future__ import annotations

from bot.investigate.answer import Investigation

UNKNOWN = "not known"
NOTHING_WRONG = "nothing looks broken"
SHA_LENGTH = 8

WAKE, WAIT = "wake", "wait"


def cause_of(answer: Investigation) -> str:
    """Return the cause in a few words."""
    if answer.cause == "no_fault":
        return NOTHING_WRONG
    if answer.cause == "unknown":
        return UNKNOWN
    kind = answer.cause.replace("_", " ")
    if answer.root_cause_commit is None or answer.root_cause_commit == "none":
        return kind
    sha = answer.root_cause_commit[:SHA_LENGTH]
    return f"deploy of {sha}" if kind == "deploy" else f"{kind}, commit {sha}"


def decision_of(answer: Investigation, page_id: str) -> str:
    """Return whether people are woken for an alert, in a word."""
    return WAKE if answer.decisions[page_id] == "page" else WAIT


def sure_of_cause(answer: Investigation) -> str:
    """Return how sure the cause is, such as "91 %"; empty where none is named."""
    return _percent(answer.cause_confidence) if answer.cause != "unknown" else ""


def sure_of_none(answer: Investigation) -> str:
    """Return how sure it is that no change did it; empty unless that is the conclusion."""
    return _percent(answer.none_confidence) if answer.none_confidence is not None else ""


def in_one_cell(answer: Investigation) -> tuple[str, str]:
    """Return the answer for a row of a table, and how sure it is: where no change did it, of that."""
    cause = cause_of(answer)
    if answer.none_confidence is None or cause == NOTHING_WRONG:
        return cause, sure_of_cause(answer)
    return "no change" if cause == UNKNOWN else f"no change; {cause}", sure_of_none(answer)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
