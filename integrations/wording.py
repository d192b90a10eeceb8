"""A card in plain words: the whole-text fallback that every channel sends beside its own rendering."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from detection.types import Severity
from integrations.cards import MOMENT, Card

SEVERITY_EMOJI = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡", Severity.SEV4: "🔵"}

_FENCE_LINE = re.compile(r"^```\w*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


def severity_label(severity: Severity) -> str:
    """Say the severity as a picture and a word, so that nobody has to tell colours apart: "🔴 SEV1"."""
    return f"{SEVERITY_EMOJI[severity]} {severity.value.upper()}"


def titled(card: Card) -> str:
    """The card's title on one line, its severity first."""
    title = " ".join(card.title.split()) or "Argux"
    return f"{severity_label(card.severity)} · {title}" if card.severity else title


def utc(at: int) -> str:
    """A moment for readers whose zone is not known; `at` is seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def with_utc_times(text: str) -> str:
    """The text with its moments written out, for places that cannot show them in the reader's zone."""
    return MOMENT.sub(lambda found: utc(int(found[1])), text)


def plain(markdown: str) -> str:
    """Markdown of the cards' small kind, without its marks; a link keeps its address."""
    without_fences = _FENCE_LINE.sub("", markdown)
    linked = _LINK.sub(r"\1 (\2)", with_utc_times(without_fences))
    return linked.replace("**", "").replace("`", "").strip()


def card_text(card: Card) -> str:
    """Everything the card says, as plain text; buttons are left out because text cannot be pressed."""
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
    """At most `limit` characters, the last one "…" where something was left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
