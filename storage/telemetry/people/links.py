"""Link the ids of one person, as events tell them: a visitor signs in, a device has a user, two accounts are merged.

The rules are those on which the senders' products agree:

- A device or a visitor belongs to the first known person that it is seen with, and to no second one.
- Two known people are never joined by a device that both used, only by somebody who says that they are one.
- What a visitor did before the sign-in is the person's, also if it arrives later than the sign-in.

Events are read in the order in which they happened; across roll-ups, in the order of their arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import Column, Connection, select

from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import events, person_ids

MOST_IDS_OF_A_PERSON = 500
"""How many ids one person may have. An id that is told with more is one of a program, not of a person."""

SEEN_AGAIN_SECONDS = 3600.0
"""How old a `seen_at` gets before it is written again."""

_COLUMNS = ("id", "person", "is_known", "linked_at", "seen_at")
_IDS_PER_QUERY = 1_000


class Told(NamedTuple):
    """That two ids are one person's, as an event says. sequence: the event's. is_merge: see AlsoKnownAs."""

    sequence: int
    user_id: str
    other_id: str
    is_merge: bool


def link_people(connection: Connection, *, since: int, top: int, now: float) -> None:
    """Link the ids that the events above sequence `since` up to `top` tell. The caller holds Lock.ROLL_UP."""
    told = _told(connection, since, top)
    if not told:
        return
    people = _People(now)
    people.read(connection, {identifier for each in told for identifier in (each.user_id, each.other_id)})
    for each in told:
        people.learn(each)
    put(connection, person_ids, _COLUMNS, people.changed())


def _told(connection: Connection, since: int, top: int) -> list[Told]:
    """Return what the events tell, oldest first, each thing once."""
    columns = events.c
    query = (
        select(columns.sequence, columns.user_id, columns.other_id, columns.is_merge)
        .where(columns.sequence > since, columns.sequence <= top, columns.other_id.is_not(None))
        .order_by(columns.happened_at, columns.sequence)
    )
    found: dict[tuple[str, str, bool], Told] = {}
    for row in connection.execute(query):
        each = Told(row.sequence, row.user_id, row.other_id, bool(row.is_merge))
        found.setdefault(each[1:], each)
    return list(found.values())


class _Id:
    """One id, as the table keeps it."""

    __slots__ = ("is_known", "linked_at", "person", "seen_at")

    def __init__(self, person: str, *, is_known: bool, linked_at: int, seen_at: float) -> None:
        self.person = person
        self.is_known = is_known
        self.linked_at = linked_at
        self.seen_at = seen_at


class _People:
    """The people whom some events name, and what changes with them."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._ids: dict[str, _Id] = {}
        self._members: dict[str, list[str]] = {}
        self._changed: set[str] = set()

    def read(self, connection: Connection, identifiers: Collection[str]) -> None:
        """Read these ids, and all other ids of the same people."""
        people = [row.person for row in _rows(connection, person_ids.c.id, identifiers)]
        for row in _rows(connection, person_ids.c.person, set(people)):
            self._ids[row.id] = _Id(row.person, is_known=row.is_known, linked_at=row.linked_at, seen_at=row.seen_at)
            self._members.setdefault(row.person, []).append(row.id)

    def learn(self, told: Told) -> None:
        """Link two ids, or leave them apart where the rules say so."""
        user, other = self._known(told), self._ids.get(told.other_id)
        if other is None:
            other = self._add(told.other_id, is_known=False)
        if user.person != other.person:
            self._join(user.person, other.person, told)
        self._seen(told.user_id, told.other_id)

    def changed(self) -> list[tuple[str, str, bool, int, float]]:
        """Return the rows to write, of _COLUMNS."""
        rows = ((name, self._ids[name]) for name in sorted(self._changed))
        return [(name, one.person, one.is_known, one.linked_at, one.seen_at) for name, one in rows]

    def _known(self, told: Told) -> _Id:
        """Return the user's own id, which is known to be a person's unless only a merge names it."""
        user = self._ids.get(told.user_id) or self._add(told.user_id, is_known=False)
        if not user.is_known and not told.is_merge:
            user.is_known = True
            self._changed.add(told.user_id)
        return user

    def _add(self, name: str, *, is_known: bool) -> _Id:
        self._ids[name] = _Id(name, is_known=is_known, linked_at=0, seen_at=self._now)
        self._members[name] = [name]
        self._changed.add(name)
        return self._ids[name]

    def _join(self, stays: str, goes: str, told: Told) -> None:
        if len(self._members[stays]) + len(self._members[goes]) > MOST_IDS_OF_A_PERSON:
            return
        if self._is_known(goes):
            if not told.is_merge:
                return
            if not self._is_known(stays):
                stays, goes = goes, stays
        for name in self._members[goes]:
            self._ids[name].person = stays
            self._ids[name].linked_at = told.sequence
        self._changed.update(self._members[goes])
        self._members[stays] += self._members.pop(goes)

    def _is_known(self, person: str) -> bool:
        return any(self._ids[name].is_known for name in self._members[person])

    def _seen(self, *names: str) -> None:
        for name in names:
            if self._ids[name].seen_at < self._now - SEEN_AGAIN_SECONDS:
                self._ids[name].seen_at = self._now
                self._changed.add(name)


class _Row(NamedTuple):
    id: str
    person: str
    is_known: bool
    linked_at: int
    seen_at: float


def _rows(connection: Connection, column: Column[str], values: Collection[str]) -> Iterator[_Row]:
    """Yield the rows whose column has one of the values."""
    wanted = sorted(values)
    query = select(*(person_ids.c[name] for name in _COLUMNS))
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        some = wanted[start : start + _IDS_PER_QUERY]
        for row in connection.execute(query.where(column.in_(some))):
            yield _Row(*row)
