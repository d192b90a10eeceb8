"""No secret gets into a log line, whether Argux or a library wrote it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import REDACTED, configure_logging, redact


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Configure logging as our processes do, but into a text; restore it afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging("INFO", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-1234-abcd",
        "xapp-1-A0-abc",
        "ghp_0123456789abcdef",
        "github_pat_11AA",
        "argux_0123456789abcdefghij",
        "sk-0123456789abcdefghij",
    ],
)
def test_a_key_in_a_text_is_redacted(text: str) -> None:
    event = redact(None, "info", {"event": "failed", "error": f"refused {text}, sorry"})

    assert event["error"] == f"refused {REDACTED}, sorry"


def test_a_field_named_like_a_secret_is_redacted_at_any_depth() -> None:
    event = redact(None, "info", {"event": "called", "headers": {"Authorization": "Basic YTpi", "Accept": "*/*"}})

    assert event["headers"] == {"Authorization": REDACTED, "Accept": "*/*"}


def test_a_password_in_a_url_is_redacted_and_the_rest_stays() -> None:
    event = redact(None, "info", {"event": "connecting", "url": "postgresql://argux:hunter2@db/argux"})

    assert event["url"] == f"postgresql://{REDACTED}@db/argux"


def test_texts_without_a_secret_are_unchanged() -> None:
    entry = {"event": "incident_opened", "title": "Checkout is slow", "incident_id": 7}

    assert redact(None, "info", dict(entry)) == entry


def test_our_log_lines_and_those_of_libraries_are_json_without_secrets(lines: io.StringIO) -> None:
    structlog.get_logger().info("posted", token="xoxb-1234-abcd", incident_id=7)
    logging.getLogger("some.library").warning("GET https://x/?key=%s", "argux_0123456789abcdefghij")

    ours, theirs = [json.loads(line) for line in lines.getvalue().splitlines()]

    assert (ours["event"], ours["token"], ours["incident_id"], ours["level"]) == ("posted", REDACTED, 7, "info")
    assert theirs["event"] == f"GET https://x/?key={REDACTED}"


def test_a_secret_in_a_traceback_is_redacted(lines: io.StringIO) -> None:
    try:
        raise ValueError("no such token: xoxb-1234-abcd")
    except ValueError:
        structlog.get_logger().warning("failed", exc_info=True)

    assert "xoxb-1234" not in lines.getvalue()
    assert f"no such token: {REDACTED}" in lines.getvalue()


def test_info_lines_of_http_libraries_are_left_out(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("POST https://hooks.example/secret-path")

    assert lines.getvalue() == ""


class Terminal(io.StringIO):
    """A text that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("lines")
def test_a_line_end_in_a_text_of_theirs_begins_no_entry_on_a_terminal() -> None:
    stream = Terminal()
    configure_logging("INFO", stream=stream)
    forged = "shop\n2026-11-18T15:20:20Z [error    ] chain_broken\r\x1b[2Kall is well\x85\u2028x"

    structlog.get_logger().info("incident_opened", service=forged)
    logging.getLogger("a.library").warning("GET %s", forged)
    try:
        raise ValueError("one")
    except ValueError:
        structlog.get_logger().warning("failed", exc_info=True)

    ours, theirs, *failed = stream.getvalue().splitlines()
    assert "\x1b[2K" not in ours + theirs
    assert "all is well" in ours
    assert "all is well" in theirs
    assert any("Traceback" in line for line in failed)
