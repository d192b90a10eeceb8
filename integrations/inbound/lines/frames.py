"""The lines of stack traces that look the same in many languages: calls with their places, headings, what ends a block.

They are told without the line that a trace begins with: so a trace below any words is found, and a message of several
lines between an exception's first line and its calls.
"""

from __future__ import annotations

import re

_CALL = r"""
    \s+at\s(?:(?:async|new|static)\s)*(?:
      [^\s()]*[.$<>][^\s()]*\(                                             # at a.b.C.d(C.java:1)  at Shop.Pay()
      | [^\s()]+(?:\s\[as\s[^\]]+\])?\s\((?:\S*:\d+|native|<anonymous>|index\s\d+)   # at pay (/srv/a.js:3:9)
      | (?:file:|node:|https?:|webpack[\w-]*:|/|[A-Z]:\\)\S*:\d+ | \S+\.\w{1,5}:\d+ | <anonymous>$
    )
    | \s+(?:\|\s+)*>?\s?File\s"[^"]+",\sline\s\d+ | >\s+File\s"[^"]+",\sline\s\d+
    | [^\s@]*@(?:https?|file|moz-extension|webpack|capacitor|app):\S*:\d+:\d+$      # of Firefox and Safari
    | \t\S+\.(?:go|s):\d+
    | \s+\S+,\scalled\sat\s\S+:\d+
    | \t.{1,300}\scalled\sat\s\S+\sline\s\d+
    | \s+@\s+0x[0-9a-f]+\s | PC:\s@\s
    | \#0\s+(?:0x[0-9a-f]+\s|\S+\(\d+\):|\{main\})
    | At\s\S+:\d+\schar:\d+$
"""
_HEADING = r"""
    stack\straceback:$ | \[?[Ss]tack\s?trace\]?:?$ | CallStack\s\(from\s
    | \*{3}\sCheck\sfailure\sstack\strace | Backtrace:$
"""
_STACK = re.compile(rf"{_CALL}|{_HEADING}", re.X)
_BEGINNINGS = (" ", "\t", "st", "St", "[s", "[S", "Ca", "Ba", "***", "PC", "#0", "At ", "> ")

_GOES_ON = re.compile(
    rf"""
    {_CALL} | {_HEADING}
    | \s*\.{{3}}\s\d+\s(?:more|common|lines) | \s*(?:Caused\sby|Suppressed|Wrapped\sby)(?::|\serror)
    | \s*\#\d+\s
    | \s+(?:\d+:\s)?from\s\S+:\d+ | \S+\.(?:rb|erb|ru|rake):\d+:in\s
    | \s*\d{{1,3}}:\s+(?:0x[0-9a-f]+\s)?\S | \s+@\s\S
    | \s*\[\d+\]\s\S | \d+\s+\S+\s+0x[0-9a-f]{{6,}}\s | \d+\s(?:\[\w+\]\s)?0x[0-9a-f]+\s
    | (?:Raised|Re-raised|Called)\s(?:at|from|by)\s.*\bline\s\d+
    | \S+\.(?:zig|swift|jl|nim|cr):\d+:\d+
    | \s+[\^~]+\s*$ | \s*"?[}}\]]+[,;]?\s*$ | \s+-{{2,3}}\s | \s+(?:left|right):\s
    | stack\sbacktrace:$ | (?:Current\sstack|Call)\s(?:trace|[Ss]tack):$ | coroutine\s\d+:$
    | \t\S+:.*\sin\s(?:function|main)\s | \t\[C\]:\s
    | <asynchronous\ssuspension>$
    | Location:$ | Backtrace\somitted\. | note:\s | \+\s | \s+\+\s(?:CategoryInfo|FullyQualifiedErrorId)\s
    """,
    re.X,
)

_PREFIX = re.compile(
    r"""
    [VDIWEFA]/(?P<logcat>[^\s(:]{1,60}\s*\(\s*\d+\):)\s
    | \d\d-\d\d\s[\d:.]+\s+(?P<threadtime>\d+\s+\d+\s[VDIWEFA]\s[\w$./-]{1,60}\s*:)\s
    | (?:\d\d:\d\d:\d\d\s)?(?P<compose>[\w.-]{1,60}\s*\|)(?:\s|$)
    | (?:kernel:\s)?\[\s*\d+\.\d{3,6}\]\s
    | [DIWEF],\s\[[^\]#]{1,40}(?P<ruby>\#\d+\]\s+[A-Z]+\s--\s[^:]{0,60}:\s(?:\[[\w-]+\]\s)*)
    """,
    re.X,
)
"""What is written before each line of a trace: by Android, Docker Compose, foreman, the kernel and Ruby's logger. The
named part tells whose line it is."""

_LINE_JUDGED = 500
"""In characters: more of a line is not looked at, so that no line takes long."""

_PREFIXED = re.compile(r"\w/|\d\d-|\d\d:|[\w.-]{1,60}\s*\||\[|kernel:|\w, \[")


def opens_stack(line: str) -> bool:
    """Whether a line surely is a part of a stack trace, whatever comes before it."""
    return (line.startswith(_BEGINNINGS) or "@" in line) and is_call(line)


def goes_on(line: str) -> bool:
    """Whether a line may be a part of a trace that has begun."""
    return _GOES_ON.match(line, 0, _LINE_JUDGED) is not None


def is_call(line: str) -> bool:
    """Whether a line that goes on is a call, and no more of the message."""
    return _STACK.match(line, 0, _LINE_JUDGED) is not None


def unprefixed(line: str) -> tuple[str, str]:
    """Return whose line it is by what a logger writes before every line, else "", and the line without that."""
    if _PREFIXED.match(line) is None:
        return "", line
    found = _PREFIX.match(line)
    return ("", line) if found is None else (found[found.lastgroup] if found.lastgroup else "", line[found.end() :])
