"""Record a deploy for each new `service.version` in spans, if no pipeline reported the deploy.

Only for services whose repository is known. A pipeline reports a deploy about when it goes live, so a version waits
GRACE_SECONDS for its report; a later report takes over the recorded deploy. The first version ever seen of a service
was running when Argux started and is no deploy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from storage.cursors import read_cursor, save_cursor
from storage.deploys import SEEN_IN_SPANS, deploys_between, record_deploy, to_deploy
from storage.models import Deploy
from workers.diagnosis.checks.versions import is_version
from workers.services import Services
from workers.troubles import Troubles

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 30.0
GRACE_SECONDS = 90.0
DEPLOYS_REMEMBERED = timedelta(days=30)
VERSIONS_REMEMBERED = 200

_LOOKED = "versions"
_Waiting = dict[str, dict[str, float]]
"""The time at which each version was first seen, by service and version."""

_SHA = re.compile(r"[0-9a-f]{7,64}", re.I)
_LONGEST_REVISION = 64


@dataclass(frozen=True, slots=True)
class _Looked:
    """When versions were last looked for, up to which request, and which of them wait for their report."""

    at: float = 0.0
    sequence: int = 0
    waiting: _Waiting = field(default_factory=dict)


def record_new_versions(services: Services, troubles: Troubles, now: datetime) -> None:
    """Record a deploy for each new version, at most every LOOK_EVERY_SECONDS because this reads single requests.

    Each service is a transaction of its own; where that fails, its versions wait for the next look.
    """
    with services.readers() as session:
        last = read_cursor(session, _LOOKED, _looked) or _Looked()
        if now.timestamp() - last.at < LOOK_EVERY_SECONDS:
            return
        known = deploys_between(session, None, now - DEPLOYS_REMEMBERED, now + timedelta(days=1))
    repositories = {**{deploy.service: deploy.repository for deploy in known}, **services.settings.service_repositories}
    found, top = services.telemetry.versions_above(last.sequence)
    waiting: _Waiting = {service: dict(last.waiting.get(service, {})) for service in repositories}
    for service, version, first_seen in found:
        if service in waiting:
            waiting[service][version] = min(first_seen, waiting[service].get(version, first_seen))
    due, later = _split(waiting, until=now.timestamp() - GRACE_SECONDS)
    for service, versions in sorted(due.items()):
        deploys = [deploy for deploy in known if deploy.service == service]
        ordered = sorted(versions.items(), key=lambda seen: seen[1])
        is_recorded = False
        with troubles.apart(f"recording the versions of {service}"), services.sessions.begin() as session:
            _record_versions(session, service, repositories[service], ordered, deploys, now)
            is_recorded = True
        if not is_recorded:
            later[service] = {**versions, **later.get(service, {})}
    with services.sessions.begin() as session:
        position = {"looked_at": now.timestamp(), "sequence": top, "waiting": later}
        save_cursor(session, _LOOKED, position, now=now)


def _looked(position: Mapping[str, Any]) -> _Looked:
    waiting = {
        str(service): {str(version): float(seen) for version, seen in versions.items()}
        for service, versions in position["waiting"].items()
    }
    return _Looked(float(position["looked_at"]), int(position["sequence"]), waiting)


def _split(waiting: _Waiting, *, until: float) -> tuple[_Waiting, _Waiting]:
    """Split into the versions first seen before `until`, and those that wait for their report."""
    due, later = (
        {
            service: chosen
            for service, versions in waiting.items()
            if (chosen := {name: at for name, at in versions.items() if (at < until) is is_due})
        }
        for is_due in (True, False)
    )
    return due, later


def _record_versions(
    session: Session,
    service: str,
    repository: str,
    seen: Sequence[tuple[str, float]],
    deploys: Sequence[Deploy],
    now: datetime,
) -> None:
    """Remember every version of one service, and record a deploy for those that no pipeline reported."""
    source = f"versions:{service}"
    remembered = read_cursor(session, source, _remembered) or []
    fresh = [(version, first_seen) for version, first_seen in seen if version not in remembered]
    for version, first_seen in fresh:
        is_reported = any(is_version(version, to_deploy(deploy)) for deploy in deploys)
        if not is_reported and remembered:
            _record(session, service, repository, version, first_seen, now)
        remembered.append(version)
    if fresh:
        save_cursor(session, source, {"versions": remembered[-VERSIONS_REMEMBERED:]}, now=now)


def _remembered(position: Mapping[str, Any]) -> list[str]:
    return [str(version) for version in position["versions"]]


def _record(session: Session, service: str, repository: str, version: str, first_seen: float, now: datetime) -> None:
    """Record the deploy. A version that is no commit SHA may be a tag, which code hosts accept as a revision."""
    record_deploy(
        session,
        service=service,
        version=version,
        commit_sha=version.lower() if _SHA.fullmatch(version) else version[:_LONGEST_REVISION],
        repository=repository,
        deployed_at=datetime.fromtimestamp(first_seen, UTC),
        deployed_by=SEEN_IN_SPANS,
        now=now,
    )
    log.info("version_seen", service=service, version=version)
