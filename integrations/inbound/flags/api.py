"""Read the body of POST /api/flags: a flag or configuration value was set to another value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from detection.types import FlagChange
from integrations.inbound.flags.news import FLAG_LIMIT, value_text
from integrations.inbound.reading.batches import array_elements, read_each, read_one
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.times import parse_time

MOST_CHANGES = 1_000

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Value = str | bool | int | float | list[object] | dict[str, object] | None


class _RawChange(msgspec.Struct):
    flag: Annotated[str, Meta(min_length=1, max_length=FLAG_LIMIT)]
    after: _Value
    before: _Value | UnsetType = UNSET
    service: _Name | None = None
    environment: Annotated[str, Meta(max_length=200)] = ""
    at: str | int | float | None = None
    by: Annotated[str, Meta(max_length=200)] | None = None


_CHANGE = msgspec.json.Decoder(_RawChange)


@dataclass(frozen=True, slots=True)
class FlagNotice:
    """A change as it was told. is_timed: whether its time was told; otherwise it is the time of arrival."""

    change: FlagChange
    is_timed: bool


def parse_flags(body: bytes, *, now: float) -> Parsed[FlagNotice]:
    """Read one change or an array of them. Raises PayloadError if the body is not JSON."""
    text = without_nul(body)

    def read(one: bytes | msgspec.Raw) -> FlagNotice:
        return _notice(_CHANGE.decode(one), now)

    if text.lstrip().startswith(b"["):
        each = array_elements(text.strip())
        if len(each) > MOST_CHANGES:
            raise PayloadError(f"holds more than {MOST_CHANGES:,} changes; send fewer at once")
        return read_each(each, read)
    return read_one(text, read)


def _notice(raw: _RawChange, now: float) -> FlagNotice:
    changed_at = now if raw.at is None else parse_time(raw.at, now=now, field="at")
    before = None if raw.before is UNSET or raw.before is None else value_text(raw.before)
    after = value_text(raw.after)
    if before == after:
        raise FieldError("after", "is the same as before: nothing was changed")
    change = FlagChange(
        change_id=f"argux:{digest(raw.flag, raw.service, raw.environment, after, changed_at)}",
        flag=raw.flag,
        service=raw.service,
        environment=raw.environment,
        before=before,
        after=after,
        changed_at=changed_at,
        changed_by=raw.by,
        source="api",
    )
    return FlagNotice(change, raw.at is not None)
