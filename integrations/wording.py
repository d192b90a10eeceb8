"""A card as plain text: the fallback that each channel sends in addition to its own rendering."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from detection.types import Severity
from integrations.cards import MOMENT, Card

SEVERITY_EMOJI = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡", Severity.SEV4: "🔵"}

_FENCE_LINE = re.compile(r"^```\w*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


def severity_label(severity: Severity) -> str:
    """Return the severity as an emoji and a word, such as "🔴 SEV1", so that nobody must tell colours apart."""
    return f"{SEVERITY_EMOJI[severity]} {severity.value.upper()}"


def titled(card: Card) -> str:
    """Return the card's title on one line, with the severity in front."""
    title = " ".join(card.title.split()) or "Argux"
    return f"{severity_label(card.severity)} · {title}" if card.severity else title


def utc(at: int) -> str:
    """Format a time in UTC, for readers whose time zone is unknown. `at` is seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def with_utc_times(text: str) -> str:
    """Replace each time in the text with its UTC form, for places that cannot show the reader's time zone."""
    return MOMENT.sub(lambda found: utc(int(found[1])), text)


def plain(markdown: str) -> str:
    """Remove the Markdown marks of a card's text. A link keeps its address."""
    without_fences = _FENCE_LINE.sub("", markdown)
    linked = _LINK.sub(r"\1 (\2)", with_utc_times(without_fences))
    return linked.replace("**", "").replace("`", "").strip()


def card_text(card: Card) -> str:
    """Return the whole card as plain text. Buttons are left out, because they do not work in text."""
    parts = [titled(card)]
    if card.text:
        parts.append(plain(card.text))
    if card.fields:
        parts.append("\n".join(f"{label}: {plain(value)}" for label, value in card.fields))
    parts.extend(plain(section) for section in card.sections)
    if card.picture:
        parts.append(f"[{card.picture.alt_text}]")
    if card.links:
        parts.append("\n".join(f"{link.label}: {link.url}" for link in card.links))
    if card.context:
        parts.append(plain(card.context))
    return "\n\n".join(part for part in parts if part)


def cut(text: str, limit: int) -> str:
    """Cut the text to at most `limit` characters. If something was cut, the last character is "…"."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
