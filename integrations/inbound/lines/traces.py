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
from integrations.inbound.lines import exceptions, frames, heads
from integrations.inbound.lines.language import Language
from integrations.inbound.lines.languages import OTHER
from integrations.inbound.lines.native_languages import GO_STACK
from integrations.inbound.lines.open_trace import OpenTrace
from integrations.inbound.lines.scripting_languages import PYTHON
from integrations.inbound.reading.bounds import TEXT_LIMIT

MOST_SECONDS_APART = 5.0
_GRAVE = frozenset({"ERROR", "FATAL"})
_LOUD = _GRAVE | {"WARN"}
_LINE_JUDGED = 500
_LOGGED = re.compile(
    r"(?:\[[A-Z]{4,8}\]\s+)?\[?(?:\d{1,4}[-/.:]\d\d|\d\d-[A-Z][a-z]{2}-\d{4}\s|[A-Z][a-z]{2} [ \d]\d )"
    r"|[A-Z]{4,8}:(?:[\w.]+:|\s{2,}\S)|[DIWEF]\d{4} \d\d:"
)
"""A logger's line: it begins with a time, or as Python's loggers do by default. What has no such head follows it."""

_RULE = re.compile(r"[=#*\-═]+$")
_GO_FUNCTION = re.compile(r"[\w./*()\-]+\.[\w.()*\[\]{}·…]+$")
_FAILURE = re.compile(r"(?i)error|exception|fail|panic|stack|trace")


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
        if record.severity in _LOUD and (language := exceptions.language_in(record.body)) is not None
    }
    if not begins and not any(frames.opens_stack(frames.unprefixed(record.body)[1]) for record in records):
        return Joined(list(records))
    last_of: dict[Hashable, list[int]] = {}
    open_traces: dict[Hashable, OpenTrace] = {}
    traces: list[OpenTrace] = []
    last_stream: Hashable = None
    for place, (record, sent) in enumerate(zip(records, streams, strict=True)):
        who, line = frames.unprefixed(record.body[:_LINE_JUDGED])
        stream = (sent, who)
        trace = open_traces.get(stream)
        before = last_of.setdefault(stream, [])
        if trace is None or not trace.takes(place, record, line, begins=place in begins):
            open_traces.pop(stream, None)
            begun = None
            if place in begins:
                begun = _begun(begins[place], place, before if trace is None else [], records, seconds_apart)
            elif frames.opens_stack(line):
                used = () if trace is None else trace.lines
                begun = _stack(place, [one for one in before if one not in used], records, seconds_apart)
            if begun is not None:
                open_traces[stream] = begun
                traces.append(begun)
        before.append(place)
        if len(before) > _LINES_LOOKED_BACK:
            del before[0]
        last_stream = stream
    long = [trace for trace in traces if len(trace.lines) > 1 or trace.level is not None]
    return Joined(_with_joined(records, long), last_stream in open_traces)


_LINES_LOOKED_BACK = 4


def _begun(
    language: Language, place: int, before: Sequence[int], records: Sequence[LogRecord], seconds_apart: float
) -> OpenTrace:
    """Return the trace that begins with a record. before: the places of the lines before it, the newest last."""
    record = records[place]
    last_line = frames.unprefixed(record.body.rpartition("\n")[2][:_LINE_JUDGED])[1]
    any_next = language.leads_to_any is not None and language.leads_to_any.match(last_line) is not None
    said = _last_words(before, records)
    announced = said and _announces(records[said[0]], record, seconds_apart)
    return OpenTrace(
        language, [place], said if announced else [], record.happened_at, any_next, seconds_apart, len(record.body)
    )


def _stack(place: int, before: Sequence[int], records: Sequence[LogRecord], seconds_apart: float) -> OpenTrace:
    """Return the trace of a stack that stands below any words, as `console.error("paying failed", error)` prints it."""
    record = records[place]
    line = frames.unprefixed(record.body[:_LINE_JUDGED])[1]
    language = PYTHON if _PYTHON_CALL.match(line) else GO_STACK if _GO_CALL.match(line) else OTHER
    trace = OpenTrace(
        language,
        [place],
        [],
        record.happened_at,
        False,
        seconds_apart,
        len(record.body),
        has_calls=frames.is_call(line),
    )
    if language is PYTHON:
        return trace
    said = _last_words(before, records)
    if language is GO_STACK and said and _GO_FUNCTION.match(records[said[0]].body):
        said = [*_last_words([one for one in before if one < said[0]], records), *said]
    if said and _heads_stack(records[said[0]], record, seconds_apart):
        trace.headers = said
        trace.level = records[said[0]].severity if records[said[0]].severity in _LOUD else "ERROR"
    return trace


_PYTHON_CALL = re.compile(r"\s+File\s")
_GO_CALL = re.compile(r"\t\S+\.(?:go|s):\d+")


def _last_words(before: Sequence[int], records: Sequence[LogRecord]) -> list[int]:
    """Return the place of the last line that is not blank, and of the blank ones after it; nothing without one."""
    for number, place in enumerate(reversed(before), 1):
        if records[place].body.strip():
            return list(before[-number:])
    return []


def _announces(before: LogRecord, trace: LogRecord, seconds_apart: float) -> bool:
    """Whether the line before a trace is the log line that it was printed with, as loggers print exceptions."""
    if "\n" in before.body or abs(trace.happened_at - before.happened_at) > seconds_apart:
        return False
    return _RULE.match(before.body) is not None or (
        before.severity in _LOUD
        and _LOGGED.match(before.body) is not None
        and heads.level_of(before.body) is not None
        and heads.level_of(trace.body) is None
        and exceptions.language_in(before.body) is None
    )


def _heads_stack(before: LogRecord, stack: LogRecord, seconds_apart: float) -> bool:
    """Whether a line says what the stack below it is of: one of another level does if it speaks of a failure."""
    if "\n" in before.body or abs(stack.happened_at - before.happened_at) > seconds_apart:
        return False
    return before.severity in _LOUD or heads.level_of(before.body) is None or _FAILURE.search(before.body) is not None


def _with_joined(records: Sequence[LogRecord], traces: Sequence[OpenTrace]) -> list[LogRecord]:
    if not traces:
        return list(records)
    joined: dict[int, LogRecord] = {}
    left_out: set[int] = set()
    for trace in traces:
        places = [*trace.headers, *trace.lines]
        joined[places[0]] = _one([records[place] for place in places], _severity_of(trace, records))
        left_out.update(places[1:])
    return [joined.get(place, record) for place, record in enumerate(records) if place not in left_out]


def _severity_of(trace: OpenTrace, records: Sequence[LogRecord]) -> str:
    """Return a trace's severity; the end of one whose beginning came in another delivery has that of its first line."""
    severities = {records[place].severity for place in (*trace.headers, *trace.lines)}
    if trace.level == "WARN" and not severities & _GRAVE:
        return "WARN"
    if "FATAL" in severities:
        return "FATAL"
    if trace.level is None and trace.language is OTHER and "ERROR" not in severities:
        return records[trace.lines[0]].severity
    return "ERROR"


def _one(lines: Sequence[LogRecord], severity: str) -> LogRecord:
    first = lines[0]
    ids = hashlib.blake2b("\0".join(line.record_id for line in lines).encode("utf-8", "replace"), digest_size=12)
    return replace(
        first,
        record_id=f"{first.record_id}+{ids.hexdigest()}",
        severity=severity,
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
