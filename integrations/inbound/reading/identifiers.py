"""Tell ids from words: numbers, UUIDs, hashes, dates, mail addresses, tokens, and names with a number in them.

A word with a few digits is a word: v1, oauth2, s3, h264, 2fa, sha256, i18n, step-2. An id of letters alone cannot be
told from a word, unless no word is as long or as oddly spelt.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(
    r"""
      [-+]?\d+(?:[.,]\d+)*                                                  # 17, -3, 1.5, 1,2,3, 10.0.0.1
    | (?:urn:uuid:)?\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?       # a UUID
    | 0x[0-9a-f]+
    | [0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]+                                      # IPv6, a MAC address
    | \d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[T ]\d{1,2}[:.]?\d{2}.*)?      # dates and times
    | \d{8}T\d{4,6}\S*
    | [^@\s]+@[^@\s]+ | [@~]\S+                                             # anna@example.com, @anna, ~anna
    | [A-Za-z0-9+/_-]{4,}={1,2}                                             # base64
    | eyJ[\w-]+\.[\w-]+\.[\w-]*                                             # a JWT
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSION = re.compile(r"v\d+(?:[._-]?\d+)*(?:[._-]?(?:alpha|beta|rc|preview|p)[._-]?\d*)*", re.IGNORECASE)
_LOCALE = re.compile(r"[a-z]{2}[-_](?:419|001|150)", re.IGNORECASE)
_NUMBERED_WORD = re.compile(r"[^\W\d_]+[-_]\d|\d[-_][^\W\d_]+")
"""step-2, utf-8: there are ten of them at most."""

_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_CAMEL_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CAMEL_VERSION = re.compile(r"[Vv]\d+(?=[A-Z]|$)")
_RUN = re.compile(r"\d+|\D+")

_MANY_DIGITS = 4
_LONGEST_WORD = 64
_LONG_TOKEN = 16
_SHORTEST_WORDS = 3.0
"""Tokens of upper and lower case whose runs are shorter than this on average are not made of words."""


def is_identifier(text: str) -> bool:
    """Whether a part of a path, topic or name, without slashes, is an id and no word."""
    if _WHOLE.fullmatch(text):
        return True
    if not text or _VERSION.fullmatch(text) or _LOCALE.fullmatch(text) or "." in text or ":" in text:
        return False
    if len(text) > _LONGEST_WORD:
        return True
    if not any(letter.isdigit() for letter in text):
        return _is_odd_spelling(text)
    if _NUMBERED_WORD.fullmatch(text):
        return False
    parts = [part for part in re.split(r"[-_~+\s]", text) if part]
    whole = "".join(parts)
    return any(part.isdigit() or _is_token(part) for part in parts) or (
        len(whole) >= _LONG_TOKEN and _is_mixed(whole) and _mean_run(whole) < _SHORTEST_WORDS
    )


def is_version(text: str) -> bool:
    """Whether this is the version of an API, such as v1, v2beta1 or v1.2."""
    return _VERSION.fullmatch(text) is not None


def _is_odd_spelling(text: str) -> bool:
    """Whether letters alone are a token: a long hash without digits, or upper and lower case at random."""
    if len(text) < _LONG_TOKEN or not text.isascii() or not text.isalpha():
        return False
    return _HEX.fullmatch(text) is not None or (_is_mixed(text) and _mean_run(text) < _SHORTEST_WORDS - 0.5)


def _is_token(part: str) -> bool:
    """Whether letters and digits without a separator are an id, such as a3f9c2, user1234 or dQw4w9WgXcQ."""
    if part.isalpha() or _VERSION.fullmatch(part):
        return False
    plain = _CAMEL_VERSION.sub("", part)
    digits = sum(letter.isdigit() for letter in plain)
    runs = _RUN.findall(plain)
    if digits >= _MANY_DIGITS or (len(plain) >= 8 and digits >= 2 and _HEX.fullmatch(plain)):
        return True
    if len(plain) >= 6 and len(runs) >= 4 and max(len(run) for run in runs if not run[0].isdigit()) <= 2:
        return True
    if (len(plain) >= 8 and len(runs) >= 5) or (len(plain) >= _LONG_TOKEN + 4 and len(runs) >= 3):
        return True
    shortest = _SHORTEST_WORDS if digits else _SHORTEST_WORDS - 0.5
    return len(plain) >= 8 and _is_mixed(plain) and _mean_run(plain) < shortest


def _is_mixed(text: str) -> bool:
    return text != text.lower() and text != text.upper()


def _mean_run(text: str) -> float:
    runs = _CAMEL_WORD.findall(text)
    return sum(map(len, runs)) / max(len(runs), 1)
