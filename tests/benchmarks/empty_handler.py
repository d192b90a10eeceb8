"""The real web process with an extra route that does nothing: the floor for the time of a request."""

from __future__ import annotations

import sys
from unittest import mock

from fastapi import FastAPI
from fastapi.responses import Response

from bot.web import serving
from bot.web.app import create_app
from workers.services import Services
from workers.settings import Settings

PATH = "/empty"


def with_empty_handler(services: Services) -> FastAPI:
    app = create_app(services)

    @app.post(PATH)
    async def empty() -> Response:
        return Response(status_code=201)

    return app


def main() -> int:
    with mock.patch.object(serving, "create_app", with_empty_handler):
        serving.serve(Services(Settings()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
