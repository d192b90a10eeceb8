"""Make a text fit its column in every database, and seconds into its times."""

from __future__ import annotations

from datetime import UTC, datetime


def clipped(text: str, limit: int) -> str:
    """Return the text within `limit` characters, with what a database refuses (NUL, half a surrogate pair) replaced."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def clipped_or_none(text: str | None, limit: int) -> str | None:
    """Apply `clipped` to a text that may be missing; an empty one is None."""
    return clipped(text, limit) if text else None


def moment(seconds: float) -> datetime:
    """Return the UTC datetime of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Apply `moment` to seconds that may be missing."""
    return None if seconds is None else moment(seconds)


def seconds_or_none(when: datetime | None) -> float | None:
    """Return the seconds since the epoch of a datetime that may be missing."""
    return None if when is None else when.timestamp()
