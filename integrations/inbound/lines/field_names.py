"""The names that loggers give to the fields of a structured record: for its level, its message, its stack trace.

They are those of Elastic's schema, OpenTelemetry, Graylog, journald, syslog, Serilog, .NET, zap, zerolog, slog, pino,
bunyan, winston, log4js, tslog, structlog, loguru, Monolog, Logback, hclog, Rust's tracing, MongoDB and Google Cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from integrations.inbound.lines import levels

Numbers = Callable[[int], str | None]

WORD_KEYS = (
    "log.level", "level", "severity", "severity_text", "severityText", "levelname", "level_name", "lvl", "loglevel",
    "logLevel", "LogLevel", "log_level", "@l", "@level", "sev", "levelStr", "record.level", "_meta.logLevelName",
    "context.logLevel", "LevelDisplayName", "levelText",
)  # fmt: skip
NUMBER_KEYS: Mapping[str, Numbers] = {
    "level": levels.of_logger,
    "log.level": levels.of_logger,
    "lvl": levels.of_logger,
    "context.logLevel": levels.of_logger,
    "severity": levels.of_severity,
    "severity_number": levels.of_opentelemetry,
    "severityNumber": levels.of_opentelemetry,
    "SeverityNumber": levels.of_opentelemetry,
    "level_value": levels.of_logger,
    "levelno": levels.of_python,
    "level_no": levels.of_python,
    "level_number": levels.of_python,
    "LogLevel": levels.of_dotnet,
    "severityLevel": levels.of_azure,
    "SeverityValue": levels.of_nxlog,
}
TRANSPORT_WORD_KEYS = (
    "status", "log.syslog.severity.name", "syslog_severity", "syslog-severity-text", "syslogseverity-text",
    "syslog.severity", "detected_level",
)  # fmt: skip
TRANSPORT_NUMBER_KEYS = (
    "PRIORITY", "syslog_severity", "syslogseverity", "severity_code", "log.syslog.severity.code", "syslog.severity",
    "syslog.severity.code",
)  # fmt: skip
WRAPPERS = ("textPayload", "jsonPayload")
"""The payloads of Google Cloud, whose `severity` beside them comes of the stream where nothing else is known."""
NAMES_OF_A_LEVEL = ("name", "levelStr", "text", "label", "value", "no", "level")
STREAMS = ("stdout", "stderr")
CONTAINERS = frozenset({"_container_id", "_container_name", "container_id", "container_name"})
"""What Docker's driver for Graylog sends, whose `level` is 6 or 3 by the stream."""

SAYS = frozenset({"message", "msg"})
GRAYLOG = "short_message"
FALCO = "rule"
MONGODB_COMPONENT = "c"
SERILOG_TIME = "@t"
SINGLE_LETTERS = frozenset({"lvl", "sev", "s", "@l", "level"})
LETTERS = frozenset("DIWEFdiwef")

MESSAGE_KEYS = (
    "message", "msg", "log", "event.original", "body", "record.message", "text", "short_message", "@m", "@message",
    "_msg", "MESSAGE", "fields.message", "renderedMessage", "RenderedMessage", "textPayload", "jsonPayload.message",
    "event", "@mt", "MessageTemplate", "full_message",
)  # fmt: skip
ANY_MESSAGE_KEYS = ("message", "msg", "body")
"""The fields whose value may be something else than text."""

STACK_KEYS = (
    "stack", "stack_trace", "stacktrace", "stackTrace", "exc_info", "exception", "error.stack_trace", "err.stack",
    "error.stack", "exception.stacktrace", "@x", "Exception",
)  # fmt: skip
LEVEL_NAMES = frozenset(part for name in (*WORD_KEYS, *NUMBER_KEYS) for part in (name, name.partition(".")[0]))
WINDOWS_CHANNELS = ("Channel", "channel")
WINDOWS_EVENTS = ("EventID", "EventId", "event_id", "ProviderName", "provider_name", "Provider", "provider")
WINDOWS_LEVELS = ("Level", "level")
LATE_NAMES = frozenset({MONGODB_COMPONENT, FALCO, SERILOG_TIME, "System", *WINDOWS_CHANNELS})
TRANSPORT_NAMES = frozenset(
    part for name in (*TRANSPORT_WORD_KEYS, *TRANSPORT_NUMBER_KEYS) for part in (name, name.partition(".")[0])
)
STACK_NAMES = frozenset(part for name in STACK_KEYS for part in (name, name.partition(".")[0]))
LONGEST_NAME = 40
STACK_MARKS = ("\n", "Traceback", "Exception", "Error", "panic")

NAMES = frozenset({*WORD_KEYS, *NUMBER_KEYS, *MESSAGE_KEYS})
SEPARATORS = str.maketrans("", "", "_.-")
SPELLINGS = {
    name.lower().translate(SEPARATORS): name
    for name in (*NUMBER_KEYS, *reversed(MESSAGE_KEYS), *reversed(WORD_KEYS))
    if len(name) > 1 and not name.startswith(("record.", "fields."))
}


@lru_cache(maxsize=4096)
def spelling(name: str) -> str | None:
    """Return the name that we know for one that differs in capitals or separators: `Log-Level`, `MESSAGE`."""
    return None if name in NAMES else SPELLINGS.get(name.lower().translate(SEPARATORS))
