"""Logs of every process: structlog and the libraries' own, one line each, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_NAMES = re.compile(r"token|secret|password|authorization|api_?key|audit_key|cookie|webhook_url", re.IGNORECASE)

SECRET_TEXTS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|gh[pousr]_\w+|github_pat_\w+|argux_[\w-]{16,}|sk-[\w-]{16,}"
    r"|(?<=Bearer )\S+|(?<=Basic )\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",
)
"""Slack's, GitHub's, our own and OpenAI's keys, Authorization headers, and user:password in an address."""

REDACTED = "[redacted]"

QUIET = ("httpx", "httpcore", "urllib3", "slack_sdk", "slack_bolt", "apscheduler", "dramatiq", "alembic", "github")
"""Libraries that tell whole addresses or a line for every call at INFO."""


def _clean(value: object) -> object:
    if isinstance(value, str):
        return SECRET_TEXTS.sub(REDACTED, value)
    if isinstance(value, dict):
        return {name: _clean_entry(str(name), entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(entry) for entry in value]
    return value


def _clean_entry(name: str, value: object) -> object:
    return REDACTED if SECRET_NAMES.search(name) and value else _clean(value)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take secrets out of an entry: by the names of its fields, and by their look anywhere in its texts."""
    return {name: entry if name.startswith("_") else _clean_entry(name, entry) for name, entry in event.items()}


def configure_logging(level: str, *, stream: TextIO = sys.stderr) -> None:
    """Send every log line of this process to `stream`: coloured for a terminal, JSON otherwise."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer(default=str)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
