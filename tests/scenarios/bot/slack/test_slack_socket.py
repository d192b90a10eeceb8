"""Socket Mode while Slack is unreachable."""

from __future__ import annotations

import time

from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.slack.socket import LONGEST_WAIT_SECONDS
from bot.web.app import create_app
from workers.services import Services


def test_argux_starts_serves_and_stops_while_slack_is_down(services: Services) -> None:
    services.settings = services.settings.model_copy(
        update={"slack_app_token": SecretStr("xapp-1"), "slack_api_url": "http://127.0.0.1:1/slack/api/"}
    )

    with TestClient(create_app(services)) as client:
        assert client.get("/health").status_code == 200
        stopping = time.monotonic()

    assert time.monotonic() - stopping < LONGEST_WAIT_SECONDS / 2
