"""A card as plain text: the fallback that each channel sends in addition to its own rendering."""

from __future__ import annotations

from detection.types import Severity
from integrations.cards import Card
from integrations.markdown import Kind, Line, read_lines
from integrations.text import visible

SEVERITY_EMOJI = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡", Severity.SEV4: "🔵"}


def severity_label(severity: Severity) -> str:
    """Return the severity as an emoji and a word, such as "🔴 SEV1", so that nobody must tell colours apart."""
    return f"{SEVERITY_EMOJI[severity]} {severity.value.upper()}"


def titled(card: Card) -> str:
    """Return the card's title on one line, with the severity in front."""
    title = visible(card.title) or "Argux"
    return f"{severity_label(card.severity)} · {title}" if card.severity else title


def plain(markdown: str) -> str:
    """Return a card's text without its marks, with times in UTC. A link keeps its address."""
    return "\n".join(_plain_line(line) for line in read_lines(markdown)).strip()


def _plain_line(line: Line) -> str:
    text = "".join(f"{run.text} ({run.url})" if run.url else run.text for run in line.runs)
    return f"- {text}" if line.kind is Kind.BULLET else text


def card_text(card: Card) -> str:
    """Return the whole card as plain text. Buttons are left out, because they do not work in text."""
    parts = [titled(card)]
    if card.text:
        parts.append(plain(card.text))
    if card.fields:
        parts.append("\n".join(f"{label}: {plain(value)}" for label, value in card.fields))
    parts.extend(plain(section) for section in card.sections)
    if card.picture:
        parts.append(f"[{visible(card.picture.alt_text)}]")
    if card.links:
        parts.append("\n".join(f"{visible(link.label)}: {link.url}" for link in card.links))
    if card.context:
        parts.append(plain(card.context))
    return "\n\n".join(part for part in parts if part)


def cut(text: str, limit: int) -> str:
    """Cut the text to at most `limit` characters. If something was cut, the last character is "…"."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
