"""The p99 of the ack time of `/argux status` at 50 commands per second while diagnoses run, against a bare Bolt app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
from slack_sdk.signature import SignatureVerifier

from tests.benchmarks.figures import Figure
from tests.functional.shop_trouble import break_the_shop, incident
from tests.functional.stack import Stack, eventually, running_stack
from tests.ports import free_port

NAME = "slash_ack_p99_ms"
AT_MOST_RATIO = 1.5
A_SECOND = 50
SECONDS = 30
WARM_UP = 100


def run(data: Path) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with running_stack(path, f"sqlite:///{path / 'argux.db'}") as stack, _bare_bolt(stack) as bare_url:
            break_the_shop(stack)
            found = eventually(lambda: incident(stack), seconds=60, what="an incident")
            ours, bare = asyncio.run(_measure(stack, bare_url, int(found["id"])))
    p99, peer_p99 = float(np.percentile(ours, 99)), float(np.percentile(bare, 99))
    yield Figure(NAME, p99, "ms", peer="bare Bolt app", peer_value=peer_p99, at_most=AT_MOST_RATIO * peer_p99)


@contextmanager
def _bare_bolt(stack: Stack) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare_bolt", str(port)]
    process = subprocess.Popen(command, env=stack.environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


async def _measure(stack: Stack, bare_url: str, incident_id: int) -> tuple[list[float], list[float]]:
    """Send both servers the same signed commands at the same rate, alternating; return the times in milliseconds."""
    ours: list[float] = []
    bare: list[float] = []
    signer = SignatureVerifier(stack.secrets["signing"])
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        diagnosing = asyncio.create_task(_keep_diagnosing(client, stack, incident_id))
        started = time.perf_counter()
        sent: list[asyncio.Task[None]] = []
        for number in range(A_SECOND * SECONDS + WARM_UP):
            await asyncio.sleep(max(0.0, started + number / A_SECOND - time.perf_counter()))
            counted = number >= WARM_UP
            pair = [(stack.base_url, ours), (bare_url, bare)]
            sent += [
                asyncio.create_task(_command(client, signer, url, stack, times if counted else []))
                for url, times in (pair if number % 2 else reversed(pair))
            ]
        await asyncio.gather(*sent)
        diagnosing.cancel()
    return ours, bare


async def _command(
    client: httpx.AsyncClient, signer: SignatureVerifier, url: str, stack: Stack, times: list[float]
) -> None:
    body = urlencode(
        {
            "command": "/argux",
            "text": "status",
            "user_id": "U0ANA",
            "user_name": "Ana",
            "team_id": "T0LOCAL",
            "channel_id": "C0INCIDENTS",
            "trigger_id": "1.2",
            "response_url": f"{stack.workspace_url}/slack/response/none",
        }
    )
    timestamp = str(int(time.time()))
    signature = signer.generate_signature(timestamp=timestamp, body=body) or ""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
    began = time.perf_counter()
    response = await client.post(f"{url}/slack/events", content=body, headers=headers)
    times.append((time.perf_counter() - began) * 1000)
    assert response.status_code == 200, response.text


async def _keep_diagnosing(client: httpx.AsyncClient, stack: Stack, incident_id: int) -> None:
    """Request diagnoses in a loop, two per second."""
    headers = {"Authorization": str(stack.api.headers["Authorization"])}
    while True:
        await client.post(f"{stack.base_url}/api/incidents/{incident_id}/diagnose", headers=headers)
        await asyncio.sleep(0.5)
