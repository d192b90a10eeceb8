"""Choose the rules of the template miner for each system by all the others: leave-one-out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from detection.logs.slots import Rules, Slot

Judge = Callable[[Rules], float]
"""Returns the accuracy of rules on one system."""

GIVEN, OTHER, COMMON = (1, 2, 3, 5), (3, 10, 20), (0.2, 0.5, 0.8)
"""How many different words are alternative texts: where a value is given (twice as many after a mark), and elsewhere;
and how much the lines of a message have in common."""


def candidates() -> list[Rules]:
    """Return the rules to choose from; those that are shipped come first."""
    shipped = Rules()
    return [
        shipped,
        *(
            replace(
                shipped,
                few={**shipped.few, Slot.NAME: given, Slot.GIVEN: given, Slot.MARKED: 2 * given, Slot.OTHER: other},
                common_share=common,
            )
            for given, other, common in product(GIVEN, OTHER, COMMON)
        ),
    ]


def rules_left_one_out(judges: Sequence[Judge]) -> list[Rules]:
    """Return for each system the rules that are best on all others, the shipped ones among equals."""
    rules = candidates()
    accuracy = [[judge(one) for judge in judges] for one in rules]
    best = [
        max(
            range(len(rules)),
            key=lambda number: (round(sum(accuracy[number]) - accuracy[number][left_out], 9), -number),
        )
        for left_out in range(len(judges))
    ]
    for number, times in Counter(best).most_common():
        means = [sum(of_one) / len(judges) for of_one in accuracy]
        print(
            f"loghub: {times} of {len(judges)} choose {'the shipped rules' if not number else rules[number]}, "
            f"mean {means[number]:.4f}; all {len(rules)} candidates: {min(means):.4f} to {max(means):.4f}",
            file=sys.stderr,
        )
    return [rules[number] for number in best]
