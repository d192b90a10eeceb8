"""Argux's own doors: product events and deploys.

Each answers only after the data is durable. A sender that gets no answer, 429 or 503 sends the same data again; records
that were already stored count as duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from bot.auth import ANY_KEY, secret_from_request, secret_of
from bot.doors.openapi import DEPLOY_DOCS, EVENTS_DOCS
from bot.errors import error_body
from bot.reception.arrivals.glance import look
from bot.reception.counting import Caller
from bot.reception.gate import content_encoding, content_type
from bot.reception.receive import PATIENCE_SECONDS, Door, ParsedBody, Payload, Receipt, Reception
from detection.types import Event
from integrations.inbound.deploys.api import DeployNotice, parse_deploy
from integrations.inbound.product.events import parse_events
from storage.database.patience import Patience
from storage.deploys import already_reported, record_deploy
from storage.telemetry.protocol import COARSE_SECONDS, Appended, TelemetryStore
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept

JSON = "application/json"
NDJSON = "application/x-ndjson"
PROTOBUF = "application/x-protobuf"

router = APIRouter(tags=["Doors"])


async def reception_of(request: Request) -> Reception:
    """Return this web process's reception. A FastAPI dependency."""
    found: Reception = request.app.state.reception
    return found


Secret = Annotated[str | None, Depends(secret_of)]
InjectedReception = Annotated[Reception, Depends(reception_of)]


def append_events(store: TelemetryStore, events: Sequence[Event]) -> Appended:
    """Store product events."""
    return store.append_events(events)


def _parse_events(payload: Payload) -> ParsedBody[Event]:
    parsed = parse_events(
        payload.body,
        content_type=payload.content_type,
        content_encoding=payload.content_encoding,
        now=payload.now,
        max_decoded_bytes=payload.max_decoded_bytes,
    )
    counted_since = oldest_kept(COARSE_SECONDS, payload.now)
    too_old = sum(event.happened_at < counted_since for event in parsed.records)
    return ParsedBody(parsed, too_old=too_old)


EVENTS = Door("events", (JSON, NDJSON), _parse_events, append_events)


def _rejection_report(receipt: Receipt) -> dict[str, Any]:
    """Return the answer to a batch with rejected events; its valid events are stored."""
    total = receipt.accepted + receipt.duplicates + len(receipt.rejections)
    stored = total - len(receipt.rejections)
    first = receipt.rejections[0]
    message = (
        f"{stored} of {total} events were stored; mend the rejected ones and send those again"
        if total > 1
        else f"{first.field}: {first.message}".removeprefix(": ")
    )
    return {
        **error_body(message, first.field or None),
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": [asdict(rejection) for rejection in receipt.rejections],
        **_age_note(receipt),
    }


def _age_note(receipt: Receipt) -> dict[str, Any]:
    """Return what to add to the answer when events are stored that no funnel will ever count."""
    if not receipt.too_old:
        return {}
    days = RETENTION_SECONDS[COARSE_SECONDS] / 86_400
    events = "1 event is" if receipt.too_old == 1 else f"{receipt.too_old} events are"
    note = f"{events} older than {days:g} days: kept, but counted in no funnel. Is the timestamp right?"
    return {"too_old": receipt.too_old, "note": note}


@router.post(
    "/api/events",
    status_code=201,
    summary="Send product events",
    openapi_extra={**EVENTS_DOCS, "security": ANY_KEY},
)
async def take_events(request: Request) -> Response:
    """Take one event, a JSON array of them, or NDJSON; gzip is welcome.

    `201 {"accepted": n, "duplicates": d}` once they are stored. If some are malformed the good ones are stored all the
    same, and the answer is 422 with `rejected`: the index, the field's path and what is wrong with it. Events from
    before everything that is still counted are kept too; `too_old` says how many, `note` what it means.
    """
    reception = await reception_of(request)
    receipt = await reception.receive(request, EVENTS, await secret_from_request(request))
    if receipt.rejections:
        return JSONResponse(_rejection_report(receipt), 422)
    if receipt.too_old:
        answer = {"accepted": receipt.accepted, "duplicates": receipt.duplicates, **_age_note(receipt)}
        return JSONResponse(answer, 201)
    stored = b'{"accepted":%d,"duplicates":%d}' % (receipt.accepted, receipt.duplicates)
    return Response(stored, 201, media_type=JSON)


def store_deploy(reception: Reception, notice: DeployNotice) -> tuple[int, bool]:
    """Store one deploy. Return (its id, whether it is new)."""
    now = reception.services.clock()
    with reception.services.sessions.begin() as session:
        if not notice.is_timed:
            known = already_reported(
                session, service=notice.service, version=notice.version, commit_sha=notice.commit_sha, now=now
            )
            if known is not None:
                return known.id, False
        deploy, is_new = record_deploy(
            session,
            service=notice.service,
            version=notice.version,
            commit_sha=notice.commit_sha,
            repository=notice.repository,
            deployed_at=datetime.fromtimestamp(notice.deployed_at, UTC),
            deployed_by=notice.deployed_by,
            now=now,
        )
        session.flush()
        return deploy.id, is_new


@router.post("/api/deploys", status_code=201, summary="Tell of a deploy", openapi_extra=DEPLOY_DOCS)
async def take_deploy(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Tell that a version of a service went live: 201 when it is new, 200 when it was known already.

    Told again within ten minutes and without `deployed_at`, the service's latest deploy is not a new one.
    """
    caller = Caller.of(request)
    with reception.counting.refusals("deploys", caller):
        caller.identity = await reception.ring.identify(secret)
        content_type(request, (JSON,))
        content_encoding(request, ())
        with reception.gate.visit(is_recognised=True) as visit:
            body = await visit.read_body(request)
            visit.store()
            now = reception.services.clock().timestamp()
            patience = Patience(PATIENCE_SECONDS)
            notice = await reception.in_thread(partial(parse_deploy, body, now=now), patience)
            deploy_id, is_new = await reception.in_thread(partial(store_deploy, reception, notice), patience)
    reception.counting.stored("deploys", caller, Appended(int(is_new), int(not is_new)), look([notice], now), now=now)
    return JSONResponse({"id": deploy_id, "duplicate": not is_new}, 201 if is_new else 200)
