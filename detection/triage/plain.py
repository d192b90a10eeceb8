"""Numbers and durations as people write them."""

from __future__ import annotations


def figure(value: float) -> str:
    """Return a number with three significant digits, large ones with separators."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def span(seconds: float) -> str:
    """Return a duration in its largest fitting unit."""
    for size, unit in ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= 1.5 * size or (size == 60.0 and seconds >= 60.0):
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{round(seconds)} s"
