"""Citations: [E4] points at evidence number 4, and only at evidence that exists."""

from __future__ import annotations

import re
from collections.abc import Collection

CITATION = re.compile(r"\s*\[E(\d+)\]")


def cited(text: str, *numbers: int) -> str:
    """The text with its citations at the end, before the full stop: "It is slow [E1][E2].\""""
    marks = "".join(f"[E{number}]" for number in dict.fromkeys(numbers) if number > 0)
    if not marks:
        return text
    return f"{text[:-1]} {marks}." if text.endswith(".") else f"{text} {marks}"


def numbers_in(text: str) -> tuple[int, ...]:
    """The evidence that a text cites, in order."""
    return tuple(int(found) for found in CITATION.findall(text))


def without_unknown(text: str, known: Collection[int]) -> str:
    """The text with every citation of evidence that does not exist taken out."""
    return CITATION.sub(lambda match: match.group(0) if int(match.group(1)) in known else "", text)
