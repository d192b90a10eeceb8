"""Configure logging for every process: structlog and library logs, one line per entry, secrets redacted."""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from integrations.text import visible, visible_lines

SECRET_NAMES = re.compile(r"token|secret|password|authorization|api_?key|audit_key|cookie|webhook_url", re.IGNORECASE)

SECRET_TEXTS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|gh[pousr]_\w+|github_pat_\w+|argux_[\w-]{16,}|sk-[\w-]{16,}"
    r"|(?<=Bearer )(?!argux_…(?![\w-]))\S+|(?<=Basic )\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",
)
"""Keys of Slack, GitHub, Argux and OpenAI, Authorization headers, and user:password in a URL."""

REDACTED = "[redacted]"

_OF_LINES = frozenset({"exception", "stack"})

QUIET_LIBRARIES = (
    "httpx",
    "httpcore",
    "urllib3",
    "slack_sdk",
    "slack_bolt",
    "apscheduler",
    "dramatiq",
    "alembic",
    "github",
)
"""Libraries that log whole URLs, or one line per call, at INFO."""


def _redact_value(value: object) -> object:
    if isinstance(value, str):
        return SECRET_TEXTS.sub(REDACTED, value)
    if isinstance(value, dict):
        return {name: _redact_field(str(name), entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact_value(entry) for entry in value]
    return value


def _redact_field(name: str, value: object) -> object:
    return REDACTED if SECRET_NAMES.search(name) and value else _redact_value(value)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Redact the secrets of a log entry, found by field name or by their form in any text. A structlog processor."""
    return {name: entry if name.startswith("_") else _redact_field(name, entry) for name, entry in event.items()}


def spell_hidden(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Spell what cannot be seen in the texts of an entry, which a terminal would obey. A structlog processor.

    Only a traceback keeps its lines: a line end in any other text would begin what looks like an entry of its own.
    """
    return {
        name: (visible_lines if name in _OF_LINES else visible)(entry) if isinstance(entry, str) else entry
        for name, entry in event.items()
    }


def configure_logging(level: str, *, stream: TextIO = sys.stderr) -> None:
    """Write every log line of this process to `stream`: coloured on a terminal, as JSON otherwise."""
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
    renderers: list[Processor] = [structlog.processors.JSONRenderer(default=str)]
    if stream.isatty():
        renderers = [spell_hidden, structlog.dev.ConsoleRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
