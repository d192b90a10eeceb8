"""Signs from log lines: which groups of lines are new or many, what they complain of, and whom they name."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable

from detection.chain.names import parts_named_in
from detection.chain.observed import LineGroup, Sign
from detection.symptoms import symptoms_of_text
from detection.types import SymptomKind

_LEAST_FACTOR = 3.0
_LEAST_LINES = 3
REPORTER = re.compile(
    r"(?:kubelet|kube-|containerd|dockerd|systemd|kernel|node-problem-detector|prometheus|alertmanager)", re.IGNORECASE
)
"""Those that write about others: their lines are no signs of their own."""

_CLIENT_STATUS = re.compile(r"\b4(?:00|04|05|09|10|12|15|22)\b")
_SERVER_STATUS = re.compile(r"\b5\d\d\b|time[d]?[- ]?out|deadline", re.IGNORECASE)


def signs_of_lines(
    groups: Iterable[LineGroup], parts: Collection[str], *, window: tuple[float, float] | None = None
) -> tuple[Sign, ...]:
    """Return the signs that groups of log lines give: one for each kind that a line names.

    parts: every known service, database and node. A line of the kubelet, or of a writer that is none of them, is the
    sign of the one part that it names. window: when lines of unknown time were written; without it they are left out.
    """
    return tuple(sign for group in groups if _is_remarkable(group) for sign in _signs(group, parts, window))


def _is_remarkable(group: LineGroup) -> bool:
    if group.usual_count <= 0:
        return group.count > 0
    return group.count >= _LEAST_FACTOR * group.usual_count and group.count - group.usual_count >= _LEAST_LINES


def _signs(group: LineGroup, parts: Collection[str], window: tuple[float, float] | None) -> Iterable[Sign]:
    began = window if group.first_seen is None else (group.first_seen, group.first_seen)
    if began is None:
        return
    kinds = kinds_of_line(group.text, is_bad=group.is_bad)
    named = parts_named_in(group.text, parts)
    part = group.part
    if part not in parts or REPORTER.match(part):
        if len(named) != 1 and REPORTER.match(part):
            return
        part = next(iter(named)) if len(named) == 1 else part
    size = math.log((group.count + 1) / (group.usual_count + 1))
    blames = blamed_in(group.text, named - {part}) if kinds - {SymptomKind.CLIENT_ERRORS} else frozenset[str]()
    for kind in sorted(kinds):
        yield Sign(part, kind, *began, size, group.text, blames, "log")


_DISTINCT = re.compile(r"[^a-z]|.(?:service|server|gateway|worker|svc|api|db)$", re.IGNORECASE)
_TOWARDS = (
    r"(?:to|from|by|on|with|at|of|via|in|call|calls|calling|called|upstream|downstream|reach|reaching|dependency|"
    r"provider|wait(?:ing|ed)? for|awaiting)"
)
_FAILS = (
    r"(?:unavailable|unreachable|timeout|timed|returned|returns|responded|refused|failed|failing|fails|error|errors|"
    r"down|slow|slower|overloaded|exhausted|call|request|service|is|has|not|did|check|lookup|look-up|query|response|"
    r"answered|answers|rejected|rejects)"
)


def blamed_in(text: str, named: Collection[str]) -> frozenset[str]:
    """Return which of the named parts a text speaks of as parts.

    "invalid weights profile" names no service "profile". A name that is one ordinary word, unlike "profileservice",
    counts only as what something is called on or got from, as what fails, with a path or a status of it
    ("acme /v2/pay"), as the host of an address, or alone before a colon, as errors are wrapped in Go
    ("cannot pay: acme: deadline exceeded").
    """
    return frozenset(name for name in named if _DISTINCT.search(name) or _is_spoken_of(text, name))


def _is_spoken_of(text: str, name: str) -> bool:
    word = re.escape(name)
    pattern = (
        rf"\b{_TOWARDS}[\s\"':=]+(?:the )?{word}\b|\b{word}\b[\s\"':]+{_FAILS}\b|"
        rf"(?<![\w/.-]){word} (?:/\w|5\d\d\b)|//{word}[:/.]|(?:^|[:;(] ?){word}:\s"
    )
    return bool(re.search(pattern, text[:2000], re.IGNORECASE))


def kinds_of_line(text: str, *, is_bad: bool) -> frozenset[SymptomKind]:
    """Return what a line complains of; a refusal of a bad request is the client's error and nothing else."""
    kinds = symptoms_of_text(text)
    if _CLIENT_STATUS.search(text) and not _SERVER_STATUS.search(text):
        return frozenset({SymptomKind.CLIENT_ERRORS})
    if not kinds and is_bad:
        return frozenset({SymptomKind.ERRORS})
    return kinds
