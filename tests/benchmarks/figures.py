"""The output of a benchmark: one JSON line per figure, with a peer or floor from the same run, and a bound."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

LOWER_IS_BETTER = "lower is better"


class NothingToMeasureError(Exception):
    """The data folder holds nothing for a benchmark; the message names what was searched for, and where."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured `value` in `unit`, the value of a peer or floor, and the bound that the value must keep.

    The bound is `at_least`, or `at_most` if lower is better. If it depends on a peer that could not be measured, it is
    missing and counts as not kept.
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
        """Return a JSON line; `at_least` holds the bound in both cases, and the unit tells whether lower is better."""
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
    """Round to four decimals; infinity, which means never, becomes None, since JSON has no infinity."""
    return round(value, 4) if value is not None and math.isfinite(value) else None
