"""How a figure is printed."""

from __future__ import annotations

import json


def report(name: str, value: float, unit: str, *, peer: str, peer_value: float, at_most: float) -> bool:
    """Print one figure; `at_most` is in the figure's unit. Returns whether it holds."""
    holds = value <= at_most
    figure = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": peer,
        "peer_value": round(peer_value, 3),
        "at_most": round(at_most, 3),
        "holds": holds,
    }
    print(json.dumps(figure), flush=True)
    return holds
