"""Write the cards' Markdown as GitHub's, in which text from outside stays the plain characters it is.

A backslash makes a mark a plain character. Mentions, references and addresses become links in plain text too, wherever
no comment divides them: https://github.github.com/gfm/.
"""

from __future__ import annotations

import re

from integrations import wording
from integrations.markdown import Kind, Line, Run, read_lines

_MARKS = re.compile(r"[\\`*_{}\[\]<>()#+!|~&$-]")
_LINKED = re.compile(
    r"@(?=\w)|(?<=\w)@|#(?=\d)|\bGH-(?=\d)|(?<=\w):(?=//)|\bmailto:|\bxmpp:|\bwww(?=\.)|:(?=[\w+-]+:)"
    r"|[0-9a-f]{6}(?=[0-9a-f])",
    re.IGNORECASE,
)
_CALLS = re.compile(r"@(?=\w)|#(?=\w)|\bGH-(?=\d)|(?<=/)(?:issues|pull)(?=/\d)", re.IGNORECASE)
_WORD_JOINER = "\u2060"
_PARTED = "<!-- -->"
_NUMBERED_LIST = re.compile(r"^(\s*\d+)([.)])")
_UNDERLINE = re.compile(r"^(\s*)(=+\s*)$")
"""A line of these makes a heading of the line above it."""


def to_github(markdown: str) -> str:
    """Convert **bold**, `code`, [links](…), headings, "-" lists and fences; all other text is shown as it is.

    Times are written in UTC, because all readers see the same text.
    """
    written: list[str] = []
    code: list[str] = []
    for line in read_lines(markdown):
        if line.kind is Kind.CODE:
            code.append(line.text)
            continue
        written += _fenced(code)
        code = []
        written.append(_line(line))
    return "\n".join([*written, *_fenced(code)])


def _fenced(lines: list[str]) -> list[str]:
    longest = max((len(found) for line in lines for found in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *lines, fence] if lines else []


def _line(line: Line) -> str:
    if line.kind is Kind.HEADING:
        return f"{'#' * line.level} {''.join(_escape(run.text) for run in line.runs)}"
    text = "".join(_run(run) for run in line.runs)
    text = _UNDERLINE.sub(r"\1\\\2", _NUMBERED_LIST.sub(r"\1\\\2", text))
    return f"- {text}" if line.kind is Kind.BULLET else text


def _run(run: Run) -> str:
    if run.code:
        return f"`{run.text}`"
    text = _escape(run.text)
    if run.url:
        return f"[{text}]({run.url})"
    return f"**{text}**" if run.bold and text.strip() else text


def _escape(text: str) -> str:
    """Escape the marks, and divide what GitHub would link."""
    written: list[str] = []
    position = 0
    for match in _LINKED.finditer(text):
        written += [_backslashed(text[position : match.start()]), _backslashed(match[0]), _PARTED]
        position = match.end()
    return "".join(written) + _backslashed(text[position:])


def _backslashed(text: str) -> str:
    return _MARKS.sub(lambda found: "\\" + found[0], text)


def to_commit_message(markdown: str) -> str:
    """Return the text plain, with no person called and no issue named."""
    return uncalled(wording.plain(markdown))


def uncalled(text: str) -> str:
    """Return a title or a commit message that calls no person, names no issue and gives Jira no command.

    "fixes #1" would close it on the merge, and "SHOP-1 #resolve" would in Jira. A character without width divides them.
    """
    return _CALLS.sub(lambda found: found[0] + _WORD_JOINER, text)
