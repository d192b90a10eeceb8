"""Count arrivals in memory, by minute, sender and door. Used on the event loop only, so plain numbers are enough."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.reception.arrivals.glance import LATEST, Glance, shortened, understood
from integrations.inbound.reading.records import Rejection

KEPT_MINUTES = 60
MOST_TALLIES = 200
"""Senders and doors that are told apart in one minute; further ones are counted together under OTHERS."""

MOST_SERVICES = 30
MOST_AGES = 15
MOST_REFUSALS = 3
REFUSAL_LENGTH = 300
OTHERS = "others"
MALFORMED = "malformed"

Where = tuple[str, str]
"""(the name of the key, the name of the door). The key's name is empty where no key of ours is known."""


@dataclass(slots=True)
class Tally:
    """What came from one sender through one door in one minute. ages: as in Glance, of the latest bodies."""

    records: int = 0
    duplicates: int = 0
    late: int = 0
    last_at: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    ages: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_AGES))
    latest: deque[Any] = field(default_factory=lambda: deque(maxlen=LATEST))
    refusals: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=MOST_REFUSALS))

    def add(self, glance: Glance) -> None:
        """Count the records of one body."""
        self.late += glance.late
        self.latest.extend(glance.latest)
        if glance.age is not None:
            self.ages.append(glance.age)
        for service, count in glance.services.items():
            is_kept = service in self.services or len(self.services) < MOST_SERVICES
            self.services[service if is_kept else OTHERS] += count

    def content(self, sender: str, door: str) -> dict[str, Any]:
        """Return it as what the database keeps."""
        return {
            "sender": sender,
            "door": door,
            "records": self.records,
            "duplicates": self.duplicates,
            "late": self.late,
            "last_at": self.last_at,
            "refused": dict(self.refused),
            "services": {shortened(name): count for name, count in self.services.items()},
            "ages": [round(age, 3) for age in self.ages],
            "latest": [asdict(understood(record)) for record in self.latest],
            "refusals": [
                {"at": at, "reason": reason, "message": shortened(message, REFUSAL_LENGTH)}
                for at, reason, message in self.refusals
            ],
        }


class Tallies:
    """The tallies of one process, of the last hour. What is not kept yet is in `unkept`, the minutes that changed."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[Where, Tally]] = {}
        self.unkept: set[int] = set()

    def came_in(
        self,
        sender: str,
        door: str,
        *,
        now: float,
        accepted: int,
        duplicates: int = 0,
        glance: Glance,
        rejections: Sequence[Rejection] = (),
    ) -> None:
        """Count a body that was stored, perhaps without some of its records. now: seconds UTC."""
        if not (accepted or duplicates or rejections):
            return
        tally = self._tally(sender, door, now)
        tally.records += accepted
        tally.duplicates += duplicates
        tally.add(glance)
        if rejections:
            tally.refused[MALFORMED] += len(rejections)
            for rejection in rejections[-MOST_REFUSALS:]:
                place = f"{rejection.field}: " if rejection.field else ""
                tally.refusals.append((now, MALFORMED, place + rejection.message))

    def refused(self, sender: str, door: str, reason: str, message: str, *, now: float) -> None:
        """Count a request, or a message of syslog, of which nothing was stored."""
        tally = self._tally(sender, door, now)
        tally.refused[reason] += 1
        tally.refusals.append((now, reason, message))

    def content(self, minute: int) -> list[dict[str, Any]]:
        """Return the tallies of a minute as what the database keeps."""
        return [tally.content(*where) for where, tally in self._minutes[minute].items()]

    def kept(self, minutes: Iterable[int]) -> None:
        """Forget the minutes that are kept now, but for those that changed meanwhile or may change still."""
        newest = max(self._minutes)
        for minute in set(minutes) - self.unkept - {newest}:
            self._minutes.pop(minute, None)

    def put_back(self, minutes: Iterable[int]) -> None:
        """Count the minutes as not kept, because they could not be."""
        self.unkept.update(self._minutes.keys() & set(minutes))

    def _tally(self, sender: str, door: str, now: float) -> Tally:
        minute = int(now // 60)
        if minute not in self._minutes:
            self._forget_until(minute - KEPT_MINUTES)
        self.unkept.add(minute)
        tallies = self._minutes.setdefault(minute, {})
        tally = tallies.get((sender, door))
        if tally is None:
            where = (sender, door) if len(tallies) < MOST_TALLIES else (OTHERS, OTHERS)
            tally = tallies.setdefault(where, Tally())
        tally.last_at = now
        return tally

    def _forget_until(self, minute: int) -> None:
        """Forget what nobody will be shown any more, which could not be kept for an hour."""
        for old in [one for one in self._minutes if one <= minute]:
            del self._minutes[old]
            self.unkept.discard(old)
