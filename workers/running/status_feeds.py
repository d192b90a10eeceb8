"""Read the status pages of providers (STATUS_FEEDS), every MONITORING_INTERVAL seconds.

A page that fails is asked less and less often and hinders no other. What was going on and is told no more is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from detection.types import ProviderStatus
from integrations.errors import IntegrationError
from integrations.status_feeds import read_feed
from storage.database.texts import moment
from storage.surroundings.provider_statuses import record_statuses, statuses_between
from workers.locks import lease
from workers.services import Services
from workers.watching.status_feeds import FeedState, feed_states, save_feed_state

log = structlog.get_logger()

AT_ONCE = 4
LOOKED_BACK = timedelta(days=3)
"""How long an incident of theirs is kept current after its end; what ended before is not written again."""


def read_status_feeds(services: Services) -> None:
    """Read each page that is due; do nothing while another worker does."""
    with lease(services, "status feeds") as held:
        if not held:
            return
        now = services.clock()
        with services.readers() as session:
            due = [state for state in feed_states(services, session) if state.due_at <= now.timestamp()]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="status feed") as threads:
            list(threads.map(lambda state: _read(services, state, now), due))


def _read(services: Services, state: FeedState, now: datetime) -> None:
    address = services.settings.status_feeds[state.provider]
    try:
        told = read_feed(state.provider, address, now=now.timestamp())
    except IntegrationError as error:
        log.warning("status_feed_unread", provider=state.provider, error=str(error))
        with services.sessions.begin() as session:
            save_feed_state(session, state.after_failing(str(error), now.timestamp()), now=now)
        return
    with services.readers() as session:
        known = statuses_between(session, now - LOOKED_BACK, now + timedelta(days=1))
    changed = changes(state.provider, told, known, now=now)
    with services.sessions.begin() as session:
        record_statuses(session, changed, now=now)
        save_feed_state(session, state.after_reading(now.timestamp()), now=now)


def changes(
    provider: str, told: Sequence[ProviderStatus], known: Sequence[ProviderStatus], *, now: datetime
) -> list[ProviderStatus]:
    """Return what must be written: what is new or otherwise than it was known, and the ends of what is told no more."""
    before = {status.status_id: status for status in known if status.provider == provider}
    lately = [one for one in told if one.ended_at is None or moment(one.ended_at) >= now - LOOKED_BACK]
    # What people added, such as the provider's addresses, stays.
    kept = [
        replace(one, hosts=one.hosts or before[one.status_id].hosts) if one.status_id in before else one
        for one in lately
    ]
    over = before.keys() - {one.status_id for one in told}
    ended = [
        replace(before[status_id], ended_at=max(now.timestamp(), before[status_id].began_at))
        for status_id in sorted(over)
        if before[status_id].ended_at is None
    ]
    return [one for one in kept if before.get(one.status_id) != one] + ended
