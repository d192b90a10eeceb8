"""Slack's mrkdwn, for the two places that take no rich text: the fallback text and the small print.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from typing import Any

from integrations import wording
from integrations.markdown import Run, read_lines
from integrations.slack.rich_text import DATE_FORMAT

_FORMATS = re.compile(r"[*_~`]|:[\w+'-]+:|^\s*(?:>|&gt;|[-•] )")
_UNIT = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def escape(text: str) -> str:
    """Escape Slack's three control characters. This also makes <!channel> in text from outside harmless."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(mrkdwn: str, limit: int) -> str:
    """Cut to at most `limit` characters with "…" at the end, never within an entity."""
    if len(mrkdwn) <= limit:
        return mrkdwn
    kept: list[str] = []
    room = limit - 1
    for match in _UNIT.finditer(mrkdwn):
        if len(match[0]) > room:
            break
        kept.append(match[0])
        room -= len(match[0])
    return "".join(kept) + "…"


def small_print(markdown: str, limit: int) -> dict[str, Any]:
    """Return a text object for a context block: with times in the reader's zone, or plain.

    It is plain, with times in UTC, if it is too long or has characters that mrkdwn takes for formatting. Looks and
    links are left out. `verbatim` keeps Slack from making links and mentions of plain characters.
    """
    runs = [run for line in read_lines(markdown) for run in (*line.runs, Run(" "))]
    written = "".join(_written(run) for run in runs).strip()
    if len(written) > limit or any(_FORMATS.search(run.text) for run in runs if run.moment is None):
        return {"type": "plain_text", "text": wording.cut(wording.plain(markdown), limit), "emoji": False}
    return {"type": "mrkdwn", "text": written, "verbatim": True}


def _written(run: Run) -> str:
    if run.moment is not None:
        return f"<!date^{run.moment}^{DATE_FORMAT}|{run.text}>"
    return escape(run.text)
