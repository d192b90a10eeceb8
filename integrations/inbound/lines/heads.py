"""The level that stands at the head of a plain line, after times, process ids, threads and names of loggers.

The head is read piece by piece: a piece is a level, in one of the forms that loggers write, or something that may stand
before a level. The first word of a sentence ends the head, so what a message says further on is no level.
"""

from __future__ import annotations

import re

from integrations.inbound.lines import levels

_MOST_PIECES = 14

_CAPITALS = (
    "EMERGENCY|EMERG|D?PANIC|PANI|ALERT|CRITICAL|CRIT|FATAL|FATA|FTL|SEVERE|ERRO?R?|EROR|WARN(?:ING)?|WRN|NOTICE"
    "|INFORMATION|INFO|INF|DEBUG|DEBU|DBUG|DBG|TRACE|TRAC|TRCE|TRC|VERBOSE|VRB|FINE(?:R|ST)?"
)
_ANY_CASE = (
    "emergency|emerg|d?panic|alert|critical|crit|fatal|severe|error|err|warning|warn|notice|information|info|debug"
    "|trace|verbose"
)
_SHORT = "note|system|log|wrn|inf|dbg|dbug|ftl|vrb|trc|trce|eror|erro|fata|debu"
_COLON = "emergency|emerg|d?panic|alert|critical|crit|fatal|severe|error|err|warning|warn|notice|info|debug|dbug|trce"
_SOMETHING = (
    r"(?!\s*(?:\d+(?:[.,]\d+)?\s*%?\s*(?:$|[,;)]|\.(?!\d))"
    r"|(?:<?(?:null|none|nil)>?|undefined|\"\"|false|no|n/a|success)\.?\s*(?:$|[,;)}|])"
    r"|(?:0|no)\s+(?:errors?|failures?|warnings?|problems?|issues?)\b))"
)
"""`error: null`, `error: 0` and `Error: 0 errors` say that there was none, and `error: 0.31` measures one."""

_LEVEL = re.compile(
    rf"""
    (?!NOTICE:\sPHP\smessage|WARNING:\s(?:Thread|Memory)Sanitizer|WARNING:\sDATA\sRACE)(?:
    # [error]  [core:error]  <warn>  (info)
    \[\s*(?:[\w.-]{{1,40}}:)?(?P<bracketed>(?i:{_ANY_CASE}|{_SHORT}))\s*\]
    | [(<]\s*(?P<enclosed>(?i:{_ANY_CASE}))\s*[)>]
    # [20:00:00 ERR]  [2026-11-29T20:00:00Z ERROR till]  [29/200000.1:ERROR:file.cc(12)]
    | \[(?:[^\]\n]{{0,80}}?[\s:/|,])?(?P<inside>{_CAPITALS})(?=[\s:/|,\]])
    | \[(?P<letter>[DIWEF])\](?=\s)
    # %LINK-3-UPDOWN: text, of Cisco's devices
    | %[A-Z0-9_]{{2,30}}-(?P<priority>[0-7])-[A-Z0-9_]{{1,40}}:
    # ERROR text  ERROR:root:text  app.ERROR: text  ERROR|Logger|  WARN[0012] text
    | (?:[A-Za-z_][\w-]{{0,40}}\.)?(?P<capitals>{_CAPITALS})[1-4]?(?!\s+/\S*\sHTTP/|\s(?:count|rate|total)s?\b)
      (?!\s?:{_SOMETHING[3:]}
      (?=$|[\s:|\])!,;*>]|\[[\d:|.\ T-]{{1,40}}\])(?!\s*=)
    # error: text
    | (?P<colon>(?i:{_COLON}))(?:\s?:(?=\s|$|["'\[(A-Za-z]){_SOMETHING}|!(?=\s))
    # error<tab>text  error | text  critical - text
    | (?P<separated>(?i:{_ANY_CASE}))(?=\s*\t|\s*\||\s+-{{1,3}}\s|\s*$)
    # Zigbee2MQTT:error text
    | [A-Za-z][\w.-]{{1,40}}:(?P<tagged>(?i:{_ANY_CASE}))(?=\s)
    # level:error
    | (?i:log\.?level|level|lvl|severity)\s?[:=]\s?["']?(?P<named>(?i:{_ANY_CASE}|{_SHORT}))\b
    # =ERROR REPORT==== of Erlang
    | =(?P<report>[A-Z]{{4,10}})\ REPORT====
    )
    """,
    re.X,
)

_PHRASE = re.compile(
    rf"""
    (?P<FATAL>(?i:(?:PHP\ )?(?:recoverable\ |catchable\ )?fatal\ error|critical\ error)\b
      (?:\s*[:\-]{_SOMETHING}|\s(?:occurred|in|while|at)\b))
    | (?P<ERROR>
        npm\ (?:ERR!|error\b)
        | (?i:PHP\ parse\ error|(?:internal|unexpected|unhandled|runtime|syntax|parse|system|connection|database|network
             |server|internal\ server|unknown|assertion|build)\ error)\s*:{_SOMETHING}
        | (?i:error)\s(?!(?:handl|report|logg|track|monitor|correct|check|budgett|recover)ing\b)
          (?:[a-z]{{2,}}ing|while|when|in|at|on|during|from|occurred)\b
        | (?i:error)(?:\s\(?\d{{1,5}}\)?|\s[A-Z]{{1,4}}\d{{1,6}}|\[\w{{1,10}}\]):
        | =(?:CRASH|SUPERVISOR)\ REPORT====
        | (?:fail)(?=:\s[\w.]+\[\d+\]) | \[\s*FAIL(?:ED)?\s*\]\s
        | (?:ORA|TNS|RMAN|PLS)-(?!00000)\d{{5}}: | Errors\ in\ file\ \S+ | SQLSTATE\[\w{{1,8}}\]
        | \w+-fs\ error\b | make(?:\[\d+\])?:\ \*\*\*\ \[
        | Error:\ \d+,\ Severity:\ (?:1[1-9]|2\d),
      )
    | (?P<WARN>PHP\ (?:Warning|Deprecated):|npm\ (?:WARN|warn)\b|(?:[A-Z]\w+)?(?:Deprecation|Deprecated)(?:Warning)?:)
    | (?P<INFO>PHP\ Notice:|(?:LOG|HINT|DETAIL|STATEMENT|CONTEXT|QUERY|LOCATION):\ \ )
    """,
    re.X,
)

_LETTER = re.compile(
    r"""
    (?P<klog>[DIWEF])(?:\d{4}\ \d\d:\d\d:\d\d|\d{6}\ \d\d:|\d{8}\ \d\d:)
    | (?:\d\d-\d\d\ [\d:.]{8,15}\ +)?(?P<logcat>[VDIWEFA])/[^\s(:/]{1,60}\s*(?:\(\s*\d+\))?:\s
    | (?P<apt>[WE]):\ (?=[A-Z][A-Za-z])
    | (?P<ruby>[DIWEF]),\ \[
    | (?P<espressif>[VDIWE])\ \(\d+\)\ [\w.-]+:\s
    | \[(?P<tornado>[DIWEC])\ \d{6,8}\ \d\d:\d\d | \[(?P<jupyter>[DIWEC])\ \d{4}-\d\d-\d\d
    | (?:[A-Z][a-z]{2}\ )?\d[\d:.,T\-/+\ ]{7,40}Z?\ +(?:
        (?:\d+\ +\d+\ )(?P<threadtime>[VDIWEFA])\ +[\w$./-]{1,60}\s*:
        | (?P<mongodb>[DIWEF])\d?\ +[A-Z]{2,12}\ +\[
        | (?P<capnslog>[TDIWEC])\ \|\ )
    | (?:\d+:[MSXC]|\[\d+\])\ \d\d\ [A-Z][a-z]{2}\ (?:\d{4}\ )?[\d:.]+\ (?P<redis>[.*\#-])\s
    """,
    re.X,
)
_LETTERS = {
    "V": "TRACE", "T": "TRACE", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL", "A": "FATAL",
    "C": "FATAL", ".": "DEBUG", "-": "DEBUG", "*": "INFO", "#": "WARN",
}  # fmt: skip

_BEFORE = re.compile(
    r"""
    (?:
      [A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d\ \S{1,100}(?=\s)                    # syslog's time and host
      | (?:NOTICE:\ )?PHP\ message:
      | (?:Logon|Server|Backup|spid\d+s?)(?=\s{2,})                                  # of SQL Server
      | \[[^\]\n]{0,120}\]:? | \([^)\n]{0,120}\):? | \{[^}\n"]{0,120}\}:? | <[^>\n]{0,120}>:?
      | \d[\w.:,/+\-]{0,60}(?<![:,])                                                # times, addresses, numbers
      | [+-]\d{2}:?\d{2}(?!\w)
      | [0-9a-fA-F]{4,12}(?:-[0-9a-fA-F]{4,12}){1,5}(?!\w)                           # ids
      | (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?=,?\s)
      | (?:UTC|GMT|AM|PM|[ECMP][SD]T|CES?T|MSK|JST|IST|BST)(?!\w)
      | (?:stdout|stderr)\s[FP](?=\s)
      | [\w.-]{1,60}@[\w.-]{1,60}(?!\w)
      | [\w.-]{1,40}=(?:"[^"\n]{0,80}"|[^\s"]{1,80})
      | [\w.$/@-]{1,80}(?:\[[^\]\n]{0,40}\])?:(?=\s)                                 # a logger's or a program's name
      | [\w.$/:@-]{1,80}(?=\s+[-|]\s|\s?\|)
      | (?<=[\dZ]\ )[a-z][\w.-]{0,60}(?=\s[\w./-]{1,60}(?:\[\d+\])?:\s)              # a host before its program
      | [\w./\\-]{1,120}(?::\d+|\(\d+(?:,\d+)?\))+:(?=\s)                            # a place in a source file
      | [|\-:*•>~,]+ | ={2,} | [!\#]{2,4}(?=[\s<]) | [^\w\s"'`$%&?.\\/\[\](){}<>=+#!;]{1,3}(?=\s)
      | (?<=[\d\])Z]\ )[a-z][\w.#-]{0,60}(?=\s+(?:\[)?[A-Z]{3,9}\b)                  # a thread or host before LEVEL
    )\s*
    """,
    re.X,
)
_CAPITALS_ANYWHERE = re.compile(rf"\b(?:{_CAPITALS})\b")
_PRIORITY = re.compile(r"<(\d{1,2}|1[0-8]\d|19[01])>(?=[^\s<])")
"""What the kernel, systemd and syslog write before a line."""

_COUNT = re.compile(r"\d{1,6}\s+[A-Z]")
"""`3 ERROR lines`: a number that counts what comes after it."""

_HINTS = (
    "err", "warn", "inf", "debu", "otice", "fata", "crit", "emerg", "alert", "pani", "severe", "trac", "verb", "db",
    "wrn", "trc", "ftl", "vrb", "fine", "eror", "note", "system", "epreca", "fail:", "report", "log]",
    "[d]", "[i]", "[w]", "[e]", "[f]", "%", "fail", "ora-", "tns-", "rman-", "pls-", "sqlstate",
)  # fmt: skip
"""A head without any of these has no level: a cheap look before the dear one."""

_HEAD_LENGTH = 400
"""In characters: a longer head is not read."""


def level_in_braces(line: str) -> str | None:
    """Return the level of a record between braces that is in nobody's notation: `{till 7 ERROR no paper}`, or None."""
    if not line.startswith("{") or '"' in line:
        return None
    found = _CAPITALS_ANYWHERE.search(line, 0, _HEAD_LENGTH)
    return None if found is None else levels.known(found[0])


def _meaning(found: re.Match[str]) -> str | None:
    word = found[found.lastgroup or 0]
    return levels.of_syslog(int(word)) if found.lastgroup == "priority" else levels.known(word)


_JAVA_UTIL = re.compile(r"\S{3,10}\s\d{1,2},\s\d{4},?\s\d{1,2}:\d\d:\d\d(?:\s[AP]M)?\s[\w.$]+(?:\s\S+)?\s*\n(?=[A-Z])")
"""The first line of java.util.logging's records; the second begins with the level."""

_PASSED_ON = re.compile(r"(?:said into std(?:err|out)|FastCGI sent in stderr): \"")
"""What PHP-FPM and nginx write before a line of PHP, whose level counts before theirs."""


def level_of(line: str) -> str | None:
    """Return the level at the head of a line as one of our severities, or None."""
    if " std" in line and (passed_on := _PASSED_ON.search(line, 0, _HEAD_LENGTH)) is not None:
        return _level_of(line[passed_on.end() :]) or _level_of(line)
    if "\n" in line and (header := _JAVA_UTIL.match(line)) is not None:
        return _level_of(line[header.end() :])
    return _level_of(line)


def _level_of(line: str) -> str | None:
    if line.startswith("<") and (prefix := _PRIORITY.match(line)) is not None:
        by_priority = levels.of_syslog(int(prefix[1]) % 8)
        # As where syslog brings it: err and info may only say by which stream the line came.
        by_head = _level_of(line[prefix.end() :]) if by_priority in ("INFO", "ERROR") else None
        return by_head or by_priority
    line = line[:_HEAD_LENGTH]
    lettered = _LETTER.match(line)
    if lettered is not None:
        return _LETTERS[lettered[lettered.lastgroup or 0]]
    beginning = line.lower()
    for hint in _HINTS:
        if hint in beginning:
            break
    else:
        return None
    if _COUNT.match(line):
        return None
    place = len(line) - len(line.lstrip())
    for _ in range(_MOST_PIECES):
        # Most pieces are numbers, with which no level begins.
        if not line[place : place + 1].isdigit():
            found = _LEVEL.match(line, place)
            if found is not None and (level := _meaning(found)):
                return level
            phrase = _PHRASE.match(line, place)
            if phrase is not None:
                return phrase.lastgroup
        before = _BEFORE.match(line, place)
        if before is None or before.end() == place:
            return None
        place = before.end()
    return None
