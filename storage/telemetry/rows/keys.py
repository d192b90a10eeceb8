"""Keep keys and passwords out of the store: clients put them among the properties and into the lines that they send.

posthog-js writes its project key into every event as `token`, others `api_key` or `write_key`; a header or a password
ends up in a log line. A key of Argux and those of well-known services are known by their form wherever they stand,
others by the name they stand under.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from detection.types import Event, JsonValue, LogRecord, MetricPoint, Span
from storage.telemetry.rows.secret_names import names_an_object
from storage.telemetry.rows.secrets import EVERYTHING, Suspected, suspected_in, without_secrets

REPLACED = "argux_…"

_MARK = "argux_"
_OWN_KEY = re.compile(r"argux_[A-Za-z0-9_-]{43}")

_BETWEEN_WORDS = re.compile(r"[-_.$ ]")
_SURE = (
    "password", "passwd", "passphrase", "passwordconfirmation", "apikey", "writekey", "secretkey", "secretaccesskey",
    "privatekey", "signingkey", "encryptionkey", "accountkey", "sentrykey", "secret", "accesstoken", "refreshtoken",
    "authtoken", "idtoken", "sessiontoken", "bearertoken", "csrftoken", "xsrftoken", "securitytoken",
)  # fmt: skip
"""How names end under which there is always a secret, without what stands between their words."""

_SURE_WHOLE = frozenset({"pwd", "mptoken", "projectapikey"})
_HEADERS = ("authorization", "cookie")
_TELLS_OF_IT = re.compile(
    r"(?i)(?:none|null|yes|no|true|false|ok|set|unset|changed|reset|missing|invalid|incorrect|wrong|required|expired"
    r"|revoked|failed|hidden|redacted|filtered|\*+|x+|\[.*\]|<.*>)?"
)
"""A value that speaks of the secret."""

_RANDOM = re.compile(r"(?=.*\d)[A-Za-z0-9_.=+/-]{16,}")
_OF_HEADER = re.compile(
    r"(?i)(?:basic|bearer|token|digest|negotiate|aws4-hmac-sha256|apikey) \S|\S+=\S|(?=\S*\d)\S{16}"
)


def events_without_keys(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events without keys among their properties."""
    suspected = _suspected([event.properties for event in events])
    if suspected is None:
        return events
    return [replace(event, properties=_mapping_without(event.properties, suspected)) for event in events]


def logs_without_keys(records: Sequence[LogRecord]) -> Sequence[LogRecord]:
    """Return the log records without keys in their text and their attributes."""
    suspected = _suspected([record.attributes for record in records], [record.body for record in records])
    if suspected is None:
        return records
    return [_log_without(record, suspected) for record in records]


def _log_without(record: LogRecord, suspected: Suspected) -> LogRecord:
    """Return the record without keys: the same one where it holds none, because most hold none and copies cost."""
    body = _text_without(record.body, suspected)
    attributes = _mapping_without(record.attributes, suspected)
    if body == record.body and attributes == record.attributes:
        return record
    return replace(record, body=body, attributes=attributes)


def points_without_keys(points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
    """Return the metric points without keys among their attributes."""
    suspected = _suspected([point.attributes for point in points])
    if suspected is None:
        return points
    return [replace(point, attributes=_mapping_without(point.attributes, suspected)) for point in points]


def spans_without_keys(spans: Sequence[Span]) -> Sequence[Span]:
    """Return the spans without keys in their names and statements: of a document store's, literals are not removed."""
    texts = {text for span in spans for text in (span.name, span.endpoint, span.statement) if text}
    suspected = _suspected([], list(texts))
    if suspected is None:
        return spans
    hidden = {text: without for text in texts if (without := _text_without(text, suspected)) != text}
    return [_span_without(span, hidden) for span in spans] if hidden else spans


def _span_without(span: Span, hidden: Mapping[str, str]) -> Span:
    """Return the span with other texts in place of those that hide a key."""
    if hidden.keys().isdisjoint((span.name, span.endpoint, span.statement)):
        return span
    return replace(
        span,
        name=hidden.get(span.name, span.name),
        endpoint=span.endpoint and hidden.get(span.endpoint, span.endpoint),
        statement=span.statement and hidden.get(span.statement, span.statement),
    )


def mapping_without_keys(found: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return attributes from outside without the keys among them."""
    return _mapping_without(found, EVERYTHING)


def text_without_keys(text: str) -> str:
    """Return a text from outside without the keys in it."""
    return _text_without(text, EVERYTHING)


def _suspected(mappings: Sequence[Mapping[str, JsonValue]], texts: Sequence[str] = ()) -> Suspected | None:
    """Return what may be hidden in these, or None if there is certainly nothing."""
    found = list(texts)
    is_named = [_collect(mapping, found) for mapping in mappings]
    suspected = suspected_in(found)
    is_own = any(_MARK in text for text in found)
    return suspected if suspected or is_own or any(is_named) else None


def _collect(value: JsonValue | Mapping[str, JsonValue], texts: list[str]) -> bool:
    """Add all texts of a value to `texts`. Return whether one of its names is that of a key."""
    if isinstance(value, str):
        texts.append(value)
        return False
    if isinstance(value, Mapping):
        is_named = False
        for name, inner in value.items():
            is_named |= _collect(inner, texts) | (_MARK in name) | _is_key(name, inner)
        return is_named
    if isinstance(value, list):
        # Not any(): the texts of all of them are wanted.
        return True in [_collect(item, texts) for item in value]
    return False


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    """Return what a name says of its value: `sure`, `header` or `random` (a key if it looks like one), or nothing."""
    plain = _BETWEEN_WORDS.sub("", name.lower())
    if plain.endswith(_SURE) or plain in _SURE_WHOLE:
        return "sure"
    if plain.endswith(_HEADERS):
        return "header"
    return "random" if plain.endswith("token") else ""


def _is_key(name: str, value: JsonValue) -> bool:
    """Whether a value is a key by the name it stands under. It is left out, name and all."""
    if isinstance(value, list):
        # OpenTelemetry tells the headers of a request as lists.
        return bool(value) and all(isinstance(item, str) and _is_key(name, item) for item in value)
    if not isinstance(value, str) or not value:
        return False
    if value.startswith(_MARK) and _OWN_KEY.fullmatch(value) is not None:
        return True
    kind = _kind(name)
    if kind == "sure":
        is_object = name.lower().endswith("secret") and names_an_object(value)
        return not is_object and _TELLS_OF_IT.fullmatch(value) is None
    if kind == "header":
        return _OF_HEADER.match(value) is not None
    return kind == "random" and _RANDOM.fullmatch(value) is not None


def _mapping_without(found: Mapping[str, JsonValue], suspected: Suspected) -> dict[str, JsonValue]:
    return {
        _OWN_KEY.sub(REPLACED, name) if _MARK in name else name: _without(value, suspected)
        for name, value in found.items()
        if not _is_key(name, value)
    }


def _without(value: JsonValue, suspected: Suspected) -> JsonValue:
    if isinstance(value, str):
        return _text_without(value, suspected)
    if isinstance(value, dict):
        return _mapping_without(value, suspected)
    return [_without(item, suspected) for item in value] if isinstance(value, list) else value


def _text_without(text: str, suspected: Suspected) -> str:
    return without_secrets(_OWN_KEY.sub(REPLACED, text) if _MARK in text else text, suspected)
