"""Read the ids in what comes back from a button or a dialog."""

from __future__ import annotations

from collections.abc import Sequence

from workers.errors import RefusedError

LONGEST_ID = 9
"""How many digits an id may have: more do not fit in the databases' integers."""

MOST_IDS = 100

OTHER_VERSION = "This button is from another version of Argux. Use the newest message."


def id_of(text: str) -> int:
    """Return the id that the text is; raise RefusedError if it is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_ID:
        raise RefusedError(OTHER_VERSION)
    return int(text)


def ids_of(text: str) -> Sequence[int]:
    """Return the ids of a list such as "3,7"; raise RefusedError if it is none."""
    parts = text.split(",")
    if len(parts) > MOST_IDS:
        raise RefusedError(OTHER_VERSION)
    return [id_of(part) for part in parts]
