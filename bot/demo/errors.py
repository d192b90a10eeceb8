"""Errors that stop the demo.

DemoError           its text tells the user what to do and is printed unchanged
├── StageError      a stage timed out or failed
└── GitSlowError    git did not finish in time; what only reads may be asked again
"""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot continue. The text is shown to the user."""


class StageError(DemoError):
    """A stage timed out or failed; `stage` is its name."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage


class GitSlowError(DemoError):
    """A git command did not finish in time."""


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error inside a possibly nested exception group, for the message to the user."""
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, BaseExceptionGroup) else inner
