"""What can stop the demo.

DemoError           its text says what to do; shown as it is
└── StageError      a stage did not come to its end in time
"""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the text is for the person at the keyboard."""


class StageError(DemoError):
    """A stage hung or ended wrongly: `stage` is its name."""

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside a group, however deep: what a person should be told."""
    inner = group.exceptions[0]
    return first_error(inner) if isinstance(inner, BaseExceptionGroup) else inner
