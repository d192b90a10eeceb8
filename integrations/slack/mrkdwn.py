"""Convert the cards' Markdown to Slack's mrkdwn, and split it into pieces that fit in a block.

Slack's rules: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.wording import utc

FENCE = "```"
_MARKUP = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|<t:(?P<moment>\d{1,11})>"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>https?://[^)\s]{1,1000})\)"
    r"|(?P<mention><@[UW][A-Z0-9]+>)"
)
_FENCE_LINE = re.compile(r"^```\w*\s*$")
_HEADING = re.compile(r"^#{1,6} +(.+)$")
_BULLET = re.compile(r"^(\s*)[-*] +")
_UNIT = re.compile(r"<[^<>]+>|&(?:amp|lt|gt);|.", re.DOTALL)
_BREAKABLE_SHARE = 0.5
_LINK_LIMIT = 1500


def escape(text: str) -> str:
    """Escape Slack's three control characters. This also makes <!channel> in text from outside harmless."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(label: str, url: str) -> str:
    """Return a link in mrkdwn. A "|" or ">" in the address would end it early, so they are percent-encoded.

    For a link that is too long for a block, return only the label.
    """
    safe = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("&", "&amp;")
    whole = f"<{safe}|{escape(label).replace('|', '/')}>"
    return whole if len(whole) <= _LINK_LIMIT else escape(label)


def to_mrkdwn(markdown: str, *, mentions: bool = False) -> str:
    """Convert **bold**, `code`, [links](…), headings, "-" lists and fences to mrkdwn; escape all other text.

    mentions: keep <@U123> as a mention. Leave it off in channels, because text from telemetry could ping people.
    """
    lines: list[str] = []
    in_fence = False
    for line in markdown.splitlines():
        if _FENCE_LINE.match(line):
            # Drop the language after the fence: Slack would show it as a line of code.
            lines.append(FENCE)
            in_fence = not in_fence
        elif in_fence:
            lines.append(escape(line))
        else:
            lines.append(_line(line, mentions))
    if in_fence:
        lines.append(FENCE)
    return "\n".join(lines)


def _line(line: str, mentions: bool) -> str:
    heading = _HEADING.match(line)
    if heading:
        return f"*{_inline(heading[1].replace('**', ''), mentions)}*"
    bullet = _BULLET.match(line)
    if bullet:
        return f"{bullet[1]}• {_inline(line[bullet.end() :], mentions)}"
    return _inline(line, mentions)


def _inline(text: str, mentions: bool) -> str:
    pieces: list[str] = []
    position = 0
    for match in _MARKUP.finditer(text):
        pieces.append(escape(text[position : match.start()]))
        pieces.append(_convert_markup(match, mentions))
        position = match.end()
    pieces.append(escape(text[position:]))
    return "".join(pieces)


def _convert_markup(match: re.Match[str], mentions: bool) -> str:
    if match["url"]:
        return link(match["label"], match["url"])
    if match["moment"]:
        return f"<!date^{match['moment']}^{{time}} {{date_short_pretty}}|{utc(int(match['moment']))}>"
    if match["mention"] and mentions:
        return match["mention"]
    if match["bold"] and match["bold"].strip():
        return f"*{_inline(match['bold'].strip(), mentions)}*"
    return escape(match[0])


def cut(mrkdwn: str, limit: int) -> str:
    """Cut to at most `limit` characters with "…" at the end, never within an entity or a link."""
    if len(mrkdwn) <= limit:
        return mrkdwn
    head = next(_hard_pieces(mrkdwn, limit - 1), "")
    return (head if len(head) < limit else "") + "…"


def pieces(mrkdwn: str, limit: int) -> Iterator[str]:
    """Split into non-blank pieces of at most `limit` characters, between lines where possible.

    If a piece ends inside a fence, the fence is closed there and opened again in the next piece.
    """
    room = limit - 2 * (len(FENCE) + 1)
    current: list[str] = []
    length = 0
    in_fence = False
    for line in mrkdwn.split("\n"):
        for part in _hard_pieces(line, room) if line else ("",):
            if length + len(part) + 1 > room and current:
                yield from _closed(current, in_fence)
                current = [FENCE] if in_fence else []
                length = sum(len(kept) + 1 for kept in current)
            current.append(part)
            length += len(part) + 1
        if line.strip() == FENCE:
            in_fence = not in_fence
    yield from _closed(current, in_fence)


def _closed(lines: list[str], in_fence: bool) -> Iterator[str]:
    text = "\n".join([*lines, FENCE] if in_fence else lines)
    if text.replace(FENCE, "").strip():
        yield text if text.startswith(FENCE) else text.strip("\n")


def _hard_pieces(line: str, limit: int) -> Iterator[str]:
    """Split a long line at a space in its second half, else between two units (characters, entities, links)."""
    units: list[str] = []
    length = 0
    last_space = -1
    for match in _UNIT.finditer(line):
        unit = match.group()
        if length + len(unit) > limit and units:
            break_at = last_space + 1 if last_space > len(units) * _BREAKABLE_SHARE else len(units)
            yield "".join(units[:break_at])
            units = units[break_at:]
            length = sum(map(len, units))
            last_space = -1
        if unit == " ":
            last_space = len(units)
        units.append(unit)
        length += len(unit)
    if units:
        yield "".join(units)
