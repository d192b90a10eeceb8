"""What a time without a zone means in a log file of this machine.

Loggers write the machine's own time unless they are told otherwise; a program in a container often writes UTC. When a
file was last written is known, and so is the time that its last line names: the zone in which the two agree is the
file's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from integrations.inbound.reading.line_times import written_time
from integrations.inbound.reading.times import Zoneless

AGREEING_SECONDS = 300.0
"""How much earlier than the file's last change its last line may be, because programs write in blocks."""

BACKWARD_SECONDS = 60.0
"""How far lines may be out of order. A larger step back is the hour that comes twice when summer time ends."""

_HOUR = 3600.0
_LAST_LINES = 50


class FileTimes:
    """Reads the times without a zone of one file, line after line.

    zones: the zones that may be meant, the likeliest first; None is this machine's.
    """

    def __init__(self, zones: Sequence[tzinfo | None] = (None, UTC)) -> None:
        self._zones = zones
        self._zone = zones[0]
        self._latest = float("-inf")

    def compare(self, last_lines: Sequence[str], *, modified_at: float) -> None:
        """Choose the zone in which the last line of the file is about as old as its last change, if there is one."""
        if len(self._zones) == 1:
            return
        written = _last_zoneless(last_lines[-_LAST_LINES:], modified_at)
        if written is None:
            return
        gaps = [min(abs(modified_at - moment) for moment in _moments(written, zone)) for zone in self._zones]
        if min(gaps) <= AGREEING_SECONDS:
            self._zone = self._zones[gaps.index(min(gaps))]

    def reading(self, now: float) -> Zoneless:
        """Return the rule for lines that are read at `now`."""

        def moment(written: datetime) -> float:
            first, second = _moments(written, self._zone)
            found = second if second > first and self._is_second_time(first, second, now) else first
            self._latest = max(self._latest, found) if found <= now + _HOUR else self._latest
            return found

        return moment

    def _is_second_time(self, first: float, second: float, now: float) -> bool:
        """Whether an hour that comes twice, at the end of summer time, is meant for the second time."""
        if 0.0 <= now - second < _HOUR:
            return True
        return first < self._latest - BACKWARD_SECONDS


def _moments(written: datetime, zone: tzinfo | None) -> tuple[float, float]:
    """Return both moments that a local time may mean; nearly always they are one."""
    local = written if zone is None else written.replace(tzinfo=zone)
    return local.replace(fold=0).timestamp(), local.replace(fold=1).timestamp()


def _last_zoneless(lines: Iterable[str], now: float) -> datetime | None:
    found = (written_time(line, now=now) for line in reversed([*lines]))
    return next((written for written in found if written is not None and written.tzinfo is None), None)
