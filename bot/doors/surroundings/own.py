"""Argux's own doors for commits, the service map, Kubernetes' objects and status feeds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.doors.own import JSON, NDJSON, InjectedReception, Secret
from bot.doors.shared_log_door import decoded_body, log_response
from bot.doors.surroundings.openapi import COMMIT_DOCS, KUBERNETES_DOCS, MAP_DOCS, STATUS_DOCS
from bot.doors.surroundings.storing import store_commits, store_kubernetes, store_map, store_statuses
from bot.reception.receive import Door, ParsedBody, Payload
from detection.types import Commit, OrchestratorEvent, ProviderStatus, ServiceEdge, ServicePlace
from integrations.inbound.deploys.commits import parse_commits
from integrations.inbound.deploys.service_map import parse_service_map
from integrations.inbound.kubernetes.documents import read_kubernetes
from integrations.inbound.reading.records import Parsed
from integrations.inbound.status.statuspage import read_statuspage
from storage.telemetry.protocol import Appended, TelemetryStore

router = APIRouter()


@router.post("/api/commits", status_code=201, summary="Send commits with their diffs", openapi_extra=COMMIT_DOCS)
async def take_commits(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Send one commit, or an array of them: 201 once they are stored, 200 if all were known already.

    A commit told again with its diff gets the diff; nothing that is known is lost.
    """

    def parse(payload: Payload) -> ParsedBody[Commit]:
        return ParsedBody(parse_commits(decoded_body(payload), now=payload.now))

    services = reception.services
    door = Door("commits", (JSON,), parse, lambda _, commits: store_commits(services, commits))
    receipt = await reception.receive(request, door, secret)
    return log_response(receipt, 201 if receipt.accepted else 200)


@router.post("/api/events/kubernetes", status_code=201, summary="Send Kubernetes events", openapi_extra=KUBERNETES_DOCS)
async def take_kubernetes(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Take Events, Pods, Nodes and Deployments: one, an array, a List, or the stream of a watch.

    Of a pod's state its node and what ended badly are kept, of a node's its pressures. `accepted` counts these.
    """

    def parse(payload: Payload) -> ParsedBody[OrchestratorEvent | ServicePlace]:
        return ParsedBody(read_kubernetes(decoded_body(payload), now=payload.now))

    services = reception.services
    door = Door("kubernetes", (JSON, NDJSON), parse, lambda _, news: store_kubernetes(services, news))
    receipt = await reception.receive(request, door, secret)
    return log_response(receipt, 201 if receipt.accepted else 200)


@router.post("/api/service-map", summary="Declare who depends on whom", openapi_extra=MAP_DOCS)
async def take_service_map(request: Request, reception: InjectedReception, secret: Secret) -> JSONResponse:
    """Declare services with their nodes and datastores, and edges; they replace what was declared before.

    What is seen in spans stands beside and is not touched.
    """
    places: list[ServicePlace] = []

    def parse(payload: Payload) -> ParsedBody[ServiceEdge]:
        declared = parse_service_map(decoded_body(payload), now=payload.now)
        places[:] = declared.places
        return ParsedBody(Parsed(declared.edges))

    def append(_: TelemetryStore, edges: Sequence[ServiceEdge]) -> Appended:
        return store_map(reception.services, edges, places)

    door = Door("service_map", (JSON,), parse, append)
    receipt = await reception.receive(request, door, secret)
    return JSONResponse({"edges": receipt.accepted, "places": len(places)})


@router.post("/api/status-feeds", summary="Send what a provider's status page says", openapi_extra=STATUS_DOCS)
async def take_status(
    request: Request, reception: InjectedReception, secret: Secret, provider: str | None = None
) -> JSONResponse:
    """Take a Statuspage's summary.json, incidents.json or webhook.

    provider: the name that it goes by here; otherwise the page's own.
    """
    read = partial(read_statuspage, provider=provider)

    def parse(payload: Payload) -> ParsedBody[ProviderStatus]:
        return ParsedBody(read(decoded_body(payload), now=payload.now))

    services = reception.services
    door = Door("status_feeds", (JSON,), parse, lambda _, told: store_statuses(services, told))
    return log_response(await reception.receive(request, door, secret))
