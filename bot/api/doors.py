"""The API of what came in through the doors during the last hour, as `argux doors` shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.reception.arrivals.door_words import door_words
from bot.reception.arrivals.glance import Understood
from bot.reception.arrivals.hints import REMEDIES, hints
from bot.reception.arrivals.keeping import Arrivals
from bot.reception.arrivals.reading import Refusal, Report, read_reports
from bot.reception.arrivals.tallies import KEPT_MINUTES
from workers.services import Services

router = APIRouter(prefix="/doors", tags=["Doors"])


class UnderstoodOut(BaseModel):
    """A record as Argux understood it; of its properties only the names are shown."""

    kind: str = Field(description="event, span, log, metric, alert or deploy.")
    happened_at: datetime
    service: str = Field(description="Empty where such a record has none.")
    severity: str = Field(description="Empty where such a record has none.")
    words: str


class RefusalOut(BaseModel):
    """A record (reason malformed) or a request that was refused; `mend` where the message does not say how."""

    at: datetime
    reason: str
    message: str
    mend: str | None


class DoorReportOut(BaseModel):
    """What came from one sender through one door."""

    sender: str | None = Field(description="The name of its key; null where no key of ours is known.")
    door: str
    path: str = Field(description="The door's address, or the setting or command that opens it.")
    last_at: datetime
    records: int = Field(description="New records that were stored.")
    duplicates: int = Field(description="Records that had been stored before.")
    refused: dict[str, int] = Field(description="Records (malformed) and requests (other reasons), by reason.")
    late: int = Field(description="Records that came five minutes or more after they happened.")
    unknown_service: int = Field(description="Records that name no service.")
    services: dict[str, int] = Field(description="Records by service.")
    clock_offset_seconds: float | None = Field(
        description="The median, over the requests, of how old the newest record was when it arrived; "
        "below zero where the sender's clock is ahead. Null where the records do not tell."
    )
    latest: list[UnderstoodOut] = Field(description="The last records, the newest last.")
    refusals: list[RefusalOut] = Field(description="The last refusals, the newest last.")
    hints: list[str] = Field(description="What to look at, in sentences.")


class DoorsOut(BaseModel):
    """What came in between two moments."""

    since: datetime
    until: datetime
    senders: list[DoorReportOut]


async def _keep(request: Request, operator: Operator) -> None:
    """Keep what this process has counted until now, so that the answer holds it."""
    counted_here: Arrivals = request.app.state.reception.arrivals
    await counted_here.keep()


@router.get("", summary="Show what came in, per sender", dependencies=[Depends(_keep)])
def show_doors(services: InjectedServices, operator: Operator) -> DoorsOut:
    """What the doors took and refused in the last hour, per sender and door, and what Argux understood of it.

    Of another web process's doors what came in until two seconds ago. The command line has the same: `argux doors`.
    """
    return doors_out(services)


def doors_out(services: Services) -> DoorsOut:
    """Return the reports of the last hour."""
    now = services.clock()
    with services.readers() as session:
        reports = read_reports(services, session)
    senders = [_report_out(report) for report in reports]
    return DoorsOut(since=now - timedelta(minutes=KEPT_MINUTES), until=now, senders=senders)


def _report_out(report: Report) -> DoorReportOut:
    return DoorReportOut(
        sender=report.sender or None,
        door=report.door,
        path=door_words(report.door).path,
        last_at=_time(report.last_at),
        records=report.records,
        duplicates=report.duplicates,
        refused=dict(report.refused),
        late=report.late,
        unknown_service=report.unnamed,
        services=dict(report.services.most_common()),
        clock_offset_seconds=report.clock_offset_seconds,
        latest=[_understood_out(one) for one in report.latest],
        refusals=[_refusal_out(one) for one in report.refusals],
        hints=list(hints(report)),
    )


def _understood_out(one: Understood) -> UnderstoodOut:
    return UnderstoodOut(
        kind=one.kind,
        happened_at=_time(one.happened_at),
        service=one.service,
        severity=one.severity,
        words=one.words,
    )


def _refusal_out(one: Refusal) -> RefusalOut:
    return RefusalOut(at=_time(one.at), reason=one.reason, message=one.message, mend=REMEDIES.get(one.reason))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
