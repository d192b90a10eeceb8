"""Convert the cards' Markdown to Jira's wiki markup, which its REST API version 2 expects.

https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all. A backslash makes a mark a plain character;
where the wiki knows no backslash (addresses, issue keys, smileys, "h1."), a character is written as its number.
"""

from __future__ import annotations

import re
from dataclasses import replace

from integrations.markdown import Kind, Line, Run, read_lines
from integrations.text import visible_lines

_ALWAYS = re.compile(r"[{}\[\]|!]")
_NUMBERED = re.compile(
    r"\\"
    r"|&(?=#?\w+;)"
    r"|(?<=\w):(?=//)|(?<=mailto):|(?<=file):"
    r"|(?<=\bwww)\."
    r"|(?<=[A-Z])-(?=\d)|(?<=[A-Z]\d)-(?=\d)|(?<=[A-Z]_)-(?=\d)"
    r"|[:;](?=-?[()DPp|])"
    r"|\((?=(?:[yYnNiIxX!/?+\-]|on|off|\*[rgby]?|flag|flagoff)\))"
)
_AT_THE_START = re.compile(r"^(\s*(?:h[1-6]|bq|fn))\.|^(\s*)(#)")
_BETWEEN_WORDS = re.compile(r"(?<=\w)[*_+^~?-](?=\w)")
_LOOKS = re.compile(r"[*_+^~?-]")
_NOFORMAT = re.compile(r"\{(?=noformat|code|color|quote|panel)", re.IGNORECASE)


def to_wiki(markdown: str) -> str:
    """Convert **bold**, `code`, [links](…), headings, "-" lists and fences; all other text is shown as it is.

    Times are written in UTC, because all readers see the same text.
    """
    written: list[str] = []
    in_code = False
    for line in read_lines(markdown):
        if (line.kind is Kind.CODE) != in_code:
            in_code = not in_code
            written.append("{noformat}")
        written.append(_NOFORMAT.sub("{ ", visible_lines(line.text)) if in_code else _line(line))
    if in_code:
        written.append("{noformat}")
    return "\n".join(written)


def _line(line: Line) -> str:
    if line.kind is Kind.HEADING:
        return f"h{line.level}. {''.join(_run(replace(run, bold=False)) for run in line.runs)}"
    text = "".join(_run(run) for run in line.runs)
    return f"* {text}" if line.kind is Kind.BULLET else _AT_THE_START.sub(_numbered_start, text)


def _numbered_start(match: re.Match[str]) -> str:
    return f"{match[1]}&#46;" if match[1] else f"{match[2]}&#35;"


def _run(run: Run) -> str:
    text = _escape(run.text)
    if run.url:
        return f"[{text}|{run.url.replace('|', '%7C').replace(']', '%5D')}]"
    if run.code:
        return "{{" + text + "}}"
    return f"*{text}*" if run.bold and text.strip() else text


def _escape(text: str) -> str:
    """Make every mark of the wiki a plain character. `_` and the like within a word are none."""
    kept = {match.start() for match in _BETWEEN_WORDS.finditer(text)}
    numbered = {match.start() for match in _NUMBERED.finditer(text)}
    return "".join(_character(text, index, index in numbered, index in kept) for index in range(len(text)))


def _character(text: str, index: int, is_numbered: bool, is_within_word: bool) -> str:
    letter = text[index]
    if is_numbered:
        return f"&#{ord(letter)};"
    if _ALWAYS.match(letter) or (_LOOKS.match(letter) and not is_within_word and not _is_apart(text, index)):
        return f"\\{letter}"
    return letter


def _is_apart(text: str, index: int) -> bool:
    """Whether there is a space on both sides, so that the character is no mark."""
    return text[max(index - 1, 0) : index] == " " and text[index + 1 : index + 2] == " "
