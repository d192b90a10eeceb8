"""Whether code runs for each request or message, or once when a service starts or an object is made."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SERVES = re.compile(
    r"\b(?:req|request|requests|ctx|context|msg|message|evt|event|env|packet|payload|job|call|session|visitor|"
    r"user_?id|order_?id|request_?id|w http\.ResponseWriter|res|reply|stream|"
    r"(?:handle|serve|observe|process|consume|receive|dispatch|intercept|invoke|execute|authenticate|middleware|"
    r"controller|connect|filter|checkout|search|lookup|on)(?:[A-Z_]\w*)?|doFilter|do(?:Get|Post)|"
    r"\w+(?:Handler|Request|Context|Message|Event))\b"
)
_ONCE = re.compile(
    r"\b(?:__init__|constructor|main|init\w*|setup\w*|set_?up\w*|register\w*|configure\w*|boot\w*|start\w*|seed\w*|"
    r"migrate\w*|load\w*|build\w*|compile\w*|parse\w*|collect\w*|visit\w*|render\w*|serialize\w*|New[A-Z]\w*|"
    r"new_\w+|add\w*|append\w*|push\w*|insert\w*|with[A-Z]\w*|from\w*|to_\w+|merge\w*|flatten\w*|group\w*|"
    r"summari[sz]e\w*|describe\w*|reset\w*|Add\w*|Append\w*|Push\w*|Insert\w*|Load\w*|Build\w*|Parse\w*|Register\w*|"
    r"Init\w*|Setup\w*|Start\w*|Configure\w*|useEffect|componentDidMount|ngOnInit|mounted|createApp|create_app)"
    r"\s*(?:[(<=:]|$)"
)
_DEFINES = re.compile(
    r"^\s*(?:(?:export|default|public|private|protected|internal|static|final|override|virtual|async|pub|suspend)\s+)*"
    r"(?:func|def|function\*?|fun|fn)\b|"
    r"^\s*(?:(?:public|private|protected|internal|static|final|override|async|synchronized)\s+)+[\w<>\[\], ?.]+\(|"
    r"^\s*(?:async\s+)?(?!if\b|for\b|while\b|switch\b|catch\b|return\b)\w+\s*\([^()]*\)\s*"
    r"(?::\s*[\w<>\[\] |]+)?\s*\{\s*$|"
    r"=>\s*\{\s*$"
)
_ARROW_EFFECT = re.compile(r"useEffect\(|componentDidMount|ngOnInit|\bjest\.|\bdescribe\(|\bbeforeEach\(")


def header_of(heading: str, lines: Sequence[str], position: int) -> str:
    """Return the first line of the function that `lines[position]` is in: a line before it, else the heading."""
    depth = _depth(lines[position])
    for line in reversed(lines[:position]):
        if _DEFINES.search(line) and _depth(line) < depth:
            return line
    return heading


def runs_per_request(heading: str, lines: Sequence[str], position: int) -> bool:
    """Whether `lines[position]` runs for each request, message or user, by the names around it."""
    header = header_of(heading, lines, position)
    if _ONCE.search(header) or _ARROW_EFFECT.search("\n".join((heading, *lines))):
        return False
    near = (header, *lines[max(position - 4, 0) : position + 4])
    return any(_SERVES.search(line) for line in near)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
