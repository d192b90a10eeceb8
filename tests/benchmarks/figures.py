"""What a benchmark prints: one JSON line a figure, beside a peer or floor from the same run, and its bound."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`, beside a peer's or floor's value. The bound: at least, or at most where less is better."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float | None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def line(self) -> str:
        """The figure as it is printed."""
        shown = {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": None if self.peer_value is None else round(self.peer_value, 4),
            "at_least": self.at_least,
            "at_most": self.at_most,
            "holds": self.holds,
        }
        return json.dumps({name: value for name, value in shown.items() if name != "at_most" or value is not None})
