"""Secrets that are known by the name before them: `password=…`, `"api_key": "…"`, `Authorization: Bearer …`.

What only speaks of a secret stays: `token expired`, `password=incorrect`, `token_count=117`.
"""

from __future__ import annotations

import re

from storage.telemetry.rows.secret_forms import HIDDEN

_PLACES = re.compile(
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|key|sig(?:nature)?|jwt)(?=[\\\"' :=])"
    r"|(?:basic|bearer|negotiate) (?=[\w~+/])|(?:authorization|cookie)(?=[\\\"' :=])|identified by (?=')"
)
"""Looked for in lower case, because that is many times faster than ignoring case."""

NAME_MARKS = ("pass", "pwd", "secret", "token", "key", "sig", "jwt", "basic ", "bearer ", "negotiate ", "authorization",
              "cookie", "identified by ")  # fmt: skip
"""A text in lower case without any of these holds no such secret."""

_SURE_BEFORE = {
    "token": re.compile(r"(?:access|refresh|auth|id|session|bearer|oauth|csrf|security)[_.-]?$"),
    "key": re.compile(r"(?:api|access|account|private|signing|encryption|subscription|functions|secret)[_.-]?$"),
}
_OPTION_BEFORE = re.compile(r"(?:^|\s)--?[a-z-]*$")
_LONGEST_BEFORE = 16

_WORD = (
    r"(?!(?:null|none|nil|true|false|yes|no|undefined|empty|missing|invalid|incorrect|wrong|required|expired|changed"
    r"|reset|set|unset|not|ok|failed|accepted|rejected|revoked|unknown|redacted|hidden|masked|filtered|x+|argux_…)"
    r"(?![\w-]))(?!\[redacted)"
)
"""No word that tells of a secret, where the secret itself could stand."""

_UNQUOTED = r"[^\s\"'&;,<>()\[\]{}|\\]"
_NO_TEXT = r"(?![*<{\[(=/\\]|\$[{(A-Z])"
"""Neither a mask, a placeholder nor a path: a shell writes `PWD=/srv`."""

_OBJECT = re.compile(r"[\w.-]+/[\w.-]+")

_RANDOM = r"(?=[\w.~+/%=-]{0,200}\d)(?=[\w.~+/%=-]{0,200}[A-Za-z])[\w.~+/%=-]"
_SCHEME = r"(?:basic|bearer|token|digest|apikey|negotiate|splunk|aws4-hmac-sha256)"
_SAYS = r"(?:\\?[\"'])?\s{0,2}[:=]\s{0,2}"
_ITS_END = r"(?=\s{0,3}(?:\\?[\"',;\]}]|$))"

_SURE = re.compile(
    rf"{_SAYS}\\?[\"'](?P<quoted>{_WORD}{_NO_TEXT}(?:[^\"'\\]|\\[^\"'])+)"
    rf"|\s?=\s?(?P<assigned>{_WORD}{_NO_TEXT}{_UNQUOTED}{{3,}})"
    rf"|:\s{{0,3}}(?P<told>(?={_UNQUOTED}{{0,100}}\d){_NO_TEXT}{_UNQUOTED}{{6,}})"
    rf"|\s'(?P<sql>[^']+)(?=')",
    re.I,
)
_OPTION = re.compile(rf"\s{{1,3}}[\"']?(?P<option>{_WORD}(?!-){_NO_TEXT}{_UNQUOTED}{{4,}})", re.I)
_PERHAPS = re.compile(rf"{_SAYS}(?:\\?[\"'])?(?P<random>{_RANDOM}{{16,}})")
_AUTHORIZATION = re.compile(
    rf"{_SAYS}\[?(?:\\?[\"'])?(?:{_SCHEME}\s{{1,3}}(?P<header>{_WORD}"
    rf"(?:(?={_UNQUOTED}{{0,200}}\d){_UNQUOTED}{{6,}}|{_UNQUOTED}{{6,}}{_ITS_END}))|(?P<bare>{_RANDOM}{{12,}}))",
    re.I,
)
_AFTER_SCHEME = re.compile(rf"(?P<credentials>{_RANDOM}{{12,}})")
_COOKIE = re.compile(rf"{_SAYS}\[?(?:\\?[\"'])?(?P<cookies>[\w.%-]{{1,100}}=[^\r\n\"'\]\\]+)")
_IDENTIFIED = re.compile(r"'(?P<identified>[^']+)")


def without_named_secrets(text: str, lower: str) -> str:
    """Return the text without what stands after the name of a secret. lower: the text in lower case, as long."""
    parts: list[str] = []
    done = 0
    for place in _PLACES.finditer(lower):
        if place.start() < done:
            continue
        found = _value_after(text, lower, place)
        if found is not None and found.lastgroup is not None and not _is_object(place, found):
            start, end = found.span(found.lastgroup)
            parts += [text[done:start], HIDDEN]
            done = end
    return "".join((*parts, text[done:])) if parts else text


def names_an_object(value: str) -> bool:
    """Whether a value named "secret" is the name of one, as Kubernetes writes it: `secret="namespace/name"`."""
    return _OBJECT.fullmatch(value) is not None


def _is_object(place: re.Match[str], found: re.Match[str]) -> bool:
    return place[0] == "secret" and names_an_object(found[found.lastgroup or 0])


def _value_after(text: str, lower: str, place: re.Match[str]) -> re.Match[str] | None:
    name, end = place[0], place.end()
    if name == "authorization":
        return _AUTHORIZATION.match(text, end)
    if name == "cookie":
        return _COOKIE.match(text, end)
    if name.endswith(" "):
        return (_IDENTIFIED if name.startswith("identified") else _AFTER_SCHEME).match(text, end)
    before = lower[max(0, place.start() - _LONGEST_BEFORE) : place.start()]
    if name in ("token", "key") and not _SURE_BEFORE[name].search(before):
        if name == "key":
            return None
        return _PERHAPS.match(text, end) or (_OPTION.match(text, end) if _OPTION_BEFORE.search(before) else None)
    if name in ("sig", "signature", "jwt"):
        return None if before[-1:].isalpha() else _PERHAPS.match(text, end)
    found = _SURE.match(text, end)
    return _OPTION.match(text, end) if found is None and _OPTION_BEFORE.search(before) else found
