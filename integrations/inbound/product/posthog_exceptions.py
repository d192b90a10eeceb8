"""Convert PostHog's $exception events to log records, with OpenTelemetry's attribute names for exceptions.

The shape: https://posthog.com/docs/error-tracking; the names: https://opentelemetry.io/docs/specs/semconv/exceptions/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detection.types import Event, JsonValue, LogRecord
from integrations.inbound.lines.levels import severity

EXCEPTION = "$exception"
_SERVICE = ("service", "service_name", "service.name", "$app_name")
_VERSION = ("version", "service_version", "service.version", "$app_version", "$release")
_TEXT_LIMIT = 8_000
_NAME_LIMIT = 200
_FRAMES = 50


def to_log_record(event: Event) -> LogRecord:
    """Convert one $exception event to an error log record, named after the outermost exception."""
    properties = event.properties
    outermost = next(iter(_mappings(properties.get("$exception_list"))), {})
    kind = _text(outermost.get("type") or properties.get("$exception_type"), _NAME_LIMIT) or "Exception"
    message = _text(outermost.get("value") or properties.get("$exception_message"))
    level = properties.get("$exception_level") or properties.get("$level")
    attributes: dict[str, JsonValue] = {
        "exception.type": kind,
        "exception.message": message,
        "exception.stacktrace": _stacktrace(outermost),
        "user_id": event.user_id,
    }
    return LogRecord(
        record_id=event.event_id,
        service=_first(properties, _SERVICE) or "unknown_service",
        version=_first(properties, _VERSION),
        happened_at=event.happened_at,
        severity=severity(level, "ERROR"),
        body=f"{kind}: {message}" if message else kind,
        attributes={name: value for name, value in attributes.items() if value},
    )


def _stacktrace(exception: Mapping[str, Any]) -> str:
    """Return the frames, one per line, in the sender's order."""
    trace = exception.get("stacktrace")
    frames = _mappings(trace.get("frames")) if isinstance(trace, dict) else []
    lines = [
        f"{_text(frame.get('filename'), _NAME_LIMIT)}:{frame.get('lineno')} in "
        f"{_text(frame.get('function'), _NAME_LIMIT)}"
        for frame in frames[-_FRAMES:]
    ]
    return "\n".join(lines)[:_TEXT_LIMIT]


def _first(properties: Mapping[str, JsonValue], names: tuple[str, ...]) -> str | None:
    found = next((properties[name] for name in names if properties.get(name)), None)
    return _text(found, _NAME_LIMIT) or None


def _mappings(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object, limit: int = _TEXT_LIMIT) -> str:
    """Return the value as bounded text; an empty text for None."""
    return "" if value is None else str(value)[:limit]
