"""Store what the doors of the surroundings take in, each kind in one transaction, without keys in its texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.reception.beside import without_keys
from detection.types import Commit, FlagChange, OrchestratorEvent, ProviderStatus, ServiceEdge, ServicePlace
from integrations.inbound.flags.api import FlagNotice
from storage.surroundings import commits, flags, orchestrator, provider_statuses, service_map
from storage.telemetry.protocol import Appended
from storage.telemetry.rows.keys import text_without_keys
from workers.services import Services


def store_notices(services: Services, notices: Sequence[FlagNotice]) -> Appended:
    """Store changes of flags told by hand. One without a time that repeats the flag's latest is a duplicate."""
    now = services.clock()
    with services.sessions.begin() as session:
        fresh = [
            _flag_without_keys(notice.change)
            for notice in notices
            if notice.is_timed or not flags.is_repeated(session, _flag_without_keys(notice.change), now=now)
        ]
        new = flags.record_flag_changes(session, fresh, now=now)
    return Appended(new, len(notices) - new)


def store_flags(services: Services, changes: Sequence[FlagChange]) -> Appended:
    """Store changes of flags that a vendor told."""
    with services.sessions.begin() as session:
        new = flags.record_flag_changes(session, list(map(_flag_without_keys, changes)), now=services.clock())
    return Appended(new, len(changes) - new)


def store_commits(services: Services, told: Sequence[Commit]) -> Appended:
    """Store commits."""
    with services.sessions.begin() as session:
        new = commits.record_commits(session, list(map(_commit_without_keys, told)), now=services.clock())
    return Appended(new, len(told) - new)


def store_kubernetes(services: Services, news: Sequence[OrchestratorEvent | ServicePlace]) -> Appended:
    """Store events and places. Of places only those that are new to a batch are told of, and none is a duplicate."""
    events = [without_keys(one) for one in news if isinstance(one, OrchestratorEvent)]
    places = [one for one in news if isinstance(one, ServicePlace)]
    now = services.clock()
    with services.sessions.begin() as session:
        new = orchestrator.record_events(session, events, now=now)
        service_map.record_places(session, places, now=now)
    return Appended(new + len(places), len(events) - new)


def store_map(services: Services, edges: Sequence[ServiceEdge], places: Sequence[ServicePlace]) -> Appended:
    """Store a declared service map in place of the one before."""
    now = services.clock()
    with services.sessions.begin() as session:
        service_map.replace_declared(session, edges, now=now)
        service_map.record_places(session, places, now=now)
    return Appended(len(edges), 0)


def store_statuses(services: Services, told: Sequence[ProviderStatus]) -> Appended:
    """Store what a status page says. What is known takes the new state."""
    with services.sessions.begin() as session:
        provider_statuses.record_statuses(session, told, now=services.clock())
    return Appended(len(told), 0)


def _flag_without_keys(change: FlagChange) -> FlagChange:
    before = None if change.before is None else text_without_keys(change.before)
    return replace(change, before=before, after=text_without_keys(change.after))


def _commit_without_keys(commit: Commit) -> Commit:
    files = tuple(replace(file, patch=text_without_keys(file.patch)) if file.patch else file for file in commit.files)
    return replace(commit, message=text_without_keys(commit.message), files=files)
