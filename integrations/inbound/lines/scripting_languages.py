"""Python, Ruby, PHP, Perl, R, Julia and Lua: what they print when they fail."""

from __future__ import annotations

from integrations.inbound.lines.language import Language, compiled

PYTHON = Language(
    "ERROR",
    compiled(r"(?:[\w.:\s-]{0,60}?)(?:\|\s)*Traceback\ \(most\ recent\ call\ last\):"),
    compiled(r"[ \t]|$|>\s+File\s|\S+\.nim\(\d+\)\s"),
    ends=compiled(r"Error:\ unhandled\ exception:|\S+\.rb:\d+:in\s"
                   r"|(?!(?:INFO|WARN|WARNING|DEBUG|ERROR|CRITICAL|NOTICE|FATAL|TRACE|info|warn|warning|debug|error)\b)"
                   r"(?:(?:[A-Za-z_]\w*\.)+\w+|[A-Z]\w*)(?::\s|:?$)"),
    resumes=compiled(
        r"(?:During\ handling\ of\ the\ above\ exception|The\ above\ exception\ was\ the\ direct\ cause)\b"
    ),
    adds=compiled(
        r"(?:DETAIL|HINT|CONTEXT|QUERY|LINE\ \d+):\s|\[(?:SQL|parameters|cached\ since.*):?\s"
        r"|\(Background\ on\ this\ error|\s+(?:from\s|[\^~]+$|\S.*\[type=|For\ further\ information\ visit\ )"
    ),
)  # fmt: skip

PYTHON_GROUP = Language(
    "ERROR",
    compiled(r"\s*\+\ Exception\ Group\ Traceback\ \(most\ recent\ call\ last\):"),
    compiled(r"\s+[|+]"),
)

PYTHON_ANNOUNCED = Language(
    "ERROR",
    compiled(
        r"""
        Exception\ in\ (?:thread|callback)\ [^"] | Exception\ ignored\ in:\s
        | (?:Task|Future)\ exception\ was\ never\ retrieved
        """
    ),
    compiled(r"future:\ |handle:\ "),
    hands_over=PYTHON,
)

RUBY = Language(
    "ERROR",
    compiled(
        r"""
        (?:\S+\.(?:rb|erb|ru|rake):\d+:in\s.*\((?:[A-Z]\w*(?:::)?)+\)\s*$
          | \S+\.(?:rb|erb|ru|rake):\d+:in\s.*:\s.*(?:Error|Exception)\b
          | (?:[A-Z]\w*::)*[A-Z]\w*(?:Error|Exception)\s\(.*\):?\s*$
          | (?:[A-Z]\w*::)+[A-Z]\w*\s\(.*\):\s*$
          | Rack\sapp\s.*:\s\#<)
        """
    ),
    compiled(r"\S+\.(?:rb|erb|ru|rake)(?::\d+|\s\()|\S+\s\([\d.]+\)\s\S+\.rb:\d+|Caused\ by|$"),
)

PHP = Language(
    "FATAL",
    compiled(
        r"""
        (?:(?:PHP\s)?Fatal\serror:\s+Uncaught\s | (?:PHP\s)?Uncaught\s\w | (?:NOTICE:\s)?PHP\ message:\sPHP\ Fatal
          | exception\s'[\w\\]+'\swith\smessage\s)
        """
    ),
    compiled(r"""\[?[Ss]tack\s?trace\]?:? | \#\d+\s | \s*Next\s | \s+thrown\sin\s | $"""),
)

PERL = Language(
    "ERROR",
    compiled(
        r"(?!Use\sof\suninit|Argument\s\"|Odd\snumber|Useless\s|Deep\srecur)"
        r".{1,300}\sat\s\S+\.(?:p[lmh]|t|cgi)\sline\s\d+(?:,\s<\w*>\s\w+\s\d+)?\.$"
    ),
    compiled(r"\t.*\scalled\sat\s|BEGIN\sfailed|Compilation\sfailed|Execution\sof\s\S+\saborted"),
)

R = Language(
    "ERROR",
    compiled(r"Error\sin\s.{1,200}\s?:(?:\s|$)"),
    compiled(r"Calls:\s|Execution\shalted|In\saddition:\s|Backtrace:|Caused\sby\serror|!\s|[\u2139✖•x]\s|▆"),
    leads_to_any=compiled(r".*:\s*$"),
)

JULIA = Language(
    "ERROR",
    compiled(r"ERROR:\s(?:LoadError:\s)?[A-Z]\w*(?:Error|Exception)\b"),
    compiled(r"Stacktrace:|$|in\sexpression\sstarting\sat"),
)

DART_LUA_AND_OTHERS = Language(
    "ERROR",
    compiled(
        r"""(?:Unhandled\ [Ee]xception:\s*$
          | \S+\[\d+\]:\ segfault\ at\s
          | lua\S*:\s\S+:\d+: | Stack\ overflow\.\s*$
          | Out\sof\smemory:\s[Kk]ill | \#\s?A\sfatal\serror\shas\sbeen\sdetected)"""
    ),
    compiled(r"$|stack\straceback:|\#|\s+\S+:\d+:\sin\s|\s+\[C\]:"),
    leads_to_any=compiled(r".*:\s*$"),
)
