"""Requests to a running web process that no client would send."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.functional.web import Web

NOT_WRITTEN_BY_SCHEMATHESIS = ("/_bulk", "/api/{project}/envelope/")
"""It knows no way to write these doors' content types."""


def test_schemathesis_finds_no_request_that_the_api_fails_at(web: Web, tmp_path: Path) -> None:
    options = ["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--max-time", "60", "--no-color"]
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


def test_a_body_that_never_ends_is_cut_off_at_the_limit(web: Web) -> None:
    def endless() -> object:
        while True:
            yield b" " * 65_536

    headers = {"Authorization": f"Bearer {web.key}", "Content-Type": "application/json"}
    try:
        answer = httpx.post(f"{web.url}/api/events", content=endless(), headers=headers, timeout=20, trust_env=False)
    except (httpx.WriteError, httpx.ReadError):
        # The door closed while the body was still coming, as it may.
        return
    assert answer.status_code == 413


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing_behind(web: Web) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    head = f"POST /api/events HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {web.key}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n[".encode())
    assert web.api.get("/health").is_success
