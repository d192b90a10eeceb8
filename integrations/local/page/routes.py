"""The page and its JSON API. The demo and the tests press buttons through this API, as the browser does."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from integrations.local.addresses import base_url
from integrations.local.changes import Changes
from integrations.local.faults import Fault, Faults, LoggedRequest, System
from integrations.local.page.progress import ProgressBoard
from integrations.local.page.state import state_for
from integrations.local.slack.conversations import Message
from integrations.local.slack.delivery import DeliveryError
from integrations.local.slack.errors import SlackError
from integrations.local.slack.files import SHOWN_INLINE
from integrations.local.slack.interactivity import Interactivity
from integrations.local.slack.methods.chat import TEXT_LIMIT
from integrations.local.slack.modals import Modal
from integrations.local.slack.workspace import SlackWorkspace
from integrations.local.teams import Posts

STATIC = Path(__file__).parent / "static"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: https:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Entered = dict[str, dict[str, str | list[str] | None]]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: str


class Press(_Request):
    """A button press or a selection (`value`) in a message. `channel` is an id or a name."""

    channel: str
    message_ts: str
    action_id: str
    value: str | list[str] | None = None


class ModalPress(_Request):
    """A button press in a modal, with the values of its inputs: `values[block_id][action_id]`."""

    action_id: str
    values: Entered = {}


class Submission(_Request):
    """A modal's submission, with the values of its inputs: `values[block_id][action_id]`."""

    values: Entered = {}


class Command(_Request):
    """A slash command, such as "/argux status"."""

    channel: str
    text: str = Field(pattern=r"^/", max_length=4000)


class NewMessage(_Request):
    """A message that a person sends."""

    channel: str
    text: str = Field(min_length=1, max_length=TEXT_LIMIT)
    thread_ts: str | None = None


def _refused(error: SlackError) -> HTTPException:
    return HTTPException(404, {"error": error.code, "message": f"The workspace says: {error.code}."})


def _undelivered(error: DeliveryError) -> HTTPException:
    return HTTPException(502, {"error": error.code, "message": str(error)})


def routes(
    slack: SlackWorkspace,
    interactivity: Interactivity,
    posts: Posts,
    faults: Faults,
    changes: Changes,
) -> APIRouter:
    """Return the routes of the page and of everything under /page."""
    router = APIRouter()
    board = ProgressBoard(changes)
    router.include_router(board.routes())
    _add_reading_routes(router, slack, posts, board, changes)
    _add_action_routes(router, slack, interactivity)
    _add_modal_routes(router, slack, interactivity)
    _add_fault_routes(router, faults)
    return router


def _person(slack: SlackWorkspace, user: str) -> str:
    if user not in slack.conversations.people:
        raise _refused(SlackError("user_not_found"))
    return user


def _add_reading_routes(
    router: APIRouter, slack: SlackWorkspace, posts: Posts, board: ProgressBoard, changes: Changes
) -> None:
    @router.get("/")
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers=SECURITY_HEADERS)

    @router.get("/page/state")
    async def state(user: str | None = None) -> dict[str, Any]:
        return state_for(
            _person(slack, user or slack.config.users[0].id), slack, posts.all, board.current, changes.version
        )

    @router.get("/page/stream")
    async def stream() -> Response:
        return StreamingResponse(
            changes.stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @router.get("/page/files/{file_id}")
    async def file(file_id: str) -> Response:
        try:
            found = slack.files.find(file_id)
        except SlackError as error:
            raise _refused(error) from error
        shown = found.mimetype if found.mimetype in SHOWN_INLINE else "application/octet-stream"
        path = slack.files.path(file_id)
        if not path.exists():
            raise _refused(SlackError("file_not_found"))
        return FileResponse(path, media_type=shown, headers={"X-Content-Type-Options": "nosniff"})


def _add_action_routes(router: APIRouter, slack: SlackWorkspace, interactivity: Interactivity) -> None:
    @router.post("/page/act")
    async def act(press: Press, request: Request) -> dict[str, bool]:
        try:
            channel = slack.conversations.channel(press.channel, by_name=True)
            message = slack.conversations.seen_by(_person(slack, press.user), channel.id, press.message_ts)
            await interactivity.press(press.user, message, press.action_id, press.value, base_url(request))
        except SlackError as error:
            raise _refused(error) from error
        except DeliveryError as error:
            raise _undelivered(error) from error
        return {"ok": True}

    @router.post("/page/command")
    async def command(given: Command, request: Request) -> dict[str, bool]:
        try:
            channel = slack.conversations.channel(given.channel, by_name=True)
        except SlackError as error:
            raise _refused(error) from error
        await interactivity.command(_person(slack, given.user), channel.id, given.text, base_url(request))
        return {"ok": True}

    @router.post("/page/messages")
    async def say(sent: NewMessage) -> dict[str, str]:
        conversations = slack.conversations
        try:
            channel = conversations.channel(sent.channel, by_name=True)
            message = conversations.add(
                Message(
                    channel=channel.id,
                    ts=conversations.next_ts(),
                    user=_person(slack, sent.user),
                    text=html.escape(sent.text, quote=False),
                    thread_ts=sent.thread_ts,
                )
            )
        except SlackError as error:
            raise _refused(error) from error
        return {"channel": message.channel, "ts": message.ts}


def _add_modal_routes(router: APIRouter, slack: SlackWorkspace, interactivity: Interactivity) -> None:
    def own_modal(view_id: str, user: str) -> Modal:
        try:
            modal = slack.modals.find(view_id)
        except SlackError as error:
            raise _refused(error) from error
        if modal.user != user:
            raise _refused(SlackError("not_found"))
        return modal

    @router.post("/page/modals/{view_id}/submit")
    async def submit(view_id: str, submission: Submission) -> dict[str, Any]:
        modal = own_modal(view_id, submission.user)
        try:
            await interactivity.submit(modal, submission.values)
        except DeliveryError as error:
            raise _undelivered(error) from error
        return {"ok": not modal.errors, "errors": modal.errors}

    @router.post("/page/modals/{view_id}/act")
    async def act(view_id: str, press: ModalPress) -> dict[str, bool]:
        modal = own_modal(view_id, press.user)
        try:
            await interactivity.press_in_modal(modal, press.action_id, press.values)
        except SlackError as error:
            raise _refused(error) from error
        except DeliveryError as error:
            raise _undelivered(error) from error
        return {"ok": True}

    @router.post("/page/modals/{view_id}/close")
    async def close(view_id: str, request: _Request) -> dict[str, bool]:
        modal = own_modal(view_id, request.user)
        try:
            await interactivity.close(modal)
        except DeliveryError as error:
            raise _undelivered(error) from error
        return {"ok": True}


def _add_fault_routes(router: APIRouter, faults: Faults) -> None:
    @router.post("/page/faults", status_code=201)
    async def inject(fault: Fault) -> list[Fault]:
        faults.pending.append(fault)
        return faults.pending

    @router.get("/page/faults")
    async def pending() -> list[Fault]:
        return faults.pending

    @router.delete("/page/faults", status_code=204, response_class=Response)
    async def cancel() -> None:
        faults.pending.clear()

    @router.get("/page/requests")
    async def requests(system: System | None = None) -> list[LoggedRequest]:
        return [entry for entry in faults.log if system in (None, entry.system)]
