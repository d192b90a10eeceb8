"""msgspec's messages in plain words: "Expected `str`, got `int`" becomes "must be a text, not a whole number"."""

from __future__ import annotations

import re

_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "bytes": "a text in base64",
}

_WRONG_KIND = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_WRONG_LENGTH = re.compile(r"Expected `(?P<kind>[^`]+)` of length (?P<bound>>=|<=|==) (?P<length>\d+)")
_WRONG_NUMBER = re.compile(r"Expected `[^`]+` (?P<bound>>=|<=|>|<) (?P<limit>[-\d.e+]+)")
_NUMBER_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_LENGTH_BOUNDS = {">=": "at least ", "<=": "at most ", "==": ""}


def plain(message: str) -> str:
    """Return what is wrong as the end of a sentence that begins with the field's name. No pattern is ever shown."""
    if "matching regex" in message:
        return "is not written in the form that is wanted here"
    kind = _WRONG_KIND.fullmatch(message)
    if kind is not None:
        wanted = " or ".join(_KINDS.get(each, each) for each in kind["wanted"].split(" | ") if each != "null")
        return f"must be {wanted or 'null'}, not {_KINDS.get(kind['got'], kind['got'])}"
    length = _WRONG_LENGTH.fullmatch(message)
    if length is not None:
        one, many = ("character", "characters") if length["kind"] == "str" else ("entry", "entries")
        unit = one if length["length"] == "1" else many
        return f"must have {_LENGTH_BOUNDS[length['bound']]}{length['length']} {unit}"
    number = _WRONG_NUMBER.fullmatch(message)
    if number is not None:
        return f"must be {_NUMBER_BOUNDS[number['bound']]} {number['limit']}"
    return message[:1].lower() + message[1:]
