"""Delete what is past its retention, end what is past its time, and tell the audit chain's head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import structlog
from sqlalchemy.orm import Session

from detection.logs.patterns import check
from storage.alert_firings import drop_old_firings
from storage.alerts import DROPPED_AT_ONCE, drop_old_alerts
from storage.database import dropping
from storage.database.gaps import let_others_write
from storage.dead_letters import PRUNED_AT_ONCE, prune
from storage.models import LogPattern
from storage.readable_rows import look_at_all
from storage.surroundings import commits, flags, log_signatures, orchestrator, provider_statuses, service_map
from storage.triage import drop_old_decisions
from workers.diagnosis.job import give_up_overdue
from workers.remediation.approvals import expire_proposals
from workers.running.audit_head import tell_head
from workers.services import Services
from workers.troubles import HOUSEKEEPING, Troubles, store_run

log = structlog.get_logger()

PASSES = 50
"""How many deletions of one kind one run does at most; the next run goes on."""


def expire(services: Services) -> None:
    """Delete what is past its retention; expire proposals nobody decided on; give up overdue diagnoses.

    Each part runs by itself. When parts of it failed, store that for the status, and raise an ExceptionGroup after
    doing the others.
    """
    troubles = Troubles()
    with troubles.with_what_is_left_out():
        for what, part in _PARTS.items():
            with troubles.apart(what):
                part(services)
    with services.sessions.begin() as session:
        store_run(session, HOUSEKEEPING, troubles, now=services.clock())
    troubles.raise_all()


def _expire_telemetry(services: Services) -> None:
    dropped = services.telemetry.expire(now=services.clock().timestamp())
    log.info("telemetry_expired", rows=dropped)


def _drop_alerts(services: Services) -> None:
    now, size = services.clock(), DROPPED_AT_ONCE
    _in_passes(services, lambda session: drop_old_alerts(session, now=now), size)
    _in_passes(services, lambda session: drop_old_firings(session, now=now, at_once=size), size)
    _in_passes(services, lambda session: drop_old_decisions(session, now=now, at_once=size), size)


def _drop_surroundings(services: Services) -> None:
    for drop in (
        flags.drop_old_flag_changes,
        commits.drop_old_commits,
        service_map.drop_old_edges,
        service_map.drop_old_places,
        orchestrator.drop_old_events,
        provider_statuses.drop_old_statuses,
        log_signatures.drop_old_signatures,
    ):
        _in_passes(services, partial(drop, now=services.clock()), dropping.DROPPED_AT_ONCE)


def _prune_jobs(services: Services) -> None:
    _in_passes(services, lambda session: prune(session, services.clock()), PRUNED_AT_ONCE)


def _in_passes(services: Services, one_pass: Callable[[Session], int], size: int) -> None:
    """Delete old rows in short transactions, between which others write, until a pass finds fewer than it takes."""
    for _ in range(PASSES):
        with services.sessions.begin() as session:
            found = one_pass(session)
        if found < size:
            return
        let_others_write(services.engine)


def _look_at_rows(services: Services) -> None:
    """Find the rows that cannot be read, also those that no other part reads at present."""
    with services.readers() as session:
        look_at_all(session, _check_pattern)


def _check_pattern(row: LogPattern) -> None:
    if row.enabled:
        check(row.expression)


_PARTS: Mapping[str, Callable[[Services], None]] = {
    "deleting old telemetry": _expire_telemetry,
    "deleting old alerts": _drop_alerts,
    "deleting old flags, commits, service maps and statuses": _drop_surroundings,
    "expiring proposals": expire_proposals,
    "deleting old jobs": _prune_jobs,
    "giving up overdue diagnoses": give_up_overdue,
    "telling the audit chain's head": tell_head,
    "looking for rows that cannot be read": _look_at_rows,
}
"""The parts of the housekeeping in their order, by what they do."""
