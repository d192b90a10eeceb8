"""The peer of slash_ack: a Bolt app that only acks, behind Bolt's own adapter and the same server.

`python -m tests.benchmarks.bare_bolt PORT`, with SLACK_SIGNING_SECRET set.
"""

from __future__ import annotations

import os
import sys

import uvicorn
from slack_bolt import Ack, App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_app(signing_secret: str) -> Starlette:
    bolt = App(signing_secret=signing_secret, authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None))

    @bolt.command("/argux")
    def only_ack(ack: Ack) -> None:
        ack()

    handler = SlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


if __name__ == "__main__":
    app = create_app(os.environ["SLACK_SIGNING_SECRET"])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
