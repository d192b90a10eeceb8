"""A stack trace that is being put together, line by line, and whether the next line belongs to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from detection.types import LogRecord
from integrations.inbound.lines import frames, heads
from integrations.inbound.lines.language import Language

MOST_LINES = 2_000
_MOST_CHARACTERS = 500_000
_MOST_LINES_OF_A_MESSAGE = 25
_TIME = re.compile(r"[\[(]?(?:\d{1,4}[-/.:]\d\d|\d{10,13}\b)")
_VALUE_NAMED = re.compile(r"[\w.\-\[\]']{1,80}$")
_TELLS_ANOTHER = re.compile(r"\s*(?:Caused by|Suppressed|Wrapped by)\b")


@dataclass(slots=True)
class OpenTrace:
    """A trace that is being put together.

    lines: places of its records. headers: places of lines before it that belong to it. held: places of lines that
    belong to it only if a sure line of it follows: more of a message, and what stands between calls. may_be_any: the
    next line may say anything. has_calls: it has come to the calls of its stack. has_ended: its last line was read,
    and only a cause may follow. level: of the words that a stack without an exception stands below.
    """

    language: Language
    lines: list[int]
    headers: list[int]
    last_at: float
    may_be_any: bool
    seconds_apart: float
    characters: int = 0
    has_calls: bool = False
    has_ended: bool = False
    level: str | None = None
    held: list[int] = field(default_factory=list)

    def takes(self, place: int, record: LogRecord, line: str, *, begins: bool) -> bool:
        """Whether the record is the next line of this trace, or may turn out to be. It is noted if so.

        line: its words. begins: whether a trace may begin with it.
        """
        if (
            len(self.lines) + len(self.held) >= MOST_LINES
            or self.characters >= _MOST_CHARACTERS
            or abs(record.happened_at - self.last_at) > self.seconds_apart
        ):
            return False
        if self._surely_continues_with(line):
            # A blank line says nothing of the lines that are held before it.
            if line.strip() or not self.held:
                self.lines += [*self.held, place]
                self.held.clear()
            else:
                self.held.append(place)
        elif self._may_continue_with(line, begins=begins):
            self.held.append(place)
        else:
            return False
        self.last_at = record.happened_at
        self.characters += len(record.body)
        return True

    def _surely_continues_with(self, line: str) -> bool:
        language = self.language
        if self.has_ended:
            if language.resumes is not None and language.resumes.match(line):
                self.has_ended = False
                self.may_be_any = True
                return True
            return not line.strip() or (language.adds is not None and language.adds.match(line) is not None)
        if self.may_be_any and (language.begins.match(line) or not is_ordinary(line)):
            self.may_be_any = not line.strip()
            return True
        self.may_be_any = False
        if language.hands_over is not None and language.hands_over.begins.match(line):
            self.language = language.hands_over
            return True
        if language.ends is not None and len(self.lines) > 1 and language.ends.match(line):
            self.has_ended = True
            return True
        if language.goes_on.match(line) or frames.goes_on(line):
            is_call = frames.is_call(line)
            self.has_calls = is_call or (self.has_calls and not _TELLS_ANOTHER.match(line))
            return True
        return False

    def _may_continue_with(self, line: str, *, begins: bool) -> bool:
        if self.has_ended:
            return self.language.adds is not None and not self.held and _VALUE_NAMED.match(line) is not None
        is_within = line[:1].isspace()
        if len(self.held) >= _MOST_LINES_OF_A_MESSAGE or (begins and not is_within):
            return False
        return is_within or not (self.has_calls or is_ordinary(line))


def is_ordinary(line: str) -> bool:
    """Whether a line is surely a log line of its own."""
    return _TIME.match(line) is not None or heads.level_of(line) is not None
