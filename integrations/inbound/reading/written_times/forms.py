"""The forms in which loggers, servers and libraries write a date with a time of day, as regular expressions.

Each names the parts that it finds: year, month (a number or a name), day, hour, minute, second, fraction, half (of the
day), zone; `first`, `second_part` and `third` where day, month and year may stand in any order; `epoch` and `tai`.
"""

from __future__ import annotations

import re

MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

ABBREVIATIONS: dict[str, tuple[float, ...]] = {
    "EST": (-5,), "EDT": (-4,), "CST": (-6, 8), "CDT": (-5,), "MST": (-7,), "MDT": (-6,), "PST": (-8,), "PDT": (-7,),
    "AKST": (-9,), "AKDT": (-8,), "HST": (-10,), "BRT": (-3,), "WET": (0,), "WEST": (1,), "BST": (1,), "CET": (1,),
    "CEST": (2,), "MEZ": (1,), "MESZ": (2,), "EET": (2,), "EEST": (3,), "MSK": (3,), "SAST": (2,), "IST": (5.5, 2, 1),
    "IDT": (3,), "PKT": (5,), "SGT": (8,), "HKT": (8,), "AWST": (8,), "JST": (9,), "KST": (9,), "ACST": (9.5,),
    "ACDT": (10.5,), "AEST": (10,), "AEDT": (11,), "NZST": (12,), "NZDT": (13,),
}  # fmt: skip
"""Hours east of Greenwich by the name of a zone, the commonest meaning first. Names that are words are left out."""

_SIGN = "[+\u2212-]"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:(?:[.,]|:(?=\d{3}\b))(?P<fraction>\d{1,9})\d*)?"
_HALF = r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
_ZONE = (
    rf"(?:\s?\(?(?P<zone>(?:UTC|GMT)?{_SIGN}\d{{2}}(?::?\d{{2}})?|[Zz]|UTC|GMT|{'|'.join(ABBREVIATIONS)}"
    r"|(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|US|Etc)/[A-Za-z_/+-]{2,30})"
    r"(?![\w:/]))?"
)
_TIME = _CLOCK + _HALF + _ZONE
_NAME = r"(?P<month>[A-Z][a-z]{2})[a-z]{0,6}\.?"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?"
_ISO_DATE = r"(?P<year>\d{4})(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})"
_SHORT_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})"
ISO = rf"{_ISO_DATE}[Tt _]\s?{_TIME}"

# Apache's errors, date(1), syslog's files, java.util.logging, JavaScript, RFC 3164 with a year:
# Sat Feb 07 12:00:00.123456 2026, Feb  7 12:00:00, Feb 07, 2026 12:00:00 PM, Feb 07 2026 12:00:00 GMT+0100.
_NAME_FIRST = rf"{_NAME} {{1,2}}(?P<day>\d{{1,2}})(?:,? (?P<year>\d{{4}}))?,? {_TIME}(?: (?P<year_at_end>\d{{4}})\b)?"
# Access logs: 10.0.0.1 - - [07/Feb/2026:12:00:00 +0000].
_ACCESS = rf".{{0,200}}?\[(?P<day>\d{{1,2}})[-/ ]{_NAME}[-/ ](?P<year>\d{{4}})[: ]{_TIME}\]"

_FORMS = (
    # Log4j, Python, nginx, Go, PostgreSQL, Ruby: 2026-02-07 12:00:00,123 and 2026/02/07 12:00:00; 2026.02.07 too.
    ISO,
    _NAME_FIRST,
    # Redis, Tomcat, BIND, RFC 850: 07 Feb 2026 12:00:00.123, 07-Feb-2026 12:00:00.123, 07/Feb/2026:12:00:00 +0000.
    rf"(?P<day>\d{{1,2}})[-/ ]{_NAME}[-/ ](?P<year>\d{{4}}|\d{{2}})[:, ]{{1,2}}{_TIME}",
    rf"(?P<year>\d{{4}})[-/ ]{_NAME}[-/ ]{{1,2}}(?P<day>\d{{1,2}}) {_TIME}",
    rf"(?P<day>\d{{1,2}}) {_NAME} {_TIME}",
    # 20260207T120000Z, 20260207 12:00:00, 20260207-12:00:00:123.
    r"(?P<year>20\d{2})(?P<month>\d{2})(?P<day>\d{2})[T _-](?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})"
    rf"(?:[.,:](?P<fraction>\d{{1,9}}))?{_ZONE}",
    # DB2: 2026-02-07-12.00.00.123456.
    rf"{_ISO_DATE}[- ](?P<hour>\d{{2}})\.(?P<minute>\d{{2}})\.(?P<second>\d{{2}})(?:\.(?P<fraction>\d{{1,9}}))?{_ZONE}",
    # 07.02.2026 12:00:00, 2/7/2026 12:00:00 PM, 26/02/07 12:00:00 (Spark).
    rf"(?P<first>\d{{1,2}})(?P<dash>[-/.])(?P<second_part>\d{{1,2}})(?P=dash)(?P<third>\d{{4}}|\d{{2}}),?[ T-]{_TIME}",
    rf"{_ISO_DATE}[T ]{_SHORT_CLOCK}{_ZONE}(?![\d:])",
)
_OF_LINES = (
    # Android: 02-07 12:00:00.123  1000  1000 E Tag. MySQL before 5.7: 260207  9:00:00 [ERROR].
    rf"(?P<month>\d{{2}})-(?P<day>\d{{2}}) {_CLOCK}(?<=\.\d{{3}})",
    rf"(?P<year>\d{{2}})(?P<month>\d{{2}})(?P<day>\d{{2}}) {{1,2}}{_CLOCK}",
)
_LEVEL = r"(?i:trace|debug|info|notice|warn|warning|error|err|severe|crit|critical|fatal)(?::\w{1,30})?|[A-Z],"
_TOKEN = (
    rf"(?:{_LEVEL}|{_WEEKDAY}|\d+:[A-Z]|\[[^\[\]]{{1,40}}\]|[\w./-]{{1,60}}\s{{1,20}}\||(?i:time|date|timestamp)(?=:)"
    r"|[#*=.!>-]{1,20}+):?\s{0,8}+"
)
_BEFORE = rf"\ufeff?[\[(<\"]{{0,3}}(?:{_TOKEN}){{0,3}}?[\[(<\"]{{0,3}}"
"""A level, a weekday, brackets, a container's name, or Redis's process and role may stand before the time."""

_EPOCH = r"(?P<epoch>\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})"
_LOGFMT = r'(?:[\w.]+=(?:"[^"]*"|\S*) ){0,4}(?:time|ts|timestamp|t)="?'
_JSON = r'\{.{0,200}?"(?:@timestamp|timestamp|time|ts|date)" ?: ?"?'

OF_LINES = tuple(
    re.compile(form)
    for form in (
        _BEFORE + ISO,
        _BEFORE + _NAME_FIRST,
        _ACCESS,
        *(_BEFORE + form for form in (*_FORMS[2:], *_OF_LINES)),
        # klog and glog: E0207 12:00:00.123456; Abseil: E20260207 12:00:00.123456; Chromium: [9:9:0207/120000.123:ERROR.
        rf"[IWEF](?P<year>20\d{{2}})?(?P<month>\d{{2}})(?P<day>\d{{2}}) {_CLOCK}",
        r"\[(?:\d+:){0,2}(?P<month>\d{2})(?P<day>\d{2})/(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
        r"(?:\.(?P<fraction>\d{1,9}))?:",
        # logfmt: level=info ts=2026-02-07T12:00:00Z, and JSON: {"level": "info", "time": "2026-02-07 12:00:00"}.
        _LOGFMT + ISO,
        _JSON + ISO,
        rf"(?:{_LOGFMT}|{_JSON}){_EPOCH}(?![\w.])",
        # Squid, Nagios, auditd, and the TAI64N of multilog and s6-log.
        rf"[\[@(]?{_EPOCH}[\])]?(?=[\s:])",
        rf"(?:node=\S+ )?type=\w+ msg=audit\({_EPOCH}:",
        r"@(?P<tai>4[0-9a-fA-F]{23})\b",
    )
)
"""Matched at the beginning of a line, the commonest first."""

_AFTER = r"(?:\s?(?:\(.{0,60}\)|\[[\w/+-]{1,40}\]|UTC|[A-Z]{3,4}|m=[+-][\d.]+|\d{4}))*"
"""What JavaScript, Java and Go write after the zone: (Coordinated Universal Time), [Europe/Berlin], m=+0.01."""

WHOLE = tuple(re.compile(rf"\[?(?:{_WEEKDAY} )?{form}\]?{_AFTER}\Z") for form in _FORMS)
"""Match a text that is a time and nothing else."""
