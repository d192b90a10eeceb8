"""The doors for changes of flags: Argux's own, and the webhooks of LaunchDarkly, Unleash and Flagsmith."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from bot.doors.openapi_monitoring import WEBHOOK_DOCS
from bot.doors.own import JSON, InjectedReception, Secret
from bot.doors.shared_log_door import decoded_body, log_response
from bot.doors.surroundings.openapi import FLAG_DOCS
from bot.doors.surroundings.storing import store_flags, store_notices
from bot.errors import UnauthorizedError
from bot.reception.receive import Door, ParsedBody, Payload, Reception
from detection.types import FlagChange
from integrations.inbound.flags.api import FlagNotice, parse_flags
from integrations.inbound.flags.flagsmith import read_flagsmith
from integrations.inbound.flags.launchdarkly import read_launchdarkly
from integrations.inbound.flags.news import FlagNews
from integrations.inbound.flags.unleash import read_unleash
from integrations.inbound.reading.records import Parsed
from integrations.inbound.reading.signatures import is_signed
from workers.services import secret as required

router = APIRouter()


@router.post("/api/flags", status_code=201, summary="Tell of a changed flag", openapi_extra=FLAG_DOCS)
async def take_flags(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Tell that a flag or configuration value was set to another value: one change, or an array of them.

    201 once they are stored, 200 if all were known already. A change without `at` that repeats the flag's latest within
    ten minutes is a duplicate.
    """

    def parse(payload: Payload) -> ParsedBody[FlagNotice]:
        return ParsedBody(parse_flags(decoded_body(payload), now=payload.now))

    services = reception.services
    door = Door("flags", (JSON,), parse, lambda _, notices: store_notices(services, notices))
    receipt = await reception.receive(request, door, secret)
    return log_response(receipt, 201 if receipt.accepted else 200)


@router.post("/launchdarkly/webhook", summary="Send flag changes from LaunchDarkly", openapi_extra=WEBHOOK_DOCS)
async def take_launchdarkly(request: Request, reception: InjectedReception) -> JSONResponse:
    """Take LaunchDarkly's webhook, signed with LAUNCHDARKLY_WEBHOOK_SECRET."""
    signed_with = reception.services.settings.launchdarkly_webhook_secret
    check = _signature_check(request, signed_with, "X-LD-Signature", "LAUNCHDARKLY_WEBHOOK_SECRET")
    return await _take_webhook(request, reception, None, "launchdarkly", read_launchdarkly, check)


@router.post("/flagsmith/webhook", summary="Send flag changes from Flagsmith", openapi_extra=WEBHOOK_DOCS)
async def take_flagsmith(request: Request, reception: InjectedReception) -> JSONResponse:
    """Take the webhook of a Flagsmith environment, signed with FLAGSMITH_WEBHOOK_SECRET."""
    signed_with = reception.services.settings.flagsmith_webhook_secret
    check = _signature_check(request, signed_with, "X-Flagsmith-Signature", "FLAGSMITH_WEBHOOK_SECRET")
    return await _take_webhook(request, reception, None, "flagsmith", read_flagsmith, check)


@router.post("/unleash/webhook", summary="Send flag changes from Unleash", openapi_extra=WEBHOOK_DOCS)
async def take_unleash(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take the events of Unleash's webhook integration; the key stands in its parameter `Authorization`."""
    return await _take_webhook(request, reception, secret, "unleash", read_unleash, None)


def _signature_check(
    request: Request, signed_with: SecretStr | None, header: str, setting: str
) -> Callable[[bytes], None]:
    """Return a function that raises UnauthorizedError for a body that the header does not sign."""
    secret = required(signed_with, setting)
    signature = request.headers.get(header)

    def check(body: bytes) -> None:
        if not is_signed(body, secret, signature):
            raise UnauthorizedError(f"{header} does not fit the body and {setting}.")

    return check


async def _take_webhook(
    request: Request,
    reception: Reception,
    secret: str | None,
    name: str,
    read: Callable[..., FlagNews],
    check: Callable[[bytes], None] | None,
) -> JSONResponse:
    ignored: list[str] = []

    def parse(payload: Payload) -> ParsedBody[FlagChange]:
        if check is not None:
            check(payload.body)
        news = read(decoded_body(payload), now=payload.now)
        ignored.append(news.ignored)
        return ParsedBody(Parsed(list(news.changes)))

    services = reception.services
    door = Door(name, (JSON,), parse, lambda _, changes: store_flags(services, changes), signed=check is not None)
    receipt = await reception.receive(request, door, secret)
    return log_response(receipt, note={"ignored": ignored[0]} if ignored[0] else None)
