"""Hostile texts: pieces that mean something to one channel or another, put together at random."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = [
    *"*_~`[](){}<>!|#+-=&^?@:;.\\/$ ", "a", "B7", "**", "~~", "__", "```", "``", "\n", "\r\n", "\t", "- ", "* ", "# ",
    "1. ",
    "h1. ", "bq. ", "> ", "----", "[x](https://evil.example)", "<https://evil.example|Approve>", "https://evil.example",
    "www.evil.example", "mailto:a@b.cc", "<!channel>", "<!here>", "<@U0ANA>", "<@W1>", "<#C1>", "<t:1770465600>",
    "@here", "@mia", "#12", "GH-3", "ABC-12", "[~admin]", "{color:red}", "{noformat}", "{code}", "{{", "}}",
    "{{DATE(2026-02-07T12:00:00Z)}}", "<!date^1^{time}|x>", ":tada:", ":)", "(!)", "&lt;", "&#42;", "<b>", "<script>",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\x1b[31m", "\x07", "\x9b", "\u2028", "\u00a0", "\ue000",
    "é", "漢", "🟠", "%s", "{name}",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(lambda pieces: "".join(pieces)[:36] + "y")
SEVERAL = st.lists(TEXT, min_size=60, max_size=60)


class Named:
    """The text of each place: the drawn ones in the order in which they are asked for, else the place's own name."""

    def __init__(self, drawn: list[str] | None = None) -> None:
        self.known: dict[str, str] = {}
        self._drawn = iter(drawn) if drawn is not None else None

    def __call__(self, place: str) -> str:
        if place not in self.known:
            self.known[place] = next(self._drawn) if self._drawn is not None else f"{place.replace(' ', '')}y"
        return self.known[place]
