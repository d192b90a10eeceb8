"""Find what a structured line says: the message of a line of JSON or of `key=value` pairs.

A message's words are no variables, though they stand where a value stands. So the template of a structured line is the
template of its message, whether a door has taken the message out of the line or not. A line without a message is told
by all its keys and the words of its values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from detection.logs.masks import WILDCARD

MAXIMUM_STRUCTURED_LENGTH = 65_536
"""A longer line is taken as text."""

_DEEPEST = 4
_MOST_FIELDS = 60

_MESSAGE_KEYS = (
    *("msg", "message", "@message", "@mt", "@m", "messagetemplate", "renderedmessage", "short_message"),
    *("textpayload", "event", "event_name", "body", "text", "log"),
)
"""Lower case, the surest first: zap, pino, bunyan, logrus; Logstash; Serilog; GELF; Google Cloud; structlog; Docker."""

_HOLDERS = ("fields", "jsonpayload", "record", "data", "payload", "log", "event", "body", "message", "attributes")
"""Keys whose object may hold the message: of `tracing`, Google Cloud, loguru, and envelopes of collectors."""

_OBJECT = re.compile(r"\{\s*+\"")
_CUT_MESSAGE = re.compile(r"\"(?:[Mm]sg|@?[Mm]essage|MESSAGE)\"\s*+:\s*+\"((?:[^\"\\]|\\.)++)\"")
_VALUE_KEYS = re.compile(r"(?i)(?:user.?agent|referr?er)$")
_CALL = re.compile(
    r"""
    \s*(?:at\s|File\s\"|\.{3}\s\d|\#\d+\s|(?:\d+:\s)?from\s\S+:\d|\d+:\s|[|+^~}\]]+\s*|stack\s|\[?[Ss]tack\s?trace
      |goroutine\s|created\sby\s|note:\s|Process\s|Node\.js\sv)
    | \t | [\w./*()\[\]{},\s~·-]{1,200}\(.*\)$ | [^\s@]*@\S+:\d+:\d+$ | \S+\.\w{1,5}:\d+:in\s
    """,
    re.X,
)
"""A call of a stack trace, or what stands around one. How deep a stack is, is no part of a message."""

_MOST_LINES = 4
_SECRET = re.compile(r"(?i)passw|secret|token|api_?key|credential|cookie|authorization")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_PAIR = r"[A-Za-z_@][\w.@/-]*+=(?:\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|[^\s\"']*+)"
_FIRST_PAIR = re.compile(r"(?<!\S)[A-Za-z_@][\w.@/-]{0,100}+=")
_PAIRS = re.compile(rf"{_PAIR}(?:[\s,]\s*+{_PAIR})++\s*\Z")
_EACH_PAIR = re.compile(r"([A-Za-z_@][\w.@/-]*+)=(?:\"((?:[^\"\\]|\\.)*+)\"|'([^']*+)'|([^\s\"']*+))")
_NAMED_MESSAGE = re.compile(rf"(?i)(?<![\w.])(?:{'|'.join(_MESSAGE_KEYS)})=")
_ESCAPED = re.compile(r"\\(.)")


def said(line: str) -> str:
    """Return the text to find the template of: of a structured line what it says, of any other the line itself."""
    if len(line) > MAXIMUM_STRUCTURED_LENGTH:
        return line
    if "\n" in line and line[:1] != "{":
        return _said_in_lines(line)
    if line[:1] == "{" or "}" in line[-3:]:
        text = _said_in_json(line, _DEEPEST) or line
        return _said_in_lines(text) if "\n" in text.rstrip() else text
    if "=" in line:
        return _said_in_pairs(line) or line
    return line


def _said_in_lines(text: str) -> str:
    """Return the first lines of a text without the calls of a stack trace, nor what is indented below them."""
    first, *others = text.split("\n")
    words = [first]
    is_below_calls = False
    for line in others:
        if _CALL.match(line):
            is_below_calls = True
        elif line.strip() and not (is_below_calls and line[:1].isspace()):
            words.append(line)
            if len(words) == _MOST_LINES:
                break
    return " ".join(words)


def _said_in_json(line: str, depth: int) -> str | None:
    """Return what a line says that is a JSON object, or ends with one after a time, a level or other words."""
    found = _OBJECT.search(line)
    if found is None:
        return None
    before, text = line[: found.start()].strip(), line[found.start() :].rstrip(", \t\r\n")
    try:
        read = json.loads(text)
    except RecursionError:
        return None
    except ValueError:
        return _said_in_cut_json(text) if not before else None
    message = _message(read, depth)
    if message is not None:
        return f"{before} {message}" if before else message
    return None if _LETTERS.search(before) else _all_of(_flat(read))


def _said_in_cut_json(text: str) -> str | None:
    """Return the message of a JSON object whose end was cut off, as doors and collectors do with long lines."""
    found = None if text.endswith("}") else _CUT_MESSAGE.search(text)
    return _ESCAPED.sub(r"\1", found.group(1)) if found else None


def _message(fields: Mapping[str, object], depth: int) -> str | None:
    """Return the message of an object, which may be JSON itself or stand in an object inside; None without one."""
    by_name = {name.lower(): value for name, value in fields.items()}
    for name in _MESSAGE_KEYS:
        value = by_name.get(name)
        if isinstance(value, str) and _LETTERS.search(value):
            inner = _said_in_json(value.strip(), depth - 1) if depth and value.lstrip()[:1] == "{" else None
            return inner or value
    if depth:
        for name in _HOLDERS:
            value = by_name.get(name)
            if isinstance(value, dict) and (found := _message(value, depth - 1)) is not None:
                return found
    return None


def _flat(fields: Mapping[str, object], before: str = "", depth: int = _DEEPEST) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict) and depth:
            yield from _flat(value, f"{before}{name}.", depth - 1)
        else:
            yield before + name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _said_in_pairs(line: str) -> str | None:
    """Return what a line of `key=value` pairs says; None if it holds other words after its first pair."""
    first = _FIRST_PAIR.search(line)
    found = _PAIRS.match(line, first.start()) if first else None
    if found is None:
        return None
    before = line[: found.start()].strip()
    if before and not _NAMED_MESSAGE.search(line):
        return None
    pairs = [
        (name, bare or literal or _ESCAPED.sub(r"\1", quoted))
        for name, quoted, literal, bare in _EACH_PAIR.findall(found.group())
    ]
    message = _message(dict(pairs), 1)
    # `msg=audit(1364481363.243:24287):` names a record and says nothing.
    if message is not None and (" " in message or not any(sign.isdigit() for sign in message)):
        return f"{before} {message}" if before else message
    # Pairs with commas after them are a part of an ordinary message: `id: from=ana, size=12`.
    return None if before or any(bare.endswith(",") for _, bare in pairs) else _all_of(iter(pairs))


def _all_of(fields: Iterator[tuple[str, str]]) -> str:
    """Return the fields as text: keys, and values that keep their words."""
    some = islice(fields, _MOST_FIELDS)
    return ", ".join(
        f"{name}: {WILDCARD if _SECRET.search(name) or _VALUE_KEYS.search(name) else ' '.join(value.split())}"
        for name, value in some
    )
