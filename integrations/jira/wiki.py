"""Convert the cards' Markdown to Jira's wiki markup, which its REST API version 2 expects.

https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re

from integrations.cards import MOMENT
from integrations.wording import utc

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*|\[(?P<label>[^\]\n]+)\]\((?P<url>https?://[^)\s|]+)\)"
)
_FENCE = re.compile(r"^```\w*\s*$")
_HEADING = re.compile(r"^(#{1,6}) +(.+)$")
_BULLET = re.compile(r"^\s*[-*] +")


def to_wiki(markdown: str) -> str:
    """Convert **bold**, `code`, [links](…), headings, "-" lists and fences; escape braces and brackets elsewhere.

    Times are written in UTC, because all readers see the same text.
    """
    lines: list[str] = []
    in_fence = False
    for line in markdown.splitlines():
        if _FENCE.match(line):
            lines.append("{noformat}")
            in_fence = not in_fence
        elif in_fence:
            lines.append(line.replace("{noformat}", "{ noformat }"))
        else:
            lines.append(_line(line))
    if in_fence:
        lines.append("{noformat}")
    return "\n".join(lines)


def _line(written: str) -> str:
    line = MOMENT.sub(lambda found: utc(int(found[1])), written)
    heading = _HEADING.match(line)
    if heading:
        return f"h{len(heading[1])}. {_inline(heading[2])}"
    bullet = _BULLET.match(line)
    if bullet:
        return f"* {_inline(line[bullet.end() :])}"
    return _inline(line)


def _inline(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for match in _INLINE.finditer(text):
        pieces.append(_escape(text[position : match.start()]))
        if match["code"]:
            pieces.append("{{" + _escape(match["code"]) + "}}")
        elif match["bold"]:
            pieces.append(f"*{_escape(match['bold'].strip())}*")
        else:
            pieces.append(f"[{_escape(match['label']).replace('|', '/')}|{match['url']}]")
        position = match.end()
    pieces.append(_escape(text[position:]))
    return "".join(pieces)


def _escape(text: str) -> str:
    return re.sub(r"([{}\[\]])", r"\\\1", text)
