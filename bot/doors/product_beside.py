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


def _unread(payload: Payload) -> ParsedBody[Event]:
    return ParsedBody(Parsed())


def _nothing(store: TelemetryStore, records: Sequence[Event]) -> Appended:
    return Appended(0, 0)


_door = partial(Door, content_types=(JSON, FORM, TEXT, NDJSON), append=_nothing, parse=_left_aside, key_in_body=True)
PROFILES: Door[Event] = _door("mixpanel")
FLAGS: Door[Event] = _door("posthog")
METRICS: Door[Event] = _door("segment")
GROUPS: Door[Event] = _door("amplitude")
RECORDINGS: Door[Event] = Door("mixpanel", ("application/octet-stream", JSON), _unread, _nothing)


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


@router.get("/decide", include_in_schema=False)
@router.get("/decide/", include_in_schema=False)
@router.get("/flags", include_in_schema=False)
@router.get("/flags/", include_in_schema=False)
async def take_flags_by_get(secret: Secret, reception: InjectedReception, token: str = "") -> JSONResponse:
    """Answer a Mixpanel client, or an old one of PostHog, that asks for flags in the address: there are none."""
    await reception.ring.identify(token or secret)
    return JSONResponse(NO_FLAGS)


@router.get("/array/{key}/config", include_in_schema=False)
async def take_remote_config(key: str, reception: InjectedReception) -> JSONResponse:
    """Answer posthog-js that asks for its project's settings."""
    await reception.ring.identify(key)
    return JSONResponse({"supportedCompression": ["gzip", "gzip-js"], "hasFeatureFlags": False, **NO_FLAGS})


@router.get("/array/{key}/config.js", include_in_schema=False)
async def take_remote_script(key: str, reception: InjectedReception) -> Response:
    """Answer posthog-js that asks for its project's settings as a script."""
    await reception.ring.identify(key)
    return Response("", media_type="text/javascript")


@router.get("/api/surveys/", include_in_schema=False)
async def take_surveys(token: str, reception: InjectedReception) -> JSONResponse:
    """Answer posthog-js that asks for surveys: there are none."""
    await reception.ring.identify(token)
    return JSONResponse({"surveys": []})


@router.get("/api/early_access_features/", include_in_schema=False)
async def take_early_access(token: str, reception: InjectedReception) -> JSONResponse:
    """Answer posthog-js that asks for features of early access: there are none."""
    await reception.ring.identify(token)
    return JSONResponse({"earlyAccessFeatures": []})


@router.get("/api/web_experiments/", include_in_schema=False)
async def take_web_experiments(token: str, reception: InjectedReception) -> JSONResponse:
    """Answer posthog-js that asks for experiments: there are none."""
    await reception.ring.identify(token)
    return JSONResponse({"experiments": []})


@router.get("/api/feature_flag/local_evaluation", include_in_schema=False)
@router.get("/api/feature_flag/local_evaluation/", include_in_schema=False)
@router.get("/flags/definitions", include_in_schema=False)
async def take_flag_definitions(secret: Secret, reception: InjectedReception, token: str = "") -> JSONResponse:
    """Answer a PostHog server library that wants to evaluate flags by itself: there are none."""
    await reception.ring.identify(secret or token)
    return JSONResponse({"flags": [], "group_type_mapping": {}, "cohorts": {}})


@router.post("/record", include_in_schema=False)
@router.post("/record/", include_in_schema=False)
async def take_mixpanel_recordings(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take Mixpanel's session recordings, which are not kept: Basic authentication holds the key."""
    await reception.receive(request, RECORDINGS, secret)
    return JSONResponse({"code": 200, "status": "OK"})


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
