"""Mask the parts of a log line that look variable: numbers, identifiers, addresses, paths, dates, values of keys.

There are two passes. `mask_token` masks one word between blanks, so its result can be cached. `shape` works on the
whole masked line, and is needed only for masked lines never seen before. `detection.logs.grouping` finds the variables
that can be recognised only by comparing lines.

Every regular expression in this module takes time linear in the length of the line.
"""

from __future__ import annotations

import re

WILDCARD = "<*>"
"""Stands for a variable part."""

Shape = tuple[str, ...]
"""A masked line in pieces: words and single punctuation marks, each with its preceding blank, if any."""

_URL = re.compile(r"[A-Za-z][\w+.-]{0,30}://[^\s,;()\[\]{}<>\"'|]++")
_PATH_PART = r"[^\s,;:()\[\]{}<>\"'=|]"
_PATH = re.compile(
    rf"(?<![\w.)\]}}])(?:[A-Za-z][\w+.-]{{0,30}}:/|\.{{0,2}}/|~/|[A-Za-z]:\\){_PATH_PART}++(?::{_PATH_PART}++)*+"
)
"""Paths that start at the root, the home directory, a dot or a Windows drive, and URIs such as `file:/`."""

_HEX_PAIRS = re.compile(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){3,}+\b")
"""MAC addresses, fingerprints."""

_IPV6 = re.compile(
    r"(?<!\w)(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}|::[0-9A-Fa-f]{1,4})(?!\w|:[\w:])"
)
"""Full and with one run of zeros abbreviated; some groups may hold letters only."""

_HOST = re.compile(
    r"(?<![\w.@$\\-])(?:localhost\b(?![.-])(?::\d++)?|[A-Za-z][\w-]*+(?:\.[\w-]++){2,}+:\d++"
    r"|(?:[A-Za-z0-9][\w-]*+\.)+(?:[a-z]{2,6}(?::\d++|(?=\[\d+\.\d))|(?:com|org|net|edu|gov|local|localdomain|internal|lan|arpa)"
    r"(?:\.[a-z]{2})?(?![\w(]|\.\w)(?::\d++)?))"
)
"""Names of hosts: with a port, or with the ending of a domain. `app.start` and `java.net.Socket` are no hosts."""

_EMAIL = re.compile(r"(?<![\w.@+-])[\w.+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++")

_FILE = re.compile(
    r"(?<![\w.@$/\\-])\w[\w.-]*\.(?:exe|dll|sys|so|bin|jar|war|py|rb|js|ts|php|sh|bat|log|txt|tmp|bak|lock|pid|sock|conf"
    r"|cfg|cnf|ini|json|ya?ml|toml|xml|html?|css|csv|tsv|parquet|db|sqlite|sql|zip|tar|gz|tgz|bz2|xz|png|jpe?g|gif|svg"
    r"|pdf|docx?|xlsx?|pem|crt|key)(?![\w(]|\.\w)"
)
"""Names of files, by their usual endings."""

_BASE64 = re.compile(
    r"(?<![\w+/=-])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*[a-z])[A-Za-z0-9+/_-]{12,}+={1,2}(?![\w+/=])"
)
"""Told by the signs at its end, which no word has; a key before its value has one case, or fewer letters."""

_RUN = re.compile(r"(?:[-+#@$*€£¥₹₽₩₺₴₪฿]|[<>](?=\d))?\w++(?:[.\-/\\@#$%+~]{1,2}\w++)*+%?")
"""Words joined by the punctuation of identifiers, versions, host names and dates."""

NATIVE = (
    "\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u30fa\u30fc-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Letters and marks of the scripts that set no blanks between a word and a number: Thai, Lao, Tibetan, Burmese, Khmer,
Chinese, Japanese, Korean."""

_NATIVE_TEXT = re.compile(f"([{NATIVE}]+)")

_TRUTH_OR_NOTHING = frozenset({"true", "false", "null", "none", "nil"})
_MAY_VARY = re.compile(r"[\d/\\.]|true|false|null|none|nil|localhost", re.IGNORECASE)
_ONLY_NUMBERS = re.compile(r"[-+/]?\d++(?:[.:/-]\d++)*+\Z")
_DIGIT = re.compile(r"\d")
_NAME_WITH_DIGIT = re.compile(r"(?=\w*[g-zG-Z])[A-Za-z_]{2,}\d[A-Za-z_]+\Z")
"""`log4j`, `jk2_init`: a digit inside a name does not make it a value."""

_ADJOINING = re.compile(r"<\*>(?:[^\w\s<()\[\]{}]{0,8}<\*>)++")
_KEY_VALUE = re.compile(r"(?<=[\w\])])(\s?=\s?)(?:\"[^\"]*\"|'[^']*'|[^\s,;()\[\]{}\"'=]++(?!\s?=))")
_LISTED_VALUE = re.compile(r"(?<=\w=)[^\s,;=()\[\]{}\"'][^,;=()\[\]{}\"']{0,200}+(?=[)\]}]|,\s?[\w.]{1,100}=)")
"""A value in `(name=Roman Holiday, id=7)` may hold blanks: it ends at the next key or the closing bracket."""

_MAPPED = re.compile(r"[\"']\s?(?::|=>)")
_JSON_VALUE = re.compile(
    r"(\"[\w.-]{1,100}\"\s?(?::|=>)\s?)(?:\"[^\"]*\"|<\*>)|('[\w.-]{1,100}'\s?(?::|=>)\s?)(?:'[^']*'|\"[^\"]*\"|<\*>)"
)
"""As JSON and as Python and Ruby print a mapping."""

_QUOTED_LIST = re.compile(r"(?<=\[)(?:'[^']*'|\"[^\"]*\")(?:, ?(?:'[^']*'|\"[^\"]*\"))*+(?=\])")
_BAR = re.compile(r"\[[#=>.\-\u2500-\u259f ]+\](?= ?<\*>)")
"""A bar of progress before its number: `[####  ] 40%`."""

_CLIENT = re.compile(r"\"<\*> ?\([^\"]*\"")
"""What a browser or another client calls itself: `"Mozilla/5.0 (X11; Linux x86_64) …"`."""

_ACCESS_LINE = re.compile(r"^(<\*> )\S+ \S+ (?=\[<\*>)")
"""The beginning of a line of the common log format: an address, and the user's name or a dash."""

_WORD_LIST = re.compile(r"(?<=[\[({])(?:<\*>|\w[\w.:-]*+)(?:, ?(?:<\*>|\w[\w.:-]*+))++(?=[\])}])")
_REPEATED_RECORD = re.compile(r"(\b\w{1,100}\([^()]{1,400}\))(?:[,;] ?\1)+")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = r"\b(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)\b"
_DATE = re.compile(
    rf"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_MONTH} <\*>|<\*>[ -]{_MONTH}(?:[ -]<\*>)?)(?: <\*>)*"
    r"(?: (?:UTC|GMT|[ECMP][SD]T|CES?T)\b(?: <\*>)?)?"
)
_UNIT = r"(?:[kKMGTP]i?[Bb]|B|bytes?|[mun]?s|secs?)\b"
_MEASURE = re.compile(rf"<\*> ?{_UNIT}")
"""Masks the unit too: programs that format sizes and durations for people choose the unit by the value."""

_BRACKETED = re.compile(r"<\*> ?(?:\((?:<\*>)?\)|\[(?:<\*>)?\]|\{(?:<\*>)?\})")
"""A value in brackets after a value is an optional part of it: `2048 bytes (2.0 KB)`, `10.1.2.3 (a.b)`."""

_SEQUENCE = re.compile(r"<\*>(?:[ ,|]{1,4}<\*>)++")
_PIECE = re.compile(
    rf"\s?(?:<\*>|[{NATIVE}]++|"
    r"\"[^\s\"]*\"|(?<!\w)'[^\s']*'|\w++(?:[.\-/\\@#$%+~]{1,2}\w++)*+|[^\s\w])"
)


MEASURED = "\1"
"""Stands for the value in an optional ending; it occurs in no line."""

_ENDING = re.compile(
    r"(?<=\w)(,? (?:in|after|took|within)) "
    r"(?:\d+(?:\.\d+)? ?(?:[num\u00b5\u03bc]?s|secs?|seconds?|m|min|minutes?|h)(?![A-Za-z]) ?){1,3}\.?$"
    r"|(?<=\w)( \()\d+(?:\.\d+)? ?(?:[num\u00b5\u03bc]?s|secs?|seconds?|[kKMGT]?i?[Bb]|bytes)\)$"
)


def without_ending(text: str) -> tuple[str, str]:
    """Return a line without the time it took or the size, which only some lines of a message may end with, and that."""
    if text[-1:].isspace() or text[-1:] not in "smhnBbd).e":
        return text, ""
    found = _ENDING.search(text)
    if found is None:
        return text, ""
    return text[: found.start()], f"{found[1]} {MEASURED}" if found[1] else f"{found[2]}{MEASURED})"


def ending_of(pieces: Shape) -> str:
    """Return the piece of a shape that is an optional ending, or an empty one."""
    return pieces[-1] if pieces and MEASURED in pieces[-1] else ""


def mask_token(token: str) -> str:
    """Return a word between blanks with its numbers, identifiers, addresses and paths masked."""
    if token.isalpha():
        return WILDCARD if token.lower() in _TRUTH_OR_NOTHING else token
    if _ONLY_NUMBERS.match(token):
        return WILDCARD
    if not token.isascii() and _NATIVE_TEXT.search(token):
        parts = _NATIVE_TEXT.split(token)
        return "".join(part if place % 2 or not part else mask_token(part) for place, part in enumerate(parts))
    if not _MAY_VARY.search(token) and token.count(":") < 2:
        return _BASE64.sub(WILDCARD, token) if token.endswith("=") else token
    masked = _BASE64.sub(WILDCARD, token) if "=" in token else token
    if "/" in masked or "\\" in masked:
        masked = _PATH.sub(WILDCARD, _URL.sub(WILDCARD, masked) if "://" in masked else masked)
    if masked.count(":") > 1:
        masked = _IPV6.sub(WILDCARD, masked)
    if masked.count(":") > 2 or masked.count("-") > 2:
        masked = _HEX_PAIRS.sub(WILDCARD, masked)
    if "@" in masked:
        masked = _EMAIL.sub(WILDCARD, masked)
    if "." in masked or "localhost" in masked:
        masked = _FILE.sub(WILDCARD, _HOST.sub(WILDCARD, masked))
    masked = _RUN.sub(_masked_run, masked)
    return _ADJOINING.sub(WILDCARD, _BRACKETED.sub(WILDCARD, masked)) if WILDCARD in masked else masked


def _masked_run(found: re.Match[str]) -> str:
    run = found.group()
    if _DIGIT.search(run):
        return run if _NAME_WITH_DIGIT.match(run) else WILDCARD
    return WILDCARD if run.lower() in _TRUTH_OR_NOTHING else run


def shape(masked: str) -> Shape:
    """Return the pieces of a line of masked words joined by single blanks; adjacent wildcards become one."""
    text = masked
    if "=" in text:
        text = _KEY_VALUE.sub(rf"\1{WILDCARD}", _LISTED_VALUE.sub(WILDCARD, text))
    if _MAPPED.search(text):
        text = _JSON_VALUE.sub(rf"\1\2{WILDCARD}", text)
    if "['" in text or '["' in text:
        text = _QUOTED_LIST.sub(WILDCARD, text)
    if "] <*>" in text or "]<*>" in text:
        text = _BAR.sub(f"[{WILDCARD}]", text)
    if '"<*>' in text:
        text = _CLIENT.sub(f'"{WILDCARD}"', text)
    if text.startswith(WILDCARD):
        text = _ACCESS_LINE.sub(rf"\1{WILDCARD} ", text)
    if "," in text:
        text = _REPEATED_RECORD.sub(r"\1", _WORD_LIST.sub(WILDCARD, text))
    if WILDCARD in text:
        if any(month in text for month in _MONTHS):
            text = _DATE.sub(WILDCARD, text)
        text = settled(_MEASURE.sub(WILDCARD, text))
    return tuple(_PIECE.findall(text))


def settled(text: str) -> str:
    """Return the text with adjacent wildcards merged into one: `<*>:<*>`, `<*> (<*>)`, `<*>, <*>`."""
    return _SEQUENCE.sub(WILDCARD, _ADJOINING.sub(WILDCARD, _BRACKETED.sub(WILDCARD, text)))
