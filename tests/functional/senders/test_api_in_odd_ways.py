"""Requests to a running web process that no client would send."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.functional.web import Web

NOT_WRITTEN_BY_SCHEMATHESIS = ("/_bulk", "/api/{project}/envelope/")
"""Schemathesis cannot generate bodies for the content types of these doors."""


def test_schemathesis_finds_no_request_that_breaks_the_api(web: Web, tmp_path: Path) -> None:
    options = ["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--max-time", "40", "--no-color"]
    options += ["--request-timeout", "60"]
    checks = "not_a_server_error,content_type_conformance,response_schema_conformance"
    excluded = [option for path in NOT_WRITTEN_BY_SCHEMATHESIS for option in ("--exclude-path", path)]
    finished = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{web.url}/openapi.json",
            "--header", f"Authorization: {web.api.headers['Authorization']}",
            "--checks", checks, "--generation-deterministic", *options, *excluded,
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr[-2000:]
    tried = re.search(r"(\d+) generated", finished.stdout)
    assert tried is not None
    assert int(tried[1]) > 200


def test_an_endless_body_is_cut_off_at_the_limit(web: Web) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65_536

    headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/json"}
    try:
        answer = httpx.post(f"{web.url}/api/events", content=endless(), headers=headers, timeout=20, trust_env=False)
    except (httpx.WriteError, httpx.ReadError):
        # The door may close the connection while the body is still being sent.
        return
    assert answer.status_code == 413


def test_a_sender_that_disconnects_during_a_request_does_no_harm(web: Web) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    head = f"POST /api/events HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {web.key}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n[".encode())
    assert web.api.get("/health").is_success
