"""The routes of Jira's REST API under /jira/rest/api/2 and /3, and of the ticket page."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from integrations.local.addresses import base_url
from integrations.local.config import WorkspaceConfig
from integrations.local.jira import documents, own_fields
from integrations.local.jira.errors import JiraError
from integrations.local.jira.shapes import Shapes
from integrations.local.jira.tracker import FIELDS, PROJECT_ID, TicketRecord, Tracker
from integrations.local.page.templates import render

SEARCH_LIMIT = 100
REQUIRED = frozenset({"summary", "project", "issuetype"})


def _check_login(request: Request, config: WorkspaceConfig) -> None:
    kind, _, credentials = request.headers.get("authorization", "").partition(" ")
    expected = f"{config.jira_email}:{config.jira_token.get_secret_value()}".encode()
    try:
        given = base64.b64decode(credentials, validate=True) if kind.lower() == "basic" else b""
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, expected):
        raise JiraError(401, "Client must be authenticated to access this resource.")


async def _json_object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise JiraError(400, "There was an error parsing JSON. Check that your request body is valid.") from error
    if not isinstance(body, dict):
        raise JiraError(400, "Request body is not a JSON object.")
    return body


Body = Annotated[dict[str, Any], Depends(_json_object)]
Shaping = Callable[[Request, Literal["2", "3"]], Shapes]


def install(app: FastAPI, tracker: Tracker, config: WorkspaceConfig) -> None:
    """Add the API and the ticket pages. Every API route except serverInfo requires e-mail and token."""

    def shaping(request: Request, version: Literal["2", "3"]) -> Shapes:
        return Shapes(f"{base_url(request)}/jira", version, tracker)

    def authenticated(request: Request) -> None:
        _check_login(request, config)

    @app.get("/jira/rest/api/{version}/serverInfo")
    async def server_info(request: Request) -> dict[str, Any]:
        address = f"{base_url(request)}/jira"
        numbers = [1001, 0, 0]
        return {"baseUrl": address, "version": "1001.0.0", "versionNumbers": numbers, "deploymentType": "Cloud"}

    @app.get("/jira/browse/{key}")
    async def ticket_page(key: str) -> Response:
        try:
            return HTMLResponse(render("ticket.html", ticket=tracker.find(key)))
        except JiraError as error:
            return HTMLResponse(render("missing.html", message=str(error)), status_code=404)

    @app.exception_handler(JiraError)
    def answer(_: Request, error: JiraError) -> JSONResponse:
        return JSONResponse(error.body(), status_code=error.status)

    router = APIRouter(prefix="/jira/rest/api/{version}", dependencies=[Depends(authenticated)])
    _add_directory(router, tracker, shaping)
    _add_issues(router, tracker, shaping)
    _add_search(router, tracker, shaping)

    @router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def unknown_route() -> None:
        raise JiraError(404, "Oops, you've found a dead link.")

    app.include_router(router)


def _add_directory(router: APIRouter, tracker: Tracker, shaping: Shaping) -> None:
    """Add the routes for metadata: user, project, issue types, priorities, fields and labels."""

    def require_project(reference: str) -> None:
        if reference not in (tracker.project, PROJECT_ID):
            raise JiraError(404, f"No project could be found with key '{reference}'.")

    @router.get("/myself")
    async def myself(shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        return shapes.user()

    @router.get("/project")
    async def projects(shapes: Shapes = Depends(shaping)) -> list[dict[str, Any]]:
        return [shapes.project()]

    @router.get("/project/{reference}")
    async def project(reference: str, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        require_project(reference)
        return shapes.project()

    @router.get("/issuetype")
    async def issue_types(shapes: Shapes = Depends(shaping)) -> list[dict[str, Any]]:
        return shapes.issue_types()

    @router.get("/priority")
    async def priorities(shapes: Shapes = Depends(shaping)) -> list[dict[str, Any]]:
        return shapes.priorities()

    @router.get("/field")
    async def fields() -> list[dict[str, Any]]:
        return [{"id": name, "name": name.capitalize(), "custom": False, "clauseNames": [name]} for name in FIELDS]

    @router.get("/label")
    async def labels() -> dict[str, Any]:
        names = tracker.labels()
        return {"values": names, "total": len(names), "startAt": 0, "maxResults": len(names), "isLast": True}

    @router.get("/mypermissions")
    async def permissions(projectKey: str = "", permissions: str = "") -> dict[str, Any]:
        if projectKey:
            require_project(projectKey)
        names = [name for name in permissions.split(",") if name]
        if not names:
            raise JiraError(400, "The 'permissions' query parameter is required.")
        return {"permissions": {name: {"key": name, "havePermission": True} for name in names}}

    @router.get("/issue/createmeta/{reference}/issuetypes")
    async def create_types(reference: str, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        require_project(reference)
        kinds = shapes.issue_types()
        return {"issueTypes": kinds, "startAt": 0, "maxResults": 50, "total": len(kinds)}

    @router.get("/issue/createmeta/{reference}/issuetypes/{number}")
    async def create_fields(reference: str, number: str, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        require_project(reference)
        if number not in [kind["id"] for kind in shapes.issue_types()]:
            raise JiraError(404, f"No issue type could be found with id '{number}'.")
        fields = [
            {
                "fieldId": name,
                "key": name,
                "name": name.capitalize(),
                "required": name in REQUIRED,
                "hasDefaultValue": False,
            }
            for name in FIELDS
        ]
        fields += [own_fields.described(field) for field in tracker.own_fields]
        return {"fields": fields, "startAt": 0, "maxResults": 50, "total": len(fields)}

    @router.get("/issue/createmeta")
    async def create_meta(shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        described = {name: {"required": name in REQUIRED, "key": name, "name": name.capitalize()} for name in FIELDS}
        described |= {field.id: own_fields.described(field) for field in tracker.own_fields}
        kinds = [{**kind, "fields": described} for kind in shapes.issue_types()]
        return {"projects": [{**shapes.project(), "issuetypes": kinds}]}


def _add_issues(router: APIRouter, tracker: Tracker, shaping: Shaping) -> None:
    """Add the routes that create, read and change tickets."""

    @router.post("/issue", status_code=201)
    async def create(body: Body, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        ticket = tracker.create(_plain_fields(body, shapes))
        return {"id": ticket.id, "key": ticket.key, "self": f"{shapes.api}/issue/{ticket.id}"}

    @router.get("/issue/{key}")
    async def read(key: str, fields: str = "*all", shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        return shapes.issue(tracker.find(key), fields.split(","))

    @router.put("/issue/{key}", status_code=204, response_class=Response)
    async def edit(key: str, body: Body, shapes: Shapes = Depends(shaping)) -> None:
        tracker.edit(key, _plain_fields(body, shapes))

    @router.get("/issue/{key}/comment")
    async def comments(key: str, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        return shapes.comments(tracker.find(key))

    @router.post("/issue/{key}/comment", status_code=201)
    async def add_comment(key: str, body: Body, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        return shapes.comment(*tracker.comment(key, _plain(body.get("body"), "comment", shapes)))

    @router.get("/issue/{key}/transitions")
    async def transitions(key: str, shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        tracker.find(key)
        return {"transitions": shapes.transitions()}

    @router.post("/issue/{key}/transitions", status_code=204, response_class=Response)
    async def move(key: str, body: Body, shapes: Shapes = Depends(shaping)) -> None:
        transition = body.get("transition")
        tracker.move(key, str(transition.get("id")) if isinstance(transition, dict) else "")
        for change in (body.get("update") or {}).get("comment", []):
            tracker.comment(key, _plain(change["add"]["body"], "comment", shapes))


def _add_search(router: APIRouter, tracker: Tracker, shaping: Shaping) -> None:
    """Add both search routes: the old one pages by startAt, the new one by page token."""

    async def parameters(request: Request) -> dict[str, Any]:
        given: dict[str, Any] = dict(request.query_params)
        if request.method == "POST":
            given |= await _json_object(request)
        else:
            given["fields"] = request.query_params.getlist("fields")
        return given

    def found(given: dict[str, Any], start: int, shapes: Shapes) -> tuple[list[TicketRecord], dict[str, Any]]:
        tickets = tracker.search(str(given.get("jql") or ""))
        size = min(_whole_number(given.get("maxResults"), 50), SEARCH_LIMIT)
        wanted = [name for field in given.get("fields") or ["*all"] for name in str(field).split(",")]
        shown = [shapes.issue(ticket, wanted) for ticket in tickets[start : start + size]]
        return tickets, {"issues": shown, "maxResults": size, "startAt": start}

    @router.api_route("/search", methods=["GET", "POST"])
    async def search(given: dict[str, Any] = Depends(parameters), shapes: Shapes = Depends(shaping)) -> dict[str, Any]:
        tickets, result = found(given, _whole_number(given.get("startAt"), 0), shapes)
        return {**result, "total": len(tickets)}

    @router.api_route("/search/jql", methods=["GET", "POST"])
    async def search_jql(
        given: dict[str, Any] = Depends(parameters), shapes: Shapes = Depends(shaping)
    ) -> dict[str, Any]:
        start = _whole_number(given.get("nextPageToken"), 0)
        tickets, result = found(given, start, shapes)
        following = start + len(result["issues"])
        more = {"nextPageToken": str(following)} if following < len(tickets) else {}
        return {"issues": result["issues"], "isLast": not more, **more}


def _whole_number(value: object, default: int) -> int:
    if value is None or value == "":
        return default
    if not str(value).isdecimal():
        raise JiraError(400, f"'{value}' is not a whole number.")
    return int(str(value))


def _plain(value: object, field: str, shapes: Shapes) -> object:
    """Return a text as plain text; version 3 of the API sends documents."""
    return documents.from_document(value, field) if shapes.version == "3" and value is not None else value


def _plain_fields(body: dict[str, Any], shapes: Shapes) -> dict[str, Any]:
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise JiraError(400, fields={"fields": "data was not an object"})
    if "description" in fields:
        return {**fields, "description": _plain(fields["description"], "description", shapes)}
    return fields
