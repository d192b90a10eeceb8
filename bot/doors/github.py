"""The door for GitHub webhooks: a deployment becomes a deploy, a push becomes a log record."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.doors.openapi_monitoring import WEBHOOK_DOCS
from bot.doors.own import JSON, InjectedReception, store_deploy
from bot.doors.surroundings.storing import store_commits
from bot.errors import UnauthorizedError
from bot.reception.arrivals.glance import look
from bot.reception.counting import Caller
from bot.reception.gate import content_encoding, content_type
from bot.reception.receive import PATIENCE_SECONDS, Reception
from integrations.inbound.deploys.github_webhooks import WebhookContent, read_github_webhook
from integrations.inbound.reading.signatures import is_signed
from storage.database.patience import Patience
from storage.telemetry.protocol import Appended
from workers.services import secret as required

DOOR = "github"
_PREFIX = "sha256="

router = APIRouter()


@router.post("/github/webhooks", summary="Tell of deployments and pushes from GitHub", openapi_extra=WEBHOOK_DOCS)
async def take_github_webhook(request: Request, reception: InjectedReception) -> JSONResponse:
    """Take GitHub's webhooks, signed with GITHUB_WEBHOOK_SECRET.

    A deployment that succeeded in production is a deploy; a push to the default branch is kept as a log record; the
    rest is acknowledged and left aside. A webhook delivered again changes nothing.
    """
    settings = reception.services.settings
    secret = required(settings.github_webhook_secret, "GITHUB_WEBHOOK_SECRET")
    caller = Caller.of(request)
    with reception.counting.refusals(DOOR, caller), reception.gate.visit(is_recognised=False) as visit:
        content_type(request, (JSON,))
        content_encoding(request, ())
        body = await visit.read_body(request)
        signature = request.headers.get("x-hub-signature-256", "")
        if not is_signed(body, secret, signature.removeprefix(_PREFIX)):
            raise UnauthorizedError("X-Hub-Signature-256 does not fit the body and GITHUB_WEBHOOK_SECRET.")
        visit.store()
        now = reception.services.clock().timestamp()
        read = partial(
            read_github_webhook,
            body,
            event=request.headers.get("x-github-event", ""),
            delivery=request.headers.get("x-github-delivery", ""),
            services=settings.service_repositories,
            environments=settings.deploy_environments,
            now=now,
        )
        patience = Patience(PATIENCE_SECONDS)
        told = await reception.in_thread(read, patience)
        new, known = await reception.in_thread(partial(_store, reception, told), patience)
    glance = look([*told.records, *told.deploys], now)
    reception.counting.stored(DOOR, caller, Appended(new, known), glance, now=now)
    ignored = {"ignored": told.ignored} if told.ignored else {}
    return JSONResponse({"accepted": new, "duplicates": known, **ignored})


def _store(reception: Reception, told: WebhookContent) -> tuple[int, int]:
    """Store a webhook's deploys, log records and commits. Return (how many are new, how many were duplicates)."""
    deploys = [store_deploy(reception, notice)[1] for notice in told.deploys]
    if told.commits:
        store_commits(reception.services, told.commits)
    appended = reception.services.telemetry.append_logs(told.records)
    return sum(deploys) + appended.accepted, deploys.count(False) + appended.duplicates
