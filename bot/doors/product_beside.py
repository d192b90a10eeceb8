"""What product libraries call beside events: profiles, flags, recordings. Accepted and left aside, so that the
application goes on; each answer has the shape that its library reads.

A wrong key is refused here as at the doors of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from bot.doors.own import JSON, NDJSON, InjectedReception, Secret
from bot.doors.product_answers import amplitude_error, mixpanel_error
from bot.errors import BotError
from bot.reception.receive import Door, ParsedBody, Payload
from detection.types import Event
from integrations.inbound.product.beside import key_of_call
from integrations.inbound.reading.forms import FORM
from integrations.inbound.reading.records import Parsed
from storage.telemetry.protocol import Appended, TelemetryStore

TEXT = "text/plain"

NO_FLAGS: dict[str, Any] = {
    "featureFlags": {},
    "featureFlagPayloads": {},
    "flags": {},
    "errorsWhileComputingFlags": False,
    "sessionRecording": False,
    "surveys": False,
    "autocapture_opt_out": True,
    "capturePerformance": False,
    "heatmaps": False,
    "toolbarParams": {},
    "isAuthenticated": False,
    "supportedCompression": ["gzip", "gzip-js"],
    "config": {"enable_collect_everything": True},
}
"""PostHog's answer for a project without feature flags, recordings and surveys."""

router = APIRouter()


def _left_aside(payload: Payload) -> ParsedBody[Event]:
    key = key_of_call(payload.body, payload.content_type, payload.content_encoding, payload.max_decoded_bytes)
    return ParsedBody(Parsed(), key)


def _nothing(store: TelemetryStore, records: Sequence[Event]) -> Appended:
    return Appended(0, 0)


_door = partial(Door, content_types=(JSON, FORM, TEXT, NDJSON), append=_nothing, parse=_left_aside, key_in_body=True)
PROFILES: Door[Event] = _door("mixpanel")
FLAGS: Door[Event] = _door("posthog")
METRICS: Door[Event] = _door("segment")
GROUPS: Door[Event] = _door("amplitude")


@router.post("/engage", include_in_schema=False)
@router.post("/engage/", include_in_schema=False)
@router.post("/groups", include_in_schema=False)
@router.post("/groups/", include_in_schema=False)
async def take_profiles(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take Mixpanel's profiles of people and groups, which are not kept."""
    try:
        await reception.receive(request, PROFILES, secret)
    except BotError as error:
        return mixpanel_error(error)
    return _no_profiles(request.query_params.get("verbose", "1"))


@router.get("/engage", include_in_schema=False)
@router.get("/engage/", include_in_schema=False)
@router.get("/groups", include_in_schema=False)
@router.get("/groups/", include_in_schema=False)
async def take_profiles_by_get(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take a profile in the address, in `data`, as Mixpanel's library for Node sends it. The key is within it."""
    form = urlencode({"data": request.query_params.get("data", "")}).encode()

    async def read() -> bytes:
        return form

    try:
        await reception.receive_message(read, PROFILES, secret, FORM)
    except BotError as error:
        return mixpanel_error(error)
    return _no_profiles(request.query_params.get("verbose", "0"))


def _no_profiles(verbose: str) -> Response:
    """Answer in JSON, or with the 1 that Mixpanel's library for Node reads where it asks for verbose=0."""
    if verbose == "0":
        return PlainTextResponse("1")
    return JSONResponse({"status": 1, "error": None, "note": "Profiles are not kept."})


@router.post("/decide", include_in_schema=False)
@router.post("/decide/", include_in_schema=False)
@router.post("/flags", include_in_schema=False)
@router.post("/flags/", include_in_schema=False)
async def take_flags(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Answer a PostHog client that asks for feature flags: there are none."""
    await reception.receive(request, FLAGS, secret)
    return JSONResponse(NO_FLAGS)


@router.post("/s", include_in_schema=False)
@router.post("/s/", include_in_schema=False)
async def take_recordings(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take PostHog's session recordings, which are not kept."""
    await reception.receive(request, FLAGS, secret)
    return JSONResponse({"status": "Ok"})


@router.post("/v1/m", include_in_schema=False)
async def take_library_metrics(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take what Segment's analytics.js measures of itself, which is not kept."""
    await reception.receive(request, METRICS, secret)
    return JSONResponse({"success": True})


@router.post("/groupidentify", include_in_schema=False)
async def take_groups(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take Amplitude's properties of groups, which are not kept."""
    try:
        await reception.receive(request, GROUPS, secret)
    except BotError as error:
        return amplitude_error(error)
    return PlainTextResponse("success")
