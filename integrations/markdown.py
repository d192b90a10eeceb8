"""Read the cards' Markdown into lines and runs, which each channel renders in its own way.

The subset: **bold**, `code`, [links](https://…), "-" lists, headings, ``` fences, times `<t:…>`, mentions `<@U…>`. A
backslash makes the mark after it a plain character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

_MARK = re.compile(
    r"\\(?P<escaped>[\\`*\[\]<#\-])"
    r"|`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<bold>(?:\\.|`[^`\n]+`|[^*\\\n])+)\*\*"
    r"|<t:(?P<moment>\d{1,11})>"
    r"|\[(?P<label>(?:\\.|[^\]\\\n])+)\]\((?P<url>https?://[^)\s]{1,1000})\)"
    r"|<@(?P<mention>[UW][A-Z0-9]+)>"
)
_FENCE_LINE = re.compile(r"^```\w*\s*$")
_HEADING = re.compile(r"^(#{1,6}) +(.+)$")
_BULLET = re.compile(r"^(\s*)[-*] +")


def utc(at: int) -> str:
    """Format a time in UTC, for readers whose time zone is unknown. `at` is seconds, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with one look. url: of a link. moment: a time, in seconds UTC. mention: a user's id."""

    text: str
    bold: bool = False
    code: bool = False
    url: str = ""
    moment: int | None = None
    mention: str = ""


class Kind(StrEnum):
    """What a line is."""

    TEXT = "text"
    BULLET = "bullet"
    HEADING = "heading"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Neighbouring CODE lines are one block of code. level: of a heading, from 1."""

    kind: Kind
    runs: tuple[Run, ...]
    level: int = 0

    @property
    def text(self) -> str:
        """The line's characters as people see them, without looks."""
        return "".join(run.text for run in self.runs)


def read_lines(markdown: str) -> list[Line]:
    """Return the lines of a text in the cards' Markdown."""
    found: list[Line] = []
    in_fence = False
    for line in markdown.splitlines():
        if _FENCE_LINE.match(line):
            in_fence = not in_fence
        elif in_fence:
            found.append(Line(Kind.CODE, (Run(line),)))
        else:
            found.append(_line(line))
    return found


def _line(line: str) -> Line:
    if heading := _HEADING.match(line):
        return Line(Kind.HEADING, tuple(replace(run, bold=True) for run in _runs(heading[2])), len(heading[1]))
    if bullet := _BULLET.match(line):
        return Line(Kind.BULLET, tuple(_runs(line[bullet.end() :])))
    return Line(Kind.TEXT, tuple(_runs(line)))


def _runs(text: str) -> Iterator[Run]:
    """Yield the runs; plain characters and escaped ones beside each other are one run."""
    plain = ""
    position = 0
    for match in _MARK.finditer(text):
        plain += text[position : match.start()]
        position = match.end()
        if match["escaped"]:
            plain += match["escaped"]
            continue
        if plain:
            yield Run(plain)
            plain = ""
        yield from _marked(match)
    plain += text[position:]
    if plain:
        yield Run(plain)


def _marked(match: re.Match[str]) -> Iterator[Run]:
    if match["code"]:
        yield Run(match["code"], code=True)
    elif match["bold"]:
        yield from (replace(run, bold=True) for run in _runs(match["bold"].strip()))
    elif match["moment"]:
        yield Run(utc(int(match["moment"])), moment=int(match["moment"]))
    elif match["mention"]:
        yield Run(f"@{match['mention']}", mention=match["mention"])
    else:
        yield Run("".join(run.text for run in _runs(match["label"])), url=match["url"])


def cut_runs(runs: Sequence[Run], limit: int) -> tuple[Run, ...]:
    """Return the runs cut to `limit` characters as shown, with "…" at the end. A time is never cut, only left out."""
    kept: list[Run] = []
    if sum(len(run.text) for run in runs) <= limit:
        return tuple(runs)
    room = limit - 1
    for run in runs:
        if len(run.text) <= room:
            kept.append(run)
            room -= len(run.text)
            continue
        if run.moment is None and not run.mention and room:
            kept.append(replace(run, text=run.text[:room]))
        break
    return (*kept, Run("…"))
