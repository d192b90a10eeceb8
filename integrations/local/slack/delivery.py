"""Deliver people's actions to the app: a signed HTTP request to its request URL, or an envelope on its socket.

Signature: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode

import httpx

from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.workspace import SlackWorkspace


class DeliveryError(Exception):
    """The app did not accept a delivery. `code` is Slack's error code; the text is for the person who acted."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return Slack's v0 signature of one request body."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Delivery:
    """Sends to the app and waits up to `patience_seconds` for its acknowledgement."""

    def __init__(self, workspace: SlackWorkspace, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self._workspace = workspace
        self._client = client
        self._clock = clock

    async def interaction(self, payload: Json) -> Json:
        """Deliver a button press, or the submission or closing of a modal.

        Returns the acknowledgement's JSON, which may be empty. Raises DeliveryError.
        """
        return await self._deliver("interactive", payload, {"payload": json.dumps(payload)})

    async def command(self, form: dict[str, str]) -> Json:
        """Deliver a slash command.

        Returns the acknowledgement; plain text becomes {"text": ...}. Raises DeliveryError.
        """
        return await self._deliver("slash_commands", form, form)

    async def _deliver(self, kind: str, payload: Json | dict[str, str], form: dict[str, str]) -> Json:
        patience = self._workspace.config.patience_seconds
        try:
            if self._workspace.sockets.connected:
                return await self._workspace.sockets.deliver(kind, payload, seconds=patience)
            return _acknowledgement(await self._post(urlencode(form).encode()))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise DeliveryError("operation_timeout", f"The app did not answer within {patience:g} seconds.") from error
        except (ConnectionError, httpx.HTTPError) as error:
            raise DeliveryError("dispatch_failed", "The app cannot be reached.") from error

    async def _post(self, body: bytes) -> httpx.Response:
        config = self._workspace.config
        timestamp = int(self._clock())
        return await self._client.post(
            config.request_url,
            content=body,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                "X-Slack-Request-Timestamp": str(timestamp),
                "X-Slack-Signature": signature(config.signing_secret.get_secret_value(), timestamp, body),
            },
            timeout=config.patience_seconds,
        )


def _acknowledgement(response: httpx.Response) -> Json:
    if response.status_code != 200:
        raise DeliveryError("dispatch_failed", f"The app answered with status {response.status_code}.")
    if not response.text.strip():
        return {}
    try:
        body = response.json()
    except ValueError:
        return {"text": response.text}
    return body if isinstance(body, dict) else {"text": response.text}
