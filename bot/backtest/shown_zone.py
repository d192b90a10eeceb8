"""The zone in which a backtest shows its times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.backtest.reading.options import ReadingOptions
from bot.backtest.reading.times.zones import named_zone, zone_of
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class ShownZone:
    """A zone, and what it is called beside a time: `UTC`, `Berlin`, `+02:00`."""

    zone: tzinfo = UTC
    name: str = "UTC"

    def text(self, time: float) -> str:
        """Return a time, seconds UTC, to the minute."""
        return f"{datetime.fromtimestamp(float(time), self.zone):%Y-%m-%d %H:%M}"

    def offset(self, time: float) -> float:
        """Return by how many seconds the zone is ahead of UTC at a time."""
        ahead = datetime.fromtimestamp(float(time), self.zone).utcoffset()
        return ahead.total_seconds() if ahead else 0.0


def shown_zone(options: ReadingOptions, settings: Settings) -> ShownZone:
    """Return the zone that the person named for the file, else that of the team."""
    name = options.zone or settings.argux_timezone
    zone = named_zone(name) or zone_of(name) or UTC
    return ShownZone(zone, name.rsplit("/", maxsplit=1)[-1].replace("_", " ") if zone is not UTC else "UTC")
