"""What a benchmark prints: one JSON line a figure, beside a peer or floor from the same run, and its bound."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

LOWER_IS_BETTER = "lower is better"


class NothingToMeasureError(Exception):
    """The folder of data holds nothing for a benchmark; the words say what was looked for and where."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`, beside a peer's or floor's value, and the bound that it must keep.

    The bound is `at_least`, or `at_most` where lower is better. Where it hangs on a peer that could not be measured
    there is none, and it is not kept: nothing was shown.
    """

    name: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether there is a bound and it is kept."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return self.at_least is not None and self.value >= self.at_least

    def line(self) -> str:
        """The figure as it is printed: `at_least` is the bound either way, and the unit says which way is better."""
        lower_is_better = self.at_most is not None
        return json.dumps(
            {
                "name": self.name,
                "value": _printed(self.value),
                "unit": f"{self.unit} ({LOWER_IS_BETTER})" if lower_is_better else self.unit,
                "peer": None if self.peer == "none" else self.peer,
                "peer_value": _printed(self.peer_value),
                "at_least": _printed(self.at_most if lower_is_better else self.at_least),
                "holds": self.holds,
            },
            ensure_ascii=False,
        )


def _printed(value: float | None) -> float | None:
    """Four decimals; JSON knows no infinity, which stands for never."""
    return round(value, 4) if value is not None and math.isfinite(value) else None
