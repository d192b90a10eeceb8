"""Regular expressions that take for ever on some texts: a repeated group that can read one text in many ways.

A backtracking engine tries them all, exponentially many (Davis et al., "The Impact of Regular Expression Denial of
Service in Practice", 2018). Go's regexp, Rust's regex and RE2 do not backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_NEAR = re.compile(
    r"compile|[rR]eg[eE]x|RegExp|[pP]attern|PATTERN|_RE\b|\bre\.|match|\.test\(|=~|preg_|replace|\.scan\(|\.split\(|"
    r"=\s*(?:%r|/)|\(\s*/"
)
_LITERAL = re.compile(r"\"((?:[^\"\\]|\\.)+)\"|'((?:[^'\\]|\\.)+)'|`([^`]+)`|(?<![\w)\]/])/((?:[^/\\\n]|\\.)+)/[a-z]*")
_ATOM = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\.|[^\\()|]")
_REPEATED = re.compile(r"[+*]|\{\d+,\}")
_OPTIONAL = re.compile(r"[?*]|\{0,\d*\}")
_LINEAR = (".go", ".rs")


def hungry_in(line: str, path: str) -> bool:
    """Whether a line of code holds a regular expression that may take exponentially long."""
    if path.endswith(_LINEAR) or not _NEAR.search(line):
        return False
    literals = (next(text for text in groups if text) for groups in _LITERAL.findall(line))
    return any(is_hungry(text.replace("\\\\", "\\")) for text in literals)


def is_hungry(pattern: str) -> bool:
    """Whether a group of a pattern is repeated without bound, and can split what it reads in more than one way."""
    return any(_is_ambiguous(body) for body in _repeated_groups(pattern))


def _repeated_groups(pattern: str) -> Iterator[str]:
    """Yield the inside of each group that + or * or {n,} follows, the innermost first."""
    opened: list[int] = []
    position = 0
    while position < len(pattern):
        atom = re.match(r"\[(?:\\.|[^\]\\])*\]|\\.", pattern[position:])
        if atom:
            position += atom.end()
            continue
        character = pattern[position]
        if character == "(":
            opened.append(position + 1)
        elif character == ")" and opened:
            start = opened.pop()
            if re.match(r"(?:[+*](?!\+)|\{\d+,\})", pattern[position + 1 :]):
                yield re.sub(r"^\?(?::|P?<\w+>)", "", pattern[start:position])
        position += 1


def _is_ambiguous(body: str) -> bool:
    if body.startswith("?"):
        return False
    branches = body.split("|") if "(" not in body else [body]
    if len(branches) > 1 and len({branch.strip() for branch in branches}) < len(branches):
        return True
    return any(_branch_is_ambiguous(branch) for branch in branches)


def _branch_is_ambiguous(branch: str) -> bool:
    """Whether a branch has a part without an upper bound, and nothing that must stand between two rounds of it."""
    flat = re.sub(r"\((?:\?(?::|P?<\w+>))?|(?<!\\)\)(?=[^+*?{]|$)", "", branch)
    flat = re.sub(r"(?<!\\)\)(?=[+*?{])", "", flat)
    repeated, between, solid = [], [], []
    position = 0
    while position < len(flat):
        atom = _ATOM.match(flat, position)
        if atom is None:
            return False
        position = atom.end()
        times = re.match(r"[+*?]|\{\d+,?\d*\}", flat[position:])
        count = times.group() if times else ""
        position += len(count)
        if flat[position : position + 1] in ("?", "+") and count:
            position += 1
        is_repeated = bool(_REPEATED.fullmatch(count))
        if is_repeated:
            repeated.append(atom.group())
        if not _OPTIONAL.fullmatch(count):
            solid.append(is_repeated)
            between += [] if is_repeated else [atom.group()]
    if not repeated:
        return False
    if not between:
        # At most one part must be there, and it may go on: two rounds of it read like one.
        return len(solid) <= 1 or any(_overlap(one, other) for one, other in pairwise(repeated)) or "." in repeated
    return all(any(_overlap(one, other) for other in repeated) for one in between)


def _overlap(one: str, other: str) -> bool:
    """Whether two parts can read a character in common, as far as that is plain."""
    if "." in (one, other):
        return True
    if one == other:
        return True
    samples = "aZ5_- ,.;:/@\t"
    try:
        return any(re.fullmatch(one, sample) and re.fullmatch(other, sample) for sample in samples)
    except re.error:
        return False
