"""Give one name to operations that differ only by an id: "GET /vats/17" and "GET /vats/18" are "GET /vats/{id}".

Words stay: "/v1/", "/oauth2", "/s3", "/en-US", "/users/me". What is an id is told by `is_identifier`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from integrations.inbound.reading.identifiers import is_identifier, is_version

PLACEHOLDER = "{id}"

_ORIGIN = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_TEMPLATED = re.compile(r"^[:*^$<]|\{[^}]*\}|\(\?|\*$|^\[[A-Za-z_.]+\]$")
"""A part of a route as frameworks write it: {id}, :id, <int:id>, [slug], *, a regular expression."""

_SEVERAL = re.compile(r"\{id\}(?:[.:,+ ~_-]+\{id\})+")
_WRAPPED = re.compile(r"^([\"'(\[,;:=]*)(.*?)([\"')\],;:]*)$", re.DOTALL)
_CALL = re.compile(r"^([^\s()]+)\((.*)\)$")
_KEY_AND_VALUE = re.compile(r"^([A-Za-z_][\w.-]*=)(.+)$")
_API_VERSION = re.compile(r"^\d{1,2}(?:\.\d{1,2})?$")
_FIRST_VERSION = re.compile(r"^\d{1,2}\.\d{1,2}$")
_BEFORE_A_VERSION = frozenset({"api", "rest"})

_STATEMENT = re.compile(
    r"^\s*(?:(?:select|insert|update|delete|replace|merge|with|call|exec|execute)\s.*\s|[{(]|(?:query|mutation|subscription)\b.*[{(])",
    re.IGNORECASE | re.DOTALL,
)
"""SQL and GraphQL."""

_LITERAL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"(?=\s*[),}\]])|(?<![\w$.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w)")
_LIST = re.compile(r"\(\s*\{id\}(?:\s*,\s*\{id\})*\s*\)(?:\s*,\s*\(\s*\{id\}(?:\s*,\s*\{id\})*\s*\))*")


def operation_template(name: str) -> str:
    """Return an operation's name without ids, query strings, hosts and literals: of a path, a full URL, "VERB path",
    a topic, a method of gRPC, or a statement of SQL or GraphQL.
    """
    if _STATEMENT.match(name):
        return _LIST.sub(f"({PLACEHOLDER})", _LITERAL.sub(PLACEHOLDER, name))
    return _SEVERAL.sub(PLACEHOLDER, " ".join(map(_word, name.split(" "))))


def path_template(path: str) -> str:
    """Return a path or full URL without ids and query string: "/vats/17?full=1" is "/vats/{id}"."""
    if "(?" in path:
        return path
    path = _ORIGIN.sub("", path).partition("?")[0] or "/"
    segments = path.split("/")
    return "/".join(
        segment if _is_api_version(before, segment) else _segment(segment)
        for before, segment in zip(["", *segments], segments, strict=False)
    )


def _word(word: str) -> str:
    if "/" in word:
        return path_template(word)
    wrapped = _WRAPPED.match(word)
    if wrapped is None or _TEMPLATED.search(word):
        return word
    before, inner, after = wrapped.groups()
    return f"{before}{_segment(inner)}{after}"


def _is_api_version(before: str, segment: str) -> bool:
    if not before:
        return _FIRST_VERSION.match(segment) is not None
    return before.lower() in _BEFORE_A_VERSION and _API_VERSION.match(segment) is not None


@lru_cache(maxsize=10_000)
def _segment(segment: str) -> str:
    """Return one part of a path, with a placeholder for what is an id in it."""
    if not segment or _TEMPLATED.search(segment):
        return segment
    text = unquote(segment).partition(";")[0]
    if is_identifier(text):
        return PLACEHOLDER
    if is_version(text):
        return text
    if call := _CALL.match(text):
        return f"{call[1]}({PLACEHOLDER})" if call[2] else text
    if pair := _KEY_AND_VALUE.match(text):
        return pair[1] + _segment(pair[2])
    parts = re.split(r"([.:,])", text)
    if len(parts) == 1:
        return text if text != unquote(segment) else segment
    return _SEVERAL.sub(PLACEHOLDER, "".join(PLACEHOLDER if is_identifier(part) else part for part in parts))
