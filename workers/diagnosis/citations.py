"""Citations: [E4] refers to evidence number 4; citations of evidence that does not exist are removed."""

from __future__ import annotations

import re
from collections.abc import Collection

from integrations.text import Markup

CITATION = re.compile(r"\s*(?<!\\)\[E(\d+)\]")


def cited(text: Markup, *numbers: int) -> Markup:
    """Append citations to the text, before its full stop: "It is slow [E1][E2].\""""
    marks = "".join(f"[E{number}]" for number in dict.fromkeys(numbers) if number > 0)
    if not marks:
        return text
    return Markup(f"{text[:-1]} {marks}." if text.endswith(".") else f"{text} {marks}")


def numbers_in(text: str) -> tuple[int, ...]:
    """Return the numbers of the evidence that a text cites, in order."""
    return tuple(int(found) for found in CITATION.findall(text))


def without_unknown(text: Markup, known: Collection[int]) -> Markup:
    """Remove every citation of evidence that is not in `known`."""
    return Markup(CITATION.sub(lambda match: match.group(0) if int(match.group(1)) in known else "", text))
