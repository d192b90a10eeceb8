"""The Teams webhook: accept a message with Adaptive Cards, as a Workflows webhook does, and store it for the page.

Sizes and shapes: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from integrations.local import adaptive_cards
from integrations.local.changes import Changes
from integrations.local.config import WorkspaceConfig
from integrations.local.store import Store

MESSAGE_BYTES_LIMIT = 28 * 1024
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


class TeamsPost(BaseModel):
    """One post in the Teams channel; `posted_at` is seconds since the epoch."""

    id: int
    posted_at: float
    cards: list[dict[str, Any]]


class Posts:
    """The posts in the Teams channel."""

    def __init__(self, store: Store, changes: Changes, clock: Callable[[], float]) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self.all = store.read("teams", TeamsPost)

    def add(self, cards: list[dict[str, Any]]) -> None:
        """Store a post with these cards."""
        post = TeamsPost(id=len(self.all) + 1, posted_at=self._clock(), cards=cards)
        self.all.append(post)
        self._store.put("teams", str(post.id), post)
        self._changes.announce()


def cards_of(message: object) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the cards in a webhook message, and the problems found in it."""
    if not isinstance(message, dict) or message.get("type") != "message":
        return [], ['type must be "message"']
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        return [], ["attachments must hold at least one card"]
    cards: list[dict[str, Any]] = []
    problems: list[str] = []
    for index, attachment in enumerate(attachments):
        place = f"attachments[{index}]"
        if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
            problems.append(f'{place}.contentType must be "{CARD_TYPE}"')
            continue
        card = attachment.get("content")
        problems += adaptive_cards.problems_of(card, f"{place}.content")
        if isinstance(card, dict):
            cards.append(card)
    return cards, problems


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def routes(posts: Posts, config: WorkspaceConfig) -> APIRouter:
    """Return the route of the webhook. A wrong secret is answered with 404."""
    router = APIRouter()

    @router.post("/teams/webhook/{secret}")
    async def webhook(secret: str, request: Request) -> Response:
        if not hmac.compare_digest(secret.encode(), config.teams_secret.get_secret_value().encode()):
            return _refusal(404, "WorkflowNotFound", "The workflow could not be found.")
        body = await request.body()
        if len(body) > MESSAGE_BYTES_LIMIT:
            return _refusal(413, "RequestEntityTooLarge", f"The message is larger than {MESSAGE_BYTES_LIMIT} bytes.")
        try:
            cards, problems = cards_of(json.loads(body))
        except ValueError:
            cards, problems = [], ["the body is not JSON"]
        if problems:
            return _refusal(400, "TriggerInputSchemaMismatch", "; ".join(problems))
        posts.add(cards)
        return Response(status_code=202)

    return router
