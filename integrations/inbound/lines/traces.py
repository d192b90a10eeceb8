"""Make one record of a stack trace whose lines came as records of their own.

Only lines of one stream that came one after the other, in one delivery and within seconds, are put together. The joined
record has the first line's time, service and attributes. Its id is made of the ids of all its lines, so a repeated
delivery is recognised, and one that is cut elsewhere is stored twice rather than lost.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from detection.types import LogRecord
from integrations.inbound.lines import exceptions, heads
from integrations.inbound.lines.languages import Language
from integrations.inbound.reading.bounds import TEXT_LIMIT

MOST_LINES = 2_000
MOST_CHARACTERS = 500_000
MOST_SECONDS_APART = 5.0
_GRAVE = frozenset({"ERROR", "FATAL"})
_LOUD = _GRAVE | {"WARN"}
_LINE_JUDGED = 500
_LOGGED = re.compile(r"\[?(?:\d{1,4}[-/.:]\d\d|[A-Z][a-z]{2} [ \d]\d )|[A-Z]{4,8}:[\w.]+:")
"""A logger's line: it begins with a time, or as Python's loggers do by default. What has no such head follows it."""


@dataclass(slots=True)
class _Trace:
    """A trace that is being put together. lines: places of its records; header: the place of a line that announced it.

    may_be_any: the next line may say anything. has_ended: its last line was read, and only a cause may follow.
    """

    language: Language
    lines: list[int]
    header: int | None
    last_at: float
    may_be_any: bool
    seconds_apart: float
    characters: int = 0
    has_ended: bool = False

    def takes(self, record: LogRecord) -> bool:
        """Whether the record is the next line of this trace. It is noted if so."""
        line = record.body[:_LINE_JUDGED]
        if (
            len(self.lines) >= MOST_LINES
            or self.characters >= MOST_CHARACTERS
            or abs(record.happened_at - self.last_at) > self.seconds_apart
            or not self._continues_with(line)
        ):
            return False
        self.last_at = record.happened_at
        self.characters += len(record.body)
        return True

    def _continues_with(self, line: str) -> bool:
        language = self.language
        if self.has_ended:
            if language.resumes is not None and language.resumes.match(line):
                self.has_ended = False
                self.may_be_any = True
                return True
            return not line.strip()
        if self.may_be_any and (language.begins.match(line) or not _is_ordinary(line)):
            self.may_be_any = not line.strip()
            return True
        self.may_be_any = False
        if language.hands_over is not None and language.hands_over.begins.match(line):
            self.language = language.hands_over
            return True
        if language.goes_on.match(line):
            return True
        if language.ends is not None and len(self.lines) > 1 and language.ends.match(line):
            self.has_ended = True
            return True
        return False


def _is_ordinary(line: str) -> bool:
    """Whether a line is surely a log line of its own."""
    return line[:1].isdigit() or heads.level_of(line) is not None


@dataclass(slots=True)
class Joined:
    """Records in their order, traces joined. is_unfinished: the last record is a trace that may go on."""

    records: list[LogRecord] = field(default_factory=list)
    is_unfinished: bool = False


def join_traces(
    records: Sequence[LogRecord], streams: Iterable[Hashable], *, seconds_apart: float = MOST_SECONDS_APART
) -> Joined:
    """Join the traces among records. streams: for each record, where it comes from: container, file, connection.

    seconds_apart: how far apart two lines of a trace may be; math.inf for lines of a file, of which only some name a
    time. The streams are not looked at where no trace begins, so they may be dear to find out.
    """
    begins = {
        place: language
        for place, record in enumerate(records)
        if record.severity in _GRAVE and (language := exceptions.language_in(record.body)) is not None
    }
    if not begins:
        return Joined(list(records))
    last_of: dict[Hashable, int] = {}
    open_traces: dict[Hashable, _Trace] = {}
    traces: list[_Trace] = []
    last_stream: Hashable = None
    for place, (record, stream) in enumerate(zip(records, streams, strict=True)):
        trace = open_traces.get(stream)
        if trace is not None and trace.takes(record):
            trace.lines.append(place)
        else:
            open_traces.pop(stream, None)
            language = begins.get(place)
            if language is not None:
                header = last_of.get(stream) if trace is None else None
                open_traces[stream] = trace = _begun(language, place, header, records, seconds_apart)
                traces.append(trace)
        if record.body.strip():
            last_of[stream] = place
        last_stream = stream
    long = [trace for trace in traces if len(trace.lines) > 1]
    return Joined(_with_joined(records, long), last_stream in open_traces)


def _begun(
    language: Language, place: int, header: int | None, records: Sequence[LogRecord], seconds_apart: float
) -> _Trace:
    record = records[place]
    last_line = record.body.rpartition("\n")[2][:_LINE_JUDGED]
    any_next = language.leads_to_any is not None and language.leads_to_any.match(last_line) is not None
    announced = header is not None and _announces(records[header], record, seconds_apart)
    return _Trace(
        language, [place], header if announced else None, record.happened_at, any_next, seconds_apart, len(record.body)
    )


def _announces(before: LogRecord, trace: LogRecord, seconds_apart: float) -> bool:
    """Whether the line before a trace is the log line that it was printed with, as loggers print exceptions."""
    return (
        before.severity in _LOUD
        and _LOGGED.match(before.body) is not None
        and "\n" not in before.body
        and abs(trace.happened_at - before.happened_at) <= seconds_apart
        and heads.level_of(before.body) is not None
        and heads.level_of(trace.body) is None
        and exceptions.language_in(before.body) is None
    )


def _with_joined(records: Sequence[LogRecord], traces: Sequence[_Trace]) -> list[LogRecord]:
    if not traces:
        return list(records)
    joined: dict[int, LogRecord] = {}
    left_out: set[int] = set()
    for trace in traces:
        places = trace.lines if trace.header is None else [trace.header, *trace.lines]
        joined[places[0]] = _one([records[place] for place in places])
        left_out.update(places[1:])
    return [joined.get(place, record) for place, record in enumerate(records) if place not in left_out]


def _one(lines: Sequence[LogRecord]) -> LogRecord:
    first = lines[0]
    worst = "FATAL" if any(line.severity == "FATAL" for line in lines) else "ERROR"
    ids = hashlib.blake2b("\0".join(line.record_id for line in lines).encode("utf-8", "replace"), digest_size=12)
    return replace(
        first,
        record_id=f"{first.record_id}+{ids.hexdigest()}",
        severity=worst,
        body=_both_ends([line.body for line in lines]),
    )


def _both_ends(lines: Sequence[str]) -> str:
    """Join lines within TEXT_LIMIT. Of a longer text the middle is left out, because a trace's cause may stand last."""
    text = "\n".join(lines).rstrip()
    if len(text) <= TEXT_LIMIT:
        return text
    half = TEXT_LIMIT // 2 - 20
    begin, end = text[:half].rpartition("\n")[0] or text[:half], text[-half:].partition("\n")[2] or text[-half:]
    return f"{begin}\n…\n{end}"
