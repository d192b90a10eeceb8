"""What a grader says of one answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.evals.cases import Case
from tests.evals.seam import Answer

BLAMED_FROM = 0.6
"""From this confidence on a commit counts as blamed."""
SURE_FROM = 0.8


@dataclass(frozen=True, slots=True)
class Mark:
    """passed: by the rule of the suite.

    right: whether the stated cause is true; None where it is not asked for, or the answer abstains.
    among_three: whether it is one of the three likeliest.
    counts: what else is counted, such as decoys blamed, by name.
    """

    case: Case
    answer: Answer
    passed: bool
    right: bool | None = None
    among_three: bool | None = None
    abstained: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def wrong_and_sure(self) -> bool:
        """Whether the answer is false though it was at least 0.8 sure."""
        return self.right is False and self.answer.confidence >= SURE_FROM
