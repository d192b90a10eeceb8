"""This process's memory of the people in the chat, so that not every click asks the chat who somebody is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from integrations.protocols import ChannelUser

KEPT_MINUTES = 5.0
"""How long a person's standing is trusted. What merges code always asks anew."""

MOST_KEPT = 1_000


class PeopleMemory:
    """People by their id. Thread-safe."""

    def __init__(self, look_up: Callable[[str], ChannelUser], clock: Callable[[], datetime]) -> None:
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[ChannelUser, datetime]] = {}

    def person(self, user_id: str, *, fresh: bool = False) -> ChannelUser:
        """Return a person, as the chat knew them at most KEPT_MINUTES ago; `fresh` asks anew.

        Raises IntegrationError.
        """
        now = self._clock()
        with self._lock:
            known = self._known.get(user_id)
        if known is not None and not fresh and now - known[1] < timedelta(minutes=KEPT_MINUTES):
            return known[0]
        found = self._look_up(user_id)
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[user_id] = found, now
        return found
